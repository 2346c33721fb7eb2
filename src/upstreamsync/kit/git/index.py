"""What git knows of a working tree, and what else lies in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from upstreamsync.kit.git import command as git_command

_SUBMODULE = "160000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The files of the index, links among them; its submodules with their commits; and what git does not know.

    All paths are relative to the folder that was asked for. Folders among ``others`` end with a slash.
    """

    files: tuple[str, ...]
    submodules: Mapping[str, str]
    others: tuple[str, ...]


def index(repository: Path, below: str = "") -> Index:
    """The part of a repository's index below a folder; what is ignored is among the others, whole folders as one."""
    words = ("--stage", "--others", "--directory", "--no-empty-directory")
    files: dict[str, None] = {}
    submodules: dict[str, str] = {}
    others: list[str] = []
    for record in _listed(repository, words, below):
        facts, tab, path = record.partition("\t")
        fields = facts.split(" ")
        if not tab or len(fields) != 3 or len(fields[0]) != 6:
            others.append(record.removeprefix(below))
        elif fields[0] == _SUBMODULE:
            submodules[path.removeprefix(below)] = fields[1]
        else:
            files[path.removeprefix(below)] = None
    return Index(files=tuple(files), submodules=submodules, others=tuple(others))


def to_be_added(repository: Path, below: str = "") -> tuple[str, ...]:
    """The files below a folder that git does not know and does not ignore; repositories in it left out."""
    listed = _listed(repository, ("--others", "--exclude-standard"), below)
    return tuple(path.removeprefix(below) for path in listed if not path.endswith("/"))


def _listed(repository: Path, words: tuple[str, ...], below: str) -> list[str]:
    """``below`` is empty, or ends with a slash. Asked at the top: further down a folder may look like a repository."""
    where = ("--", git_command.literal(below)) if below else ()
    return git_command.records(git_command.run("ls-files", "-z", *words, *where, folder=repository).stdout)
