"""What a reviewer should not miss. One rule, one function; the registry below is the whole list.

A rule reads the two sides of one overlay and yields dangers. Their codes are stable: people filter by
them, tests name them, docs/dangers.md lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from upstreamsync.model import Danger
from upstreamsync.review.dangers.crds import crd_dangers
from upstreamsync.review.dangers.exposure import exposure_dangers
from upstreamsync.review.dangers.immutable import immutable_dangers
from upstreamsync.review.dangers.pruning import pruning_dangers
from upstreamsync.review.dangers.rbac import rbac_dangers
from upstreamsync.review.dangers.registries import image_dangers
from upstreamsync.review.dangers.secrets import secret_dangers
from upstreamsync.review.dangers.shrinking import SHRUNK
from upstreamsync.review.dangers.webhooks import webhook_dangers
from upstreamsync.review.dangers.workloads import workload_dangers
from upstreamsync.review.pairs import Pairs

Rule = Callable[[Pairs], Iterable[Danger]]

#: In the order in which people should read them: what destroys, what opens, what surprises.
RULES: Final[tuple[Rule, ...]] = (
    pruning_dangers,
    crd_dangers,
    immutable_dangers,
    rbac_dangers,
    workload_dangers,
    webhook_dangers,
    exposure_dangers,
    secret_dangers,
    image_dangers,
)

#: Every code, with its meaning: the stable vocabulary.
CODES: Final[dict[str, str]] = {
    SHRUNK: "most objects of a base are gone",
    "data-pruned": "removing the object deletes data when it is pruned",
    "crd-removed": "removing the CRD deletes every custom resource of its kind",
    "crd-version-dropped": "a version of a CRD is gone or no longer served",
    "crd-storage-changed": "objects are stored in another version of the CRD",
    "immutable-field": "the API server refuses this change; the object has to be deleted first",
    "rbac-widened": "a role grants more than before",
    "rbac-wildcard": "a role newly grants everything of something",
    "rbac-escalation": "a role newly allows escalate, bind or impersonate",
    "rbac-secrets": "a cluster role newly reads secrets",
    "rbac-cluster-admin": "somebody newly becomes cluster-admin",
    "rbac-new-subject": "a binding has a new subject",
    "host-access": "a pod newly uses the node's network, processes or files",
    "privileged": "a container newly runs privileged, or may become so",
    "capabilities": "a container newly has more capabilities",
    "run-as-root": "a container newly runs as root, or may",
    "webhook-new": "the API server newly asks a webhook",
    "webhook-fail-closed": "requests newly fail when a webhook does not answer",
    "service-exposed": "a service is newly reachable from outside",
    "network-policy-removed": "a network policy is gone, or lets more through",
    "secret-shipped": "upstream ships a secret's value",
    "registry-new": "images newly come from this registry",
    "image-floating": "an image has no fixed version",
}


def dangers_of(pairs: Pairs) -> tuple[Danger, ...]:
    """What every rule has to say, in the registry's order, without repetition."""
    return tuple(dict.fromkeys(danger for rule in RULES for danger in rule(pairs)))
