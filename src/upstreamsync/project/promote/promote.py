"""Two branches → one pull request: the commit that may go on, both trees judged and reviewed, and its text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from upstreamsync.config import Configuration
from upstreamsync.config.spec import Promotion
from upstreamsync.errors import NotThere, RepositoryError, UpstreamsyncError, UsageError
from upstreamsync.forge import Forge
from upstreamsync.forge.promotion import (
    build_promotion,
    close_promotion,
    for_promotions,
    key_of,
    submit_promotion,
)
from upstreamsync.forge.rules.promotion import Choice, Gate, choose
from upstreamsync.forge.state import Checking
from upstreamsync.forge.text.promotion import Facts
from upstreamsync.kit.git.merging import Arrival, arrivals, merged
from upstreamsync.kit.git.repository import Repository
from upstreamsync.model import (
    Action,
    Failure,
    Hold,
    HoldKind,
    Promoted,
    PromotionStep,
    Proposal,
    PullRequest,
)
from upstreamsync.project.failures import guarded
from upstreamsync.project.forges import forge_of
from upstreamsync.project.promote.moves import moves_between
from upstreamsync.project.propose.reviewing import review_trees
from upstreamsync.project.session import Session, open_session
from upstreamsync.project.verify.verification import verify_branches


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteOptions:
    """Which promotions, and how. Without ``source`` and ``target``: all that vendors.yaml declares.

    ``soak`` in place of the declared one; ``forge`` as for ``pr``. ``dry_run`` leaves no trace.
    """

    source: str | None = None
    target: str | None = None
    soak: timedelta | None = None
    forge: str | Forge | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotions:
    """What became of a run, and what the user should be told."""

    promoted: tuple[Promoted, ...]
    remarks: tuple[str, ...] = ()


def promote(session: Session, options: PromoteOptions | None = None) -> Promotions:
    """Keep a pull request open for each promotion; nothing is ever merged.

    Raises UsageError where none is named or declared, or the forge can't tell which checks a commit has.
    """
    options = options or PromoteOptions()
    rules = _rules(session.configuration, options)
    repository = Repository.open(session.root)
    configuration = for_promotions(session.configuration)
    forge = forge_of(session, repository, options.forge, configuration)
    if not isinstance(forge, Checking):
        raise UsageError(
            "this forge can't promote: it does not say which checks a commit has",
            hint="`promote` works with github and local; a forge of your own needs a method `checks`",
        )
    done = []
    remarks: dict[str, None] = {}
    for rule in rules:
        one = _Promoting(session, repository, configuration, forge, forge, rule, options.dry_run)
        outcome = guarded(one.run)
        done.append(_failed(rule, outcome) if isinstance(outcome, Failure) else outcome)
        remarks |= dict.fromkeys(forge.remarks)
    return Promotions(promoted=tuple(done), remarks=tuple(remarks))


def _rules(configuration: Configuration, options: PromoteOptions) -> list[Promotion]:
    source, target, declared = options.source, options.target, configuration.promotions
    if (source is None) != (target is None):
        raise UsageError("a promotion goes from one branch to another", hint="give both --from and --to")
    if source is None or target is None:
        if not declared:
            raise UsageError(
                "no promotion is named or declared",
                hint="`promote --from main --to stage`, or `promote:` in vendors.yaml",
            )
        rules = list(declared)
    else:
        named = [one for one in declared if (one.from_, one.to) == (source, target)]
        rules = named or [Promotion.model_validate({"from": source, "to": target})]
    if same := [one.to for one in rules if one.from_ == one.to]:
        raise UsageError(
            f"`{same[0]}` can't be promoted to itself", hint="`--from` and `--to` name two branches"
        )
    return [
        one.model_copy(update={"soak": options.soak}) if options.soak is not None else one for one in rules
    ]


def _failed(rule: Promotion, error: Failure) -> Promoted:
    return Promoted(
        source=rule.from_, target=rule.to, action=Action.FAILED, reason=error.message, error=error
    )


@dataclass(frozen=True, slots=True)
class _Promoting:
    """One promotion, from the look at both branches to the pull request."""

    session: Session
    repository: Repository
    configuration: Configuration
    forge: Forge
    checking: Checking
    rule: Promotion
    dry_run: bool

    def run(self) -> Promoted:
        """Do it."""
        source, target = self._tip(self.rule.from_), self._tip(self.rule.to)
        if self.repository.is_shallow:
            raise RepositoryError(
                "this clone is shallow: what one branch has and the other has not can't be told",
                hint="`fetch-depth: 0` for actions/checkout, or `git fetch --unshallow`",
            )
        steps = tuple(map(_step, arrivals(self.repository, target, source)))
        if not steps:
            return self._nothing(f"{self.rule.to} has all of {self.rule.from_}")
        now = self.session.connections.now
        gate = Gate(soak=self.rule.soak, checks=self.rule.checks, now=now)
        choice = choose(steps, gate, self.checking.checks)
        merge = merged(self.repository, target, choice.step.commit)
        if merge.tree is not None and merge.tree == self.repository.resolve(target, kind="tree"):
            return self._nothing(f"merging it would change no file of {self.rule.to}")
        facts = Facts(
            rule=self.rule,
            target=target,
            choice=choice,
            hold=_hold(choice, merge.conflicts),
            steps=steps[len(choice.waiting) :],
            moves=(),
            conflicts=merge.conflicts,
        )
        if merge.tree is not None:
            facts = self._judged(facts, target, merge.tree)
        return self._submitted(facts)

    def _tip(self, branch: str) -> str:
        try:
            return self.forge.base(branch).commit
        except NotThere:
            raise NotThere(f"there is no branch `{branch}`", hint="create it, and push it first") from None
        except UpstreamsyncError as error:
            hint = f"is there a branch `{branch}`? {error.hint or ''}".strip()
            raise RepositoryError(
                f"the branch `{branch}` can't be read: {error.message}", hint=hint
            ) from None

    def _judged(self, facts: Facts, target: str, tree: str) -> Facts:
        """With what the merge moves, and what judge and review say of it."""
        with self._laid_out(target, tree) as (before, there):
            moves = moves_between(before, there.configuration)
            bases = [base for vendor in there.configuration.vendors for base in vendor.bases]
            verification = verify_branches(there, before)
            verification, review = review_trees(there, before, there.root, verification, bases)
        return replace(facts, moves=moves, verification=verification, review=review)

    @contextmanager
    def _laid_out(self, target: str, tree: str) -> Iterator[tuple[Path, Session]]:
        """The target branch as it is, and as it would be, in folders of their own."""
        root, top = self.session.root.resolve(), self.repository.root.resolve()
        prefix = root.relative_to(top).as_posix()
        below = None if prefix == "." else [prefix]
        with TemporaryDirectory(prefix="upstreamsync-promote-") as folder:
            before, after = Path(folder) / "before", Path(folder) / "after"
            for place, revision in ((before, target), (after, tree)):
                place.mkdir()
                self.repository.export(revision, place, below)
            (before / prefix).mkdir(parents=True, exist_ok=True)
            file = after / prefix / self.session.configuration.path.name
            if not file.is_file():
                raise RepositoryError(
                    f"the branch {self.rule.from_} has no {file.name}", hint="commit and push it first"
                )
            with open_session(file, self.session.settings, self.session.kinds) as there:
                yield before / prefix, there

    def _submitted(self, facts: Facts) -> Promoted:
        proposal = build_promotion(facts, self.configuration)
        with nullcontext() if self.dry_run else self.repository.lock():
            outcome = submit_promotion(
                proposal,
                source=self.rule.from_,
                forge=self.forge,
                repository=self.repository,
                configuration=self.configuration,
                dry_run=self.dry_run,
            )
        return _promoted(facts, proposal, outcome.pull_requests[0])

    def _nothing(self, reason: str) -> Promoted:
        """Nothing to promote: a pull request that is still open is closed."""
        branch = f"{self.configuration.forge.branch_prefix}{key_of(self.rule.from_, self.rule.to)}"
        closed = close_promotion(
            branch,
            reason,
            source=self.rule.from_,
            forge=self.forge,
            repository=self.repository,
            configuration=self.configuration,
            dry_run=self.dry_run,
        )
        return Promoted(
            source=self.rule.from_,
            target=self.rule.to,
            action=closed.action if closed is not None else Action.UNCHANGED,
            reason=closed.reason if closed is not None else reason,
            branch=branch,
            number=closed.number if closed is not None else None,
            url=closed.url if closed is not None else None,
        )


def _step(arrival: Arrival) -> PromotionStep:
    return PromotionStep(
        commit=arrival.commit,
        subject=arrival.subject,
        author=arrival.author,
        arrived=datetime.fromtimestamp(arrival.time, UTC),
    )


def _hold(choice: Choice, conflicts: Sequence[str]) -> Hold | None:
    """A conflict comes first: no waiting ends it."""
    if not conflicts:
        return choice.hold
    count = f"{len(conflicts)} file{'s' if len(conflicts) > 1 else ''}"
    return Hold(by=HoldKind.CONFLICT, reason=f"both branches changed the same lines of {count}")


def _promoted(facts: Facts, proposal: Proposal, done: PullRequest) -> Promoted:
    return Promoted(
        source=facts.rule.from_,
        target=facts.rule.to,
        action=done.action,
        commit=facts.choice.step.commit,
        reason=done.reason,
        hold=facts.hold,
        branch=proposal.branch,
        title=proposal.title,
        number=done.number,
        url=done.url,
        draft=proposal.draft,
        body=proposal.body,
        report=proposal.report,
        moves=facts.moves,
        waiting=facts.choice.waiting,
        unjudged=proposal.unjudged,
        crashes=proposal.crashes,
        error=done.error,
    )
