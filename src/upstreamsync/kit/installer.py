"""Fetching helm and kustomize from their official archives, checksums verified, into the cache."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from upstreamsync.errors import DigestMismatch, Malformed, RepositoryError, UsageError
from upstreamsync.kit.archives import read_archive
from upstreamsync.kit.http.client import Http
from upstreamsync.kit.run.engines import is_official, seal_file
from upstreamsync.kit.store.seal import seal

#: What is installed where vendors.yaml pins nothing.
DEFAULT_PINS: Mapping[str, str] = {"helm": "4.1.4", "kustomize": "5.7.1"}
_LIMIT = 128 * 1024 * 1024
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Where a tool's archive and its checksum lie, and which member of the archive is the program."""

    archive: str
    checksums: str
    file: str


def download(name: str, version: str, *, mirror: str | None = None) -> Download:
    """The official download of ``name`` for this machine; ``mirror`` holds the same files in one folder.

    Raises UsageError for a machine that the projects publish nothing for.
    """
    system = platform.system().lower()
    machine = _ARCHITECTURES.get(platform.machine().lower())
    if system not in ("linux", "darwin") or machine is None:
        raise UsageError(
            f"{name} is not published for {platform.system()} on {platform.machine()}",
            hint=f"install {name} yourself and name it in {name.upper()}",
        )
    bare = version.removeprefix("v")
    if name == "helm":
        file = f"helm-v{bare}-{system}-{machine}.tar.gz"
        folder = mirror or "https://get.helm.sh"
        return Download(archive=f"{folder}/{file}", checksums=f"{folder}/{file}.sha256sum", file=file)
    file = f"kustomize_v{bare}_{system}_{machine}.tar.gz"
    official = "https://github.com/kubernetes-sigs/kustomize/releases/download"
    folder = mirror or f"{official}/kustomize%2Fv{bare}"
    return Download(archive=f"{folder}/{file}", checksums=f"{folder}/checksums.txt", file=file)


def install(
    name: str, version: str, http: Http, folder: Path, *, key: bytes, mirror: str | None = None
) -> Path:
    """Fetch one tool into ``folder`` and return its place; one that is there already stays, if it is official.

    What comes out of the archive is sealed with ``key``, so that it can be held against the official checksum
    each time it is taken, without asking for that again.

    Raises UpstreamError when it can't be fetched, DigestMismatch when the checksum differs.
    """
    target = folder / f"{name}-{version.removeprefix('v')}" / name
    if target.is_file() and is_official(target, key):
        return target
    where = download(name, version, mirror=mirror.rstrip("/") if mirror else None)
    expected = _checksum(http.get(where.checksums, limit=1_000_000).body, where)
    data = http.get(where.archive, limit=_LIMIT).body
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise DigestMismatch(
            f"{where.archive} has the digest {found}; its checksum file says {expected}",
            hint="try again; if it stays so, do not use this download",
        )
    program = _program(data, name, where)
    _place(seal(key, ("tool", target.parent.name), program), seal_file(target), mode=0o644)
    _place(program, target, mode=0o755)
    return target


def _checksum(listing: bytes, where: Download) -> str:
    for line in listing.decode("utf-8", "replace").splitlines():
        match = re.fullmatch(r"([0-9a-f]{64})[ *\t]+(?:.*/)?(\S+)", line.strip())
        if match and match.group(2) == where.file:
            return match.group(1)
    raise Malformed(f"{where.checksums} has no checksum of {where.file}")


def _program(data: bytes, name: str, where: Download) -> bytes:
    for member in read_archive(data, name=where.file):
        if member.path.rpartition("/")[2] == name:
            return member.data
    raise Malformed(f"{where.archive} holds no program `{name}`")


def _place(data: bytes, target: Path, *, mode: int) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        part.write_bytes(data)
        part.chmod(mode)
        part.replace(target)
    except OSError as error:
        raise RepositoryError(
            f"{target} can't be written: {error.strerror}", hint="choose another folder with --cache-dir"
        ) from None
