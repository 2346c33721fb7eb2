"""Runs Helm's SDK in a process of its own: a JSON request on stdin, what helm would print on stdout.

Not imported by anything; ``helm_embedded`` starts it. An empty request asks for the SDK's version.
"""

from __future__ import annotations

import json
import sys
from typing import Any

_CANNOT = 64
_FAILED = 1


def main() -> int:
    """Answer the request; errors go to stderr."""
    import helm_python  # type: ignore[import-not-found,unused-ignore]

    request = json.load(sys.stdin)
    if not request:
        sys.stdout.write(str(helm_python.helm_sdk_version()))
        return 0
    try:
        printed = _render(helm_python, request)
    except helm_python.HelmError as error:
        sys.stderr.write(f"Error: {error}\n")
        return _FAILED
    if printed is None:
        sys.stderr.write("a chart with hooks\n")
        return _CANNOT
    sys.stdout.buffer.write(printed.encode())
    return 0


def _render(helm: Any, request: dict[str, Any]) -> str | None:
    """CRDs, then the manifest of a dry run; None when there are hooks, which a dry run leaves out."""
    values = _values(helm, request)
    name, namespace = request["release"], request["namespace"]
    with helm.Chart.load(request["chart"]) as chart:
        if request["hooks"]:
            rendered = chart.render(values, name=name, namespace=namespace)
            if any(_has_hook(text) for text in rendered.values()):
                return None
        config = {"namespace": namespace, "storage_driver": "memory", "kubeconfig_content": _NO_CLUSTER}
        with helm.Config(**config) as cluster:
            done = cluster.install(chart, name, values, namespace=namespace, dry_run="client")
        crds = ""
        if request["include_crds"]:
            crds = "".join(f"---\n# Source: {crd['filename']}\n{crd['data']}\n" for crd in chart.crds)
    return f"{crds}{str(done['manifest']).strip()}\n"


_NO_CLUSTER = "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n"


def _has_hook(text: str) -> bool:
    """Whether a rendered template has a hook that is not only a test."""
    for document in text.split("\n---"):
        lines = [line for line in document.splitlines() if "helm.sh/hook" in line]
        if any("helm.sh/hook-" not in line and "test" not in line for line in lines):
            return True
    return False


def _values(helm: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The values files, later ones over earlier ones, and single values over all, as helm merges them."""
    merged: dict[str, Any] = {}
    for path in request["values"]:
        with open(path, encoding="utf-8") as file:
            merged = _over(merged, helm.values_from_yaml(file.read()))
    for key, value in request["sets"]:
        place = merged
        *parents, last = key.split(".")
        for part in parents:
            if not isinstance(place.get(part), dict):
                place[part] = {}
            place = place[part]
        place[last] = value
    return merged


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


if __name__ == "__main__":
    sys.exit(main())
