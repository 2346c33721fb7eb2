"""Keep vendored Kubernetes manifests up to date, and prove that local patches still do what they did.

::

    import upstreamsync

    with upstreamsync.open("path/to/repository") as project:
        findings = project.check()                      # what each vendor would move to
        changes = project.update(["argocd"])            # a value; changes.write() touches the disk
        report = project.verify(changes)                # a verdict on every customization
        pull_requests = project.propose(changes, report)

    upstreamsync.verify_trees(before, after, ["overlay"])   # the judge alone, on two folders

Sources, feeds and forges of one's own are passed in, and used from vendors.yaml by their names::

    kinds = upstreamsync.Kinds(sources={"artifactory": MySource()}, feeds={"artifactory": my_feed})
    project = upstreamsync.open("path/to/repository", kinds=kinds)

Importing this package imports nothing else: each name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upstreamsync.config.spec import Releases
    from upstreamsync.errors import ConfigError, UpstreamsyncError
    from upstreamsync.forge.local import LocalForge
    from upstreamsync.forge.state import Forge
    from upstreamsync.kit.toolbox import Toolbox
    from upstreamsync.model import (
        Artifact,
        Change,
        ContentFile,
        Finding,
        Judgement,
        OverlayVerification,
        PullRequest,
        Release,
        Resolved,
        Severity,
        Status,
        Verdict,
        Verification,
    )
    from upstreamsync.project import Changes, Project, Settings
    from upstreamsync.project import open_project as open  # noqa: A004 (upstreamsync.open, as the contract has it)
    from upstreamsync.project.kinds import ForgeFactory, Kinds
    from upstreamsync.project.propose.propose import ProposeOptions
    from upstreamsync.releases import Feed
    from upstreamsync.sources.job import Job, SourceKind
    from upstreamsync.verify import find_overlays, verify_trees

__all__ = [
    "Artifact",
    "Change",
    "Changes",
    "ConfigError",
    "ContentFile",
    "Feed",
    "Finding",
    "Forge",
    "ForgeFactory",
    "Job",
    "Judgement",
    "Kinds",
    "LocalForge",
    "OverlayVerification",
    "Project",
    "ProposeOptions",
    "PullRequest",
    "Release",
    "Releases",
    "Resolved",
    "Settings",
    "Severity",
    "SourceKind",
    "Status",
    "Toolbox",
    "UpstreamsyncError",
    "Verdict",
    "Verification",
    "find_overlays",
    "open",
    "verify_trees",
]

_HOMES = {
    "Artifact": ("upstreamsync.model", "Artifact"),
    "Change": ("upstreamsync.model", "Change"),
    "Changes": ("upstreamsync.project", "Changes"),
    "ConfigError": ("upstreamsync.errors", "ConfigError"),
    "ContentFile": ("upstreamsync.model", "ContentFile"),
    "Feed": ("upstreamsync.releases", "Feed"),
    "Finding": ("upstreamsync.model", "Finding"),
    "Forge": ("upstreamsync.forge.state", "Forge"),
    "ForgeFactory": ("upstreamsync.project.kinds", "ForgeFactory"),
    "Job": ("upstreamsync.sources.job", "Job"),
    "Judgement": ("upstreamsync.model", "Judgement"),
    "Kinds": ("upstreamsync.project.kinds", "Kinds"),
    "LocalForge": ("upstreamsync.forge.local", "LocalForge"),
    "OverlayVerification": ("upstreamsync.model", "OverlayVerification"),
    "Project": ("upstreamsync.project", "Project"),
    "ProposeOptions": ("upstreamsync.project.propose.propose", "ProposeOptions"),
    "PullRequest": ("upstreamsync.model", "PullRequest"),
    "Release": ("upstreamsync.model", "Release"),
    "Resolved": ("upstreamsync.model", "Resolved"),
    "Releases": ("upstreamsync.config.spec", "Releases"),
    "Settings": ("upstreamsync.project", "Settings"),
    "Severity": ("upstreamsync.model", "Severity"),
    "SourceKind": ("upstreamsync.sources.job", "SourceKind"),
    "Status": ("upstreamsync.model", "Status"),
    "Toolbox": ("upstreamsync.kit.toolbox", "Toolbox"),
    "UpstreamsyncError": ("upstreamsync.errors", "UpstreamsyncError"),
    "Verdict": ("upstreamsync.model", "Verdict"),
    "Verification": ("upstreamsync.model", "Verification"),
    "find_overlays": ("upstreamsync.verify", "find_overlays"),
    "open": ("upstreamsync.project", "open_project"),
    "verify_trees": ("upstreamsync.verify", "verify_trees"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `upstreamsync` has no attribute `{name}`")
    from importlib import import_module

    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
