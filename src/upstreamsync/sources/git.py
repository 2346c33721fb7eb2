"""``git``: files of a git repository, at the release's ref."""

from __future__ import annotations

import dataclasses

from upstreamsync.config.spec import GitSource
from upstreamsync.kit.git.remote import GitTree
from upstreamsync.kit.redact import redact
from upstreamsync.model import Artifact, Resolved
from upstreamsync.sources import checksums
from upstreamsync.sources.job import Job
from upstreamsync.sources.paths import Choice, choose


def fetch(job: Job) -> Artifact:
    """Fetch the files that the globs mean."""
    checksums.refuse(job, "what a git source brings is identified by its commit, which is in the lock")
    git = _git(job)
    tree, resolved = fetch_tree(job, git.repository, git.ref)
    choice = Choice(
        take=tuple(job.fill(glob, "git.paths") for glob in git.paths),
        leave=tuple(job.fill(glob, "git.exclude") for glob in git.exclude),
        strip=job.fill(git.strip, "git.strip") if isinstance(git.strip, str) else git.strip,
    )
    named = choose(tree.paths(), choice, f"`{resolved.location}`")
    content = {file.path: file for file in tree.read(list(named.values()))}
    files = tuple(dataclasses.replace(content[path], path=name) for name, path in named.items())
    return Artifact(resolved=(resolved,), files=files)


def probe(job: Job) -> None:
    """Nothing to do: that the ref exists is how the release is known."""


def fetch_tree(job: Job, repository: str, ref: str | None) -> tuple[GitTree, Resolved]:
    """The tree at ``ref`` (a template; None for the release's own ref), and the fact for the lock."""
    name = job.fill(ref, f"{job.source.kind}.ref") if ref is not None else job.release.ref
    tree = job.tools.git.fetch_tree(repository, name)
    location = f"{redact(repository)}@{name}"
    return tree, Resolved(kind=job.source.kind, location=location, digest=f"git:{tree.commit}")


def _git(job: Job) -> GitSource:
    git = job.source.git
    assert git is not None  # noqa: S101 (the registry calls a kind for its own sources alone)
    return git
