"""Which schema an object has: that of Kubernetes' own kind, or that of a definition in the result or the tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from upstreamsync.verify.result_checks.finding import Manifest, Whole
from upstreamsync.verify.result_checks.index import World, at, resource_id, text

from . import lean
from .custom import compile_schema
from .kinds import Kinds
from .model import Schema

_KIND = "CustomResourceDefinition"
#: What a function makes of a text, remembered.
Once = Callable[[Callable[[bytes], Any], bytes], Any]


class Definitions:
    """The definitions of custom resources of one side; each is read when the first object asks for it.

    ``whole`` has those of which the result lacks the schemas, ``others`` those that stand in the tree alone.
    """

    def __init__(
        self,
        world: World,
        whole: Mapping[str, Whole],
        others: Mapping[tuple[str, str], Manifest],
        kinds: Kinds,
        once: Once,
    ) -> None:
        self._kinds = kinds
        self._once = once
        self._found: dict[tuple[str, str], Manifest | Whole] = {}
        self._others = others
        self._ready: dict[tuple[str, str, str], Schema | None] = {}
        for crd in world.of_kind(_KIND):
            name = (text(at(crd, "spec", "group")), text(at(crd, "spec", "names", "kind")))
            self._found[name] = whole.get(resource_id(crd), crd)

    def source(self, group: str, kind: str) -> Manifest | Whole | None:
        """The definition of a kind; None where there is none."""
        if (group, kind) in self._found:
            return self._found[group, kind]
        if group in self._kinds.groups or "." not in group:
            return None
        return self._others.get((group, kind))

    def schema(self, api_version: str, kind: str) -> Schema | None:
        """The schema of a custom resource at a version; None where its definition does not have that."""
        group, _, version = api_version.rpartition("/")
        name = (group, kind, version)
        if name not in self._ready:
            self._ready[name] = self._compiled(*name)
        return self._ready[name]

    def _compiled(self, group: str, kind: str, version: str) -> Schema | None:
        source = self.source(group, kind)
        if source is None:
            return None
        crd = (
            source if isinstance(source, Mapping) else self._once(lean.read, source.document) or source.read()
        )
        spec = _schema_of(crd, version)
        return compile_schema(spec, self._kinds.metadata()) if spec is not None else None

    def has_rules(self, api_version: str, kind: str) -> bool:
        """Whether the definition of a kind has CEL rules, perhaps."""
        source = self.source(api_version.rpartition("/")[0], kind)
        if source is None:
            return False
        return isinstance(source, Mapping) or self._once(lean.has_rules, source.document)

    def same(self, one: Manifest | Whole | None, other: Manifest | Whole | None) -> bool:
        """Whether two definitions surely say the same of their objects."""
        if one is None or other is None or isinstance(one, Mapping) != isinstance(other, Mapping):
            return one is other
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            return one is other or at(one, "spec", "versions") == at(other, "spec", "versions")
        if isinstance(one, Mapping) or isinstance(other, Mapping):
            return False
        if one.document == other.document:
            return True
        return bool(self._once(lean.lean, one.document) == self._once(lean.lean, other.document))


def _schema_of(crd: Manifest, version: str) -> Mapping[str, Any] | None:
    if at(crd, "spec", "preserveUnknownFields") is True:
        return None
    listed = at(crd, "spec", "versions")
    for item in listed if isinstance(listed, list) else []:
        if at(item, "name") == version:
            found = at(item, "schema", "openAPIV3Schema")
            return found if isinstance(found, dict) else None
    return None
