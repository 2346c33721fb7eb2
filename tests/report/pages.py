"""Results to make pages of: small ones, hostile ones, large ones."""

from __future__ import annotations

from datetime import UTC, datetime

from upstreamsync.model import (
    Build,
    Danger,
    Failure,
    Finding,
    ImageChange,
    Inspection,
    Judgement,
    LeftOut,
    ObjectText,
    OverlayReview,
    OverlayTexts,
    OverlayVerification,
    PassedOver,
    Release,
    Review,
    Severity,
    Status,
    Verdict,
    Verification,
)

EVIL = (
    "</script><script>window.broken = 1</script><img src=x onerror='window.broken = 1'><b>&amp;\u202e\x1b[31m"
)
PATCH = "resources: [../base]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: remove\n      path: /spec\nnamespace: x\n"
BEFORE = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1\n  paused: true\n"
)
AFTER = BEFORE.replace("replicas: 1", "replicas: 2")
_SEVERITIES = {
    Verdict.FAILS: Severity.BROKEN,
    Verdict.LOST: Severity.SILENT_BREAK,
    Verdict.SHADOWS: Severity.REVIEW,
    Verdict.UNJUDGED: Severity.REVIEW,
    Verdict.REDUNDANT: Severity.CLEANUP,
    Verdict.OK: Severity.NONE,
}


def judgement(number: int, verdict: Verdict, folder: str = "app/overlay", **more: object) -> Judgement:
    given = {
        "item": f"{folder}: patches[{number}]",
        "kustomization": folder,
        "field": "patches",
        "key": str(number),
        "file": f"{folder}/kustomization.yaml",
        "line": 3,
        "verdict": verdict,
        "severity": _SEVERITIES[verdict],
        "reason": "target_gone",
        "why": f"changed Deployment web {number} in {folder} → changes nothing",
        "hint": f"look at {number}",
        "resources": ("apps/v1 Deployment web",),
        "paths": ("spec.replicas",),
        **more,
    }
    return Judgement(**given)  # type: ignore[arg-type]


def inspection(words: str = "") -> Inspection:
    """Three overlays, findings of several verdicts and everything else that a page shows."""
    paths = ("app/overlay", "app/other", f"lantern/prod{words}")
    web = ObjectText(resource="apps/v1 Deployment web", before=BEFORE, after=AFTER + words.replace("\n", ""))
    built = Build(ok=True)
    overlays = tuple(
        OverlayVerification(
            path=path,
            before=built,
            after=built if path != paths[1] else Build(ok=False, error=f"no such file {words}"),
            items=(
                judgement(0, Verdict.LOST, path, why=f"lost in {path} {words}"),
                judgement(1, Verdict.SHADOWS, path),
                judgement(2, Verdict.REDUNDANT, path),
                judgement(3, Verdict.OK, path),
            ),
            left_out=(
                LeftOut(what=f"{path}: resources[x]", reason="not_reachable", why=f"not there {words}"),
            ),
        )
        for path in paths
    )
    return Inspection(
        verification=Verification(overlays=overlays, engine="kustomize 5.7.1"),
        review=Review(
            overlays=(
                OverlayReview(
                    path=paths[0],
                    images=(ImageChange(name="web", before="web:1", after=f"web:2{words}"),),
                    dangers=(
                        Danger(rule="D1", resource="apps/v1 Deployment web", text=f"is exposed {words}"),
                    ),
                ),
            )
        ),
        overlays=tuple(
            OverlayTexts(
                path=path,
                changed=(web, ObjectText(resource="v1 ConfigMap new", after=f"kind: ConfigMap\n# {words}\n")),
                named={"apps/v1 Deployment web": web},
            )
            for path in paths
        ),
        files={f"{path}/kustomization.yaml": (PATCH, PATCH + words) for path in paths},
        vendors={paths[0]: ("app",), paths[1]: ("app",), paths[2]: ("lantern",)},
    )


def check_findings(words: str = "") -> tuple[Finding, ...]:
    """A vendor in each of the states."""
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    target = Release(
        version=f"v1.1.0{words}", ref="v1.1.0", published=moment, page="https://example.com/v1.1.0",
        notes=f"## New\n* a lamp {words}",
    )  # fmt: skip
    young = PassedOver(version="v1.2.0", reason="younger than 3 days", until=moment)
    return (
        Finding(vendor="lantern", status=Status.OUTDATED, current="v1.0.0", target=target, newest="v1.2.0",
                passed_over=(young,)),
        Finding(vendor="granary", status=Status.UP_TO_DATE, current="v2.0.0", newest="v3.0.0"),
        Finding(vendor="weir", status=Status.PENDING, current="v1.0.0", newest="v1.2.0", passed_over=(young,)),
        Finding(vendor="mill", status=Status.WITHDRAWN, current="v0.1.0"),
        Finding(vendor="barn", status=Status.NOT_VENDORED, current="v0.1.0"),
        Finding(vendor="ferry", status=Status.FAILED, current="v1.0.0",
                error=Failure(kind="upstream", message=f"example.com says 503 {words}", hint="try again")),
    )  # fmt: skip


def large_inspection(size: int) -> Inspection:
    """One overlay in which objects of about ``size`` characters in all change, each of them a little."""
    lines = "".join(f"  key-{number}: a value that is as long as values are\n" for number in range(100))
    count = size // (2 * len(lines)) + 1
    objects = tuple(
        ObjectText(
            resource=f"v1 ConfigMap many/number-{number}",
            before=f"kind: ConfigMap\nnumber: {number}\n{lines}",
            after=f"kind: ConfigMap\nnumber: {number} # other\n{lines}",
        )
        for number in range(count)
    )
    built = Build(ok=True)
    items = tuple(judgement(number, Verdict.LOST) for number in range(40))
    overlay = OverlayVerification(path="app/overlay", before=built, after=built, items=items)
    return Inspection(
        verification=Verification(overlays=(overlay,)),
        overlays=(OverlayTexts(path="app/overlay", changed=objects),),
        files={"app/overlay/kustomization.yaml": (PATCH, PATCH)},
    )
