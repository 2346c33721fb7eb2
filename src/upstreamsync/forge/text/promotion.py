"""The text of a promotion's pull request: what moves from one branch to the next, and what holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Final

from upstreamsync.config.spec import Promotion
from upstreamsync.forge.rules.marker import REBUILD
from upstreamsync.forge.rules.promotion import Choice
from upstreamsync.forge.text import cluster, stages, verdicts
from upstreamsync.forge.text.body import VISIBLE_LIMIT, Section, fit
from upstreamsync.forge.text.evidence import Upstream
from upstreamsync.forge.text.markdown import code, details, fence, plural, prose, shorten, table
from upstreamsync.kit.defuse import inert
from upstreamsync.model import BaseState, Hold, HoldKind, Judgement, Move, PromotionStep, Review, Verification

_COMMITS: Final = 40
_CUT: Final = "Too long for this page: see the full report in the run's summary, or run the commands below."


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the text tells.

    ``target`` is the tip of the target branch; ``steps`` what the merge brings, newest first; ``verification`` and
    ``review`` are None where the two branches are in conflict.
    """

    rule: Promotion
    target: str
    choice: Choice
    hold: Hold | None
    steps: tuple[PromotionStep, ...]
    moves: tuple[Move, ...]
    conflicts: tuple[str, ...] = ()
    verification: Verification | None = None
    review: Review | None = None

    @property
    def edited(self) -> tuple[BaseState, ...]:
        """Bases of the source branch that are not what their locks say."""
        return tuple(one for one in self.verification.bases if not one.sound) if self.verification else ()

    @property
    def needs_person(self) -> bool:
        """Whether somebody has to look before the merge, whatever the gate says."""
        held_up = any(stage.holds_up for stage in self.review.stages) if self.review else False
        return bool(self.conflicts) or held_up or bool(self.verification and self.verification.needs_person)


def title_of(facts: Facts) -> str:
    """``Promote main to stage: argocd 3.2.8, ingress 1.10``."""
    moved = [f"{one.vendor} {inert(one.after or 'removed')}" for one in facts.moves]
    what = ", ".join(moved) if moved else plural(len(facts.steps), "commit")
    return shorten(f"Promote {facts.rule.from_} to {facts.rule.to}: {what}", 200)


def render(facts: Facts) -> tuple[str, str]:
    """The body, cut by section to what a forge takes, and the full report."""
    report = fit(_sections(facts, depth=cluster.FULL), 10_000_000)
    return fit(_sections(facts), VISIBLE_LIMIT), report


def _sections(facts: Facts, *, depth: cluster.Depth = cluster.USUAL) -> list[Section]:
    return [
        Section(title="", forms=(_head(facts),), keep=100),
        Section(title="In conflict", forms=(_conflicts(facts),), keep=95),
        *(_judged(facts, facts.verification, facts.review, depth) if facts.verification else ()),
        Section(title="Commits", forms=(_commits(facts.steps), ""), keep=40),
        Section(title="Not in here yet", forms=(_waiting(facts), ""), keep=45),
        Section(title="", forms=(_reproduce(facts),), keep=99),
    ]


def _judged(
    facts: Facts, verification: Verification, review: Review | None, depth: cluster.Depth
) -> list[Section]:
    """The same verdicts and the same review as of an update, over both branches."""
    review = review or Review()
    items = verdicts.distinct(verification)
    urgent, unjudged = verdicts.urgent_table(items), verdicts.unjudged_table(verification)
    explained = verdicts.broken_details(items, Upstream((), lambda _: None), limit=8)
    needed = "\n\n".join(part for part in (urgent, explained) if part)
    pins, calm, dangers = (
        verdicts.pin_table(items), verdicts.calm_list(items), cluster.dangers_section(review)
    )  # fmt: skip
    objects = cluster.overlays_forms(review, depth)
    return [
        Section(title="Needs you", forms=(needed, urgent, _CUT if urgent else ""), keep=90),
        Section(title="Not judged", forms=(unjudged, _CUT if unjudged else ""), keep=85),
        Section(title="Not as upstream made it", forms=(_edited(facts),), keep=84),
        Section(title="Checks", forms=(stages.section(review), stages.table_of(review)), keep=88),
        Section(title="Dangers", forms=(dangers, _CUT if dangers else ""), keep=80),
        Section(title="Image pins", forms=(pins, _CUT if pins else ""), keep=60),
        Section(title="Images", forms=(cluster.images_section(review), ""), keep=50),
        Section(title="What changes in the cluster", forms=(*objects, _CUT if objects[0] else ""), keep=20),
        Section(title="Argo CD", forms=(cluster.applications_section(review), ""), keep=42),
        Section(title="Other customizations" if calm else "", forms=(calm, ""), keep=30),
    ]


def _head(facts: Facts) -> str:
    parts = [_held(facts)]
    if facts.verification is not None and facts.verification.needs_person:
        items = verdicts.distinct(facts.verification)
        parts.append(_warning(items, facts.verification))
    if facts.moves:
        rows = (
            (
                prose(one.vendor, cell=True),
                code(one.before, cell=True) if one.before else "–",
                code(one.after, cell=True) if one.after else "gone",
                prose(one.note, cell=True),
            )
            for one in facts.moves
        )
        names = (f"on {prose(facts.rule.to, cell=True)}", f"on {prose(facts.rule.from_, cell=True)}")
        parts.append(table(("vendor", *names, ""), rows))
    else:
        parts.append("No vendor moves: what changes is the repository's own.")
    parts.append("\n".join(_facts(facts)))
    return "\n\n".join(part for part in parts if part)


def _held(facts: Facts) -> str:
    hold = facts.hold
    if hold is None:
        return ""
    what = {
        HoldKind.AGE: "Held by age",
        HoldKind.CHECKS: "Held by its checks",
        HoldKind.CONFLICT: "In conflict",
    }[hold.by]
    kind = "NOTE" if hold.waits else "WARNING"
    return f"> [!{kind}]\n> {what}: {prose(hold.reason)}. Don't merge it yet."


def _warning(items: Sequence[Judgement], verification: Verification) -> str:
    lines = ["> [!WARNING]"]
    if count := sum(map(verdicts.is_urgent, items)):
        lines.append(f"> {plural(count, 'customization')} to look at before this is merged.")
    if verification.unjudged:
        lines.append(f"> {plural(len(verification.unjudged), 'customization')} could not be judged.")
    if any(not one.sound for one in verification.bases):
        lines.append("> A base is not what its lock says.")
    return "\n".join(lines) if len(lines) > 1 else ""


def _facts(facts: Facts) -> list[str]:
    rule, choice = facts.rule, facts.choice
    since = f"{choice.step.arrived:%Y-%m-%d %H:%M} UTC"
    lines = [
        f"- **Commit**: {code(choice.step.commit[:12])} of {code(rule.from_)}, there since {since}",
        f"- **Checks on it**: {_checks(choice, rule)}",
    ]
    if facts.verification is not None:
        review = facts.review or Review()
        dangers = cluster.dangers_of(review)
        lines += [
            f"- **Customizations**: {verdicts.counted(verdicts.distinct(facts.verification))}",
            f"- **Cluster**: {cluster.totals(review)}",
            f"- **Dangers**: {len(dangers) or 'none found'}",
            f"- **Verified**: {prose(verdicts.verified(facts.verification))}",
        ]
    lines.append(
        "- **Merging** is for a person; by a merge commit, so that the branches keep their common history"
    )
    return lines


def _checks(choice: Choice, rule: Promotion) -> str:
    if choice.checks is None:
        return "not looked at: this forge has none"
    if rule.checks is not None and not rule.checks:
        return "none is asked for"
    if not choice.checks:
        return "there are none"
    return ", ".join(f"{code(one.name)} {one.state}" for one in sorted(choice.checks, key=lambda c: c.name))


def _conflicts(facts: Facts) -> str:
    if not facts.conflicts:
        return ""
    listed = "\n".join(f"- {code(path)}" for path in facts.conflicts[:_COMMITS])
    more = len(facts.conflicts) - _COMMITS
    return (
        f"{code(facts.rule.from_)} and {code(facts.rule.to)} changed the same lines of:\n\n{listed}"
        + (f"\n- … {more} more" if more > 0 else "")
        + f"\n\nNothing was judged: what the merge gives is not known. Merge {code(facts.rule.to)} into"
        f" {code(facts.rule.from_)}, or resolve it in this pull request; its branch is then yours and left alone."
        " Was the last promotion squashed? Then the branches lost their common history: use merge commits."
    )


def _edited(facts: Facts) -> str:
    return "\n".join(f"- {code(one.path)} ({prose(one.vendor)}): {prose(one.why)}" for one in facts.edited)


def _commits(steps: Sequence[PromotionStep]) -> str:
    lines = [
        f"- {code(one.commit[:12])} {prose(shorten(one.subject, 120))} ({prose(one.author)})"
        for one in steps[:_COMMITS]
    ]
    if len(steps) > _COMMITS:
        lines.append(f"- … {len(steps) - _COMMITS} more")
    listed = "\n".join(lines)
    return listed if len(lines) <= 6 else details(plural(len(steps), "commit"), listed)


def _waiting(facts: Facts) -> str:
    waiting = facts.choice.waiting
    if not waiting:
        return ""
    first = waiting[-1]
    return (
        f"{plural(len(waiting), 'newer commit')} of {code(facts.rule.from_)}"
        f" {'waits' if len(waiting) == 1 else 'wait'}, the first of them"
        f" {code(first.commit[:12])} {prose(shorten(first.subject, 120))}."
    )


def _reproduce(facts: Facts) -> str:
    rule, commit = facts.rule, facts.choice.step.commit
    commands = "\n".join(
        (
            f"git fetch origin {quote(rule.from_)} {quote(rule.to)}",
            f"git switch --detach {quote(f'origin/{rule.to}')}",
            f"git merge --no-ff --no-commit {commit}",
            f"upstreamsync verify --since {quote(f'origin/{rule.to}')}",
        )
    )
    box = f"- [ ] {REBUILD} Set this branch to the source's commit again (drops commits by others)"
    return f"{details('Reproduce this on your machine', fence(commands, 'sh'))}\n\n{box}"
