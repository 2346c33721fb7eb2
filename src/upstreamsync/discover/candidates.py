"""What the readers of ``init`` hand over: one value for each place that names an upstream and a version."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from upstreamsync.model import EMPTY, Place

#: A mapping as it is to stand in vendors.yaml.
Piece = Mapping[str, Any]

_GITHUB = re.compile(r"(?:https://|ssh://git@|git@)github\.com[/:]([\w.-]+/[\w.-]+?)(?:\.git)?/?")


def without_user(url: str) -> str:
    """The URL without the user and password of http(s): they have no place in another file."""
    return re.sub(r"(https?://)[^/@\s]*@", r"\1", url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One mention of an upstream.

    ``names`` are wishes for the vendor's name, best first. ``source`` stands without its base; ``base`` is a
    wish, or (``base_is_real``) the folder that holds the content already. ``unsure`` are sentences for
    the person who reads the file. One that lacks a fact that nothing in the repository tells is not
    ``complete``: it is written as a comment. ``only_version`` says no more than which version stands in a line: it
    gives way to a mention of the same upstream that says the rest. ``guessed`` is whole, but nobody says that it is so.
    """

    names: Sequence[str]
    found: Place
    version: str | None = None
    source: Piece | None = None
    base: str | None = None
    base_is_real: bool = False
    releases: Piece | None = None
    edits: tuple[Piece, ...] = ()
    images: tuple[Piece, ...] = ()
    unsure: tuple[str, ...] = ()
    complete: bool = True
    only_version: bool = False
    guessed: bool = False

    @property
    def upstream(self) -> str:
        """What candidates of one upstream have in common, however they name it."""
        return identity(self.releases or implied(self.source or EMPTY) or {"source": self.source})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A vendor to write: candidates of one upstream at one version, put together.

    ``sources`` are as they are to stand in the file, with a base of their own where they differ. ``guessed``: it is
    not complete for the sole reason that it is a guess.
    """

    name: str
    version: str | None
    sources: tuple[Piece, ...] = ()
    base: str | None = None
    releases: Piece | None = None
    edits: tuple[Piece, ...] = ()
    images: tuple[Piece, ...] = ()
    found: tuple[Place, ...] = field(default=())
    unsure: tuple[str, ...] = ()
    complete: bool = True
    guessed: bool = False

    @property
    def bases(self) -> tuple[str, ...]:
        """Every base folder, in order, without repetition."""
        named = [source.get("base", self.base) for source in self.sources]
        return tuple(dict.fromkeys(base for base in named if base))


def implied(source: Piece) -> Piece | None:
    """The releases that a source implies, as the configuration has it; None for the kinds that imply none."""
    if helm := source.get("helm"):
        if "git" in helm:
            return {"git": helm["git"]}
        return {"helm": {"repository": helm["repository"], "chart": helm["chart"]}}
    for kind in ("git", "kustomize"):
        if kind in source:
            return {"git": source[kind]["repository"]}
    return None


def identity(releases: Piece) -> str:
    """A text that is equal for equal feeds; a repository of GitHub is one, however it is asked."""
    slug = releases.get("github") or releases.get("github_tags")
    if slug is None and (match := _GITHUB.fullmatch(str(releases.get("git", "")))):
        slug = match[1]
    if slug is not None:
        return f"github {str(slug).lower()} {releases.get('tag', '')}"
    return json.dumps(releases, sort_keys=True, default=str)
