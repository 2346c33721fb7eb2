"""Each way in which real repositories say what they vendor, small; and its neighbours."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from discover.proposals import MAP, found, only, source
from upstreamsync.discover import look_through, restarted
from upstreamsync.discover.scan import MAX_BYTES, TextFile
from upstreamsync.discover.shell import joined, read_script
from upstreamsync.project.init.trial import tried_upstream
from upstreamsync.project.settings import Settings
from upstreamsync.testing import World, write_files

# -- where a version stands in a URL -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("o/domain-maintenance/main/deploy/domain.yaml", "o/domain-maintenance/{version}/deploy/domain.yaml"),
        ("o/masterplan/master/masters.yaml", "o/masterplan/{version}/masters.yaml"),
        ("o/op/v1/config/apps_v1_things.yaml", "o/op/{version}/config/apps_v1_things.yaml"),
        ("o/op/v2/v2/x.yaml", "o/op/{version}/{version}/x.yaml"),
        ("o/op/v1.2.3/op-v1.2.3.yaml", "o/op/{version}/op-{version}.yaml"),
        ("o/op/v1.2.3/op-1.2.3.yaml", "o/op/{version}/op-{semver}.yaml"),
        ("o/op/v1.2.3/op-v1.2.30.yaml", "o/op/{version}/op-v1.2.30.yaml"),
    ],
)
def test_a_version_is_replaced_where_it_can_be_nothing_else(tmp_path, url, expected):
    raw = "https://raw.githubusercontent.com/"
    proposal = only(tmp_path, {"a/kustomization.yaml": f"resources: ['{raw}{url}']\n"})
    assert source(proposal)["url"] == raw + expected


# -- what other tools declare ------------------------------------------------------------------------


def test_the_dependencies_of_a_chart_are_kept_up_to_date(tmp_path):
    chart = """apiVersion: v2
name: x
version: 0.0.0
dependencies:
- {name: app, version: 2.6.0, repository: https://charts.example.org}
- {name: lib, version: 1.0.0, repository: "file://../lib"}
- {name: other, version: 3.1.0, repository: "@alias"}
- {name: range, version: ^1.0.0, repository: oci://registry.example.org/charts}
- {name: net, version: 1.x, repository: https://charts.example.org}
"""
    vendored = "name: net\nversion: 1.19.4\n"
    all_of = found(tmp_path, {"apps/x/Chart.yaml": chart, "apps/x/charts/net/Chart.yaml": vendored})
    assert sorted(all_of) == ["app", "net", "range"]
    assert all_of["app"].edits == (
        {"file": "apps/x/Chart.yaml", "path": "dependencies[0].version", "value": "{version}"},
    )
    assert not all_of["range"].complete
    assert (all_of["net"].version, all_of["net"].complete) == ("1.19.4", True)


def test_helmfile_names_charts_by_alias_and_by_registry(tmp_path):
    helmfile = """repositories:
- {name: acme, url: https://charts.example.org}
- {name: reg, url: registry.example.org/charts, oci: true}
releases:
- {name: a, chart: acme/cert, version: 1.2.3}
- {name: b, chart: oci://ghcr.io/acme/charts/web, version: 2.0.0}
- {name: c, chart: reg/store, version: 3.0.0}
- {name: d, chart: ./charts/own}
- {name: e, chart: unknown/thing, version: 1.0.0}
- {name: f, chart: acme/loose, version: ~1.2}
"""
    all_of = found(tmp_path, {"helmfile.yaml": helmfile})
    assert {name: one.version for name, one in all_of.items() if one.complete} == {
        "cert": "1.2.3",
        "web": "2.0.0",
        "store": "3.0.0",
    }
    assert all_of["store"].releases == {
        "helm": {"repository": "oci://registry.example.org/charts", "chart": "store"}
    }


def test_helmfile_takes_charts_from_git_and_from_tarballs(tmp_path):
    helmfile = """repositories:
- {name: charts, url: "git+https://github.com/acme/charts@stable?ref=v4.1.0"}
releases:
- {name: a, chart: "git::https://github.com/acme/mono.git@deploy/chart?ref=v1.2.3"}
- {name: b, chart: "git::ssh://git@github.com/acme/other.git@chart?ref=2.0.0"}
- {name: c, chart: "git::https://github.com/acme/third//chart?ref=v3.0.0"}
- {name: d, chart: charts/thing}
- {name: e, chart: "https://github.com/acme/tar/releases/download/v5.0.0/tar-5.0.0.tgz"}
- {name: g, chart: "git::https://github.com/acme/moving@chart?ref=main"}
"""
    all_of = found(tmp_path, {"helmfile.yaml": helmfile})
    assert {name: (one.version, one.complete) for name, one in all_of.items()} == {
        "charts": ("v4.1.0", True),
        "mono": ("v1.2.3", True),
        "other": ("2.0.0", True),
        "third": ("v3.0.0", True),
        "tar": ("v5.0.0", True),
    }
    (edit,) = all_of["mono"].edits
    assert (edit["path"], edit["value"]) == (
        "releases[0].chart",
        "git::https://github.com/acme/mono.git@deploy/chart?ref={version}",
    )
    assert all_of["charts"].edits[0]["path"] == "repositories[0].url"
    assert all_of["tar"].releases == {"github": "acme/tar"}
    assert all_of["tar"].edits[0]["value"].endswith("/download/{version}/tar-{semver}.tgz")


def test_vendir_and_kpt_say_where_each_folder_comes_from(tmp_path):
    vendir = """apiVersion: vendir.k14s.io/v1alpha1
kind: Config
directories:
- path: vendor
  contents:
  - path: net
    git: {url: https://github.com/acme/net, ref: v1.19.7}
    includePaths: [install/**/*]
  - path: cert
    helmChart: {name: cert, version: 1.2.3, repository: {url: https://charts.example.org}}
  - path: rel
    githubRelease: {slug: acme/rel, tag: v2.0.0, assetNames: [install.yaml]}
  - path: moving
    git: {url: https://github.com/acme/moving, ref: origin/main}
"""
    kpt = """apiVersion: kpt.dev/v1
kind: Kptfile
upstream:
  type: git
  git: {repo: https://github.com/acme/packages, directory: web, ref: web/v0.3}
"""
    files = {"vendir.yml": vendir, "pkg/web/Kptfile": kpt, "vendor/net/a.yaml": MAP}
    all_of = found(tmp_path, files)
    net = all_of["net"]
    assert (net.version, net.base) == ("v1.19.7", "vendor/net")
    assert source(net)["git"] == {
        "repository": "https://github.com/acme/net",
        "paths": ["install/**/*"],
        "strip": 0,
    }
    assert source(all_of["cert"]) == {
        "helm": {"repository": "https://charts.example.org", "chart": "cert"},
        "render": False,
    }
    assert source(all_of["rel"])["url"] == {
        "install.yaml": "https://github.com/acme/rel/releases/download/{version}/install.yaml"
    }
    assert (all_of["web"].base, all_of["web"].version) == ("pkg/web", "v0.3")


def test_a_comment_for_renovate_says_a_version_and_its_feed(tmp_path):
    script = """# renovate: datasource=github-releases depName=acme/tool
export TOOL_VERSION="v1.2.3"
# renovate: datasource=docker depName=acme/web
WEB=2.0.0
# renovate: datasource=npm depName=left-pad
PAD=1.0.0
"""
    all_of = found(tmp_path, {"versions.sh": script})
    assert {name: one.releases for name, one in all_of.items()} == {
        "tool": {"github": "acme/tool"},
        "web": {"oci": "docker.io/acme/web"},
    }
    assert all(one.unsure for one in all_of.values())


# -- scripts -----------------------------------------------------------------------------------------

URL = "https://github.com/acme/widget/releases/download/v1.2.3/install.yaml"


@pytest.mark.parametrize(
    ("command", "base", "file"),
    [
        (f"curl -Ls -O {URL}", "app", None),
        (f"curl -LO {URL}", "app", None),
        (f"curl --remote-name {URL}", "app", None),
        (f"wget {URL}", "app", None),
        (f"wget -O up.yaml {URL}", "app", "up.yaml"),
        (f"curl -sLo up.yaml {URL}", "app", "up.yaml"),
        (f"curl -L {URL} > up.yaml", "app", "up.yaml"),
        (f"curl -L {URL} | tee up.yaml", "app", "up.yaml"),
        (f"cd upstream && curl -LO {URL}", "app/upstream", None),
        (f"cd upstream; curl -LO {URL}", "app/upstream", None),
        (f"(cd upstream && curl -LO {URL})", "app/upstream", None),
        (f"mkdir -p upstream && cd upstream && curl -L {URL} -o x.yaml", "app/upstream", "x.yaml"),
    ],
)
def test_a_makefile_says_where_a_download_goes(tmp_path, command, base, file):
    proposal = only(tmp_path, {"app/Makefile": f"get:\n\t{command}\n", "app/upstream/a.yaml": MAP})
    assert (proposal.base, source(proposal).get("file")) == (base, file)
    assert source(proposal)["url"].endswith("/download/{version}/install.yaml")


def test_what_a_pipe_does_is_not_dropped_in_silence(tmp_path):
    text = f"get:\n\tcurl -sL {URL} | sed 's/a/b;c/' | yq 'select(.kind != \"Secret\")' > upstream/i.yaml\n"
    proposal = only(tmp_path, {"app/Makefile": text, "app/upstream/i.yaml": MAP})
    assert proposal.base == "app/upstream"
    assert [remark for remark in proposal.unsure if "sed s/a/b;c/" in remark]
    assert [remark for remark in proposal.unsure if "yq" in remark]


def test_a_clone_and_the_copy_from_it_belong_together(tmp_path):
    makefile = """alpha:
\tcd /tmp; git clone --depth 1 -b v1.2.3 https://github.com/example/alpha
\trm -rf alpha/base/upstream/*
\tcp -r /tmp/alpha/config/* alpha/base/upstream
beta:
\tcd /tmp; git clone -b v2.0.0 --depth 1 https://github.com/example/beta
\thelm template --set replicas=2 \\
\t\t/tmp/beta/docs/helm > beta/base/upstream/manifest.yaml
gamma:
\tgit clone -b v3.0.0 https://github.com/example/gamma /tmp/src
\tcp /tmp/src/deploy/a.yaml gamma/upstream/
"""
    files = {"Makefile": makefile, **{f"{one}/a.yaml": MAP for one in
             ("alpha/base/upstream", "beta/base/upstream", "gamma/upstream")}}  # fmt: skip
    all_of = found(tmp_path, files)
    assert source(all_of["alpha"])["git"]["paths"] == ["config/**"]
    assert all_of["alpha"].base == "alpha/base/upstream"
    assert source(all_of["beta"])["helm"]["path"] == "docs/helm"
    assert source(all_of["beta"])["helm"]["set"] == {"replicas": 2}
    assert (all_of["beta"].base, source(all_of["beta"])["file"]) == ("beta/base/upstream", "manifest.yaml")
    assert source(all_of["gamma"])["git"]["paths"] == ["deploy/a.yaml"]


@pytest.mark.parametrize(
    "taken_in",
    [
        "source scripts/env.sh",
        ". ./scripts/env.sh",
        '. "scripts/env.sh"',
        "source ${ROOT}/scripts/env.sh",
        "source env.sh",
    ],
)
def test_a_version_may_stand_in_a_script_that_is_sourced(tmp_path, taken_in):
    update = f"""#!/bin/bash
{taken_in}
: "${{CERT_VERSION:?is required}}"
helm repo add acme https://charts.example.org
helm template cert acme/cert --version "${{CERT_VERSION}}" > deps/cert/cert.yaml
"""
    files = {
        "scripts/env.sh": "export CERT_VERSION=v1.21.1\n",
        "scripts/update.sh": update,
        "deps/cert/cert.yaml": MAP + "  labels: {helm.sh/chart: cert-v1.21.1}\n",
    }
    proposal = only(tmp_path, files)
    assert (proposal.version, proposal.base, proposal.complete) == ("v1.21.1", "deps/cert", True)
    assert [edit["file"] for edit in proposal.edits] == ["scripts/env.sh"]


@pytest.mark.parametrize("version", ["1.19", "1", "^1.2.0", "1.2.x"])
def test_to_helm_a_version_of_fewer_parts_is_a_range(tmp_path, version):
    text = f"up:\n\thelm pull net --repo https://helm.example.org --untar --untardir charts --version {version}\n"
    assert not only(tmp_path, {"Makefile": text}).complete


def test_the_chart_that_is_vendored_tells_the_version_that_a_range_hides(tmp_path):
    text = "up:\n\thelm pull net --repo https://helm.example.org --untar --untardir charts --version 1.19\n"
    proposal = only(tmp_path, {"Makefile": text, "charts/net/Chart.yaml": "name: net\nversion: 1.19.4\n"})
    assert (proposal.version, proposal.complete) == ("1.19.4", True)
    assert proposal.unsure


def test_an_edit_takes_the_version_alone(tmp_path):
    text = 'CRD ?= "https://raw.githubusercontent.com/acme/op/v2.0.0/config/crd.yaml"\nget:\n\tcurl -Lo crd.yaml $(CRD)\n'
    (edit,) = only(tmp_path, {"app/Makefile": text}).edits
    import re

    (match,) = re.finditer(edit["pattern"], text, re.MULTILINE)
    assert match[1] == "v2.0.0"


def test_commands_in_a_runbook_count(tmp_path):
    page = f"# Update\n\n```sh\n$ curl -L {URL} -o app/upstream/install.yaml\n```\n\ncurl -L {URL} is what we used to do\n"
    proposal = only(tmp_path, {"docs/update.md": page, "app/upstream/install.yaml": MAP})
    assert (proposal.base, proposal.found[0].line) == ("app/upstream", 4)


@pytest.mark.parametrize(
    ("folder", "path", "expected"),
    [
        ("", "a/b", "a/b"),
        ("a", "../b", "b"),
        ("a", "/b", "/b"),
        ("/tmp", "x/./y", "/tmp/x/y"),
        ("a", "../../b", "../b"),
    ],
)
def test_paths_are_joined_as_a_shell_means_them(folder, path, expected):
    assert joined(folder, path) == expected


@pytest.mark.parametrize("line", ["a '", 'b "', "$( c", "d | | e", ";;;", "cd", "( ( (", "x > "])
def test_a_line_that_nobody_understands_is_no_error(line):
    script = read_script(TextFile(path="a.sh", text=f"#!/bin/sh\n{line}\n"))
    assert script is not None


# -- branches, names, what is not explained ----------------------------------------------------------


@pytest.mark.parametrize("ref", ["release-1.20", "release/v1.20", "stable-1.20.x", "main"])
def test_a_branch_of_a_release_is_no_version(tmp_path, ref):
    application = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: mesh}\n"
        f"spec: {{source: {{repoURL: https://github.com/acme/mesh.git, path: a, targetRevision: {ref}}}}}\n"
    )
    assert found(tmp_path, {"app.yaml": application}) == {}


def test_two_uses_of_one_chart_are_named_for_the_chart(tmp_path):
    one = (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {{name: {0}}}\n"
        "spec: {{url: oci://ghcr.io/acme/charts/app-template, ref: {{tag: 5.1.0}}}}\n"
    )
    proposal = only(tmp_path, {"radio.yaml": one.format("radio"), "movies.yaml": one.format("movies")})
    assert (proposal.name, len(proposal.edits)) == ("app-template", 2)


def test_what_looks_vendored_and_is_explained_by_nothing_is_listed(tmp_path):
    makefile = f"get:\n\tcurl -L {URL} -o a/upstream/install.yaml\n"
    write_files(tmp_path, {"Makefile": makefile, "a/upstream/install.yaml": MAP, "b/upstream/x/y.yaml": MAP})
    start = look_through(tmp_path)
    assert start.unexplained == ("b/upstream/x",)
    assert "# - b/upstream/x" in start.text


def test_a_folder_that_is_not_there_makes_an_entry_unsure(tmp_path):
    assert only(tmp_path, {"Makefile": f"get:\n\tcurl -L {URL} -o up/i.yaml\n"}).unsure
    assert not only(
        tmp_path / "x", {"Makefile": f"get:\n\tcurl -L {URL} -o up/i.yaml\n", "up/i.yaml": MAP}
    ).unsure


# -- held against upstream ---------------------------------------------------------------------------


@pytest.fixture
def world():
    with World() as world:
        yield world


@pytest.mark.parametrize(
    ("content", "remark"),
    [
        (MAP, None),
        (MAP.replace("name: a", "name: b"), "has other content in `app/upstream/install.yaml`"),
        (None, "none of the files of v1.2.3 is in the repository"),
    ],
)
def test_content_is_held_against_upstream(tmp_path, world, content, remark):
    url = world.file("acme/widget/releases/download/v1.2.3/install.yaml", MAP)
    world.github.repository("acme/widget").release("v1.2.3")
    files = {
        "app/Makefile": f"get:\n\tcurl -L {url} -o upstream/install.yaml\n",
        "app/upstream/other.yaml": MAP,
    }
    if content is not None:
        files = {**files, "app/upstream/install.yaml": content}
    write_files(tmp_path / "repo", files)
    settings = Settings(environment={"GITHUB_API_URL": world.github.url}, cache_folder=tmp_path / "cache")
    (before,) = look_through(tmp_path / "repo").proposals
    (proposal,) = tried_upstream(look_through(tmp_path / "repo"), tmp_path / "repo", settings).proposals
    new = [one for one in proposal.unsure if one not in before.unsure]
    assert (remark is None and not new) or (remark is not None and remark in new[0])


RELEASED = (
    "".join(f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{number}}}\n" for number in range(3))
    + """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: widget}
spec:
  template:
    spec:
      containers:
      - image: ghcr.io/acme/widget:v1.2.3
      - image: "ghcr.io/acme/widget/proxy:v1.2.3"
"""
)


@pytest.mark.parametrize(
    ("name", "text", "is_guessed"),
    [
        ("install.yaml", RELEASED, True),
        ("widget-install.yaml", RELEASED, True),
        ("web.yaml", RELEASED, False),
        ("install.yaml", RELEASED[-200:], False),
        ("install.yaml", RELEASED.replace("proxy:v1.2.3", "proxy:v1.2.4"), False),
        ("install.yaml", RELEASED.replace("ghcr.io", "registry.example.org"), False),
    ],
)
def test_a_release_s_file_without_a_word_of_its_origin_is_a_guess(tmp_path, name, text, is_guessed):
    proposals = found(tmp_path, {f"apps/widget/base/{name}": text})
    assert bool(proposals) is is_guessed
    for one in proposals.values():
        assert (one.name, one.version, one.complete, one.guessed) == ("widget", "v1.2.3", False, True)
        assert one.releases == {"github": "acme/widget"}
        assert "only its images say so" in one.unsure[0]


@pytest.mark.parametrize(
    ("released", "is_borne_out"), [(RELEASED, True), (RELEASED + "# more\n", False), (None, False)]
)
def test_a_guess_is_sure_once_upstream_has_the_same_bytes(tmp_path, world, released, is_borne_out):
    root = tmp_path / "repo"
    write_files(root, {"apps/widget/base/install.yaml": RELEASED})
    if released is not None:
        world.file("acme/widget/releases/download/v1.2.3/install.yaml", released)
        world.github.repository("acme/widget").release("v1.2.3")
    settings = Settings(environment={"GITHUB_API_URL": world.github.url}, cache_folder=tmp_path / "cache")
    start = look_through(root)
    (guess,) = start.proposals
    here = {"url": f"{world.url}/acme/widget/releases/download/{{version}}/install.yaml"}
    start = restarted(start, (replace(guess, sources=(here,)),))
    (proposal,) = tried_upstream(start, root, settings).proposals
    assert proposal.complete is is_borne_out
    assert bool(proposal.unsure) is not is_borne_out


# -- what a file says of itself ----------------------------------------------------------------------

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


@pytest.mark.parametrize(
    "header",
    [
        f"# Downloaded from {URL}",
        f"# Vendored from {URL}",
        f"# Source: {URL}",
        f"# This file was generated by curl, and copied from:\n# {URL}",
        f"# copyright\n#\n# Pulled and modified from: {URL}",
    ],
)
def test_any_manifest_may_say_where_it_comes_from(tmp_path, header):
    proposal = only(tmp_path, {"app/objects.yaml": f"{header}\n{MANIFEST}"})
    assert (proposal.version, proposal.base, proposal.complete) == ("v1.2.3", "app", True)
    assert source(proposal) == {"url": URL.replace("v1.2.3", "{version}"), "file": "objects.yaml"}
    assert proposal.unsure


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("app/a.yaml", f"# see {URL} for what there is\n{MANIFEST}"),
        ("app/a.yaml", f"# from the days of {URL}\n{MANIFEST}"),
        ("app/a.yaml", f"{MANIFEST}# downloaded from {URL}\n"),
        ("app/values.yaml", f"# Copied from {URL}\na: b\n"),
        ("app/kustomization.yaml", f"# downloaded from {URL}\nresources: [other.yaml]\n"),
    ],
)
def test_a_comment_that_only_mentions_a_file_vendors_nothing(tmp_path, path, text):
    assert found(tmp_path, {path: text, "app/other.yaml": MANIFEST}) == {}


def test_a_kustomization_tells_of_the_files_beside_it(tmp_path):
    text = f"# downloaded from {URL}\nresources: [install.yaml]\n"
    proposal = only(tmp_path, {"app/kustomization.yaml": text, "app/install.yaml": MANIFEST})
    assert (proposal.base, source(proposal)) == ("app", {"url": URL.replace("v1.2.3", "{version}")})


def test_a_template_made_of_a_manifest_is_no_base(tmp_path):
    proposal = only(tmp_path, {"app/k8s.yaml.template": f"# Sourced from {URL}\n{MANIFEST}"})
    assert not proposal.complete
    assert "fork" in proposal.unsure[-1]


@pytest.mark.parametrize("folder", ["upstream/net", "third_party/acme/net"])
def test_an_unpacked_chart_says_its_version(tmp_path, folder):
    files = {f"{folder}/Chart.yaml": "name: net\nversion: 1.19.4\n", f"{folder}/templates/a.yaml": MANIFEST}
    proposal = only(tmp_path, files)
    assert (proposal.version, proposal.base, proposal.complete) == ("1.19.4", folder, False)


def test_patterns_of_renovate_are_read(tmp_path):
    manager = {
        "customType": "regex",
        "managerFilePatterns": ["/^app/.+\\.yaml$/"],
        "matchStrings": ["image: (?<depName>ghcr\\.io/acme/web):(?<currentValue>v[0-9.]+)"],
        "datasourceTemplate": "docker",
    }
    other = {
        "fileMatch": ["^versions\\.txt\\.yaml$"],
        "matchStrings": ["tool: (?<currentValue>\\S+)", "(?<broken"],
        "depNameTemplate": "acme/tool",
        "datasourceTemplate": "github-releases",
    }
    files = {
        "renovate.json": '{\n  // ours\n  "customManagers": ' + json.dumps([manager, other]) + "}",
        "app/web.yaml": "a: b\nimage: ghcr.io/acme/web:v2.0.0\n",
        "versions.txt.yaml": "tool: v1.2.3\n",
        "else/web.yaml": "image: ghcr.io/acme/web:v9.0.0\n",
    }
    all_of = found(tmp_path, files)
    assert {name: (one.version, one.releases) for name, one in all_of.items()} == {
        "web": ("v2.0.0", {"oci": "ghcr.io/acme/web"}),
        "tool": ("v1.2.3", {"github": "acme/tool"}),
    }
    assert all(one.unsure for one in all_of.values())


@pytest.mark.parametrize("text", ["{", "[]", '{"customManagers": [1, {"matchStrings": "a"}]}'])
def test_a_configuration_of_renovate_that_is_none(tmp_path, text):
    assert found(tmp_path, {"renovate.json": text, "a.yaml": "image: a:1.0.0\n"}) == {}


# -- what makes an entry unsure ----------------------------------------------------------------------


def test_a_file_that_the_folder_does_not_have(tmp_path):
    files = {"Makefile": f"get:\n\tcurl -L {URL} -o up/i.yaml\n", "up/other.yaml": MANIFEST}
    assert [one for one in only(tmp_path, files).unsure if "no `i.yaml` in `up`" in one]


def test_a_file_that_is_too_large_to_read_is_there(tmp_path):
    large = MANIFEST + "# " + "x" * MAX_BYTES
    files = {"Makefile": f"get:\n\tcurl -L {URL} -o up/i.yaml\n", "up/i.yaml": large}
    assert only(tmp_path, files).unsure == ()


def test_a_repository_on_this_machine_is_nobody_elses(tmp_path):
    chart = "name: x\nversion: 0.0.0\ndependencies:\n- {name: a, version: 1.0.0, repository: http://localhost:10191}\n"
    assert "this machine" in only(tmp_path, {"x/Chart.yaml": chart}).unsure[0]


def test_editors_are_told_the_schema(tmp_path):
    assert look_through(tmp_path).text.startswith("# yaml-language-server: $schema=https://")


@pytest.mark.parametrize(("version", "is_sure"), [("1.2.3", True), ("9.9.9", False)])
def test_a_version_that_is_only_named_has_to_be_on_offer(tmp_path, world, version, is_sure):
    world.chart("charts", "app", "1.2.3")
    dependency = f"{{name: app, version: {version}, repository: '{world.url}/charts'}}"
    chart = f"name: x\nversion: 0.0.0\ndependencies:\n- {dependency}\n"
    write_files(tmp_path / "repo", {"x/Chart.yaml": chart})
    settings = Settings(environment={}, cache_folder=tmp_path / "cache")
    (proposal,) = tried_upstream(look_through(tmp_path / "repo"), tmp_path / "repo", settings).proposals
    assert (proposal.unsure == ()) is is_sure


def test_values_are_found_from_where_the_script_starts(tmp_path):
    script = """#!/bin/sh
helm repo add acme https://charts.example.org
helm template a acme/a --version 1.2.3 -f own.yaml > app/upstream/a.yaml
helm template b acme/b --version 1.2.3 -f deploy/values.yaml > app/upstream/b.yaml
helm template c acme/c --version 1.2.3 -f absent.yaml > app/upstream/c.yaml
"""
    files = {
        "scripts/update.sh": script,
        "scripts/own.yaml": "a: b\n",
        "deploy/values.yaml": "a: b\n",
        **{f"app/upstream/{name}.yaml": MANIFEST for name in "abc"},
    }
    all_of = found(tmp_path, files)
    assert source(all_of["a"])["helm"]["values"] == ["scripts/own.yaml"]
    assert source(all_of["b"])["helm"]["values"] == ["deploy/values.yaml"]
    assert [one for one in all_of["c"].unsure if "no `scripts/absent.yaml`" in one]


def test_a_helmfile_may_be_a_template(tmp_path):
    helmfile = """bases: [environments.yaml]
---
repositories:
- {name: acme, url: https://charts.example.org}
releases:
{{- if .Values.on }}
- name: reloader
  chart: acme/reloader
  version: {{ .Values.chart_version | quote }}
  installed: {{ .Values.on }}
  {{- /* of two
  lines: 1 */}}
  values:
  - a: '{{ .Values.a }}.{{ .Values.b }}'
    {{ toYaml .Values.c | indent 4 }}
{{- end }}
- {name: b, chart: acme/b, version: "1.2.3"}
- {name: c, chart: acme/c, version: '{{ env "C" }}'}
"""
    files = {"r/helmfile.yaml": helmfile, "r/defaults.yaml": "on: true\nchart_version: 0.0.75\n"}
    all_of = found(tmp_path, files)
    reloader = all_of["reloader"]
    assert (reloader.version, reloader.unsure) == ("0.0.75", ())
    assert reloader.edits == ({"file": "r/defaults.yaml", "path": "chart_version", "value": "{version}"},)
    assert all_of["b"].version == "1.2.3"
    assert not all_of["c"].complete


@pytest.mark.parametrize(
    "start",
    [
        'cd "$(git rev-parse --show-toplevel)"',
        'ROOT="$(git rev-parse --show-toplevel)"\ncd "$ROOT"',
        'REPO_ROOT="${1:-$(pwd)}"\ncd "${REPO_ROOT}"',
        'cd "$(dirname "$0")/.."',
        'cd "$(dirname "${BASH_SOURCE[0]}")/.."',
        'SCRIPT_DIR="$(cd "$(dirname "$0")" && pwd)"\ncd "$SCRIPT_DIR/.."',
        'REPO_ROOT="${1:-${WORKSPACE:-$(git rev-parse --show-toplevel)}}"\ncd "$REPO_ROOT"',
    ],
)
def test_a_script_says_where_it_starts(tmp_path, start):
    script = f"#!/bin/bash\n{start}\ncurl -L {URL} -o app/upstream/install.yaml\n"
    proposal = only(tmp_path, {"hack/update.sh": script, "app/upstream/install.yaml": MANIFEST})
    assert (proposal.base, proposal.unsure) == ("app/upstream", ())
