"""A pull request that moves nothing but a reference, in each form: what it breaks is said, the rest is quiet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from references.conftest import PATCH, Repository, Since, Upstreams, loud, verdicts
from upstreamsync.references.remote import GitPath

#: What becomes of a patch that adds a container without an image in place of changing one.
BROKEN = ("misapplied", "rejected")
Form = Callable[[Upstreams, str], dict[str, str]]


def kustomization(entry: str, field: str = "resources") -> dict[str, str]:
    return {"app/kustomization.yaml": f"{field}:\n- {entry}\n{PATCH}"}


def chart(upstreams: Upstreams, version: str, repository: str) -> dict[str, str]:
    return {
        "app/kustomization.yaml": f"""\
helmCharts:
- name: widget
  repo: {repository}
  version: {version}
  releaseName: widget
{PATCH}"""
    }


def generator_file(upstreams: Upstreams, version: str) -> dict[str, str]:
    return {
        "app/kustomization.yaml": f"generators: [chart.yaml]\n{PATCH}",
        "app/chart.yaml": f"""\
apiVersion: builtin
kind: HelmChartInflationGenerator
metadata: {{name: widget}}
name: widget
repo: {upstreams.url}/charts
version: {version}
releaseName: widget
""",
    }


def old_generator_field(upstreams: Upstreams, version: str) -> dict[str, str]:
    return {
        "app/kustomization.yaml": f"""\
helmChartInflationGenerator:
- chartName: widget
  chartRepoUrl: {upstreams.url}/charts
  chartVersion: {version}
  releaseName: widget
{PATCH}"""
    }


def environment(upstreams: Upstreams, version: str) -> dict[str, str]:
    return {
        "app/kustomization.yaml": f"""\
configMapGenerator:
- name: settings
  envs: ["{upstreams.url}/settings/v{version}/app.env"]
resources: [deployment.yaml]
replacements:
- source: {{kind: ConfigMap, name: settings, fieldPath: data.LOG}}
  targets:
  - select: {{kind: Deployment, name: own}}
    fieldPaths: [metadata.annotations.log]
    options: {{create: true}}
""",
        "app/deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: own, annotations: {a: b}}\n",
    }


FORMS: dict[str, Form] = {
    "git": lambda u, v: kustomization(f"{u.git}//config/default?ref=v{v}"),
    "git by version": lambda u, v: kustomization(f"{u.git}//config/default?version=v{v}"),
    "git without a double slash": lambda u, v: kustomization(f"{u.git}/config/default?ref=v{v}"),
    "git with a timeout": lambda u, v: kustomization(
        f"{u.git}//config/default?timeout=90s&submodules=false&ref=v{v}"
    ),
    "git by prefix": lambda u, v: kustomization(f"git::{u.git}//config/default?ref=v{v}"),
    "git on this machine": lambda u, v: kustomization(f"file://{u.path}//config/default?ref=v{v}"),
    "a base in git": lambda u, v: kustomization(f"{u.git}//config/default?ref=v{v}", "bases"),
    "a component in git": lambda u, v: kustomization(f"{u.git}//config/part?ref=v{v}", "components"),
    "a release's file": lambda u, v: kustomization(f"{u.url}/releases/v{v}/install.yaml"),
    "below a base of one's own": lambda u, v: {
        "base/kustomization.yaml": f"resources: ['{u.git}//config/default?ref=v{v}']\n",
        "app/kustomization.yaml": f"resources: [../base]\n{PATCH}",
    },
    "helmCharts": lambda u, v: chart(u, v, f"{u.url}/charts"),
    "helmCharts from a registry": lambda u, v: chart(u, v, f"{u.world.oci_url}/oci"),
    "HelmChartInflationGenerator": generator_file,
    "helmChartInflationGenerator": old_generator_field,
    "configMapGenerator": environment,
}


@pytest.mark.parametrize("form", FORMS)
def test_what_breaks_is_said(form: str, upstreams: Upstreams, repository: Repository, since: Since) -> None:
    repository.commit(FORMS[form](upstreams, "1.0.0"))
    repository.commit(FORMS[form](upstreams, "1.1.0"))
    found = since()
    if form == "configMapGenerator":
        assert verdicts(found) == {"app: replacements[0]": "fails"}
        return
    assert verdicts(found).keys() == {"app: patches[0]"}
    (item,) = loud(found)
    assert item.verdict.value in BROKEN
    text = (repository.root / item.file).read_text("utf-8").splitlines()
    assert "apiVersion" in text[item.line - 1]


@pytest.mark.parametrize("form", FORMS)
def test_what_breaks_nothing_is_quiet(
    form: str, upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    repository.commit(FORMS[form](upstreams, "1.0.0"))
    repository.commit(FORMS[form](upstreams, "1.0.1"))
    found = since()
    assert [overlay.path for overlay in found.overlays] == ["app"]
    assert found.overlays[0].after.ok
    assert found.items
    assert loud(found) == []


def test_an_unmoved_reference_concerns_nobody(
    upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    files = FORMS["git"](upstreams, "1.0.0")
    repository.commit(files)
    repository.commit({"README.md": "changed"})
    before = len(upstreams.world.requests)
    assert since().overlays == ()
    assert len(upstreams.world.requests) == before


def test_only_what_moved_is_asked_for_and_built(
    upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    other = {
        f"other{n}/kustomization.yaml": f"resources: ['{upstreams.url}/never/{n}.yaml']\n" for n in range(5)
    }
    repository.commit({**FORMS["helmCharts"](upstreams, "1.0.0"), **other})
    repository.commit(FORMS["helmCharts"](upstreams, "1.0.1"))
    found = since()
    assert [overlay.path for overlay in found.overlays] == ["app"]
    assert upstreams.world.count("/never") == 0


def test_settings_of_a_base_with_a_moved_reference_are_judged(
    upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    """A base that others include, with a reference and an image of its own, is the user's."""
    base = (
        "resources: ['{git}//config/default?ref=v{version}']\n"
        "images: [{{name: example.com/widget, newName: mirror.example.com/widget}}]\n"
        + PATCH.replace("{", "{{").replace("}", "}}")
    )
    above = {"app/kustomization.yaml": "resources: [../base]\nnamespace: here\n"}
    repository.commit({"base/kustomization.yaml": base.format(git=upstreams.git, version="1.0.0"), **above})
    repository.commit({"base/kustomization.yaml": base.format(git=upstreams.git, version="1.1.0")})
    found = since()
    assert {item.item for item in found.items} >= {"base: images[0]", "base: patches[0]", "app: namespace"}
    assert verdicts(found).keys() == {"base: patches[0]"}
    assert verdicts(found)["base: patches[0]"] in BROKEN


def test_two_charts_of_one_name(upstreams: Upstreams, repository: Repository, since: Since) -> None:
    entry = "- {{name: widget, repo: '{url}/charts', version: {version}, releaseName: {release}, namespace: {release}}}\n"

    def files(one: str, two: str) -> dict[str, str]:
        first = entry.format(url=upstreams.url, version=one, release="one")
        second = entry.format(url=upstreams.url, version=two, release="two")
        return {
            "app/kustomization.yaml": "helmCharts:\n" + first + "namePrefix: x-\n"
            if not two
            else f"helmCharts:\n{first}{second}"
        }

    repository.commit(files("1.0.0", "1.0.0"))
    repository.commit(files("1.0.0", "1.1.0"))
    found = since()
    assert [overlay.path for overlay in found.overlays] == ["app"]


def test_an_image_tag_alone(repository: Repository, since: Since) -> None:
    text = "resources: [deployment.yaml]\nimages: [{{name: example.com/own, newTag: '{tag}'}}]\n"
    own = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: own}\nspec: {template: {spec: {containers: [{name: a, image: 'example.com/own:1'}]}}}\n"
    repository.commit({"app/kustomization.yaml": text.format(tag="1.1"), "app/deployment.yaml": own})
    repository.commit({"app/kustomization.yaml": text.format(tag="1.2")})
    found = since()
    assert [overlay.path for overlay in found.overlays] == ["app"]
    assert loud(found) == []
    repository.commit({"app/kustomization.yaml": text.format(tag="1.3").replace("com/own", "com/gone")})
    assert verdicts(since()) != {}


def test_a_long_address_is_a_folder_like_any_other(
    upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    """A file system takes names of 255 bytes: what two long addresses share must not make them one."""
    long = upstreams.path.parent / Path(*["a-folder-with-a-long-name-" + str(n) * 30 for n in range(8)])
    long.parent.mkdir(parents=True)
    long.symlink_to(upstreams.path)
    forms = lambda version: kustomization(f"file://{long}//config/default?ref=v{version}")  # noqa: E731
    repository.commit(forms("1.0.0"))
    repository.commit(forms("1.1.0"))
    assert verdicts(since()).keys() == {"app: patches[0]"}


def test_long_names_stay_apart() -> None:
    one, other = (GitPath(repository=f"https://h.example/{'x' * 300}{end}") for end in "ab")
    assert one.slug != other.slug
    assert len(one.slug) < 150
    assert replace(one, ref="v2").slug == one.slug


def test_the_same_values_of_the_same_chart_take_no_part_where_it_can_not_be_had(
    upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    """A registry that asks for a password, say: another chart of the overlay moves, and that is judged."""
    private = "- name: other\n  repo: {url}/none\n  version: {version}\n  valuesInline: {{a: {value}}}\n"

    def files(version: str, other: str = "1.0.0", value: str = "b") -> dict[str, str]:
        text = chart(upstreams, version, f"{upstreams.url}/charts")["app/kustomization.yaml"]
        more = private.format(url=upstreams.url, version=other, value=value)
        return {"app/kustomization.yaml": text.replace("helmCharts:\n", f"helmCharts:\n{more}")}

    repository.commit(files("1.0.0"))
    repository.commit(files("1.0.1"))
    found = since()
    assert "helmCharts[other]" in found.overlays[0].left_out[0].what
    assert not [item for item in found.items if item.verdict == "unjudged"]
    assert found.items
    for moved in (files("1.0.1", other="1.0.1"), files("1.0.0", other="1.0.1", value="c")):
        repository.commit(moved)
        assert [item.item for item in since().items if item.verdict == "unjudged"]
