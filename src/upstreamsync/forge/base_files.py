"""The base branch's files, read together: one process of git for all, where one each would cost seconds."""

from __future__ import annotations

from collections.abc import Iterable

from upstreamsync.forge.text.diff import Read
from upstreamsync.kit.git.repository import Repository
from upstreamsync.model import Change


def reader(repository: Repository, commit: str, changes: Iterable[Change], *, prefix: str = "") -> Read:
    """What ``build_proposal`` wants as ``read``: the files that ``changes`` touch, as they are at ``commit``.

    ``prefix`` is put before the paths of ``changes``, for a vendors.yaml below the top of the repository.
    Other paths are read when they are asked for. Raises Refused where a link stands in place of a file.
    """
    paths = [prefix + path for change in changes for path in change.files]
    known = repository.read_all(commit, list(dict.fromkeys(paths)))
    asked = frozenset(paths)

    def read(path: str) -> bytes | None:
        return known.get(path) if path in asked else repository.read(commit, path)

    return read
