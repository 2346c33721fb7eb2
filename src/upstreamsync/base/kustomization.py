"""The kustomization.yaml of a base, where upstream brings none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from upstreamsync.base.documents import is_manifest
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


def own_kustomization(files: Sequence[ContentFile]) -> ContentFile | None:
    """A kustomization that lists every manifest, sorted.

    None where upstream brings kustomizations of its own (at the top or below), and where no file is a
    manifest. What belongs to a helm chart is no manifest. Raises Malformed for a YAML file that is none.
    """
    paths = [file.path for file in files]
    if any(is_kustomization(path) for path in paths):
        return None
    charts = _chart_folders(paths)
    listed = sorted(
        file.path
        for file in files
        if not any(file.path.startswith(folder) for folder in charts) and is_manifest(file.path, file.data)
    )
    if not listed:
        return None
    lines = "".join(f"- {_quoted(path)}\n" for path in listed)
    return ContentFile(path=OWN_NAME, data=_HEADER + (_TEXT + lines).encode())


def _chart_folders(paths: Iterable[str]) -> list[str]:
    return [
        path.removesuffix("Chart.yaml")
        for path in paths
        if path == "Chart.yaml" or path.endswith("/Chart.yaml")
    ]


def _quoted(path: str) -> str:
    return path if _PLAIN.fullmatch(path) else json.dumps(path, ensure_ascii=False)
