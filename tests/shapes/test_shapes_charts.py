"""Shapes 11 to 15 and 31: charts, rendered by helm."""

from __future__ import annotations

from shapes.harness import Team, own
from upstreamsync.testing.charts import Files

TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-%s
  namespace: {{ .Release.Namespace }}
data:
  tag: {{ .Values.image.tag | quote }}
  mode: {{ .Values.mode | quote }}
  app: {{ .Chart.AppVersion | quote }}"""


def chart(*names: str) -> Files:
    files = {f"templates/{name}.yaml": TEMPLATE % name.rpartition("/")[2] for name in names}
    return {"values.yaml": "image: {tag: none}\nmode: plain\n", **files}


def rendered(
    name: str,
    part: str,
    *,
    chart_name: str,
    release: str,
    namespace: str = "default",
    tag: str,
    mode: str,
    app: str,
) -> str:
    """What helm prints for one template of ``chart``."""
    return (
        f"---\n# Source: {chart_name}/templates/{part}.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n"
        f"  name: {release}-{name}\n  namespace: {namespace}\ndata:\n"
        f'  tag: "{tag}"\n  mode: "{mode}"\n  app: "{app}"\n'
    )


def test_11_chart_from_an_http_repository(team: Team):
    team.vendors("""
    - name: app
      version: 1.0.0
      source: {helm: {repository: WORLD/charts, chart: loki, release: logs, namespace: logging, set: {mode: single}}}
      base: app/base
    """)

    def text(app: str) -> str:
        return rendered(
            "main",
            "main",
            chart_name="loki",
            release="logs",
            namespace="logging",
            tag="none",
            mode="single",
            app=app,
        )

    team.world.chart("charts", "loki", "1.0.0", files=chart("main"), app_version="v2.0")
    team.arrives({"app/base/app.yaml": text("v2.0"), "app/base/kustomization.yaml": own("app.yaml")})
    team.world.chart("charts", "loki", "1.1.0", files=chart("main"), app_version="v2.1")
    team.moves({"app/base/app.yaml": text("v2.1")}, to="1.1.0")


def test_12_chart_from_oci(team: Team):
    team.write({"app/values.yaml": "mode: ours  # because\n"})
    team.vendors("""
    - name: app
      version: 1.0.0
      source: {helm: {repository: OCI/org, chart: loki, values: [app/values.yaml]}, file: loki.yaml}
      base: app/base
    """)

    def text(app: str) -> str:
        return rendered("main", "main", chart_name="loki", release="app", tag="none", mode="ours", app=app)

    team.world.oci_chart("org/loki", "1.0.0", files=chart("main"), app_version="v2.0", auth=True)
    team.arrives({"app/base/loki.yaml": text("v2.0"), "app/base/kustomization.yaml": own("loki.yaml")})
    team.world.oci_chart("org/loki", "1.1.0", files=chart("main"), app_version="v2.1", auth=True)
    team.moves({"app/base/loki.yaml": text("v2.1")}, to="1.1.0")


def in_git(team: Team, tag: str, *names: str) -> None:
    files = {f"docs/helm/{path}": text for path, text in chart(*names).items()}
    files["docs/helm/Chart.yaml"] = f"apiVersion: v2\nname: adapter\nversion: 0.1.0\nappVersion: {tag}\n"
    team.world.git("adapter").commit(files, tag=tag)


def test_13_chart_in_git_with_values_given(team: Team):
    team.vendors("""
    - name: app
      version: v1.0.0
      source:
        helm:
          git: WORLD/git/adapter.git
          path: docs/helm
          release: adapter
          namespace: kube-system
          set: {image.tag: "{version}", mode: "a,b{c}"}
        file: manifest.yaml
      base: app/base
    """)

    def text(tag: str) -> str:
        return rendered(
            "main",
            "main",
            chart_name="adapter",
            release="adapter",
            namespace="kube-system",
            tag=tag,
            mode="a,b{c}",
            app=tag,
        )

    in_git(team, "v1.0.0", "main")
    team.arrives(
        {"app/base/manifest.yaml": text("v1.0.0"), "app/base/kustomization.yaml": own("manifest.yaml")}
    )
    in_git(team, "v1.1.0", "main")
    team.moves({"app/base/manifest.yaml": text("v1.1.0")}, to="v1.1.0")


def test_14_one_chart_rendered_several_times(team: Team):
    """As rook: common parts once, and for each Ceph cluster chosen templates with its own values."""
    team.write({"rook/ssd.yaml": "mode: ssd\n", "rook/hdd.yaml": "mode: hdd\n"})
    team.vendors("""
    - name: app
      version: v1.0.0
      source:
        - helm: {git: &git WORLD/git/adapter.git, path: &path docs/helm, templates: [templates/common/*.yaml]}
          file: common.yaml
          base: rook/common
        - helm: {git: *git, path: *path, release: ssd, namespace: ceph-ssd, values: [rook/ssd.yaml], templates: [templates/operator.yaml]}
          file: operator.yaml
          base: rook/ceph-ssd
        - helm: {git: *git, path: *path, release: hdd, namespace: ceph-hdd, values: [rook/hdd.yaml], templates: [templates/operator.yaml]}
          file: operator.yaml
          base: rook/ceph-hdd
    """)

    def operator(name: str, tag: str) -> str:
        return rendered(
            "operator",
            "operator",
            chart_name="adapter",
            release=name,
            namespace=f"ceph-{name}",
            tag="none",
            mode=name,
            app=tag,
        )

    def content(tag: str) -> dict[str, str]:
        common = "".join(
            rendered(
                name, f"common/{name}", chart_name="adapter", release="app", tag="none", mode="plain", app=tag
            )
            for name in ("crd", "role")
        )
        return {
            "rook/common/common.yaml": common,
            "rook/ceph-ssd/operator.yaml": operator("ssd", tag),
            "rook/ceph-hdd/operator.yaml": operator("hdd", tag),
        }

    names = ("common/crd", "common/role", "operator", "unwanted")
    in_git(team, "v1.0.0", *names)
    lists = {path.rpartition("/")[0]: path.rpartition("/")[2] for path in content("v")}
    team.arrives(
        {**content("v1.0.0"), **{f"{base}/kustomization.yaml": own(file) for base, file in lists.items()}}
    )
    in_git(team, "v1.1.0", *names)
    team.moves(content("v1.1.0"), to="v1.1.0")


def test_15_chart_chosen_by_app_version(team: Team):
    """The own image's version drives: of the charts with that appVersion the newest is taken."""
    team.vendors("""
    - name: app
      version: 2.0.0
      source: {helm: {repository: WORLD/charts, chart: loki}}
      releases: {helm: {repository: WORLD/charts, chart: loki}, app_version: true, tag: '^v?(?P<version>.+)$'}
      base: app/base
    """)

    def publish(version: str, app: str, mode: str) -> None:
        files = {**chart("main"), "values.yaml": f"image: {{tag: none}}\nmode: {mode}\n"}
        team.world.chart("charts", "loki", version, files=files, app_version=app)

    def text(app: str, mode: str) -> str:
        return rendered("main", "main", chart_name="loki", release="app", tag="none", mode=mode, app=app)

    publish("0.30.0", "v2.0.0", "first")
    publish("0.31.0", "v2.0.0", "second")
    team.arrives(
        {"app/base/app.yaml": text("v2.0.0", "second"), "app/base/kustomization.yaml": own("app.yaml")}
    )
    publish("0.32.0", "v2.1.0", "third")
    publish("0.33.1", "v2.1.0", "fifth")
    publish("0.33.0", "v2.1.0", "fourth")
    team.moves({"app/base/app.yaml": text("v2.1.0", "fifth")}, to="2.1.0")


def test_15_own_image_drives_the_chart_with_that_app_version(team: Team):
    """The feed is the own image's, the chart is looked up by its appVersion."""
    team.vendors("""
    - name: app
      version: 2.0.0.1
      source: {helm: {repository: WORLD/charts, chart: loki, app_version: "{upstream}"}}
      releases:
        oci: REGISTRY/team/loki
        tag: '^(?P<version>(?P<upstream>[0-9]+\\.[0-9]+\\.[0-9]+)\\.[0-9]+)$'
        scheme: loose
      base: app/base
    """)

    def text(app: str, mode: str) -> str:
        return rendered("main", "main", chart_name="loki", release="app", tag="none", mode=mode, app=app)

    for version, app, mode in (
        ("0.30.0", "v2.0.0", "a"),
        ("0.31.0", "v2.1.0", "b"),
        ("0.31.1", "v2.1.0", "c"),
        ("0.32.0", "v2.2.0", "d"),
    ):
        files = {**chart("main"), "values.yaml": f"image: {{tag: none}}\nmode: {mode}\n"}
        team.world.chart("charts", "loki", version, files=files, app_version=app)
    team.world.oci_image("team/loki", ["2.0.0.1"])
    team.arrives({"app/base/app.yaml": text("v2.0.0", "a"), "app/base/kustomization.yaml": own("app.yaml")})
    team.world.oci_image("team/loki", ["2.1.0.1"])
    team.moves({"app/base/app.yaml": text("v2.1.0", "c")}, to="2.1.0.1")


def test_31_edit_that_precedes_the_render(team: Team):
    values = "# ours\nimage:\n  repository: quay.io/team/rook   # mirror\n  tag: 1.0.0\nmode: 'ours'\n"
    team.write({"rook/values.yaml": values})
    team.vendors("""
    - name: app
      version: v1.0.0
      source: {helm: {git: WORLD/git/adapter.git, path: docs/helm, values: [rook/values.yaml]}}
      base: app/base
      edits:
        - {file: rook/values.yaml, path: image.tag, value: "{semver}"}
    """)

    def text(tag: str) -> str:
        return rendered(
            "main", "main", chart_name="adapter", release="app", tag=tag, mode="ours", app=f"v{tag}"
        )

    in_git(team, "v1.0.0", "main")
    team.arrives({"app/base/app.yaml": text("1.0.0"), "app/base/kustomization.yaml": own("app.yaml")})
    in_git(team, "v1.1.0", "main")
    team.moves(
        {"app/base/app.yaml": text("1.1.0"), "rook/values.yaml": values.replace("1.0.0", "1.1.0")},
        to="v1.1.0",
    )
