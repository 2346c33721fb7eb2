"""What a write is about to do, as a file that outlives a kill."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from upstreamsync.base.kustomization import is_kustomization

#: The one name while going forward, the other while undoing.
JOURNAL = "journal.json"
UNDOING = "undoing.json"
_FIELDS = {"number": int, "path": str, "old": (str, type(None)), "new": (str, type(None)), "mode": int}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One file: the digest of its old and of its new form, None for absence."""

    number: int
    path: str
    old: str | None
    new: str | None
    mode: int

    @property
    def old_name(self) -> str:
        """Name of the old file in the staging folder."""
        return f"old-{self.number}"

    @property
    def new_name(self) -> str:
        """Name of the new file in the staging folder."""
        return f"new-{self.number}"


def digest_of(data: bytes | None) -> str | None:
    """The sha256 of a file, None for absence."""
    return None if data is None else hashlib.sha256(data).hexdigest()


def order(steps: Sequence[Step], *, backwards: bool = False) -> list[Step]:
    """The steps in the order that keeps every kustomization buildable between any two of them.

    What has to make room (a file where a folder will be, or the reverse) goes first of all.
    """
    coming = {step.path for step in steps if step.new is not None}
    folders_to_be = {folder for path in coming for folder in _above(path)}

    def rank(step: Step) -> tuple[int, str]:
        if step.new is None:
            blocking = step.path in folders_to_be or not coming.isdisjoint(_above(step.path))
            return (0 if blocking else 4), step.path
        name = step.path.rpartition("/")[2]
        return (2 if is_kustomization(name) else 3 if _is_record(name) else 1), step.path

    return sorted(steps, key=rank, reverse=backwards)


def _is_record(name: str) -> bool:
    return name.endswith(".lock.yaml") or name == "vendors.yaml"


def _above(path: str) -> set[str]:
    parts = path.split("/")
    return {"/".join(parts[:depth]) for depth in range(1, len(parts))}


def save_journal(staging: Path, steps: Sequence[Step]) -> None:
    """Write the journal; it is there whole, or not at all."""
    beside = staging / f"{JOURNAL}.tmp"
    with open(beside, "wb") as file:
        file.write(json.dumps([asdict(step) for step in steps]).encode())
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, staging / JOURNAL)


def load_journal(staging: Path, name: str) -> list[Step]:
    """The steps of the journal; none where there is no journal, or it can't be understood."""
    try:
        raw = json.loads((staging / name).read_bytes())
    except (FileNotFoundError, ValueError):
        return []
    return [Step(**item) for item in raw] if isinstance(raw, list) and all(map(_is_step, raw)) else []


def _is_step(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and item.keys() == _FIELDS.keys()
        and all(isinstance(item[key], kind) for key, kind in _FIELDS.items())  # type: ignore[arg-type]
    )
