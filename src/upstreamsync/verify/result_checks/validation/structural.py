"""Whether the schemas of a definition are structural, as apiextensions.k8s.io/v1 asks for.

Each field that is specified has a type outside of ``allOf``, ``anyOf``, ``oneOf`` and ``not``; a few constructs
of OpenAPI are forbidden; defaults fit what they are a default of; what names the elements of a list is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.verify.result_checks.finding import Manifest
from upstreamsync.verify.result_checks.index import at, elements, step, strings
from upstreamsync.verify.result_checks.schema import default_faults

from .wrong import Wrong

_FORBIDDEN: Final = ("$ref", "definitions", "dependencies", "deprecated", "discriminator", "id",
                     "patternProperties", "readOnly", "writeOnly", "xml", "additionalItems")  # fmt: skip
_LOGIC: Final = ("allOf", "anyOf", "oneOf")
_NOT_IN_LOGIC: Final = ("type", "description", "title", "default", "additionalProperties", "nullable",
                        "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource")  # fmt: skip
_TYPES: Final = ("object", "array", "string", "integer", "number", "boolean")


def definition(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """The schemas of all versions that differ from those before."""
    known = dict(_schemas(old)) if old is not None else {}
    for path, schema in _schemas(manifest):
        if known.get(path) != schema:
            yield from _level(path, schema, what="at the root")


def _schemas(manifest: Manifest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, version in elements("spec.versions", at(manifest, "spec", "versions")):
        root = at(version, "schema", "openAPIV3Schema")
        if isinstance(root, dict):
            yield step(step(path, "schema"), "openAPIV3Schema"), root


def _level(path: str, schema: Mapping[str, Any], *, what: str) -> Iterator[Wrong]:
    kind = schema.get("type")
    free = schema.get("x-kubernetes-int-or-string") is True or (
        schema.get("x-kubernetes-preserve-unknown-fields") is True and what != "at the root"
    )
    if not kind and not free:
        yield Wrong(step(path, "type"), f"the schema has no type {what}", "set type")
    elif kind and kind not in _TYPES:
        yield Wrong(step(path, "type"), f"{kind} is no type of a schema", f"use one of {', '.join(_TYPES)}")
    for field in _FORBIDDEN:
        if schema.get(field):
            yield Wrong(
                step(path, field), f"{field} is forbidden in the schema of a definition", f"drop {field}"
            )
    if schema.get("uniqueItems") is True:
        yield Wrong(step(path, "uniqueItems"), "uniqueItems is forbidden", "use x-kubernetes-list-type: set")
    yield from _below(path, schema)
    yield from _logic(path, schema)
    yield from _list(path, schema)
    if "default" in schema and kind in _TYPES:
        for where, text in default_faults(schema):
            yield Wrong(
                step(path, "default"), f"the default{where} {text}", "write a default that fits the schema"
            )


def _below(path: str, schema: Mapping[str, Any]) -> Iterator[Wrong]:
    properties, additional = schema.get("properties"), schema.get("additionalProperties")
    if properties and additional:
        yield Wrong(
            step(path, "additionalProperties"), "properties and additionalProperties are both set", "keep one of them",
            "exclusive_fields",
        )  # fmt: skip
    if additional is False:
        yield Wrong(
            step(path, "additionalProperties"), "additionalProperties is false", "drop it: others are dropped"
        )
    for name, below in properties.items() if isinstance(properties, dict) else ():
        if isinstance(below, dict):
            yield from _level(step(step(path, "properties"), name), below, what="for a field")
    if isinstance(additional, dict):
        yield from _level(step(path, "additionalProperties"), additional, what="for the values of a map")
    items = schema.get("items")
    if isinstance(items, list):
        yield Wrong(step(path, "items"), "items is a list", "write one schema for all elements")
    elif isinstance(items, dict):
        yield from _level(step(path, "items"), items, what="for the elements of a list")
    elif schema.get("type") == "array":
        yield Wrong(step(path, "items"), "a list has no schema for its elements", "set items")


def _logic(path: str, schema: Mapping[str, Any]) -> Iterator[Wrong]:
    parts = [
        (f"{step(path, name)}[{index}]", part)
        for name in _LOGIC
        for index, part in enumerate(schema.get(name) or [])
        if isinstance(part, dict)
    ]
    if isinstance(schema.get("not"), dict):
        parts.append((step(path, "not"), schema["not"]))
    simple = schema.get("x-kubernetes-int-or-string") is True
    for where, part in parts:
        for field in _NOT_IN_LOGIC:
            if part.get(field) is not None and not (simple and field == "type"):
                yield Wrong(
                    step(where, field),
                    f"{field} stands inside of alternatives",
                    f"say {field} outside of them",
                )


def _list(path: str, schema: Mapping[str, Any]) -> Iterator[Wrong]:
    if schema.get("x-kubernetes-list-type") != "map":
        return
    keys = strings(schema.get("x-kubernetes-list-map-keys"))
    here = step(path, "x-kubernetes-list-map-keys")
    if not keys:
        yield Wrong(here, "a list of type map names no keys", "name at least one")
    properties = at(schema, "items", "properties")
    required = strings(at(schema, "items", "required"))
    for key in keys:
        below = at(properties, key)
        if below is None:
            yield Wrong(here, f"the key {key} is no field of the elements", "name one of their fields")
        elif key not in required and at(below, "default") is None:
            yield Wrong(here, f"the key {key} is neither required nor has a default", f"require {key}")
