"""The kustomization.yaml of a base, where upstream brings none."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import ContentFile

#: The names under which kustomize looks for its file.
NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
OWN_NAME = NAMES[0]
_HEADER = (
    b"# upstreamsync owns this file: it lists what came from upstream, and is written anew with each version."
)
_TEXT = """\

apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
"""
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*\.[A-Za-z]+")


def is_kustomization(path: str) -> bool:
    """Whether kustomize would read a file of that path as its own."""
    return path.rpartition("/")[2] in NAMES


def is_ours(data: bytes) -> bool:
    """Whether a kustomization was written by ``own_kustomization``, and not by a person or upstream."""
    return data.startswith(_HEADER)


def own_kustomization(files: Sequence[ContentFile], listed: Collection[str]) -> ContentFile | None:
    """A kustomization that lists the files that hold manifests (see ``validate``), sorted.

    None where upstream brings kustomizations of its own (at the top or below), and where there are none.
    """
    if not listed or any(is_kustomization(file.path) for file in files):
        return None
    lines = "".join(f"- {_quoted(path)}\n" for path in sorted(listed))
    return ContentFile(path=OWN_NAME, data=_HEADER + (_TEXT + lines).encode())


def is_read_as_folder(base: str, paths: Iterable[str], read: Callable[[str], bytes | None]) -> bool:
    """Whether a kustomization of the team's own names the folder ``base``, which then needs one, too.

    ``paths`` are all files of the repository.
    """
    for path in paths:
        if not is_kustomization(path) or path.startswith(f"{base}/"):
            continue
        try:
            data = read(path)
            loaded = manifests.load(data, name=path) if data is not None else None
        except UpstreamsyncError:  # what is wrong with it is said by those who build it
            continue
        here = posixpath.dirname(path)
        if any(posixpath.normpath(posixpath.join(here, one)) == base for one in _folders(loaded)):
            return True
    return False


def _folders(loaded: object) -> Iterator[str]:
    """What a kustomization takes in by a path."""
    if isinstance(loaded, dict):
        for field in ("resources", "bases", "components"):
            listed = loaded.get(field)
            yield from (one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ()


def chart_folders(paths: Iterable[str]) -> list[str]:
    """The folders of charts, each with its slash; the empty string for one at the top."""
    return [
        path.removesuffix("Chart.yaml")
        for path in paths
        if path == "Chart.yaml" or path.endswith("/Chart.yaml")
    ]


def _quoted(path: str) -> str:
    return path if _PLAIN.fullmatch(path) else json.dumps(path, ensure_ascii=False)
