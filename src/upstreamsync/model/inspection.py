"""A verification with what stands behind it: the texts that a reader wants to see beside the verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from upstreamsync.model.places import EMPTY
from upstreamsync.model.review import ObjectText, Review
from upstreamsync.model.verification import Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayTexts:
    """What one overlay builds: ``changed`` are the objects that differ, in the order of the output.

    ``named`` are those that findings speak of, by the name that they are given there.
    """

    path: str
    changed: tuple[ObjectText, ...] = ()
    named: Mapping[str, ObjectText] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One verification, the review of the same two trees, and their texts.

    ``files`` maps a local file that customizations stand in to its text before and after, None where there
    is none. ``vendors`` maps the folder of a kustomization to the vendors that it stands on. ``subject``
    names what was verified, where a page shows several.
    """

    verification: Verification
    review: Review = field(default_factory=Review)
    overlays: tuple[OverlayTexts, ...] = ()
    files: Mapping[str, tuple[str | None, str | None]] = field(default_factory=lambda: EMPTY)
    vendors: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: EMPTY)
    subject: str = ""
