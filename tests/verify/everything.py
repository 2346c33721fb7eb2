"""Judging with nothing left out, nothing read and everything built: what the judge's short cuts are held to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from upstreamsync.model import ResourceChange, Verification
from upstreamsync.verify import judge, verify_trees
from upstreamsync.verify.build import chain, trim, waves


class Everything:
    """Judges with nothing left out, and every state built that settings lead to."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def __call__(self, before: Path, after: Path, overlays: Sequence[str], **options: object) -> Verification:
        with self._patch.context() as patch:
            patch.setattr(chain, "unbuilt", lambda *_: None)
            patch.setattr(judge, "plan_trim", lambda *_: (trim.Cut(), trim.Cut()))
            patch.setattr(judge, "with_contents", lambda _trees, _overlay, cuts: cuts)
            patch.setattr(waves, "may_join", lambda *_: False)
            patch.setattr(chain, "is_told_apart", lambda *_: False)
            return verify_trees(before, after, overlays, **options)  # type: ignore[arg-type]


def said(verification: Verification) -> list[object]:
    """All that a verification says but for what it cost, and for what in a schema it is that changed."""
    return [
        [
            *(each.path, each.before, each.after, each.items, each.added, each.removed),
            *((change.resource, _fields(change)) for change in each.changed),
        ]
        for each in verification.overlays
    ]


def _fields(change: ResourceChange) -> list[object]:
    if "CustomResourceDefinition" not in change.resource:
        return list(change.fields)
    found: dict[object, None] = {}
    for each in change.fields:
        place, schema, _ = each.path.partition(".schema")
        values = (None, None) if schema or each.op != "changed" else (each.before, each.after)
        found[place + schema, "changed" if schema else each.op, repr(values)] = None
    return sorted(found, key=str)


def write_trees(folder: Path, overlay: str, sides: Sequence[str]) -> tuple[Path, Path]:
    for name, text in zip(("before", "after"), sides, strict=True):
        for path, content in (
            ("base/kustomization.yaml", "resources: [all.yaml]\n"),
            ("base/all.yaml", text),
            ("overlay/kustomization.yaml", f"resources: [../base]\n{overlay}"),
        ):
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_text(content, "utf-8")
    return folder / "before", folder / "after"
