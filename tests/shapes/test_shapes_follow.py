"""Shapes 23 to 30 and 32 to 34: what follows a version, and what only is reported."""

from __future__ import annotations

import pytest

from shapes.harness import Team, config_map, own
from upstreamsync.model import Action, Status
from upstreamsync.project.propose.propose import ProposeOptions
from upstreamsync.testing.git import git

PINS = """\
# Our pins.
resources: [upstream]
images:
  - name: quay.io/acme/app     # upstream's name
    newName: {host}/team/app
    newTag: "{tag}"  # follows
  - {{name: redis, newName: {host}/team/redis, newTag: {redis}}}
"""

OWN_TAG = r"""tag: '^(?P<version>(?P<upstream>[0-9]+\.[0-9]+\.[0-9]+)\.[0-9]+)$', ref: "v{upstream}", scheme: loose"""


def test_23_own_image_tag_drives_the_upstream_ref(team: Team):
    def pins(tag: str) -> str:
        return PINS.format(host="mirror", tag=tag, redis="6.0.0.1")

    team.write({"argocd/kustomization.yaml": pins("1.8.3.1")})
    team.vendors(f"""
    - name: app
      version: 1.8.3.1
      source: {{url: "WORLD/argo-cd/{{ref}}/manifests/install.yaml"}}
      releases: {{oci: REGISTRY/team/app, {OWN_TAG}}}
      base: argocd/upstream
      edits: [{{file: argocd/kustomization.yaml, image: quay.io/acme/app, tag: "{{version}}"}}]
    """)
    for ref in ("v1.8.3", "v1.8.4"):
        team.world.file(f"argo-cd/{ref}/manifests/install.yaml", config_map("app", ref=ref))
    team.world.oci_image("team/app", ["1.8.3.1", "latest", "1.8"])
    team.arrives(
        {
            "argocd/upstream/install.yaml": config_map("app", ref="v1.8.3"),
            "argocd/upstream/kustomization.yaml": own("install.yaml"),
        }
    )
    # A rebuild alone moves the pin, and not a byte of the base.
    team.world.oci_image("team/app", ["1.8.3.2"])
    team.moves({"argocd/kustomization.yaml": pins("1.8.3.2")}, to="1.8.3.2")
    team.world.oci_image("team/app", ["1.8.4.1"])
    team.moves(
        {
            "argocd/kustomization.yaml": pins("1.8.4.1"),
            "argocd/upstream/install.yaml": config_map("app", ref="v1.8.4"),
        },
        to="1.8.4.1",
    )


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: heartbeat}}
spec:
  template:
    spec:
      containers:
      - name: heartbeat   # the only one
        image: {image}
        args: ["--interval=1m"]
"""


def test_24_image_only_without_a_base(team: Team):
    def text(tag: str) -> str:
        return DEPLOYMENT.format(image=f"{team.registry}/team/heartbeat:{tag}")

    team.write({"a/heartbeat.yaml": text("0.1.0"), "b/heartbeat.yaml": text("0.1.0") + "# second place\n"})
    team.vendors("""
    - name: app
      images:
        - image: REGISTRY/team/heartbeat
          edits:
            - &edit {file: a/heartbeat.yaml, path: "spec.template.spec.containers[name=heartbeat].image", value: "REGISTRY/team/heartbeat:{version}"}
            - {<<: *edit, file: b/heartbeat.yaml}
    """)
    team.world.oci_image("team/heartbeat", ["0.1.0"])
    team.rests()
    team.world.oci_image("team/heartbeat", ["0.2.0", "0.3.0-rc.1"])
    (image,) = team.check()["app"].images
    assert (image.current, image.target and image.target.version) == ("0.1.0", "0.2.0")
    team.arrives({"a/heartbeat.yaml": text("0.2.0"), "b/heartbeat.yaml": text("0.2.0") + "# second place\n"})


def test_25_several_images_driven_separately_in_one_vendor(team: Team):
    def pins(tag: str, redis: str) -> str:
        return PINS.format(host="mirror", tag=tag, redis=redis)

    team.write({"argocd/kustomization.yaml": pins("1.8.3.1", "6.0.0.1")})
    team.vendors(f"""
    - name: app
      version: 1.8.3.1
      source: {{url: "WORLD/argo-cd/{{ref}}/install.yaml"}}
      releases: {{oci: REGISTRY/team/app, {OWN_TAG}}}
      base: argocd/upstream
      edits: [{{file: argocd/kustomization.yaml, image: quay.io/acme/app, tag: "{{version}}"}}]
      images:
        - image: REGISTRY/team/redis
          scheme: loose
          follow: {{range: "<7"}}
          edits: [{{file: argocd/kustomization.yaml, image: redis, tag: "{{version}}"}}]
    """)
    for ref in ("v1.8.3", "v1.8.4"):
        team.world.file(f"argo-cd/{ref}/install.yaml", config_map("app", ref=ref))
    team.world.oci_image("team/app", ["1.8.3.1"])
    team.world.oci_image("team/redis", ["6.0.0.1"])
    team.arrives(
        {
            "argocd/upstream/install.yaml": config_map("app", ref="v1.8.3"),
            "argocd/upstream/kustomization.yaml": own("install.yaml"),
        }
    )
    team.world.oci_image("team/redis", ["6.0.9.2", "7.0.0.1"])
    assert team.status() == {"app": Status.OUTDATED}
    team.arrives({"argocd/kustomization.yaml": pins("1.8.3.1", "6.0.9.2")})
    team.world.oci_image("team/redis", ["6.2.0.1"])
    team.world.oci_image("team/app", ["1.8.4.1"])
    team.moves(
        {
            "argocd/kustomization.yaml": pins("1.8.4.1", "6.2.0.1"),
            "argocd/upstream/install.yaml": config_map("app", ref="v1.8.4"),
        },
        to="1.8.4.1",
    )


def test_26_pins_by_tag_name_and_digest_two_images_with_one_tag(team: Team):
    def pins(tag: str, digest: str) -> str:
        return (
            "images:\n"
            f"- name: calico/node\n  newTag: {tag}\n"
            f"-   name: calico/typha   # odd indentation\n    newTag: '{tag}'\n"
            f"- name: agent\n  newName: mirror/agent-{tag}\n  digest: {digest}\n"
        )

    digests = team.world.oci_image("team/app", ["v1.0.0"])
    team.write({"k/kustomization.yaml": pins("v1.0.0", digests["v1.0.0"])})
    team.vendors("""
    - name: app
      version: v1.0.0
      releases: {oci: REGISTRY/team/app}
      edits:
        - {file: k/kustomization.yaml, image: calico/node, tag: "{version}"}
        - {file: k/kustomization.yaml, image: calico/typha, tag: "{version}"}
        - {file: k/kustomization.yaml, image: agent, name: "mirror/agent-{version}"}
        - {file: k/kustomization.yaml, image: agent, digest: "{digest}"}
    """)
    team.rests()
    digests = team.world.oci_image("team/app", ["v1.1.0"])
    team.moves({"k/kustomization.yaml": pins("v1.1.0", digests["v1.1.0"])}, to="v1.1.0")


def test_27_value_at_a_yaml_path_in_several_files(team: Team):
    def resource(name: str, tag: str) -> str:
        return (
            f"kind: Other\nmetadata: {{name: x}}\n---\napiVersion: ceph.rook.io/v1\nkind: CephCluster\n"
            f"metadata:\n  name: {name}\nspec:\n  cephVersion:\n"
            f"    image:  mirror/ceph:{tag}   # follows\n    other: {{a: [1,  2]}}\n"
        )

    team.write({f"ceph/{name}.yaml": resource(name, "15.2.8.1") for name in ("hdd", "ssd")})
    team.vendors("""
    - name: app
      version: 15.2.8.1
      releases: {oci: REGISTRY/team/ceph, scheme: loose}
      edits:
        - {file: ceph/hdd.yaml, path: "(kind=CephCluster).spec.cephVersion.image", value: "mirror/ceph:{version}"}
        - {file: ceph/ssd.yaml, path: "(kind=CephCluster,name=ssd).spec.cephVersion.image", value: "mirror/ceph:{version}"}
    """)
    team.world.oci_image("team/ceph", ["15.2.8.1"])
    team.rests()
    team.world.oci_image("team/ceph", ["15.2.9.1"])
    team.moves({f"ceph/{name}.yaml": resource(name, "15.2.9.1") for name in ("hdd", "ssd")}, to="15.2.9.1")


def test_28_environment_variable_by_name(team: Team):
    def text(vm: str, am: str) -> str:
        return (
            "kind: Deployment\nmetadata: {name: operator}\nspec:\n  template:\n    spec:\n      containers:\n"
            f"      - env:\n        - name: VM_VERSION\n          value: {vm}\n"
            f'        - {{name: AM_IMAGE, value: "mirror/am:{am}"}}  # alertmanager\n'
            "        args:\n        - --reload=mirror/reload:" + am + "\n"
        )

    team.write({"op.yaml": text("v1.53.0", "0.21.0")})
    team.vendors("""
    - name: app
      images:
        - {image: REGISTRY/team/vm, edits: [{file: op.yaml, env: VM_VERSION, value: "{version}"}]}
        - image: REGISTRY/team/am
          edits:
            - {file: op.yaml, env: AM_IMAGE, value: "mirror/am:{version}"}
            - {file: op.yaml, pattern: '--reload=mirror/reload:(\\S+)', value: "{version}"}
    """)
    team.world.oci_image("team/vm", ["v1.53.0"])
    team.world.oci_image("team/am", ["0.21.0"])
    team.rests()
    team.world.oci_image("team/vm", ["v1.54.0"])
    team.arrives({"op.yaml": text("v1.54.0", "0.21.0")})
    team.world.oci_image("team/am", ["0.22.0"])
    team.arrives({"op.yaml": text("v1.54.0", "0.22.0")})


def test_29_argo_cd_application(team: Team):
    def application(chart: str, tag: str) -> str:
        return f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: prometheus-adapter}}
spec:
  source:
    repoURL: https://example.com/charts
    chart: prometheus-adapter
    targetRevision: {chart}   # the chart
    helm:
      values: |
        # inside a block of text
        image:
          repository: mirror/adapter
          tag: {tag}
        rules: {{default: false}}
"""

    team.write({"apps/adapter.yaml": application("2.7.0", "v0.7.0")})
    team.vendors("""
    - name: app
      version: 2.7.0
      releases: {helm: {repository: WORLD/charts, chart: prometheus-adapter}}
      edits:
        - {file: apps/adapter.yaml, path: spec.source.targetRevision, value: "{version}"}
        - {file: apps/adapter.yaml, path: "spec.source.helm.values|image.tag", value: "{app_version}"}
    """)
    team.world.chart("charts", "prometheus-adapter", "2.7.0", app_version="v0.7.0")
    team.rests()
    team.world.chart("charts", "prometheus-adapter", "2.12.0", app_version="v0.8.3")
    team.moves({"apps/adapter.yaml": application("2.12.0", "v0.8.3")}, to="2.12.0")


def test_30_text_by_pattern(team: Team):
    def readme(tag: str) -> str:
        return f"| App | [{tag}](https://example.com/app/tree/{tag}/x) |\n| Other | v1.0.0 |\n"

    def makefile(version: str) -> str:
        return f"APP_VERSION := {version}\nOTHER_VERSION := 1.0.0\nall:\n\techo $(APP_VERSION)\n"

    team.write(
        {"README.md": readme("v1.0.0"), "Makefile": makefile("1.0.0"), "profile.json": '{"a":"v1.0.0"}'}
    )
    team.vendors("""
    - name: app
      version: v1.0.0
      releases: {git: WORLD/git/app.git}
      edits:
        - {file: README.md, pattern: 'App \\| \\[(v[0-9.]+)\\]', value: "{version}"}
        - {file: README.md, pattern: 'example.com/app/tree/([^/]+)/', value: "{version}"}
        - {file: Makefile, pattern: '^APP_VERSION := (\\S+)$', value: "{semver}"}
    """)
    remote = team.world.git("app")
    remote.commit({"a": "1"}, tag="v1.0.0")
    team.rests()
    remote.commit({"a": "2"}, tag="v1.1.0")
    team.moves({"README.md": readme("v1.1.0"), "Makefile": makefile("1.1.0")}, to="v1.1.0")


def test_32_fork_of_an_upstream_file(team: Team):
    remote = team.world.git("app")
    team.write(
        {
            "ingress/envoy.yaml": config_map("envoy", ours="yes"),
            "ingress/contour.yaml": config_map("contour", ours="yes"),
        }
    )
    team.vendors("""
    - name: app
      version: v1.0.0
      source: {git: {repository: WORLD/git/app.git, paths: ["examples/*.yaml"]}}
      base: ingress/base
      forks:
        - {file: ingress/envoy.yaml, of: envoy.yaml}
        - {file: ingress/contour.yaml, of: "all.yaml#ConfigMap/contour"}
    """)

    def publish(tag: str, envoy: str, contour: str, rest: str) -> dict[str, str]:
        files = {
            "envoy.yaml": config_map("envoy", v=envoy),
            "all.yaml": config_map("contour", v=contour) + "---\n" + config_map("rest", v=rest),
        }
        remote.commit({f"examples/{name}": text for name, text in files.items()}, tag=tag)
        return {f"ingress/base/{name}": text for name, text in files.items()}

    team.arrives(
        {**publish("v1.0.0", "1", "1", "1"), "ingress/base/kustomization.yaml": own("all.yaml", "envoy.yaml")}
    )
    # Another document of the origin's file is nobody's business.
    team.moves(
        {"ingress/base/all.yaml": publish("v1.1.0", "1", "1", "2")["ingress/base/all.yaml"]}, to="v1.1.0"
    )
    assert team.notes() == ()
    team.moves(publish("v1.2.0", "2", "2", "2"), to="v1.2.0")
    envoy, contour = team.notes()
    assert envoy.startswith("`ingress/envoy.yaml` derives from `envoy.yaml`, which has changed")
    assert '-    v:   "1"\n+    v:   "2"' in envoy
    assert contour.startswith(
        "`ingress/contour.yaml` derives from `all.yaml#ConfigMap/contour`, which has changed"
    )


def test_33_watch_only(team: Team):
    """A chart directory that is only read: what changes in it is reported, nothing of it is written."""
    remote = team.world.git("teleport")
    team.write({"t/kustomization.yaml": "images: [{name: teleport, newTag: 6.0.0.1}]\n"})
    team.vendors(f"""
    - name: app
      version: 6.0.0.1
      releases: {{oci: REGISTRY/team/teleport, {OWN_TAG}}}
      watch: [{{git: {{repository: WORLD/git/teleport.git, paths: [examples/chart/teleport]}}}}]
      edits: [{{file: t/kustomization.yaml, image: teleport, tag: "{{version}}"}}]
    """)
    chart = "examples/chart/teleport"
    remote.commit(
        {f"{chart}/values.yaml": "a: 1\n", f"{chart}/old.yaml": "a: 1\n", "README.md": "1\n"}, tag="v6.0.0"
    )
    team.world.oci_image("team/teleport", ["6.0.0.1"])
    team.rests()
    remote.commit({"README.md": "2\n"}, tag="v6.0.1")
    team.world.oci_image("team/teleport", ["6.0.1.1"])
    team.moves({"t/kustomization.yaml": "images: [{name: teleport, newTag: 6.0.1.1}]\n"}, to="6.0.1.1")
    assert team.notes() == ()
    remote.commit(
        {f"{chart}/values.yaml": "a: 2\n", f"{chart}/old.yaml": None, f"{chart}/new.yaml": "b: 1\n"},
        tag="v6.1.0",
    )
    team.world.oci_image("team/teleport", ["6.1.0.1"])
    team.moves({"t/kustomization.yaml": "images: [{name: teleport, newTag: 6.1.0.1}]\n"}, to="6.1.0.1")
    (note,) = team.notes()
    assert note == f"watched {remote.url}@v6.1.0: changed `values.yaml`; added `new.yaml`; removed `old.yaml`"


def two_vendors(team: Team, rook: str, ceph: str) -> None:
    team.write({"r.txt": "rook: v1.0.0\n", "c.txt": "ceph: v1.0.0\n"})
    team.vendors(f"""
    - name: rook
      version: v1.0.0
      releases: {{github_tags: acme/rook}}
      edits: [{{file: r.txt, pattern: 'rook: (.*)', value: "{{version}}"}}]
      {rook}
    - name: ceph
      version: v1.0.0
      releases: {{github_tags: acme/ceph}}
      edits: [{{file: c.txt, pattern: 'ceph: (.*)', value: "{{version}}"}}]
      {ceph}
    """)
    for name in ("rook", "ceph"):
        team.tags(f"acme/{name}", "v1.0.0", "v1.1.0")
    git("init", "-q", "-b", "main", cwd=team.root)
    commit(team)


def commit(team: Team) -> None:
    git("add", "-A", cwd=team.root)
    git("-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-qm", "All", cwd=team.root)


def propose(team: Team) -> dict[str, tuple[Action, str]]:
    with team.open() as project:
        made = project.propose(project.update(), None, ProposeOptions(forge="local"))
    return {one.vendor: (one.action, one.branch) for one in made}


@pytest.mark.slow
def test_34_vendors_that_must_not_move_together(team: Team):
    two_vendors(team, "apart_from: [ceph]", "")
    first = propose(team)
    assert sorted(action for action, _ in first.values()) == [Action.OPENED, Action.SKIPPED]
    assert {name: action for name, (action, _) in propose(team).items()} == {
        name: Action.UNCHANGED if action is Action.OPENED else Action.SKIPPED
        for name, (action, _) in first.items()
    }
    # Once the one is merged, the other may come.
    (branch,) = (branch for action, branch in first.values() if action is Action.OPENED)
    git(
        "-c", "user.name=T", "-c", "user.email=t@example.com", "merge", "-q", "--no-ff", branch, cwd=team.root
    )
    (other,) = (name for name, (action, _) in first.items() if action is Action.SKIPPED)
    assert propose(team)[other][0] is Action.OPENED


@pytest.mark.slow
def test_34_vendors_that_must_move_together(team: Team):
    two_vendors(team, "group: storage", "group: storage")
    (made,) = {branch for _, branch in propose(team).values()}
    for file, name in (("r.txt", "rook"), ("c.txt", "ceph")):
        assert git("show", f"{made}:{file}", cwd=team.root) == f"{name}: v1.1.0"
    assert git("show", f"{made}:vendors.yaml", cwd=team.root).count("version: v1.1.0") == 2
    assert {action for action, _ in propose(team).values()} == {Action.UNCHANGED}
    assert git("status", "--porcelain", cwd=team.root) == ""
