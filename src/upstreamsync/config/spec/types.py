"""Kinds of values that several declarations have, and the base of all mappings."""

from __future__ import annotations

import re
import warnings
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
)

_TOOL_VERSION = re.compile(
    r"v?[0-9]{1,6}(?:\.[0-9]{1,6}){2}(?:-[0-9A-Za-z]{1,20}(?:\.[0-9A-Za-z]{1,20}){0,4})?"
)
_DURATION = re.compile(r"(\d+)\s*(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _parse_duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    if value == 0 and not isinstance(value, bool):
        return timedelta()
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a duration is a number and a unit: 30m, 12h, 3d or 2w")
    return timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})


def _check_regex(value: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    except FutureWarning as warning:
        # Such as [[:alpha:]], which Python reads as something else than what is meant.
        raise ValueError(
            f"not a plain regular expression: {warning}; escape the sign with a backslash"
        ) from None
    return value


def _check_tag_pattern(value: str) -> str:
    _check_regex(value)
    if "version" not in re.compile(value).groupindex:
        raise ValueError("needs a group named `version`, as in ^v(?P<version>.+)$")
    return value


def _check_inside(value: str) -> str:
    parts = value.replace("\\", "/").split("/")
    if value.startswith(("/", "~")) or ".." in parts or re.match(r"^[A-Za-z]:", value):
        raise ValueError("has to be a path inside the repository, relative to its root")
    if not value.strip("./"):
        raise ValueError("has to name a folder or file below the repository's root")
    if ".git" in parts:
        raise ValueError("can't be inside .git")
    return "/".join(part for part in parts if part not in ("", "."))


def _check_location(value: str) -> str:
    if value.startswith("-") or re.search(r"[\s\x00-\x1f]", value):
        raise ValueError("is not a URL")
    return value


def _check_url(value: str) -> str:
    _check_location(value)
    if not re.match(r"^https?://[^/]+", value):
        raise ValueError("has to be an https:// URL")
    return value


def _check_git_url(value: str) -> str:
    _check_location(value)
    if not re.match(r"^(https?|ssh|file)://.+|^[\w.-]+@[\w.-]+:.+", value):
        raise ValueError("has to be a git URL: https://…, ssh://… or git@host:path")
    return value


def _check_chart_repository(value: str) -> str:
    _check_location(value)
    if not re.match(r"^(https?|oci)://[^/]+", value):
        raise ValueError("has to be an https:// or oci:// URL")
    return value


def _as_text(value: Any) -> Any:
    """A version such as 1.10 is read as a number by YAML: it has to be quoted."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError("YAML reads this as a number; put it in quotes")  # noqa: TRY004 (pydantic)
    return value


def _check_tool_version(value: str) -> str:
    if _TOOL_VERSION.fullmatch(value) is None:
        raise ValueError("is not a version of a tool, which has three numbers (`4.1.4`)")
    return value


Duration = Annotated[timedelta, BeforeValidator(_parse_duration)]
Regex = Annotated[str, AfterValidator(_check_regex)]
TagPattern = Annotated[str, AfterValidator(_check_tag_pattern)]
RepositoryPath = Annotated[str, AfterValidator(_check_inside)]
Url = Annotated[str, AfterValidator(_check_url)]
OneOrManyUrls = Annotated[
    Annotated[Url, Tag("one")] | Annotated[dict[str, Url], Tag("several")],
    Discriminator(lambda value: "several" if isinstance(value, dict) else "one"),
]
GitUrl = Annotated[str, AfterValidator(_check_git_url)]
ChartRepository = Annotated[str, AfterValidator(_check_chart_repository)]
GitHubName = Annotated[
    str, Field(pattern=r"^(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/)?[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")
]
VersionText = Annotated[str, BeforeValidator(_as_text), Field(min_length=1)]
#: It becomes part of an address and of a folder's name, and a change that is judged may have set it.
ToolVersion = Annotated[VersionText, AfterValidator(_check_tool_version)]
Level = Literal["major", "minor", "patch"]
Scheme = Literal["semver", "pep440", "calver", "loose"]


class Spec(BaseModel):
    """Base of all mappings: unknown keys are errors, values are frozen, keys may stand in any order."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class OwnKind(Spec):
    """A kind of source or feed that is not the project's: its name, and what stands below it in vendors.yaml."""

    kind: str
    """The name that it was passed in by."""
    options: Any = None
    """Whatever the kind takes; it is the kind's own to check."""


def _take_own(data: Any, info: ValidationInfo, context: str) -> Any:
    """Move the key that names a kind of the caller's, as ``sources`` or ``feeds`` of the context say, to ``own``."""
    if not isinstance(data, dict):
        return data
    if "own" in data and not isinstance(data["own"], OwnKind):
        raise ValueError("`own` is not a known key")
    known = (info.context or {}).get(context, ())
    named = [key for key in data if key in known]
    if not named:
        return data
    rest = {key: value for key, value in data.items() if key != named[0]}
    return {**rest, "own": OwnKind(kind=named[0], options=data[named[0]])}
