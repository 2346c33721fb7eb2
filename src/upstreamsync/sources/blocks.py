"""Code blocks of a page as values, and the choice of one among them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from upstreamsync.errors import SelectionError
from upstreamsync.kit.pages import INCLUDE, INVISIBLE, ODD_SPACES

#: Languages that have two names.
_SAME = {"yml": "yaml", "md": "markdown", "shell": "sh", "bash": "sh", "console": "sh"}
_ANCHOR_MARKS = "#¶§🔗"
_LISTED = 12
#: Ids as Hugo, kramdown and Python-Markdown write them behind a heading.
_ID = re.compile(r"\s*\{:?\s*#[^{}]*\}\s*$")
_ADDRESS = re.compile(r"https?://\S+")
_PLAIN_SPACES = {ord(space): " " for space in ODD_SPACES} | {ord(nothing): None for nothing in INVISIBLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One code block: its text, its language if the page says one, and the headings that it stands under.

    ``headings`` goes from the outermost to the nearest.
    """

    text: str
    language: str | None
    headings: tuple[str, ...]

    def __str__(self) -> str:
        first = next((line.strip() for line in self.text.splitlines() if line.strip()), "")
        where = f"under “{self.headings[-1]}”" if self.headings else "before any heading"
        return f"{self.language or 'no language'} {where}: {first[:60]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The conditions on a block; all that are not None have to hold."""

    heading: str | None = None
    language: str | None = None
    contains: str | None = None
    index: int | None = None


class Headings:
    """The headings above a place, while a page is read from its top."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def enter(self, level: int, text: str) -> None:
        """A heading of ``level`` closes those of its own level and below."""
        self._open = [*[one for one in self._open if one[0] < level], (level, heading_text(text))]

    @property
    def path(self) -> tuple[str, ...]:
        """From the outermost to the nearest."""
        return tuple(text for _, text in self._open)


def heading_text(text: str) -> str:
    """A heading's words, without the mark of a permanent link or an id (``{#install}``) at its end."""
    words = " ".join(text.split())
    return _ID.sub("", words).rstrip(_ANCHOR_MARKS + " ")


def repaired(text: str) -> tuple[str, int]:
    """A block with plain spaces where its page has others, and without what nobody sees; how many there were."""
    plain = text.translate(_PLAIN_SPACES)
    odd = sum(text.count(character) for character in ODD_SPACES + INVISIBLE)
    return plain, odd


def include_of(block: Block) -> str | None:
    """The directive by which the page takes the block's text from elsewhere, if it does nothing else."""
    lines = [line for line in block.text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) == 1 and (INCLUDE.fullmatch(lines[0]) or _ADDRESS.fullmatch(lines[0].strip())):
        return lines[0].strip()
    return None


def includes_on(page: str) -> list[str]:
    """The directives of a page that take something from elsewhere, for the hint of what is not found."""
    return [match[0].strip() for match in INCLUDE.finditer(page)]


def language_name(text: str) -> str | None:
    """A language as compared: lower case, one name for each."""
    name = text.strip().lower()
    return _SAME.get(name, name) or None


def with_final_newline(text: str) -> str:
    """Pages differ in whether a block ends with a line break; a file always does."""
    return text if text.endswith("\n") else f"{text}\n"


def choose(blocks: Sequence[Block], wanted: Wanted, page: str) -> Block:
    """The one block for which all conditions hold.

    Raises SelectionError saying which condition left none, or which blocks remain.
    """
    left = list(blocks)
    for condition, keeps in _conditions(wanted):
        kept = [block for block in left if keeps(block)]
        if not kept:
            raise SelectionError(
                f"{page}: no code block {'' if left == list(blocks) else 'of those left '}has {condition}",
                hint=_closest(left, wanted) + _listing(left),
            )
        left = kept
    if not left:
        raise SelectionError(f"{page} has no code block", hint="is it the right address?")
    if wanted.index is not None:
        if not -len(left) <= wanted.index < len(left):
            raise SelectionError(
                f"{page}: `index` is {wanted.index}, but {len(left)} code blocks fit", hint=_listing(left)
            )
        return left[wanted.index]
    if len(left) > 1:
        raise SelectionError(
            f"{page}: {len(left)} code blocks fit, but exactly one has to",
            hint=f"narrow down with `heading`, `language`, `contains` or `index`; {_listing(left)}",
        )
    return left[0]


def _conditions(wanted: Wanted) -> list[tuple[str, Callable[[Block], bool]]]:
    found: list[tuple[str, Callable[[Block], bool]]] = []
    if wanted.heading is not None:
        heading = heading_text(wanted.heading).casefold()
        found.append(
            (
                f"the heading `{wanted.heading}` above it",
                lambda block: heading in {one.casefold() for one in block.headings},
            )
        )
    if wanted.language is not None:
        language = language_name(wanted.language)
        found.append((f"the language `{wanted.language}`", lambda block: block.language == language))
    if wanted.contains is not None:
        text = wanted.contains
        found.append((f"the text {text!r} in it", lambda block: text in block.text))
    return found


def _closest(blocks: Sequence[Block], wanted: Wanted) -> str:
    if wanted.heading is None:
        return ""
    headings = {one.casefold(): one for block in blocks for one in block.headings}
    near = difflib.get_close_matches(heading_text(wanted.heading).casefold(), headings, n=1)
    return f"did you mean the heading `{headings[near[0]]}`? " if near else ""


def _listing(blocks: Sequence[Block]) -> str:
    if not blocks:
        return "the page has no code blocks at all: is it the right address?"
    shown = [f"[{number}] {block}" for number, block in enumerate(blocks[:_LISTED])]
    if len(blocks) > _LISTED:
        shown.append(f"and {len(blocks) - _LISTED} more")
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", "?", "there are: " + " · ".join(shown))
