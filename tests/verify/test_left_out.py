"""What takes no part in the builds of the judge changes nothing: case by case, against builds of all of it.

The judge reads plain bases instead of building them, leaves out CRD schemas and documents that no
customization can reach, and switches settings on together whose doings can be told apart. Here each case
is judged once like that, whatever its size, and once with everything built, one customization after the
other; both have to say the same to the letter.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from upstreamsync.kit.engines import Engines, Kustomize
from upstreamsync.model import ResourceChange, Verification
from upstreamsync.verify import Store, chain, judge, trim, verify_trees, waves
from upstreamsync.verify.builds import Builder, State
from upstreamsync.verify.graph import Tree, deduce_upstream
from upstreamsync.verify.items import enumerate_items
from upstreamsync.verify.reading import Reading
from upstreamsync.verify.unbuilt import unbuilt
from upstreamsync.verify.workspace import Workspace

_REPOSITORY = Path(__file__).parents[2]
_SHARED = Path(os.environ.get("PATCH_CASES") or _REPOSITORY.parent / "shared" / "patch-cases")
_WORLD = Path(os.environ.get("UPSTREAM_WORLD") or _REPOSITORY.parent / "shared" / "upstream-world")
_CASES = [
    folder
    for home in (_SHARED, Path(__file__).parent / "cases")
    if home.is_dir()
    for folder in sorted(home.iterdir())
    if (folder / "expected.yaml").is_file()
]


@pytest.fixture(scope="module")
def kustomize() -> Kustomize:
    return Engines().kustomize()


class Everything:
    """Judges with nothing left out, and every state built that settings lead to."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def __call__(self, before: Path, after: Path, overlays: Sequence[str], **options: object) -> Verification:
        with self._patch.context() as patch:
            patch.setattr(chain, "unbuilt", lambda *_: None)
            patch.setattr(judge, "plan_trim", lambda *_: (trim.Cut(), trim.Cut()))
            patch.setattr(waves, "may_join", lambda *_: False)
            patch.setattr(chain, "is_told_apart", lambda *_: False)
            return verify_trees(before, after, overlays, **options)  # type: ignore[arg-type]


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> Everything:
    return Everything(monkeypatch)


def said(verification: Verification) -> list[object]:
    """All that a verification says but for what it cost, and for what in a schema it is that changed."""
    return [
        [
            *(each.path, each.before, each.after, each.items, each.added, each.removed),
            *((change.resource, _fields(change)) for change in each.changed),
        ]
        for each in verification.overlays
    ]


def _fields(change: ResourceChange) -> list[object]:
    if "CustomResourceDefinition" not in change.resource:
        return list(change.fields)
    found: dict[object, None] = {}
    for each in change.fields:
        place, schema, _ = each.path.partition(".schema")
        values = (None, None) if schema or each.op != "changed" else (each.before, each.after)
        found[place + schema, "changed" if schema else each.op, repr(values)] = None
    return sorted(found, key=str)


@pytest.mark.slow
@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_a_case_is_judged_alike_with_everything_built(
    case: Path, kustomize: Kustomize, kept: Store, everything: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlays = yaml.safe_load((case / "expected.yaml").read_text("utf-8"))["overlays"]
    whole = everything(case / "old", case / "new", overlays, kustomize=kustomize, cache=kept)
    monkeypatch.setattr(trim, "_WORTH_IT", 0)
    small = verify_trees(case / "old", case / "new", overlays, kustomize=kustomize, cache=kept)
    assert said(small) == said(whole)


@pytest.mark.slow
@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_a_base_that_is_not_built_is_what_a_build_prints(
    case: Path, kustomize: Kustomize, kept: Store, tmp_path: Path
) -> None:
    upstream = deduce_upstream(Tree(case / "old"), Tree(case / "new"))
    for side in ("old", "new"):
        tree = Tree(case / side)
        for overlay in yaml.safe_load((case / "expected.yaml").read_text("utf-8"))["overlays"]:
            items = enumerate_items(tree, overlay, upstream)
            space = Workspace(tree, overlay, items, tmp_path / f"{side}-{overlay.replace('/', '-')}")
            off = [item for item in items if item.kind not in chain._ALWAYS_ON]
            read = unbuilt(space, off, Reading())
            if read is None:
                continue
            folder = space.state(off)
            root = folder.parents[overlay.count("/")] if overlay != "." else folder
            built = Builder(kustomize, 1, kept).build(folder, root=root)
            assert isinstance(built, State), built
            assert dict(read.objects) == dict(built.objects)


# -- bases that are heavy with CRDs ------------------------------------------------------------------

_PATCH = """\
patches:
- target: {kind: Deployment, name: .*}
  patch: |-
    - {op: add, path: /spec/template/spec/priorityClassName, value: high}
"""
_CRD_PATCH = """\
patches:
- target: {kind: CustomResourceDefinition}
  patch: |-
    - {op: add, path: /metadata/annotations/team, value: infra}
"""
_OVERLAYS = {
    "a patch": _PATCH,
    "a namespace": "namespace: bench\n" + _PATCH,
    "labels and a prefix": "namePrefix: my-\ncommonLabels: {team: infra}\n",
    "a patch of every CRD": _CRD_PATCH,
    "images": "images: [{name: quay.io/argoproj/argocd, newName: mirror.example/argocd}]\n",
}


# -- settings that are switched on together ----------------------------------------------------------

_SETTINGS = {
    "namespace": "namespace: shop\n",
    "labels": "labels:\n- {pairs: {team: infra}, includeSelectors: true}\n- {pairs: {tier: back}}\n",
    "annotations": "commonAnnotations: {team: infra, owner: shop}\n",
    "images": "images:\n- {name: quay.io/shop/web, newName: mirror.example/web}\n"
    "- {name: quay.io/shop/log, newTag: v9}\n- {name: mirror.example/web, newTag: v7}\n",
    "replicas": "replicas:\n- {name: web, count: 3}\n- {name: db, count: 3}\n",
    "a patch": "patches:\n- target: {kind: Deployment}\n  patch: |-\n"
    "    - {op: add, path: /spec/template/metadata/labels/team, value: infra}\n",
}


def _workloads(release: str) -> str:
    """Objects into which settings write in many places."""

    def pod(name: str) -> str:
        return (
            f"  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n"
            f"    metadata: {{labels: {{app: {name}, release: {release}}}}}\n    spec:\n      containers:\n"
            f"      - {{name: web, image: 'quay.io/shop/web:{release}'}}\n"
            f"      - {{name: log, image: 'quay.io/shop/log:{release}'}}\n"
        )

    account = "{kind: ServiceAccount, name: web, namespace: default}"
    return "---\n".join(
        (
            f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: 1\n{pod('web')}",
            f"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: db}}\nspec:\n  serviceName: db\n{pod('db')}",
            (
                "apiVersion: v1\nkind: Service\nmetadata: {name: db, annotations: {owner: upstream}}\n"
                "spec: {selector: {app: db}, ports: [{port: 1}]}\n"
            ),
            (
                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n"
                "  podSelector: {matchLabels: {app: web}}\n"
                "  ingress: [{from: [{podSelector: {matchLabels: {app: log, team: theirs}}}]}]\n"
            ),
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: theirs}\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: theirs}\ndata: {team: infra}\n",
            (
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: web}\n"
                f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}}\nsubjects: [{account}]\n"
            ),
            (
                "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\n"
                "metadata: {name: web}\nwebhooks:\n- name: a.shop.io\n  admissionReviewVersions: [v1]\n"
                "  sideEffects: None\n  clientConfig: {service: {name: db, namespace: theirs}}\n"
            ),
            (
                "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.shop.io}\n"
                "spec: {group: shop.io, version: v1, groupPriorityMinimum: 1, versionPriority: 1,"
                " service: {name: db, namespace: theirs}}\n"
            ),
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, 2 ** len(_SETTINGS)))
def test_settings_are_told_apart_as_if_each_were_built(
    tmp_path: Path, number: int, kustomize: Kustomize, everything: Everything
) -> None:
    chosen = [text for bit, text in enumerate(_SETTINGS.values()) if number >> bit & 1]
    trees = _trees(tmp_path, "".join(chosen), [_workloads(one) for one in ("v1", "v2")])
    whole = everything(*trees, ["overlay"], kustomize=kustomize)
    small = verify_trees(*trees, ["overlay"], kustomize=kustomize)
    assert said(small) == said(whole)
    assert small.overlays[0].builds <= whole.overlays[0].builds


def _json(kind: str, *operations: str) -> str:
    """An entry of ``patches`` with JSON 6902 operations."""
    return f"- target: {{kind: {kind}}}\n  patch: |-\n" + "".join(f"    - {{{one}}}\n" for one in operations)


def _merge(kind: str, name: str, rest: str, *, group: str = "apps/v1", namespace: str = "") -> str:
    """An entry of ``patches`` with a strategic merge in JSON."""
    where = f', "namespace": "{namespace}"' if namespace else ""
    head = f'"apiVersion": "{group}", "kind": "{kind}"'
    return f'- patch: \'{{{head}, "metadata": {{"name": "{name}"{where}}}, {rest}}}\'\n'


_POD = '"spec": {"template": {"spec": %s}}'
#: Patches that come close to what settings write, or take away where they write.
_PATCHED = {
    "a field": _json("Deployment", "op: add, path: /spec/paused, value: true"),
    "a label": _json("Deployment", "op: add, path: /spec/template/metadata/labels/x, value: y"),
    "labels replaced": _json(
        "Deployment", "op: replace, path: /spec/template/metadata/labels, value: {app: web}"
    ),
    "labels made": _json("Deployment", "op: add, path: /metadata/labels, value: {}"),
    "annotations made": _json("Service", "op: replace, path: /metadata/annotations, value: {}"),
    "annotations removed": _json("Service", "op: remove, path: /metadata/annotations"),
    "annotation removed": _json("Service", "op: remove, path: /metadata/annotations/owner"),
    "label copied": _json(
        "Deployment",
        "op: add, path: /metadata/labels, value: {}",
        "op: copy, from: /spec/template/metadata/labels/app, path: /metadata/labels/team",
    ),
    "container added": _json(
        "StatefulSet", "op: add, path: /spec/template/spec/containers/-, value: {name: new, image: a/b}"
    ),
    "container put first": _json(
        "Deployment",
        "op: add, path: /spec/template/spec/containers/0, value: {name: new, command: [sh]}",
        "op: remove, path: /spec/template/spec/containers/2",
    ),
    "container removed": _json("Deployment", "op: remove, path: /spec/template/spec/containers/0"),
    "containers emptied": _json("Deployment", "op: replace, path: /spec/template/spec/containers, value: []"),
    "image": _json(
        "Deployment",
        "op: replace, path: /spec/template/spec/containers/0/image, value: 'quay.io/shop/log:v1'",
    ),
    "spec replaced": _json("Service", "op: replace, path: /spec, value: {ports: [{port: 2}]}"),
    "object replaced": _json(
        "Service",
        "op: replace, path: '', value: {apiVersion: v1, kind: Service, metadata: {name: db}, spec: {ports: [{port: 3}]}}",
    ),
    "subject put back": _json(
        "ClusterRoleBinding", "op: replace, path: /subjects, value: [{kind: ServiceAccount, name: web}]"
    ),
    "subjects removed": _json("ClusterRoleBinding", "op: remove, path: /subjects"),
    "subject added": _json(
        "ClusterRoleBinding",
        "op: add, path: /subjects/-, value: {kind: ServiceAccount, name: web, namespace: default}",
    ),
    "role": _json("ClusterRoleBinding", "op: replace, path: /roleRef/name, value: edit"),
    "service of a webhook": _json(
        "ValidatingWebhookConfiguration",
        "op: replace, path: /webhooks/0/clientConfig/service, value: {name: web}",
    ),
    "webhook": _json(
        "ValidatingWebhookConfiguration", "op: add, path: /webhooks/0/failurePolicy, value: Ignore"
    ),
    "peers replaced": _json(
        "NetworkPolicy",
        "op: replace, path: /spec/ingress, value: [{from: [{podSelector: {matchLabels: {app: log}}}]}]",
    ),
    "peers removed": _json("NetworkPolicy", "op: remove, path: /spec/ingress"),
    "a peer's label": _json(
        "NetworkPolicy", "op: replace, path: /spec/ingress/0/from/0/podSelector/matchLabels/app, value: other"
    ),
    "namespace object": _json("Namespace", "op: add, path: /metadata/labels, value: {x: y}"),
    "the last webhook": _json(
        "ValidatingWebhookConfiguration",
        "op: replace, path: /webhooks/-1, value: {name: a.shop.io, admissionReviewVersions: [v1], sideEffects: None, clientConfig: {service: {name: db}}}",
    ),
    "the last container": _json(
        "Deployment", "op: replace, path: /spec/template/spec/containers/-1/image, value: quay.io/shop/web"
    ),
    "a name": _json("ConfigMap", "op: replace, path: /metadata/name, value: other"),
    "a namespace": _json("ConfigMap", "op: replace, path: /metadata/namespace, value: other"),
    "namespace removed": _json("ConfigMap", "op: remove, path: /metadata/namespace"),
    "data": _json("ConfigMap", "op: add, path: /data/namespace, value: shop"),
    "matches nothing": _json("Ingress", "op: add, path: /spec/x, value: y"),
    "two": _json("Deployment", "op: add, path: /spec/paused, value: true")
    + _json("StatefulSet", "op: add, path: /spec/paused, value: true"),
    "two at one": _json("Deployment", "op: add, path: /spec/paused, value: true")
    + _json("Deployment", "op: replace, path: /spec/paused, value: false"),
    "merge of resources": _merge(
        "Deployment", "web", _POD % '{"containers": [{"name": "web", "resources": {"limits": {"cpu": 1}}}]}'
    ),
    "merge of an image": _merge(
        "Deployment", "web", _POD % '{"containers": [{"name": "log", "image": "quay.io/shop/web:v3"}]}'
    ),
    "merge of a new container": _merge(
        "Deployment", "web", _POD % '{"containers": [{"name": "new", "command": ["sh"]}]}'
    ),
    "merge without a container": _merge(
        "Deployment", "web", _POD % '{"containers": [{"name": "web", "$patch": "delete"}]}'
    ),
    "merge in another order": _merge(
        "Deployment",
        "web",
        _POD
        % '{"$setElementOrder/containers": [{"name": "log"}, {"name": "web"}], "containers": [{"name": "web", "tty": true}]}',
    ),
    "merge that replaces containers": _merge(
        "Deployment", "web", _POD % '{"containers": [{"name": "web", "tty": true}, {"$patch": "replace"}]}'
    ),
    "merge that replaces labels": _merge(
        "Deployment",
        "web",
        '"spec": {"template": {"metadata": {"labels": {"$patch": "replace", "app": "web"}}}}',
    ),
    "merge that removes labels": _merge(
        "Deployment", "web", '"spec": {"template": {"metadata": {"labels": null}}}'
    ),
    "merge that removes an annotation": _merge(
        "Service", "db", '"spec": {"selector": {"app": null}}', group="v1"
    ),
    "merge of subjects": _merge(
        "ClusterRoleBinding",
        "web",
        '"subjects": [{"kind": "ServiceAccount", "name": "web"}]',
        group="rbac.authorization.k8s.io/v1",
    ),
    "merge with a namespace": _merge(
        "ConfigMap", "settings", '"data": {"x": "y"}', group="v1", namespace="theirs"
    ),
    "merge by a target, with other names": "- target: {kind: ConfigMap}\n  patch: |-\n    apiVersion: v1\n"
    "    kind: ConfigMap\n    metadata: {name: other, namespace: elsewhere}\n    data: {x: y}\n",
    "merge that deletes": _merge(
        "ConfigMap", "settings", '"$patch": "delete"', group="v1", namespace="theirs"
    ),
    "merge of replicas": _merge("Deployment", "web", '"spec": {"replicas": 3}'),
    "merge of an empty map": _merge("StatefulSet", "db", '"metadata": {"name": "db", "labels": {}}'),
}
_TOGETHER = {
    "namespace": _SETTINGS["namespace"],
    "labels": _SETTINGS["labels"],
    "the rest": _SETTINGS["annotations"] + _SETTINGS["images"] + _SETTINGS["replicas"],
    "all": "".join(text for name, text in _SETTINGS.items() if name != "a patch"),
}


@pytest.mark.slow
@pytest.mark.parametrize("settings", _TOGETHER.values(), ids=_TOGETHER)
@pytest.mark.parametrize("patch", _PATCHED.values(), ids=_PATCHED)
def test_a_patch_is_told_from_settings_as_if_each_were_built(
    tmp_path: Path, patch: str, settings: str, kustomize: Kustomize, kept: Store, everything: Everything
) -> None:
    trees = _trees(tmp_path, f"patches:\n{patch}{settings}", [_workloads(one) for one in ("v1", "v2")])
    whole = everything(*trees, ["overlay"], kustomize=kustomize, cache=kept)
    small = verify_trees(*trees, ["overlay"], kustomize=kustomize, cache=kept)
    assert said(small) == said(whole)


def test_settings_alone_cost_one_build_a_side(tmp_path: Path, kustomize: Kustomize) -> None:
    overlay = _SETTINGS["namespace"] + _SETTINGS["annotations"] + _SETTINGS["replicas"]
    overlay += "images: [{name: quay.io/shop/web, newName: mirror.example/web}]\n"
    trees = _trees(tmp_path, overlay, [_workloads(one) for one in ("v1", "v2")])
    assert verify_trees(*trees, ["overlay"], kustomize=kustomize).overlays[0].builds == 2


def _crds(release: str, differing: int) -> str:
    """Eight CRDs with schemas of some size, ``differing`` of which say which release they belong to."""
    return "".join(
        f"---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        f"metadata:\n  name: kind{n}s.acme.io\n"
        f"spec:\n  group: acme.io\n  names: {{kind: Kind{n}, plural: kind{n}s}}\n  scope: Namespaced\n"
        "  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n"
        "      openAPIV3Schema:\n        type: object\n        properties:\n"
        + "".join(
            f"          f{i}:\n            type: string\n            description: Field {i} "
            f"{release if n < differing else ''} of schema-cutting.\n"
            for i in range(120)
        )
        for n in range(8)
    )


_DEPLOYMENT = """\
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    release: "{release}"
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: web
        image: quay.io/argoproj/argocd:v{release}
"""


def _trees(folder: Path, overlay: str, sides: Sequence[str]) -> tuple[Path, Path]:
    for name, text in zip(("before", "after"), sides, strict=True):
        for path, content in (
            ("base/kustomization.yaml", "resources: [all.yaml]\n"),
            ("base/all.yaml", text),
            ("overlay/kustomization.yaml", f"resources: [../base]\n{overlay}"),
        ):
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_text(content, "utf-8")
    return folder / "before", folder / "after"


@pytest.mark.slow
@pytest.mark.parametrize("differing", [0, 1, 8])
@pytest.mark.parametrize("overlay", _OVERLAYS.values(), ids=_OVERLAYS)
def test_crds_out_of_reach_are_judged_as_if_they_were_built(
    tmp_path: Path, overlay: str, differing: int, kustomize: Kustomize, everything: Everything
) -> None:
    sides = [_crds(one, differing) + _DEPLOYMENT.format(release=one) for one in ("1.0.0", "1.1.0")]
    trees = _trees(tmp_path, overlay, sides)
    whole = everything(*trees, ["overlay"], kustomize=kustomize)
    small = verify_trees(*trees, ["overlay"], kustomize=kustomize)
    assert said(small) == said(whole)
    crds = [one.resource for one in small.overlays[0].changed if "CustomResourceDefinition" in one.resource]
    assert len(crds) == differing


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_crd_that_is_no_yaml_is_for_kustomize_to_complain_about(
    tmp_path: Path, jobs: int, kustomize: Kustomize
) -> None:
    sound = _crds("1.0.0", 8) + _DEPLOYMENT.format(release="1.0.0")
    broken = sound.replace("            description: Field 7 ", "            description: 'Field 7 ", 1)
    trees = _trees(tmp_path, _PATCH, [sound, broken])
    (overlay,) = verify_trees(*trees, ["overlay"], kustomize=kustomize, jobs=jobs).overlays
    assert (overlay.before.ok, overlay.after.ok) == (True, False)
    assert "yaml" in (overlay.after.error or "").lower()
    assert [one.verdict.value for one in overlay.items if one.severity.value == "broken"]


_REAL = {
    "argo-cd": ("argoproj/argo-cd/v3.3.9/install.yaml", "argoproj/argo-cd/v3.4.7/install.yaml"),
    "kube-prometheus-stack": (
        "prometheus-community/kube-prometheus-stack/87.19.0/manifests.yaml",
        "prometheus-community/kube-prometheus-stack/88.5.0/manifests.yaml",
    ),
    "cert-manager": (
        "cert-manager/cert-manager/v1.19.4/cert-manager.yaml",
        "cert-manager/cert-manager/v1.20.2/cert-manager.yaml",
    ),
    "metallb": ("metallb/metallb/v0.14.9/metallb-native.yaml", "metallb/metallb/v0.15.3/metallb-native.yaml"),
}


@pytest.mark.slow
@pytest.mark.world
@pytest.mark.skipif(not _WORLD.is_dir(), reason="the folder with the real upstream content is not here")
@pytest.mark.parametrize("overlay", _OVERLAYS.values(), ids=_OVERLAYS)
@pytest.mark.parametrize("content", _REAL.values(), ids=_REAL)
def test_real_bases_are_judged_as_if_all_of_them_were_built(
    tmp_path: Path, content: Sequence[str], overlay: str, kustomize: Kustomize, everything: Everything
) -> None:
    sides = [(_WORLD / "data/base/assets" / path).read_text("utf-8") for path in content]
    trees = _trees(tmp_path, overlay, sides)
    whole = everything(*trees, ["overlay"], kustomize=kustomize)
    assert said(verify_trees(*trees, ["overlay"], kustomize=kustomize)) == said(whole)
