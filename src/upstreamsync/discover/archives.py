"""What a script unpacks: an archive that goes through a pipe to tar, or is unpacked by a later command.

Only folders of the repository that hold YAML are content; a program that lands elsewhere is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from upstreamsync.discover.candidates import Piece
from upstreamsync.discover.kustomizations import normal
from upstreamsync.discover.origins import Origin, templated
from upstreamsync.discover.recipes import following
from upstreamsync.discover.scan import Tree
from upstreamsync.discover.shell import Line, Script

_ARCHIVE = re.compile(r"\.(?:tar\.gz|tgz|tar|zip)$")
_PROGRAMS = ("tar", "bsdtar", "gtar", "unzip")
_MANIFESTS = (".yaml", ".yml")
#: Options with a value of their own, by program: none of these is a member.
_VALUED = {"tar": "CfbTX", "unzip": "dx"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """Where an archive's members go: ``base``, from the root; which ones, and how many folders are cut off."""

    base: str
    members: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    strip: int = 0

    def source(self, origin: Origin, version: str | None) -> Piece:
        """The source that brings the same."""
        # Without members, what is not YAML is not taken anyhow; tar's patterns hold at any depth.
        excluded = (one for one in self.excluded if self.members or one.endswith(("*", *_MANIFESTS)))
        deep = tuple(one if "/" in one else f"**/{one}" for one in excluded)
        texts = [self.members or ("**/*.yaml",), deep]
        paths, exclude = ([templated(one, version) if version else one for one in found] for found in texts)
        spec: dict[str, Any] = {
            "url": templated(origin.url or "", version) if version else origin.url,
            "paths": paths,
            "strip": self.strip,
        }
        return {"archive": {**spec, "exclude": exclude} if exclude else spec}


def unpacked(script: Script, line: Line, origin: Origin, output: str, tree: Tree) -> Unpacked | None:
    """What becomes of a download that is an archive; None where none of it is content of the repository.

    ``output`` is the file that it is written to, empty for a pipe.
    """
    if not _ARCHIVE.search((origin.url or "").partition("?")[0]):
        return None
    for words, where in _commands(script, line, output):
        found = _read(words)
        base = _folder(script, where, found, tree) if found is not None else None
        if found is not None and base is not None:
            return Unpacked(base=base, members=found.members, excluded=found.excluded, strip=found.strip)
    return None


def _commands(script: Script, line: Line, output: str) -> Iterator[tuple[Sequence[str], Line]]:
    for piped in line.piped:
        yield piped.split(), line
    if output:
        for other in following(script, line):
            if line.located(output) in (
                other.located(word.removeprefix("--file=")) for word in other.words[1:]
            ):
                yield other.words, other


def _read(words: Sequence[str]) -> Unpacked | None:
    """The words of tar or unzip; ``base`` is the folder as it is written there."""
    program = words[0].rpartition("/")[2] if words else ""
    if program not in _PROGRAMS:
        return None
    zipped = program == "unzip"
    folder, strip, members, excluded = "", 0, list[str](), list[str]()
    rest = iter(words[1:])
    first = True
    archive = not zipped  # whether the archive's own name needs no more to be passed over
    extracts = zipped
    for word in rest:
        name, equals, value = word.partition("=")
        if name in ("--directory", "--strip-components", "--strip", "--exclude", "--file", "--cd"):
            value = value if equals else next(rest, "")
            folder = value if name in ("--directory", "--cd") else folder
            strip = int(value) if name.startswith("--strip") and value.isdecimal() else strip
            excluded += [value] if name == "--exclude" else []
        elif word.startswith("--"):
            extracts = extracts or word in ("--extract", "--get")
        elif (word.startswith("-") and len(word) > 1) or (first and not zipped):
            extracts = extracts or "x" in word
            for letter in word.lstrip("-"):
                if letter in _VALUED["unzip" if zipped else "tar"]:
                    value = next(rest, "")
                    folder = value if letter == ("d" if zipped else "C") else folder
        elif not archive:
            archive = True
        elif word != "-":
            members.append(word.removeprefix("./").rstrip("/"))
        first = False
    found = Unpacked(base=folder, members=tuple(members), excluded=tuple(excluded), strip=strip)
    return found if extracts else None


def _folder(script: Script, line: Line, found: Unpacked, tree: Tree) -> str | None:
    """The folder of the repository where the members land, if it holds manifests."""
    place = line.located(found.base or ".")
    if place.startswith(("/", "~")) or "$" in place:
        return None
    starts = (script.file.folder,) if script.file.is_make else (script.file.folder, "")
    for start in starts:
        folder = normal(start, place or ".")
        if folder and any(file.path.endswith(_MANIFESTS) for file in tree.below(folder)):
            return folder
    return None
