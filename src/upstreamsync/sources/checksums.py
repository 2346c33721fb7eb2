"""Digests that were promised: ``checksum:`` of a source, and those that GitHub gives for its assets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from upstreamsync.errors import DigestMismatch, Malformed, SelectionError, UsageError
from upstreamsync.kit.lfs import refuse_pointer
from upstreamsync.kit.redact import redact
from upstreamsync.sources.job import Job, name_from_url

_GNU = re.compile(r"\\?([0-9A-Fa-f]{64}|[0-9A-Fa-f]{128})(?:[ \t]+\*?|[ \t]\*)(\S.*)")
_BSD = re.compile(r"SHA(?:2-)?(?:256|512)[ ]?\((.+)\)[ ]?=[ ]?([0-9A-Fa-f]{64}|[0-9A-Fa-f]{128})")
_BARE = re.compile(r"[0-9A-Fa-f]{64}|[0-9A-Fa-f]{128}")
_LITERAL = re.compile(r"(?:sha256|sha512):[0-9A-Fa-f]+")
_CHECKSUMS_LIMIT = 4 * 1024 * 1024


def verify(job: Job, url: str, data: bytes) -> None:
    """Hold ``data``, fetched from ``url``, against every promise that there is for it.

    Raises DigestMismatch, SelectionError when a checksums file does not mention it, Malformed when it
    is none.
    """
    if promised := _asset_digest(job, url):
        compare(data, promised, url, "the digest that the release gives for it")
    if job.source.checksum is None:
        return
    checksum = job.fill(job.source.checksum, "checksum")
    if _LITERAL.fullmatch(checksum):
        compare(data, checksum, url, "`checksum`")
    else:
        compare(data, _from_file(job, checksum, url), url, f"`{redact(checksum)}`")


def refuse(job: Job, why: str) -> None:
    """For kinds whose content no checksum covers. Raises UsageError when one is declared."""
    if job.source.checksum is not None:
        raise UsageError(f"`checksum` has no meaning for a {job.source.kind} source", hint=why)


def refuse_one_for_many(job: Job, count: int) -> None:
    """Raise SelectionError when one digest is declared for several files."""
    if count > 1 and _LITERAL.fullmatch(job.source.checksum or ""):
        raise SelectionError(
            f"`checksum` is one digest, but {count} files are fetched",
            hint="give the URL of a checksums file, or split the source",
        )


def compare(data: bytes, promised: str, url: str, by: str) -> None:
    """Raise DigestMismatch unless ``promised`` (sha256:<hex> or sha512:<hex>) is the digest of ``data``.

    ContentError where a pointer of Git LFS stands in its place, whatever else was promised.
    """
    algorithm, _, expected = promised.partition(":")
    if algorithm not in {"sha256", "sha512"}:
        raise Malformed(f"`{promised}` is no digest", hint="digests are written sha256:<64 hex digits>")
    actual = hashlib.new(algorithm, data).hexdigest()
    if actual != expected.lower():
        refuse_pointer(data, f"`{redact(url)}`")
        raise DigestMismatch(
            f"`{redact(url)}` is {algorithm}:{actual}, but {by} says {expected.lower()}",
            hint="do not use it: find out from upstream whether it was replaced",
        )


def _asset_digest(job: Job, url: str) -> str | None:
    """The digest of a release asset, if ``url`` is that of this very release and repository."""
    releases = job.vendor.releases
    if releases is None or releases.github is None or not job.release.assets:
        return None
    path = unquote(urlsplit(url).path)
    for name, digest in job.release.assets.items():
        asset = f"/{'/'.join(releases.github.split('/')[-2:])}/releases/download/{job.release.ref}/{name}"
        if path.lower().endswith(asset.lower()):
            return digest
    return None


def _from_file(job: Job, checksums: str, url: str) -> str:
    answer = job.tools.http.get(checksums, limit=_CHECKSUMS_LIMIT, allow_http=job.tools.allow_http)
    refuse_pointer(answer.body, f"`{redact(checksums)}`")
    text = answer.body.decode("utf-8", "replace")
    name = name_from_url(url)
    entries = list(_entries(text))
    if not entries:
        raise Malformed(
            f"`{redact(checksums)}` is no checksums file",
            hint="expected lines as `sha256sum` writes them: <64 hex digits>  <file name>",
        )
    found = {digest for entry, digest in entries if entry is None or entry.rpartition("/")[2] == name}
    if len(found) != 1:
        listed = ", ".join(sorted({f"`{entry}`" for entry, _ in entries if entry})[:10])
        number = "has no entry for" if not found else f"has {len(found)} different entries for"
        raise SelectionError(f"`{redact(checksums)}` {number} `{name}`", hint=f"it lists {listed}")
    digest = found.pop()
    return f"{'sha256' if len(digest) == 64 else 'sha512'}:{digest}"


def _entries(text: str) -> Iterator[tuple[str | None, str]]:
    """File names with digests in hexadecimal; a file that is one bare digest has no name."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and _BARE.fullmatch(lines[0]):
        yield None, lines[0].lower()
        return
    for line in lines:
        if match := _GNU.fullmatch(line):
            yield match[2], match[1].lower()
        elif match := _BSD.fullmatch(line):
            yield match[1], match[2].lower()
