"""CRDs whose versions go away, or whose objects are stored differently.

The API server refuses a CRD that drops a version which is still listed in ``status.storedVersions``
(Kubernetes documentation, "Versions in CustomResourceDefinitions").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from upstreamsync.model import Danger
from upstreamsync.review.pairs import Pairs
from upstreamsync.review.pods import mapping, mappings


def crd_dangers(pairs: Pairs) -> Iterator[Danger]:
    """Dropped or unserved versions, and a changed storage version."""
    for pair in pairs.changed:
        if pair.kind != "CustomResourceDefinition":
            continue
        old, new = _versions(pair.old), _versions(pair.new)
        for name in (name for name in old if name not in new):
            text = f"version {name} is gone: objects stored in it block the update, manifests of it fail"
            yield Danger(rule="crd-version-dropped", resource=str(pair), text=text)
        for name, version in new.items():
            if version.get("served") is False and old.get(name, {}).get("served") is True:
                text = f"version {name} is no longer served: manifests of it fail"
                yield Danger(rule="crd-version-dropped", resource=str(pair), text=text)
        before, after = _storage(old), _storage(new)
        if before and after and before != after:
            text = f"storage version {before} → {after}: stored objects have to be migrated"
            yield Danger(rule="crd-storage-changed", resource=str(pair), text=text)


def _versions(crd: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    spec = mapping(crd.get("spec"))
    return {str(version.get("name")): version for version in mappings(spec.get("versions"))}


def _storage(versions: Mapping[str, Mapping[str, Any]]) -> str | None:
    return next((name for name, version in versions.items() if version.get("storage") is True), None)
