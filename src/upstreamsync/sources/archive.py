"""``archive``: files of a tar.gz, tgz, tar or zip archive."""

from __future__ import annotations

import dataclasses

from upstreamsync.config.spec import ArchiveSource
from upstreamsync.kit.archives import read_archive
from upstreamsync.kit.redact import redact
from upstreamsync.model import Artifact, Resolved
from upstreamsync.sources import checksums
from upstreamsync.sources.job import Job
from upstreamsync.sources.paths import Choice, choose


def fetch(job: Job) -> Artifact:
    """Fetch the archive, check it against the promises, and take the members that the globs mean."""
    spec = _archive(job)
    url = job.fill(spec.url, "archive.url")
    answer = job.tools.http.get(url, allow_http=job.tools.allow_http)
    checksums.verify(job, url, answer.body)
    members = {file.path: file for file in read_archive(answer.body, name=redact(url))}
    choice = Choice(
        take=tuple(job.fill(glob, "archive.paths") for glob in spec.paths),
        leave=tuple(job.fill(glob, "archive.exclude") for glob in spec.exclude),
        strip=job.fill(spec.strip, "archive.strip") if isinstance(spec.strip, str) else spec.strip,
    )
    named = choose(sorted(members), choice, f"`{redact(url)}`")
    files = tuple(dataclasses.replace(members[path], path=name) for name, path in named.items())
    return Artifact(
        resolved=(Resolved(kind="archive", location=redact(url), digest=answer.digest),), files=files
    )


def probe(job: Job) -> None:
    """Ask for the archive."""
    job.tools.http.get(job.fill(_archive(job).url, "archive.url"), allow_http=job.tools.allow_http)


def _archive(job: Job) -> ArchiveSource:
    archive = job.source.archive
    assert archive is not None  # noqa: S101 (the registry calls a kind for its own sources alone)
    return archive
