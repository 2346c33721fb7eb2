"""One customization of an overlay, and how it works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final


class Kind(StrEnum):
    """How an item works; the engine's behaviour, and so the judgement, depends on it."""

    RESOURCE = "resource"
    GENERATOR = "generator"
    MERGE = "strategic merge"
    JSON = "JSON6902"
    NAMESPACE = "namespace"
    PREFIX = "namePrefix"
    SUFFIX = "nameSuffix"
    LABELS = "labels"
    ANNOTATIONS = "annotations"
    REPLICAS = "replicas"
    IMAGES = "images"
    REPLACEMENTS = "replacements"
    TRANSFORMER = "transformer"
    VARS = "vars"
    HELM_VALUE = "helm value"


#: Settings for everything in an overlay: new and vanished objects are no findings.
WHOLE_OVERLAY: Final = frozenset(
    (Kind.NAMESPACE, Kind.PREFIX, Kind.SUFFIX, Kind.LABELS, Kind.ANNOTATIONS, Kind.TRANSFORMER)
)
#: Items that give objects other names.
RENAMING: Final = frozenset((Kind.NAMESPACE, Kind.PREFIX, Kind.SUFFIX))


#: The layer of a chart's values that stand in the kustomization itself.
INLINE: Final = "valuesInline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One customization.

    ``name`` is the item as the contract writes it. ``spec`` is the entry as it stands in the
    kustomization; ``body`` what it applies (the merge's object, the list of JSON6902 operations), and
    ``text`` that body verbatim. ``doc`` counts from 1 and is None for the only document of an entry.
    ``foreign`` says that the tree has something else in its place: what it says is to be written there.
    ``layer`` is where a chart's value stands: ``INLINE``, or the field that names its file.
    """

    name: str
    kind: Kind
    folder: str
    field: str
    key: str
    file: str
    line: int
    spec: Any = None
    body: Any = None
    text: str = ""
    index: int | None = None
    doc: int | None = None
    identity: str = ""
    foreign: bool = False
    layer: str = ""

    @property
    def is_configured(self) -> bool:
        """Whether it is a built-in of ``transformers`` or ``generators``, and no field of its own."""
        return self.field in ("transformers", "generators")

    @property
    def target(self) -> Mapping[str, Any]:
        """The selector of a patch; empty when it has none."""
        found = self.spec.get("target") if isinstance(self.spec, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    @property
    def selects_by_label(self) -> bool:
        """Whether labels or annotations decide what a patch applies to."""
        return bool(self.target.get("labelSelector") or self.target.get("annotationSelector"))

    def in_place_of(self, other: Item) -> Item:
        """This item's content at the place, and under the name, of another one."""
        return replace(
            other, kind=self.kind, spec=self.spec, body=self.body, text=self.text, identity=self.identity, foreign=True
        )  # fmt: skip

    @property
    def removes_object(self) -> bool:
        """Whether a merge deletes whole objects."""
        return isinstance(self.body, Mapping) and self.body.get("$patch") == "delete"
