"""A copy that was edited by hand becomes a base and patches, on the real command line."""

from __future__ import annotations

import pytest
import yaml

from cli.conftest import Bench
from upstreamsync.kit.run.engines import Engines
from upstreamsync.testing.faults import Fault

UPSTREAM = """\
# The server.
apiVersion: v1
kind: ServiceAccount
metadata: {{name: server, namespace: app}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: server}}
rules:
- apiGroups: ['']
  resources: [pods]
  verbs: [get, list]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: server
  namespace: app
  labels: {{version: "{version}"}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: server}}}}
  template:
    metadata: {{labels: {{app: server}}}}
    spec:
      containers:
      - name: server
        image: example.com/server:{version}
        args: [--one, --two]
        ports: [{{containerPort: 80}}]
---
apiVersion: v1
kind: Service
metadata: {{name: server, namespace: app}}
spec:
  selector: {{app: server}}
  ports: [{{port: 80, targetPort: 80}}]
"""
VERSIONS = ("v1.0.0", "v1.1.0", "v1.2.0")


def publish(bench: Bench, *versions: str) -> None:
    for version in versions:
        text = UPSTREAM.format(version=version)
        if version != "v1.0.0":
            text = text.replace("resources: [pods]", f"resources: [pods, pods/{version}]")
        bench.world.file(f"server/{version}/install.yaml", text)
    bench.world.file("server/index.html", " ".join(f"server {version};" for version in versions))


def edited(text: str) -> str:
    """What a person did to a copy."""
    for old, new in (
        ("replicas: 1", "replicas: 3  # one per zone"),
        ("args: [--one, --two]", "# the proxy is slow\n        args: [--one, --two, --timeout=60s]"),
        ("verbs: [get, list]", "verbs: [get, list, watch]"),
        ("image: example.com/server", "image: mirror.example.com/server"),
    ):
        assert old in text
        text = text.replace(old, new)
    return (
        text + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: own, namespace: app}\ndata: {a: b}\n"
    )


def built(bench: Bench, folder: str) -> list[dict]:
    text = Engines().kustomize().build(bench.root / folder, root=bench.root)
    found = list(yaml.safe_load_all(text))
    return sorted(found, key=lambda one: (one["kind"], one["metadata"]["name"]))


def copied(
    bench: Bench, version: str = "v1.1.0", declared: str = "v1.1.0", name: str = "install.yaml"
) -> None:
    publish(bench, *VERSIONS)
    bench.configure(bench.vendor(version=declared))
    base = bench.root / "server/base"
    base.mkdir(parents=True)
    text = UPSTREAM.format(version=version).replace("resources: [pods]", f"resources: [pods, pods/{version}]")
    (base / name).write_text(text)
    (base / "kustomization.yaml").write_text(f"resources:\n- {name}\n")
    bench.overlay("namePrefix: my-\n")
    bench.commit()
    (base / name).write_text(edited(text))
    bench.commit()


def test_a_copy_becomes_a_base_and_patches(bench: Bench):
    copied(bench)
    before = built(bench, "server/base"), built(bench, "server/overlay")
    document = bench.json("adopt", "server")
    (vendor,) = document["vendors"]
    assert (vendor["version"], vendor["base"]) == ("v1.1.0", "server/base/upstream")
    assert vendor["proven"] == ["server/base", "server/overlay"]
    assert (built(bench, "server/base"), built(bench, "server/overlay")) == before
    base = bench.root / "server/base"
    assert (base / "upstream/install.yaml").read_text() == UPSTREAM.format(version="v1.1.0").replace(
        "resources: [pods]", "resources: [pods, pods/v1.1.0]"
    )
    fields = yaml.safe_load((base / "kustomization.yaml").read_text())
    assert fields["replicas"] == [{"name": "server", "count": 3}]
    assert fields["images"] == [{"name": "example.com/server", "newName": "mirror.example.com/server"}]
    patch = (base / "patches/deployment-server.yaml").read_text()
    assert "the proxy is slow" in patch
    assert " All" in patch, "the commit that changed it is quoted"
    assert not (base / "install.yaml").exists()
    bench.commit()
    assert bench.json("verify")["bases"][0]["condition"] == "pristine"
    # and the next update carries them over
    document = bench.json("update", code=None)
    assert document["vendors"][0]["to"] == "v1.2.0"
    deployment = next(one for one in built(bench, "server/base") if one["kind"] == "Deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "mirror.example.com/server:v1.2.0"
    assert container["args"] == ["--one", "--two", "--timeout=60s"]


def test_the_version_is_found_by_the_content(bench: Bench):
    copied(bench, version="v1.1.0", declared="v1.2.0")
    (vendor,) = bench.json("adopt", "--dry-run")["vendors"]
    assert vendor["version"] == "v1.1.0"
    assert vendor["candidates"][0]["version"] == "v1.1.0"
    assert len(vendor["candidates"]) == 3
    assert bench.git("status", "--porcelain") == "", "a dry run writes nothing"


def test_a_dry_run_shows_all(bench: Bench):
    copied(bench)
    said = bench.run("adopt", "server", "--dry-run")
    assert said.returncode == 0, said.stderr
    assert "would write server/base/patches/deployment-server.yaml" in said.stdout
    assert "--timeout=60s" in said.stdout


def test_a_copy_without_edits_needs_no_patch(bench: Bench):
    copied(bench)
    file = bench.root / "server/base/install.yaml"
    file.write_text(file.read_text().replace("# The server.\n", ""))
    bench.git("checkout", "HEAD~1", "--", "server/base/install.yaml")
    bench.commit()
    (vendor,) = bench.json("adopt")["vendors"]
    assert vendor["customizations"] == []
    assert vendor["base"] == "server/base"
    bench.commit()
    assert bench.json("verify")["bases"][0]["condition"] == "pristine"


def test_an_edited_base_with_a_lock_is_adopted_too(bench: Bench):
    publish(bench, *VERSIONS)
    bench.configure(bench.vendor(version="v1.0.0"))
    bench.overlay("namePrefix: my-\n")
    assert bench.run("update").returncode == 0
    file = bench.root / "server/base/install.yaml"
    file.write_text(edited(file.read_text()))
    bench.commit()
    before = built(bench, "server/overlay")
    (vendor,) = bench.json("adopt", "server")["vendors"]
    assert vendor["version"] == "v1.0.0"
    assert built(bench, "server/overlay") == before
    assert not (bench.root / "server/server.lock.yaml").exists()
    bench.commit()
    assert bench.json("verify")["bases"][0]["condition"] == "pristine"


def test_a_kustomization_of_the_team_s_own_stays(bench: Bench):
    copied(bench)
    kustomization = bench.root / "server/base/kustomization.yaml"
    kustomization.write_text(
        "# ours\nresources:\n- install.yaml\nnamePrefix: a-\ncommonAnnotations: {x: z}\n"
    )
    bench.commit()
    before = built(bench, "server/base"), built(bench, "server/overlay")
    bench.json("adopt")
    assert (
        kustomization.read_text()
        == "# ours\nresources:\n- adopted\nnamePrefix: a-\ncommonAnnotations: {x: z}\n"
    )
    assert (built(bench, "server/base"), built(bench, "server/overlay")) == before


def test_a_base_that_is_named_upstream_already_gets_a_level_above_it(bench: Bench):
    publish(bench, *VERSIONS)
    bench.configure(bench.vendor(version="v1.0.0", base="server/base/upstream"))
    above = bench.root / "server/base/kustomization.yaml"
    above.parent.mkdir(parents=True)
    above.write_text("# above\nresources:\n- upstream  # theirs\n")
    bench.overlay("namePrefix: my-\n")
    assert bench.run("update").returncode == 0
    file = bench.root / "server/base/upstream/install.yaml"
    file.write_text(edited(file.read_text()))
    bench.commit()
    before = built(bench, "server/overlay")
    (vendor,) = bench.json("adopt")["vendors"]
    assert vendor["base"] == "server/base/upstream"
    assert above.read_text() == "# above\nresources:\n- adopted  # theirs\n"
    assert built(bench, "server/overlay") == before


def test_an_unclear_origin_asks_for_the_version(bench: Bench):
    publish(bench, "v1.0.0")
    for version in ("v2.0.0", "v2.1.0"):
        bench.world.file(f"server/{version}/install.yaml", UPSTREAM.format(version="x") + f"# {version}\n")
    bench.world.file("server/index.html", "server v2.0.0; server v2.1.0;")
    bench.configure(bench.vendor(version="v9.0.0"))
    base = bench.root / "server/base"
    base.mkdir(parents=True)
    (base / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {k: v}\n")
    bench.commit()
    document = bench.json("adopt", "server", code=1)
    assert document["vendors"][0]["error"]["kind"] == "edited"
    assert "--version" in document["vendors"][0]["error"]["hint"]


@pytest.mark.parametrize("name", ["several files", "renamed file"])
def test_objects_spread_over_other_files_are_matched(bench: Bench, name: str):
    copied(bench, name="other-name.yaml")
    base = bench.root / "server/base"
    if name == "several files":
        parts = (base / "other-name.yaml").read_text().split("---\n")
        (base / "other-name.yaml").unlink()
        for number, part in enumerate(parts):
            (base / f"{number}.yaml").write_text(part)
        lines = "".join(f"- {number}.yaml\n" for number in range(len(parts)))
        (base / "kustomization.yaml").write_text(f"resources:\n{lines}")
        bench.commit()
    before = built(bench, "server/overlay")
    (vendor,) = bench.json("adopt")["vendors"]
    assert vendor["version"] == "v1.1.0"
    assert built(bench, "server/overlay") == before
    left = sorted(path.name for path in base.iterdir())
    assert "0.yaml" not in left
    assert ("4.yaml" in left) == (name == "several files"), "a file of one's own stays"


def test_a_folder_that_no_vendor_declares_gets_its_entry(bench: Bench):
    remote = bench.world.git("server")
    for version in VERSIONS:
        text = UPSTREAM.format(version=version).replace(
            "resources: [pods]", f"resources: [pods, pods/{version}]"
        )
        remote.commit({"deploy/install.yaml": text}, tag=version)
    (bench.root / "vendors.yaml").write_text("# ours\nversion: 1\nvendors: []\n")
    folder = bench.root / "apps/server/base"
    folder.mkdir(parents=True)
    text = UPSTREAM.format(version="v1.1.0").replace("resources: [pods]", "resources: [pods, pods/v1.1.0]")
    (folder / "all.yaml").write_text(edited(text))
    bench.commit()
    origin = f"{bench.world.url}/git/server.git//deploy"
    (vendor,) = bench.json("adopt", "apps/server/base", "--from", origin)["vendors"]
    assert (vendor["name"], vendor["version"], vendor["base"]) == (
        "server",
        "v1.1.0",
        "apps/server/base/upstream",
    )
    written = (bench.root / "vendors.yaml").read_text()
    assert written.startswith("# ours\nversion: 1\nvendors:\n  - name: server\n    version: v1.1.0\n")
    bench.commit()
    assert bench.json("verify")["bases"][0]["condition"] == "pristine"
    assert bench.json("check")["vendors"][0]["target"] == "v1.2.0"
    assert bench.run("adopt", "apps/server/base", "--from", "nonsense").returncode == 2


def test_several_vendors_are_adopted_at_once(bench: Bench):
    publish(bench, *VERSIONS)
    bench.configure(bench.vendor(version="v1.0.0"), bench.vendor("other", version="v1.0.0"))
    for name in ("server", "other"):
        base = bench.root / name / "base"
        base.mkdir(parents=True)
        (base / "install.yaml").write_text(edited(UPSTREAM.format(version="v1.0.0")))
    bench.commit()
    vendors = bench.json("adopt")["vendors"]
    assert [(one["name"], one["base"]) for one in vendors] == [
        ("server", "server/base/upstream"), ("other", "other/base/upstream"),
    ]  # fmt: skip
    bench.commit()
    states = bench.json("verify")["bases"]
    assert [(state["path"], state["condition"]) for state in states] == [
        ("server/base/upstream", "pristine"), ("other/base/upstream", "pristine"),
    ]  # fmt: skip


def test_comments_beside_what_becomes_a_setting_are_kept(bench: Bench):
    copied(bench)
    bench.git("checkout", "HEAD~1", "--", "server/base/install.yaml")
    file = bench.root / "server/base/install.yaml"
    text = file.read_text().replace(
        "image: example.com/server:v1.1.0", "image: mirror.example.com/server:v1.1.0  # pulls fail"
    )
    text = "# first of all\n---\n" + text
    file.write_text(text.replace("kind: Service\n", "kind: Service  # for the probes\n"))
    bench.json("adopt")
    above = (bench.root / "server/base/kustomization.yaml").read_text()
    assert "# pulls fail" in above
    assert "# for the probes" in above
    assert "# first of all" in above
    assert not file.exists()


def test_comments_alone_are_not_thrown_away_before_they_are_committed(bench: Bench):
    copied(bench)
    bench.git("checkout", "HEAD~1", "--", "server/base/install.yaml")
    file = bench.root / "server/base/install.yaml"
    text = file.read_text() + "# never scale this\n"
    file.write_text(text.replace("kind: Service\n", "kind: Service  # for the probes\n"))
    before = file.read_text()
    (vendor,) = bench.json("adopt", code=1)["vendors"]
    assert "for the probes" in vendor["error"]["message"]
    assert file.read_text() == before
    bench.commit()
    bench.json("adopt")


@pytest.mark.parametrize("edits", [True, False])
def test_files_that_others_name_one_by_one_are_followed_one_by_one(bench: Bench, edits: bool):
    copied(bench)
    if not edits:
        bench.git("checkout", "HEAD~1", "--", "server/base/install.yaml")
    base, above = bench.root / "server/base", bench.root / "server/kustomization.yaml"
    (base / "kustomization.yaml").unlink()
    own = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine, namespace: app}\ndata: {a: b}\n"
    (base / "mine.yaml").write_text(own)
    old = UPSTREAM.format(version="v1.0.0")
    (base / "old.yaml").write_text(old)
    (bench.root / "server/overlay/kustomization.yaml").unlink()
    above.write_text("resources:\n- base/install.yaml\n- base/mine.yaml\n")
    bench.commit()
    before = built(bench, "server")
    (vendor,) = bench.json("adopt")["vendors"]
    assert vendor["version"] == "v1.1.0"
    assert built(bench, "server") == before
    assert above.read_text().splitlines()[-1] == "- base/mine.yaml"
    assert (above.read_text().splitlines()[1] == "- base") or not edits
    assert ((base / "mine.yaml").read_text(), (base / "old.yaml").read_text()) == (own, old)


@pytest.mark.parametrize("written", ["flow", "block"])
def test_a_fork_becomes_a_base_and_a_patch(bench: Bench, written: str):
    publish(bench, *VERSIONS)
    fork = "file: server/edge/edge.yaml, of: install.yaml#Deployment/server"
    other = "file: server/other.yaml, of: install.yaml#Service/server"
    forks = {
        "flow": f"[{{{other}}}, {{{fork}}}]",
        "block": f"\n      - {{{fork}}}  # by ann",
    }[written]
    bench.configure(bench.vendor(version="v1.0.0", forks=forks, overlays="[server/overlay]"))
    bench.overlay("namePrefix: my-\n")
    assert bench.run("update", "server", "--to", "v1.0.0").returncode == 0
    (_, _, deployment, _) = UPSTREAM.format(version="v1.0.0").split("---\n")
    edge = bench.root / "server/edge"
    edge.mkdir()
    text = deployment.replace("name: server\n  namespace", "name: server-edge\n  namespace")
    (edge / "edge.yaml").write_text(text.replace("--two]", "--two, --edge]  # behind the proxy"))
    (edge / "kustomization.yaml").write_text("# edge\nresources:\n- edge.yaml  # forked\n")
    (bench.root / "server/other.yaml").write_text("a: 1\n")
    bench.commit()
    before = built(bench, "server/edge"), built(bench, "server/overlay")
    (vendor,) = bench.json("adopt", "server/edge/edge.yaml")["vendors"]
    assert (vendor["name"], vendor["version"]) == ("edge", "v1.0.0")
    assert vendor["base"] == "server/edge/edge/upstream"
    assert (built(bench, "server/edge"), built(bench, "server/overlay")) == before
    assert (edge / "kustomization.yaml").read_text() == "# edge\nresources:\n- edge  # forked\n"
    patch = (edge / "edge/patches/deployment-server.yaml").read_text()
    assert "behind the proxy" in patch
    assert not (edge / "edge.yaml").exists()
    rows = yaml.safe_load((bench.root / "vendors.yaml").read_text())["vendors"]
    assert [row["name"] for row in rows] == ["server", "edge"]
    assert len(rows[0]["forks"]) == (1 if written == "flow" else 0)
    bench.commit()
    assert {state["condition"] for state in bench.json("verify")["bases"]} == {"pristine"}
    document = bench.json("update", "edge", code=None)
    assert document["vendors"][0]["to"] == "v1.2.0"
    (now,) = built(bench, "server/edge")
    assert now["metadata"]["name"] == "server-edge"
    assert now["spec"]["template"]["spec"]["containers"][0]["image"] == "example.com/server:v1.2.0"


@pytest.mark.parametrize("edits", [True, False])
def test_comments_of_a_kustomization_that_only_lists_are_kept(bench: Bench, edits: bool):
    copied(bench)
    if not edits:
        bench.git("checkout", "HEAD~1", "--", "server/base/install.yaml")
    kustomization = bench.root / "server/base/kustomization.yaml"
    kustomization.write_text("# ours: ask ann\nresources:\n- install.yaml  # by hand\n")
    before = built(bench, "server/overlay")
    bench.json("adopt")
    text = kustomization.read_text()
    assert "# ours: ask ann\n" in text.replace("resources: # ours", "# ours")
    assert "# - install.yaml # by hand\n" in text
    assert built(bench, "server/overlay") == before


def test_a_version_that_did_not_answer_is_not_passed_over(bench: Bench):
    copied(bench)
    bench.world.fault("/server/v1.1.0/*", Fault.status(403))
    document = bench.json("adopt", code=None)
    assert "v1.1.0" in document["vendors"][0]["error"]["message"]
    assert document["vendors"][0]["error"]["hint"].endswith("--version VERSION")


def test_a_base_that_a_source_names_and_a_kustomization_of_ours_that_was_edited(bench: Bench):
    publish(bench, *VERSIONS)
    source = f'{{url: "{bench.world.url}/server/{{version}}/install.yaml", base: server/base}}'
    vendor = bench.vendor(version="v1.0.0", source=source)
    bench.configure("".join(line for line in vendor.splitlines(True) if not line.startswith("    base:")))
    bench.overlay("namePrefix: my-\n")
    assert bench.run("update", "server", "--to", "v1.0.0").returncode == 0
    ours = bench.root / "server/base/kustomization.yaml"
    ours.write_text(ours.read_text() + "# because of the proxy\ncommonAnnotations: {a: b}\n")
    bench.commit()
    before = built(bench, "server/overlay")
    (adopted,) = bench.json("adopt")["vendors"]
    assert adopted["base"] == "server/base/upstream"
    assert built(bench, "server/overlay") == before
    assert "because of the proxy" in ours.read_text()
    (row,) = yaml.safe_load((bench.root / "vendors.yaml").read_text())["vendors"]
    assert row["source"]["base"] == "server/base/upstream"


PLAIN_WORDS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: n, namespace: on}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: y}}}}
  template:
    metadata: {{labels: {{app: y}}}}
    spec: {{containers: [{{name: no, image: "example.com/n:{version}", args: [yes]}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: off, namespace: on}}
data: {{since: 2020-01-01, no: yes}}
"""


@pytest.mark.parametrize("team_s_own", [False, True])
def test_words_that_only_old_yaml_takes_for_truths_are_the_names_that_kustomize_reads(
    bench: Bench, team_s_own: bool
):
    copied(bench)
    for version in VERSIONS:
        bench.world.file(f"server/{version}/install.yaml", PLAIN_WORDS.format(version=version))
    base = bench.root / "server/base"
    text = PLAIN_WORDS.format(version="v1.1.0").replace("replicas: 1", "replicas: 3")
    own = "# Why it is there.\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\ndata: {no: yes}\n"
    (base / "install.yaml").write_text(f"{text}---\n{own}")
    if team_s_own:
        (base / "kustomization.yaml").write_text("# ours\nresources: [install.yaml]\nnamePrefix: a-\n")
    bench.commit()
    before = built(bench, "server/base"), built(bench, "server/overlay")
    named = ("--version", "v1.1.0") if team_s_own else ()  # with prefixed names too little is upstream's
    (vendor,) = bench.json("adopt", "server", *named)["vendors"]
    assert vendor["version"] == "v1.1.0"
    assert vendor["customizations"] == ["replicas: [{name: n, count: 3}]", "own object ConfigMap y"]
    assert (built(bench, "server/base"), built(bench, "server/overlay")) == before
    written = [path.read_text() for path in base.rglob("configmap-y.yaml")]
    assert written == [own], "what a person wrote stays as it is written"
