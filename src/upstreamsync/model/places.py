"""Where something stands in a file of the user's, and errors as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A position in a text file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a file of the user's, and what to do about it."""

    place: Place
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        return f"{text}\n  hint: {self.hint}" if self.hint else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error as a value: what stands under ``error`` in every JSON document.

    ``details`` is text to be shown beneath it, such as a diff; empty where there is none.
    """

    kind: str
    message: str
    hint: str | None = None
    details: str = ""
