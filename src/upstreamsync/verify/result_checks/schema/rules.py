"""The CEL rules that bear on a change: those that are new, and those about what has changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from . import cel
from .model import Defect, Fault, Path, Rule, Schema


class Unknown(NamedTuple):
    """A new rule that was not evaluated, and where."""

    path: Path
    rule: Rule


def check(schema: Schema, value: Any, earlier: Schema | None, old: Any) -> tuple[list[Defect], list[Unknown]]:
    """What the rules say of a value; ``earlier`` and ``old`` are the schema and the value before, where known."""
    broken: list[Defect] = []
    unknown: list[Unknown] = []
    for path, level, now, before, was in _levels(schema, value, earlier, old, ()):
        known = before.rules if before is not None else ()
        for rule in level.rules:
            is_new = rule not in known
            if not is_new and was == now:
                continue
            if cel.asks_for_old(rule) and was is None:
                continue  # there is no step to judge
            outcome = cel.evaluate(rule, level, now, was)
            if outcome is cel.Outcome.BROKEN:
                text = rule.message or f"breaks the rule {rule.expression}"
                broken.append(Defect(path, Fault.RULE, f"is refused: {text}" if rule.message else text))
            elif outcome is cel.Outcome.UNKNOWN and is_new and before is not None:
                unknown.append(Unknown(path, rule))
    return broken, unknown


def _levels(
    schema: Schema, value: Any, earlier: Schema | None, old: Any, path: Path
) -> Iterator[tuple[Path, Schema, Any, Schema | None, Any]]:
    if value is None:
        return
    if schema.rules:
        yield path, schema, value, earlier, old
    if isinstance(value, dict):
        for name, item in value.items():
            below = schema.fields.get(name, schema.values)
            if below is None:
                continue
            before = earlier.fields.get(name, earlier.values) if earlier is not None else None
            yield from _levels(
                below, item, before, old.get(name) if isinstance(old, dict) else None, (*path, name)
            )
    elif isinstance(value, list) and schema.items is not None:
        before = earlier.items if earlier is not None else None
        for index, item in enumerate(value):
            yield from _levels(schema.items, item, before, _partner(schema, item, index, old), (*path, index))


def _partner(schema: Schema, item: Any, index: int, old: Any) -> Any:
    """The element of the old list that the server takes for the same one: that of the same keys."""
    if not isinstance(old, list):
        return None
    if not schema.keys:
        return old[index] if index < len(old) and old[index] == item else None
    key = [item.get(name, default) for name, default in schema.keys] if isinstance(item, dict) else None
    for other in old:
        if isinstance(other, dict) and [other.get(name, default) for name, default in schema.keys] == key:
            return other
    return None
