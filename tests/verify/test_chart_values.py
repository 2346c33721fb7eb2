"""Values of charts, judged as patches are: one verdict each, and no more renders than that takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from upstreamsync.kit.run.engines import Engines, Helm, Kustomize
from upstreamsync.model import Judgement, Verification
from upstreamsync.verify import verify_trees

TEMPLATE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: widget}
spec:
  replicas: {{ .Values.%(replicas)s }}
  template:
    spec:
      containers:
      - name: widget
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
        args: {{ toJson .Values.args }}
        resources: {{ toJson .Values.resources }}
"""
DEFAULTS = """\
%(replicas)s: 1
image: {repository: example.com/widget, tag: v1}
args: [--log=info]
resources: {}
"""
MANY = "".join(f"key{number}: {number}\n" for number in range(40))
MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: many}
data:
{{- range $key, $value := .Values.many }}
  {{ $key }}: {{ $value | quote }}
{{- end }}
"""
SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {level: {{ .Values.settings.level }}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: reads}
spec:
  template:
    metadata:
      annotations:
        checksum/settings: {{ toJson .Values.settings | sha256sum }}
        acme.example.com/config-hash: {{ toJson .Values.settings | sha256sum | trunc 8 | quote }}
    spec: {containers: [{name: reads, image: example.com/reads}]}
"""


@dataclass
class Trees:
    root: Path

    def write(self, side: str, path: str, text: str) -> None:
        file = self.root / side / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def both(self, path: str, text: str) -> None:
        self.write("before", path, text)
        self.write("after", path, text)

    def chart(
        self, side: str, *, replicas: str = "replicas", defaults: str = DEFAULTS, more: str = ""
    ) -> None:
        names = {"replicas": replicas}
        self.write(
            side,
            "app/charts/widget/Chart.yaml",
            f"apiVersion: v2\nname: widget\nversion: {1 + (side == 'after')}.0.0\n",
        )
        self.write(side, "app/charts/widget/values.yaml", (defaults + more) % names)
        self.write(side, "app/charts/widget/templates/deployment.yaml", TEMPLATE % names)

    def judge(self, counted: Counted | None = None) -> Verification:
        helm = (lambda: counted) if counted is not None else None
        return verify_trees(
            self.root / "before",
            self.root / "after",
            ["app"],
            kustomize=self.kustomize,
            helm=helm,  # type: ignore[arg-type]
        )

    kustomize: Kustomize | None = None


class Counted:
    """The real helm, and how often it was asked."""

    def __init__(self, helm: Helm) -> None:
        self._helm, self.count = helm, 0

    def template(self, *words: object, **options: object) -> bytes:
        self.count += 1
        return self._helm.template(*words, **options)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> object:
        return getattr(self._helm, name)


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path, kustomize=Engines().kustomize())


def entry(values: str, more: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in values.splitlines())
    inline = f"  valuesInline:\n{lines}" if values else ""
    return f"helmCharts:\n- name: widget\n  releaseName: widget\n{inline}{more}"


def items(found: Verification) -> dict[str, Judgement]:
    return {item.item.removeprefix("app: helmCharts[widget]."): item for item in found.items}


def test_one_value_is_lost_and_its_successor_named(trees: Trees) -> None:
    trees.chart("before")
    trees.chart("after", replicas="replicaCount")
    trees.both("app/kustomization.yaml", entry("replicas: 3\nimage:\n  tag: v7\nargs: [--log=debug]"))
    found = items(trees.judge())
    assert {name: item.verdict.value for name, item in found.items()} == {
        "valuesInline.replicas": "lost",
        "valuesInline.image.tag": "ok",
        "valuesInline.args": "ok",
    }
    assert found["valuesInline.replicas"].hint == "set replicaCount"
    assert found["valuesInline.replicas"].line == 5


def test_a_default_that_upstream_changed_is_overridden(trees: Trees) -> None:
    trees.chart("before")
    trees.chart("after", defaults=DEFAULTS.replace("[--log=info]", "[--log=info, --secure]"))
    trees.both("app/kustomization.yaml", entry("replicas: 3\nargs: [--log=info, --fast]"))
    found = items(trees.judge())
    assert found["valuesInline.args"].verdict == "shadows"
    assert found["valuesInline.replicas"].verdict == "ok"


def test_a_digest_of_what_is_rendered_says_nothing_more(trees: Trees) -> None:
    """Charts let pods start again with their settings: each version has a digest of its own for each value."""
    for side, more in (("before", "a"), ("after", "b")):
        trees.chart(side, more=f"settings: {{level: info, other: {more}}}\n")
        trees.write(side, "app/charts/widget/templates/settings.yaml", SETTINGS)
    trees.both("app/kustomization.yaml", entry("settings: {level: debug}\nreplicas: 3"))
    found = items(trees.judge())
    assert {name: item.verdict.value for name, item in found.items()} == {
        "valuesInline.settings.level": "ok",
        "valuesInline.replicas": "ok",
    }


def test_what_upstream_says_too_is_redundant(trees: Trees) -> None:
    trees.chart("before")
    trees.chart("after", defaults=DEFAULTS.replace("%(replicas)s: 1", "%(replicas)s: 3"))
    trees.both("app/kustomization.yaml", entry("replicas: 3"))
    assert items(trees.judge())["valuesInline.replicas"].verdict == "redundant"


def test_values_of_files_are_items_at_their_lines(trees: Trees) -> None:
    trees.chart("before")
    trees.chart("after", replicas="replicaCount")
    trees.both(
        "app/kustomization.yaml", entry("", "  valuesFile: mine.yaml\n  additionalValuesFiles: [more.yaml]\n")
    )
    trees.both("app/mine.yaml", "# ours\nimage: {tag: v7}\n\nreplicas: 3\n")
    trees.both("app/more.yaml", "resources:\n  limits:\n    memory: 1Gi\n")
    found = items(trees.judge())
    assert {name: item.verdict.value for name, item in found.items()} == {
        "valuesFile.image.tag": "ok",
        "valuesFile.replicas": "lost",
        "additionalValuesFiles[0].resources.limits.memory": "ok",
    }
    assert (found["valuesFile.replicas"].file, found["valuesFile.replicas"].line) == ("app/mine.yaml", 4)


@pytest.mark.parametrize("inline", [True, False])
def test_a_value_that_the_schema_refuses_hides_nothing_else(inline: bool, trees: Trees) -> None:
    trees.chart("before")
    trees.chart("after", replicas="replicaCount", more="strict: {}\n")
    trees.write(
        "after",
        "app/charts/widget/values.schema.json",
        '{"type": "object", "properties": {"image": {"type": "object", "properties": {"tag": {"type": "integer"}}}}}',
    )
    trees.write(
        "after",
        "app/charts/widget/values.yaml",
        "replicaCount: 1\nimage: {repository: a, tag: 1}\nargs: []\nresources: {}\n",
    )
    values = "replicas: 3\nimage:\n  tag: v7\n  repository: mirror.example.com/widget\n"
    if inline:
        trees.both("app/kustomization.yaml", entry(values))
    else:
        trees.both("app/kustomization.yaml", entry("", "  valuesFile: mine.yaml\n"))
        trees.both("app/mine.yaml", values)
    layer = "valuesInline" if inline else "valuesFile"
    found = items(trees.judge())
    assert found[f"{layer}.image.tag"].verdict == "fails"
    assert found[f"{layer}.image.tag"].reason == "schema_violation"
    assert found[f"{layer}.replicas"].verdict == "lost"


def test_a_patch_on_the_chart_is_judged_without_the_value_that_fails(trees: Trees) -> None:
    trees.chart("before")
    trees.chart("after", defaults=DEFAULTS)
    text = '{{ if eq (toString .Values.replicas) "3" }}{{ fail "three is too many" }}{{ end }}'
    trees.write("after", "app/charts/widget/templates/check.yaml", text)
    patch = "patches:\n- target: {kind: Deployment}\n  patch: |-\n    - {op: add, path: /metadata/labels, value: {a: b}}\n"
    trees.both("app/kustomization.yaml", entry("image: {tag: v7}\nreplicas: 3") + patch)
    found = {item.item: item.verdict.value for item in trees.judge().items}
    assert found == {
        "app: helmCharts[widget].valuesInline.replicas": "fails",
        "app: helmCharts[widget].valuesInline.image.tag": "ok",
        "app: patches[0]": "ok",
    }


def test_many_values_share_their_renders(trees: Trees) -> None:
    for side in ("before", "after"):
        trees.chart(side, replicas="replicaCount" if side == "after" else "replicas", more="many: {}\n")
        trees.write(side, "app/charts/widget/templates/many.yaml", MAP)
    indented = "".join(f"  {line}\n" for line in MANY.splitlines())
    trees.both("app/kustomization.yaml", entry(f"replicas: 3\nmany:\n{indented}image: {{tag: v7}}"))
    counted = Counted(Engines().helm())
    found = items(trees.judge(counted))
    assert {name for name, item in found.items() if item.verdict != "ok"} == {"valuesInline.replicas"}
    assert len(found) == 42
    assert counted.count <= 12


def test_a_chart_where_nothing_of_ours_changes_takes_two_renders_a_side(trees: Trees) -> None:
    for side in ("before", "after"):
        trees.chart(side, more="many: {}\n")
        trees.write(side, "app/charts/widget/templates/many.yaml", MAP)
    indented = "".join(f"  {line}\n" for line in MANY.splitlines())
    trees.both("app/kustomization.yaml", entry(f"replicas: 3\nmany:\n{indented}"))
    counted = Counted(Engines().helm())
    assert {item.verdict for item in trees.judge(counted).items} == {"ok"}
    assert counted.count <= 4


ACCOUNT = """\
{{- if .Values.account.create }}
apiVersion: v1
kind: Secret
metadata: {name: "%s", labels: {version: "{{ .Chart.Version }}"}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: widget%s}
{{- end }}
"""


def test_what_the_chart_has_for_a_value_is_upstreams(trees: Trees) -> None:
    """Other names and other contents of the objects that a value asks for are no change of the value's."""
    for side, name, more in (("before", "token", ""), ("after", "default-token", ", labels: {a: b}")):
        trees.chart(side, more="account: {create: false}\n")
        trees.write(side, "app/charts/widget/templates/account.yaml", ACCOUNT % (name, more))
    trees.both("app/kustomization.yaml", entry("account: {create: true}\nreplicas: 3"))
    assert {item.verdict.value for item in items(trees.judge()).values()} == {"ok"}


NEEDS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: widget, labels: {helm.sh/chart: "widget-{{ .Chart.Version }}"}}
spec:
  replicas: {{ .Values.replicas }}
  template:
    spec:
      containers:
      {{- range $name, $one := required "no containers" .Values.containers }}
      - name: {{ $name }}
        image: "{{ $one.image.repository }}:{{ $one.image.tag | default %s }}"
        env: {{ toJson $one.env }}
      {{- end }}
"""
ENV = "".join(f"      KEY{number}: v{number}\n" for number in range(20))
NEEDED = f"replicas: 3\ncontainers:\n  main:\n    image: {{repository: a/b, tag: v1}}\n    env:\n{ENV}"


def needing(trees: Trees, *, replicas: str = "1", tag: str = '"v0"') -> None:
    for side in ("before", "after"):
        trees.chart(side, defaults=f"replicas: {replicas if side == 'after' else '1'}\n")
        text = NEEDS % (tag if side == "after" else '"v0"')
        trees.write(side, "app/charts/widget/templates/deployment.yaml", text)
    trees.both("app/kustomization.yaml", entry(NEEDED))


def test_a_chart_that_needs_its_values_is_not_rendered_without_each_of_them(trees: Trees) -> None:
    needing(trees)
    counted = Counted(Engines().helm())
    assert {item.verdict.value for item in items(trees.judge(counted)).values()} == {"ok"}
    assert len(items(trees.judge())) == 23
    assert counted.count <= 8


def test_a_version_is_looked_at_also_where_a_chart_needs_its_values(trees: Trees) -> None:
    needing(trees, replicas="5", tag='"v2"')
    found = {name: item.verdict.value for name, item in items(trees.judge()).items()}
    assert found.pop("valuesInline.containers.main.image.tag") == "shadows"
    assert set(found.values()) == {"ok"}


def test_a_chart_that_makes_no_yaml_of_its_values_says_where(trees: Trees) -> None:
    broken = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Values.name }}}\n"
    for side, text in (("before", broken.replace(" }}}", " | quote }}}")), ("after", broken)):
        trees.chart(side)
        trees.write(side, "app/charts/widget/templates/named.yaml", text)
    trees.both("app/kustomization.yaml", entry("name: 'a: b}'"))
    found = next(item for item in trees.judge().items if item.verdict == "fails")
    assert "--debug" not in found.why
    assert "YAML" in found.why
