"""What a stage reports: SARIF 2.1.0 or JUnit XML, on its standard output or in files, as findings at file:line."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.etree import ElementTree as ET

from upstreamsync.model import StageFinding

#: More findings than these say nothing more to a reader.
_MOST: Final = 200
_LONGEST: Final = 600
_LEVELS: Final = {"error": "error", "warning": "warning", "note": "note", "none": "note"}


def findings_in(text: str) -> tuple[StageFinding, ...] | None:
    """The findings of a report; None where the text is no report."""
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("{"):
        return _sarif(start)
    if start.startswith("<"):
        return _junit(start)
    return None


def _sarif(text: str) -> tuple[StageFinding, ...] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("runs"), list):
        return None
    return tuple(_first(_of_run(run) for run in document["runs"] if isinstance(run, dict)))


def _first(many: Iterator[Iterator[StageFinding]]) -> Iterator[StageFinding]:
    count = 0
    for each in many:
        for finding in each:
            if count == _MOST:
                return
            count += 1
            yield finding


def _of_run(run: Mapping[str, Any]) -> Iterator[StageFinding]:
    results = run.get("results")
    for result in results if isinstance(results, list) else []:
        if not isinstance(result, dict) or result.get("kind") in ("pass", "notApplicable"):
            continue
        locations = result.get("locations")
        place = _map(
            _map(locations[0] if isinstance(locations, list) and locations else None).get("physicalLocation")
        )
        line = _map(place.get("region")).get("startLine")
        yield StageFinding(
            message=_cut(_map(result.get("message")).get("text")),
            file=_file(_map(place.get("artifactLocation")).get("uri")),
            line=line if isinstance(line, int) and line > 0 else 0,
            level=_LEVELS.get(str(result.get("level") or "warning"), "warning"),
            rule=str(result.get("ruleId") or ""),
        )


def _junit(text: str) -> tuple[StageFinding, ...] | None:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None  # a report needs neither, and both can make a small text large
    try:
        root = ET.fromstring(text)  # noqa: S314 (no entities, see above)
    except ET.ParseError:
        return None
    if root.tag not in ("testsuites", "testsuite"):
        return None
    found = [finding for case in root.iter("testcase") for finding in _of_case(case)]
    return tuple(found[:_MOST])


def _of_case(case: ET.Element) -> Iterator[StageFinding]:
    for child in case:
        if child.tag not in ("failure", "error"):
            continue
        line = case.get("line") or ""
        yield StageFinding(
            message=_cut(child.get("message") or child.text or f"{case.get('name')} failed"),
            file=_file(case.get("file") or _looks_like_a_file(case.get("classname"))),
            line=int(line) if line.isdigit() else 0,
            level="error",
            rule=case.get("name") or "",
        )


def _looks_like_a_file(name: str | None) -> str | None:
    return name if name and re.search(r"\.(ya?ml|json)\Z", name) else None


def _file(uri: object) -> str:
    if not isinstance(uri, str):
        return ""
    return posixpath.normpath(uri.removeprefix("file://")) if uri else ""


def _cut(text: object) -> str:
    words = " ".join(str(text or "").split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
