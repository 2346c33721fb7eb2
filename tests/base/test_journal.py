"""The journal survives a power cut whole, or not at all: its bytes are on the disk before it has its name."""

from __future__ import annotations

import os
from pathlib import Path

from upstreamsync.base.journal import JOURNAL, load_journal, save_journal


def test_its_bytes_are_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch):
    deeds: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        size = os.fstat(handle).st_size
        deeds.append(f"synced {'whole' if size == _size(tmp_path) else size}")
        real_sync(handle)

    def replaced(source: Path, target: Path) -> None:
        deeds.append(f"named {Path(target).name}")
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    save_journal(tmp_path, [])
    assert deeds == ["synced whole", f"named {JOURNAL}"]
    assert load_journal(tmp_path, JOURNAL) == []


def _size(folder: Path) -> int:
    (beside,) = folder.iterdir()
    return beside.stat().st_size
