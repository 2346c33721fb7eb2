"""The judge against whole cases: two complete trees each, and the verdict that is expected of every item.

``PATCH_CASES`` (default: ``../shared/patch-cases`` beside the repository) holds cases that others wrote;
``tests/verify/cases`` are the project's own, in the same form, and always there. Each case runs with
every kustomize that is found: KUSTOMIZE, and those that KUSTOMIZE_ALL lists with colons in between.
"""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

from upstreamsync.kit.run.engines import Engines, Kustomize, probe_kustomize
from upstreamsync.model import Judgement, Severity, Verification
from upstreamsync.verify import verify_trees

_REPOSITORY = Path(__file__).parents[2]
_SHARED = Path(os.environ.get("PATCH_CASES") or _REPOSITORY.parent / "shared" / "patch-cases")
_OWN = Path(__file__).parent / "cases"
#: Where the engines themselves differ: the case's number → the versions of which its verdicts are expected.
_ONLY_FROM = {71: (5, 7)}


class Kept(Protocol):
    """The fixture ``kept``."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, data: bytes) -> None: ...


@dataclass(frozen=True)
class Expected:
    item: str
    verdict: str
    severity: str
    reason: str | None


def _cases() -> list[Path]:
    return [
        folder
        for home in (_SHARED, _OWN)
        if home.is_dir()
        for folder in sorted(home.iterdir())
        if (folder / "expected.yaml").is_file()
    ]


def _binaries() -> list[str]:
    listed = os.environ.get("KUSTOMIZE_ALL", "").split(":")
    return [name for name in dict.fromkeys([os.environ.get("KUSTOMIZE", ""), *listed]) if name] or [""]


_engines: dict[str, Kustomize] = {}


def engine(binary: str) -> Kustomize:
    """The kustomize at ``binary``, or the one that the project finds by itself; asked once."""
    if binary not in _engines:
        engines = Engines()
        _engines[binary] = probe_kustomize(Path(binary)) if binary else engines.kustomize()
    return _engines[binary]


def _expectation(case: Path) -> dict[str, Any]:
    return yaml.safe_load((case / "expected.yaml").read_text("utf-8"))


def _applies(expectation: dict[str, Any], kustomize: Kustomize) -> bool:
    version = tuple(int(part) for part in kustomize.version.split(".")[:2])
    return version >= _ONLY_FROM.get(expectation["id"], (0, 0))


def _judged(case: Path, binary: str, kept: Kept) -> Verification:
    """Judged anew, so that the builds are counted; they are noted for the median, and kept for others."""
    overlays = _expectation(case)["overlays"]
    counting = _Counting(kept)
    verification = verify_trees(
        case / "old", case / "new", overlays, kustomize=engine(binary), cache=counting
    )
    builds = [str(overlay.builds) for overlay in verification.overlays]
    kept.put(f"count {case} {binary}", " ".join(builds).encode())
    return verification


class _Counting:
    """Keeps what is built for other tests, and finds nothing: every build is really made, and counted."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def get(self, key: str) -> bytes | None:
        return None

    def put(self, key: str, data: bytes) -> None:
        self._kept.put(key, data)


def _builds(case: Path, kept: Kept) -> list[int]:
    binary = _binaries()[0]
    name = f"count {case} {binary}"
    if kept.get(name) is None:
        _judged(case, binary, kept)
    return [int(count) for count in (kept.get(name) or b"").split()]


def _runs() -> list[Any]:
    """Cases of others with every kustomize; our own with the first, and with all when CASES_EVERYWHERE is set."""
    return [
        pytest.param(case, binary, id=f"{case.name}-{Path(binary).parent.name or 'found'}")
        for case in _cases()
        for number, binary in enumerate(_binaries())
        if number == 0 or case.parent != _OWN or os.environ.get("CASES_EVERYWHERE")
    ]


@pytest.mark.parametrize(("case", "binary"), _runs())
def test_every_item_gets_its_verdict_and_a_reader_is_told_why(case: Path, binary: str, kept: Kept) -> None:
    verification, expectation = _judged(case, binary, kept), _expectation(case)
    wanted = [
        Expected(each["item"], each["verdict"], each["severity"], each.get("reason"))
        for each in expectation["verdicts"]
    ]
    if not _applies(expectation, engine(binary)):
        wanted = [replace(each, verdict="ok", severity="none", reason=None) for each in wanted]
    found = {
        Expected(each.item, str(each.verdict), str(each.severity), each.reason) for each in verification.items
    }
    assert [each for each in wanted if each not in found] == [], sorted(found, key=lambda each: each.item)
    listed = {(each.item, each.verdict) for each in wanted}
    surplus = [
        f"{each.item}: {each.verdict} {each.reason}: {each.why}"
        for each in verification.items
        if each.severity.rank < Severity.INFO.rank and (each.item, str(each.verdict)) not in listed
    ]
    assert surplus == []
    for item in verification.items:
        _assert_explained(item, case)


def _assert_explained(item: Judgement, case: Path) -> None:
    assert item.why
    assert "\n" not in item.why + (item.hint or "")
    assert (case / "new" / item.file).is_file()
    assert 1 <= item.line <= (case / "new" / item.file).read_text("utf-8").count("\n") + 1
    if item.severity.rank < Severity.CLEANUP.rank:
        assert item.hint


@pytest.mark.slow
def test_the_median_overlay_needs_at_most_six_builds(kept: Kept) -> None:
    builds = [count for case in _cases() for count in _builds(case, kept)]
    assert statistics.median(builds) <= 6
