"""What the built result refers to: names and selectors that no longer lead anywhere, and names left behind."""

from __future__ import annotations

from collections.abc import Mapping

from upstreamsync.model import Verdict
from verify.kinds.forms import documents, listed
from verify.kinds.variant import Variant
from verify.small import deployment


def _own(kind: str, spec: str, api: str = "example.com/v1") -> dict[str, str]:
    """An object of the overlay's own beside the base."""
    return {
        "kustomization.yaml": "resources: [../base, own.yaml]\n",
        "own.yaml": f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: mine}}\n{spec}\n",
    }


def _web(
    name: str = "web", port: str = "http", app: str = "web", container: str = "web", account: str = ""
) -> str:
    return deployment(
        name, container=container, labels=f"app: {app}", more=f"ports: [{{name: {port}, containerPort: 8080}}]",
        pod=f"serviceAccountName: {account}" if account else "",
    )  # fmt: skip


def _service(name: str = "web", port: str = "http", app: str = "web", labels: str = "app: web") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n"
        f"spec: {{selector: {{app: {app}}}, ports: [{{name: {port}, port: 80, targetPort: 8080}}]}}\n"
    )


def _plain(kind: str, name: str, api: str = "v1", more: str = "") -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}}}\n{more}"


_BEFORE = documents(_web(), _service())
_RENAMED = documents(_web("server", app="server"), _service("server", app="server", labels="app: server"))
_BUMPED = _BEFORE.replace("acme/web:1", "acme/web:2")
_MONITOR = "spec: {selector: {matchLabels: {app: web}}, endpoints: [{port: http}]}"
_RBAC = "rbac.authorization.k8s.io/v1"
_ROLE = "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]\n"
_BINDING = (
    "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: web-view}\n"
    "subjects: [{kind: User, name: ann, apiGroup: rbac.authorization.k8s.io}]"
)
_ROUTES = "spec: {virtualhost: {fqdn: a.example.com}, routes: [{services: [{name: web, port: 80}]}]}"
_CERTIFICATE = (
    "spec: {secretName: tls, dnsNames: [a.example.com], issuerRef: {kind: ClusterIssuer, name: ca}}"
)
_JOB = (
    "spec: {schedule: '* * * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, serviceAccountName: web,"
    " containers: [{name: j, image: 'own/job:1'}]}}}}}"
)
_CLASS = "spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: SVC, port: {name: http}}}}]}}]}"
_SCALED = "spec: {scaleTargetRef: {name: web}, triggers: [{type: cron}]}"
_ISSUER = "spec: {selfSigned: {}}\n"


_IMAGE = 'image: "acme/web:1", '
_PASSWORD = "env: [{name: P, valueFrom: {secretKeyRef: {name: made, key: p}}}]"
_MAKES = (
    "rules: [{apiGroups: [''], resources: [secrets], verbs: [create]},"
    " {apiGroups: [''], resources: [secrets], resourceNames: [made], verbs: [get]}]\n"
)


def _issuer(name: str) -> str:
    return _plain("ClusterIssuer", name, "cert-manager.io/v1", _ISSUER)


def _account(name: str) -> str:
    return documents(_web(account=name), _plain("ServiceAccount", name))


#: What resolved before and no longer does, of the overlay's own; the same where it still does, or never did.
REFERENCES: Mapping[str, Variant] = {
    "a ServiceMonitor whose Service has other labels": Variant(
        overlay=_own("ServiceMonitor", _MONITOR, "monitoring.coreos.com/v1"), old=_BEFORE,
        new=documents(_web(), _service(labels="app.kubernetes.io/name: web")), item="resources[own.yaml]",
        verdict=Verdict.DANGLING, says=["app=web"],
    ),
    "a ServiceMonitor's port": Variant(
        overlay=_own("ServiceMonitor", _MONITOR, "monitoring.coreos.com/v1"), old=_BEFORE,
        new=documents(_web(), _service(port="http-web")), item="resources[own.yaml]", verdict=Verdict.DANGLING,
        says=["http-web"],
    ),
    "a PodMonitor's port": Variant(
        overlay=_own("PodMonitor", "spec: {selector: {matchLabels: {app: web}}, podMetricsEndpoints: [{port: http}]}",
                     "monitoring.coreos.com/v1"),
        old=_web(), new=_web(port="metrics"), item="resources[own.yaml]", verdict=Verdict.DANGLING, says=["metrics"],
    ),
    "a role of upstream in a binding": Variant(
        overlay=_own("ClusterRoleBinding", _BINDING, _RBAC), old=_plain("ClusterRole", "web-view", _RBAC, _ROLE),
        new=_plain("ClusterRole", "web-viewer", _RBAC, _ROLE), item="resources[own.yaml]", verdict=Verdict.DANGLING,
        says=["web-viewer"],
    ),
    "a service in an HTTPProxy": Variant(
        overlay=_own("HTTPProxy", _ROUTES, "projectcontour.io/v1"), old=_BEFORE, new=_RENAMED, item="resources[own.yaml]",
        verdict=Verdict.DANGLING, says=["server"],
    ),
    "an issuer of a certificate": Variant(
        overlay=_own("Certificate", _CERTIFICATE, "cert-manager.io/v1"), old=_issuer("ca"), new=_issuer("root-ca"),
        item="resources[own.yaml]", verdict=Verdict.DANGLING, says=["root-ca"],
    ),
    "an account of a job of one's own": Variant(
        overlay=_own("CronJob", _JOB, "batch/v1"), old=_account("web"), new=_account("web-app"), item="resources[own.yaml]",
        verdict=Verdict.DANGLING, says=["web-app"],
    ),
    "a port of an Ingress by name": Variant(
        overlay=_own("Ingress", _CLASS.replace("SVC", "web"), "networking.k8s.io/v1"), old=_BEFORE,
        new=documents(_web(), _service(port="web")), item="resources[own.yaml]", verdict=Verdict.DANGLING, says=["http"],
    ),
    "a target of a ScaledObject without a kind": Variant(
        overlay=_own("ScaledObject", _SCALED, "keda.sh/v1alpha1"), old=_BEFORE, new=_RENAMED, item="resources[own.yaml]",
        verdict=Verdict.DANGLING, says=["server"],
    ),
    "a budget for pods": Variant(
        overlay=_own("PodDisruptionBudget", "spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}", "policy/v1"),
        old=_BEFORE, new=_RENAMED, item="resources[own.yaml]", verdict=Verdict.DANGLING, says=["app=web"],
    ),
    "a ServiceMonitor that still fits": Variant(
        overlay=_own("ServiceMonitor", _MONITOR, "monitoring.coreos.com/v1"), old=_BEFORE, new=_BUMPED,
    ),
    "a ServiceMonitor of another application": Variant(
        overlay=_own("ServiceMonitor", _MONITOR.replace("app: web", "app: other"), "monitoring.coreos.com/v1"), old=_BEFORE,
        new=_RENAMED,
    ),
    "a role of the cluster itself": Variant(
        overlay=_own("ClusterRoleBinding", _BINDING.replace("web-view", "view"), _RBAC),
        old=_plain("ClusterRole", "web-view", _RBAC, _ROLE), new=_plain("ClusterRole", "web-viewer", _RBAC, _ROLE),
    ),
    "an HTTPProxy of another namespace's service": Variant(
        overlay=_own("HTTPProxy", _ROUTES.replace("name: web", "name: other"), "projectcontour.io/v1"), old=_BEFORE,
        new=_RENAMED,
    ),
    "an issuer that lies elsewhere": Variant(
        overlay=_own("Certificate", _CERTIFICATE.replace("name: ca", "name: letsencrypt"), "cert-manager.io/v1"),
        old=_issuer("ca"), new=_issuer("root-ca"),
    ),
    "the default account": Variant(
        overlay=_own("CronJob", _JOB.replace("serviceAccountName: web,", ""), "batch/v1"), old=_account("web"),
        new=_account("web-app"),
    ),
    "a port of an Ingress by number": Variant(
        overlay=_own("Ingress", _CLASS.replace("SVC", "web").replace("name: http", "number: 80"), "networking.k8s.io/v1"),
        old=_BEFORE, new=documents(_web(), _service(port="web")),
    ),
    "a label with the release in it, which the overlay has taken from the pods": Variant(
        overlay=listed("patches", "{target: {kind: Deployment}, patch: '[{\"op\": \"remove\", \"path\": \"/spec/template/metadata/labels/v\"},"
                       " {\"op\": \"remove\", \"path\": \"/spec/selector/matchLabels/v\"}]'}"),
        old=documents(deployment(labels="app: web, v: '1'"),
                      _plain("PodDisruptionBudget", "web", "policy/v1", "spec: {selector: {matchLabels: {app: web, v: '1'}}}\n")),
        new=documents(deployment(labels="app: web, v: '2'"),
                      _plain("PodDisruptionBudget", "web", "policy/v1", "spec: {selector: {matchLabels: {app: web, v: '2'}}}\n")),
    ),
    "a key of a Secret that is optional": Variant(
        overlay=_own("Secret", "stringData: {a: x}", "v1"), old=deployment(more="envFrom: [{secretRef: {name: mine}}]"),
        new=deployment(more="envFrom: [{secretRef: {name: mine}}], env: [{name: B, valueFrom: {secretKeyRef: "
                       "{name: mine, key: b, optional: true}}}]"),
    ),
    "a Secret that a program of upstream makes for itself": Variant(
        overlay=listed("patches", "{path: p.yaml}") | {"p.yaml": deployment("w", more="tty: true").replace(_IMAGE, "")},
        old=deployment("w"),
        new=documents(deployment("w", more=_PASSWORD), _plain("Role", "r", _RBAC, _MAKES)),
    ),
    "a Secret that another program may read": Variant(
        overlay=listed("patches", "{path: p.yaml}") | {"p.yaml": deployment("w", more="tty: true").replace(_IMAGE, "")},
        old=deployment("w"), item="overlay: (result)", verdict=Verdict.DANGLING, says=["Secret made"],
        new=documents(deployment("w", more=_PASSWORD), _plain("Role", "r", _RBAC, _MAKES.replace("[create]", "[list]"))),
    ),
    "one that was changed along": Variant(
        overlay=_own("HTTPProxy", _ROUTES, "projectcontour.io/v1"),
        edited=_own("HTTPProxy", _ROUTES.replace("name: web", "name: server"), "projectcontour.io/v1"), old=_BEFORE,
        new=_RENAMED,
    ),
}  # fmt: skip

_PROD = {"kustomization.yaml": "resources: [../base]\nnamespace: prod\n"}
_PREFIX = {"kustomization.yaml": "resources: [../base]\nnamePrefix: a-\n"}
_HOOK = "apiVersion: v1\nkind: Service\nmetadata: {name: hook, namespace: sys}\nspec: {selector: {app: hook}, ports: [{port: 443}]}\n"


def _in_sys(text: str) -> str:
    return text.replace("metadata: {name: ", "metadata: {namespace: sys, name: ", 1)


def _left(
    added: str,
    overlay: Mapping[str, str] = _PROD,
    verdict: Verdict | None = Verdict.DANGLING,
    item: str = "namespace",
) -> Variant:
    return Variant(overlay=overlay, old=_HOOK, new=documents(_HOOK, added), item=item, verdict=verdict)


def _monitored(spec: str) -> str:
    return _in_sys(
        _plain(
            "ServiceMonitor",
            "m",
            "monitoring.coreos.com/v1",
            f"spec: {{selector: {{matchLabels: {{x: y}}}}, {spec}}}\n",
        )
    )


def _config(text: str) -> str:
    return _in_sys(_plain("ConfigMap", "conf", "v1", f"data: {{c: '{text}'}}\n"))


def _certified(*names: str) -> str:
    return _in_sys(
        _plain(
            "Certificate",
            "cert",
            "cert-manager.io/v1",
            f"spec: {{secretName: cert, dnsNames: [{', '.join(names)}]}}\n",
        )
    )


def _misplaced(name: str, *, quiet: bool = False, role: bool = False) -> Variant:
    """A result that lies in another namespace than upstream's text says, by whatever means."""
    account = _plain("ServiceAccount", "w").replace("{name: w}", "{name: w, namespace: prod}")
    old = documents(
        account,
        _HOOK.replace("namespace: sys", "namespace: prod"),
        _plain("ConfigMap", "c").replace("{name: c}", "{name: c, namespace: more}"),
        deployment("w").replace("{name: w}", "{name: w, namespace: prod}", 1),
    )
    rules = f"rules: [{{apiGroups: [''], resources: [secrets], resourceNames: [{name}], verbs: [get]}}]\n"
    argument = f'image: "acme/web:1", args: ["{name}"]'
    return Variant(
        overlay=listed("labels", "{pairs: {team: x}}"), old=old, item="overlay: (result)",
        new=documents(old, _plain("Role", "r", _RBAC, rules)) if role else old.replace('image: "acme/web:1"', argument),
        verdict=None if quiet else Verdict.DANGLING, says=[] if quiet else ["prod"],
    )  # fmt: skip


#: Names that `namespace:` or `namePrefix:` leaves behind in what upstream adds.
NAMES_LEFT: Mapping[str, Variant] = {
    "namespaces of a monitor": _left(_monitored("namespaceSelector: {matchNames: [sys]}, endpoints: [{port: a}]")),
    "a server's name in a monitor": _left(
        _monitored("endpoints: [{port: a, tlsConfig: {serverName: hook.sys.svc}}]"),
    ),
    "a host in a configuration": _left(_config("url: https://hook.sys.svc:443/x")),
    "a host in a container's command": _left(
        _in_sys(deployment(more="command: [run, '--hook=hook.sys.svc.cluster.local']")),
    ),
    "a CRD's certificate": _left(
        _plain("CustomResourceDefinition", "things.x.io", "apiextensions.k8s.io/v1",
               "spec: {group: x.io, scope: Namespaced, names: {kind: Thing, plural: things}, versions: [{name: v1, served: true,"
               " storage: true, schema: {openAPIV3Schema: {type: object}}}]}\n")
        .replace("{name: things.x.io}", "{name: things.x.io, annotations: {cert-manager.io/inject-ca-from: sys/cert}}")
        + "---\n" + _certified("hook.example.com"),
    ),
    "a reader that names its ConfigMap in an argument": _left(
        documents(_config("x"), _in_sys(deployment(args="'--configmap=conf'"))), _PREFIX, item="namePrefix",
    ),
    "a mesh's host below a prefix": _left(
        _in_sys(_plain("VirtualService", "v", "networking.istio.io/v1", "spec: {http: [{route: [{destination: {host: hook}}]}]}\n")),
        _PREFIX, item="namePrefix",
    ),
    "an account as a user, in a namespace that is not here": _misplaced("--as=system:serviceaccount:sys:w"),
    "a Service's host in a namespace that is not here": _misplaced("--tls-secret=hook.sys.svc.tls-pair"),
    "a long host in a namespace that is not here": _misplaced("--url=https://hook.sys.svc.cluster.local:443"),
    "a role's name in a namespace that is not here": _misplaced("hook.sys.svc.tls-pair", role=True),
    "a role's name in the namespace itself": _misplaced("hook.prod.svc.tls-pair", role=True, quiet=True),
    "an account in its own namespace": _misplaced("--as=system:serviceaccount:prod:w", quiet=True),
    "an account that nobody has": _misplaced("--as=system:serviceaccount:sys:other", quiet=True),
    "a host of a Service that nobody has": _misplaced("--url=https://other.sys.svc:443", quiet=True),
    "a host in a namespace of the result": _misplaced("--url=https://hook.more.svc:443", quiet=True),
    "namespaces of a monitor elsewhere": _left(
        _monitored("namespaceSelector: {matchNames: [kube-system]}, endpoints: [{port: a}]"), verdict=None,
    ),
    "any namespace": _left(_monitored("namespaceSelector: {any: true}, endpoints: [{port: a}]"), verdict=None),
    "a host outside of the cluster": _left(_config("url: https://hook.sys.example.com/x"), verdict=None),
    "a certificate for names outside": _left(_certified("hook.example.com"), verdict=None),
    "an argument from the pod's own namespace": _left(
        _in_sys(deployment(args="'--namespace=$(NS)'", more="env: [{name: NS, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}]")),
        verdict=None,
    ),
    "a word like the namespace in a text": _left(_config("mode: sys and more"), verdict=None),
    "a volume's ConfigMap, which kustomize follows": _left(
        documents(_config("x"), _in_sys(deployment(pod="volumes: [{name: c, configMap: {name: conf}}]"))), _PREFIX, None,
    ),
    "an argument that only looks like the name": _left(_in_sys(deployment(args="'--configmap=hooks'")), _PREFIX, None),
}  # fmt: skip
