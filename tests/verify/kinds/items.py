"""What is told of an item: all of it, no advice to delete what works, pins, families, and one item above another."""

from __future__ import annotations

from collections.abc import Mapping

from upstreamsync.model import Severity, Verdict
from verify.kinds.forms import bare, config_map, containers, documents, inline, listed, merged, operations
from verify.kinds.variant import Variant
from verify.small import deployment

_REVIEW = Severity.REVIEW
_SPEC = "/spec/template/spec/containers"
_TWO_ENV = "env: [{{name: A, value: {0}}}, {{name: B, value: {1}}}]"


def _bound(namespace: str, *names: str, more: str = "") -> str:
    """A binding of accounts."""
    subjects = ", ".join(
        f"{{kind: ServiceAccount, name: {name}, namespace: {namespace}{more}}}" for name in names
    )
    return (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\n"
        f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}}\nsubjects: [{subjects}]\n"
    )


#: A harmless part of an item hides no harmful one; where there is none, all parts are quiet.
FINDINGS: Mapping[str, Variant] = {
    "one container is renamed, the other's flag is gone": Variant(
        overlay=merged(containers("web, tty: true", 'side, args: ["--a=2", "--old"]')),
        old=containers("web=w:1", 'side=s:1, args: ["--a=1", "--old"]'),
        new=containers("server=w:1", 'side=s:1, args: ["--a=1"]'), verdict=Verdict.MISAPPLIED, says=["server", "--old"],
    ),
    "two operations, one of them on another container now": Variant(
        overlay=operations("kind: Deployment", "{op: add, path: /metadata/annotations, value: {a: b}}",
                           f"{{op: add, path: {_SPEC}/1/tty, value: true}}"),
        old=containers("web=w:1", "side=s:1"), new=containers("web=w:1", "log=l:1", "side=s:1"),
        verdict=Verdict.MISAPPLIED, says=["log"],
    ),
    "two keys of a ConfigMap, both changed upstream": Variant(
        overlay=merged(config_map(a="x y", b="x z")), old=config_map(a="old y", b="old z"),
        new=config_map(a="new y", b="new z"), verdict=Verdict.SHADOWS, severity=_REVIEW, says=["new y", "new z"],
    ),
    "a service account that is gone behind a pin": Variant(
        overlay=merged(deployment(image="acme/web:1.1", pod="serviceAccountName: web")),
        old=documents(deployment(), "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n"),
        new=documents(deployment(image="acme/web:2"), "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web-app}\n"),
        verdict=Verdict.DANGLING, says=["web-app", "1.1"],
    ),
    "a mount whose volume is gone, beside limits": Variant(
        overlay=merged(bare(more="resources: {limits: {memory: 1Gi}}, volumeMounts: [{name: tmp, mountPath: /x}]")),
        old=deployment(pod="volumes: [{name: tmp, emptyDir: {}}]"), new=deployment(), verdict=Verdict.DANGLING,
        says=["tmp"],
    ),
    "accounts in another namespace, which the patch lists": Variant(
        overlay=merged(_bound("old", "one")), old=_bound("old", "one", "two"), new=_bound("new", "one", "two"),
        verdict=Verdict.MISAPPLIED, says=["namespace=new,name=one"], never=["drops", "namespace=new,name=two"],
    ),
    "accounts whose group of the core is said no more": Variant(
        overlay=merged(_bound("prod", "one", more=', apiGroup: ""')), old=_bound("sys", "one", more=', apiGroup: ""'),
        new=_bound("sys", "one"),
    ),
    "a field that upstream now says is nothing": Variant(
        overlay=operations("kind: Deployment", "{op: add, path: /spec/template/spec/nodeSelector, value: {a: b}}"), old=deployment(),
        new=deployment(pod="nodeSelector: null"),
    ),
    "upstream adds a container": Variant(
        overlay=merged(containers("web, tty: true", 'side, args: ["--a=2"]')),
        old=containers("web=w:1", 'side=s:1, args: ["--a=1"]'), new=containers("web=w:1", 'side=s:1, args: ["--a=1"]', "log=l:1"),
    ),
    "containers change places below a merge": Variant(
        overlay=merged(containers("web, tty: true", 'side, args: ["--a=2"]')),
        old=containers("web=w:1", 'side=s:1, args: ["--a=1"]'), new=containers('side=s:1, args: ["--a=1"]', "web=w:1"),
    ),
    "another key of the ConfigMap changed": Variant(
        overlay=merged(config_map(a="x", b="y")), old=config_map(a="1", b="1", c="1"), new=config_map(a="1", b="1", c="2"),
    ),
    "a sidecar's image and a new volume": Variant(
        overlay=merged(bare(more="resources: {limits: {memory: 1Gi}}, volumeMounts: [{name: tmp, mountPath: /x}]")),
        old=deployment(pod="volumes: [{name: tmp, emptyDir: {}}]"),
        new=deployment(image="acme/web:2", pod="volumes: [{name: tmp, emptyDir: {}}, {name: run, emptyDir: {}}]"),
    ),
    "an operation behind a container that grew": Variant(
        overlay=operations("kind: Deployment", "{op: add, path: /metadata/annotations, value: {a: b}}",
                           f"{{op: add, path: {_SPEC}/1/tty, value: true}}"),
        old=containers("web=w:1", "side=s:1"), new=containers("web=w:2, args: [-x]", "side=s:2", "log=l:1"),
    ),
}  # fmt: skip

#: Never "delete it" while some of it works, nor "matches nothing" of what matches.
MOOT: Mapping[str, Variant] = {
    "one document of two is upstream's now": Variant(
        overlay={**listed("patches", "{path: p.yaml}"),
                 "p.yaml": documents(bare(more="tty: true"), config_map(a="2"))},
        old=documents(deployment(), config_map(a="1")), new=documents(deployment(), config_map(a="2")),
        item="patches[0] doc 2 (p.yaml)", verdict=Verdict.REDUNDANT, severity=Severity.CLEANUP,
    ),
    "an image that upstream now takes from there": Variant(
        overlay=listed("images", "{name: acme/web, newName: quay.io/acme/web}"), old=deployment(),
        new=deployment(image="quay.io/acme/web:2"), item="images[0]", verdict=Verdict.REDUNDANT, severity=Severity.CLEANUP,
    ),
    "a label that upstream sets as well now": Variant(
        overlay=merged(deployment().partition("spec:")[0].replace("{name: web}", "{name: web, labels: {team: x}}")),
        old=deployment(), new=deployment().replace("metadata: {name: web}", "metadata: {name: web, labels: {team: x}}", 1),
        verdict=Verdict.REDUNDANT, severity=Severity.CLEANUP,
    ),
    "an object that upstream dropped, and the overlay deleted": Variant(
        overlay=listed("patches", "{patch: '{$patch: delete, apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}',"
                       " target: {kind: ConfigMap, name: settings}}"),
        old=documents(deployment(), config_map(a="1")), new=deployment(), verdict=Verdict.REDUNDANT,
        severity=Severity.CLEANUP, never=["matches nothing, neither"],
    ),
    "a key that upstream dropped, and the overlay removed": Variant(
        overlay=merged("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {b: null}\n"),
        old=config_map(a="1", b="1"), new=config_map(a="1"), verdict=Verdict.REDUNDANT, severity=Severity.CLEANUP,
    ),
    "a typo in a target": Variant(
        overlay=operations("kind: Deployment, name: wep", f"{{op: add, path: {_SPEC}/0/tty, value: true}}"), old=deployment(),
        new=deployment(image="acme/web:2"), verdict=Verdict.UNUSED, severity=Severity.CLEANUP, says=["matches nothing"],
    ),
    "a removal of what is called a little otherwise now": Variant(
        overlay=merged(bare(more="env: [{name: ML_KEY, $patch: delete}]")),
        old=deployment(more="env: [{name: ML_KEY, valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}}]"),
        new=deployment(more="env: [{name: ML_KEY_PATH, value: /etc/key}]"), verdict=Verdict.LOST, severity=_REVIEW,
        says=["ML_KEY_PATH"],
    ),
    "a removal of what is gone, beside something new": Variant(
        overlay=merged(bare(more="env: [{name: ML_KEY, $patch: delete}]")), old=deployment(more="env: [{name: ML_KEY, value: a}]"),
        new=deployment(more="env: [{name: LEVEL, value: debug}]"),
    ),
    "one value of two is upstream's": Variant(
        overlay=merged(bare(more=_TWO_ENV.format("x", "y"))), old=deployment(more=_TWO_ENV.format("a", "b")),
        new=deployment(more=_TWO_ENV.format("x", "b")), never=["delete it"],
    ),
    "one Deployment of two has it by itself": Variant(
        overlay=operations("kind: Deployment", "{op: add, path: /spec/replicas, value: 2}"),
        old=documents(deployment("a"), deployment("b")),
        new=documents(deployment("a").replace("spec:\n", "spec:\n  replicas: 2\n", 1), deployment("b")), never=["delete it"],
    ),
    "one image of two": Variant(
        overlay=listed("images", "{name: acme/web, newName: quay.io/acme/web}"),
        old=documents(deployment("a"), deployment("b")),
        new=documents(deployment("a", image="quay.io/acme/web:1"), deployment("b")), item="images[0]", never=["delete it"],
    ),
    "a namespace that one object has by itself": Variant(
        overlay={"kustomization.yaml": "resources: [../base]\nnamespace: prod\n"},
        old=documents(deployment(), config_map(a="1")),
        new=documents(deployment(), config_map(a="1").replace("{name: settings}", "{name: settings, namespace: prod}")),
        item="namespace", never=["delete it"],
    ),
    "limits of which upstream has the memory": Variant(
        overlay=merged(bare(more="resources: {limits: {memory: 1Gi, cpu: 1}}")), old=deployment(),
        new=deployment(more="resources: {limits: {memory: 1024Mi}}"), never=["delete it"],
    ),
    "a patch that does all it did": Variant(
        overlay=inline(bare(more="tty: true")), old=deployment(), new=deployment(more="stdin: true"),
        never=["delete it", "matches nothing"],
    ),
}  # fmt: skip

_SHA = "sha256:" + "a" * 64


def _cron(image: str) -> str:
    return (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: job}\nspec: {schedule: '* * * * *', jobTemplate: {spec: "
        f"{{template: {{spec: {{restartPolicy: Never, containers: [{{name: job, image: '{image}'}}]}}}}}}}}}}\n"
    )


def _pin(tag: str) -> dict[str, str]:
    return listed("images", f'{{name: acme/web, newTag: "{tag}"}}')


#: Pins: older than upstream's is told, newer and what pins nothing is not; what matches nothing any more is lost.
PINS: Mapping[str, Variant] = {
    "a second number counts as a number": Variant(
        overlay=_pin("1.9"), old=deployment(image="acme/web:1.8"), new=deployment(image="acme/web:1.10"), item="images[0]",
        verdict=Verdict.SHADOWS, severity=_REVIEW, says=["1.10"],
    ),
    "a candidate is older than its release": Variant(
        overlay=_pin("v2.0.0-rc1"), old=deployment(image="acme/web:v1.9.0"), new=deployment(image="acme/web:v2.0.0"),
        item="images[0]", verdict=Verdict.SHADOWS, severity=_REVIEW, says=["v2.0.0"],
    ),
    "an earlier candidate": Variant(
        overlay=_pin("v2.0.0-rc.9"), old=deployment(image="acme/web:v2.0.0-rc.8"), new=deployment(image="acme/web:v2.0.0-rc.10"),
        item="images[0]", verdict=Verdict.SHADOWS, severity=_REVIEW, says=["rc.10"],
    ),
    "a candidate after a beta": Variant(
        overlay=_pin("v2.0.0-rc1"), old=deployment(image="acme/web:v2.0.0-alpha2"), new=deployment(image="acme/web:v2.0.0-beta3"),
    ),
    "a flavour of an older release": Variant(
        overlay=_pin("1.25-alpine"), old=deployment(image="acme/web:1.25"), new=deployment(image="acme/web:1.26"),
        item="images[0]", verdict=Verdict.SHADOWS, severity=_REVIEW, says=["1.26"],
    ),
    "an image of a CronJob that moved": Variant(
        overlay=listed("images", "{name: acme/job, newName: mirror/job}"), old=_cron("acme/job:1"), new=_cron("ghcr.io/acme/job:1"),
        item="images[0]", verdict=Verdict.LOST, says=["ghcr.io/acme/job"],
    ),
    "an image by an operation, older than upstream's": Variant(
        overlay=operations("kind: Deployment", f"{{op: replace, path: {_SPEC}/0/image, value: 'mirror/web:v1.2.0'}}"),
        old=deployment(image="acme/web:v1.2.0"), new=deployment(image="acme/web:v1.3.0"), verdict=Verdict.SHADOWS,
        severity=_REVIEW, says=["v1.3.0"],
    ),
    "a registry with a port, whose image is called otherwise": Variant(
        overlay=listed("images", '{name: "reg.example:5000/web", newTag: "7"}'), old=deployment(image="reg.example:5000/web:1"),
        new=deployment(image="reg.example:5000/web-server:1"), item="images[0]", verdict=Verdict.LOST, says=["web-server"],
    ),
    "a newer one": Variant(
        overlay=_pin("1.11"), old=deployment(image="acme/web:1.8"), new=deployment(image="acme/web:1.10"),
    ),
    "a release above a candidate": Variant(
        overlay=_pin("v2.0.0"), old=deployment(image="acme/web:v1.9.0"), new=deployment(image="acme/web:v2.0.0-rc1"),
    ),
    "a mirror of a CronJob's image": Variant(
        overlay=listed("images", "{name: acme/job, newName: mirror/job}"), old=_cron("acme/job:1"), new=_cron("acme/job:2"),
    ),
    "a tag that moves by itself": Variant(
        overlay=_pin("nightly"), old=deployment(image="acme/web:1"), new=deployment(image="acme/web:2"),
    ),
    "another image's tag": Variant(
        overlay=listed("images", '{name: acme/side, newTag: "3"}'), old=containers("web=acme/web:1", "side=acme/side:1"),
        new=containers("web=acme/web:2", "side=acme/side:1"),
    ),
    "a digest of the newer image": Variant(
        overlay=merged(deployment(image=f"mirror/web:2@{_SHA}")), old=deployment(), new=deployment(image="acme/web:2"),
    ),
}  # fmt: skip


def _deployments(*names: str, more: str = "") -> str:
    return documents(
        *(
            deployment(name, container=name, image=f"acme/{name}:1", labels=f"app: {name}", more=more)
            for name in names
        )
    )


def _for_each(fields: str, *names: str) -> str:
    return documents(*(
        deployment(name, container=name, image="", labels=f"app: {name}", more=fields).replace(', image: ""', "")
        for name in names
    ))  # fmt: skip


def _monitor(*names: str) -> str:
    one = "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {{name: {0}}}\nspec: {{selector: {{matchLabels: {{app: {0}}}}}}}\n"
    return documents(*(one.format(name) for name in names))


def _hook(kind: str, namespace: str, seconds: int = 10) -> str:
    return (
        f"apiVersion: admissionregistration.k8s.io/v1\nkind: {kind}WebhookConfiguration\nmetadata: {{name: hooks}}\n"
        "webhooks: [{name: a.example.com, sideEffects: None, admissionReviewVersions: [v1], "
        f"timeoutSeconds: {seconds}, clientConfig: {{service: {{name: hook, namespace: {namespace}}}}}}}]\n"
    )


def _role(*rules: str) -> str:
    return f"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: r}}\nrules: [{', '.join(rules)}]\n"


def _lease(name: str) -> str:
    return f"{{apiGroups: [''], resources: [configmaps], resourceNames: [{name}], verbs: [get, update]}}"


def _mounting(name: str) -> str:
    name = "web" if name == "one" else name
    return deployment(
        name, labels=f"app: {name}", pod="volumes: [{name: v, secret: {secretName: theirs, optional: true}}]"
    )


_SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: theirs}\n"
_LIMITS = "resources: {limits: {memory: 1Gi}}"
_LABELLED = "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {{name: {}, labels: {{release: prom}}}}\n"
_TOLERATE = '{{patch: \'[{{"op": "add", "path": "/spec/template/spec/priorityClassName", "value": "high"}}]\', target: {{kind: Deployment, name: {}}}}}'

#: A new sibling that lacks what all others got.
FAMILIES: Mapping[str, Variant] = {
    "a file for each Deployment": Variant(
        overlay=merged(*(_for_each(_LIMITS, name) for name in ("one", "two"))), old=_deployments("one", "two"),
        new=_deployments("one", "two", "three"), item="patches[1]", verdict=Verdict.UNCOVERED, severity=_REVIEW, says=["three"],
    ),
    "a document for each of three": Variant(
        overlay={**listed("patches", "{path: p.yaml}"), "p.yaml": _for_each(_LIMITS, "one", "two", "six")},
        old=_deployments("one", "two", "six"), new=_deployments("one", "two", "six", "three"),
        item="patches[0] doc 3 (p.yaml)", verdict=Verdict.UNCOVERED, severity=_REVIEW, says=["three"],
    ),
    "a target for each Deployment": Variant(
        overlay=listed("patches", _TOLERATE.format("one"), _TOLERATE.format("two")), old=_deployments("one", "two"),
        new=_deployments("one", "two", "three"), item="patches[1]", verdict=Verdict.UNCOVERED, severity=_REVIEW, says=["three"],
    ),
    "a label for each ServiceMonitor": Variant(
        overlay={**listed("patches", "{path: p.yaml}"), "p.yaml": documents(_LABELLED.format("one"), _LABELLED.format("two"))},
        old=_monitor("one", "two"), new=_monitor("one", "two", "three"), item="patches[0] doc 2 (p.yaml)",
        verdict=Verdict.UNCOVERED, severity=_REVIEW, says=["three"],
    ),
    "a target by a pattern that the new one escapes": Variant(
        overlay=operations("kind: Deployment, name: app-.*", "{op: add, path: /spec/replicas, value: 2}"),
        old=_deployments("app-one", "app-two"), new=_deployments("app-one", "app-two", "three"), verdict=Verdict.UNCOVERED,
        severity=_REVIEW, says=["three"],
    ),
    "a namespace that a new webhook of another kind names as well": Variant(
        overlay=merged(_hook("Validating", "prod")), old=_hook("Validating", "sys"),
        new=documents(_hook("Validating", "sys"), _hook("Mutating", "sys")), verdict=Verdict.UNCOVERED, severity=_REVIEW,
        says=["MutatingWebhookConfiguration", "sys"],
    ),
    "a lease that a new rule of the same role names as well": Variant(
        overlay=operations("kind: Role", "{op: replace, path: /rules/0/resourceNames, value: [mine]}"),
        old=_role(_lease("leader")), new=_role(_lease("leader"), _lease("leader").replace("configmaps", "leases")),
        verdict=Verdict.UNCOVERED, severity=_REVIEW, says=["leader"],
    ),
    "a Secret that a new volume names as well": Variant(
        overlay=merged(deployment(pod="volumes: [{name: v, secret: {secretName: mine}}]").replace('image: "acme/web:1"', "tty: true")),
        old=_mounting("one"), new=documents(_mounting("one"), _mounting("two")), verdict=Verdict.UNCOVERED, severity=_REVIEW,
        says=["theirs", "two"],
    ),
    "a new webhook that names another namespace": Variant(
        overlay=merged(_hook("Validating", "prod")), old=_hook("Validating", "sys"),
        new=documents(_hook("Validating", "sys"), _hook("Mutating", "other")),
    ),
    "a name that somebody else had before": Variant(
        overlay=merged(_hook("Validating", "prod")), old=documents(_hook("Validating", "sys"), _hook("Mutating", "sys")),
        new=documents(_hook("Validating", "sys"), _hook("Mutating", "sys"), _hook("Mutating", "sys").replace("name: hooks", "name: more")),
    ),
    "a new webhook for which the patch was made longer": Variant(
        overlay=merged(_hook("Validating", "prod")), edited=merged(_hook("Validating", "prod"), _hook("Mutating", "prod")),
        old=_hook("Validating", "sys"), new=documents(_hook("Validating", "sys"), _hook("Mutating", "sys")),
    ),
    "a Secret that a new volume names, and that is there": Variant(
        overlay=merged(deployment(pod="volumes: [{name: v, secret: {secretName: mine}}]").replace('image: "acme/web:1"', "tty: true")),
        old=documents(_mounting("one"), _SECRET), new=documents(_mounting("one"), _SECRET, _mounting("two")),
    ),
    "a number that a new one has as well": Variant(
        overlay=merged(_hook("Validating", "sys", 5)), old=_hook("Validating", "sys", 10),
        new=documents(_hook("Validating", "sys", 10), _hook("Mutating", "sys", 10)),
    ),
    "the new one has it from upstream": Variant(
        overlay=merged(*(_for_each(_LIMITS, name) for name in ("one", "two"))), old=_deployments("one", "two"),
        new=documents(_deployments("one", "two"), _deployments("three", more=_LIMITS)),
    ),
    "one of two was treated": Variant(
        overlay=merged(_for_each(_LIMITS, "one")), old=_deployments("one", "two"), new=_deployments("one", "two", "three"),
    ),
    "each has values of its own": Variant(
        overlay=merged(_for_each(_LIMITS, "one"), _for_each(_LIMITS.replace("1Gi", "2Gi"), "two")),
        old=_deployments("one", "two"), new=_deployments("one", "two", "three"),
    ),
    "a target by kind takes the new one along": Variant(
        overlay=operations("kind: Deployment", "{op: add, path: /spec/replicas, value: 2}"), old=_deployments("one", "two"),
        new=_deployments("one", "two", "three"),
    ),
    "a new object of another kind": Variant(
        overlay=merged(*(_for_each(_LIMITS, name) for name in ("one", "two"))), old=_deployments("one", "two"),
        new=documents(_deployments("one", "two"), _monitor("three")),
    ),
    "one is called otherwise, and followed": Variant(
        overlay=merged(*(_for_each(_LIMITS, name) for name in ("one", "two"))), old=_deployments("one", "two"),
        new=_deployments("one", "three"), edited=merged(*(_for_each(_LIMITS, name) for name in ("one", "three"))),
    ),
}  # fmt: skip


def _layered(low: dict[str, str], high: dict[str, str]) -> dict[str, str]:
    lower = {f"/low/{name}": text for name, text in low.items()}
    return {**lower, **{name: text.replace("../base", "../low") for name, text in high.items()}}


_OLD_ARGS = deployment(args='"--a=0", "--old"')
_NEW_ARGS = deployment(args='"--a=0"')


#: A lower item that sets what an upper one sets does not hide that the upper one's value is stale.
MASKING: Mapping[str, Variant] = {
    "operations below, a merge above": Variant(
        overlay=_layered(operations("kind: Deployment", f"{{op: replace, path: {_SPEC}/0/args, value: [--a=1, --old]}}"),
                         merged(bare(args='"--a=2", "--old"'))),
        old=_OLD_ARGS, new=_NEW_ARGS, verdict=Verdict.SHADOWS, severity=_REVIEW, says=["--old"],
    ),
    "a pin below, a patch above": Variant(
        overlay=_layered(listed("images", '{name: acme/web, newTag: "1.1"}'), merged(deployment(image="acme/web:1.2"))),
        old=deployment(), new=deployment(image="acme/web:2"), verdict=Verdict.SHADOWS, severity=_REVIEW, says=["2"],
    ),
    "a generator below, another above": Variant(
        overlay=_layered(listed("configMapGenerator", "{name: settings, behavior: merge, literals: [a=x low]}"),
                         listed("configMapGenerator", "{name: settings, behavior: merge, literals: [a=x high]}")),
        old=config_map(a="x one"), new=config_map(a="x two"), item="configMapGenerator[settings]", verdict=Verdict.SHADOWS,
        severity=_REVIEW, says=["x two"],
    ),
    "one patch after another in one kustomization": Variant(
        overlay=merged(bare(args='"--a=1", "--old"'), bare(args='"--a=2", "--old"')), old=_OLD_ARGS, new=_NEW_ARGS,
        item="patches[1]", verdict=Verdict.SHADOWS, severity=_REVIEW, says=["--old"],
    ),
    "three layers": Variant(
        overlay={**_layered(merged(bare(args='"--a=1", "--old"')), merged(bare(args='"--a=2", "--old"'))),
                 "/overlay/kustomization.yaml": "resources: [../mid]\npatches: [{path: p0.yaml}]\n",
                 "/mid/kustomization.yaml": "resources: [../low]\npatches: [{path: p.yaml}]\n",
                 "/mid/p.yaml": bare(args='"--a=3", "--old"')},
        old=_OLD_ARGS, new=_NEW_ARGS, verdict=Verdict.SHADOWS, severity=_REVIEW, says=["--old"],
    ),
    "operations below, another field above": Variant(
        overlay=_layered(operations("kind: Deployment", f"{{op: add, path: {_SPEC}/0/tty, value: true}}"),
                         merged(bare(more="stdin: true"))), old=deployment(), new=deployment(image="acme/web:2"),
    ),
    "pins above upstream's on both layers": Variant(
        overlay=_layered(listed("images", '{name: acme/web, newTag: "2.1"}'), merged(deployment(image="acme/web:2.2"))),
        old=deployment(), new=deployment(image="acme/web:2"),
    ),
    "a generator above, whose key upstream left alone": Variant(
        overlay=_layered(listed("configMapGenerator", "{name: settings, behavior: merge, literals: [a=x low]}"),
                         listed("configMapGenerator", "{name: settings, behavior: merge, literals: [a=x high]}")),
        old=config_map(a="x one", b="1"), new=config_map(a="x one", b="2"),
    ),
    "one patch after another, upstream's arguments as they were": Variant(
        overlay=merged(bare(args='"--a=1", "--old"'), bare(args='"--a=2", "--old"')), old=_OLD_ARGS,
        new=_OLD_ARGS.replace("web:1", "web:2"),
    ),
    "memory on both layers, which is set on purpose": Variant(
        overlay=_layered(merged(bare(more="resources: {limits: {memory: 1Gi}}")),
                         merged(bare(more="resources: {limits: {memory: 2Gi}}"))),
        old=deployment(), new=deployment(image="acme/web:2"),
    ),
}  # fmt: skip
