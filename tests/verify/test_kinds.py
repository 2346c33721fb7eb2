"""Variants of the kinds in which the judge was once wrong, written down before it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.verify import Store
from verify.kinds import edited, items, results, values
from verify.kinds.variant import Variant

KINDS: Mapping[str, Mapping[str, Variant]] = {
    "edited in the same change": edited.VARIANTS,
    "all findings": items.FINDINGS,
    "never delete what works": items.MOOT,
    "pins": items.PINS,
    "families": items.FAMILIES,
    "masking": items.MASKING,
    "references": results.REFERENCES,
    "names left behind": results.NAMES_LEFT,
    "whole texts": values.TEXTS,
    "replacements": values.REPLACEMENTS,
    "hints": values.HINTS,
}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, variants in KINDS.items() for name in variants]
)
def test_it_is_told_and_a_control_is_quiet(kind: str, name: str, tmp_path: Path, kept: Store) -> None:
    variant = KINDS[kind][name]
    assert variant.wrong(variant.judged(tmp_path, kept)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_ten_variants_and_half_of_them_are_controls(kind: str) -> None:
    """A variant that is cleanup at most is a control of its kind, too: no alarm may come of it."""
    quiet = sum(each.is_control for each in KINDS[kind].values())
    assert len(KINDS[kind]) >= 10
    assert quiet * 2 >= len(KINDS[kind])
