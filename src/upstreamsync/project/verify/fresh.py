"""Which of the files that git does not have yet somebody is about to add, and which a commit merely names."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from upstreamsync.verify.overlays.graph import named_below, named_files
from upstreamsync.verify.overlays.tree import FILE_NAMES, Tree, within

_log = logging.getLogger(__name__)
_SHOWN: Final = 3
_CHART: Final = "Chart.yaml"


def about_to_be_added(root: Path, fresh: Collection[str], committed: Mapping[str, bytes]) -> tuple[str, ...]:
    """Those of the ``fresh`` files below ``root`` that nothing but what is not committed names.

    ``committed`` has the kustomizations and charts of HEAD. A kustomization that is not committed is about to be
    added itself, and so is what it names; one that was changed names what it did not name before; a chart that was
    changed brings new files. Tells of files that a commit names: for everybody else they are missing.
    """
    there = Tree(root)
    before = there.plus(
        {path: data for path, data in committed.items() if path.rpartition("/")[2] in FILE_NAMES}
    )
    mine = [folder for folder in before.folders() if before.kustomization_file(folder) in committed]
    real = _Real(root)
    old = real.paths(name for folder in mine for name in named_files(before, folder))
    missing = [path for path in fresh if path in old or (_decides(path) and _folder(path) in old)]
    new: set[str] = set()
    for folder in there.folders():
        file = there.kustomization_file(folder)
        if file is None:
            continue
        if file in committed:
            if there.read(file) == committed[file]:
                continue
            was = {*named_files(before, folder), *named_below(before, folder)}
        elif file in fresh and file not in missing:
            was = set()
            new.add(file)
        else:
            continue
        new |= real.paths({*named_files(there, folder), *named_below(there, folder)} - was)
    new |= {_folder(path) for path, data in committed.items() if _is_another_chart(there, path, data)}
    _tell(missing)
    gone = set(missing)
    return tuple(path for path in fresh if path not in gone and within(path, new))


class _Real:
    """Where names lead to, links followed, as paths below a folder; what leads out of it is left out."""

    def __init__(self, root: Path) -> None:
        self._top = os.path.realpath(root)

    def paths(self, names: Iterable[str]) -> set[str]:
        """The places of some names."""
        found = (os.path.realpath(os.path.join(self._top, name)) for name in names if "\0" not in name)
        below = f"{self._top.rstrip('/')}/"
        return {path.removeprefix(below) for path in found if path.startswith(below)}


def _decides(path: str) -> bool:
    return path.rpartition("/")[2] in FILE_NAMES


def _folder(path: str) -> str:
    return path.rpartition("/")[0] or "."


def _is_another_chart(there: Tree, path: str, data: bytes) -> bool:
    return path.rpartition("/")[2] == _CHART and there.is_file(path) and there.read(path) != data


def _tell(missing: Sequence[str]) -> None:
    if missing:
        shown = ", ".join(missing[:_SHOWN])
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        _log.warning(
            "%s%s took no part: a commit names it, but git does not have it; `git add` it", shown, more
        )
