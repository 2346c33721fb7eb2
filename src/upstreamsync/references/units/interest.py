"""Which files may name what a controller builds: seen by their bytes, before any of them is read as YAML."""

from __future__ import annotations

import re
from typing import Final

_KINDS: Final = re.compile(
    rb"^kind:\s*[\"']?(?:Application|ApplicationSet|HelmRelease|HelmRepository|HelmChart|OCIRepository"
    rb"|GitRepository|Kustomization)\b",
    re.MULTILINE,
)
#: The groups of such kinds. What both end with is found in one pass, many times as fast as a pattern of two words.
_GROUPS: Final = re.compile(rb"\.io/(?:(?<=argoproj\.io/)|(?<=toolkit\.fluxcd\.io/))")
_HELMFILES: Final = re.compile(r"(?:^|/)helmfile(?:\.d/[^/]+)?\.ya?ml$")
#: Larger files are content or data, never where somebody names an upstream.
MAX_BYTES: Final = 2 * 1024 * 1024
_YAML: Final = (".yaml", ".yml")


def is_yaml(path: str) -> bool:
    """Whether a file of that name may hold units."""
    return path.endswith(_YAML)


def is_helmfile(path: str) -> bool:
    """Whether helmfile would read a file of that name."""
    return _HELMFILES.search(path) is not None


def is_of_interest(path: str, data: bytes) -> bool:
    """Whether a YAML file may say something of a unit."""
    if len(data) > MAX_BYTES:
        return False
    if path.rpartition("/")[2] == "Chart.yaml":
        return b"dependencies:" in data
    return is_helmfile(path) or bool(_GROUPS.search(data) and _KINDS.search(data))
