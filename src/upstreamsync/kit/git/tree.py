"""The files of one commit of a remote repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from upstreamsync.errors import (
    NotFound,
    Refused,
    TooLarge,
    Unreachable,
)
from upstreamsync.kit.git.command import Address, Entry
from upstreamsync.kit.paths import check_relative
from upstreamsync.kit.redact import redact
from upstreamsync.model import ContentFile

MAX_FILES = 20_000
MAX_BYTES = 256 * 1024 * 1024


class Reader(Protocol):
    """What gives the content of entries."""

    def read(self, address: Address, entries: Sequence[Entry]) -> dict[str, bytes]:
        """The content by object id."""


class GitTree:
    """The files of one commit. ``commit`` is its full id."""

    __slots__ = ("_address", "_entries", "_git", "commit")

    def __init__(self, *, git: Reader, address: Address, commit: str, entries: tuple[Entry, ...]) -> None:
        self.commit = commit
        self._git = git
        self._address = address
        self._entries: Mapping[str, Entry] = {entry.path: entry for entry in entries if entry.kind == "blob"}

    def paths(self) -> tuple[str, ...]:
        """Every file and link, sorted; submodules are left out, as their content is elsewhere."""
        return tuple(sorted(self._entries))

    def regular(self) -> tuple[str, ...]:
        """Every plain file, sorted; links are left out."""
        return tuple(path for path in sorted(self._entries) if self._entries[path].regular)

    def read(self, paths: Sequence[str]) -> tuple[ContentFile, ...]:
        """The content of files, in the order asked for.

        Raises NotFound for a path that is not there, Refused for a link or a hostile path, TooLarge
        beyond MAX_FILES or MAX_BYTES, and what fetching raises.
        """
        if len(paths) > MAX_FILES:
            raise TooLarge(
                f"{len(paths)} files are asked of `{redact(self._address.url)}`; the limit is {MAX_FILES}",
                hint="narrow the globs",
            )
        entries = [self._entry(path) for path in paths]
        content = self._git.read(self._address, entries)
        lost = [entry.path for entry in entries if entry.oid not in content]
        if lost:
            raise Unreachable(f"`{redact(self._address.url)}` did not give the content of `{lost[0]}`")
        return tuple(
            ContentFile(path=entry.path, data=content[entry.oid], executable=entry.mode == "100755")
            for entry in entries
        )

    def _entry(self, path: str) -> Entry:
        where = f"`{redact(self._address.url)}` at {self.commit[:12]}"
        entry = self._entries.get(path)
        if entry is None:
            raise NotFound(
                f"{where} has no file `{path}`", hint="check the path, and the version's tree upstream"
            )
        if not entry.regular:
            raise Refused(
                f"`{path}` of {where} is a link", hint="name the file that it points to, or exclude it"
            )
        check_relative(path, origin=where)
        return entry
