"""Reading archives from strangers: in memory, within limits, and nothing but plain files in plain folders."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from upstreamsync.errors import Malformed, Refused, TooLarge
from upstreamsync.kit.lfs import refuse_pointer
from upstreamsync.kit.paths import check_relative, fold
from upstreamsync.model import ContentFile

MAX_FILES = 20_000
MAX_BYTES = 512 * 1024 * 1024
#: An archive that unpacks to more than this times its size, beyond _RATIO_FROM bytes, is a bomb.
MAX_RATIO = 200
_RATIO_FROM = 32 * 1024 * 1024
_CHUNK = 1 << 20
#: How much of a gzip member is looked at first.
_FIRST = 256
_HINT = "nothing was unpacked; check the address, and report it to those who published it"


@dataclass(slots=True)
class _Budget:
    """How much may still come out of one archive."""

    name: str
    packed: int
    max_files: int
    max_bytes: int
    files: int = 0
    size: int = 0

    def member(self) -> None:
        self.files += 1
        if self.files > self.max_files:
            raise TooLarge(f"{self.name} has more than {self.max_files} entries", hint=_HINT)

    def grow(self, size: int) -> None:
        self.size += size
        if self.size > self.max_bytes:
            raise TooLarge(f"{self.name} unpacks to more than {self.max_bytes} bytes", hint=_HINT)
        if self.size > _RATIO_FROM and self.size > self.packed * MAX_RATIO:
            raise TooLarge(f"{self.name} unpacks to more than {MAX_RATIO} times its size", hint=_HINT)


def read_archive(
    data: bytes,
    *,
    name: str,
    max_files: int = MAX_FILES,
    max_bytes: int = MAX_BYTES,
    skip_links: bool = False,
) -> tuple[ContentFile, ...]:
    """The files of a tar, tar.gz or zip archive, sorted by path; what it is, is seen from its bytes.

    ``name`` stands in messages. ``skip_links`` leaves links out instead of refusing the archive.

    Raises Malformed for what is no archive or is damaged, Refused for links, devices, paths that leave
    the folder, names that are there twice or differ in case alone, TooLarge beyond the limits, ContentError
    for a pointer of Git LFS.
    """
    where = f"`{name}`"
    refuse_pointer(data, where)
    budget = _Budget(name=where, packed=max(len(data), 1), max_files=max_files, max_bytes=max_bytes)
    try:
        if data[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
            members = _zip(data, where, budget, skip_links=skip_links)
        else:
            plain = _gunzip(data, where, budget) if data[:2] == b"\x1f\x8b" else data
            members = _tar(plain, where, budget, skip_links=skip_links)
        return _collected(members, where)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise Malformed(f"{where} is not an archive that can be read: {error}", hint=_HINT) from None
    except (ValueError, OverflowError, IndexError, KeyError, UnicodeError) as error:
        raise Malformed(f"{where} is a damaged archive: {error}", hint=_HINT) from None


def _collected(members: Iterator[ContentFile], where: str) -> tuple[ContentFile, ...]:
    """All files, none of which may stand in another's way on any file system."""
    files: dict[str, ContentFile] = {}
    folders: dict[str, str] = {}
    for member in members:
        check_relative(member.path, origin=where)
        folded = fold(member.path)
        if folded in files:
            other = files[folded].path
            how = "twice" if other == member.path else f"and `{other}`, which some systems can't tell apart"
            raise Refused(f"{where} has `{member.path}` {how}", hint=_HINT)
        files[folded] = member
        parts = member.path.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if folders.setdefault(fold(folder), folder) != folder:
                raise Refused(
                    f"{where} has the folders `{folder}` and `{folders[fold(folder)]}`, "
                    "which some systems can't tell apart",
                    hint=_HINT,
                )
    if clash := sorted(files.keys() & folders.keys()):
        raise Refused(f"{where} has `{files[clash[0]].path}` both as a file and as a folder", hint=_HINT)
    return tuple(sorted(files.values(), key=lambda file: file.path))


def _gunzip(data: bytes, where: str, budget: _Budget) -> bytes:
    """Unpack gzip, several members if need be, never beyond the budget."""
    # The tar around the files is larger than they: headers and padding, up to 1 KiB for each.
    ceiling = _Budget(
        name=where, packed=budget.packed, max_files=0, max_bytes=budget.max_bytes + 2048 * budget.max_files
    )
    parts: list[bytes] = []
    position = 0
    while data[position : position + 2] == b"\x1f\x8b":
        position = _member(data, position, where, ceiling, parts)
    return b"".join(parts)


def _member(data: bytes, position: int, where: str, ceiling: _Budget, parts: list[bytes]) -> int:
    """Unpack the gzip member that begins at ``position``; where it ends.

    zlib hands back a copy of all that it was given and did not use: it is given little, and more as it goes
    on, so that many small members cost no more than one of their size.
    """
    member = zlib.decompressobj(wbits=31)
    step = _FIRST
    while True:
        given = data[position : position + step]
        part = member.decompress(given, _CHUNK)
        left = member.unused_data if member.eof else member.unconsumed_tail
        position += len(given) - len(left)
        step = min(step * 4, _CHUNK)
        ceiling.grow(len(part))
        parts.append(part)
        if member.eof:
            return position
        if not part and not given:
            raise Malformed(f"{where} ends in the middle", hint="it was not fetched whole, or is damaged")


def _tar(data: bytes, where: str, budget: _Budget, *, skip_links: bool) -> Iterator[ContentFile]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for member in archive:
            budget.member()
            path = member.name.removeprefix("./")
            if member.isdir():
                if path.strip("/.") or ".." in path:
                    check_relative(path.rstrip("/"), origin=where)
                continue
            if member.issym() or member.islnk():
                if skip_links:
                    continue
                raise Refused(f"{where} has `{path}`, which is a link", hint=_HINT)
            if not member.isreg() or member.issparse():
                raise Refused(f"{where} has `{path}`, which is neither a file nor a folder", hint=_HINT)
            budget.grow(member.size)
            content = archive.extractfile(member)
            body = content.read() if content is not None else b""
            if len(body) != member.size:
                raise Malformed(f"{where} ends in the middle of `{path}`", hint=_HINT)
            yield ContentFile(path=path, data=body, executable=bool(member.mode & 0o100))


#: Python unpacks no others by and by: one megabyte of bzip2 may be gigabytes before they can be counted.
_METHODS = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))


def _zip(data: bytes, where: str, budget: _Budget, *, skip_links: bool) -> Iterator[ContentFile]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            budget.member()
            path = member.filename.removeprefix("./")
            # In the raw name a NUL would hide the rest, and a backslash may have been made a slash.
            if member.orig_filename != member.filename:
                raise Refused(f"{where} has a name that is read in two ways: `{path}`", hint=_HINT)
            mode = member.external_attr >> 16
            if member.is_dir():
                check_relative(path.rstrip("/"), origin=where)
                continue
            kind = stat.S_IFMT(mode)
            if kind == stat.S_IFLNK:
                if skip_links:
                    continue
                raise Refused(f"{where} has `{path}`, which is a link", hint=_HINT)
            if kind not in {0, stat.S_IFREG}:
                raise Refused(f"{where} has `{path}`, which is neither a file nor a folder", hint=_HINT)
            if member.flag_bits & 0x1:
                raise Malformed(f"{where} is encrypted", hint=_HINT)
            if member.compress_type not in _METHODS:
                raise Malformed(f"{where} has `{path}`, packed by a method that is not deflate", hint=_HINT)
            yield ContentFile(
                path=path, data=_inflated(archive, member, budget), executable=bool(mode & 0o100)
            )


def _inflated(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: _Budget) -> bytes:
    """One member's content, counted as it comes: the size that its header states may be a lie."""
    parts: list[bytes] = []
    with archive.open(member) as content:
        while part := content.read(_CHUNK):
            budget.grow(len(part))
            parts.append(part)
    return b"".join(parts)
