from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest

from upstreamsync.errors import (
    Denied,
    DigestMismatch,
    Malformed,
    NotFound,
    Refused,
    RepositoryError,
    SelectionError,
    ToolFailed,
    ToolMissing,
    UsageError,
)
from upstreamsync.kit.run.engines import Engines
from upstreamsync.model import Release
from upstreamsync.testing.server import Content

CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-cm
  namespace: {{ .Release.Namespace }}
data:
  greeting: {{ .Values.greeting | quote }}
  nested: {{ .Values.a.b | quote }}
  kube: {{ .Capabilities.KubeVersion.Version }}
  monitoring: {{ .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" | quote }}
---
# a second document of one template
apiVersion: v1
kind: Secret
metadata: {name: s}
"""
CHART = {
    "values.yaml": "greeting: hello\na: {b: 1}\n",
    "templates/cm.yaml": CONFIGMAP,
    "templates/sub/service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: svc}\n",
    "templates/hook.yaml": (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: hook\n  annotations: {helm.sh/hook: pre-install}\n"
    ),
    "templates/test.yaml": (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: test\n  annotations: {helm.sh/hook: test}\n"
    ),
    "crds/crd.yaml": "apiVersion: x/v1\nkind: CRD\nmetadata: {name: one}\n---\nkind: CRD\nmetadata: {name: two}\n",
}


@pytest.fixture
def published(world):
    """The chart app 1.2.3 in a repository, as a source of it."""
    world.chart("charts", "app", "1.2.3", files=CHART, app_version="9.9")
    return {"helm": {"repository": f"{world.url}/charts", "chart": "app"}}


def with_helm(source, **more):
    return {**source, "helm": {**source["helm"], **more}}


def text(artifact) -> str:
    (file,) = artifact.files
    return file.data.decode()


def reference(tools, tmp_path: Path, chart: bytes, *words: str) -> str:
    """What the helm binary prints by itself."""
    archive = tmp_path / "reference.tgz"
    archive.write_bytes(chart)
    argv = [str(tools.engines.helm().binary), "template", *words[:1], str(archive), *words[1:]]
    return subprocess.run([*argv, "--skip-tests"], check=True, capture_output=True, text=True).stdout


def test_the_render_equals_helm_template_byte_for_byte(world, published, fetch, tools, tmp_path):
    archive = world.charts("charts").archives["app-1.2.3.tgz"].data
    artifact = fetch(published, "1.2.3")
    assert text(artifact) == reference(tools, tmp_path, archive, "thing", "--include-crds")
    fact = artifact.resolved[0]
    assert fact.location == f"{world.url}/charts/app-1.2.3.tgz"
    assert fact.tool == f"helm {tools.engines.helm().version}"
    assert artifact.files[0].path == "thing.yaml"
    assert (artifact.unstable, artifact.notes) == ((), ())


def test_every_option_reaches_helm(world, published, fetch, tools, tmp_path):
    (tools.root / "one.yaml").write_text("greeting: one\na: {b: file}\n")
    (tools.root / "two.yaml").write_text("greeting: two\n")
    source = with_helm(
        published,
        release="rel",
        namespace="prod",
        values=["one.yaml", "two.yaml"],
        set={"a.b": "set {version}", "list": [1, {"x": None}]},
        include_crds=False,
        kube_version="1.29.1",
        api_versions=["monitoring.coreos.com/v1"],
        hooks=False,
    )
    archive = world.charts("charts").archives["app-1.2.3.tgz"].data
    expected = reference(
        tools, tmp_path, archive, "rel", "--namespace", "prod", "--values", str(tools.root / "one.yaml"),
        "--values", str(tools.root / "two.yaml"), "--set-json", 'a.b="set 1.2.3"',
        "--set-json", 'list=[1,{"x":null}]', "--kube-version", "1.29.1",
        "--api-versions", "monitoring.coreos.com/v1", "--no-hooks",
    )  # fmt: skip
    rendered = text(fetch(source, "1.2.3"))
    assert rendered == expected
    for part in ('greeting: "two"', 'nested: "set 1.2.3"', "kube: v1.29.1", 'monitoring: "true"', "prod"):
        assert part in rendered
    assert "kind: CRD" not in rendered
    assert "name: hook" not in rendered


def test_values_as_they_will_be_after_the_edits(published, fetch, tools):
    (tools.root / "values.yaml").write_text("greeting: before\n")
    source = with_helm(published, values=["values.yaml"])
    assert 'greeting: "before"' in text(fetch(source, "1.2.3"))
    after = fetch(source, "1.2.3", overrides={"values.yaml": b"greeting: after\n"})
    assert 'greeting: "after"' in text(after)


def test_values_that_are_missing_or_lead_out_of_the_repository(published, fetch, tools, tmp_path):
    with pytest.raises(RepositoryError, match=r"`values\.yaml` can't be read"):
        fetch(with_helm(published, values=["values.yaml"]), "1.2.3")
    (tmp_path / "secret").write_text("a: 1\n")
    (tools.root / "values.yaml").symlink_to(tmp_path / "secret")
    with pytest.raises(RepositoryError, match="link out of the repository"):
        fetch(with_helm(published, values=["values.yaml"]), "1.2.3")


def test_chosen_templates(published, fetch, tools):
    source = with_helm(published, templates=["templates/sub/*", "crds/*"])
    rendered = text(fetch(source, "1.2.3"))
    assert [line for line in rendered.splitlines() if line.startswith("# Source")] == [
        "# Source: app/crds/crd.yaml",
        "# Source: app/templates/sub/service.yaml",
    ]
    assert "name: two" in rendered  # the second document of the CRD file has no comment of its own
    everything = text(fetch(published, "1.2.3"))
    assert all(part in everything for part in rendered.split("---\n"))
    with pytest.raises(SelectionError, match="templates/none") as caught:
        fetch(with_helm(published, templates=["templates/**", "templates/none.yaml"]), "1.2.3")
    assert "`templates/cm.yaml`" in (caught.value.hint or "")


def test_a_wrong_digest_in_the_index_is_an_alarm_that_helm_does_not_raise(world, fetch):
    world.chart("charts", "app", "1.2.3", files=CHART, digest="0" * 64)
    with pytest.raises(DigestMismatch, match="index says 0000"):
        fetch({"helm": {"repository": f"{world.url}/charts", "chart": "app"}}, "1.2.3")


def test_a_release_of_the_same_repository_brings_address_and_digest(world, published, fetch):
    chart = world.chart("charts", "app", "1.2.3", files=CHART)
    release = Release(
        version="1.2.3",
        ref="1.2.3",
        digest=f"sha256:{chart.digest}",
        download=(f"{world.url}/charts/gone.tgz", f"{world.url}/charts/app-1.2.3.tgz"),
    )
    assert fetch(published, release).resolved[0].digest == f"sha256:{chart.digest}"
    assert world.count("/charts/index.yaml") == 0
    with pytest.raises(DigestMismatch):
        fetch(published, dataclasses.replace(release, digest="0" * 64))
    # A feed of another repository says nothing of this chart.
    other = {"helm": {"repository": f"{world.url}/other", "chart": "app"}}
    world.chart("charts", "app", "1.2.3", files=CHART)
    assert fetch(published, dataclasses.replace(release, digest="0" * 64), releases=other).files


def test_a_version_from_elsewhere_is_looked_up(world, published, fetch, probe):
    releases = {"github": "acme/app"}
    assert fetch(published, "v1.2.3", releases=releases).files
    probe(published, "v1.2.3", releases=releases)
    for act in (fetch, probe):
        with pytest.raises(NotFound, match=r"no chart `app` v2\.0\.0"):
            act(published, "v2.0.0", releases=releases)


@pytest.mark.parametrize(
    "index",
    [
        "entries:\n  ap:\n  - version: 1.2.3\n  app:\n  - {name: app, version: 1.2.3, urls: [app-1.2.3.tgz]}\n",
        '{"entries": {"app": [null, "x", {"name": "app", "version": "1.2.3", "urls": ["app-1.2.3.tgz"]}]}}',
        "entries:\n  app:\n    - name: app\n      version: 1.2.3\n      urls: [app-1.2.3.tgz]\n  bad: [{}, x]\n",
        "entries:\n  aaa:\n  - name: [\n  app:\n  - name: app\n    version: 1.2.3\n    urls: [app-1.2.3.tgz]\n",
        "entries:\n    app:\n    - name: app\n      version: '1.2.3'\n      urls: [./app-1.2.3.tgz]\n",
    ],
    ids=["flow", "json beside bad entries", "indented", "beside what is no YAML", "deeper"],
)
def test_indexes_of_every_shape(world, published, fetch, index):
    world.raw_index("charts", index)
    assert fetch(published, "1.2.3").files


@pytest.mark.parametrize(
    "index", ["<html>moved</html>", "entries: []\n", "[]", "entries: {app: [{version: 1.2.3}]}"]
)
def test_what_is_no_index(world, published, fetch, index):
    world.raw_index("charts", index)
    with pytest.raises((Malformed, NotFound)):
        fetch(published, "1.2.3")


def test_renders_are_kept_by_content(world, published, fetch, tools):
    first = fetch(published, "1.2.3")
    nowhere = Engines(environment={"PATH": ""})
    nowhere._helm = dataclasses.replace(tools.engines.helm(), binary=Path("/nonexistent/helm"))
    assert fetch(published, "1.2.3", engines=nowhere) == first
    with pytest.raises(ToolMissing):
        fetch(with_helm(published, set={"a.b": 2}), "1.2.3", engines=nowhere)
    world.chart("charts", "app", "1.2.4", files={**CHART, "values.yaml": "greeting: new\na: {b: 1}\n"})
    tools.http.close()
    with pytest.raises(ToolMissing):
        fetch(published, "1.2.4", engines=nowhere)


def test_what_helm_says_is_in_the_error(published, fetch):
    with pytest.raises(ToolFailed) as caught:
        fetch(with_helm(published, set={"a": "text"}), "1.2.3")
    assert "`app 1.2.3` can't be rendered" in caught.value.message
    assert "cm.yaml" in caught.value.message
    assert "/tmp" not in caught.value.message


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("release", "--post-renderer=/bin/sh"),
        ("release", "UPPER"),
        ("namespace", "--kubeconfig"),
        ("release", "a" * 54),
    ],
)
def test_names_that_helm_could_take_for_options(published, fetch, option, value):
    with pytest.raises(UsageError):
        fetch(with_helm(published, **{option: value}), "1.2.3")


RANDOM = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  fixed: x\n"
    "  password: {{ randAlphaNum 20 | quote }}\n"
)


def test_a_chart_that_renders_differently_each_time_is_found_by_path(world, published, fetch):
    world.chart("charts", "app", "1.2.4", files={**CHART, "templates/secret.yaml": RANDOM})
    artifact = fetch(published, "1.2.4")
    assert artifact.unstable == ("v1 Secret s: stringData.password",)
    assert "stringData.password" in artifact.notes[0]
    # Kept, so that the next run on this machine proposes nothing.
    assert fetch(published, "1.2.4") == artifact


def test_what_a_value_brings_in_is_found_too(world, published, fetch):
    files = {
        **CHART,
        "templates/cm.yaml": "kind: ConfigMap\nmetadata: {name: c}\ndata: {x: {{ tpl .Values.t . | quote }} }\n",
    }
    world.chart("charts", "app", "1.2.5", files=files)
    source = with_helm(published, set={"t": "{{ uuidv4 }}"})
    assert fetch(source, "1.2.5").unstable == (" ConfigMap c: data.x",)


@pytest.mark.parametrize(
    "action",
    ['now | date "2006-01-02"', "now | unixEpoch", "now", 'date "15:04" now', "now | htmlDate"],
)
def test_the_clock_is_found(world, published, fetch, action):
    head = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n"
    secret = head + "  at: {{ " + action + " | quote }}\n"
    world.chart("charts", "app", "1.2.6", files={**CHART, "templates/secret.yaml": secret})
    assert fetch(published, "1.2.6").unstable == ("v1 Secret s: stringData.at",)


def test_functions_that_only_look_random_are_no_alarm(world, published, fetch):
    harmless = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {x: {{ .Values.now | quote }} }\n"
    world.chart(
        "charts", "app", "1.2.7", files={**CHART, "templates/c.yaml": harmless, "README.md": "{{ now }}"}
    )
    artifact = fetch(published, "1.2.7")
    assert (artifact.unstable, artifact.notes) == ((), ())


def test_helm_sees_nothing_of_the_user(world, published, fetch, monkeypatch, tmp_path):
    spy = {
        **CHART,
        "templates/spy.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: spy}\n"
        'data: {lookup: {{ lookup "v1" "Namespace" "" "" | toJson | quote }} }\n',
    }
    world.chart("charts", "app", "1.2.8", files=spy)
    (tmp_path / "plugins").mkdir()
    monkeypatch.setenv("HELM_PLUGINS", str(tmp_path / "plugins"))
    monkeypatch.setenv("HELM_NAMESPACE", "leaked")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    rendered = text(fetch(published, "1.2.8"))
    assert 'lookup: "{}"' in rendered
    assert "leaked" not in rendered


# -- charts in registries ----------------------------------------------------------------------------


@pytest.mark.parametrize("auth", [False, True])
def test_a_chart_in_a_registry(world, fetch, tools, tmp_path, auth):
    digest = world.oci_chart("acme/app", "1.2.3", files=CHART, auth=auth)
    artifact = fetch({"helm": {"repository": f"{world.oci_url}/acme", "chart": "app"}}, "1.2.3")
    repository = world.registry.repositories["acme/app"]
    archives = [blob.data for blob in repository.blobs.values() if blob.data[:2] == b"\x1f\x8b"]
    assert text(artifact) == reference(tools, tmp_path, archives[0], "thing", "--include-crds")
    assert artifact.resolved[0].digest == digest
    assert artifact.resolved[0].location == f"{world.oci_url}/acme/app:1.2.3"


def test_versions_with_a_plus_and_versions_from_elsewhere(world, fetch, probe):
    world.oci_chart("acme/app", "1.2.3+build", files=CHART)
    source = {"helm": {"repository": f"{world.oci_url}/acme", "chart": "app"}}
    assert fetch(source, "1.2.3+build").files
    assert fetch(source, "v1.2.3+build", releases={"github": "acme/app"}).files
    probe(source, "v1.2.3+build", releases={"github": "acme/app"})
    with pytest.raises(NotFound):
        probe(source, "v9.0.0", releases={"github": "acme/app"})
    with pytest.raises(NotFound):
        fetch(source, "9.0.0")


def test_an_index_that_points_into_a_registry(world, published, fetch, tools):
    manifest = world.oci_chart("acme/app", "1.2.3", files=CHART)
    entry = "- name: app\n    version: 1.2.3\n    digest: {}\n    urls: ['{}/acme/app{}']\n"
    index = f"entries:\n  app:\n  {entry}"
    world.raw_index("charts", index.format(manifest, world.oci_url, ":1.2.3"))
    assert fetch(published, "1.2.3").resolved[0].digest == manifest
    for digest, end, error in (("0" * 64, ":1.2.3", DigestMismatch), (manifest, "", Refused)):
        world.raw_index("charts", index.format(digest, world.oci_url, end))
        with pytest.raises(error):
            _again(fetch, published, tools)


def test_an_image_is_no_chart(world, fetch):
    world.oci_image("acme/app", ["1.2.3"])
    with pytest.raises(Malformed, match="is no chart"):
        fetch({"helm": {"repository": f"{world.oci_url}/acme", "chart": "app"}}, "1.2.3")


def test_a_registry_that_gives_other_bytes(world, fetch):
    world.oci_chart("acme/app", "1.2.3", files=CHART)
    blobs = world.registry.repositories["acme/app"].blobs
    (digest,) = [name for name, blob in blobs.items() if blob.data[:2] == b"\x1f\x8b"]
    blobs[digest] = Content(blobs[digest].data + b" ", "application/octet-stream")
    with pytest.raises(DigestMismatch):
        fetch({"helm": {"repository": f"{world.oci_url}/acme", "chart": "app"}}, "1.2.3")


# -- charts in git -----------------------------------------------------------------------------------


def in_git(world, files, path="deploy/chart", **options):
    world.git("app").commit({f"{path}/{name}": data for name, data in files.items()}, tag="v1.2.3")
    return {"helm": {"git": world.git("app").url, "path": path, **options}}


CHART_YAML = "apiVersion: v2\nname: app\nversion: 0.0.1\nappVersion: 9.9\n"


def test_a_chart_in_git_equals_helm_template_of_its_folder(world, fetch, tools, tmp_path):
    files = {
        **CHART,
        "Chart.yaml": CHART_YAML,
        ".helmignore": "*.bak\n",
        "templates/x.yaml.bak": "{{ fail }}",
    }
    source = in_git(world, files)
    artifact = fetch(source)
    for name, data in files.items():
        target = tmp_path / "chart" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(data)
    argv = [str(tools.engines.helm().binary), "template", "thing", str(tmp_path / "chart"), "--include-crds"]
    done = subprocess.run([*argv, "--skip-tests"], check=True, capture_output=True, text=True)
    assert text(artifact) == done.stdout
    assert artifact.resolved[0].digest == f"git:{world.git('app').sha('v1.2.3')}"
    assert artifact.resolved[0].location == f"{world.git('app').url}@v1.2.3"


SUB = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: from-sub}\n"


@pytest.mark.parametrize("form", ["lock", "exact", "v1"])
def test_dependencies_are_fetched_as_locked_and_verified(world, fetch, form):
    chart = world.chart("deps", "sub", "2.1.0", files={"templates/sub.yaml": SUB})
    world.chart("deps", "sub", "2.2.0", files={"templates/sub.yaml": "{{ fail }}"})
    entry = f"- name: sub\n  repository: {world.url}/deps\n  version: "
    files = {**CHART, "Chart.yaml": CHART_YAML}
    if form == "lock":
        files["Chart.yaml"] += f"dependencies:\n{entry}2.x\n"
        files["Chart.lock"] = f"dependencies:\n{entry}2.1.0\ndigest: sha256:x\n"
    elif form == "exact":
        files["Chart.yaml"] += f"dependencies:\n{entry}2.1.0\n"
    else:
        files["Chart.yaml"] = CHART_YAML.replace("v2", "v1")
        files["requirements.yaml"] = f"dependencies:\n{entry}~2.1\n"
        files["requirements.lock"] = f"dependencies:\n{entry}2.1.0\n"
    artifact = fetch(in_git(world, files))
    assert "# Source: app/charts/sub/templates/sub.yaml" in text(artifact)
    assert artifact.resolved[1].location == f"{world.url}/deps/sub-2.1.0.tgz"
    assert artifact.resolved[1].digest == f"sha256:{chart.digest}"


def test_dependencies_in_a_registry(world, fetch):
    digest = world.oci_chart("deps/sub", "2.1.0", files={"templates/sub.yaml": SUB})
    entry = f"dependencies: [{{name: sub, version: 2.1.0, repository: '{world.oci_url}/deps'}}]\n"
    artifact = fetch(in_git(world, {**CHART, "Chart.yaml": CHART_YAML + entry}))
    assert "from-sub" in text(artifact)
    assert artifact.resolved[1].digest == digest


def test_dependencies_in_the_same_repository(world, fetch):
    files = {
        "charts/app/Chart.yaml": CHART_YAML
        + "dependencies:\n- {name: lib, version: 0.x, repository: file://../lib}\n",
        "charts/app/templates/a.yaml": 'kind: A\napiVersion: v1\nmetadata: {name: {{ include "lib.name" . }} }\n',
        "charts/app/values.yaml": "{}\n",
        "charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 0.1.0\ntype: library\n",
        "charts/lib/templates/_lib.tpl": '{{ define "lib.name" }}from-lib{{ end }}',
    }
    artifact = fetch(
        in_git(world, files, path="x") | {"helm": {"git": world.git("app").url, "path": "x/charts/app"}}
    )
    assert "name: from-lib" in text(artifact)


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("{name: sub, version: 2.x, repository: 'https://example.invalid'}", SelectionError),
        ("{name: sub, version: 2.1.0, repository: '@alias'}", SelectionError),
        ("{name: sub, version: 2.1.0}", SelectionError),
        ("{name: sub, version: 2.1.0, repository: 'file://../../../../etc'}", Refused),
        ("{name: sub, version: 2.1.0, repository: 'file://../none'}", NotFound),
        ("{name: app, version: 0.x, repository: 'file://.'}", Refused),
    ],
)
def test_dependencies_that_can_not_be_had(world, fetch, entry, error):
    files = {**CHART, "Chart.yaml": f"{CHART_YAML}dependencies: [{entry}]\n"}
    with pytest.raises(error):
        fetch(in_git(world, files))


def test_dependencies_that_are_vendored_are_left_alone(world, fetch):
    files = {
        **CHART,
        "Chart.yaml": CHART_YAML
        + "dependencies: [{name: sub, version: 2.x, repository: 'https://example.invalid'}]\n",
        "charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 2.0.0\n",
        "charts/sub/templates/sub.yaml": SUB,
    }
    assert "from-sub" in text(fetch(in_git(world, files)))


def test_a_folder_that_is_no_chart(world, fetch):
    with pytest.raises(NotFound, match="no chart in `deploy/chart`"):
        fetch(in_git(world, {"README.md": "x"}))


@pytest.mark.parametrize(
    "chart_yaml", ["name: ../../evil\nversion: 1.0.0", "name: a\nversion: 1/../2", "- x", "name: 1"]
)
def test_a_chart_whose_name_would_be_a_path(world, fetch, chart_yaml):
    with pytest.raises(Malformed):
        fetch(in_git(world, {"Chart.yaml": chart_yaml}))


# -- provenance --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def signer(tmp_path_factory):
    """Signs a chart's archive with a key of its own; None where there is no gpg."""
    gpg = shutil.which("gpg")
    if gpg is None:
        pytest.fail("gpg is missing, and signing a chart needs it")
    home = tmp_path_factory.mktemp("g")
    home.chmod(0o700)
    base = [
        gpg,
        "--homedir",
        str(home),
        "--batch",
        "--quiet",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
    ]
    subprocess.run([*base, "--quick-gen-key", "Up <up@example.com>", "rsa2048", "sign"], check=True)
    ring = home / "ring.gpg"
    ring.write_bytes(subprocess.run([*base, "--export"], check=True, capture_output=True).stdout)
    secret = home / "secret.gpg"
    secret.write_bytes(
        subprocess.run([*base, "--export-secret-keys"], check=True, capture_output=True).stdout
    )
    return ring, secret


def test_provenance_is_verified_when_a_keyring_is_given(world, fetch, tools, tmp_path, signer):
    ring, secret = signer
    helm = str(tools.engines.helm().binary)
    folder = tmp_path / "app"
    for name, data in {**CHART, "Chart.yaml": CHART_YAML.replace("0.0.1", "1.2.3")}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(data)
    subprocess.run(
        [
            helm,
            "package",
            "--sign",
            "--key",
            "Up",
            "--keyring",
            str(secret),
            "-d",
            str(tmp_path),
            str(folder),
        ],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    archive = (tmp_path / "app-1.2.3.tgz").read_bytes()
    prov = (tmp_path / "app-1.2.3.tgz.prov").read_bytes()
    world.file("/signed/app-1.2.3.tgz", archive)
    world.file("/signed/app-1.2.3.tgz.prov", prov)
    index = "entries:\n  app:\n  - name: app\n    version: 1.2.3\n    urls: [app-1.2.3.tgz]\n"
    world.file("/signed/index.yaml", index)
    (tools.root / "keys.gpg").write_bytes(ring.read_bytes())
    source = {"helm": {"repository": f"{world.url}/signed", "chart": "app", "keyring": "keys.gpg"}}
    assert "kind: ConfigMap" in text(fetch(source, "1.2.3"))
    world.file("/signed/app-1.2.3.tgz.prov", prov.replace(b"version: 1.2.3", b"version: 1.2.4"))
    with pytest.raises(Denied, match=r"not signed by a key of `keys\.gpg`"):
        _again(fetch, source, tools)
    (tools.root / "keys.gpg").write_bytes(b"")
    with pytest.raises(Denied):
        _again(fetch, source, tools)
    world.remove_file("/signed/app-1.2.3.tgz.prov")
    with pytest.raises(NotFound):
        _again(fetch, source, tools)


def test_provenance_in_a_registry(world, fetch, tools, signer):
    ring, _ = signer
    (tools.root / "keys.gpg").write_bytes(ring.read_bytes())
    source = {"helm": {"repository": f"{world.oci_url}/acme", "chart": "app", "keyring": "keys.gpg"}}
    world.oci_chart("acme/app", "1.2.3", files=CHART)
    with pytest.raises(NotFound, match="has no provenance"):
        fetch(source, "1.2.3")
    blobs = world.registry.repositories["acme/app"].blobs
    (digest,) = [name for name, blob in blobs.items() if blob.data[:2] == b"\x1f\x8b"]
    claim = f"name: app\nversion: 1.2.3\n\n...\nfiles:\n  app-1.2.3.tgz: {digest}\n"
    gpg = ["gpg", "--homedir", str(ring.parent), "--batch", "--quiet", "--pinentry-mode", "loopback"]
    signed = subprocess.run(
        [*gpg, "--clearsign"], input=claim.encode(), capture_output=True, check=True
    ).stdout
    world.oci_chart("acme/app", "1.2.3", files=CHART, provenance=signed)
    assert "kind: ConfigMap" in text(_again(fetch, source, tools))
    world.oci_chart("acme/app", "1.2.3", files=CHART, provenance=signed.replace(b"app-1.2.3", b"app-1.2.4"))
    with pytest.raises(Denied):
        _again(fetch, source, tools)


def test_a_keyring_has_no_meaning_in_git(world, fetch):
    with pytest.raises(UsageError, match="provenance"):
        fetch(in_git(world, {**CHART, "Chart.yaml": CHART_YAML}, keyring="keys.gpg"))


def _again(fetch, source, tools):
    """Fetch as a new run would: nothing that was fetched is remembered."""
    tools.http.close()
    return fetch(source, "1.2.3")


# -- without a helm binary ---------------------------------------------------------------------------


@pytest.fixture
def no_helm(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    return Engines(environment={})


def test_without_helm_and_without_the_extra_there_is_a_hint(published, fetch, no_helm, monkeypatch):
    from upstreamsync.sources import helm_embedded

    monkeypatch.setattr(helm_embedded.importlib.util, "find_spec", lambda name: None)
    helm_embedded._sdk_version.cache_clear()
    with pytest.raises(ToolMissing) as caught:
        fetch(published, "1.2.3", engines=no_helm)
    helm_embedded._sdk_version.cache_clear()
    assert "doctor --install" in (caught.value.hint or "")
    assert "upstreamsync[embedded]" in (caught.value.hint or "")


SIMPLE = {name: data for name, data in CHART.items() if name != "templates/hook.yaml"}


@pytest.fixture
def embedded(no_helm):
    """Engines without a binary; the extra has to be there."""
    pytest.importorskip("helm_python", reason="the extra `embedded` is not installed")
    return no_helm


@pytest.mark.slow
def test_the_embedded_helm_gives_the_same_output(world, fetch, tools, embedded):
    # The Kubernetes version that a chart sees by default is each helm's own, so it is left out here; and
    # helm 4.2 keeps the line break at the end of a template that 3.17 and 4.1 drop.
    def documents(artifact):
        return [document.strip() for document in text(artifact).split("\n---\n")]

    files = {**SIMPLE, "templates/cm.yaml": CONFIGMAP.replace(".Capabilities.KubeVersion.Version", "1")}
    world.chart("charts", "app", "1.2.3", files=files)
    (tools.root / "values.yaml").write_text("greeting: file\na: {c: [1, 2]}\n")
    source = {
        "helm": {
            "repository": f"{world.url}/charts",
            "chart": "app",
            "namespace": "prod",
            "values": ["values.yaml"],
            "set": {"a.b": 'x "y"', "deep.er": {"z": [1, None]}},
        }
    }
    by_binary = fetch(source, "1.2.3")
    by_sdk = fetch(source, "1.2.3", engines=embedded)
    assert documents(by_sdk) == documents(by_binary)
    assert by_sdk.resolved[0].tool.startswith("helm-sdk ")
    without = fetch(with_helm(source, include_crds=False), "1.2.3", engines=embedded)
    assert documents(without) == documents(fetch(with_helm(source, include_crds=False), "1.2.3"))
    assert "kind: CRD" not in text(without)


@pytest.mark.slow
def test_the_embedded_helm_refuses_what_it_can_not_do(world, published, fetch, tools, embedded):
    for options in ({}, {"kube_version": "1.30.0"}, {"api_versions": ["x/v1"]}, {"set": {"a[0]": 1}}):
        with pytest.raises(ToolMissing) as caught:
            fetch(with_helm(published, **options), "1.2.3", engines=embedded)
        assert "doctor --install" in (caught.value.hint or "")
    # Hooks are what it lacks; without them it can.
    without = with_helm(published, hooks=False)
    assert text(fetch(without, "1.2.3", engines=embedded)).count("# Source:") == 4
    pinned = dataclasses.replace(embedded, pins={"helm": "3.17.2"})
    with pytest.raises(ToolMissing, match=r"3\.17\.2 is pinned"):
        fetch(published, "1.2.3", engines=pinned)
    world.chart("charts", "app", "1.2.9", files={**SIMPLE, "templates/bad.yaml": '{{ fail "on purpose" }}'})
    tools.http.close()
    with pytest.raises(ToolFailed, match="on purpose"):
        fetch(published, "1.2.9", engines=embedded)
