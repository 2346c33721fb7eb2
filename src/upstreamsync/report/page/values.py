"""What the page shows, as values; ``render`` turns them into HTML, and knows nothing else.

Texts that may be long stand in ``Page.texts``, each once; everything else refers to them by their numbers. The
page draws them when somebody opens what they belong to.
"""

from __future__ import annotations

from dataclasses import dataclass

#: A range of lines that is marked, from 1, and whether just that was changed (or what it stands in).
Mark = tuple[int, int, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorRow:
    """One vendor in the overview. ``tone`` is ``good``, ``new``, ``wait`` or ``bad``.

    ``notes`` are sentences; ``links`` are (name, URL). ``release_notes`` are upstream's own words about
    the version to move to.
    """

    name: str
    state: str
    tone: str = "good"
    current: str = ""
    target: str = ""
    published: str = ""
    notes: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    release_notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """An object before and after, by the numbers of its texts; ``op`` is added, removed, changed or same."""

    name: str
    op: str
    before: int | None = None
    after: int | None = None
    marks_before: tuple[Mark, ...] = ()
    marks_after: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A piece of a file of the user's that begins at ``line``; ``note`` instead of a text that is not shown."""

    file: str
    line: int
    text: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing that is said of a customization."""

    verdict: str
    severity: str
    reason: str
    why: str
    hint: str = ""
    proven: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """One cause: a customization, what is said of it, and all that it concerns.

    ``same`` are further customizations of which the same is said; ``before`` says that it is no doing of the
    update's. ``fix`` is (title, text before, text after) of a mechanical correction.
    """

    anchor: str
    item: str
    place: str
    verdict: str
    severity: str
    told: tuple[Told, ...]
    overlays: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    before: str = ""
    excerpt: Excerpt | None = None
    fix: tuple[str, int, int] | None = None
    objects: tuple[ObjectRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayRow:
    """One overlay: the objects that differ in it. ``subject`` is the vendor whose update that is, if it is one's."""

    path: str
    subject: str
    counts: str
    objects: tuple[ObjectRow, ...] = ()
    well: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A short statement and where it holds; ``mark`` is its rule or kind, ``text`` the sentence."""

    mark: str
    subject: str
    text: str
    overlays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    """An image before and after; empty where it is new or gone."""

    before: str
    after: str
    overlays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All of it. ``summary`` are (number, word, anchor, tone); ``well`` counts the customizations that are ok."""

    command: str
    title: str
    summary: tuple[tuple[int, str, str, str], ...] = ()
    engine: str = ""
    vendors: tuple[VendorRow, ...] = ()
    findings: tuple[FindingRow, ...] = ()
    well: int = 0
    problems: tuple[Line, ...] = ()
    overlays: tuple[OverlayRow, ...] = ()
    images: tuple[ImageRow, ...] = ()
    dangers: tuple[Line, ...] = ()
    unjudged: tuple[Line, ...] = ()
    reproduce: str = ""
    texts: tuple[str, ...] = ()
