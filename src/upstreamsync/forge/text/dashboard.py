"""The text of the dashboard: every vendor with its state, what waits for what, and boxes to tick."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from upstreamsync.forge.rules.dashboard import box, line, marker
from upstreamsync.forge.rules.marker import BODY_LIMIT
from upstreamsync.forge.text.markdown import code, details, plural, prose, shorten

TITLE: Final = "upstreamsync dashboard"
_LIMIT: Final = BODY_LIMIT - 2_000
_GROUPS: Final = (
    ("trouble", "Needs a look"),
    ("open", "Open pull requests"),
    ("waiting", "Waiting"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A vendor. ``state`` is ``trouble``, ``open``, ``waiting`` or ``fine``.

    ``key`` names its pull request; ``taken`` says that ``after`` is taken because somebody ticked it, ``ignored`` are
    versions that are passed over for the same reason.
    """

    vendor: str
    state: str
    before: str
    after: str = ""
    why: str = ""
    key: str = ""
    number: int | None = None
    url: str = ""
    draft: bool = False
    taken: bool = False
    ignored: tuple[str, ...] = field(default=())


def dashboard(rows: Sequence[Row], *, config: str, ticked: Collection[str] = ()) -> str:
    """The issue's text. ``ticked`` are marks of boxes that are drawn ticked, where they are drawn."""
    for most in (1_000, 60, 20, 5):
        text = _text(rows, config, ticked, most)
        if len(text) <= _LIMIT:
            break
    return text


def _text(rows: Sequence[Row], config: str, ticked: Collection[str], most: int) -> str:
    about = f"What {code(config)} vendors, as the last run of `upstreamsync pr` found it."
    how = (
        "Tick a box: the next run acts on it. What you write elsewhere in here is overwritten; comments stay."
    )
    parts = [f"{about} {how}", _counts(rows)]
    for state, title in _GROUPS:
        some = [row for row in rows if row.state == state]
        if some:
            told = [_row(row, ticked) for row in some[:most]]
            told += [f"… and {len(some) - most} more."] if len(some) > most else []
            parts.append(f"### {title}\n\n" + "\n".join(told))
    ignored = [line(box("ignore", row.vendor, one), f"{prose(row.vendor)} {code(one)}", ticked)
               for row in rows for one in row.ignored]  # fmt: skip
    if ignored:
        parts.append("### Ignored here\n\nUntick one to have it again.\n\n" + "\n".join(ignored[: most * 2]))
    fine = [row for row in rows if row.state == "fine"]
    if fine:
        listed = "\n".join(f"- {prose(row.vendor)} {code(row.before)}" for row in fine[: most * 5])
        more = f"\n- … and {len(fine) - most * 5} more" if len(fine) > most * 5 else ""
        parts.append(details(f"{plural(len(fine), 'vendor')} up to date", listed + more))
    return "\n\n".join([*parts, marker(config)])


def _counts(rows: Iterable[Row]) -> str:
    states = [row.state for row in rows]
    named = (("open", "open"), ("waiting", "waiting"), ("trouble", "need a look"), ("fine", "up to date"))
    found = [f"{states.count(state)} {word}" for state, word in named if state in states]
    return f"**{plural(len(states), 'vendor')}**: {', '.join(found) or 'none'}."


def _row(row: Row, ticked: Collection[str]) -> str:
    step = (
        f"{code(row.before)} → {code(row.after)}"
        if row.after and row.after != row.before
        else code(row.before)
    )
    where = f", #{row.number}" if row.number else ""
    draft = " (a draft: it needs a person)" if row.draft else ""
    why = f": {prose(shorten(row.why, 300))}" if row.why else ""
    boxes = []
    if row.number and row.key:
        boxes.append(line(box("rebuild", row.key), "rebuild it from the tip of its base", ticked))
    if row.after and row.after != row.before:
        if row.taken:
            boxes.append(
                line(box("take", row.vendor, row.after), "taken before its time; untick to wait", ticked)
            )
        elif row.state == "waiting":
            boxes.append(line(box("take", row.vendor, row.after), f"take {code(row.after)} now", ticked))
        boxes.append(line(box("ignore", row.vendor, row.after), f"ignore {code(row.after)}", ticked))
    return "\n".join([f"- **{prose(row.vendor)}** {step}{where}{draft}{why}", *(f"  {one}" for one in boxes)])
