"""How a good guest behaves: from a proposal and what the forge has, what to do and why. Pure.

The sentences of docs/pull-requests.md, in the order in which they are asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from upstreamsync.forge.rules.marker import CONFIG, Marker, find, rebuild_ticked, text_hash
from upstreamsync.forge.rules.risk import major_of
from upstreamsync.forge.state import REBUILD_LABEL, BranchCommit, Existing, Stage
from upstreamsync.model import Proposal

#: Why a proposal is refreshed although it moves nothing further.
SAME_VERSION: Final = "the same version gives another result"


class Verb(StrEnum):
    """What to do with a proposal."""

    OPEN = "open"
    UPDATE = "update"
    EDIT = "edit"
    KEEP = "keep"
    SKIP = "skip"
    YIELD = "yield"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verb and its reason; ``push`` whether the branch gets new commits."""

    verb: Verb
    reason: str
    push: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the forge has for one branch.

    ``head`` is the branch's tip, None without a branch; ``commits`` those that the base branch has not.
    ``past`` are closed and merged pull requests, newest first. ``base`` is the branch to go to. ``rebuild`` and
    ``urgent`` say what somebody asked for elsewhere than in the pull request.
    """

    head: str | None = None
    commits: tuple[BranchCommit, ...] = ()
    open: Existing | None = None
    past: tuple[Existing, ...] = ()
    conflicts: bool = False
    base: str = ""
    rebuild: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """A person's hand on a branch of ours; ``who`` is a name, empty when nobody can be named."""

    who: str = ""

    def __str__(self) -> str:
        return f"commits by {self.who}" if self.who else "a head that upstreamsync did not push"


def decide(proposal: Proposal, situation: Situation, *, bot_email: str, config: str = CONFIG) -> Decision:
    """What to do for ``proposal``, which comes from the vendors.yaml at ``config``."""
    if situation.open is not None:
        marker = find(situation.open.body)
        if marker is not None and marker.config != config:
            foreign = f"{proposal.branch} belongs to {marker.config}; set another forge.branch_prefix"
            return Decision(verb=Verb.SKIP, reason=foreign)
        return _decide_open(proposal, situation, situation.open, bot_email)
    if not situation.urgent and (reason := _ended(proposal, situation.past)):
        return Decision(verb=Verb.SKIP, reason=reason)
    if situation.head is not None:
        if touch := touched(situation, None, bot_email):
            text = f"branch {proposal.branch} has {touch} and no pull request; delete or rename it to go on"
            return Decision(verb=Verb.SKIP, reason=text)
        if situation.commits and situation.commits[-1].result == proposal.digest:
            return Decision(verb=Verb.OPEN, reason="the branch was pushed by an earlier run")
    return Decision(verb=Verb.OPEN, reason="new", push=True)


def _decide_open(proposal: Proposal, situation: Situation, existing: Existing, bot_email: str) -> Decision:
    marker = find(existing.body)
    if situation.rebuild or rebuild_ticked(existing.body) or REBUILD_LABEL in existing.labels:
        return Decision(verb=Verb.UPDATE, reason="a rebuild was asked for", push=True)
    if touch := touched(situation, marker, bot_email):
        return Decision(verb=Verb.YIELD, reason=f"the branch has {touch}; it is left alone")
    if marker is None:
        same = bool(situation.commits) and situation.commits[-1].result == proposal.digest
        return Decision(verb=Verb.UPDATE, reason="its description had lost the marker", push=not same)
    if marker.digest != proposal.digest or marker.next == situation.head:
        # A cut run may have pushed already what we would push now.
        pushed = bool(situation.commits) and situation.commits[-1].result == proposal.digest
        return Decision(verb=Verb.UPDATE, reason=_news(proposal, marker), push=not pushed)
    if situation.conflicts:
        return Decision(verb=Verb.UPDATE, reason="it was in conflict with the base branch", push=True)
    if marker.body != text_hash(proposal.body) or situation.base != existing.base:
        return Decision(verb=Verb.EDIT, reason="only the description changed")
    return Decision(verb=Verb.KEEP, reason="nothing changed")


def _news(proposal: Proposal, marker: Marker) -> str:
    before = {vendor: after for vendor, _, after in marker.steps}
    moved = [f"{vendor} {after}" for vendor, _, after in proposal.steps if before.get(vendor) != after]
    return f"now {', '.join(moved)}" if moved else SAME_VERSION


def touched(situation: Situation, marker: Marker | None, bot_email: str) -> Touch | None:
    """Whether a person's work is on the branch.

    With a marker: any head but the one that we pushed, or were about to push. Without one (cut between
    push and pull request): any commit that is not by us, or a head that does not complete a branch.
    """
    if situation.head is None:
        return None
    if marker is not None and situation.head in (marker.head, marker.next):
        return None
    for commit in reversed(situation.commits):
        if commit.author_email != bot_email or commit.committer_email != bot_email:
            return Touch(who=commit.author)
    complete = bool(situation.commits) and situation.commits[-1].result is not None
    return None if marker is None and (complete or not situation.commits) else Touch()


def _ended(proposal: Proposal, past: Sequence[Existing]) -> str | None:
    """Why a pull request that is over forbids a new one; remembered by the pull requests themselves."""
    for existing in past:
        marker = find(existing.body)
        if existing.stage is Stage.MERGED:
            if marker is not None and marker.digest == proposal.digest:
                return f"#{existing.number} brought this and was merged"
            continue
        if (marker is not None and marker.closed is not None) or rebuild_ticked(existing.body):
            continue
        if muted := _mutes(existing, marker, proposal):
            return muted
    return None


def _mutes(existing: Existing, marker: Marker | None, proposal: Proposal) -> str | None:
    way_out = "tick the box in its description to have it again"
    if marker is None:
        # Somebody emptied the description; the title is all that is left to know the version by.
        named = all(after in existing.title.split() for _, _, after in proposal.steps)
        return f"#{existing.number} was closed without merging" if named else None
    old, new = _targets(marker.steps), _targets(proposal.steps)
    if old == new:
        return f"#{existing.number} for this version was closed without merging; {way_out}"
    if proposal.major and _majors(old) == _majors(new) and _was_major(marker):
        return f"#{existing.number} for this major version was closed without merging; {way_out}"
    return None


def _targets(steps: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    return {vendor: after for vendor, _, after in steps}


def _majors(targets: Mapping[str, str]) -> dict[str, int | None]:
    return {vendor: major_of(version) for vendor, version in targets.items()}


def _was_major(marker: Marker) -> bool:
    return any(major_of(before) != major_of(after) for _, before, after in marker.steps)


# -- several proposals in one run --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may be open at once, and how much one run may open; None for no limit."""

    max_open: int | None = None
    max_new: int | None = None


@dataclass(slots=True, kw_only=True)
class Room:
    """What is open while a run goes on; it is asked before each new pull request."""

    limits: Limits
    open: dict[str, tuple[str, ...]] = field(default_factory=dict)
    apart: dict[str, tuple[str, ...]] = field(default_factory=dict)
    new: int = 0

    def refuse(self, proposal: Proposal) -> str | None:
        """Why this one has to wait; None when it may be opened."""
        for branch, vendors in sorted(self.open.items()):
            if branch != proposal.branch and (rival := self._rival(proposal, vendors)):
                return f"held back: {rival} has a pull request open, and they must not move together"
        if self.limits.max_new is not None and self.new >= self.limits.max_new:
            return f"held back: this run has opened {self.new} (forge.max_new)"
        if self.limits.max_open is not None and len(self.open) >= self.limits.max_open:
            return f"held back: {len(self.open)} are open (forge.max_open)"
        return None

    def _rival(self, proposal: Proposal, vendors: Collection[str]) -> str | None:
        for vendor in sorted(set(vendors) - set(proposal.vendors)):
            if vendor in proposal.apart_from or set(self.apart.get(vendor, ())) & set(proposal.vendors):
                return vendor
        return None

    def take(self, proposal: Proposal) -> None:
        """Count a pull request that was opened."""
        self.open[proposal.branch] = proposal.vendors
        self.new += 1


def no_longer_needed(
    existing: Existing,
    proposals: Sequence[Proposal],
    settled: Mapping[str, str],
    configured: Collection[str],
    config: str = CONFIG,
) -> str | None:
    """Why an open pull request of ours may go; None when it stays, or when that can't be known.

    ``settled`` maps vendors that were looked at without error to the version that they are at.
    """
    marker = find(existing.body)
    if marker is None or any(proposal.branch == existing.branch for proposal in proposals):
        return None
    if marker.config != config:
        return None  # another vendors.yaml of this repository answers for it
    reasons = []
    for vendor, _, after in marker.steps:
        carrier = next((proposal for proposal in proposals if vendor in proposal.vendors), None)
        if carrier is not None:
            reasons.append(f"{vendor} now travels on {carrier.branch}")
        elif vendor not in configured:
            reasons.append(f"{vendor} is no longer configured")
        elif vendor not in settled:
            return None
        elif settled[vendor] == after:
            reasons.append(f"{vendor} is at {after} already")
        else:
            reasons.append(
                f"{vendor} stays at {settled[vendor]}; {after} is no longer what it should move to"
            )
    return "; ".join(reasons)
