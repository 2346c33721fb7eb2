"""SECURITY.md names a test for each promise, and each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_each_promise_names_tests_that_exist():
    text = (ROOT / "SECURITY.md").read_text()
    promised = text.partition("## What is promised")[2].partition("## What is not")[0]
    rows = [line.strip("|").split(" | ") for line in promised.splitlines() if line.startswith("|")]
    rows = [row for row in rows if "---" not in row[0] and row[0].strip() != "promise"]
    assert len(rows) >= 20
    for row in rows:
        named = re.findall(r"`(tests/[\w/.]+)`", row[-1])
        assert named, f"no test shows that {row[0].strip()}"
        for name in named:
            assert "def test_" in (ROOT / name).read_text(), name
