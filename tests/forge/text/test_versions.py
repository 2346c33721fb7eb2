"""How versions are written: commits by their short form and date, charts beside apps."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from upstreamsync.forge.rules.grouping import is_major
from upstreamsync.forge.rules.risk import step_size
from upstreamsync.forge.text.versions import titled
from upstreamsync.model import Change, Release

OLD, NEW = "1" * 40, "9f8e7d6" + "0" * 33
AT = datetime(2026, 1, 10, tzinfo=UTC)


def change(before: str, after: str, **facts) -> Change:
    return Change(
        vendor="app", before=before, after=after, release=Release(version=after, ref=after, **facts)
    )


@pytest.mark.parametrize(
    ("one", "title"),
    [
        (change(OLD, NEW, commit=NEW, published=AT), "9f8e7d6 (2026-01-10)"),
        (change(OLD, NEW, commit=NEW), "9f8e7d6"),
        (Change(vendor="app", before=OLD, after=NEW), "9f8e7d6"),
        (change("v1.0.0", "v1.1.0", published=AT), "v1.1.0"),
        (change("v1", NEW, commit=NEW, published=AT), "9f8e7d6 (2026-01-10)"),
        (change(OLD, "v1.0.0"), "v1.0.0"),
    ],
)
def test_titles(one, title):
    assert titled(one) == title


@pytest.mark.parametrize(
    ("before", "after", "major"),
    [
        (OLD, NEW, False),
        ("v1.0.0", NEW, False),
        (OLD, "v2.0.0", False),
        ("v1.0.0", "v2.0.0", True),
        ("v1", "v1.1", False),
    ],
)
def test_a_commit_is_never_a_major_step(before, after, major):
    assert is_major(change(before, after)) is major
    assert (step_size(before, after) == 3) is major


@pytest.mark.parametrize(
    ("release", "beside"),
    [
        (Release(version="v1.9.0", ref="4.1.0", app_version="v1.9.0"), "chart 4.1.0"),
        (Release(version="4.1.0", ref="4.1.0", app_version="v1.9.0"), "app v1.9.0"),
        (Release(version="1.9.0", ref="1.9.0", app_version="v1.9.0"), ""),
        (Release(version="1.9.0", ref="v1.9.0"), ""),
        (Release(version="1.9.0", ref="v1.9.0", app_version="1.9.0"), ""),
    ],
)
def test_the_other_version_of_a_chart(release, beside):
    assert release.beside == beside
