"""Validation of requests and answers against GitHub's published OpenAPI description.

Needs the packages ``jsonschema`` and ``openapi-schema-validator``, which tests have and the tool has not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from upstreamsync.testing.server import Call

_ROOT = "urn:github"


#: Operations whose prose allows a list in place of {"labels": […]}, as their schema does not say.
_BARE_LISTS = {"issues/add-labels", "issues/set-labels"}


class _Checker(Protocol):
    def iter_errors(self, instance: object) -> Iterable[Any]: ...


class Validator:
    """Holds a description (api.github.com.json) and the checkers compiled so far.

    References are followed when they are met; a checker is built once per operation and direction.
    """

    def __init__(self, description: Path) -> None:
        from openapi_schema_validator import OAS30Validator, oas30_format_checker
        from referencing import Registry
        from referencing.jsonschema import DRAFT4

        self._document: Mapping[str, Any] = json.loads(description.read_bytes(), object_hook=_let_null)
        resource: Any = DRAFT4.create_resource(self._document)
        registry: Any = Registry().with_resource(_ROOT, resource)

        def checker(pointer: str) -> _Checker:
            made: _Checker = OAS30Validator(
                {"$ref": f"{_ROOT}#{pointer}"}, registry=registry, format_checker=oas30_format_checker
            )
            return made

        self._checker = cache(checker)

    def check(self, call: Call, template: str, data: Any, status: int, value: Any) -> list[str]:
        """What does not fit, as sentences; empty when everything does.

        ``template`` is the operation's path in the description, ``data`` the request's JSON ({} for none),
        ``status`` and ``value`` the answer.
        """
        name = f"{call.method} {template}"
        method = call.method.lower()
        operation = self._document["paths"].get(template, {}).get(method)
        if operation is None:
            return [f"{name}: GitHub has no such operation"]
        pointer = f"/paths/{_escape(template)}/{method}"
        found = [*self._query(call, operation), *self._request(operation, pointer, data)]
        found += self._answer(operation, pointer, status, value)
        return [f"{name} ({call.target}): {problem}" for problem in found]

    def _resolve(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in value:
            target: Any = self._document
            for step in value["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            value = target
        return value

    def _query(self, call: Call, operation: Mapping[str, Any]) -> Iterable[str]:
        known = {one["name"]: one for one in map(self._resolve, operation.get("parameters", []))}
        for name, text in call.query.items():
            parameter = known.get(name)
            if parameter is None or parameter["in"] != "query":
                yield f"GitHub knows no query parameter `{name}`"
                continue
            schema = self._resolve(parameter["schema"])
            if schema.get("type") == "integer" and not text.isdigit():
                yield f"query parameter `{name}` is `{text}`, not an integer"
            if "enum" in schema and text not in schema["enum"]:
                yield f"query parameter `{name}` is `{text}`, none of {schema['enum']}"
        for name, parameter in known.items():
            if parameter["in"] == "query" and parameter.get("required") and name not in call.query:
                yield f"query parameter `{name}` is missing"

    def _request(self, operation: Mapping[str, Any], pointer: str, data: Any) -> Iterable[str]:
        body = operation.get("requestBody")
        if body is None:
            if data:
                yield "GitHub takes no request body here"
            return
        if not data and not body.get("required"):
            return
        if isinstance(data, list) and operation["operationId"] in _BARE_LISTS:
            data = {"labels": data}
        yield from self._errors(f"{pointer}/requestBody/content/application~1json/schema", data, "request")
        schema = self._resolve(body["content"]["application/json"]["schema"])
        known = schema.get("properties")
        if known and isinstance(data, dict) and not schema.get("anyOf") and not schema.get("oneOf"):
            for name in data.keys() - known.keys():
                yield f"request: GitHub knows no property `{name}`"

    def _answer(self, operation: Mapping[str, Any], pointer: str, status: int, value: Any) -> Iterable[str]:
        responses = operation["responses"]
        if str(status) not in responses:
            # Credentials and limits may fail anywhere; the description lists that for few operations.
            if status not in {401, 403, 404, 422}:
                yield f"answer: GitHub does not answer {status} here"
            return
        response = responses[str(status)]
        here = f"{pointer}/responses/{status}"
        if "$ref" in response:
            here, response = response["$ref"].removeprefix("#"), self._resolve(response)
        if "application/json" in response.get("content", {}):
            yield from self._errors(f"{here}/content/application~1json/schema", value, "answer")
        elif value is not None and status < 400:  # errors say why, whether described or not
            yield f"answer: GitHub's {status} has no body here"

    def _errors(self, pointer: str, value: Any, side: str) -> Iterable[str]:
        for error in self._checker(pointer).iter_errors(value):
            path = "/".join(map(str, error.absolute_path))
            yield f"{side}: {path or 'the value'}: {error.message[:300]}"


def _let_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Take ``nullable`` the way GitHub means it: null is fine, also beside ``enum``, ``oneOf`` and ``$ref``.

    By the letter of OpenAPI 3.0.3 it widens nothing but ``type``.
    """
    if schema.get("nullable") is True and ("type" not in schema or "enum" in schema):
        return {
            "anyOf": [{"enum": [None]}, {key: value for key, value in schema.items() if key != "nullable"}]
        }
    return schema


def _escape(path: str) -> str:
    return path.replace("~", "~0").replace("/", "~1")


@cache
def github_validator(description: Path) -> Validator:
    """The validator of a description; read once per process, as that takes a while."""
    return Validator(description)
