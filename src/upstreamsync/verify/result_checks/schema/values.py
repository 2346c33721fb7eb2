"""What a schema says of a value beyond its type: enum, pattern, bounds, formats, and alternatives."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Any, Final
from urllib.parse import urlsplit

from upstreamsync.kit.expressions import compiled
from upstreamsync.verify.result_checks.addresses import is_address, is_network

from .model import Fault, Schema, Test

#: Makes a test of a schema; None where the schema is not meant so.
Make = Callable[[Mapping[str, Any]], Test | None]

_DURATION: Final = re.compile(
    r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*|0"
)
_LONG_DURATION: Final = re.compile(
    r"(?i)(\d+)\s*(ns|us|µs|ms|s|m|h|d|w|nano|nanos|micro|micros|milli|millis|seconds?|minutes?|hours?|days?|weeks?)"
)
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d)")
_EMAIL: Final = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
)
_PLACES: Final = {"int32": 2**31, "int64": 2**63}


def tests_of(spec: Mapping[str, Any], compiled: Callable[[Mapping[str, Any]], Schema]) -> tuple[Test, ...]:
    """The tests that a schema asks for; ``compiled`` makes schemas of those inside it."""
    found: list[Test] = []
    if isinstance(spec.get("enum"), list):
        found.append(_enum(spec["enum"]))
    if isinstance(spec.get("pattern"), str):
        found += _pattern(spec["pattern"])
    if isinstance(spec.get("format"), str):
        found += _format(spec["format"])
    if _LIMITS.keys() & spec.keys():
        found += [test for name, make in _LIMITS.items() if name in spec and (test := make(spec)) is not None]
    if spec.get("uniqueItems") is True:
        found.append(_unique)
    found += _alternatives(spec, compiled)
    return tuple(found)


def _enum(allowed: Sequence[Any]) -> Test:
    told = ", ".join(json.dumps(item) for item in allowed[:8]) + (", …" if len(allowed) > 8 else "")

    def test(value: Any) -> tuple[Fault, str] | None:
        if any(value == item and isinstance(value, bool) == isinstance(item, bool) for item in allowed):
            return None
        given = json.dumps(value) if isinstance(value, (str, int, float)) else "the value"
        return Fault.ENUM, f"is {given}, and has to be one of {told}"

    return test


def _pattern(pattern: str) -> list[Test]:
    def test(value: Any) -> tuple[Fault, str] | None:
        if not isinstance(value, str) or len(value) > _LONGEST:
            return None
        expression = compiled(pattern)
        if expression is None or expression.search(value):
            return None
        return Fault.VALUE, f"does not match {pattern}"

    return [test]


#: No longer text is held against a pattern.
_LONGEST: Final = 4096


def _format(name: str) -> list[Test]:
    if name in _PLACES:
        return [_integer(name, _PLACES[name])]
    check = _FORMATS.get(name)
    if check is None:
        return []

    def test(value: Any) -> tuple[Fault, str] | None:
        if not isinstance(value, str) or check(value):
            return None
        return Fault.VALUE, f"is no {name}"

    return [test]


def _integer(name: str, limit: int) -> Test:
    def test(value: Any) -> tuple[Fault, str] | None:
        if not isinstance(value, int) or -limit <= value < limit:
            return None
        return Fault.VALUE, f"is no {name}"

    return test


def _is_uri(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme) or value.startswith("/")


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_uuid(value: str) -> bool:
    import uuid  # few objects have one, and it takes a while to load

    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


def _is_date(value: str) -> bool:
    return re.fullmatch(r"\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])", value) is not None


#: The formats that the API server knows (k8s.io/kube-openapi/pkg/validation/strfmt); others say nothing.
_FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "ipv4": lambda value: is_address(value) and ":" not in value,
    "ipv6": lambda value: is_address(value) and ":" in value,
    "cidr": is_network,
    "date": _is_date,
    "date-time": lambda value: _DATE_TIME.fullmatch(value) is not None,
    "datetime": lambda value: _DATE_TIME.fullmatch(value) is not None,
    "duration": lambda value: bool(_DURATION.fullmatch(value) or _LONG_DURATION.fullmatch(value)),
    "email": lambda value: _EMAIL.fullmatch(value) is not None,
    "hostname": lambda value: _HOST.fullmatch(value) is not None,
    "uri": _is_uri,
    "uuid": _is_uuid,
    "byte": _is_base64,
}


def _bound(field: str, exclusive: str, text: str, holds: Callable[[Any, Any], bool]) -> Make:
    def make(spec: Mapping[str, Any]) -> Test | None:
        limit, strictly = spec[field], spec.get(exclusive) is True
        if not isinstance(limit, (int, float)):
            return None

        def test(value: Any) -> tuple[Fault, str] | None:
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                return None
            if holds(value, limit) and not (strictly and value == limit):
                return None
            return Fault.VALUE, f"is {value}, and has to be {text}{' and not' if strictly else ''} {limit}"

        return test

    return make


def _length(field: str, text: str, kind: type[Sized], holds: Callable[[int, int], bool]) -> Make:
    def make(spec: Mapping[str, Any]) -> Test | None:
        limit = spec[field]
        if not isinstance(limit, int):
            return None

        def test(value: Any) -> tuple[Fault, str] | None:
            if not isinstance(value, kind) or holds(len(value), limit):
                return None
            return Fault.VALUE, f"has {len(value)} {text} {limit}"

        return test

    return make


def _multiple(spec: Mapping[str, Any]) -> Test | None:
    step = spec["multipleOf"]
    if not isinstance(step, (int, float)) or not step:
        return None

    def test(value: Any) -> tuple[Fault, str] | None:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return None
        quotient = value / step
        return None if abs(quotient - round(quotient)) < 1e-9 else (Fault.VALUE, f"is no multiple of {step}")

    return test


_LIMITS: Final[Mapping[str, Make]] = {
    "minimum": _bound("minimum", "exclusiveMinimum", "at least", lambda value, limit: value >= limit),
    "maximum": _bound("maximum", "exclusiveMaximum", "at most", lambda value, limit: value <= limit),
    "minLength": _length("minLength", "signs, of at least", str, lambda size, limit: size >= limit),
    "maxLength": _length("maxLength", "signs, of at most", str, lambda size, limit: size <= limit),
    "minItems": _length("minItems", "elements, of at least", list, lambda size, limit: size >= limit),
    "maxItems": _length("maxItems", "elements, of at most", list, lambda size, limit: size <= limit),
    "minProperties": _length("minProperties", "fields, of at least", dict, lambda size, limit: size >= limit),
    "maxProperties": _length("maxProperties", "fields, of at most", dict, lambda size, limit: size <= limit),
    "multipleOf": _multiple,
}


def _unique(value: Any) -> tuple[Fault, str] | None:
    if isinstance(value, list) and any(item in value[:index] for index, item in enumerate(value)):
        return Fault.VALUE, "has an element twice"
    return None


def _alternatives(spec: Mapping[str, Any], compiled: Callable[[Mapping[str, Any]], Schema]) -> list[Test]:
    """allOf, anyOf, oneOf and not; the check is handed in when it is first used, as it uses this module."""
    found: list[Test] = []
    for name, fits, text in (
        ("allOf", lambda count, of: count == of, "does not match all that is asked of it"),
        ("anyOf", lambda count, _: count > 0, "matches none of the alternatives"),
        ("oneOf", lambda count, _: count == 1, "does not match exactly one of the alternatives"),
    ):
        parts = spec.get(name)
        if isinstance(parts, list) and parts and all(isinstance(part, dict) for part in parts):
            found.append(_counted([compiled(part) for part in parts], fits, text))
    if isinstance(spec.get("not"), dict):
        found.append(_counted([compiled(spec["not"])], lambda count, _: count == 0, "is what it must not be"))
    return found


def _counted(schemas: Sequence[Schema], fits: Callable[[int, int], bool], text: str) -> Test:
    def test(value: Any) -> tuple[Fault, str] | None:
        from .check import defects

        count = sum(not defects(schema, value) for schema in schemas)
        return None if fits(count, len(schemas)) else (Fault.VALUE, text)

    return test
