"""A page value → one HTML file, with everything in it and nothing asked of anybody.

Jinja2 fills the template, with everything escaped that is not our own (`safe` marks that). What the script
draws later stands as JSON in the page, with no character in it that could end its element. The policy names
the one script and the one style sheet by their hashes, and allows nothing else: no address, no frame, no
handler in an attribute.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import fields, is_dataclass, replace
from importlib.resources import files
from typing import Any, Final, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from upstreamsync._version import __version__
from upstreamsync.kit.sanitize import visible
from upstreamsync.report.page.values import ObjectRow, Page

_Value = TypeVar("_Value")
_FOLDER: Final = "templates"
#: What could end a script element, or a line of a script, for an old reader.
_ESCAPES: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def render(page: Page) -> str:
    """The HTML of a page: the same bytes for the same value."""
    page = _visible(page)
    style, script = _part("page.css"), _part("page.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src 'sha256-{_hash(script)}'",
            f"style-src 'sha256-{_hash(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    environment = Environment(
        loader=PackageLoader("upstreamsync.report.page", _FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html").render(
        page=page,
        version=__version__,
        policy=policy,
        style=style,
        script=script,
        data=_json(_data(page)),
        verdicts=list(dict.fromkeys(one.verdict for one in page.findings)),
        overlays=sorted({path for one in page.findings for path in one.overlays}),
        owners=sorted({name for one in page.findings for name in one.vendors}),
    )


def _part(name: str) -> str:
    return (files("upstreamsync.report.page") / _FOLDER / name).read_text("utf-8")


def _hash(text: str) -> str:
    """As Content Security Policy Level 3 has it, of just what stands between the tags."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _visible(value: _Value) -> _Value:
    """The value with nothing in its texts that hides, or turns around, what is written."""
    found: Any = value
    if isinstance(value, str):
        found = visible(value)
    elif isinstance(value, tuple):
        found = tuple(map(_visible, value))
    elif is_dataclass(value) and not isinstance(value, type):
        found = replace(value, **{one.name: _visible(getattr(value, one.name)) for one in fields(value)})
    return found  # type: ignore[no-any-return]


def _data(page: Page) -> dict[str, Any]:
    """What the script draws when it is asked for: short keys, as there may be thousands of objects."""
    return {
        "texts": page.texts,
        "findings": [
            {
                "verdict": one.verdict,
                "overlays": one.overlays,
                "vendors": one.vendors,
                "excerpt": None
                if one.excerpt is None
                else [one.excerpt.file, one.excerpt.line, one.excerpt.text, one.excerpt.note],
                "fix": one.fix,
                "objects": [_object(each) for each in one.objects],
            }
            for one in page.findings
        ],
        "overlays": [
            {"objects": [_object(each) for each in one.objects], "well": one.well} for one in page.overlays
        ],
    }


def _object(one: ObjectRow) -> list[Any]:
    return [one.name, one.op, one.before, one.after, one.marks_before, one.marks_after]


def _json(data: Any) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text
