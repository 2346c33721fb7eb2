"""How overlays are judged: what the command line, vendors.yaml and Argo CD's own settings say of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml import manifests
from upstreamsync.project.settings import Settings

if TYPE_CHECKING:
    from upstreamsync.config.spec import KustomizeBuild
    from upstreamsync.verify.options import LoadRestrictor, Options

#: Folders in which nobody keeps Argo CD's settings.
_SKIPPED: Final = frozenset((".git", ".venv", "node_modules", ".tools"))
_RESTRICTOR: Final = re.compile(
    r"--load[-_]restrictor[= ]\s*['\"]?(?:LoadRestrictions)?(None|RootOnly|none|rootOnly)"
)
_LARGEST: Final = 1_000_000


def judging(settings: Settings, spec: KustomizeBuild | None = None, *, root: Path) -> Options:
    """The options of a run: what is said later counts more, and the command line most."""
    from upstreamsync.verify.options import Options, OverlayOptions

    found: list[OverlayOptions] = []
    if spec is not None:
        restrictor = spec.load_restrictor or _of_argocd(root)
        budget = spec.budget.total_seconds() if spec.budget is not None else None
        found.append(OverlayOptions(load_restrictor=restrictor, budget=budget))
        found += [
            OverlayOptions(
                path=one.path,
                load_restrictor=one.load_restrictor,
                allow_unjudged=one.allow_unjudged,
                budget=one.budget.total_seconds() if one.budget is not None else None,
            )
            for one in spec.overlays
        ]
    elif settings.load_restrictor is None:
        found.append(OverlayOptions(load_restrictor=_of_argocd(root)))
    found.append(
        OverlayOptions(
            load_restrictor=settings.load_restrictor,
            allow_unjudged=settings.allow_unjudged,
            budget=settings.overlay_budget,
        )
    )
    if settings.budget is None:
        return Options(overlays=tuple(found), progress=settings.judged)
    return Options(budget=settings.budget, overlays=tuple(found), progress=settings.judged)


def _of_argocd(root: Path) -> LoadRestrictor | None:
    """What Argo CD is told of kustomize's load restrictor, where the repository has its settings."""
    for file in _candidates(root):
        try:
            data = file.read_bytes()
            if b"kustomize.buildOptions" not in data:
                continue
            for document in manifests.load_all(data, name=file.name):
                if (said := _build_options(document)) and (word := _RESTRICTOR.search(said)):
                    return "none" if word.group(1).lower() == "none" else "root"
        except (OSError, UpstreamsyncError):
            continue
    return None


def _build_options(document: object) -> str:
    if not isinstance(document, dict):
        return ""
    metadata, data = document.get("metadata"), document.get("data")
    if not isinstance(metadata, dict) or metadata.get("name") != "argocd-cm" or not isinstance(data, dict):
        return ""
    return str(data.get("kustomize.buildOptions") or "")


def _candidates(root: Path) -> Iterator[Path]:
    """Files that are called as those settings usually are."""
    for here, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(names):
            if "argocd-cm" in name and name.endswith((".yaml", ".yml")):
                file = Path(here, name)
                if file.is_file() and not file.is_symlink() and file.stat().st_size < _LARGEST:
                    yield file
