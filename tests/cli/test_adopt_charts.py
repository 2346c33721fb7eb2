"""A rendered chart that was edited by hand: what a value of the chart says becomes that value, the rest patches."""

from __future__ import annotations

import yaml

from cli.conftest import Bench
from upstreamsync.kit.run.engines import Engines

VALUES = """\
replicaCount: 1
image:
  registry: docker.io
  repository: example/server
  tag: ""
resources: {}
nodeSelector: {}
extraArgs: []
podAnnotations: {}
logLevel: info
probe: {enabled: true}
metrics:
  enabled: true
  port: 80
config:
  one.two: a
  mode: fast
rbac: {create: false}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: server, labels: {app: server, level: {{ .Values.logLevel }}}}
spec:
  replicas: {{ .Values.replicaCount }}
  selector: {matchLabels: {app: server}}
  template:
    metadata:
      labels: {app: server}
      {{- with .Values.podAnnotations }}
      annotations: {{ toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- with .Values.nodeSelector }}
      nodeSelector: {{ toYaml . | nindent 8 }}
      {{- end }}
      containers:
      - name: server
        image: "{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
        args:
        - --log={{ .Values.logLevel }}
        - --fixed
        {{- range .Values.extraArgs }}
        - {{ . }}
        {{- end }}
        {{- if .Values.probe.enabled }}
        livenessProbe: {httpGet: {path: /, port: 80}}
        {{- end }}
        resources: {{ toYaml .Values.resources | nindent 10 }}
"""
OTHERS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: server}
data: {{ toYaml .Values.config | nindent 2 }}
{{- if .Values.metrics.enabled }}
---
apiVersion: v1
kind: Service
metadata: {name: server-metrics}
spec: {selector: {app: server}, ports: [{port: {{ .Values.metrics.port }}}]}
{{- end }}
{{- if .Values.rbac.create }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: server}
rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]
{{- end }}
"""
BLOCK = """\

      helm:
        repository: {url}
        # the chart
        chart: server  # of ours
"""
FLOW = "{{helm: {{repository: '{url}', chart: server, set: {{logLevel: info}}}}}}"


def rendered(bench: Bench, source: str = BLOCK, **changes: str) -> str:
    """A chart that was rendered and copied: its text, which is committed as it was."""
    files = {"values.yaml": VALUES, "templates/d.yaml": DEPLOYMENT, "templates/o.yaml": OTHERS}
    for version in ("1.0.0", "1.1.0"):
        more = {
            "templates/n.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: notes}}\ndata: {{v: '{version}'}}\n"
        }
        bench.world.chart("charts", "server", version, files={**files, **more}, app_version=f"v{version}")
    vendor = bench.vendor(version="1.0.0", source=source.format(url=f"{bench.world.url}/charts"), **changes)
    bench.configure("\n".join(line for line in vendor.splitlines() if "releases:" not in line) + "\n")
    bench.overlay("namePrefix: my-\n")
    assert bench.run("update", "server", "--to", "1.0.0").returncode == 0
    (bench.root / "server/server.lock.yaml").unlink()
    bench.commit()
    return (bench.root / "server/base/server.yaml").read_text()


def built(bench: Bench, folder: str = "server/overlay") -> list[dict]:
    text = Engines().kustomize().build(bench.root / folder, root=bench.root)
    return sorted(yaml.safe_load_all(text), key=lambda one: (one["kind"], one["metadata"]["name"]))


def adopted(bench: Bench, text: str, *edits: tuple[str, str]) -> tuple[dict, dict]:
    """What adopt says of the copy with some edits, and the values that the vendor has then."""
    for old, new in edits:
        assert text.count(old) == 1, (old, text)
        text = text.replace(old, new)
    (bench.root / "server/base/server.yaml").write_text(text)
    bench.commit()
    before = built(bench)
    (vendor,) = bench.json("adopt")["vendors"]
    assert built(bench) == before
    (row,) = yaml.safe_load((bench.root / "vendors.yaml").read_text())["vendors"]
    bench.commit()
    assert bench.json("verify")["bases"][0]["condition"] == "pristine"
    return vendor, row["source"]["helm"].get("set", {})


SERVICE = """\
---
# Source: server/templates/o.yaml
apiVersion: v1
kind: Service
metadata: {name: server-metrics}
spec: {selector: {app: server}, ports: [{port: 80}]}
"""
#: What was edited → the value of the chart that does it.
EDITS = [
    (("replicas: 1", "replicas: 3"), {"replicaCount": 3}),
    (("docker.io/example/server:v1.0.0", "mirror.example.com/server:v9"),
     {"image.registry": "mirror.example.com", "image.repository": "server", "image.tag": "v9"}),
    (("resources: \n          {}", "resources: {limits: {cpu: 1}}"), {"resources": {"limits": {"cpu": 1}}}),
    (("    spec:\n", "    spec:\n      nodeSelector: {disk: ssd}\n"), {"nodeSelector": {"disk": "ssd"}}),
    (("- --fixed", "- --fixed\n        - --more=1"), {"extraArgs": ["--more=1"]}),
    (("      labels: {app: server}", "      labels: {app: server}\n      annotations: {a/b: 'c'}"),
     {"podAnnotations": {"a/b": "c"}}),
    (("        livenessProbe: {httpGet: {path: /, port: 80}}\n", ""), {"probe.enabled": False}),
    (("one.two: a", "one.two: b\n  three: c"), {"config.one\\.two": "b", "config.three": "c"}),
    (("spec: {selector: {app: server}, ports: [{port: 80}]}", "spec: {selector: {app: server}, ports: [{port: 8080}]}"),
     {"metrics.port": 8080}),
]  # fmt: skip


def test_what_values_do_becomes_the_values(bench: Bench):
    text = rendered(bench)
    vendor, given = adopted(bench, text, *(edit for edit, _ in EDITS))
    assert given == {key: value for _, values in EDITS for key, value in values.items()}
    assert vendor["base"] == "server/base", "there is nothing left for a patch"
    assert len(vendor["customizations"]) == len(given)


def test_a_value_of_several_places_and_one_of_a_whole_object(bench: Bench):
    text = rendered(bench)
    _, given = adopted(
        bench, text, ("level: info", "level: debug"), ("--log=info", "--log=debug"), (SERVICE, "")
    )
    assert given == {"logLevel": "debug", "metrics.enabled": False}


def test_what_no_value_does_stays_a_patch(bench: Bench):
    text = rendered(bench)
    # One of two places that a value reaches, and one that none does.
    vendor, given = adopted(
        bench, text, ("--log=info", "--log=debug"), ("--fixed", "--other"), ("replicas: 1", "replicas: 2")
    )
    assert given == {"replicaCount": 2}
    assert vendor["base"] == "server/base/upstream"
    assert len(vendor["customizations"]) == 2
    # An update renders the new version with the value, and the patch stands on it.
    document = bench.json("update", code=None)
    assert document["vendors"][0]["to"] == "1.1.0"
    deployment = next(one for one in built(bench) if one["kind"] == "Deployment")
    assert deployment["spec"]["replicas"] == 2


def test_values_are_written_where_the_entry_has_them_and_comments_are_kept(bench: Bench):
    text = rendered(bench, FLOW)
    _, given = adopted(
        bench, text, ("level: info", "level: warn"), ("--log=info", "--log=warn  # it is loud"),
        ("replicas: 1", "replicas: 2"),
    )  # fmt: skip
    assert given == {"logLevel": "warn", "replicaCount": 2}
    assert "# Deployment server: - --log=warn # it is loud" in (bench.root / "vendors.yaml").read_text()


def test_the_entry_keeps_its_comments(bench: Bench):
    text = rendered(bench)
    adopted(bench, text, ("replicas: 1", "replicas: 2  # one is too few"))
    written = (bench.root / "vendors.yaml").read_text()
    assert "# the chart\n        chart: server  # of ours\n        set:\n" in written
    assert "# Deployment server: replicas: 2 # one is too few" in written
