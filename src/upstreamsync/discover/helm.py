"""Pieces of configuration that all mentions of charts share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from upstreamsync.discover.candidates import Piece, without_user
from upstreamsync.kit.versions import parse

#: What helm calls a release that nobody named.
NO_RELEASE = "release-name"
NO_VERSION = "no version is named here: write the one that is in use"


def chart_feed(repository: str, chart: str) -> Piece:
    """``releases`` for a chart; a repository without a scheme is an OCI one, as Argo CD has it."""
    return {"helm": {"repository": with_scheme(repository), "chart": chart}}


def with_scheme(repository: str) -> str:
    """The repository's URL without a slash at its end."""
    repository = without_user(repository).rstrip("/")
    return repository if "://" in repository else f"oci://{repository}"


def version_remarks(version: str) -> tuple[tuple[str, ...], bool]:
    """What to say about a version as it is written, and whether it can stand in vendors.yaml."""
    if not version or re.search(r"[$\s{}()]", version):
        return (NO_VERSION,), False
    if parse(version) is None or re.search(r"[*^~<>|]|\bx\b", version):
        return (f"`{version}` is a range: write the version that is in use",), False
    return (), True


def chart_version_remarks(version: str) -> tuple[tuple[str, ...], bool]:
    """As ``version_remarks``, for a chart: to helm, a version with fewer than three parts is a constraint."""
    remarks, complete = version_remarks(version)
    if complete and not re.match(r"[vV]?\d+\.\d+\.\d+", version):
        return (f"`{version}` is a range: write the version that is in use",), False
    return remarks, complete


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values as single ones, with keys as helm's ``--set`` writes them; lists stay whole."""
    return dict(_flat(values, prefix))


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = prefix + re.sub(r"([.\\,=\[\]{}])", r"\\\1", str(key))
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value
