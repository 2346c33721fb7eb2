"""How a result comes to its cluster, as far as the API server's answer depends on that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .finding import Applied, Manifest, ResultContext
from .index import at, mapping, text

#: The annotation of a kustomization that stands for what a tool renders and applies: which tool that is.
APPLIED_BY: Final = "upstreamsync/applied-by"
_HELM_HOOK: Final = "helm.sh/hook"
_ARGO_HOOK: Final = "argocd.argoproj.io/hook"
_ARGO_OPTIONS: Final = "argocd.argoproj.io/sync-options"
_FLUX_FORCE: Final = "kustomize.toolkit.fluxcd.io/force"
_FLUX_SSA: Final = "kustomize.toolkit.fluxcd.io/ssa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applying:
    """What applies a result, and how.

    ``tool`` is ``kubectl``, ``server-side``, ``argocd``, ``flux`` or ``helm``; None where that is not known, and then
    kubectl's way is assumed. ``server_side``, ``replace`` and ``force`` hold for all objects; an object's own
    annotations come on top.
    """

    tool: str | None = None
    server_side: bool = False
    replace: bool = False
    force: bool = False

    @classmethod
    def by(cls, tool: str, options: Iterable[str] = (), *, force: bool = False) -> Applying:
        """What a tool does, given Argo CD's sync options or Flux's ``force``."""
        given = {option.replace(" ", "") for option in options}
        return cls(
            tool=tool,
            server_side=tool in ("server-side", "flux") or "ServerSideApply=true" in given,
            replace="Replace=true" in given,
            force=force or "Force=true" in given,
        )

    def on_the_server(self, manifest: Manifest) -> bool:
        """Whether the object is merged by the server, without the annotation of client-side apply."""
        options = self._options(manifest)
        if "ServerSideApply=false" in options:
            return False
        return self.server_side or "ServerSideApply=true" in options

    def replaces(self, manifest: Manifest) -> bool:
        """Whether the object is replaced rather than merged."""
        return self.replace or "Replace=true" in self._options(manifest)

    def recreates(self, old: Manifest, new: Manifest) -> bool:
        """Whether something deletes the object before it is applied again, or leaves it as it is."""
        notes = _annotations(new)
        if self.force or "Force=true" in self._options(new):
            return True
        if self.tool in (None, "flux") and text(notes.get(_FLUX_FORCE)).lower() == "enabled":
            return True
        if self.tool in (None, "flux") and text(notes.get(_FLUX_SSA)).lower() in ("ifnotpresent", "ignore"):
            return True
        if self.tool in (None, "argocd") and _ARGO_HOOK in notes:
            return True
        if self.tool in ("argocd", "helm") and _HELM_HOOK in notes:
            return True
        return old.get("kind") == "Job" and at(old, "spec", "ttlSecondsAfterFinished") is not None

    def hook_advice(self, manifest: Manifest) -> str | None:
        """What to know of an object that is a hook of helm, which its tool takes for a plain object."""
        if self.tool in ("argocd", "helm") or _HELM_HOOK not in _annotations(manifest):
            return None
        if self.tool is None:
            return (
                "delete the old one first; if Argo CD applies it, which replaces hooks, say `apply: argocd`"
            )
        return f"delete the old one first: {self.tool} knows no hooks of helm"

    def _options(self, manifest: Manifest) -> frozenset[str]:
        if self.tool not in (None, "argocd"):
            return frozenset()
        given = text(_annotations(manifest).get(_ARGO_OPTIONS))
        return frozenset(part.strip() for part in given.split(","))


def _annotations(manifest: Manifest) -> Mapping[str, Any]:
    return mapping(at(manifest, "metadata", "annotations"))


def applied(context: ResultContext) -> Applied:
    """How the result of a context is applied."""
    return Applying() if context.applied is None else context.applied()
