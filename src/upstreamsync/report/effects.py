"""What customizations do now, as text, JSON, Markdown and annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from upstreamsync.effects import Does, Effects, ItemEffect, ObjectEffect
from upstreamsync.kit.kubernetes.values import show
from upstreamsync.model import FieldChange
from upstreamsync.report.annotations import command
from upstreamsync.report.markdown import cell

if TYPE_CHECKING:
    from rich.console import Console

#: How many paths of an object, and objects of a customization, are shown to people; JSON has all.
_PATHS: Final = 6
_OBJECTS: Final = 8
_LONG: Final = 60


def effects_document(effects: Effects) -> dict[str, Any]:
    """``upstreamsync/effects/v1``."""
    return {
        "schema": "upstreamsync/effects/v1",
        "engine": effects.engine,
        "overlays": [
            {
                "path": overlay.path,
                "ok": overlay.error is None,
                "error": overlay.error,
                "items": [_item(item) for item in overlay.items],
                "left_out": [
                    {"what": one.what, "reason": one.reason, "why": one.why, "hint": one.hint}
                    for one in overlay.left_out
                ],
            }
            for overlay in effects.overlays
        ],
        "summary": dict(sorted(Counter(item.does.value for item in effects.items).items())),
    }


def _item(item: ItemEffect) -> dict[str, Any]:
    return {
        "item": item.item,
        "kustomization": item.kustomization,
        "field": item.field,
        "key": item.key,
        "file": item.file,
        "line": item.line,
        "does": item.does.value,
        "why": item.why,
        "expected": item.expected,
        "as_expected": item.is_as_expected,
        "objects": [
            {
                "resource": one.resource,
                "op": one.op,
                "changes": [
                    {"path": change.path, "op": change.op, "before": change.before, "after": change.after}
                    for change in one.changes
                ],
            }
            for one in item.objects
        ],
    }


def print_effects(out: Console, effects: Effects) -> None:
    """Each customization with what it changes; what does nothing is said."""
    from rich.markup import escape

    for overlay in effects.overlays:
        out.print(f"[bold]{escape(overlay.path)}[/]")
        known = {one.why for one in overlay.left_out}
        if overlay.error is not None and overlay.error not in known:
            out.print(f"  [bold red]does not build[/]: {escape(overlay.error)}")
        for one in overlay.left_out:
            out.print(f"  left out {escape(str(one))}")
            if one.hint:
                out.print(f"    hint: {escape(one.hint)}")
        for item in overlay.items:
            style = "red" if item.does is Does.REFUSED or not item.is_as_expected else ""
            style = style or ("yellow" if item.is_idle or item.does is Does.UNKNOWN else "green")
            out.print(f"  [{style}]{escape(_headline(item))}[/] [dim]{escape(item.file)}:{item.line}[/]")
            for line in _lines(item):
                if line not in known:
                    out.print(f"    {escape(line)}")
    counts = Counter(item.does for item in effects.items)
    said = ", ".join(f"{counts[does]} {_WORDS[does]}" for does in Does if counts[does])
    out.print(said or "no customization was found")


_WORDS: Final = {
    Does.CHANGES: "change something",
    Does.NO_MATCH: "match nothing",
    Does.NO_CHANGE: "change nothing",
    Does.REFUSED: "are refused",
    Does.UNKNOWN: "unknown",
}


def _headline(item: ItemEffect) -> str:
    number = len(item.objects)
    said = {
        Does.CHANGES: f"{number} object{'s' * (number != 1)}",
        Does.NO_MATCH: "matches nothing",
        Does.NO_CHANGE: "changes nothing",
        Does.REFUSED: "is refused",
        Does.UNKNOWN: "not known",
    }[item.does]
    unmet = "" if item.is_as_expected else f", {item.expected} expected"
    return f"{item.item}: {said}{unmet}"


def _lines(item: ItemEffect) -> Iterator[str]:
    if item.why:
        yield item.why
    for one in item.objects[:_OBJECTS]:
        yield from _object(one)
    if len(item.objects) > _OBJECTS:
        yield f"and {len(item.objects) - _OBJECTS} more"


def _object(one: ObjectEffect) -> Iterator[str]:
    if one.op != "changed":
        yield f"{one.resource}: {one.op}"
        return
    if len(one.changes) == 1:
        yield f"{one.resource}: {_change(one.changes[0])}"
        return
    yield one.resource
    for change in one.changes[:_PATHS]:
        yield f"  {_change(change)}"
    if len(one.changes) > _PATHS:
        yield f"  and {len(one.changes) - _PATHS} more"


def _change(change: FieldChange) -> str:
    path = change.path.removeprefix(".")
    if change.op == "added":
        return f"{path}: added {_value(change.after)}"
    if change.op == "removed":
        return f"{path}: removed {_value(change.before)}"
    return f"{path}: {_value(change.before)} → {_value(change.after)}"


def _value(value: Any) -> str:
    return show(value, _LONG)


def effects_markdown(effects: Effects) -> str:
    """A table per overlay."""
    lines: list[str] = []
    for overlay in effects.overlays:
        lines += [f"### {cell(overlay.path)}", ""]
        if overlay.error is not None:
            lines += [f"Does not build: {cell(overlay.error)}", ""]
        if overlay.items:
            lines += ["| customization | does | objects |", "|---|---|---|"]
        for item in overlay.items:
            rows = [cell(line) for line in _lines(item)]
            does = _headline(item).removeprefix(f"{item.item}: ")
            where = f"{item.item} ({item.file}:{item.line})"
            lines.append(f"| {cell(where)} | {cell(does)} | {'<br>'.join(rows)} |")
        lines.append("")
    return "\n".join(lines).strip() + "\n"


def effects_annotations(effects: Effects, *, prefix: str = "", strict: bool = False) -> str:
    """An annotation for each customization that is not as it should be, or does nothing."""
    lines = []
    for item in effects.items:
        if item.does is Does.REFUSED or not item.is_as_expected:
            level = "error"
        elif item.is_idle:
            level = "error" if strict else "notice"
        elif item.does is Does.UNKNOWN:
            level = "warning"
        else:
            continue
        text = "\n".join([_headline(item), *([item.why] if item.why else [])])
        lines.append(command(level, text, prefix + item.file, line=item.line, title=item.item))
    return "".join(f"{line}\n" for line in lines)
