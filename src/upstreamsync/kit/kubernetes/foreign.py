"""The one rule for kustomizations that are not the user's own.

Whatever brings them, they may name nothing but what came with them: no addresses, no paths that lead out, no
charts that have to be inflated, no programs. Who builds them later would fetch and run what a stranger wrote
into them. What the user wants all the same is allowed by name.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from upstreamsync.errors import Refused
from upstreamsync.kit.kubernetes.kustomizations import (
    FILE_NAMES,
    Files,
    Reference,
    Role,
    all_references,
)
from upstreamsync.kit.redact import redact
from upstreamsync.model import Place

#: What a source may be allowed: ``remote`` is what lies elsewhere, ``helm`` are charts to be inflated.
ALLOWED: Final = ("remote", "helm")
_LISTED: Final = 5
_ELSEWHERE: Final = (
    "vendor that separately, leave this kustomization out (`exclude`), or allow it with `allow: [remote]`"
)
_OUTSIDE: Final = (
    "take in what it names (`paths`, and less `strip`), leave this kustomization out (`exclude`), or allow it "
    "with `allow: [remote]`"
)


class FilesByPath:
    """The files of something that was fetched, by their paths in it."""

    def __init__(self, content: Mapping[str, bytes]) -> None:
        self._content = content
        self._folders = {"."}
        for path in content:
            while (path := posixpath.dirname(path)) and path not in self._folders:
                self._folders.add(path)

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None where there is none."""
        return self._content.get(path)

    def is_folder(self, path: str) -> bool:
        """Whether a file lies below ``path``."""
        return path in self._folders


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One thing that a kustomization must not name; ``allow`` is what would allow it."""

    reference: Reference
    what: str
    hint: str
    allow: str | None = None

    def __str__(self) -> str:
        return f"{self.reference.file}:{self.reference.line}: {self.what}"


def check(content: Mapping[str, bytes], *, allow: Collection[str] = (), where: str = "") -> None:
    """Hold every kustomization among ``content`` (path → bytes) to the rule; ``where`` is its origin.

    Raises Refused, which names each file and line.
    """
    refuse(list(breaches(content, allow=allow)), where)


def refuse(
    found: Sequence[Breach], where: str, *, place: Place | None = None, hint: str | None = None
) -> None:
    """Raise Refused for what was found, if anything was; ``hint`` in place of its own."""
    if not found:
        return
    said = list(dict.fromkeys(map(str, found)))
    more = f" (and {len(said) - _LISTED} more)" if len(said) > _LISTED else ""
    origin = f"{where}: " if where else ""
    raise Refused(f"{origin}{'; '.join(said[:_LISTED])}{more}", hint=hint or found[0].hint, place=place)


def breaches(content: Mapping[str, bytes], *, allow: Collection[str] = ()) -> Iterator[Breach]:
    """What the kustomizations among ``content`` name and must not, but for what is allowed."""
    files = FilesByPath(content)
    for file in sorted(content):
        if posixpath.basename(file) in FILE_NAMES:
            yield from breaches_of(files, file, allow=allow)


def breaches_of(files: Files, file: str, *, allow: Collection[str] = ()) -> Iterator[Breach]:
    """The same for one kustomization."""
    folder = posixpath.dirname(file) or "."
    for reference in all_references(files, file):
        found = _breach(reference, folder)
        if found is not None and found.allow not in allow:
            yield found


def _breach(reference: Reference, folder: str) -> Breach | None:
    said = redact(reference.text)
    if reference.role in (Role.UNREADABLE, Role.BOUNDLESS):
        return Breach(
            reference=reference,
            what=f"it can't be read as a kustomization: {said}",
            hint="report it to those who published it, or leave it out (`exclude`)",
        )
    if reference.role is Role.PROGRAM:
        return Breach(
            reference=reference,
            what=f"`{reference.field}` asks for a program to be run: {said}",
            hint="vendor what that program makes, or leave this kustomization out (`exclude`)",
        )
    if reference.role is Role.CHART:
        return Breach(
            reference=reference,
            what=f"`{reference.field}` inflates the chart `{said}`",
            hint="use a `helm` source for the chart, or allow it with `allow: [helm]`",
            allow="helm",
        )
    if reference.path(folder) is not None:
        return None
    return Breach(
        reference=reference,
        what=f"`{reference.field}` names `{said}`, which is not in what was fetched",
        hint=_ELSEWHERE if reference.remote else _OUTSIDE,
        allow="remote",
    )
