"""The schemas of custom resources, as their definitions (CRDs) have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.kit.foreign import strings

from .check import defects
from .model import ANY, EMPTY_RULES, Rule, Schema
from .values import tests_of

_NONE: Final[Mapping[str, Any]] = {}


def compile_schema(spec: Mapping[str, Any], metadata: Schema) -> Schema:
    """The schema of a whole custom resource, given ``openAPIV3Schema`` and what metadata may be."""
    root = _compile(spec)
    given = spec.get("properties")
    fields = Fields(given if isinstance(given, dict) else _NONE, logic=False, embedded=False)
    fields.put("metadata", metadata)
    fields.put("status", ANY)  # written by controllers, and left out of what people apply
    for name in ("apiVersion", "kind"):
        fields.put(name, Schema(type="string"))
    return Schema(
        type="object",
        fields=fields,
        required=tuple(
            name for name in root.required if name not in ("metadata", "status", "apiVersion", "kind")
        ),
        values=root.values,
        open=root.open,
        tests=root.tests,
        rules=root.rules,
    )


class Fields(Mapping[str, Schema]):
    """The fields of a level; one is made ready when an object has it, as few of a large schema are met."""

    def __init__(self, specs: Mapping[str, Any], *, logic: bool, embedded: bool) -> None:
        self._specs = specs
        self._logic = logic
        self._ready: dict[str, Schema] = {}
        if embedded:
            self._ready = {
                "apiVersion": Schema(type="string"),
                "kind": Schema(type="string"),
                "metadata": ANY,
            }

    def __getitem__(self, name: str) -> Schema:
        ready = self._ready.get(name)
        if ready is None:
            spec = self._specs[name]
            ready = self._ready[name] = _compile(spec, logic=self._logic) if isinstance(spec, dict) else ANY
        return ready

    def __iter__(self) -> Iterator[str]:
        return iter({**self._specs, **self._ready})

    def __len__(self) -> int:
        return len({**self._specs, **self._ready})

    def put(self, name: str, schema: Schema) -> None:
        """Say what a field is."""
        self._ready[name] = schema

    def has_default(self, name: str) -> bool:
        """Whether the server fills the field in."""
        spec = self._specs.get(name)
        return isinstance(spec, dict) and spec.get("default") is not None


def _compile(spec: Mapping[str, Any], *, logic: bool = False) -> Schema:
    """One level; inside ``anyOf`` and the like (``logic``) fields are tested, and others let pass."""
    kind = _type(spec)
    properties = spec.get("properties")
    embedded = spec.get("x-kubernetes-embedded-resource") is True
    fields = Fields(properties if isinstance(properties, dict) else _NONE, logic=logic, embedded=embedded)
    additional = spec.get("additionalProperties")
    items = spec.get("items")
    return Schema(
        type=kind,
        fields=fields,
        required=tuple(name for name in strings(spec.get("required")) if not fields.has_default(name)),
        values=_compile(additional, logic=logic) if isinstance(additional, dict) else None,
        items=_compile(items, logic=logic) if isinstance(items, dict) else None,
        keys=_keys(spec, items),
        unique=spec.get("x-kubernetes-list-type") == "set",
        open=logic or additional is True or spec.get("x-kubernetes-preserve-unknown-fields") is True,
        nullable=spec.get("nullable") is True or kind == "any" or "default" in spec,
        embedded=embedded,
        default=spec.get("default"),
        format=str(spec.get("format") or ""),
        tests=tests_of(spec, _logic),
        rules=_rules(spec.get("x-kubernetes-validations")),
    )


def _logic(spec: Mapping[str, Any]) -> Schema:
    return _compile(spec, logic=True)


def _type(spec: Mapping[str, Any]) -> str:
    if spec.get("x-kubernetes-int-or-string") is True:
        return "int-or-string"
    kind = spec.get("type")
    if kind in ("object", "array", "string", "integer", "number", "boolean"):
        return str(kind)
    return "object-if-object" if spec.get("properties") or spec.get("required") else "any"


def _keys(spec: Mapping[str, Any], items: Any) -> tuple[tuple[str, Any], ...]:
    if spec.get("x-kubernetes-list-type") != "map":
        return ()
    below = items.get("properties") if isinstance(items, dict) else None
    fields = below if isinstance(below, dict) else _NONE
    return tuple(
        (name, (fields.get(name) or _NONE).get("default"))
        for name in strings(spec.get("x-kubernetes-list-map-keys"))
    )


def _rules(value: Any) -> tuple[Rule, ...]:
    if not isinstance(value, list):
        return EMPTY_RULES
    return tuple(
        Rule(
            expression=str(item["rule"]).strip(),
            message=str(item.get("message") or ""),
            message_expression=str(item.get("messageExpression") or ""),
        )
        for item in value
        if isinstance(item, dict) and item.get("rule")
    )


def default_faults(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the default of one level: where in it, and what."""
    found = defects(
        _compile({key: value for key, value in spec.items() if key != "default"}), spec["default"]
    )
    return [("".join(f"[{part}]" for part in defect.path), defect.text) for defect in found]
