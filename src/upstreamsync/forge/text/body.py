"""The text of a pull request: short enough to read in a minute, complete enough to decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from upstreamsync.forge.rules.marker import REBUILD
from upstreamsync.forge.text import cluster, stages, verdicts
from upstreamsync.forge.text.evidence import Upstream
from upstreamsync.forge.text.links import Links
from upstreamsync.forge.text.markdown import (
    LINKED,
    anchor,
    code,
    details,
    fence,
    link,
    plural,
    prose,
    summary_text,
    table,
    to_section,
)
from upstreamsync.kit.defuse import quoted_notes
from upstreamsync.model import Change, Judgement, Review, Verification

#: Leaves room for the marker, a note about a person's commits, and people's own words.
VISIBLE_LIMIT: Final = 60_000
_NOTES_LIMIT: Final = 12_000
#: So many overlays with the same error are named.
_OVERLAYS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the text, from its fullest form to its shortest; ``keep`` the higher, the later cut."""

    title: str
    forms: tuple[str, ...]
    keep: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the body tells."""

    changes: tuple[Change, ...]
    links: tuple[Links, ...]
    verification: Verification
    review: Review
    upstream: Upstream
    commands: str


def render(facts: Facts) -> tuple[str, str]:
    """The body, cut by section to what a forge takes, and the full report."""
    sections = _sections(facts)
    full = _sections(facts, depth=cluster.FULL, notes=1_000_000, broken=10_000)
    report = _join((section.title, section.forms[0]) for section in full)
    return fit(sections, VISIBLE_LIMIT), report


def fit(sections: Sequence[Section], limit: int) -> str:
    """Join the sections; while the text is too long, the least important one takes its next shorter form."""
    chosen = [0] * len(sections)
    while True:
        text = _join(
            (section.title, section.forms[form]) for section, form in zip(sections, chosen, strict=True)
        )
        if len(text) <= limit:
            return text
        open_to_cuts = [
            index for index, section in enumerate(sections) if chosen[index] + 1 < len(section.forms)
        ]
        if not open_to_cuts:
            return text[: limit - 1] + "…"
        chosen[min(open_to_cuts, key=lambda index: (sections[index].keep, index))] += 1


def _join(parts: Iterable[tuple[str, str]]) -> str:
    """The sections below their titles; a count leads to its section, as long as that is there."""
    given = [(title, text) for title, text in parts if text]
    there = {anchor(title) for title, _ in given if title}
    given = [
        (title, LINKED.sub(lambda match: match[0] if match[2] in there else match[1], text))
        for title, text in given
    ]
    wanted = {match[2] for _, text in given for match in LINKED.finditer(text)}
    named = {name: f'<a name="{name}"></a>\n\n' for name in wanted}
    return (
        "\n\n".join(
            f"{named.get(anchor(title), '')}### {title}\n\n{text}" if title else text for title, text in given
        )
        + "\n"
    )


_CUT: Final = "Too long for this page: see the full report in the run's summary, or run the commands below."


def _sections(
    facts: Facts,
    *,
    depth: cluster.Depth = cluster.USUAL,
    notes: int = _NOTES_LIMIT,
    broken: int = 8,
) -> list[Section]:
    items = verdicts.distinct(facts.verification)
    urgent, unjudged = verdicts.urgent_table(items), verdicts.unjudged_table(facts.verification)
    explained = verdicts.broken_details(items, facts.upstream, limit=broken)
    pins, calm = verdicts.pin_table(items), verdicts.calm_list(items)
    objects = cluster.overlays_forms(facts.review, depth)
    dangers = cluster.dangers_section(facts.review)
    head = _summary(facts, items)
    remarks = "\n".join(_remark(note) for change in facts.changes for note in change.notes)
    needed = "\n\n".join(part for part in (urgent, explained) if part)
    return [
        Section(title="", forms=(head,), keep=100),
        Section(title="Needs you", forms=(needed, urgent, _CUT if urgent else ""), keep=90),
        Section(title="Does not build", forms=(_builds(facts.verification),), keep=95),
        Section(title="Not judged", forms=(unjudged, _CUT if unjudged else ""), keep=85),
        Section(title="Checks", forms=(stages.section(facts.review), stages.table_of(facts.review)), keep=88),
        Section(title="Image pins", forms=(pins, _CUT if pins else ""), keep=60),
        Section(title="To look at by hand", forms=(remarks, _CUT if remarks else ""), keep=70),
        Section(title="Dangers", forms=(dangers, _CUT if dangers else ""), keep=80),
        Section(title="Images", forms=(cluster.images_section(facts.review), ""), keep=50),
        Section(title="What changes in the cluster", forms=(*objects, _CUT if objects[0] else ""), keep=20),
        Section(title="Argo CD", forms=(cluster.applications_section(facts.review), ""), keep=40),
        Section(title="Other customizations" if calm else "", forms=(calm, ""), keep=30),
        Section(title="", forms=(_notes(facts, notes), _notes(facts, 2_000), ""), keep=10),
        Section(title="", forms=(_reproduce(facts),), keep=99),
    ]


def _remark(note: str) -> str:
    """A remark as an item of a list; what stands below its first line is a diff."""
    first, _, diff = note.partition("\n")
    return f"- {prose(first)}\n\n{fence(diff, 'diff')}\n" if diff else f"- {prose(first)}"


def _summary(facts: Facts, items: Sequence[Judgement]) -> str:
    rows = [
        (prose(change.vendor, cell=True), _step(change), _links(links))
        for change, links in zip(facts.changes, facts.links, strict=True)
    ]
    top = table(("vendor", "version", "upstream"), rows)
    dangers = cluster.dangers_of(facts.review)
    lines = [
        f"- **Customizations**: {verdicts.linked(items)}",
        f"- **Cluster**: {_cluster(facts)}",
        f"- **Dangers**: {to_section(str(len(dangers)), 'Dangers') if dangers else 'none found'}",
        f"- **Verified**: {prose(verdicts.verified(facts.verification))}",
    ]
    if facts.review.stages:
        lines.append(f"- **Checks**: {to_section(stages.counted(facts.review), 'Checks')}")
    if edits := _edits(facts.changes):
        lines.append(edits)
    warning = ""
    if facts.verification.needs_person:
        warning = _warning(facts.verification, items)
    if held := [stage.name for stage in facts.review.stages if stage.holds_up]:
        asked = f"> [!WARNING]\n> Required, and not passed: {', '.join(map(code, held))}. See Checks below."
        warning = "\n\n".join(part for part in (warning, asked) if part)
    if gone := [one for change in facts.changes for one in change.shrunk]:
        bases = "; ".join(f"{code(one.base)}: {one}" for one in gone)
        warning = "\n\n".join(
            part for part in (warning, f"> [!CAUTION]\n> Most objects of a base are gone: {bases}.") if part
        )
    return "\n\n".join(part for part in (warning, top, "\n".join(lines)) if part)


def _warning(verification: Verification, items: Sequence[Judgement]) -> str:
    urgent, unjudged = sum(map(verdicts.is_urgent, items)), len(verification.unjudged)
    lines = []
    if urgent or not unjudged:
        lines.append(
            f"> {plural(urgent, 'customization')} {'needs' if urgent == 1 else 'need'} a person"
            " before this is merged."
        )
    if unjudged:
        lines.append(f"> {plural(unjudged, 'customization')} could not be judged: see below.")
    return "\n".join(["> [!WARNING]", *lines])


def _step(change: Change) -> str:
    after = code(change.after, cell=True)
    if change.release is not None and change.release.beside:
        after += f" ({prose(change.release.beside, cell=True)})"
    return after if change.before == change.after else f"{code(change.before, cell=True)} → {after}"


def _links(links: Links) -> str:
    named = (("release", links.release), ("compare", links.compare))
    return " · ".join(link(name, url) for name, url in named if url) or "–"


def _edits(changes: Sequence[Change]) -> str:
    made = [edit for change in changes for edit in change.edits]
    if not made:
        return ""
    listed = [
        f"{code(edit.place.file)} {code(edit.what)} {code(edit.before)} → {code(edit.after)}" for edit in made
    ]
    if len(listed) <= 3:
        return f"- **Local edits** (second commit): {'; '.join(listed)}"
    folded = details(f"{len(listed)} local edits (second commit)", "\n".join(f"- {text}" for text in listed))
    return f"\n{folded}"


def _builds(verification: Verification) -> str:
    """What kustomize says, each error once with all overlays that it keeps from being built."""
    found: dict[tuple[str, str], list[str]] = {}
    for overlay in verification.overlays:
        if not overlay.after.ok:
            before = " (nor did it before)" if not overlay.before.ok else ""
            error = (overlay.after.error or "kustomize said nothing")[:3000]
            found.setdefault((error, before), []).append(overlay.path)
    parts = []
    for (error, before), paths in found.items():
        names = ", ".join(f"<code>{summary_text(path)}</code>" for path in paths[:_OVERLAYS])
        more = f" and {len(paths) - _OVERLAYS} more" if len(paths) > _OVERLAYS else ""
        parts.append(details(f"{names}{more}{before}", fence(error)))
    return "\n".join(parts)


def _cluster(facts: Facts) -> str:
    moved = {image for overlay in facts.review.overlays for image in overlay.images}
    if not facts.review.overlays and any(not overlay.after.ok for overlay in facts.verification.overlays):
        return "unknown while it does not build"
    images = f"; {to_section(plural(len(moved), 'image'), 'Images')}" if moved else ""
    return f"{to_section(cluster.totals(facts.review), 'What changes in the cluster')}{images}"


def _notes(facts: Facts, limit: int) -> str:
    parts = []
    for change, links in zip(facts.changes, facts.links, strict=True):
        if change.release is None or not (change.release.notes or "").strip():
            continue
        quote, cut = quoted_notes(change.release.notes or "", limit=limit)
        where = links.release or links.compare
        if cut:
            quote += "\n\n" + (f"The rest: {link('release page', where)}" if where else "Cut here.")
        title = f"Release notes of {prose(change.vendor)} <code>{summary_text(change.after)}</code>"
        parts.append(details(title, quote))
    return "\n".join(parts)


def _reproduce(facts: Facts) -> str:
    box = f"- [ ] {REBUILD} Rebuild this branch from the tip of its base (drops commits by others)"
    return f"{details('Reproduce this on your machine', fence(facts.commands, 'sh'))}\n\n{box}"
