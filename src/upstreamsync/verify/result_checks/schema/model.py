"""A schema as the checks need it, and what an object may do wrong against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from upstreamsync.model import EMPTY

#: The steps from an object to a value in it: fields, and indices of lists.
Path = tuple[str | int, ...]


class Fault(StrEnum):
    """The kinds of defects, as the API server tells them apart."""

    TYPE = "type"
    UNKNOWN = "unknown"
    REQUIRED = "required"
    ENUM = "enum"
    VALUE = "value"
    DUPLICATE = "duplicate"
    RULE = "rule"


#: What an unchanged value of an existing object may keep through an update (ratcheting, since 1.30).
KEPT = frozenset((Fault.REQUIRED, Fault.ENUM, Fault.VALUE, Fault.RULE))


class Defect(NamedTuple):
    """One thing that is wrong with an object; ``text`` completes "the value …"."""

    path: Path
    fault: Fault
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One CEL rule of a schema (``x-kubernetes-validations``)."""

    expression: str
    message: str = ""
    message_expression: str = ""


#: Looks at a value of the right type: None, or what is wrong with it.
Test = Callable[[Any], tuple[Fault, str] | None]


@dataclass(slots=True, kw_only=True, eq=False)
class Schema:
    """What one value may be.

    ``type`` is that of OpenAPI, or one of ``quantity``, ``int-or-string``, ``byte``, ``any`` and
    ``object-if-object`` (a level without a type, of which fields are known). ``fields`` are
    the known fields of an object, ``values`` what the values of a map are; ``open`` lets further fields pass.
    ``keys`` name the elements of a list, each with what holds where an element leaves it out. Where ``lenient``
    null counts as absent, as it does in Kubernetes' own kinds.
    """

    type: str
    fields: Mapping[str, Schema] = field(default_factory=lambda: EMPTY)
    required: tuple[str, ...] = ()
    values: Schema | None = None
    items: Schema | None = None
    keys: tuple[tuple[str, Any], ...] = ()
    unique: bool = False
    open: bool = False
    nullable: bool = False
    lenient: bool = False
    embedded: bool = False
    default: Any = None
    format: str = ""
    tests: tuple[Test, ...] = ()
    rules: tuple[Rule, ...] = ()


EMPTY_RULES: tuple[Rule, ...] = ()
ANY = Schema(type="any", open=True)
