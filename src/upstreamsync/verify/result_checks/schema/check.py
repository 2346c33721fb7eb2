"""Holding an object against a schema, as the API server does: strictly."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .model import Defect, Fault, Path, Schema

#: k8s.io/apimachinery/pkg/api/resource: a signed number with a suffix, or with an exponent.
QUANTITY: Final = re.compile(
    r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?"
)
_NAMES: Final = {
    "quantity": "a quantity", "int-or-string": "a number or a string", "object": "an object", "array": "a list",
    "byte": "a string", "integer": "an integer", "number": "a number", "boolean": "true or false",
    "string": "a string",
}  # fmt: skip


def defects(schema: Schema, value: Any) -> list[Defect]:
    """All that is wrong with ``value``, in the order of its fields."""
    found: list[Defect] = []
    _check(schema, value, [], found)
    return found


def _check(schema: Schema, value: Any, path: list[str | int], found: list[Defect]) -> None:
    kind = schema.type
    if value is None:
        if not schema.lenient and not schema.nullable and kind != "any":
            found.append(Defect(tuple(path), Fault.TYPE, f"is null, and has to be {_NAMES.get(kind, kind)}"))
        return
    if kind == "object":
        if not isinstance(value, dict):
            found.append(_wrong_type(schema, value, path))
            return
        _check_object(schema, value, path, found)
    elif kind == "array":
        if not isinstance(value, list):
            found.append(_wrong_type(schema, value, path))
            return
        _check_list(schema, value, path, found)
    elif kind == "string":
        if not isinstance(value, str):
            found.append(_wrong_type(schema, value, path))
            return
    elif kind == "object-if-object":
        if isinstance(value, dict):
            _check_object(schema, value, path, found)
    elif kind != "any" and not _is(kind, value):
        found.append(_wrong_type(schema, value, path))
        return
    if schema.tests:
        found += [Defect(tuple(path), *wrong) for test in schema.tests if (wrong := test(value)) is not None]


def _check_object(
    schema: Schema, value: Mapping[str, Any], path: list[str | int], found: list[Defect]
) -> None:
    fields, values = schema.fields, schema.values
    unknown: list[str] = []
    for name, item in value.items():
        below = fields.get(name, values)
        if below is not None:
            path.append(name)
            _check(below, item, path, found)
            path.pop()
        elif not schema.open and not (item is None and schema.lenient):
            unknown.append(name)
    found += [Defect((*path, name), Fault.UNKNOWN, "is no field of its kind") for name in unknown]
    found += [
        Defect((*path, name), Fault.REQUIRED, "is required and missing")
        for name in schema.required
        if value.get(name) is None and (schema.lenient or name not in value)
    ]
    if schema.embedded:
        text = "is required of an object in an object"
        found += [
            Defect((*path, name), Fault.REQUIRED, text)
            for name in ("apiVersion", "kind")
            if not value.get(name)
        ]


def _check_list(schema: Schema, value: list[Any], path: list[str | int], found: list[Defect]) -> None:
    if schema.items is not None:
        for index, item in enumerate(value):
            path.append(index)
            _check(schema.items, item, path, found)
            path.pop()
    if schema.keys:
        _check_keys(schema, value, path, found)
    elif schema.unique and len(value) > 1:
        found += [
            Defect((*path, index), Fault.DUPLICATE, f"{item} stands twice in a set")
            for index, item in enumerate(value)
            if item in value[:index]
        ]


def _check_keys(schema: Schema, value: list[Any], path: list[str | int], found: list[Defect]) -> None:
    seen: set[tuple[str, ...]] = set()
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            continue
        if len(schema.keys) == 1:
            name, default = schema.keys[0]
            key: tuple[str, ...] = (repr(item.get(name, default)),)
        else:
            key = tuple([repr(item.get(name, default)) for name, default in schema.keys])
        if key in seen:
            label = ", ".join(f"{name} {item.get(name, default)}" for name, default in schema.keys)
            text = f"is the second element with {label}"
            found.append(Defect((*path, index), Fault.DUPLICATE, text))
        seen.add(key)


def _is(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    match kind:
        case "integer":
            return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        case "number":
            return isinstance(value, (int, float))
        case "int-or-string":
            return isinstance(value, (int, str))
        case "quantity":
            if isinstance(value, str):
                return QUANTITY.fullmatch(value) is not None
            return isinstance(value, (int, float))
        case "byte":
            return isinstance(value, str) and _is_base64(value)
        case _:
            return False


def _is_base64(value: str) -> bool:
    """As Go's decoder, which skips ends of lines, has it."""
    try:
        binascii.a2b_base64(value.replace("\n", "").replace("\r", "").encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    return True


def _wrong_type(schema: Schema, value: Any, path: list[str | int]) -> Defect:
    wanted = _NAMES.get(schema.type, schema.type)
    if schema.type == "byte" and isinstance(value, str):
        return Defect(tuple(path), Fault.TYPE, "is not base64")
    if schema.type == "quantity" and isinstance(value, str):
        return Defect(tuple(path), Fault.TYPE, f'"{value}" is no quantity')
    return Defect(tuple(path), Fault.TYPE, f"is {_told(value)}, and has to be {wanted}")


def _told(value: Any) -> str:
    """A value in a sentence; a long one, and what may be secret, by its type alone."""
    match value:
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def values_along(value: Any, path: Path) -> Iterator[Any]:
    """The value, and what lies at each step of the path below it, as far as it goes."""
    yield value
    for step in path:
        if isinstance(value, list):
            inside = isinstance(step, int) and step < len(value)
        else:
            inside = isinstance(value, dict) and step in value
        if not inside:
            return
        value = value[step]
        yield value
