"""Replacements: what is copied may change; what did nothing and now writes a wrong value may not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.model import Severity, Verdict, Verification
from upstreamsync.verify import Store
from verify.small import alarms, item, judged

_SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{v: '{0}'}}\n"
_INGRESS = (
    "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: i}}\nspec:\n  rules:\n"
    "  - host: '{0}'\n    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: s, port: {{number: 1}}}}}}}}]}}\n"
)
_MAP = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: t}}\ndata: {{x: '{0}', other: '{1}'}}\n"
_ENV = (
    "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: w}}\nspec: {{selector: {{matchLabels: {{a: b}}}},"
    " template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: [{{name: w, image: 'i:1', env: [{{name: {1},"
    " value: '{0}'}}]}}]}}}}}}\n"
)


def _overlay(target: str, path: str, options: str = "", source: str = "settings") -> str:
    more = f", options: {{{options}}}" if options else ""
    return (
        "resources: [../base]\nreplacements:\n"
        f"- source: {{kind: ConfigMap, name: {source}, fieldPath: data.v}}\n"
        f"  targets: [{{select: {{{target}}}, fieldPaths: [{path}]{more}}}]\n"
    )


_TO_HOST = _overlay("kind: Ingress", "spec.rules.0.host")
_TO_MAP = _overlay("kind: ConfigMap, name: t", "data.x")
_TO_PART = _overlay("kind: ConfigMap, name: t", "data.x", "delimiter: '.', index: 1")
_TO_ENV = _overlay("kind: Deployment", "'spec.template.spec.containers.[name=w].env.[name=E].value'")


#: The overlay, upstream before and after, and the verdict.
VARIANTS: Mapping[str, tuple[str, str, str, Verdict]] = {
    "a host, the key of its list": (
        _TO_HOST, _SETTINGS.format("a.dev") + _INGRESS.format("x"), _SETTINGS.format("a.io") + _INGRESS.format("x"),
        Verdict.OK,
    ),
    "a value that changed and is copied": (
        _TO_MAP, _SETTINGS.format("a") + _MAP.format("x", 1), _SETTINGS.format("b") + _MAP.format("x", 1), Verdict.OK,
    ),
    "a part of a text, copied": (
        _TO_PART, _SETTINGS.format("n1") + _MAP.format("s.x.svc", 1), _SETTINGS.format("n2") + _MAP.format("s.x.svc", 1),
        Verdict.OK,
    ),
    "a variable, copied": (
        _TO_ENV, _SETTINGS.format("a") + _ENV.format("x", "E"), _SETTINGS.format("b") + _ENV.format("x", "E"),
        Verdict.OK,
    ),
    "both change, the source is copied": (
        _TO_MAP, _SETTINGS.format("a") + _MAP.format("x", 1), _SETTINGS.format("b") + _MAP.format("y", 1), Verdict.OK,
    ),
    "something else changes": (
        _TO_MAP, _SETTINGS.format("a") + _MAP.format("x", 1), _SETTINGS.format("a") + _MAP.format("x", 2), Verdict.OK,
    ),
    "it did nothing, and now writes a stale value": (
        _TO_MAP, _SETTINGS.format("a") + _MAP.format("a", 1), _SETTINGS.format("a") + _MAP.format("b", 1),
        Verdict.MISAPPLIED,
    ),
    "it did nothing, and now writes into the middle": (
        _TO_PART, _SETTINGS.format("n1") + _MAP.format("s.n1.svc", 1),
        _SETTINGS.format("n1") + _MAP.format("http://s.sub.n1.svc", 1), Verdict.MISAPPLIED,
    ),
    "it did nothing to a port, which moved": (
        _TO_ENV, _SETTINGS.format("8080") + _ENV.format("8080", "E"), _SETTINGS.format("8080") + _ENV.format("9090", "E"),
        Verdict.MISAPPLIED,
    ),
    "a part that is another one now": (
        _TO_PART, _SETTINGS.format("mine") + _MAP.format("s.x.svc", 1),
        _SETTINGS.format("mine") + _MAP.format("s.sub.x.svc", 1), Verdict.MISAPPLIED,
    ),
    "it does nothing, as before": (
        _TO_MAP, _SETTINGS.format("a") + _MAP.format("a", 1), _SETTINGS.format("a") + _MAP.format("a", 2),
        Verdict.REDUNDANT,
    ),
}  # fmt: skip


def _run(folder: Path, kept: Store, overlay: str, old: str, new: str) -> Verification:
    before = {"base/kustomization.yaml": "resources: [up.yaml]\n", "base/up.yaml": old,
              "overlay/kustomization.yaml": overlay}  # fmt: skip
    return judged(folder, before, {"base/up.yaml": new}, cache=kept)


@pytest.mark.parametrize("name", VARIANTS)
def test_what_a_replacement_copies_may_change(name: str, tmp_path: Path, kept: Store) -> None:
    overlay, old, new, verdict = VARIANTS[name]
    found = _run(tmp_path, kept, overlay, old, new)
    judgement = item(found, "overlay: replacements[0]")
    assert judgement.verdict is verdict, judgement
    assert bool(alarms(found)) is (judgement.severity.rank <= Severity.REVIEW.rank)
