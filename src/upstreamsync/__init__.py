"""Keep vendored Kubernetes manifests up to date, and prove that local patches still do what they did.

::

    import upstreamsync

    with upstreamsync.open("path/to/repository") as project:
        findings = project.check()                      # what each vendor would move to
        changes = project.update(["argocd"])            # a value; changes.write() touches the disk
        report = project.verify(changes)                # a verdict on every customization
        pull_requests = project.propose(changes, report)

    upstreamsync.verify_trees(before, after, ["overlay"])   # the judge alone, on two folders

Importing this package imports nothing else: each name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upstreamsync.errors import ConfigError, UpstreamsyncError
    from upstreamsync.model import Finding, Judgement, PullRequest, Release, Verification
    from upstreamsync.project import Changes, Project, Settings
    from upstreamsync.project import open_project as open  # noqa: A004 (upstreamsync.open, as the contract has it)
    from upstreamsync.verify import find_overlays, verify_trees

__all__ = [
    "Changes",
    "ConfigError",
    "Finding",
    "Judgement",
    "Project",
    "PullRequest",
    "Release",
    "Settings",
    "UpstreamsyncError",
    "Verification",
    "find_overlays",
    "open",
    "verify_trees",
]

_HOMES = {
    "Changes": ("upstreamsync.project", "Changes"),
    "ConfigError": ("upstreamsync.errors", "ConfigError"),
    "Finding": ("upstreamsync.model", "Finding"),
    "Judgement": ("upstreamsync.model", "Judgement"),
    "Project": ("upstreamsync.project", "Project"),
    "PullRequest": ("upstreamsync.model", "PullRequest"),
    "Release": ("upstreamsync.model", "Release"),
    "Settings": ("upstreamsync.project", "Settings"),
    "UpstreamsyncError": ("upstreamsync.errors", "UpstreamsyncError"),
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
