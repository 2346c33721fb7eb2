"""What applies an overlay to its cluster: as vendors.yaml says, else as the repository lets guess.

Argo CD's Applications and Flux's Kustomizations name the folder that they apply. Where none names the overlay,
and all that are there are of one tool, that tool it is.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Cluster
from upstreamsync.verify.overlays.tree import Tree, normalize
from upstreamsync.verify.result_checks.applying import APPLIED_BY, Applying

_YAML: Final = (".yaml", ".yml")
_KINDS: Final = re.compile(
    rb"^kind:[ \t]*[\"']?(?:Application|ApplicationSet|Kustomization)[\"']?[ \t]*\r?$", re.MULTILINE
)
_APIS: Final = (b"argoproj.io/", b"kustomize.toolkit.fluxcd.io/")
#: Larger files hold what is applied, not what applies it.
_LARGEST: Final = 512 * 1024


def applying(tree: Tree, overlay: str, cluster: Cluster) -> Applying:
    """How ``overlay`` is applied."""
    found = list(_appliers(tree))
    named = [how for path, how in found if path == normalize(overlay)]
    for pattern, tool in cluster.apply:
        if fnmatch.fnmatchcase(overlay, pattern):
            return next((how for how in named if how.tool == tool), Applying.by(tool))
    if named:
        return _common(named)
    if (stated := _stated(tree, overlay)) is not None:
        return Applying.by(stated)
    tools = {how.tool for _, how in found}
    return Applying.by(str(tools.pop())) if len(tools) == 1 else Applying()


def _stated(tree: Tree, overlay: str) -> str | None:
    """The tool that a kustomization stands for, where it is none of the user's."""
    kustomization = tree.kustomization(overlay)
    metadata = _map(kustomization.data.get("metadata")) if kustomization is not None else {}
    tool = _map(metadata.get("annotations")).get(APPLIED_BY)
    return tool if isinstance(tool, str) else None


def _common(appliers: list[Applying]) -> Applying:
    """What holds for all of them: the strictest, as the result has to pass each."""
    first = appliers[0]
    return Applying(
        tool=first.tool if len({how.tool for how in appliers}) == 1 else None,
        server_side=all(how.server_side for how in appliers),
        replace=all(how.replace for how in appliers),
        force=all(how.force for how in appliers),
    )


def _appliers(tree: Tree) -> Iterator[tuple[str, Applying]]:
    for name in tree.files(""):
        if not name.endswith(_YAML):
            continue
        data = tree.read(name)
        if len(data) > _LARGEST or not any(api in data for api in _APIS) or not _KINDS.search(data):
            continue
        try:
            objects = manifests.objects(data, name=name)
        except UpstreamsyncError:
            continue  # a template, perhaps: what it says can't be told
        for obj in objects:
            yield from _of_object(obj)


def _of_object(obj: Mapping[str, Any]) -> Iterator[tuple[str, Applying]]:
    api, kind, spec = str(obj.get("apiVersion")), obj.get("kind"), _map(obj.get("spec"))
    if api.startswith("argoproj.io/") and kind in ("Application", "ApplicationSet"):
        if kind == "ApplicationSet":
            spec = _map(_map(spec.get("template")).get("spec"))
        options = _map(spec.get("syncPolicy")).get("syncOptions")
        how = Applying.by("argocd", [str(item) for item in options] if isinstance(options, list) else ())
        sources = spec.get("sources")
        for source in [spec.get("source"), *(sources if isinstance(sources, list) else [])]:
            path = _map(source).get("path")
            yield (_folder(path) if isinstance(path, str) else ""), how
    elif api.startswith("kustomize.toolkit.fluxcd.io/") and kind == "Kustomization":
        path = spec.get("path")
        how = Applying.by("flux", force=spec.get("force") is True)
        yield (_folder(path) if isinstance(path, str) else ""), how


def _folder(path: str) -> str:
    return normalize(posixpath.join(".", path.strip("/") or "."))


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
