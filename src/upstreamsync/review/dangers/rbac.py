"""RBAC that lets somebody do more than before.

A rule is taken apart into single grants; a grant that the old rules covered, literally or by a wildcard,
is nothing new. So a reordered or split rule says nothing, and one more verb says exactly that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from upstreamsync.model import Danger
from upstreamsync.review.pairs import Pairs
from upstreamsync.review.pods import mapping, mappings, strings

_ROLES: Final = ("Role", "ClusterRole")
_BINDINGS: Final = ("RoleBinding", "ClusterRoleBinding")
_ESCALATING: Final = frozenset({"escalate", "bind", "impersonate"})
_READING: Final = frozenset({"get", "list", "watch", "*"})
_SHOWN: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Grant:
    """One verb on one resource of one group (or on one URL); ``name`` is empty for all objects."""

    group: str
    resource: str
    verb: str
    name: str = ""

    def covers(self, other: Grant) -> bool:
        """Whether who has this has the other too."""
        return (
            self.group in ("*", other.group)
            and self.verb in ("*", other.verb)
            and self.name in ("", other.name)
            and _resource_covers(self.resource, other.resource)
        )

    @property
    def thing(self) -> str:
        """What may be acted on: ``deployments.apps``, ``/metrics``."""
        dotted = f"{self.resource}.{self.group}" if self.group not in ("", "url") else self.resource
        return f"{dotted} {self.name}".strip()


def rbac_dangers(pairs: Pairs) -> Iterator[Danger]:
    """Roles that grant more, and bindings that reach more."""
    for pair in pairs.changed:
        if pair.kind in _ROLES:
            yield from _role(str(pair), pair.kind, pair.old, pair.new)
        elif pair.kind in _BINDINGS:
            yield from _binding(str(pair), pair.old, pair.new)
    for lone in pairs.added:
        if lone.kind in _ROLES:
            yield from _role(str(lone), lone.kind, {}, lone.object)
        elif lone.kind in _BINDINGS:
            yield from _cluster_admin(str(lone), {}, lone.object)


def grants(role: Mapping[str, Any]) -> frozenset[Grant]:
    """Every grant of a role, wildcards as they stand."""
    found: set[Grant] = set()
    for rule in mappings(role.get("rules")):
        verbs = strings(rule.get("verbs"))
        names = strings(rule.get("resourceNames")) or ("",)
        groups, resources = strings(rule.get("apiGroups")), strings(rule.get("resources"))
        for group, resource, verb, name in product(groups, resources, verbs, names):
            found.add(Grant(group=group, resource=resource, verb=verb, name=name))
        for url, verb in product(strings(rule.get("nonResourceURLs")), verbs):
            found.add(Grant(group="url", resource=url, verb=verb))
    return frozenset(found)


def _resource_covers(mine: str, other: str) -> bool:
    if mine in ("*", other):
        return True
    if mine.startswith("*/"):
        return other.partition("/")[2] == mine[2:]
    return mine.endswith("*") and other.startswith(mine[:-1])


def _role(resource: str, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Danger]:
    before = grants(old)
    literal = sorted(grants(new) - before)
    broad = [
        grant
        for grant in before
        if "*" in (grant.group, grant.verb) or "*" in grant.resource or not grant.name
    ]
    fresh = [grant for grant in literal if not any(have.covers(grant) for have in broad)]
    told: set[Grant] = set()
    for rule, found in (
        ("rbac-escalation", [grant for grant in fresh if grant.verb in _ESCALATING]),
        ("rbac-wildcard", [grant for grant in fresh if _is_wildcard(grant)]),
        ("rbac-secrets", [grant for grant in fresh if kind == "ClusterRole" and _reads_secrets(grant)]),
        ("rbac-widened", fresh if old else []),
    ):
        untold = [grant for grant in found if grant not in told]
        told.update(untold)
        if untold:
            where = " in every namespace" if rule == "rbac-secrets" else ""
            yield Danger(rule=rule, resource=resource, text=f"may now {_listed(untold)}{where}")


def _is_wildcard(grant: Grant) -> bool:
    return "*" in (grant.group, grant.resource, grant.verb)


def _reads_secrets(grant: Grant) -> bool:
    return grant.group == "" and grant.resource == "secrets" and grant.verb in _READING and not grant.name


def _listed(found: Iterable[Grant]) -> str:
    """``get, list secrets; create pods``: verbs by what they act on, shortened."""
    verbs: dict[str, list[str]] = {}
    for grant in found:
        verbs.setdefault(grant.thing, []).append(grant.verb)
    parts = [f"{', '.join(_verb(verb) for verb in names)} {_thing(thing)}" for thing, names in verbs.items()]
    more = f"; and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return "; ".join(parts[:_SHOWN]) + more


def _verb(verb: str) -> str:
    return "do anything to" if verb == "*" else verb


def _thing(thing: str) -> str:
    return "everything" if thing in ("*", "*.*") else thing


def _binding(resource: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Danger]:
    for subject in sorted(_subjects(new) - _subjects(old)):
        role = mapping(new.get("roleRef")).get("name", "")
        yield Danger(rule="rbac-new-subject", resource=resource, text=f"{subject} now has {role}")
    yield from _cluster_admin(resource, old, new)


def _cluster_admin(resource: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Danger]:
    if mapping(new.get("roleRef")).get("name") != "cluster-admin":
        return
    had = _subjects(old) if mapping(old.get("roleRef")).get("name") == "cluster-admin" else set()
    for subject in sorted(_subjects(new) - had):
        yield Danger(rule="rbac-cluster-admin", resource=resource, text=f"{subject} becomes cluster-admin")


def _subjects(binding: Mapping[str, Any]) -> set[str]:
    return {
        f"{subject.get('kind', '')} {subject.get('namespace', '')}/{subject.get('name', '')}".replace(
            " /", " "
        )
        for subject in mappings(binding.get("subjects"))
    }
