"""The checks of the built result: each rule by a pair of small results, and what has to stay quiet."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from upstreamsync.kit.kubernetes.objects import object_id
from upstreamsync.kit.yaml.manifests import objects
from upstreamsync.verify.result_checks import ResultContext, ResultFinding, check_result


def manifests(text: str) -> list[dict]:
    return objects(dedent(text))


def check(before: str, after: str, *, local: str | None = None, base: tuple[str, str] | None = None, **more):
    context = ResultContext(
        local=None if local is None else frozenset(str(object_id(item)) for item in manifests(local)),
        base_before=manifests(base[0]) if base else None,
        base_after=manifests(base[1]) if base else None,
        **more,
    )
    return check_result(before=manifests(before), after=manifests(after), context=context)


def brief(found: tuple[ResultFinding, ...]) -> list[tuple[str, str | None, str, str]]:
    return [(item.verdict.value, item.reason, item.object, item.path) for item in found]


def deployment(pod: str = "", *, name: str = "web", spec: str = "", labels: str = "app: web") -> str:
    """A Deployment with one container; ``pod`` are further lines of the pod's spec."""
    return (
        dedent(
            f"""\
            apiVersion: apps/v1
            kind: Deployment
            metadata: {{name: {name}}}
            spec:
              selector: {{matchLabels: {{app: web}}}}
              template:
                metadata: {{labels: {{{labels}}}}}
                spec:
            """
        )
        + indent(dedent(pod or "containers: [{name: web, image: quay.io/shop/web:1}]\n"), " " * 6)
        + indent(dedent(spec), "  ")
    )


def container(more: str) -> str:
    return deployment("containers:\n- name: web\n  image: quay.io/shop/web:1\n" + indent(dedent(more), "  "))


def spec_of(kind: str, spec: str, api: str = "v1", name: str = "x") -> str:
    text = f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}}}\n"
    return text + "spec:\n" + indent(dedent(spec), "  ")


WEB = "apps/v1 Deployment web"
POD = "spec.template.spec"
WEB_CONTAINER = f"{POD}.containers[name=web]"

EXCLUSIVE = {
    "two probe handlers": (
        container("readinessProbe: {httpGet: {path: /, port: 80}}\n"),
        container("readinessProbe: {httpGet: {path: /, port: 80}, grpc: {port: 80}}\n"),
        f"{WEB_CONTAINER}.readinessProbe",
    ),
    "two handlers of a hook": (
        container("lifecycle: {preStop: {sleep: {seconds: 5}}}\n"),
        container("lifecycle: {preStop: {sleep: {seconds: 5}, exec: {command: [a]}}}\n"),
        f"{WEB_CONTAINER}.lifecycle.preStop",
    ),
    "value and valueFrom": (
        container("env: [{name: A, value: x}]\n"),
        container("env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]\n"),
        f"{WEB_CONTAINER}.env[name=A]",
    ),
    "two sources of a value": (
        container("env: [{name: A, valueFrom: {fieldRef: {fieldPath: a}}}]\n"),
        container(
            "env: [{name: A, valueFrom: {fieldRef: {fieldPath: a}, resourceFieldRef: {resource: b}}}]\n"
        ),
        f"{WEB_CONTAINER}.env[name=A].valueFrom",
    ),
    "two volume sources": (
        deployment("containers: []\nvolumes: [{name: tmp, emptyDir: {}}]\n"),
        deployment("containers: []\nvolumes: [{name: tmp, emptyDir: {}, hostPath: {path: /tmp}}]\n"),
        f"{POD}.volumes[name=tmp]",
    ),
    "privileged without escalation": (
        container("securityContext: {privileged: true}\n"),
        container("securityContext: {privileged: true, allowPrivilegeEscalation: false}\n"),
        f"{WEB_CONTAINER}.securityContext",
    ),
    "Recreate with rollingUpdate": (
        deployment(spec="strategy: {rollingUpdate: {maxSurge: 1}}\n"),
        deployment(spec="strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}\n"),
        "spec.strategy",
    ),
    "nothing may move": (
        deployment(spec="strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}\n"),
        deployment(spec="strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}\n"),
        "spec.strategy.rollingUpdate",
    ),
    "ExternalName with an address": (
        spec_of("Service", "type: ExternalName\nexternalName: a.example\n"),
        spec_of("Service", "type: ExternalName\nexternalName: a.example\nclusterIP: None\n"),
        "spec.clusterIP",
    ),
    "source ranges without load balancer": (
        spec_of("Service", "type: LoadBalancer\nloadBalancerSourceRanges: [10.0.0.0/8]\n"),
        spec_of("Service", "type: ClusterIP\nloadBalancerSourceRanges: [10.0.0.0/8]\n"),
        "spec.loadBalancerSourceRanges",
    ),
    "nodePort on ClusterIP": (
        spec_of("Service", "type: NodePort\nports: [{port: 80, nodePort: 30080}]\n"),
        spec_of("Service", "ports: [{port: 80, nodePort: 30081}]\n"),
        "spec.ports[port=80].nodePort",
    ),
    "both bounds of a disruption budget": (
        spec_of("PodDisruptionBudget", "minAvailable: 1\n", "policy/v1"),
        spec_of("PodDisruptionBudget", "minAvailable: 1\nmaxUnavailable: 1\n", "policy/v1"),
        "spec",
    ),
    "ipBlock beside a selector": (
        spec_of("NetworkPolicy", "ingress: [{from: [{podSelector: {}}]}]\n", "networking.k8s.io/v1"),
        spec_of(
            "NetworkPolicy",
            "ingress: [{from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]\n",
            "networking.k8s.io/v1",
        ),
        "spec.ingress[0].from[0]",
    ),
    "webhook with url and service": (
        (
            "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration,"
            " metadata: {name: x}, webhooks: [{name: a.shop.io, clientConfig: {url: u}}]}"
        ),
        (
            "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration,"
            " metadata: {name: x}, webhooks: [{name: a.shop.io, clientConfig: {url: u, service: {}}}]}"
        ),
        "webhooks[name=a.shop.io].clientConfig",
    ),
    "conversion None with a webhook": (
        spec_of("CustomResourceDefinition", "conversion: {strategy: None}\n", "apiextensions.k8s.io/v1"),
        spec_of(
            "CustomResourceDefinition",
            "conversion: {strategy: None, webhook: {conversionReviewVersions: [v1]}}\n",
            "apiextensions.k8s.io/v1",
        ),
        "spec.conversion",
    ),
    "a key in data and binaryData": (
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {a.bin: x}}",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {a.bin: x}, binaryData: {a.bin: eA==}}",
        "binaryData[a.bin]",
    ),
}


@pytest.mark.parametrize("case", EXCLUSIVE)
def test_exclusive_fields_are_told_when_they_are_new(case):
    before, after, path = EXCLUSIVE[case]
    found = [item for item in check(before, after) if item.reason == "exclusive_fields"]
    assert [(item.verdict.value, item.path) for item in found] == [("rejected", path)]
    assert found[0].why
    assert found[0].hint
    assert not [item for item in check(after, after) if item.reason == "exclusive_fields"]


def test_a_value_beside_valuefrom_is_fine_when_it_is_empty():
    after = container("env: [{name: A, value: '', valueFrom: {fieldRef: {fieldPath: metadata.name}}}]\n")
    assert check(container("env: [{name: A, value: x}]\n"), after) == ()


def test_nulls_do_not_count_as_a_second_field():
    after = deployment("containers: []\nvolumes: [{name: tmp, emptyDir: {}, hostPath: null}]\n")
    assert check(deployment("containers: []\n"), after) == ()


# -- selectors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "path"),
    [
        ("app: api", "spec.template.metadata.labels.app"),
        ("tier: front", "spec.template.metadata.labels.app"),
    ],
)
def test_selector_that_misses_its_own_pods(labels, path):
    found = check(deployment(), deployment(labels=labels))
    assert ("rejected", "selector_mismatch", WEB, path) in brief(found)


def test_selector_expressions():
    workload = spec_of(
        "DaemonSet",
        """\
        selector: {matchExpressions: [{key: app, operator: In, values: [a, b]}]}
        template: {metadata: {labels: {app: LABEL}}, spec: {containers: []}}
        """,
        "apps/v1",
    )
    good, bad = workload.replace("LABEL", "a"), workload.replace("LABEL", "c")
    assert check(good, workload.replace("LABEL", "b")) == ()
    assert brief(check(good, bad)) == [
        ("rejected", "selector_mismatch", "apps/v1 DaemonSet x", "spec.template.metadata.labels")
    ]


# -- immutable fields --------------------------------------------------------------------------------


def whole(text: str, kind: str, api: str = "v1") -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: x}}\n{dedent(text)}"


JOB = "template: {spec: {containers: [{name: a, image: 'shop/a:1'}]}}\n"
CLAIM = "volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: 1Gi}}}}]\n"

IMMUTABLE = {
    "Deployment selector": (
        deployment(),
        deployment().replace("matchLabels: {app: web}", "matchLabels: {app: web, tier: a}"),
        "spec.selector",
    ),
    "StatefulSet serviceName": (
        spec_of("StatefulSet", "serviceName: a\n", "apps/v1"),
        spec_of("StatefulSet", "serviceName: b\n", "apps/v1"),
        "spec.serviceName",
    ),
    "StatefulSet claims": (
        spec_of("StatefulSet", CLAIM, "apps/v1"),
        spec_of("StatefulSet", CLAIM.replace("1Gi", "2Gi"), "apps/v1"),
        "spec.volumeClaimTemplates",
    ),
    "Job template": (
        spec_of("Job", JOB, "batch/v1"),
        spec_of("Job", JOB.replace("a:1", "a:2"), "batch/v1"),
        "spec.template",
    ),
    "Job completion mode": (
        spec_of("Job", JOB, "batch/v1"),
        spec_of("Job", JOB + "completionMode: Indexed\n", "batch/v1"),
        "spec.completionMode",
    ),
    "roleRef": (
        whole("roleRef: {kind: Role, name: a}\n", "RoleBinding", "rbac.authorization.k8s.io/v1"),
        whole("roleRef: {kind: Role, name: b}\n", "RoleBinding", "rbac.authorization.k8s.io/v1"),
        "roleRef",
    ),
    "StorageClass parameters": (
        whole("provisioner: shop.io\nparameters: {type: hdd}\n", "StorageClass", "storage.k8s.io/v1"),
        whole("provisioner: shop.io\nparameters: {type: ssd}\n", "StorageClass", "storage.k8s.io/v1"),
        "parameters",
    ),
    "Service made headless": (
        spec_of("Service", "ports: [{port: 80}]\n"),
        spec_of("Service", "clusterIP: None\nports: [{port: 80}]\n"),
        "spec.clusterIP",
    ),
    "Secret type": (
        whole("type: Opaque\n", "Secret"),
        whole("type: kubernetes.io/tls\n", "Secret"),
        "type",
    ),
    "data of an immutable ConfigMap": (
        whole("immutable: true\ndata: {a: x}\n", "ConfigMap"),
        whole("immutable: true\ndata: {a: y}\n", "ConfigMap"),
        "data.a",
    ),
    "immutable taken back": (
        whole("immutable: true\ndata: {a: x}\n", "ConfigMap"),
        whole("data: {a: x}\n", "ConfigMap"),
        "immutable",
    ),
    "claim's class": (
        spec_of("PersistentVolumeClaim", "storageClassName: a\n"),
        spec_of("PersistentVolumeClaim", "storageClassName: b\n"),
        "spec.storageClassName",
    ),
    "scope of a CRD": (
        spec_of("CustomResourceDefinition", "scope: Cluster\n", "apiextensions.k8s.io/v1"),
        spec_of("CustomResourceDefinition", "scope: Namespaced\n", "apiextensions.k8s.io/v1"),
        "spec.scope",
    ),
    "value of a priority class": (
        whole("value: 10\n", "PriorityClass", "scheduling.k8s.io/v1"),
        whole("value: 20\n", "PriorityClass", "scheduling.k8s.io/v1"),
        "value",
    ),
    "controller of an ingress class": (
        spec_of("IngressClass", "controller: shop.io/a\n", "networking.k8s.io/v1"),
        spec_of("IngressClass", "controller: shop.io/b\n", "networking.k8s.io/v1"),
        "spec.controller",
    ),
}


@pytest.mark.parametrize("case", IMMUTABLE)
def test_immutable_fields(case):
    before, after, path = IMMUTABLE[case]
    found = [item for item in check(before, after) if item.reason == "immutable_field"]
    assert [(item.verdict.value, item.path) for item in found] == [("rejected", path)]
    assert not [item for item in check(before, before) if item.reason == "immutable_field"]


MUTABLE = {
    "StatefulSet replicas, template, ordinals": (
        spec_of("StatefulSet", "replicas: 1\ntemplate: {spec: {containers: []}}\n", "apps/v1"),
        spec_of("StatefulSet", "replicas: 2\nordinals: {start: 1}\nminReadySeconds: 5\n", "apps/v1"),
    ),
    "a quantity written differently": (
        spec_of("StatefulSet", CLAIM, "apps/v1"),
        spec_of("StatefulSet", CLAIM.replace("1Gi", "1024Mi"), "apps/v1"),
    ),
    "a default written down": (
        spec_of("StatefulSet", "serviceName: x\n", "apps/v1"),
        spec_of("StatefulSet", "serviceName: x\npodManagementPolicy: OrderedReady\n", "apps/v1"),
    ),
    "a claim's size": (
        spec_of("PersistentVolumeClaim", "resources: {requests: {storage: 1Gi}}\n"),
        spec_of("PersistentVolumeClaim", "resources: {requests: {storage: 2Gi}}\n"),
    ),
    "an address left to the cluster": (
        spec_of("Service", "clusterIP: 10.0.0.7\n"),
        spec_of("Service", "ports: [{port: 80}]\n"),
    ),
    "a Job with a time to live": (
        spec_of("Job", JOB + "ttlSecondsAfterFinished: 60\n", "batch/v1"),
        spec_of("Job", JOB.replace("a:1", "a:2") + "ttlSecondsAfterFinished: 60\n", "batch/v1"),
    ),
    "another group's kind of that name": (
        spec_of("Job", JOB, "jobs.shop.io/v1"),
        spec_of("Job", JOB.replace("a:1", "a:2"), "jobs.shop.io/v1"),
    ),
}


@pytest.mark.parametrize("case", MUTABLE)
def test_changes_that_the_api_server_takes(case):
    assert check(*MUTABLE[case]) == ()


def test_a_job_that_is_a_hook_is_made_anew():
    hook = "annotations: {argocd.argoproj.io/hook: Sync}"
    old = spec_of("Job", JOB, "batch/v1").replace("{name: x}", f"{{name: x, {hook}}}")
    assert check(old, old.replace("a:1", "a:2")) == ()


def test_generated_objects_with_a_hash_are_new_objects():
    old = whole("immutable: true\ndata: {a: x}\n", "ConfigMap")
    assert check(old, old.replace("{a: x}", "{a: z}"), hashed=frozenset({"v1 ConfigMap x"})) == ()


# -- custom resources --------------------------------------------------------------------------------


def crd(*versions: str, status: str = "") -> str:
    listed = ", ".join(f"{{name: {v.strip('*-')}, served: {str('-' not in v).lower()}, "
                       f"storage: {str('*' in v).lower()}}}" for v in versions)  # fmt: skip
    return (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        "metadata: {name: tills.shop.io}\n"
        f"spec: {{group: shop.io, names: {{kind: Till, plural: tills}}, versions: [{listed}]}}\n{status}"
    )


TILL = "---\napiVersion: shop.io/v1alpha1\nkind: Till\nmetadata: {name: front}\n"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (crd("v1alpha1*", "v1"), crd("v1*"), True),
        (crd("v1alpha1", "v1*"), crd("v1*"), False),
        (crd("v1alpha1*"), crd("v1alpha1", "v1*"), False),
        (crd("v1alpha1", "v1*", status="status: {storedVersions: [v1alpha1, v1]}\n"), crd("v1*"), True),
    ],
)
def test_storage_version_removed(before, after, told):
    expected = [
        ("rejected", "crd_version_removed", "apiextensions.k8s.io/v1 CustomResourceDefinition tills.shop.io",
         "spec.versions")
    ]  # fmt: skip
    assert brief(check(before, after)) == (expected if told else [])


@pytest.mark.parametrize("after", [crd("v1*"), crd("v1alpha1-", "v1*")])
def test_local_custom_resource_at_a_version_no_longer_served(after):
    found = check(crd("v1alpha1", "v1*") + TILL, after + TILL, local=TILL)
    assert brief(found) == [("dangling", "version_not_served", "shop.io/v1alpha1 Till front", "apiVersion")]
    assert "it serves v1" in found[0].why


def test_upstreams_own_custom_resource_is_upstreams_business():
    assert check(crd("v1alpha1", "v1*") + TILL, crd("v1*") + TILL, local="") == ()


def test_local_custom_resource_whose_crd_is_gone():
    found = check(crd("v1alpha1*") + TILL, TILL, local=TILL)
    assert [(item.reason, item.object) for item in found] == [
        ("version_not_served", "shop.io/v1alpha1 Till front")
    ]


# -- size --------------------------------------------------------------------------------------------


def sized(length: int, name: str = "big", annotation: str = "") -> str:
    metadata = f"{{name: {name}, annotations: {{{annotation}}}}}" if annotation else f"{{name: {name}}}"
    return f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\ndata: {{a: '{'x' * length}'}}\n"


def test_objects_that_outgrow_client_side_apply():
    found = check(sized(1000), sized(262_200))
    assert brief(found) == [("rejected", "too_large", "v1 ConfigMap big", "")]
    assert check(sized(262_200), sized(262_300)) == ()
    assert check(sized(1000), sized(262_000)) == ()


def test_whoever_has_large_objects_already_applies_otherwise():
    assert check(sized(262_200), sized(262_200) + sized(262_200, "bigger")) == ()
    option = "argocd.argoproj.io/sync-options: ServerSideApply=true"
    assert check(sized(10), sized(262_200, annotation=option)) == ()


# -- the same object twice ---------------------------------------------------------------------------


def test_the_same_object_with_and_without_namespace():
    mine = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra, namespace: shop}\n"
    theirs = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\n"
    found = check(mine, mine + theirs, local=mine)
    assert brief(found) == [("duplicate", "same_object_at_apply", "v1 ConfigMap shop/extra", "")]
    assert found[0].target == "v1 ConfigMap extra"
    assert check(mine + theirs, mine + theirs, local=mine) == ()
    assert check(mine, mine + theirs, local="") == ()


def test_the_same_object_at_two_versions():
    mine = "---\napiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n"
    theirs = mine.replace("v1", "v2", 1)
    for after in (mine + theirs, theirs + mine):
        found = check(mine, after, local=mine)
        assert brief(found) == [
            ("duplicate", "same_object_at_apply", "autoscaling/v1 HorizontalPodAutoscaler web", "")
        ]


def test_other_namespaces_are_other_objects():
    mine = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra, namespace: shop}\n"
    assert check(mine, mine + mine.replace("shop", "store"), local=mine) == ()


# -- references --------------------------------------------------------------------------------------


def named(kind: str, name: str, more: str = "", api: str = "v1") -> str:
    return f"---\napiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}}}\n{dedent(more)}"


SERVICE = named("Service", "web", "spec: {selector: {app: web}, ports: [{name: http, port: 80}]}\n")
INGRESS = named(
    "Ingress",
    "web",
    """\
    spec:
      rules:
      - host: shop.example
        http: {paths: [{path: /, backend: {service: {name: web, port: {name: http}}}}]}
    """,
    "networking.k8s.io/v1",
)
BACKEND = "spec.rules[host=shop.example].http.paths[0].backend.service"
HPA = named(
    "HorizontalPodAutoscaler",
    "web",
    "spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n",
    "autoscaling/v2",
)
BUDGET = named(
    "PodDisruptionBudget",
    "web",
    "spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}\n",
    "policy/v1",
)
MONITOR = named(
    "ServiceMonitor",
    "web",
    "spec: {selector: {matchLabels: {app: web}}, endpoints: [{port: http}]}\n",
    "monitoring.coreos.com/v1",
)
LABELLED = SERVICE.replace("{name: web}", "{name: web, labels: {app: web}}", 1)
BINDING = named(
    "RoleBinding",
    "mine",
    "roleRef: {kind: Role, name: reader}\nsubjects: [{kind: ServiceAccount, name: web}]\n",
    "rbac.authorization.k8s.io/v1",
)
ROLE = named("Role", "reader", api="rbac.authorization.k8s.io/v1")
ACCOUNT = named("ServiceAccount", "web")

#: what upstream had, what it has now, what the overlay defines, what dangles
DANGLING = {
    "Ingress port renamed": (
        SERVICE,
        SERVICE.replace("name: http", "name: web"),
        INGRESS,
        f"{BACKEND}.port.name",
        "set",
    ),
    "Ingress service renamed": (
        SERVICE,
        SERVICE.replace("{name: web}", "{name: web-server}"),
        INGRESS,
        f"{BACKEND}.name",
        "web-server",
    ),
    "autoscaler's target renamed": (
        deployment(),
        deployment(name="web-server"),
        HPA,
        "spec.scaleTargetRef.name",
        "web-server",
    ),
    "autoscaler's target turned into another kind": (
        deployment(),
        deployment().replace("Deployment", "StatefulSet"),
        HPA,
        "spec.scaleTargetRef.name",
        "",
    ),
    "budget's pods relabelled": (
        deployment(),
        deployment(labels="app: shop").replace("matchLabels: {app: web}", "matchLabels: {app: shop}"),
        BUDGET,
        "spec.selector",
        "app=shop",
    ),
    "monitored service relabelled": (
        LABELLED,
        LABELLED.replace("labels: {app: web}", "labels: {app: shop}"),
        MONITOR,
        "spec.selector",
        "app=shop",
    ),
    "monitored port renamed": (
        LABELLED,
        LABELLED.replace("name: http", "name: http-web"),
        MONITOR,
        "spec.endpoints[port=http].port",
        "http-web",
    ),
    "role renamed": (
        ROLE + ACCOUNT,
        ROLE.replace("reader", "pod-reader") + ACCOUNT,
        BINDING,
        "roleRef.name",
        "pod-reader",
    ),
    "account renamed": (
        ROLE + ACCOUNT,
        ROLE + ACCOUNT.replace("web", "web-server"),
        BINDING,
        "subjects[kind=ServiceAccount,name=web].name",
        "web-server",
    ),
    "key of a ConfigMap renamed": (
        named("ConfigMap", "params", "data: {level: info}\n"),
        named("ConfigMap", "params", "data: {log.level: info}\n"),
        "---\n" + container("env: [{name: L, valueFrom: {configMapKeyRef: {name: params, key: level}}}]\n"),
        f"{WEB_CONTAINER}.env[name=L].valueFrom.configMapKeyRef.key",
        "log.level",
    ),
    "mounted ConfigMap renamed": (
        named("ConfigMap", "params", "data: {level: info}\n"),
        named("ConfigMap", "settings", "data: {level: info}\n"),
        "---\n" + deployment("containers: []\nvolumes: [{name: c, configMap: {name: params}}]\n"),
        f"{POD}.volumes[name=c].configMap.name",
        "settings",
    ),
    "envFrom": (
        named("ConfigMap", "params", "data: {level: info}\n"),
        named("ConfigMap", "params-v2", "data: {level: info}\n"),
        "---\n" + container("envFrom: [{configMapRef: {name: params}}]\n"),
        f"{WEB_CONTAINER}.envFrom[0].configMapRef.name",
        "params-v2",
    ),
    "service account": (
        ACCOUNT,
        ACCOUNT.replace("web", "web-server"),
        "---\n" + deployment("serviceAccountName: web\ncontainers: []\n"),
        f"{POD}.serviceAccountName",
        "web-server",
    ),
    "claim": (
        named("PersistentVolumeClaim", "data", "spec: {storageClassName: a}\n"),
        named("PersistentVolumeClaim", "web-data", "spec: {storageClassName: a}\n"),
        "---\n"
        + deployment("containers: []\nvolumes: [{name: d, persistentVolumeClaim: {claimName: data}}]\n"),
        f"{POD}.volumes[name=d].persistentVolumeClaim.claimName",
        "web-data",
    ),
}


@pytest.mark.parametrize("case", DANGLING)
def test_local_objects_that_name_what_upstream_renamed(case):
    before, after, local, path, says = DANGLING[case]
    found = check(before + local, after + local, local=local, base=(before, after))
    told = [item for item in found if item.verdict.value == "dangling"]
    assert [(item.reason, item.path) for item in told] == [("reference_renamed", path)]
    assert told[0].object == str(object_id(manifests(local)[0]))
    assert says in f"{told[0].why} {told[0].hint}"


@pytest.mark.parametrize("case", DANGLING)
def test_what_dangled_before_is_not_news(case):
    _, after, local, _, _ = DANGLING[case]
    assert not [
        item
        for item in check(after + local, after + local, local=local, base=(after, after))
        if item.verdict.value == "dangling"
    ]


@pytest.mark.parametrize("case", DANGLING)
def test_what_upstream_does_alone_is_its_own_business(case):
    before, after, local, _, _ = DANGLING[case]
    old, new = before + local, after + local
    assert not [
        item for item in check(old, new, local="", base=(old, new)) if item.verdict.value == "dangling"
    ]


def test_objects_renamed_together_with_their_references_say_nothing():
    old = SERVICE + INGRESS
    new = old.replace("name: web", "name: shop").replace("app: web", "app: shop")
    assert check(old, new, local="", base=(old, new)) == ()


MOUNTED = """\
containers:
- name: web
  volumeMounts: [{name: tmp, mountPath: /tmp}, {name: VOLUME, mountPath: /var/cache}]
volumes: [{name: tmp, emptyDir: {}}]
"""


def test_a_mount_whose_volume_upstream_renamed():
    old = deployment(MOUNTED.replace("VOLUME", "tmp"))
    base_new = deployment(MOUNTED.replace("VOLUME", "tmp").replace("name: tmp", "name: scratch"))
    new = deployment(MOUNTED.replace("VOLUME", "tmp").replace("{name: tmp, e", "{name: scratch, e"))
    found = check(old, new, base=(old, base_new), local="")
    assert {item.path for item in found} == {f"{WEB_CONTAINER}.volumeMounts[mountPath=/tmp].name"}
    assert {item.reason for item in found} == {"reference_renamed"}
    assert "scratch" in found[0].hint


def test_a_new_upstream_mount_of_a_volume_that_the_overlay_deletes():
    base_old = deployment("containers: [{name: web}]\nvolumes: [{name: cache, emptyDir: {}}]\n")
    mounted = "containers: [{name: web, volumeMounts: [{name: cache, mountPath: /c}]}]\n"
    base_new = deployment(mounted + "volumes: [{name: cache, emptyDir: {}}]\n")
    found = check(
        deployment("containers: [{name: web}]\n"), deployment(mounted), base=(base_old, base_new), local=""
    )
    assert [(item.verdict.value, item.reason) for item in found] == [("dangling", "unknown_reference")]
    assert "takes away" in found[0].why


def test_claims_of_a_stateful_set_can_be_mounted():
    text = deployment("containers: [{name: web, volumeMounts: [{name: data, mountPath: /d}]}]\n").replace(
        "Deployment", "StatefulSet"
    )
    assert check("", text + "  volumeClaimTemplates: [{metadata: {name: data}}]\n") == ()


SECRET_ENV = "env: [{name: P, valueFrom: {secretKeyRef: {name: NAME, key: password}}}]\n"


def test_an_env_value_from_a_secret_that_nobody_provides():
    old, new = container(""), container(SECRET_ENV.replace("NAME", "redis-auth"))
    found = check(old, new, base=(old, new), local="")
    assert [(item.verdict.value, item.reason) for item in found] == [("dangling", "unknown_reference")]
    assert "redis-auth" in found[0].why


@pytest.mark.parametrize(
    "provider",
    [
        named("Secret", "redis-auth"),
        named("SealedSecret", "redis-auth", api="bitnami.com/v1alpha1"),
        named("ExternalSecret", "any", "spec: {target: {name: redis-auth}}\n", "external-secrets.io/v1"),
        named("Certificate", "any", "spec: {secretName: redis-auth}\n", "cert-manager.io/v1"),
    ],
)
def test_secrets_that_something_will_provide(provider):
    old, new = container(""), container(SECRET_ENV.replace("NAME", "redis-auth"))
    assert check(old + provider, new + provider, base=(old, new), local=provider) == ()


def test_a_local_secret_that_upstream_calls_otherwise_now():
    secret = named("Secret", "creds", "stringData: {password: x}\n")
    old, new = (
        container(SECRET_ENV.replace("NAME", "creds")),
        container(SECRET_ENV.replace("NAME", "db-creds")),
    )
    found = check(old + secret, new + secret, base=(old, new), local=secret)
    assert [(item.reason, item.object, item.target) for item in found] == [
        ("reference_renamed", WEB, "v1 Secret creds")
    ]


def test_optional_references_may_dangle():
    old, new = (
        container(""),
        container(SECRET_ENV.replace("NAME", "creds").replace("key: password", "key: p, optional: true")),
    )
    assert check(old, new, base=(old, new), local="") == ()


def test_generated_names_are_found_with_their_hash():
    text = container("envFrom: [{configMapRef: {name: params}}]\n")
    assert check(text + named("ConfigMap", "params"), text + named("ConfigMap", "params-5k8m2tfb2d")) == ()


def test_variables_that_upstream_no_longer_defines():
    args = "args: [--id=$(POD_NAME), $$(POD_NAME)]\n"
    old = container(f"env: [{{name: POD_NAME, value: a}}]\n{args}")
    found = check(old, container(args), base=(old, container("")), local="")
    assert brief(found) == [("dangling", "reference_renamed", WEB, f"{WEB_CONTAINER}.args")]


def test_a_variable_moved_behind_its_use():
    first, second = "{name: HOST, value: a}", "{name: URL, value: http://$(HOST)}"
    old, new = container(f"env: [{first}, {second}]\n"), container(f"env: [{second}, {first}]\n")
    found = check(old, new, base=(old, old), local="")
    assert brief(found) == [("dangling", "reference_renamed", WEB, f"{WEB_CONTAINER}.env[name=URL].value")]


# -- names left behind -------------------------------------------------------------------------------

SETTINGS = named("ConfigMap", "eu-settings")
EU = {"settings": "eu-settings", "main": "eu-main", "cache": "eu-cache"}


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("spec: {configMapName: settings}\n", "spec.configMapName"),
        ("spec: {config: {valuesFrom: {configMapRef: {name: settings}}}}\n",
         "spec.config.valuesFrom.configMapRef.name"),
        ("spec: {address: 'cache:6379'}\n", "spec.address"),
        ("spec: {url: 'http://cache.shop.svc/'}\n", "spec.url"),
    ],
)  # fmt: skip
def test_references_that_a_prefix_does_not_reach(spec, path):
    old = SETTINGS + named("Service", "eu-cache")
    new = old + named("Widget", "eu-main", spec, "shop.io/v1")
    found = check(old, new, renamed_before=EU, renamed_after=EU)
    assert brief(found) == [("dangling", "unknown_reference", "shop.io/v1 Widget eu-main", path)]
    assert found[0].rule == "renaming"
    assert check(new, new, renamed_before=EU, renamed_after=EU) == ()


@pytest.mark.parametrize(
    "text",
    [
        named("Widget", "eu-main", "spec: {mode: settings}\n", "shop.io/v1"),
        named("Widget", "eu-main", "spec: {secretName: settings}\n", "shop.io/v1"),
        named("Widget", "eu-main", "metadata: {labels: {app: settings}}\n", "shop.io/v1").replace(
            "metadata: {name: eu-main}\n", ""
        ),
        "---\n"
        + deployment("containers: [{name: cache, image: quay.io/shop/cache:1, args: [--use=cache]}]\n"),
    ],
)
def test_words_that_are_no_references(text):
    old = SETTINGS + named("Service", "eu-cache")
    assert check(old, old + text, renamed_before=EU, renamed_after=EU) == ()


KIOSK = named("Kiosk", "lobby", "spec: {configMapName: web-settings}\n", "shop.io/v1")
GENERATED = named("ConfigMap", "web-settings", "data: {a: x}\n")


def test_a_custom_resource_that_names_a_generated_object_misses_its_hash():
    hashed = frozenset({"v1 ConfigMap web-settings"})
    found = check(GENERATED, GENERATED + KIOSK, local=GENERATED, hashed=hashed)
    assert [(item.reason, item.object, item.path, item.target) for item in found] == [
        ("unknown_reference", "shop.io/v1 Kiosk lobby", "spec.configMapName", "v1 ConfigMap web-settings")
    ]
    assert check(GENERATED, GENERATED + KIOSK, local=GENERATED) == ()
    assert check(GENERATED, GENERATED + KIOSK, local="", hashed=hashed) == ()
    other = KIOSK.replace("lobby", "hall")
    assert check(GENERATED + other, GENERATED + other + KIOSK, local=GENERATED, hashed=hashed) == ()


def test_the_order_of_findings_does_not_depend_on_the_order_of_objects():
    before = deployment() + SERVICE + INGRESS
    after = deployment(labels="app: api") + SERVICE.replace("name: http", "name: web") + INGRESS
    forwards = check(before, after, local=INGRESS)
    context = ResultContext(local=frozenset({"networking.k8s.io/v1 Ingress web"}))
    backwards = check_result(before=manifests(before)[::-1], after=manifests(after)[::-1], context=context)
    assert sorted(map(repr, forwards)) == sorted(map(repr, backwards))
    assert len(forwards) == 3
