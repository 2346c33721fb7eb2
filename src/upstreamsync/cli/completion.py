"""What a shell offers behind a verb: the vendors of vendors.yaml, the overlays below it. Silent, whatever is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_KUSTOMIZATIONS = frozenset(("kustomization.yaml", "kustomization.yml", "Kustomization"))
_SKIPPED = frozenset((".git", ".venv", "node_modules", "__pycache__", ".tools"))
#: Folders that are looked into: whoever presses a key does not wait.
_MOST = 5_000


def vendors(incomplete: str) -> list[str]:
    """The names of the vendors that begin so."""
    from upstreamsync.config import find_configuration, load_configuration
    from upstreamsync.errors import UpstreamsyncError

    try:
        configuration = load_configuration(find_configuration(Path.cwd()))
    except (UpstreamsyncError, OSError):
        return []
    return [one.name for one in configuration.vendors if one.name.startswith(incomplete)]


def overlays(incomplete: str) -> list[str]:
    """The folders with a kustomization, below the working folder, that begin so."""
    return [path for path in _folders(incomplete) if path.startswith(incomplete)]


def _folders(incomplete: str) -> Iterator[str]:
    start = os.path.dirname(incomplete) or "."
    for number, (folder, names, files) in enumerate(os.walk(start)):
        if number >= _MOST:
            return
        names[:] = sorted(name for name in names if name not in _SKIPPED)
        if _KUSTOMIZATIONS.intersection(files):
            yield os.path.normpath(folder) if start == "." else folder
