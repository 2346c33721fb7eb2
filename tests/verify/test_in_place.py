"""A JSON 6902 patch goes by position: an element that is called otherwise where it stands is still met."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.model import Verdict
from upstreamsync.verify import Store
from verify.small import alarms, deployment, item, judged

_CONTAINERS = "/spec/template/spec/containers"
_MEMORY = f"{{op: add, path: {_CONTAINERS}/0/resources, value: {{limits: {{memory: 1Gi}}}}}}"
_VALUE = f"{{op: replace, path: {_CONTAINERS}/0/env/0/value, value: mine}}"


def _pod(*containers: tuple[str, str]) -> str:
    listed = ", ".join(f'{{name: {name}, image: "acme/{image}:1"}}' for name, image in containers)
    return deployment().replace('{name: web, image: "acme/web:1"}', listed)


def _env(*variables: tuple[str, str]) -> str:
    return deployment(more="env: [" + ", ".join(f"{{name: {n}, value: {v}}}" for n, v in variables) + "]")


def _service(port: int = 80, name: str = "http", first: str = "") -> str:
    return (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
        f"spec: {{type: NodePort, ports: [{first}{{port: {port}, name: {name}, targetPort: 8080}}]}}\n"
    )


def _volumes(*volumes: tuple[str, str]) -> str:
    return deployment(pod="volumes: [" + ", ".join(f"{{name: {n}, {source}}}" for n, source in volumes) + "]")


_MOVED = f"{{op: replace, path: {_CONTAINERS}/0/name, value: mine}}"
_PORT = "{op: replace, path: /spec/ports/0/port, value: 443}"
_NODE = "{op: add, path: /spec/ports/0/nodePort, value: 30080}"
_SIZE = "{op: add, path: /spec/template/spec/volumes/0/emptyDir/sizeLimit, value: 1Gi}"
_LOG = "{port: 514, name: log}, "

#: The operation, upstream before and after, and the verdict.
VARIANTS: Mapping[str, tuple[str, str, str, Verdict]] = {
    "a container": (_MEMORY, _pod(("web", "web")), _pod(("server", "web")), Verdict.OK),
    "the first of two containers": (
        _MEMORY, _pod(("web", "web"), ("side", "side")), _pod(("server", "web"), ("side", "side")), Verdict.OK,
    ),
    "a container to which the patch gives its name": (
        _MOVED, _pod(("web", "web")), _pod(("server", "web")), Verdict.SHADOWS,
    ),
    "a variable": (_VALUE, _env(("HOST", "a"), ("Z", "z")), _env(("SERVER", "a"), ("Z", "z")), Verdict.OK),
    "a port by another number": (_NODE, _service(), _service(8080), Verdict.OK),
    "a port whose number the patch changes": (_PORT, _service(), _service(name="web"), Verdict.OK),
    "a port whose number both change": (_PORT, _service(), _service(8080), Verdict.SHADOWS),
    "a volume": (_SIZE, _volumes(("tmp", "emptyDir: {}")), _volumes(("scratch", "emptyDir: {}")), Verdict.OK),
    "another container at the place": (
        _MEMORY, _pod(("web", "web")), _pod(("server", "server")), Verdict.MISAPPLIED,
    ),
    "a container in front": (
        _MEMORY, _pod(("web", "web")), _pod(("proxy", "proxy"), ("web", "web")), Verdict.MISAPPLIED,
    ),
    "renamed, and another one in front": (
        _MEMORY, _pod(("web", "web")), _pod(("proxy", "proxy"), ("server", "web")), Verdict.MISAPPLIED,
    ),
    "containers that changed places": (
        _MEMORY, _pod(("web", "web"), ("side", "side")), _pod(("side", "side"), ("web", "web")), Verdict.MISAPPLIED,
    ),
    "another variable at the place": (
        _VALUE, _env(("HOST", "a"), ("Z", "z")), _env(("LEVEL", "debug"), ("Z", "z")), Verdict.MISAPPLIED,
    ),
    "a port in front": (_NODE, _service(), _service(first=_LOG), Verdict.MISAPPLIED),
    "a port in front of one whose number the patch changes": (
        _PORT, _service(), _service(first=_LOG), Verdict.MISAPPLIED,
    ),
    "another volume at the place": (
        _SIZE, _volumes(("tmp", "emptyDir: {}")), _volumes(("data", "hostPath: {path: /d}")), Verdict.FAILS,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_an_element_is_known_by_where_it_stands(name: str, tmp_path: Path, kept: Store) -> None:
    operation, old, new, verdict = VARIANTS[name]
    kind = "Service" if "kind: Service" in old else "Deployment"
    before = {
        "base/kustomization.yaml": "resources: [up.yaml]\n",
        "base/up.yaml": old,
        "overlay/kustomization.yaml": "resources: [../base]\n"
        f"patches: [{{path: p.yaml, target: {{kind: {kind}}}}}]\n",
        "overlay/p.yaml": f"- {operation}\n",
    }
    found = judged(tmp_path, before, {"base/up.yaml": new}, cache=kept)
    judgement = item(found, "overlay: patches[0]")
    assert judgement.verdict is verdict, [(each.verdict, each.why) for each in judgement.told]
    assert bool(alarms(found)) == (verdict is not Verdict.OK), alarms(found)
