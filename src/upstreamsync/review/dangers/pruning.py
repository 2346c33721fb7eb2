"""Data that goes when Argo CD, or ``kubectl apply --prune``, removes what upstream no longer ships."""

from __future__ import annotations

from collections.abc import Iterator

from upstreamsync.model import Danger
from upstreamsync.review.pairs import Lone, Pairs
from upstreamsync.review.pods import mapping, mappings


def pruning_dangers(pairs: Pairs) -> Iterator[Danger]:
    """Removed objects that hold data, or everything in a namespace."""
    for lone in pairs.removed:
        if text := _loss(lone):
            rule = "crd-removed" if lone.kind == "CustomResourceDefinition" else "data-pruned"
            yield Danger(rule=rule, resource=str(lone), text=text)
    for pair in pairs.changed:
        if pair.kind == "StatefulSet":
            gone = _claims(pair.old) - _claims(pair.new)
            for name in sorted(gone):
                text = f"volume claim template {name} is gone: its data is no longer mounted"
                yield Danger(rule="data-pruned", resource=str(pair), text=text)


def _loss(lone: Lone) -> str | None:
    match lone.kind:
        case "Namespace":
            return "removing the namespace deletes everything in it"
        case "PersistentVolumeClaim":
            return "removing the claim may delete its volume"
        case "PersistentVolume":
            return "the volume is removed"
        case "CustomResourceDefinition":
            kind = mapping(mapping(lone.object.get("spec")).get("names")).get("kind", "its kind")
            return f"removing the CRD deletes every {kind} in the cluster"
        case "StatefulSet" if claims := _claims(lone.object):
            return f"the StatefulSet with volumes {', '.join(sorted(claims))} is removed"
        case _:
            return None


def _claims(statefulset: object) -> set[str]:
    spec = mapping(mapping(statefulset).get("spec"))
    return {
        str(mapping(claim.get("metadata")).get("name", ""))
        for claim in mappings(spec.get("volumeClaimTemplates"))
    }
