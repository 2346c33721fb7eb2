"""CEL rules of schemas (``x-kubernetes-validations``), evaluated where the library for it is installed.

Kubernetes' own functions are given to it; a rule that needs what is not here is not evaluated, and that is said.
The library (the extra ``cel``) is loaded when the first rule has to be evaluated: most results have none.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from upstreamsync.kit.expressions import Expression, compiled
from upstreamsync.kit.kubernetes.values import quantity

from .model import Rule, Schema

if TYPE_CHECKING:
    from fractions import Fraction

_OLD: Final = re.compile(r"\boldSelf\b")
#: What the rules of names in Kubernetes write otherwise: a field is called by a name that CEL can read.
_ESCAPES: Final = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_RESERVED: Final = frozenset(
    ("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if",
     "import", "let", "loop", "package", "namespace", "return", "var", "void", "while")
)  # fmt: skip
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


class Outcome(Enum):
    """What became of a rule."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"


def asks_for_old(rule: Rule) -> bool:
    """Whether a rule is about the step from the old value to the new one."""
    return _OLD.search(rule.expression) is not None


def evaluate(rule: Rule, schema: Schema, value: Any, old: Any = None) -> Outcome:
    """Whether the rule of a schema holds for a value, given the one before where the rule asks for that."""
    library = _library()
    if library is None:
        return Outcome.UNKNOWN
    try:
        context = library.Context()
        for name, function in _FUNCTIONS.items():
            context.add_function(name, function)
        context.add_variable("self", _given(schema, value))
        if asks_for_old(rule):
            context.add_variable("oldSelf", _given(schema, old))
        result = library.evaluate(rule.expression, context)
    except Exception:
        return Outcome.UNKNOWN
    if not isinstance(result, bool):
        return Outcome.UNKNOWN
    return Outcome.HOLDS if result else Outcome.BROKEN


@lru_cache(maxsize=1)
def _library() -> Any:
    try:
        import cel  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    return cel


def _given(schema: Schema, value: Any) -> Any:
    """A value as rules see it: defaults filled in, names escaped, numbers and moments of their types."""
    if isinstance(value, dict):
        if schema.fields:
            return _fields(schema, value)
        below = schema.values
        return {key: _given(below, item) if below else item for key, item in value.items()}
    if isinstance(value, list):
        return [_given(schema.items, item) if schema.items else item for item in value]
    if schema.type == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if schema.format and isinstance(value, str):
        return _moment(schema.format, value)
    return value


def _fields(schema: Schema, value: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in schema.fields:
        item = value.get(name)
        below = schema.fields[name]
        item = below.default if item is None else item
        if item is not None:
            found[_escaped(name)] = _given(below, item)
    return found


def _escaped(name: str) -> str:
    if name in _RESERVED:
        return f"__{name}__"
    for sign, text in _ESCAPES:
        name = name.replace(sign, text)
    return name


def _moment(form: str, value: str) -> Any:
    try:
        if form in ("date-time", "datetime"):
            return datetime.fromisoformat(value)
        if form == "duration":
            parts = re.findall(r"([0-9.]+)(h|ms|us|µs|ns|m|s)", value)
            return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))
    except ValueError:
        return value
    return value


# -- Kubernetes' own functions, as k8s.io/apiserver/pkg/cel/library names them ------------------------


def _amount(value: Any) -> Fraction:
    found = quantity(value["quantity"] if isinstance(value, dict) else value)
    if found is None:
        raise ValueError("no quantity")
    return found


def _as_quantity(text: str) -> dict[str, str]:
    _amount(text)
    return {"quantity": text}


def _is(check: Callable[[str], object]) -> Callable[[str], bool]:
    def told(text: str) -> bool:
        try:
            return check(text) is not None
        except ValueError:
            return False

    return told


def _url(text: str) -> dict[str, str]:
    parts = urlsplit(text)
    if not parts.scheme and not text.startswith("/"):
        raise ValueError("no URL")
    return {"scheme": parts.scheme, "host": parts.netloc.rpartition("@")[2], "path": parts.path,
            "name": parts.hostname or "", "port": str(parts.port or "")}  # fmt: skip


def _index_of(where: Any, what: Any) -> int:
    if isinstance(where, str):
        return where.find(what)
    return where.index(what) if what in where else -1


def _last_index_of(where: Any, what: Any) -> int:
    if isinstance(where, str):
        return where.rfind(what)
    return max((index for index, item in enumerate(where) if item == what), default=-1)


def _read(pattern: str) -> Expression:
    """An expression of RE2's. Raises ValueError for one that can't be read, or not without google-re2."""
    if (found := compiled(pattern)) is None:
        raise ValueError("no expression that can be evaluated here")
    return found


def _find(text: str, pattern: str) -> str:
    match = _read(pattern).search(text)
    return match[0] if match else ""


def _find_all(text: str, pattern: str, most: int = -1) -> list[str]:
    found = [match[0] for match in _read(pattern).finditer(text)]
    return found if most < 0 else found[:most]


def _split(text: str, by: str, most: int = -1) -> list[str]:
    return text.split(by) if most < 0 else text.split(by, max(most - 1, 0))


def _replace(text: str, old: str, new: str, most: int = -1) -> str:
    return text.replace(old, new, most)


def _substring(text: str, begin: int, end: int | None = None) -> str:
    return text[begin:end]


def _join(items: Sequence[str], by: str = "") -> str:
    return by.join(items)


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "isSorted": lambda items: all(one <= other for one, other in pairwise(items)),
    "sum": sum, "min": min, "max": max, "indexOf": _index_of, "lastIndexOf": _last_index_of,
    "find": _find, "findAll": _find_all, "split": _split, "join": _join, "replace": _replace,
    "substring": _substring, "trim": str.strip, "lowerAscii": str.lower, "upperAscii": str.upper,
    "charAt": lambda text, index: text[index : index + 1],
    "quantity": _as_quantity, "isQuantity": lambda text: quantity(text) is not None,
    "isGreaterThan": lambda one, other: _amount(one) > _amount(other),
    "isLessThan": lambda one, other: _amount(one) < _amount(other),
    "compareTo": lambda one, other: (_amount(one) > _amount(other)) - (_amount(one) < _amount(other)),
    "asInteger": lambda value: int(_amount(value)),
    "asApproximateFloat": lambda value: float(_amount(value)),
    "sign": lambda value: (_amount(value) > 0) - (_amount(value) < 0),
    "isIP": _is(ipaddress.ip_address),
    "isCIDR": _is(lambda text: ipaddress.ip_network(text, strict=False) if "/" in text else None),
    "isURL": _is(_url), "url": _url,
    "getScheme": lambda url: url["scheme"], "getHost": lambda url: url["host"],
    "getHostname": lambda url: url["name"], "getPort": lambda url: url["port"],
    "getEscapedPath": lambda url: url["path"],
}  # fmt: skip
