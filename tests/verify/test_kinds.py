"""Variants of the kinds in which the judge was once wrong, written down before it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.verify import Store
from verify.kinds import edited
from verify.kinds.variant import Variant

KINDS: Mapping[str, Mapping[str, Variant]] = {"edited": edited.VARIANTS}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, variants in KINDS.items() for name in variants]
)
def test_it_is_told_and_a_control_is_quiet(kind: str, name: str, tmp_path: Path, kept: Store) -> None:
    variant = KINDS[kind][name]
    assert variant.wrong(variant.judged(tmp_path, kept)) == []
