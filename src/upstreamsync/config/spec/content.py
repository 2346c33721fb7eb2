"""Selecting and shaping content."""

from __future__ import annotations

from pydantic import (
    ConfigDict,
    Field,
    model_validator,
)

from upstreamsync.config.spec.types import Regex, Spec


class ObjectMatch(Spec):
    """Matches Kubernetes objects; each value is a regular expression for the whole field."""

    kind: Regex | None = None
    """Kind, such as ``Deployment`` or ``.*Role``."""
    name: Regex | None = None
    """metadata.name."""
    namespace: Regex | None = None
    """metadata.namespace; the empty string for objects without one."""


class Select(Spec):
    """Which documents of the content to keep. Without ``include``, all; then ``exclude`` takes away."""

    include: tuple[ObjectMatch, ...] = ()
    """Keep only documents that match one of these. Each has to match something."""
    exclude: tuple[ObjectMatch, ...] = ()
    """Drop documents that match one of these. Each has to match something."""


class Rewrite(Spec):
    """One textual change, for content that is not YAML (or needs a name where upstream generates one)."""

    replace: Regex | None = None
    """Regular expression to replace; it has to match."""
    with_: str | None = Field(default=None, alias="with")
    r"""The replacement, with ``\1`` and ``\g<name>`` for groups and the placeholders of the version."""
    drop_lines: Regex | None = None
    """Drop the lines in which this regular expression is found; it has to match."""
    file: str | None = None
    """Only in files that match this glob."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _one_kind(self) -> Rewrite:
        if (self.replace is None) == (self.drop_lines is None):
            raise ValueError("needs either `replace` and `with`, or `drop_lines`")
        if (self.replace is None) != (self.with_ is None):
            raise ValueError("`replace` and `with` belong together")
        return self
