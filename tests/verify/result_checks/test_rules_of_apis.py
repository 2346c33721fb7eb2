"""Rules of Kubernetes' own APIs: each by what a server takes and its neighbour that it refuses."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import yaml

from upstreamsync.model import Verdict
from upstreamsync.verify.result_checks import check_result

POD: dict[str, Any] = {"containers": [{"name": "a", "image": "a:1"}]}


def workload(kind: str, pod: str = "{}", *, container: str = "{}", spec: str = "{}") -> dict[str, Any]:
    body = {"containers": [{"name": "a", "image": "a:1", **yaml.safe_load(container)}], **yaml.safe_load(pod)}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": body}
    selector = {"selector": {"matchLabels": {"a": "b"}}}
    match kind:
        case "Pod":
            return named("Pod", "v1", spec=body)
        case "Job":
            body.setdefault("restartPolicy", "Never")
            return named("Job", "batch/v1", spec={"template": template, **yaml.safe_load(spec)})
        case "CronJob":
            body.setdefault("restartPolicy", "Never")
            job = {"schedule": "0 * * * *", "jobTemplate": {"spec": {"template": template}}}
            return named("CronJob", "batch/v1", spec={**job, **yaml.safe_load(spec)})
        case _:
            return named(kind, "apps/v1", spec={**selector, "template": template, **yaml.safe_load(spec)})


def named(kind: str, api: str, name: str = "x", **more: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **more}


def of(kind: str, api: str, spec: str) -> dict[str, Any]:
    return named(kind, api, spec=yaml.safe_load(spec))


def rejected(before: list[Any], after: list[Any]) -> list[str]:
    found = check_result(before=before, after=after)
    return [item.path for item in found if item.verdict is Verdict.REJECTED]


#: what a server takes, what it refuses, and where
NEIGHBOURS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "request at its limit": (
        workload("Deployment", container="{resources: {requests: {memory: 1Gi}, limits: {memory: 1024Mi}}}"),
        workload("Deployment", container="{resources: {requests: {memory: 1.1Gi}, limits: {memory: 1024Mi}}}"),
        "spec.template.spec.containers[name=a].resources.requests.memory"),
    "request in other units": (
        workload("DaemonSet", container="{resources: {requests: {cpu: 500m}, limits: {cpu: 0.5}}}"),
        workload("DaemonSet", container="{resources: {requests: {cpu: 501m}, limits: {cpu: 0.5}}}"),
        "spec.template.spec.containers[name=a].resources.requests.cpu"),
    "huge pages": (
        workload("Pod", container="{resources: {requests: {cpu: 1, hugepages-2Mi: 4Mi}, limits: {hugepages-2Mi: 4Mi}}}"),
        workload("Pod", container="{resources: {requests: {cpu: 1, hugepages-2Mi: 4Mi}, limits: {hugepages-2Mi: 8Mi}}}"),
        "spec.containers[name=a].resources.requests.hugepages-2Mi"),
    "extended resources by limit alone": (
        workload("Pod", container="{resources: {limits: {acme.io/gpu: 1}}}"),
        workload("Pod", container="{resources: {limits: {acme.io/gpu: 1500m}}}"),
        "spec.containers[name=a].resources.limits[acme.io/gpu]"),
    "a sidecar may have probes": (
        workload("Deployment", "{initContainers: [{name: s, image: s, restartPolicy: Always, livenessProbe: {exec: {command: [a]}}}]}"),
        workload("Deployment", "{initContainers: [{name: s, image: s, livenessProbe: {exec: {command: [a]}}}]}"),
        "spec.template.spec.initContainers[name=s].livenessProbe"),
    "a sidecar may have hooks": (
        workload("Deployment", "{initContainers: [{name: s, image: s, restartPolicy: Always, lifecycle: {preStop: {exec: {command: [a]}}}}]}"),
        workload("Deployment", "{initContainers: [{name: s, image: s, lifecycle: {preStop: {exec: {command: [a]}}}}]}"),
        "spec.template.spec.initContainers[name=s].lifecycle.preStop"),
    "readiness may take several": (
        workload("Deployment", container="{readinessProbe: {successThreshold: 3, tcpSocket: {port: 1}}}"),
        workload("Deployment", container="{startupProbe: {successThreshold: 3, tcpSocket: {port: 1}}}"),
        "spec.template.spec.containers[name=a].startupProbe.successThreshold"),
    "a port by name, and by number in quotes": (
        workload("Deployment", container="{livenessProbe: {httpGet: {port: http}}}"),
        workload("Deployment", container="{livenessProbe: {httpGet: {port: '8080'}}}"),
        "spec.template.spec.containers[name=a].livenessProbe.httpGet.port"),
    "names of ports are of one container": (
        workload("Deployment", "{containers: [{name: a, image: a, ports: [{name: m, containerPort: 1}]}, {name: b, image: b, ports: [{name: m, containerPort: 2}]}]}"),
        workload("Deployment", container="{ports: [{name: m, containerPort: 1}, {name: m, containerPort: 2}]}"),
        "spec.template.spec.containers[name=a].ports[containerPort=2].name"),
    "length of a port's name": (
        workload("Deployment", container="{ports: [{name: fifteen-letters, containerPort: 1}]}"),
        workload("Deployment", container="{ports: [{name: sixteen--letters, containerPort: 1}]}"),
        "spec.template.spec.containers[name=a].ports[containerPort=1].name"),
    "ports of the host, by protocol": (
        workload("DaemonSet", container="{ports: [{containerPort: 53, hostPort: 53, protocol: UDP}, {containerPort: 53, hostPort: 53}]}"),
        workload("DaemonSet", container="{ports: [{containerPort: 53, hostPort: 53}, {containerPort: 54, hostPort: 53}]}"),
        "spec.template.spec.containers[name=a].ports[containerPort=54].hostPort"),
    "the host's network": (
        workload("DaemonSet", "{hostNetwork: true}", container="{ports: [{containerPort: 53}]}"),
        workload("DaemonSet", "{hostNetwork: true}", container="{ports: [{containerPort: 53, hostPort: 54}]}"),
        "spec.template.spec.containers[name=a].ports[containerPort=53].hostPort"),
    "two mounts": (
        workload("Pod", "{volumes: [{name: v}]}", container="{volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /b}]}"),
        workload("Pod", "{volumes: [{name: v}]}", container="{volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /a}]}"),
        "spec.containers[name=a].volumeMounts[mountPath=/a#2].mountPath"),
    "a path inside a volume": (
        workload("Pod", "{volumes: [{name: v}]}", container="{volumeMounts: [{name: v, mountPath: /a, subPath: b/..c}]}"),
        workload("Pod", "{volumes: [{name: v}]}", container="{volumeMounts: [{name: v, mountPath: /a, subPath: b/../c}]}"),
        "spec.containers[name=a].volumeMounts[mountPath=/a].subPath"),
    "who may restart": (
        workload("Job", "{restartPolicy: OnFailure}"), workload("Job", "{restartPolicy: Always}"), "spec.template.spec.restartPolicy"),
    "the deadline of a Job's pod": (
        workload("CronJob", "{activeDeadlineSeconds: 5}"), workload("StatefulSet", "{activeDeadlineSeconds: 5}"), "spec.template.spec.activeDeadlineSeconds"),
    "a toleration of everything": (
        workload("DaemonSet", "{tolerations: [{operator: Exists}]}"), workload("DaemonSet", "{tolerations: [{value: a}]}"), "spec.template.spec.tolerations[0].operator"),
    "a toleration for a while": (
        workload("Pod", "{tolerations: [{key: k, effect: NoExecute, tolerationSeconds: 5}]}"),
        workload("Pod", "{tolerations: [{key: k, tolerationSeconds: 5}]}"), "spec.tolerations[key=k].effect"),
    "spread": (
        workload("Deployment", "{topologySpreadConstraints: [{topologyKey: k, maxSkew: 1, whenUnsatisfiable: DoNotSchedule}, {topologyKey: k, maxSkew: 1, whenUnsatisfiable: ScheduleAnyway}]}"),
        workload("Deployment", "{topologySpreadConstraints: [{topologyKey: k, maxSkew: 0, whenUnsatisfiable: DoNotSchedule}]}"),
        "spec.template.spec.topologySpreadConstraints[topologyKey=k].maxSkew"),
    "affinity to a topology": (
        workload("Deployment", "{affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: {topologyKey: k}}]}}}"),
        workload("Deployment", "{affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 101, podAffinityTerm: {topologyKey: k}}]}}}"),
        "spec.template.spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight"),
    "expressions": (
        workload("Pod", "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: k, operator: Exists}]}]}}}}"),
        workload("Pod", "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: k, operator: Exists, values: [a]}]}]}}}}"),
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[key=k].values"),
    "a system's own settings": (
        workload("Pod", "{os: {name: linux}, securityContext: {runAsUser: 5}}"),
        workload("Pod", "{os: {name: windows}, securityContext: {runAsUser: 5}}"), "spec.securityContext.runAsUser"),
    "profiles": (
        workload("Pod", container="{securityContext: {appArmorProfile: {type: Localhost, localhostProfile: a}}}"),
        workload("Pod", container="{securityContext: {appArmorProfile: {type: Unconfined, localhostProfile: a}}}"),
        "spec.containers[name=a].securityContext.appArmorProfile.localhostProfile"),
    "deadlines": (
        workload("Deployment", spec="{minReadySeconds: 599}"), workload("Deployment", spec="{minReadySeconds: 600}"), "spec.progressDeadlineSeconds"),
    "surge of a DaemonSet": (
        workload("DaemonSet", spec="{updateStrategy: {rollingUpdate: {maxSurge: 10%, maxUnavailable: 0}}}"),
        workload("DaemonSet", spec="{updateStrategy: {rollingUpdate: {maxSurge: 10%}}}"), "spec.updateStrategy.rollingUpdate.maxSurge"),
    "a percentage": (
        workload("Deployment", spec="{strategy: {rollingUpdate: {maxSurge: 150%}}}"),
        workload("Deployment", spec="{strategy: {rollingUpdate: {maxSurge: half}}}"), "spec.strategy.rollingUpdate.maxSurge"),
    "an indexed Job": (
        workload("Job", spec="{completionMode: Indexed, completions: 2, backoffLimitPerIndex: 1, maxFailedIndexes: 1}"),
        workload("Job", spec="{completionMode: Indexed, completions: 2, maxFailedIndexes: 1}"), "spec.backoffLimitPerIndex"),
    "a policy for failures": (
        workload("Job", spec="{podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}}"),
        workload("Job", "{restartPolicy: OnFailure}", spec="{podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}}"),
        "spec.template.spec.restartPolicy"),
    "a schedule": (
        workload("CronJob", spec="{schedule: '@daily'}"), workload("CronJob", spec="{schedule: '* * * *'}"), "spec.schedule"),
    "bounds of an autoscaler": (
        of("HorizontalPodAutoscaler", "autoscaling/v2", "{minReplicas: 3, maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: a}}"),
        of("HorizontalPodAutoscaler", "autoscaling/v2", "{minReplicas: 3, maxReplicas: 2, scaleTargetRef: {kind: Deployment, name: a}}"), "spec.maxReplicas"),
    "a metric of its type": (
        of("HorizontalPodAutoscaler", "autoscaling/v2", "{maxReplicas: 3, scaleTargetRef: {kind: D, name: a}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 5}}}]}"),
        of("HorizontalPodAutoscaler", "autoscaling/v2", "{maxReplicas: 3, scaleTargetRef: {kind: D, name: a}, metrics: [{type: Pods, resource: {name: cpu, target: {type: Utilization, averageUtilization: 5}}}]}"),
        "spec.metrics[type=Pods].pods"),
    "ports of a Service, by protocol": (
        of("Service", "v1", "{ports: [{name: a, port: 53}, {name: b, port: 53, protocol: UDP}]}"),
        of("Service", "v1", "{ports: [{name: a, port: 53}, {name: b, port: 53}]}"), "spec.ports[port=53#2]"),
    "a Service without ports": (
        of("Service", "v1", "{clusterIP: None, selector: {a: b}}"), of("Service", "v1", "{selector: {a: b}}"), "spec.ports"),
    "nodePorts": (
        of("Service", "v1", "{type: NodePort, ports: [{name: a, port: 1, nodePort: 30001}, {name: b, port: 1, protocol: UDP, nodePort: 30001}]}"),
        of("Service", "v1", "{type: NodePort, ports: [{name: a, port: 1, nodePort: 30001}, {name: b, port: 2, nodePort: 30001}]}"), "spec.ports[port=2].nodePort"),
    "a port for health": (
        of("Service", "v1", "{type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30001, ports: [{port: 1}]}"),
        of("Service", "v1", "{type: LoadBalancer, externalTrafficPolicy: Cluster, healthCheckNodePort: 30001, ports: [{port: 1}]}"), "spec.healthCheckNodePort"),
    "a range of ports": (
        of("NetworkPolicy", "networking.k8s.io/v1", "{podSelector: {}, ingress: [{ports: [{port: 80, endPort: 80}]}]}"),
        of("NetworkPolicy", "networking.k8s.io/v1", "{podSelector: {}, ingress: [{ports: [{port: 80, endPort: 79}]}]}"), "spec.ingress[0].ports[port=80].endPort"),
    "a backend": (
        of("Ingress", "networking.k8s.io/v1", "{rules: [{host: a.b, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, port: {name: http}}}}]}}]}"),
        of("Ingress", "networking.k8s.io/v1", "{rules: [{host: a.b, http: {paths: [{path: x, pathType: Prefix, backend: {service: {name: a, port: {name: http}}}}]}}]}"),
        "spec.rules[host=a.b].http.paths[0].path"),
    "access modes": (
        of("PersistentVolumeClaim", "v1", "{accessModes: [ReadWriteOncePod], resources: {requests: {storage: 1Gi}}}"),
        of("PersistentVolumeClaim", "v1", "{accessModes: [ReadWriteOncePod, ReadWriteOnce], resources: {requests: {storage: 1Gi}}}"), "spec.accessModes"),
    "limits in their order": (
        of("LimitRange", "v1", "{limits: [{type: Container, min: {cpu: 1}, defaultRequest: {cpu: 1}, default: {cpu: 2}, max: {cpu: 2}}]}"),
        of("LimitRange", "v1", "{limits: [{type: Container, min: {cpu: 1}, defaultRequest: {cpu: 500m}, default: {cpu: 2}}]}"), "spec.limits[type=Container].min.cpu"),
    "scopes": (
        of("ResourceQuota", "v1", "{hard: {pods: 1}, scopes: [Terminating, BestEffort]}"),
        of("ResourceQuota", "v1", "{hard: {pods: 1}, scopes: [Terminating, NotTerminating]}"), "spec.scopes"),
    "a certificate": (
        named("Secret", "v1", type="kubernetes.io/tls", data={"tls.crt": ""}, stringData={"tls.key": ""}),
        named("Secret", "v1", type="kubernetes.io/tls", data={"tls.crt": ""}), "data[tls.key]"),
    "a pull secret": (
        named("Secret", "v1", type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": "e30="}),
        named("Secret", "v1", type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": "YQ=="}), "data[.dockerconfigjson]"),
    "lines in base64": (
        named("Secret", "v1", data={"a": "YWJj\nZGVm\n"}), named("Secret", "v1", data={"a": "YWJj ZGVm"}), "data.a"),
    "keys": (
        named("ConfigMap", "v1", data={"a.b-c_d": "x"}), named("ConfigMap", "v1", data={"a/b": "x"}), "data[a/b]"),
    "rules of a role": (
        named("Role", "rbac.authorization.k8s.io/v1", rules=[{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]),
        named("Role", "rbac.authorization.k8s.io/v1", rules=[{"verbs": ["get"], "resources": ["pods"]}]), "rules[0].apiGroups"),
    "subjects": (
        named("RoleBinding", "rbac.authorization.k8s.io/v1", roleRef={"kind": "Role", "name": "a"}, subjects=[{"kind": "ServiceAccount", "name": "s"}]),
        named("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", roleRef={"kind": "ClusterRole", "name": "a"}, subjects=[{"kind": "ServiceAccount", "name": "s"}]),
        "subjects[kind=ServiceAccount,name=s].namespace"),
    "the name of a CronJob": (
        named("CronJob", "batch/v1", "a" * 52, spec=workload("CronJob")["spec"]),
        named("CronJob", "batch/v1", "a" * 53, spec=workload("CronJob")["spec"]), "metadata.name"),
    "the name of a Service": (
        named("Service", "v1", "a" * 63, spec={"ports": [{"port": 1}]}), named("Service", "v1", "a" * 64, spec={"ports": [{"port": 1}]}), "metadata.name"),
    "names of roles are free": (
        named("ClusterRole", "rbac.authorization.k8s.io/v1", "system:a:B", rules=[]), named("ConfigMap", "v1", "system:a:B"), "metadata.name"),
    "labels": (
        {**named("ConfigMap", "v1"), "metadata": {"name": "x", "labels": {"a.b/c": "d" * 63}}},
        {**named("ConfigMap", "v1"), "metadata": {"name": "x", "labels": {"a.b/c": "d" * 64}}}, "metadata.labels[a.b/c]"),
    "what an APIService is called": (
        named("APIService", "apiregistration.k8s.io/v1", "v1.a.b", spec={"group": "a.b", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1}),
        named("APIService", "apiregistration.k8s.io/v1", "v2.a.b", spec={"group": "a.b", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1}), "metadata.name"),
    "kinds of the same name": (
        of("Service", "serving.knative.dev/v1", "{template: {spec: {containers: []}}}"), of("Service", "v1", "{type: ClusterIP}"), "spec.ports"),
}  # fmt: skip


@pytest.mark.parametrize("case", NEIGHBOURS)
def test_one_step_beside_what_is_taken(case: str) -> None:
    fine, wrong, path = NEIGHBOURS[case]
    assert rejected([], [fine]) == []
    assert rejected([fine], [fine]) == []
    assert path in rejected([], [wrong])
    assert rejected([wrong], [deepcopy(wrong)]) == []
    relabelled = deepcopy(wrong)
    relabelled["metadata"] = {**wrong["metadata"], "annotations": {"a": "b"}}
    assert rejected([wrong], [relabelled]) == []


# -- what may change, and what the server fills in ---------------------------------------------------

CLAIM = "accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}"
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "defaults of a Job's template written down": (
        workload("Job"),
        workload("Job", "{dnsPolicy: ClusterFirst, terminationGracePeriodSeconds: 30, securityContext: {}, schedulerName: default-scheduler}",
                 container="{imagePullPolicy: IfNotPresent, terminationMessagePath: /dev/termination-log}"), []),
    "another image of a Job": (workload("Job"), workload("Job", container="{image: 'a:2'}"), ["spec.template"]),
    "a suspended Job is scheduled anew": (
        workload("Job", spec="{suspend: true}"), workload("Job", "{nodeSelector: {a: b}}", spec="{suspend: true}"), []),
    "a suspended Job gets another image": (
        workload("Job", spec="{suspend: true}"), workload("Job", container="{image: 'a:2'}", spec="{suspend: true}"), ["spec.template"]),
    "an indexed Job grows without its parallelism": (
        workload("Job", spec="{completionMode: Indexed, completions: 2, parallelism: 2}"),
        workload("Job", spec="{completionMode: Indexed, completions: 3, parallelism: 2}"), ["spec.completions"]),
    "how many at once": (workload("Job", spec="{parallelism: 1}"), workload("Job", spec="{parallelism: 3}"), []),
    "a claim grows": (
        of("PersistentVolumeClaim", "v1", f"{{{CLAIM}}}"), of("PersistentVolumeClaim", "v1", f"{{{CLAIM.replace('2Gi', '3Gi')}}}"), []),
    "a claim shrinks in other units": (
        of("PersistentVolumeClaim", "v1", f"{{{CLAIM}}}"), of("PersistentVolumeClaim", "v1", f"{{{CLAIM.replace('2Gi', '2G')}}}"),
        ["spec.resources.requests.storage"]),
    "a claim says its class, and another": (
        of("PersistentVolumeClaim", "v1", f"{{{CLAIM}, storageClassName: a}}"), of("PersistentVolumeClaim", "v1", f"{{{CLAIM}, storageClassName: b}}"),
        ["spec.storageClassName"]),
    "labels of a zone became general": (
        of("PersistentVolume", "v1", "{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], nfs: {server: a, path: /}, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: failure-domain.beta.kubernetes.io/zone, operator: In, values: [a]}]}]}}}"),
        of("PersistentVolume", "v1", "{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], nfs: {server: a, path: /}, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [a]}]}]}}}"), []),
    "nodes of a volume are named first": (
        of("PersistentVolume", "v1", "{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], nfs: {server: a, path: /}}"),
        of("PersistentVolume", "v1", "{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], nfs: {server: a, path: /}, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: k, operator: Exists}]}]}}}"), []),
    "an immutable Secret said otherwise": (
        named("Secret", "v1", immutable=True, data={"a": "YQ=="}), named("Secret", "v1", immutable=True, stringData={"a": "a"}), []),
    "a load balancer becomes internal": (
        of("Service", "v1", "{type: LoadBalancer, loadBalancerClass: a/b, allocateLoadBalancerNodePorts: false, ports: [{port: 1, nodePort: 30001}]}"),
        of("Service", "v1", "{type: ClusterIP, loadBalancerClass: a/b, allocateLoadBalancerNodePorts: false, ports: [{port: 1, nodePort: 30001}]}"), []),
    "the order of families": (
        of("Service", "v1", "{ipFamilies: [IPv4, IPv6], ports: [{port: 1}]}"), of("Service", "v1", "{ipFamilies: [IPv6, IPv4], ports: [{port: 1}]}"), ["spec.ipFamilies"]),
    "a second family": (
        of("Service", "v1", "{ipFamilies: [IPv4], ports: [{port: 1}]}"), of("Service", "v1", "{ipFamilies: [IPv4, IPv6], ports: [{port: 1}]}"), []),
    "a headless Service that is one no more": (
        of("Service", "v1", "{clusterIP: None, ports: [{port: 1}]}"), of("Service", "v1", "{type: NodePort, ports: [{port: 1}]}"), ["spec.type"]),
    "scopes in another order": (
        of("ResourceQuota", "v1", "{hard: {pods: 1}, scopes: [BestEffort, Terminating]}"), of("ResourceQuota", "v1", "{hard: {pods: 2}, scopes: [Terminating, BestEffort]}"), []),
    "a pod's deadline comes nearer": (
        workload("Pod", "{activeDeadlineSeconds: 9}"), workload("Pod", "{activeDeadlineSeconds: 5}"), []),
    "a pod's deadline moves away": (
        workload("Pod", "{activeDeadlineSeconds: 5}"), workload("Pod", "{activeDeadlineSeconds: 9}"), ["spec.activeDeadlineSeconds"]),
    "a range of the other family": (
        of("ServiceCIDR", "networking.k8s.io/v1", "{cidrs: [10.0.0.0/16]}"), of("ServiceCIDR", "networking.k8s.io/v1", "{cidrs: [10.0.0.0/16, 'fd00::/64']}"), []),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_changes_of_an_object_that_is_there(case: str) -> None:
    old, new, paths = CHANGES[case]
    assert rejected([old], [new]) == paths
