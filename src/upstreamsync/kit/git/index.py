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


def index(folder: Path) -> Index:
    """The part of the index below a folder; what is ignored is among the others, whole folders as one."""
    words = ("ls-files", "-z", "--stage", "--others", "--directory", "--no-empty-directory")
    files: dict[str, None] = {}
    submodules: dict[str, str] = {}
    others: list[str] = []
    for record in git_command.records(git_command.run(*words, folder=folder).stdout):
        facts, tab, path = record.partition("\t")
        fields = facts.split(" ")
        if not tab or len(fields) != 3 or len(fields[0]) != 6:
            others.append(record)
        elif fields[0] == _SUBMODULE:
            submodules[path] = fields[1]
        else:
            files[path] = None
    return Index(files=tuple(files), submodules=submodules, others=tuple(others))


def to_be_added(folder: Path) -> tuple[str, ...]:
    """The files below a folder that git does not know and does not ignore; repositories in it left out."""
    listed = git_command.run("ls-files", "-z", "--others", "--exclude-standard", folder=folder).stdout
    return tuple(path for path in git_command.records(listed) if not path.endswith("/"))
