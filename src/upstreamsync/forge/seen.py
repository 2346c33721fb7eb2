"""What a run sees of the forge: our pull requests and branches, and what decides about a proposal."""

from __future__ import annotations

from dataclasses import dataclass, field

from upstreamsync.config.load import Configuration
from upstreamsync.forge.rules.dashboard import NONE, Wishes
from upstreamsync.forge.rules.lifecycle import Limits, Room, Situation
from upstreamsync.forge.rules.marker import find
from upstreamsync.forge.state import BaseBranch, Existing, Forge
from upstreamsync.kit.git.repository import Repository
from upstreamsync.model import Proposal


@dataclass(slots=True, kw_only=True)
class Seen:
    """What a run has seen of the forge, and what it has changed there since."""

    forge: Forge
    repository: Repository
    configuration: Configuration
    settled: dict[str, str]
    dry_run: bool
    config: str
    room: Room = field(default_factory=lambda: Room(limits=Limits()))
    pulls: dict[str, Existing] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    bases: dict[str | None, BaseBranch] = field(default_factory=dict)
    wishes: Wishes = NONE

    def look(self) -> None:
        """Read which pull requests and branches of ours there are: two requests."""
        options = self.configuration.forge
        self.pulls = {each.branch: each for each in self.forge.open_pull_requests(options.branch_prefix)}
        self.heads = dict(self.forge.branches(options.branch_prefix))
        self.room = Room(
            limits=Limits(max_open=options.max_open, max_new=options.max_new),
            open={branch: self._vendors(existing) for branch, existing in self.pulls.items()},
            apart={vendor.name: vendor.apart_from for vendor in self.configuration.vendors},
        )

    def _vendors(self, existing: Existing) -> tuple[str, ...]:
        marker = find(existing.body)
        return marker.vendors if marker is not None else (self.key_of(existing.branch),)

    def key_of(self, branch: str) -> str:
        """The vendor or group whose branch this is."""
        key = branch.removeprefix(self.configuration.forge.branch_prefix)
        names = {vendor.name for vendor in self.configuration.vendors}
        return key if key in names else key.removesuffix("-major")

    def order(self, proposal: Proposal) -> tuple[bool, tuple[int, ...], str]:
        """What is open already first, then by risk."""
        return proposal.branch not in self.pulls, proposal.risk, proposal.key

    def base_branch(self, branch: str | None) -> BaseBranch:
        """The branch named, or the default one, with its tip; asked once."""
        if branch not in self.bases:
            self.bases[branch] = self.forge.base(branch)
        return self.bases[branch]

    def situation(self, proposal: Proposal) -> Situation:
        """What decides; each question is asked only where its answer matters."""
        existing, head = self.pulls.get(proposal.branch), self.heads.get(proposal.branch)
        base = self.base_branch(proposal.base_branch)
        marker = find(existing.body) if existing is not None else None
        ours = marker is not None and head == marker.head and marker.next != head
        same = ours and marker is not None and marker.digest == proposal.digest
        return Situation(
            head=head,
            commits=tuple(self.forge.commits(base.name, proposal.branch)) if head and not ours else (),
            open=existing,
            past=() if existing else tuple(self.forge.past_pull_requests(proposal.branch)),
            conflicts=bool(existing and same and self.forge.conflicts(existing)),
            base=base.name,
            rebuild=proposal.key in self.wishes.rebuild,
            urgent=self.is_urgent(proposal),
        )

    def is_urgent(self, proposal: Proposal) -> bool:
        """Whether somebody asked for this very version, whatever else holds it back."""
        return any(self.wishes.take.get(vendor) == after for vendor, _, after in proposal.steps)
