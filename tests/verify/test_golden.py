"""What a reviewer reads of each of the project's own cases, held as text beside this file.

``UPDATE_GOLDEN=1 pytest tests/verify/test_golden.py`` writes the texts anew; read the diff before you commit.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest
import yaml

from upstreamsync.kit.run.engines import Engines, Kustomize
from upstreamsync.model import Judgement, Severity, Verification
from upstreamsync.verify import Store, verify_trees

_CASES = Path(__file__).parent / "cases"
_GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def kustomize() -> Kustomize:
    return Engines().kustomize()


@pytest.mark.parametrize(
    "case", sorted(path.parent for path in _CASES.glob("*/expected.yaml")), ids=lambda case: case.name
)
def test_the_explanation_reads_as_agreed(case: Path, kustomize: Kustomize, kept: Store) -> None:
    expectation = yaml.safe_load((case / "expected.yaml").read_text("utf-8"))
    if expectation.get("versions_differ", {}).get("output"):
        pytest.skip("the engines themselves differ here; the verdict is tested with each of them")
    verification = verify_trees(
        case / "old", case / "new", expectation["overlays"], kustomize=kustomize, cache=kept
    )
    text = f"{expectation['title']}\n\n{told(verification)}"
    golden = _GOLDEN / f"{case.name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        _GOLDEN.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
    assert golden.is_file(), f"no text for {case.name}: run with UPDATE_GOLDEN=1, and read what it writes"
    assert text == golden.read_text("utf-8")


def told(verification: Verification) -> str:
    """Every item in a few lines; what needs nobody in one."""
    return "\n".join(_told(item) for item in verification.items)


def _told(item: Judgement) -> str:
    reason = f" ({item.reason})" if item.reason else ""
    head = f"{item.item} → {item.verdict}{reason}"
    if item.severity is Severity.NONE:
        return f"{head}\n"
    lines = [head, f"  at {item.file}:{item.line}", *(f"  of {each}" for each in item.resources)]
    lines += [f"     {each}" for each in item.paths]
    lines += [f"  {item.why}", f"  try: {item.hint}"]
    if item.fix is not None:
        lines += [f"  fix: {item.fix.title}", *(f"    {line}" for line in _changed(item))]
    for other in item.findings[1:]:
        lines.append(f"  also {other.verdict}{f' ({other.reason})' if other.reason else ''}: {other.why}")
        lines += [f"  try: {other.hint}"] if other.hint else []
    return "\n".join(lines) + "\n"


def _changed(item: Judgement) -> list[str]:
    assert item.fix is not None
    diff = difflib.unified_diff(item.fix.before.splitlines(), item.fix.after.splitlines(), n=0, lineterm="")
    return [line for line in diff if line[0] in "+-" and not line.startswith(("+++", "---"))]
