"""Small trees for tests of the judge: a deployment or what else is needed, an overlay, and both judged."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from upstreamsync.kit.run.engines import Engines, Kustomize
from upstreamsync.model import ItemFinding, Judgement, Severity, Verdict, Verification
from upstreamsync.verify import Store, verify_trees
from upstreamsync.verify.crossed import Followed

Files = Mapping[str, str]
_engines: list[Kustomize] = []


@dataclass
class Shelf:
    """A store of builds that a test can look into."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def get(self, key: str) -> bytes | None:
        return self.kept.get(key)

    def put(self, key: str, data: bytes) -> None:
        self.kept[key] = data


def engine() -> Kustomize:
    """The kustomize of the machine; asked once."""
    if not _engines:
        _engines.append(Engines().kustomize())
    return _engines[0]


def judged(
    folder: Path,
    before: Files,
    after: Files,
    overlays: Sequence[str] | None = ("overlay",),
    *,
    upstream: Collection[str] | None = None,
    cache: Store | None = None,
    followed: Followed | None = None,
) -> Verification:
    """Judge two trees that are given as path → text; what both have in common may stand in ``before`` alone."""
    for name, files in (("old", before), ("new", {**before, **after})):
        for path, text in files.items():
            if text is None:
                continue
            place = folder / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")
    return verify_trees(
        folder / "old",
        folder / "new",
        overlays,
        kustomize=engine(),
        upstream=upstream,
        cache=cache,
        followed=followed,
    )


def item(verification: Verification, name: str) -> Judgement:
    """The judgement on one item."""
    found = [each for each in verification.items if each.item == name]
    assert len(found) == 1, [each.item for each in verification.items]
    return found[0]


def all_findings(verification: Verification) -> list[ItemFinding]:
    """Everything that is said of anything."""
    return [finding for each in verification.items for finding in each.told]


def alarms(verification: Verification) -> list[str]:
    """What is said above cleanup, in words."""
    return [
        f"{each.item}: {finding.verdict} {finding.reason}: {finding.why}"
        for each in verification.items
        for finding in each.told
        if finding.severity.rank < Severity.CLEANUP.rank
    ]


def verdicts(judgement: Judgement) -> set[Verdict]:
    """The verdicts of all findings of an item."""
    return {finding.verdict for finding in judgement.told}


def words(verification: Verification) -> str:
    """All that a reader is told."""
    return "\n".join(f"{finding.why} {finding.hint}" for finding in all_findings(verification))


def deployment(
    name: str = "web",
    *,
    image: str = "acme/web:1",
    container: str = "web",
    args: str = "",
    labels: str = "app: web",
    more: str = "",
    pod: str = "",
) -> str:
    """A Deployment of one container; ``more`` are further fields of the container, ``pod`` of the pod's spec."""
    listed = f", args: [{args}]" if args else ""
    extra = f", {more}" if more else ""
    beside = f", {pod}" if pod else ""
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n"
        f"  selector: {{matchLabels: {{{labels}}}}}\n  template:\n    metadata: {{labels: {{{labels}}}}}\n"
        f'    spec: {{containers: [{{name: {container}, image: "{image}"{listed}{extra}}}]{beside}}}\n'
    )
