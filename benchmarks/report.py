"""What was measured, as text for a terminal and as the figures of a page."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import Cost

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number and its limit.

    ``number`` says which demand of the project it answers ("" for a figure that no demand is about);
    ``measured`` is None where it could not be taken, and ``aside`` says why, or what belongs beside it.
    A figure without ``limit`` is told, not judged.
    """

    number: str
    what: str
    measured: float | None
    limit: float | None = None
    unit: str = ""
    aside: str = ""

    @property
    def verdict(self) -> str:
        """holds, MISSED, not measured; empty without a limit."""
        if self.measured is None:
            return "not measured"
        if self.limit is None:
            return ""
        return "holds" if self.measured <= self.limit else "MISSED"

    @property
    def value(self) -> str:
        """The number with its unit, and what belongs beside it."""
        told = "" if self.measured is None else f"{_digits(self.measured)}{_unit(self.unit)}"
        return " ".join(part for part in (told, f"({self.aside})" if self.aside else "") if part)

    @property
    def bound(self) -> str:
        """The limit with its unit."""
        return "" if self.limit is None else f"{_digits(self.limit)}{_unit(self.unit)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table of costs, and the figures that are taken from it.

    Sections of one ``family`` have the same subjects, and become one table of a page; each subject is told
    there in units of the first one, for each of the ``share`` things that it did at once.
    """

    title: str
    costs: Mapping[str, Cost]
    figures: Sequence[Figure] = ()
    lines: Sequence[str] = ()
    family: str = ""
    share: int = 1


def ratio(
    number: str,
    what: str,
    costs: Mapping[str, Cost],
    mine: str,
    other: str,
    limit: float | None = None,
    *,
    share: int = 1,
    absent: str = "",
) -> Figure:
    """Wall time of one subject in units of another one's, the ratio of their CPU times beside it.

    ``share``: ``mine`` did its work so many times. ``absent`` says why a subject is not there.
    """
    if mine not in costs or other not in costs:
        return Figure(number=number, what=what, measured=None, limit=limit, unit="×", aside=absent)
    cpu = costs[mine].cpu / share / max(costs[other].cpu, 1e-9)
    wall = costs[mine].wall / share / costs[other].wall
    return Figure(
        number=number, what=what, measured=wall, limit=limit, unit="×", aside=f"CPU {_digits(cpu)}×"
    )


def seconds(number: str, what: str, cost: Cost, limit: float) -> Figure:
    """CPU time of work that has one thread against a limit in seconds, wall time beside it.

    On an idle machine both are the same; on a busy one wall time says what others do.
    """
    aside = f"wall {_digits(cost.wall)} s"
    return Figure(number=number, what=what, measured=cost.cpu, limit=limit, unit="s CPU", aside=aside)


def print_section(section: Section) -> None:
    """For the terminal, as soon as it is measured."""
    print(f"\n{section.title}")
    width = max((len(name) for name in section.costs), default=0)
    for name, cost in section.costs.items():
        memory = f" {cost.memory:6.0f} MB" if cost.memory else ""
        print(f"  {name:{width}} {cost.wall:7.2f} s wall {cost.cpu:7.2f} s CPU{memory}")
    for figure in section.figures:
        limit = f", limit {figure.bound}: {figure.verdict}" if figure.limit is not None else ""
        print(f"  {figure.what}: {figure.value}{limit}")
    for line in section.lines:
        print(f"  {line}")


def print_summary(sections: Sequence[Section]) -> None:
    """Everything that has a limit, as one table."""
    rows = [("", "what", "measured", "limit", "verdict"), *_summary(sections)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    print("\nSummary")
    for row in rows:
        print("  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    verdicts = [row[-1] for row in rows[1:]]
    print("  " + ", ".join(f"{verdicts.count(word)} {word}" for word in ("holds", "MISSED", "not measured")))


def _summary(sections: Sequence[Section]) -> list[tuple[str, str, str, str, str]]:
    figures = [one for section in sections for one in section.figures if one.limit is not None]
    figures.sort(key=lambda one: one.number or "~")
    return [(one.number, one.what, one.value, one.bound, one.verdict) for one in figures]


def write_page(page: Path, sections: Sequence[Section], conditions: Sequence[str]) -> None:
    """Put the figures between the markers of ``page``. Raises ValueError for a page without them."""
    text = page.read_text("utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} lacks the lines {BEGIN} and {END}")
    figures = "\n".join(_markdown(sections, conditions))
    page.write_text(f"{head}{begin}\n{figures}\n{end}{tail}", "utf-8")


def _markdown(sections: Sequence[Section], conditions: Sequence[str]) -> Iterator[str]:
    yield from (f"- {line}" for line in conditions)
    yield "\n### Limits\n"
    yield from _table(("", "what", "measured", "limit", ""), _summary(sections))
    for family, members in itertools.groupby(sections, key=lambda one: one.family):
        if family:
            yield f"\n### {family}\n"
            yield from _family(list(members))
        else:
            for section in members:
                yield f"\n### {section.title}\n"
                yield from _alone(section)


def _alone(section: Section) -> Iterator[str]:
    rows = [
        (name, f"{cost.wall:.2f} s", f"{cost.cpu:.2f} s", f"{cost.memory:.0f} MB" if cost.memory else "")
        for name, cost in section.costs.items()
    ]
    if rows:
        yield from _table(("", "wall", "CPU", "memory"), rows)
    told = [f"{one.what}: {one.value}" for one in section.figures if one.limit is None or not rows]
    if rows and (told or section.lines):
        yield ""
    yield from (f"- {line}" for line in (*told, *section.lines))


def _family(sections: Sequence[Section]) -> Iterator[str]:
    """One row for each section: wall time and CPU time of each subject, and its wall time in the first one's."""
    first, *others = sections[0].costs
    rows = []
    for section in sections:
        unit = section.costs[first]
        row = [section.title, f"{unit.wall:.2f} ({unit.cpu:.2f}) s"]
        for name in others:
            cost = section.costs[name]
            units = cost.wall / section.share / unit.wall
            row.append(f"{cost.wall:.2f} ({cost.cpu:.2f}) s, {_digits(units)}×")
        rows.append(row)
    yield from _table(("", first, *others), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _digits(value: float) -> str:
    """About three digits, and no powers of ten."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _unit(unit: str) -> str:
    return unit if unit in {"", "×"} else f" {unit}"
