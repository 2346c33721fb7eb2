"""Admission webhooks: new ones, and those whose silence now stops requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.model import Danger
from upstreamsync.review.pairs import Pairs
from upstreamsync.review.pods import mapping, mappings, strings

_KINDS: Final = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


def webhook_dangers(pairs: Pairs) -> Iterator[Danger]:
    """Webhooks by name: a new one, a new failure policy, a wider scope."""
    for pair in pairs.changed:
        if pair.kind in _KINDS:
            yield from _compare(str(pair), pair.old, pair.new)
        elif pair.kind == "CustomResourceDefinition" and _converts(pair.new) and not _converts(pair.old):
            text = "objects are now converted by a webhook: nothing of this kind can be read while it is down"
            yield Danger(rule="webhook-new", resource=str(pair), text=text)
    for lone in pairs.added:
        if lone.kind in _KINDS:
            yield from _compare(str(lone), {}, lone.object)


def _compare(resource: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Danger]:
    before = {str(hook.get("name")): hook for hook in mappings(old.get("webhooks"))}
    for hook in mappings(new.get("webhooks")):
        name = str(hook.get("name"))
        had = before.get(name)
        if had is None:
            text = f"{name} is new: it is asked about {_scope(hook)}; {_silence(hook)}"
            yield Danger(rule="webhook-new", resource=resource, text=text)
        elif _policy(hook) == "Fail" and _policy(had) != "Fail":
            text = f"{name}: failurePolicy {_policy(had)} → Fail; {_silence(hook)}"
            yield Danger(rule="webhook-fail-closed", resource=resource, text=text)
        elif _scopes(hook) - _scopes(had):
            text = f"{name} is now also asked about {', '.join(sorted(_scopes(hook) - _scopes(had)))}"
            yield Danger(rule="webhook-new", resource=resource, text=text)


def _policy(hook: Mapping[str, Any]) -> str:
    return str(hook.get("failurePolicy", "Fail"))


def _silence(hook: Mapping[str, Any]) -> str:
    return "requests fail while it is down" if _policy(hook) == "Fail" else "it is skipped while it is down"


def _scope(hook: Mapping[str, Any]) -> str:
    return ", ".join(sorted(_scopes(hook))) or "nothing"


def _scopes(hook: Mapping[str, Any]) -> set[str]:
    return {
        f"{operation} {resource}"
        for rule in mappings(hook.get("rules"))
        for operation in strings(rule.get("operations"))
        for resource in strings(rule.get("resources"))
    }


def _converts(crd: Mapping[str, Any]) -> bool:
    return mapping(mapping(crd.get("spec")).get("conversion")).get("strategy") == "Webhook"
