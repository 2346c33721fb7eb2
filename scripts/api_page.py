"""The page on the Python API, out of the signatures and docstrings of what ``upstreamsync.__all__`` promises."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import types
from collections.abc import Iterator
from typing import Any

import upstreamsync

#: What is shown together, in the order in which a reader meets it.
SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("A repository", ("open", "Project", "Settings", "ProposeOptions")),
    ("The judge alone", ("verify_trees", "find_overlays")),
    ("What is found", ("Finding", "Status", "Release")),
    ("What would change", ("Changes", "Change")),
    (
        "What becomes of the customizations",
        ("Verification", "OverlayVerification", "Judgement", "Verdict", "Severity"),
    ),
    ("Pull requests", ("PullRequest", "Forge", "LocalForge")),
    (
        "Kinds of one's own",
        (
            *("Kinds", "SourceKind", "Job", "Artifact", "ContentFile", "Resolved"),
            *("Feed", "Releases", "ForgeFactory", "Toolbox"),
        ),
    ),
    ("Errors", ("UpstreamsyncError", "ConfigError")),
)
INTRODUCTION = """# Python API

Generated from the package's docstrings by `make docs`. Everything here is imported from `upstreamsync`;
importing the package loads nothing else until a name is used. All values are frozen; paths are relative to
the folder of vendors.yaml unless a text says otherwise.
"""


def api_page() -> str:
    """The whole page. Raises AssertionError when a promised name stands in no section."""
    shown = [name for _, names in SECTIONS for name in names]
    assert sorted(shown) == sorted(upstreamsync.__all__), set(shown) ^ set(upstreamsync.__all__)
    parts = [INTRODUCTION]
    for title, names in SECTIONS:
        parts.append(f"\n## {title}\n")
        for name in names:
            parts += _entry(name, getattr(upstreamsync, name))
    return "\n".join(parts).rstrip() + "\n"


def _entry(name: str, value: Any) -> Iterator[str]:
    yield f"\n### `{name}`\n"
    if inspect.isclass(value):
        yield _text(value)
        yield from _members(value)
    elif isinstance(value, types.FunctionType):
        yield f"`{name}{_signature(value)}`\n"
        yield _text(value)
    else:
        yield f"`{getattr(value, '__forward_arg__', value)}`\n"


def _members(kind: type) -> Iterator[str]:
    if issubclass(kind, enum.Enum):
        yield f"\nOne of {', '.join(f'`{one.value}`' for one in kind)}."
        return
    if dataclasses.is_dataclass(kind):
        yield "\n| field | type |\n|---|---|"
        for one in dataclasses.fields(kind):
            yield f"| `{one.name}` | `{str(one.type).replace('|', chr(92) + '|')}` |"
    for name, member in vars(kind).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property) and member.fget is not None:
            yield f"\n**`{name}`**: {_first(member.fget)}"
        elif isinstance(member, (types.FunctionType, classmethod)):
            function = member.__func__ if isinstance(member, classmethod) else member
            yield f"\n**`{name}{_signature(function)}`**\n"
            yield _text(function)


def _signature(function: types.FunctionType) -> str:
    """The signature as it is written, without ``self``; a default that is an object is only said to be one."""
    found = inspect.signature(function)
    parts, named = [], False
    for one in found.parameters.values():
        if one.name in ("self", "cls"):
            continue
        if one.kind is one.KEYWORD_ONLY and not named:
            parts.append("*")
            named = True
        text = one.name if one.annotation is one.empty else f"{one.name}: {one.annotation}"
        if one.default is not one.empty:
            plain = one.default is None or isinstance(one.default, (str, int, float, tuple))
            text += f" = {one.default!r}" if plain else " = …"
        parts.append(text)
    returned = "" if found.return_annotation is found.empty else f" -> {found.return_annotation}"
    return f"({', '.join(parts)}){returned}"


def _text(value: Any) -> str:
    """The docstring as Markdown: double backticks become single ones, examples stay as they are."""
    text = inspect.getdoc(value) or ""
    return text.replace("``", "`")


def _first(value: Any) -> str:
    return _text(value).partition("\n\n")[0]
