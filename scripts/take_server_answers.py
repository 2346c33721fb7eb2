"""Ask a real API server what it takes in each field of ``tests/verify/server_answers/objects.yaml``.

``KUBE_APISERVER=… ETCD=… python scripts/take_server_answers.py`` starts both on loopback and writes ``fields.jsonl``
beside the objects: for each field the values that the server took and those that it refused, as server-side dry runs
of an update. kube-apiserver and etcd can be built from their Go modules (``k8s.io/kubernetes``, with its staging
modules replaced by their releases, and ``go.etcd.io/etcd/server/v3``).
"""

from __future__ import annotations

import copy
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml

ROOT = Path(__file__).resolve().parent.parent
ANSWERS = ROOT / "tests/verify/server_answers"
sys.path.insert(0, str(ROOT))

_APPLY = {"fieldManager": "ask", "force": "true", "fieldValidation": "Strict"}
_PLURALS = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses", "IngressClass": "ingressclasses"}
_OF_THE_CLUSTER = frozenset(
    ("StorageClass", "PriorityClass", "PersistentVolume", "ClusterRole", "IngressClass",
     "ValidatingWebhookConfiguration")
)  # fmt: skip


def main() -> None:
    """Take all answers."""
    from tests.project.server.test_server import real_server

    objects = list(yaml.safe_load_all((ANSWERS / "objects.yaml").read_text("utf-8")))
    with tempfile.TemporaryDirectory() as folder, real_server(Path(folder)) as config:
        server = re.search(r"https://[\d.:]+", config.read_text("utf-8"))
        assert server is not None
        headers = {"authorization": "Bearer token", "content-type": "application/apply-patch+yaml"}
        with httpx.Client(base_url=server[0], verify=False, headers=headers, timeout=60) as client:
            rows = [row for one in objects for row in _rows(client, one)]
    text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    (ANSWERS / "fields.jsonl").write_text(text, "utf-8")


def _rows(client: httpx.Client, manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    _applied(client, manifest).raise_for_status()
    for path, value in _leaves(manifest):
        row: dict[str, Any] = {
            "object": f"{manifest['kind']} {manifest['metadata']['name']}",
            "path": path,
            "taken": [],
            "refused": [],
        }
        for other in _others(value):
            answer = _applied(client, _changed(manifest, path, other), dryRun="All")
            # What is not its template can't change in a Job; here it is about what a field may hold.
            if not answer.is_success and manifest["kind"] == "Job":
                continue
            row["taken" if answer.is_success else "refused"].append(other)
        if row["taken"] or row["refused"]:
            yield row


def _applied(client: httpx.Client, manifest: dict[str, Any], **options: str) -> httpx.Response:
    version, kind, name = manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"]
    group = "/api/v1" if version == "v1" else f"/apis/{version}"
    place = "" if kind in _OF_THE_CLUSTER else "/namespaces/default"
    plural = _PLURALS.get(kind) or f"{kind.lower()}{'es' if kind.endswith('s') else 's'}"
    return client.patch(
        f"{group}{place}/{plural}/{name}", content=json.dumps(manifest), params={**_APPLY, **options}
    )


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[list[str | int], Any]]:
    if path in (("apiVersion",), ("kind",), ("metadata", "name")):
        return
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves(below, (*path, key))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _leaves(below, (*path, number))
    elif path:
        yield list(path), value


def _others(value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool):
        return ()
    if isinstance(value, int):
        return (0, -1, value + 1, 70000, str(value))
    return ("", "other", "Not_Valid!", "a" * 70, 5)


def _changed(manifest: dict[str, Any], path: list[str | int], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(manifest)
    place: Any = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return made


if __name__ == "__main__":
    main()
