"""What a terminal shows in five situations, as files that a person can read.

Set UPDATE_GOLDEN=1 to write them anew, and read the difference before committing it. golden/before has what the
same results looked like when every item of every overlay was listed; nothing reads it but people.
"""

from __future__ import annotations

import io
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from upstreamsync.model import (
    Action,
    Build,
    Edited,
    Failure,
    Finding,
    Judgement,
    LeftOut,
    OverlayVerification,
    PassedOver,
    Place,
    PullRequest,
    Release,
    Severity,
    Status,
    VendorUpdate,
    Verdict,
    Verification,
)
from upstreamsync.report import text

GOLDEN = Path(__file__).parent / "golden"
MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)
BUILT = Build(ok=True)
WORDS = {
    Verdict.OK: (Severity.NONE, None, "does what it did before", None),
    Verdict.LOST: (
        Severity.SILENT_BREAK, "target_gone",
        "changed Deployment lantern → its target matches nothing any more; Deployment lantern-server looks like its new name",
        "set target.name to lantern-server",
    ),
    Verdict.MISAPPLIED: (
        Severity.SILENT_BREAK, "index_shift", "replaced -n by -f → replaces -c by -f", "correct the index, or write the list as a whole",
    ),
    Verdict.SHADOWS: (
        Severity.REVIEW, "upstream_changed_value", "pinned v1.0.0 → still pins it; upstream went from v1.0.0 to v1.1.0", "raise or drop the pinned tag",
    ),
    Verdict.UNJUDGED: (Severity.REVIEW, "not_in_tree", "lantern/base is not in the repository", None),
    Verdict.REDUNDANT: (Severity.CLEANUP, "upstream_has_it", "upstream has the value itself now", "drop it"),
}  # fmt: skip


def item(overlay: str, number: int, verdict: Verdict, **more: object) -> Judgement:
    severity, reason, why, hint = WORDS[verdict]
    return replace(
        Judgement(
            item=f"{overlay}: patches[{number}]", kustomization=overlay, field="patches", key=str(number),
            file=f"{overlay}/kustomization.yaml", line=4 + 5 * number, verdict=verdict, severity=severity,
            reason=reason, why=why, hint=hint, overlays=(overlay,),
        ),
        **more,
    )  # fmt: skip


def overlay(path: str, *items: Judgement, changed: int = 0) -> OverlayVerification:
    added = tuple(f"v1 ConfigMap new-{number}" for number in range(changed))
    return OverlayVerification(path=path, before=BUILT, after=BUILT, items=items, added=added)


def vendor(name: str, status: Status = Status.UP_TO_DATE, **more: object) -> Finding:
    return replace(Finding(vendor=name, status=status, current="v1.0.0", newest="v1.0.0"), **more)


def moved(name: str, *, files: int = 1) -> VendorUpdate:
    kustomization = f"{name}/overlay/kustomization.yaml"
    return VendorUpdate(
        vendor=name, status="updated", before="v1.0.0", after="v1.1.0",
        changed=(f"{name}/{name}.lock.yaml", kustomization, "vendors.yaml",
                 *(f"{name}/base/part-{number:02}.yaml" for number in range(files))),
        edits=(Edited(place=Place(file=kustomization, line=9, column=5), what="images[lantern].newTag",
                      before="v1.0.0", after="v1.1.0"),),
    )  # fmt: skip


def proposal(name: str, action: Action = Action.OPENED, **more: object) -> PullRequest:
    made = PullRequest(
        vendor=name, before="v1.0.0", after="v1.1.0", branch=f"upstreamsync/{name}", title=f"Update {name} to v1.1.0",
        action=action, written=(f"{name}/base/part-00.yaml", f"{name}/{name}.lock.yaml", "vendors.yaml"),
    )  # fmt: skip
    return replace(made, **more)


OUTDATED = {
    "target": Release(version="v1.1.0", ref="v1.1.0", published=MOMENT),
    "newest": "v1.1.0",
}
OVEN = Failure(
    kind="upstream",
    message="https://example.com/index.yaml: 503 Service Unavailable, four times",
    hint="try again later",
)


def scenario(name: str):
    """(findings, updates, verification, pull requests)."""
    young = PassedOver(version="v1.1.0", reason="younger than 3 days", until=MOMENT)
    match name:
        case "idle":
            names = [f"team-{number}/overlay" for number in range(38)]
            well = tuple(overlay(path, *(item(path, n, Verdict.OK) for n in range(5))) for path in names)
            return (
                (vendor("granary"), vendor("weir", Status.PENDING, newest="v1.1.0", passed_over=(young,))),
                (VendorUpdate(vendor="granary", status="unchanged", before="v1.0.0", after="v1.0.0"),),
                Verification(overlays=well),
                (proposal("granary", Action.UNCHANGED, number=7, url="https://example.com/pulls/7"),),
            )
        case "one-finding":
            path = "lantern/overlay"
            judged = overlay(path, item(path, 0, Verdict.LOST), item(path, 1, Verdict.OK), changed=2)
            return (
                (vendor("lantern", Status.OUTDATED, **OUTDATED), vendor("granary")),
                (moved("lantern"),),
                Verification(overlays=(judged,)),
                (proposal("lantern", draft=True, reason="1 customization needs a person"),),
            )
        case "forty-findings":
            kinds = (Verdict.LOST, Verdict.MISAPPLIED, Verdict.SHADOWS, Verdict.REDUNDANT)
            paths = [f"lantern/overlays/site-{number}" for number in range(10)]
            shared = item("lantern/base", 0, Verdict.MISAPPLIED, overlays=tuple(paths))
            judged = [
                overlay(
                    path,
                    *([shared] if not number else []),
                    *(item(path, n, kind) for n, kind in enumerate(kinds)),
                )
                for number, path in enumerate(paths)
            ]
            return (
                (vendor("lantern", Status.OUTDATED, **OUTDATED),),
                (moved("lantern", files=40),),
                Verification(overlays=tuple(judged)),
                (proposal("lantern", draft=True, reason="31 customizations need a person"),),
            )
        case "failing-vendor":
            error = {"error": OVEN}
            return (
                (vendor("ferry", Status.FAILED, **error), vendor("lantern", Status.OUTDATED, **OUTDATED)),
                (
                    VendorUpdate(vendor="ferry", status="failed", before="v1.0.0", after="v1.0.0", **error),
                    moved("lantern"),
                ),
                Verification(overlays=(overlay("lantern/overlay", item("lantern/overlay", 0, Verdict.OK)),)),
                (
                    proposal("ferry", Action.FAILED, after="", branch="", reason=OVEN.message, **error),
                    proposal("lantern"),
                ),
            )
        case _:
            new = VendorUpdate(
                vendor="lantern", status="added", before="v1.0.0", after="v1.0.0",
                added=("lantern/base/kustomization.yaml", "lantern/base/lantern.yaml", "lantern/lantern.lock.yaml"),
            )  # fmt: skip
            remark = "there is no base yet: upstreamsync update lantern"
            return (
                (vendor("lantern", Status.NOT_VENDORED, remarks=(remark,)),),
                (new,),
                Verification(overlays=(overlay("lantern/overlay", item("lantern/overlay", 0, Verdict.OK)),)),
                (proposal("lantern", after="v1.0.0", written=new.added),),
            )


def terminal(name: str, *, form=text, width: int | None = None) -> str:
    """What the verbs print, one below the other."""
    findings, updates, verification, pull_requests = scenario(name)
    stream = io.StringIO()
    if width is not None:
        stream.isatty = lambda: True  # type: ignore[method-assign]

    def shown(command: str, draw, *values: object, **options: object) -> None:
        stream.write(f"$ upstreamsync {command}\n")
        draw(form.console(stream), *values, **options)
        stream.write("\n")

    dry = {"dry_run": True} if form is text else {}
    shown("check", form.print_check, findings)
    shown("update --dry-run", form.print_updates, updates, dry_run=True)
    shown("verify", form.print_verification, verification)
    shown("pr --dry-run", form.print_pull_requests, pull_requests, **dry)
    printed = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()) if width is None else stream.getvalue()
    return re.sub(r" +$", "", printed, flags=re.MULTILINE).rstrip() + "\n"


def held_to(file: str, printed: str) -> None:
    golden = GOLDEN / file
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(printed, "utf-8")
    assert printed == golden.read_text("utf-8")


SCENARIOS = ("idle", "one-finding", "forty-findings", "failing-vendor", "first-run")


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_terminal_shows(name):
    printed = terminal(name)
    held_to(f"{name}.txt", printed)
    assert "\x1b" not in printed


def test_a_narrow_terminal_without_colours_shows_the_same(monkeypatch):
    for variable, value in (("COLUMNS", "60"), ("NO_COLOR", "1"), ("TERM", "xterm")):
        monkeypatch.setenv(variable, value)
    printed = terminal("one-finding", width=60)
    plain = re.sub(
        r" +$", "", re.sub(r"\x1b\[[0-9;]*m", "", printed), flags=re.MULTILINE
    )  # bold is no colour
    held_to("one-finding-narrow.txt", plain)
    assert max(map(len, plain.splitlines())) <= 60
    assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|9[0-7])m", printed)


def test_colours_carry_no_meaning_of_their_own(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    for variable, value in (("COLUMNS", "120"), ("TERM", "xterm-256color"), ("FORCE_COLOR", "1")):
        monkeypatch.setenv(variable, value)
    coloured = terminal("one-finding", width=120)
    assert "\x1b[31mlost" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert plain.split() == (GOLDEN / "one-finding.txt").read_text("utf-8").split()


def test_what_stops_several_vendors_is_said_once_and_many_that_stay_are_counted():
    stream = io.StringIO()
    stopped = [
        VendorUpdate(vendor=name, status="failed", before="v1", after="v1", error=OVEN)
        for name in ("ferry", "mill")
    ]
    still = [
        VendorUpdate(vendor=f"team-{number}", status="unchanged", before="v1", after="v1")
        for number in range(40)
    ]
    text.print_updates(text.console(stream), [*still, *stopped], dry_run=False)
    first, hint, last = stream.getvalue().splitlines()
    assert first.startswith("failed ferry, mill: https://example.com/index.yaml: 503")
    assert (hint, last) == ("  hint: try again later", "40 vendors are unchanged (-v names them)")


def test_a_base_that_is_not_there_is_said_once_and_what_it_keeps_from_being_judged():
    path, why = "lantern/overlay", "lantern/base is not in the repository"
    lost = [item(path, number, Verdict.UNJUDGED) for number in range(3)]
    left = LeftOut(what=f"{path}: resources[../base]", reason="not_in_tree", why=why)
    bad = Build(ok=False, error=why)
    judged = OverlayVerification(path=path, before=bad, after=bad, items=tuple(lost), left_out=(left,))
    stream = io.StringIO()
    text.print_verification(text.console(stream), Verification(overlays=(judged,)))
    assert stream.getvalue().splitlines() == [
        "unjudged (not_in_tree) lantern/overlay: patches[0]",
        "    lantern/overlay/kustomization.yaml:4 lantern/base is not in the repository",
        "    left out: lantern/overlay: resources[../base]",
        "    the same: lantern/overlay: patches[1], lantern/overlay: patches[2]",
        "1 overlay, 3 customizations: 3 unjudged",
    ]
