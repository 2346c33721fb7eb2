"""What a script does besides fetching: where a download is carried to, and what changes it."""

from __future__ import annotations

import pytest

from discover.proposals import MAP, found, only, source
from upstreamsync.discover import look_through
from upstreamsync.testing import write_files

URL = "https://github.com/acme/widget/releases/download/v1.2.3/install.yaml"
CHART = "apiVersion: v2\nname: {name}\nversion: {version}\n"


@pytest.mark.parametrize(
    "commands",
    [
        "curl -LOs {0}\n\tmv install.yaml upstream/",
        "curl -L {0} -o /tmp/x.yaml\n\tmv /tmp/x.yaml upstream/install.yaml",
        "curl -L {0} > /tmp/x.yaml && cp /tmp/x.yaml upstream/install.yaml",
        "rm -rf .tmp; mkdir .tmp\n\tcurl -L {0} -o .tmp/install.yaml\n\tmv .tmp/install.yaml upstream/install.yaml",
        "for f in install; do curl -L " + URL.replace("install", "$$f") + " -o upstream/$$f.yaml; done",
    ],
)
def test_a_download_is_followed_to_where_it_stays(tmp_path, commands):
    files = {"app/Makefile": f"get:\n\t{commands.format(URL)}\n", "app/upstream/install.yaml": MAP}
    proposal = only(tmp_path, files)
    assert (proposal.base, proposal.unsure) == ("app/upstream", ())
    assert source(proposal) == {"url": URL.replace("v1.2.3", "{version}")}


def test_a_download_that_is_parted_has_a_base_for_each_part(tmp_path):
    makefile = f"""get:
\tcurl -L {URL} > /tmp/all.yaml
\tsd sys my-sys /tmp/all.yaml
\tyq 'select(.kind == "Role")' /tmp/all.yaml > cluster/role.yaml
\tyq 'select(.kind != "Role")' /tmp/all.yaml > spaced/rest.yaml
"""
    files = {"app/Makefile": makefile, "app/cluster/role.yaml": MAP, "app/spaced/rest.yaml": MAP}
    proposal = only(tmp_path, files)
    assert sorted(proposal.bases) == ["app/cluster", "app/spaced"]
    assert sorted(one["file"] for one in proposal.sources) == ["rest.yaml", "role.yaml"]
    assert [one for one in proposal.unsure if "sd sys my-sys" in one]
    assert [one for one in proposal.unsure if "select(.kind == " in one]


@pytest.mark.parametrize(
    ("after", "is_said"),
    [
        ("\tsed -i 's/a/b/' upstream/install.yaml", True),
        ("\tsed -n 's/a/b/p' upstream/install.yaml", False),
        ("\tyq -i '.a = 1' upstream/install.yaml", True),
        ("\tyq '.a' upstream/install.yaml", False),
        ("\tperl -pi -e 's/a/b/' upstream/*.yaml", True),
        ("\tawk -i inplace '1' upstream/install.yaml", True),
        ("\tpatch -p1 < patches/a.patch", True),
        ("\tpatch --dry-run -p1 < patches/a.patch", False),
        ("\tfor f in ./upstream/*.yaml; do awk 1 $$f > tmp; cat tmp > $$f; done", True),
        ("\trm -f upstream/install.yaml", True),
        ("\trm -rf upstream/other.yaml", False),
        ("\techo done upstream/install.yaml", False),
        ("\n.PHONY: clean\nclean:\n\trg -l ns upstream/ | xargs -r sd ns ''", True),
        ("\nother:\n\tpatch -p1 < patches/a.patch", False),
        ("\tsed -i 's/a/b/' values.yaml", False),
    ],
)
def test_what_changes_a_base_besides_fetching_is_said(tmp_path, after, is_said):
    makefile = f"get:\n\tcurl -L {URL} -o upstream/install.yaml\n{after}\n"
    files = {"app/Makefile": makefile, "app/upstream/install.yaml": MAP}
    assert bool([one for one in only(tmp_path, files).unsure if "also runs" in one]) is is_said


def test_a_variable_may_hold_a_pipe(tmp_path):
    makefile = f"ns=| sed -E 's/a/b/'\nget:\n\tcurl -L {URL} $(ns) > install.yaml\n"
    files = {"app/Makefile": makefile, "app/install.yaml": MAP}
    assert [one for one in only(tmp_path, files).unsure if "sed -E s/a/b/" in one]


def test_a_loop_whose_words_are_not_known_is_not_complete(tmp_path):
    url = URL.replace("install", "$f")
    script = f"#!/bin/sh\nfor f in $(cat list); do\n  curl -L {url} -o app/upstream/$f.yaml\ndone\n"
    assert not only(tmp_path, {"get.sh": script, "app/upstream/x.yaml": MAP}).complete


def test_text_that_a_command_is_given_is_no_command(tmp_path):
    script = f"#!/bin/sh\ncat > help.txt <<'EOF'\ncurl -L {URL} -o app/upstream/install.yaml\nEOF\necho\n"
    assert found(tmp_path, {"get.sh": script, "app/upstream/install.yaml": MAP}) == {}


@pytest.mark.parametrize(
    ("version", "after", "remark"),
    [
        ("--version 1.19.4", "", None),
        ("", "", None),
        ("--version 1.19", "", "`1.19` is a range"),
        ("--version 1.19.4", "rm -rf charts/net/charts", "rm -rf charts/net/charts"),
        ("--version 1.19.4", "mv charts/net/crds/*.yaml ../crds/", "mv charts/net/crds"),
    ],
)
def test_a_chart_that_is_unpacked_is_a_base_of_its_own_files(tmp_path, version, after, remark):
    makefile = f"""up:
\trm -rf charts
\thelm repo add acme https://helm.example.org
\thelm pull acme/net --untar --untardir charts {version}
\t{after}
"""
    dependency = "dependencies:\n- {name: lib, version: 1.0.0, repository: https://helm.example.org}\n"
    page = "```sh\nhelm repo add acme https://helm.example.org\nhelm install acme acme/net\n```\n"
    files = {
        "net/Makefile": makefile,
        "net/Chart.yaml": CHART.format(name="own", version="0.0.0"),
        "net/charts/net/Chart.yaml": CHART.format(name="net", version="1.19.4") + dependency,
        "net/charts/net/README.md": page,
    }
    proposal = only(tmp_path, files)
    assert (proposal.version, proposal.base) == ("1.19.4", "net/charts/net")
    assert source(proposal) == {
        "helm": {"repository": "https://helm.example.org", "chart": "net"},
        "render": False,
    }
    assert proposal.unsure == () if remark is None else remark in proposal.unsure[0]


@pytest.mark.parametrize("folder", ["apps/x/charts/app", "upstream/acme/app", "third_party/app"])
def test_what_a_vendored_chart_declares_is_not_ours_to_edit(tmp_path, folder):
    ours = "dependencies:\n- {name: app, version: 2.6.0, repository: https://charts.example.org}\n"
    theirs = "dependencies:\n- {name: lib, version: 1.0.0, repository: https://charts.example.org}\n"
    files = {
        "apps/x/Chart.yaml": CHART.format(name="x", version="0.0.0") + ours,
        f"{folder}/Chart.yaml": CHART.format(name="app", version="2.6.0") + theirs,
        f"{folder}/README.md": f"```sh\nkubectl apply -f {URL}\n```\n",
    }
    assert "lib" not in found(tmp_path, files)
    assert "widget" not in found(tmp_path, files)


def test_a_chart_among_the_charts_of_another_one_may_be_ours(tmp_path):
    declared = "dependencies:\n- {name: lib, version: 1.0.0, repository: https://charts.example.org}\n"
    files = {
        "x/Chart.yaml": CHART.format(name="x", version="0.0.0"),
        "x/charts/own/Chart.yaml": CHART.format(name="own", version="0.0.0") + declared,
    }
    assert only(tmp_path, files).unsure


@pytest.mark.parametrize(
    "line",
    [f"kubectl apply -f {URL}", "helm install a acme/a", "curl -L https://example.org/<v>/a.yaml -o a.yaml"],
)
def test_a_page_that_tells_how_to_install_something_vendors_nothing(tmp_path, line):
    page = f"```sh\nhelm repo add acme https://helm.example.org\n{line}\n```\n"
    assert found(tmp_path, {"README.md": page}) == {}


def test_the_latest_release_is_followed_from_what_is_there(tmp_path):
    url = "https://github.com/acme/widget-operator/releases/latest/download/all.yaml"
    image = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: 'ghcr.io/acme/manager:v2.9.0'}]}\n"
    files = {"app/Makefile": f"get:\n\tcurl -L {url} -o upstream/all.yaml\n", "app/upstream/all.yaml": image}
    proposal = only(tmp_path, files)
    assert (proposal.name, proposal.version) == ("widget-operator", "v2.9.0")
    assert source(proposal)["url"] == url.replace("/latest/download/", "/download/{version}/")
    assert proposal.releases == {"github": "acme/widget-operator"}
    assert proposal.unsure


def test_a_folder_goes_into_a_folder_under_its_own_name(tmp_path):
    makefile = """up:
\tgit clone --branch v2.0.0 https://github.com/acme/op tmp-repo
\tcp -r tmp-repo/charts/op charts/
\tcp tmp-repo/config/crd.yaml crds/op-crd.yaml
"""
    files = {
        "op/Makefile": makefile,
        "op/charts/op/Chart.yaml": CHART.format(name="op", version="2.0.0"),
        "op/crds/op-crd.yaml": MAP,
    }
    proposal = only(tmp_path, files)
    assert proposal.bases == ("op/charts/op", "op/crds")
    assert proposal.sources[1]["file"] == "op-crd.yaml"
    assert proposal.complete


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("acme/op/refs/heads/main/a.yaml", ("main", "acme/op/{version}/a.yaml")),
        ("acme/op/refs/tags/v1.0.0/a.yaml", ("v1.0.0", "acme/op/refs/tags/{version}/a.yaml")),
        ("acme/op/ccm/v27.1.5/a.yaml", ("v27.1.5", "acme/op/ccm/{version}/a.yaml")),
        ("acme/op/main/v1.2.3/a.yaml", ("main", "acme/op/{version}/v1.2.3/a.yaml")),
    ],
)
def test_a_ref_in_the_path_of_a_raw_file(tmp_path, path, expected):
    raw = "https://raw.githubusercontent.com/"
    proposal = only(tmp_path, {"a/kustomization.yaml": f"resources: ['{raw}{path}']\n"})
    assert (proposal.version, source(proposal)["url"].removeprefix(raw)) == expected


def test_dependencies_of_a_go_program_are_no_manifests(tmp_path):
    write_files(
        tmp_path,
        {
            "vendor/modules.txt": "",
            "vendor/a.io/b/c.yaml": MAP,
            "x/testdata/kustomization.yaml": f"resources: [{URL}]\n",
        },
    )
    start = look_through(tmp_path)
    assert (start.proposals, start.unexplained) == ((), ())


def test_an_alias_means_what_its_own_script_says(tmp_path):
    line = (
        "helm repo add acme https://{0}.example.org\n\thelm template a acme/{0} --version 1.2.3 > up/{0}.yaml"
    )
    files = {f"{one}/Makefile": f"up:\n\t{line.format(one)}\n" for one in ("a", "b")}
    third = {"c/Makefile": "up:\n\thelm template c acme/c --version 1.2.3 > up/c.yaml\n"}
    all_of = found(tmp_path, {**files, **third})
    assert [source(all_of[one])["helm"]["repository"] for one in ("a", "b")] == [
        "https://a.example.org",
        "https://b.example.org",
    ]
    assert set(all_of) == {"a", "b"}
