"""What the keys of vendors.yaml are for, from the strings below each of them in ``spec``.

pydantic could read them itself, but does so whenever the classes are made: a fifth of a start of the
program, for a text that ``upstreamsync schema`` alone prints.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from upstreamsync.config import spec
from upstreamsync.config.spec import content, document, releases, source, types, vendor


def describe(schema: dict[str, Any], root: type[spec.Spec]) -> None:
    """Add the descriptions of all keys to the JSON Schema of ``root``, in place."""
    for name, definition in {root.__name__: schema, **schema.get("$defs", {})}.items():
        model = getattr(spec, name, None)
        if inspect.isclass(model) and issubclass(model, spec.Spec):
            properties = definition.get("properties", {})
            for field, text in descriptions(model).items():
                key = model.model_fields[field].alias or field
                if key in properties:
                    properties[key] = dict(sorted({**properties[key], "description": text}.items()))


def descriptions(model: type[spec.Spec]) -> dict[str, str]:
    """What each field of one mapping is for."""
    texts = _texts()
    owners = [texts.get(owner.__name__, {}) for owner in model.__mro__]
    found = {field: next((one[field] for one in owners if field in one), "") for field in model.model_fields}
    return {field: text for field, text in found.items() if text}


@lru_cache(maxsize=1)
def _texts() -> Mapping[str, Mapping[str, str]]:
    modules = (content, document, releases, source, types, vendor)
    classes = [
        node
        for module in modules
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.ClassDef)
    ]
    return {node.name: dict(_fields(node)) for node in classes}


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Each annotated name that a string stands below."""
    for declared, below in zip(node.body, node.body[1:], strict=False):
        if not isinstance(declared, ast.AnnAssign) or not isinstance(declared.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            yield declared.target.id, inspect.cleandoc(str(below.value.value))
