"""Versions in a JSON document, by a path: ``a.b[*].name``, ``[0].tag``, ``["odd.key"][*]``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from upstreamsync.config.spec import Releases
from upstreamsync.errors import NotFound, UsageError
from upstreamsync.kit.http.response import Response
from upstreamsync.kit.redact import redact
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import Release
from upstreamsync.releases.answers import json_document, on_offer_by
from upstreamsync.releases.pack import remembered

_STEP = re.compile(
    r"""\.?(?P<key>[^.\[\]"'\s]+)|\[(?P<index>-?[0-9]{1,9})\]|\[(?P<all>\*)\]|\[(["'])(?P<quoted>[^"']*)\4\]"""
)
#: One step into a document: a key, an index, or None for all elements.
Step = str | int | None


def feed(spec: Releases, tools: Toolbox) -> Iterator[Sequence[Release]]:
    """Each text (or number, as it is written) that the path leads to, in the document's order."""
    if spec.json_ is None:
        return
    path = spec.json_.path
    steps = parse_path(path)
    response = tools.http.get(spec.json_.url, allow_http=tools.allow_http)
    found = remembered(tools.cache, ["json", response.digest, path], lambda: _read(response, path, steps))
    yield on_offer_by(found, response)


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path. Raises UsageError where it can't be read."""
    steps: list[Step] = []
    position = 1 if text.startswith("$") else 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise UsageError(
                f"`{text}`: `{text[position:]}` is no step of a path",
                hint="write keys with dots, [*] for all elements and [0] for one: items[*].name",
            )
        if match["all"]:
            steps.append(None)
        elif match["index"] is not None:
            steps.append(int(match["index"]))
        else:
            steps.append(match["key"] if match["key"] is not None else match["quoted"])
        position = match.end()
    return tuple(steps)


def follow(document: Any, steps: Sequence[Step]) -> Iterator[Any]:
    """Everything that the steps lead to; ``[*]`` takes the elements of a list and the values of a mapping."""
    if not steps:
        yield document
        return
    step, rest = steps[0], steps[1:]
    if step is None:
        inside = document.values() if isinstance(document, dict) else document
        for element in inside if isinstance(document, (list, dict)) else ():
            yield from follow(element, rest)
    elif isinstance(step, int):
        if isinstance(document, list) and -len(document) <= step < len(document):
            yield from follow(document[step], rest)
    elif isinstance(document, dict) and step in document:
        yield from follow(document[step], rest)


def _read(response: Response, path: str, steps: Sequence[Step]) -> tuple[Release, ...]:
    document = json_document(response)
    found = [value for value in follow(document, steps) if isinstance(value, str) and value]
    if not found:
        raise NotFound(
            f"`{redact(response.url)}`: there is no text at `{path}`",
            hint="open the document and compare; [*] stands for all elements of a list",
        )
    return tuple(Release(version=version, ref=version) for version in dict.fromkeys(found))
