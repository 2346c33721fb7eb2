"""Each command's result → its page. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shlex import quote

from upstreamsync.model import Finding, Inspection, PullRequest, VendorUpdate, Verdict
from upstreamsync.report.page import overview
from upstreamsync.report.page.of_verification import (
    Texts,
    dangers_of,
    findings_of,
    images_of,
    overlays_of,
    problems_of,
    unjudged_of,
)
from upstreamsync.report.page.values import Page, VendorRow

_NEEDS = ("broken", "silent-break", "review")


def page_of_check(findings: Sequence[Finding]) -> Page:
    """``check``: the vendors alone."""
    rows = overview.worst_first(map(overview.of_finding, findings))
    return Page(
        command="check",
        title="What upstream offers",
        summary=tuple(_of_vendors(rows)),
        vendors=rows,
        reproduce=_commands("check", [finding.vendor for finding in findings]),
    )


def page_of_verification(
    inspection: Inspection, *, versions: Iterable[tuple[str, str]] = (), reproduce: str
) -> Page:
    """``verify``; ``versions`` are the vendors of vendors.yaml, ``reproduce`` the command that was run."""
    vendors = overview.of_bases(versions, inspection.verification.bases)
    return _page("verify", "What became of the customizations", vendors, [inspection], reproduce)


def page_of_updates(
    updates: Sequence[VendorUpdate], inspection: Inspection | None, *, dry_run: bool = False
) -> Page:
    """``update``; ``inspection`` is of all changes together, None where there are none."""
    vendors = tuple(overview.of_update(one, dry_run=dry_run) for one in updates)
    title = "What the update would do" if dry_run else "What the update does"
    moved = [(one.vendor, one.after) for one in updates if one.status in ("updated", "added")]
    commands = "".join(
        f"upstreamsync update {quote(vendor)} --to {quote(version)}\n" for vendor, version in moved
    )
    shown = [inspection] if inspection is not None else []
    return _page("update", title, vendors, shown, commands + "upstreamsync verify\n")


def page_of_pull_requests(
    pull_requests: Sequence[PullRequest],
    findings: Sequence[Finding],
    inspections: Sequence[Inspection],
    *,
    dry_run: bool = False,
) -> Page:
    """``pr``; each inspection is of one proposal, and named after it."""
    known = {finding.vendor: overview.of_finding(finding) for finding in findings}
    rows = [overview.of_pull_request(one, known, dry_run=dry_run) for one in pull_requests]
    named = {row.name for row in rows}
    rows += [row for name, row in known.items() if name not in named]
    branches = dict.fromkeys(one.branch for one in pull_requests if one.branch)
    commands = "".join(
        f"git fetch origin {quote(branch)} && git switch --detach FETCH_HEAD && "
        "upstreamsync verify --since HEAD~1\n"
        for branch in branches
    )
    title = "What would be proposed" if dry_run else "What is proposed"
    return _page("pr", title, tuple(rows), inspections, "" if dry_run else commands)


def _page(
    command: str,
    title: str,
    vendors: tuple[VendorRow, ...],
    inspections: Sequence[Inspection],
    reproduce: str,
) -> Page:
    vendors = overview.worst_first(vendors)
    texts = Texts()
    findings = findings_of(inspections, texts)
    overlays = overlays_of(inspections, texts)
    problems, unjudged = problems_of(inspections), unjudged_of(inspections)
    dangers, images = dangers_of(inspections), images_of(inspections)
    well = {
        item.item
        for inspection in inspections
        for item in inspection.verification.items
        if item.verdict is Verdict.OK
    }
    objects = {one.name for overlay in overlays for one in overlay.objects}
    needed = sum(one.severity in _NEEDS and not one.before for one in findings)
    summary = [
        (len(problems), "does not build or is not as it should be", "problems", "bad"),
        (
            needed,
            "to look at" if needed else "findings that need a person",
            "findings",
            "bad" if needed else "good",
        ),
        (len(findings) - needed, "to know about", "findings", "wait"),
        (len(well), "customization ok" if len(well) == 1 else "customizations ok", "objects", "good"),
        (len(unjudged), "not judged", "unjudged", "wait"),
        (len(dangers), "danger" if len(dangers) == 1 else "dangers", "dangers", "wait"),
        (len(objects), "object changes" if len(objects) == 1 else "objects change", "objects", "new"),
        (len(images), "image moves" if len(images) == 1 else "images move", "images", "new"),
    ]
    return Page(
        command=command,
        title=title,
        summary=(
            *(one for one in summary if one[0] or (one[2] == "findings" and one[3] == "good")),
            *_of_vendors(vendors),
        ),
        engine=next((one.verification.engine for one in inspections if one.verification.engine), ""),
        vendors=vendors,
        findings=findings,
        well=len(well),
        problems=problems,
        overlays=overlays,
        images=images,
        dangers=dangers,
        unjudged=unjudged,
        reproduce=reproduce,
        texts=texts.all,
    )


def _of_vendors(rows: Sequence[VendorRow]) -> list[tuple[int, str, str, str]]:
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        counts[row.state, row.tone] = counts.get((row.state, row.tone), 0) + 1
    return [(number, state, "vendors", tone) for (state, tone), number in counts.items()]


def _commands(verb: str, names: Iterable[str]) -> str:
    return " ".join(["upstreamsync", verb, *map(quote, names)]) + "\n"
