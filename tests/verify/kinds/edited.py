"""Edited in the same change: other forms of customization, and the rewriting that people do beside an update."""

from __future__ import annotations

from collections.abc import Mapping

from upstreamsync.model import Severity, Verdict
from verify.kinds.forms import bare, inline, listed
from verify.kinds.variant import Variant
from verify.small import deployment


def _memory(container: str, limit: str) -> str:
    return bare(container=container, more=f"resources: {{limits: {{memory: {limit}}}}}")


def _json(*operations: str) -> dict[str, str]:
    return {
        **listed(
            "patchesJson6902",
            "{target: {group: apps, version: v1, kind: Deployment, name: web}, path: j.yaml}",
        ),
        "j.yaml": "".join(f"- {each}\n" for each in operations),
    }


_LIMIT = "{{op: add, path: /spec/template/spec/containers/{0}/resources, value: {{limits: {{memory: {1}}}}}}}"
_NOTE = "{op: add, path: /metadata/annotations, value: {note: mine}}"
_FRONT = deployment().replace("[{name: web", "[{name: proxy, image: 'acme/proxy:1'}, {name: web")
_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{{0}: a, other: '{1}'}}\n"
_COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: p.yaml}]\n"


def _merged(key: str, value: str) -> dict[str, str]:
    return listed("configMapGenerator", f"{{name: settings, behavior: merge, literals: [{key}={value}]}}")


def _component(limit: str, name: str = "web") -> dict[str, str]:
    return {
        "kustomization.yaml": "resources: [../base]\ncomponents: [../limits]\n",
        "/limits/kustomization.yaml": _COMPONENT,
        "/limits/p.yaml": _memory("web", limit).replace(
            "metadata: {name: web}", f"metadata: {{name: {name}}}"
        ),
    }


def _merge_file(text: str, name: str = "p.yaml") -> dict[str, str]:
    return {**listed("patches", f"{{path: {name}}}"), name: text}


_PODS = "{apiGroups: [''], resources: [pods, secrets], verbs: [get]}"
_LEASE = "{apiGroups: [''], resources: [configmaps], resourceNames: [leader], verbs: [get, update]}"
_NODES = "{apiGroups: [''], resources: [nodes], verbs: [list]}"


def _role(version: str, *rules: str) -> str:
    return (
        f"apiVersion: rbac.authorization.k8s.io/{version}\nkind: Role\nmetadata: {{name: r}}\n"
        f"rules: [{', '.join(rules)}]\n"
    )


def _listing(name: str, *arguments: str) -> str:
    return deployment(name, args=", ".join(f'"{each}"' for each in arguments))


def _arguments(name: str, value: str, index: int = 0) -> dict[str, str]:
    operation = (
        f"{{op: replace, path: /spec/template/spec/containers/0/args/{index}, value: '--map={value}'}}"
    )
    return {
        **listed("patches", f"{{path: j.yaml, target: {{kind: Deployment, name: {name}}}}}"),
        "j.yaml": f"- {operation}\n",
    }


def _leader(version: str) -> dict[str, str]:
    target = f"{{group: rbac.authorization.k8s.io, version: {version}, kind: Role, name: r}}"
    return {
        **listed("patchesJson6902", f"{{target: {target}, path: j.yaml}}"),
        "j.yaml": "- {op: replace, path: /rules/1/resourceNames, value: [one, two]}\n",
    }


VARIANTS: Mapping[str, Variant] = {
    "an inline patch, its limit raised": Variant(
        overlay=inline(_memory("web", "1Gi")), edited=inline(_memory("web", "2Gi")), old=deployment(),
        new=deployment(container="server", image="acme/web:2"), verdict=Verdict.MISAPPLIED, says=["server"],
    ),
    "a file of patchesStrategicMerge": Variant(
        overlay={**listed("patchesStrategicMerge", "p.yaml"), "p.yaml": _memory("web", "1Gi")},
        edited={"p.yaml": _memory("web", "2Gi")}, old=deployment(), new=deployment(container="server"),
        item="patchesStrategicMerge[0]", verdict=Verdict.MISAPPLIED, says=["server"],
    ),
    "one operation of two, and another container in front": Variant(
        overlay=_json(_NOTE, _LIMIT.format(0, "1Gi")), edited=_json(_NOTE, _LIMIT.format(0, "2Gi")), old=deployment(),
        new=_FRONT, item="patchesJson6902[0]", verdict=Verdict.MISAPPLIED, says=["proxy"],
    ),
    "a value of a generator, whose key is called otherwise": Variant(
        overlay=_merged("level", "debug"), edited=_merged("level", "trace"), old=_MAP.format("level", 1),
        new=_MAP.format("logLevel", 1), item="configMapGenerator[settings]", verdict=Verdict.MISAPPLIED,
        says=["logLevel"],
    ),
    "a count, whose Deployment is called otherwise": Variant(
        overlay=listed("replicas", "{name: web, count: 2}"), edited=listed("replicas", "{name: web, count: 3}"),
        old=deployment(), new=deployment("server"), item="replicas[0]", verdict=Verdict.FAILS,
        severity=Severity.BROKEN, says=["server"],
    ),
    "a patch of a component, whose object is called otherwise": Variant(
        overlay=_component("1Gi"), edited=_component("2Gi"), old=deployment(), new=deployment("server"),
        item="limits: patches[0]", verdict=Verdict.FAILS, severity=Severity.BROKEN, says=["server"],
    ),
    "another mirror for an image that moved": Variant(
        overlay=listed("images", "{name: acme/web, newName: old.mirror/web}"),
        edited=listed("images", "{name: acme/web, newName: new.mirror/web}"), old=deployment(),
        new=deployment(image="ghcr.io/acme/web:2"), item="images[0]", verdict=Verdict.LOST, says=["ghcr.io/acme/web"],
    ),
    "an annotation added beside a flag that is gone": Variant(
        overlay=_merge_file(bare(args='"--a=2", "--old"')),
        edited=_merge_file(bare(args='"--a=2", "--old"').replace("{name: web}", "{name: web, annotations: {x: y}}", 1)),
        old=deployment(args='"--a=1", "--old"'), new=deployment(args='"--a=1"'), verdict=Verdict.SHADOWS,
        severity=Severity.REVIEW, says=["--old"],
    ),
    "the file has another name, and its limit is raised": Variant(
        overlay=_merge_file(_memory("web", "1Gi")), edited=_merge_file(_memory("web", "2Gi"), "limits.yaml"),
        old=deployment(), new=deployment(container="server"), verdict=Verdict.MISAPPLIED, says=["server"],
    ),
    "the target's version follows, and the index has moved": Variant(
        overlay=_leader("v1beta1"), edited=_leader("v1"), old=_role("v1beta1", _PODS, _LEASE), new=_role("v1", _NODES, _PODS, _LEASE),
        item="patchesJson6902[0]", verdict=Verdict.MISAPPLIED, says=["pods"],
    ),
    "the target's name follows, and its arguments have another order": Variant(
        overlay=_arguments("web", "mine"), edited=_arguments("server", "ours"), old=_listing("web", "--map=a", "--class=b", "--x"),
        new=_listing("server", "--class=b", "--x", "--map=a"), verdict=Verdict.MISAPPLIED, says=["--class=b", "--map=ours"],
    ),
    "the target's name follows, and its arguments are where they were": Variant(
        overlay=_arguments("web", "mine"), edited=_arguments("server", "ours"), old=_listing("web", "--map=a", "--class=b", "--x"),
        new=_listing("server", "--map=b", "--class=b", "--x", "--y"),
    ),
    "another argument in the place of one, as it always was": Variant(
        overlay=_arguments("web", "mine", 1), edited=_arguments("server", "ours", 1),
        old=_listing("web", "--x", "--class=b"), new=_listing("server", "--x", "--class=b", "--y"),
    ),
    "the target's version follows, and the index fits": Variant(
        overlay=_leader("v1beta1"), edited=_leader("v1"), old=_role("v1beta1", _PODS, _LEASE), new=_role("v1", _PODS, _LEASE, _NODES),
    ),
    "the patch's own version follows": Variant(
        overlay=_merge_file(_memory("web", "1Gi").replace("apps/v1", "apps/v1beta2")), edited=_merge_file(_memory("web", "1Gi")),
        old=deployment().replace("apps/v1", "apps/v1beta2"), new=deployment(image="acme/web:2"),
    ),
    "the file has another name, and follows upstream": Variant(
        overlay=_merge_file(_memory("web", "1Gi")), edited=_merge_file(_memory("server", "1Gi"), "limits.yaml"),
        old=deployment(), new=deployment(container="server"),
    ),
    "operations in place of a merge": Variant(
        overlay=_merge_file(_memory("web", "1Gi")), old=deployment(), new=deployment(image="acme/web:2"),
        edited={**listed("patches", "{path: j.yaml, target: {kind: Deployment, name: web}}"),
                "j.yaml": f"- {_LIMIT.format(0, '1Gi')}\n"},
    ),
    "a patch in place of an entry of images": Variant(
        overlay=listed("images", '{name: acme/web, newName: mirror/web, newTag: "2"}'), old=deployment(),
        new=deployment(image="acme/web:2"), edited=_merge_file(deployment(image="mirror/web:2")),
    ),
    "a key of a generator that follows": Variant(
        overlay=_merged("level", "debug"), edited=_merged("logLevel", "debug"), old=_MAP.format("level", 1),
        new=_MAP.format("logLevel", 1),
    ),
    "a count that follows": Variant(
        overlay=listed("replicas", "{name: web, count: 2}"), edited=listed("replicas", "{name: server, count: 2}"),
        old=deployment(), new=deployment("server"),
    ),
    "a component that follows": Variant(
        overlay=_component("1Gi"), edited=_component("1Gi", "server"), old=deployment(), new=deployment("server"),
    ),
    "one patch in two files": Variant(
        overlay=_merge_file(bare(more="resources: {limits: {memory: 1Gi}}, tty: true")), old=deployment(),
        new=deployment(image="acme/web:2"),
        edited={**listed("patches", "{path: one.yaml}", "{path: two.yaml}"), "one.yaml": _memory("web", "1Gi"),
                "two.yaml": bare(more="tty: true")},
    ),
    "the field's modern name": Variant(
        overlay={**listed("patchesStrategicMerge", "p.yaml"), "p.yaml": _memory("web", "1Gi")},
        edited=_merge_file(_memory("web", "1Gi")), old=deployment(), new=deployment(image="acme/web:2"),
    ),
    "labels in place of commonLabels": Variant(
        overlay={"kustomization.yaml": "resources: [../base]\ncommonLabels: {team: x}\n"},
        edited=listed("labels", "{pairs: {team: x}, includeSelectors: true}"), old=deployment(),
        new=deployment(image="acme/web:2"),
    ),
    "deleted, since upstream has it now": Variant(
        overlay=_merge_file(_memory("web", "1Gi")), edited={"kustomization.yaml": "resources: [../base]\n"},
        old=deployment(), new=deployment(more="resources: {limits: {memory: 1Gi}}"),
    ),
}  # fmt: skip
