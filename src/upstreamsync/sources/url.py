"""``url``: one file, or several, each at an address of its own."""

from __future__ import annotations

from upstreamsync.errors import SelectionError
from upstreamsync.kit.redact import redact
from upstreamsync.model import Artifact, ContentFile, Resolved
from upstreamsync.sources import checksums
from upstreamsync.sources.job import Job, name_from_url, safe_name


def fetch(job: Job) -> Artifact:
    """Fetch every address and check what came against the promises."""
    targets = _targets(job)
    checksums.refuse_one_for_many(job, len(targets))
    files = []
    resolved = []
    for name, url in targets.items():
        answer = job.tools.http.get(url, allow_http=job.tools.allow_http)
        checksums.verify(job, url, answer.body)
        files.append(ContentFile(path=name, data=answer.body))
        resolved.append(Resolved(kind="url", location=redact(url), digest=answer.digest))
    return Artifact(resolved=tuple(resolved), files=tuple(sorted(files, key=lambda file: file.path)))


def probe(job: Job) -> None:
    """Ask for every address: what comes is cached, so that the update pays nothing again."""
    for url in _targets(job).values():
        job.tools.http.get(url, allow_http=job.tools.allow_http)


def _targets(job: Job) -> dict[str, str]:
    """File name → URL, filled."""
    declared = job.source.url
    assert declared is not None  # noqa: S101 (the registry calls a kind for its own sources alone)
    if isinstance(declared, str):
        url = job.fill(declared, "url")
        name = job.fill(job.source.file, "file") if job.source.file else name_from_url(url)
        return {safe_name(name, "url"): url}
    targets: dict[str, str] = {}
    for file, address in declared.items():
        name = safe_name(job.fill(file, "url"), "url")
        if name in targets:
            raise SelectionError(f"`url` names the file `{name}` twice", hint="give each its own name")
        targets[name] = job.fill(address, f"url.{file}")
    return targets
