"""What controllers and other tools build: a pull request that moves the version in their files, both ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from references.conftest import Repository, Since, Upstreams, chart_files, loud, verdicts
from upstreamsync.project.settings import Settings
from upstreamsync.project.verify.effects import effects_of

PATCHES = """\
- target: {kind: Deployment, name: widget}
  patch: |-
    - op: test
      path: /spec/template/spec/containers/0/name
      value: manager
    - op: add
      path: /spec/template/spec/containers/0/args
      value: [--fast]
"""


def indented(text: str, by: int) -> str:
    return "".join(" " * by + line + "\n" for line in text.splitlines())


def argo(source: str, kind: str = "Application") -> str:
    return f"""\
apiVersion: argoproj.io/v1alpha1
kind: {kind}
metadata: {{name: widget, namespace: argocd}}
spec:
  destination: {{namespace: tools}}
{indented(source, 2)}"""


def argo_chart(u: Upstreams, version: str, values: str, repository: str | None = None) -> dict[str, str]:
    return {
        "apps/widget.yaml": argo(f"""\
source:
  repoURL: {repository or f"{u.url}/charts"}
  chart: widget
  targetRevision: {version}
  helm:
{indented(values, 4)}""")
    }


def argo_two_sources(u: Upstreams, version: str) -> dict[str, str]:
    return {
        "apps/widget.yaml": argo(f"""\
sources:
- repoURL: {u.url}/charts
  chart: widget
  targetRevision: {version}
  helm:
    valueFiles: [$mine/values/widget.yaml]
- repoURL: https://example.com/own.git
  targetRevision: main
  ref: mine
"""),
        "values/widget.yaml": "# ours\nreplicas: 2\n",
    }


def argo_set(u: Upstreams, version: str) -> dict[str, str]:
    return {
        "apps/widget.yaml": f"""\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: widget}}
spec:
  generators:
  - list: {{elements: [{{cluster: one, version: {version}}}]}}
  template:
    metadata: {{name: 'widget-{{{{cluster}}}}'}}
    spec:
      source:
        repoURL: {u.url}/charts
        chart: widget
        targetRevision: '{{{{version}}}}'
        helm: {{valuesObject: {{replicas: 2}}}}
"""
    }


def argo_folder(u: Upstreams, version: str, path: str, settings: str) -> dict[str, str]:
    return {
        "apps/widget.yaml": argo(f"""\
source:
  repoURL: {u.git}
  path: {path}
  targetRevision: v{version}
{settings}""")
    }


def flux_release(u: Upstreams, version: str, more: str, **files: str) -> dict[str, str]:
    return {
        "flux/repository.yaml": f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {{name: charts, namespace: flux-system}}
spec: {{url: '{u.url}/charts'}}
""",
        "flux/release.yaml": f"""\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: widget, namespace: tools}}
spec:
  chart:
    spec:
      chart: widget
      version: {version}
      sourceRef: {{kind: HelmRepository, name: charts, namespace: flux-system}}
{indented(more, 2)}""",
        **files,
    }


def flux_registry(u: Upstreams, version: str) -> dict[str, str]:
    return {
        "flux/widget.yaml": f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: widget}}
spec: {{url: '{u.world.oci_url}/oci/widget', ref: {{tag: {version}}}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: widget}}
spec:
  chartRef: {{kind: OCIRepository, name: widget}}
  values:
    replicas: 2
"""
    }


def flux_git(u: Upstreams, version: str, what: str) -> dict[str, str]:
    return {
        "flux/source.yaml": f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{name: widget}}
spec: {{url: '{u.git}', ref: {{tag: v{version}}}}}
""",
        "flux/widget.yaml": what,
    }


FLUX_KUSTOMIZATION = f"""\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: widget}}
spec:
  path: ./config/default
  sourceRef: {{kind: GitRepository, name: widget}}
  targetNamespace: tools
  patches:
{indented(PATCHES, 2)}"""
FLUX_GIT_RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: widget}
spec:
  chart: {spec: {chart: ./chart, sourceRef: {kind: GitRepository, name: widget}}}
  values: {replicas: 2}
"""
VALUES_FROM = "valuesFrom: [{kind: ConfigMap, name: widget-values}]"
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: widget-values}
data:
  values.yaml: |
    replicas: 2
"""
POST_RENDERED = f"postRenderers:\n- kustomize:\n    patches:\n{indented(PATCHES, 4)}"

LOST, FAILS = "lost", "fails"
#: Form → (its files, what of it breaks, how, and the file and text of the line that is named).
FORMS: dict[str, tuple[Callable[[Upstreams, str], dict[str, str]], str, str, tuple[str, str]]] = {
    "an Application with a chart and an object of values": (
        lambda u, v: argo_chart(u, v, "valuesObject:\n  replicas: 2"),
        "apps/widget.yaml: Application[widget].values.replicas", LOST, ("apps/widget.yaml", "replicas: 2"),
    ),
    "an Application with a text of values": (
        lambda u, v: argo_chart(u, v, "values: |\n  # ours\n  replicas: 2"),
        "apps/widget.yaml: Application[widget].values.replicas", LOST, ("apps/widget.yaml", "replicas: 2"),
    ),
    "an Application with parameters": (
        lambda u, v: argo_chart(u, v, "parameters:\n- {name: replicas, value: '2'}"),
        "apps/widget.yaml: Application[widget].values.replicas", LOST, ("apps/widget.yaml", "name: replicas"),
    ),
    "an Application with a chart of a registry": (
        lambda u, v: argo_chart(u, v, "valuesObject:\n  replicas: 2", f"{u.world.oci_url.removeprefix('oci://')}/oci"),
        "apps/widget.yaml: Application[widget].values.replicas", LOST, ("apps/widget.yaml", "replicas: 2"),
    ),
    "an Application with values of its own repository": (
        argo_two_sources,
        "apps/widget.yaml: Application[widget].values.replicas", LOST, ("values/widget.yaml", "replicas: 2"),
    ),
    "an ApplicationSet with a list": (
        argo_set,
        "apps/widget.yaml: ApplicationSet[widget-one].values.replicas", LOST, ("apps/widget.yaml", "replicas: 2"),
    ),
    "an Application with a kustomization": (
        lambda u, v: argo_folder(u, v, "config/default", f"  kustomize:\n    namePrefix: x-\n    patches:\n{indented(PATCHES, 4)}"),
        "apps/widget.yaml: Application[widget].patches[0]", FAILS, ("apps/widget.yaml", "target: {kind: Deployment"),
    ),
    "an Application with a chart in git": (
        lambda u, v: argo_folder(u, v, "chart", "  helm: {valuesObject: {replicas: 2}}\n"),
        "apps/widget.yaml: Application[widget].values.replicas", LOST, ("apps/widget.yaml", "replicas: 2"),
    ),
    "a HelmRelease": (
        lambda u, v: flux_release(u, v, "values:\n  replicas: 2"),
        "flux/release.yaml: HelmRelease[widget].values.replicas", LOST, ("flux/release.yaml", "replicas: 2"),
    ),
    "a HelmRelease with values from a ConfigMap": (
        lambda u, v: flux_release(u, v, VALUES_FROM, **{"flux/values.yaml": CONFIG_MAP}),
        "flux/release.yaml: HelmRelease[widget].values.replicas", LOST, ("flux/values.yaml", "replicas: 2"),
    ),
    "a HelmRelease with values from a generated ConfigMap": (
        lambda u, v: flux_release(
            u, v, VALUES_FROM,
            **{
                "flux/kustomization.yaml": "resources: [release.yaml]\nconfigMapGenerator:\n- {name: widget-values, files: [values.yaml=mine.yaml]}\n",
                "flux/mine.yaml": "replicas: 2\n",
            },
        ),
        "flux/release.yaml: HelmRelease[widget].values.replicas", LOST, ("flux/mine.yaml", "replicas: 2"),
    ),
    "a HelmRelease that is changed afterwards": (
        lambda u, v: flux_release(u, v, POST_RENDERED),
        "flux/release.yaml: HelmRelease[widget].patches[0]", FAILS, ("flux/release.yaml", "target: {kind: Deployment"),
    ),
    "a HelmRelease with a chart of a registry": (
        flux_registry, "flux/widget.yaml: HelmRelease[widget].values.replicas", LOST, ("flux/widget.yaml", "replicas: 2"),
    ),
    "a HelmRelease with a chart in git": (
        lambda u, v: flux_git(u, v, FLUX_GIT_RELEASE),
        "flux/widget.yaml: HelmRelease[widget].values.replicas", LOST, ("flux/widget.yaml", "replicas: 2"),
    ),
    "a Kustomization of Flux": (
        lambda u, v: flux_git(u, v, FLUX_KUSTOMIZATION),
        "flux/widget.yaml: Kustomization[widget].patches[0]", FAILS, ("flux/widget.yaml", "target: {kind: Deployment"),
    ),
    "a chart that depends on it": (
        lambda u, v: {
            "charts/own/Chart.yaml": f"apiVersion: v2\nname: own\nversion: 0.1.0\ndependencies:\n- {{name: widget, version: {v}, repository: '{u.url}/charts', alias: tool}}\n",
            "charts/own/values.yaml": "tool:\n  replicas: 2\n",
        },
        "charts/own/Chart.yaml: dependency[tool].values.replicas", LOST, ("charts/own/values.yaml", "replicas: 2"),
    ),
    "a helmfile": (
        lambda u, v: {
            "helmfile.yaml": f"repositories: [{{name: acme, url: '{u.url}/charts'}}]\nreleases:\n- name: widget\n  chart: acme/widget\n  version: {v}\n  values:\n  - mine.yaml\n  - replicas: 3\n",
            "mine.yaml": "replicas: 2\n",
        },
        "helmfile.yaml: release[widget].values.replicas", LOST, ("helmfile.yaml", "replicas: 3"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_what_breaks_is_said(form: str, upstreams: Upstreams, repository: Repository, since: Since) -> None:
    files, item, verdict, (file, text) = FORMS[form]
    repository.commit(files(upstreams, "1.0.0"))
    repository.commit(files(upstreams, "1.1.0"))
    found = since()
    assert verdicts(found) == {item: verdict}
    (judged,) = loud(found)
    assert judged.file == file
    assert text in (repository.root / file).read_text("utf-8").splitlines()[judged.line - 1]


@pytest.mark.parametrize("form", FORMS)
def test_what_breaks_nothing_is_quiet(
    form: str, upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    files, item, _, _ = FORMS[form]
    repository.commit(files(upstreams, "1.0.0"))
    repository.commit(files(upstreams, "1.0.1"))
    found = since()
    assert len(found.overlays) == 1
    assert found.overlays[0].after.ok
    assert item in {judged.item for judged in found.items}
    assert loud(found) == []


def test_effects_of_what_a_controller_builds(
    upstreams: Upstreams, repository: Repository, tmp_path: Path
) -> None:
    """Without any update: each value of an Application's chart, and what does nothing."""
    files = argo_chart(upstreams, "1.0.0", "valuesObject:\n  replicas: 2\n  nmae: typo")
    repository.commit(files)
    found = effects_of(repository.root, Settings(cache_folder=tmp_path / "cache", jobs=2))
    items = {item.item: (item.does.value, item.line) for item in found.items}
    assert items == {
        "apps/widget.yaml: Application[widget].values.replicas": ("changes", 12),
        "apps/widget.yaml: Application[widget].values.nmae": ("changes-nothing", 13),
    }


@pytest.mark.parametrize(("version", "said"), [("1.0.1", []), ("1.1.0", [LOST])])
def test_a_chart_needs_no_values_of_its_own(
    version: str, said: list[object], upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    for each in ("1.0.0", version):
        bare = {**chart_files(each), "values.yaml": "# none\n"}
        upstreams.world.chart("bare", "widget", each, files=bare)
        where = f"{upstreams.url}/bare"
        repository.commit(argo_chart(upstreams, each, "valuesObject: {replicas: 2}", where))
    found = since()
    assert found.overlays[0].after.ok
    assert [judged.verdict for judged in loud(found)] == said


HOOK = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: widget
  annotations: {helm.sh/hook: "pre-upgrade"}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: job, image: "example.com/widget:{{ .Chart.Version }}"}]
"""


def test_hooks_are_helms_where_helm_applies_a_chart(
    upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    """A plain Job could not be changed; helm deletes a hook before it makes the new one."""
    repository.commit({"clusters/apps.yaml": FLUX_APPS})
    for version in ("1.0.0", "1.0.1"):
        hooked = {**chart_files(version), "templates/hook.yaml": HOOK}
        upstreams.world.chart("hooked", "widget", version, files=hooked)
        files = flux_release(upstreams, version, "values: {replicas: 2}")
        files = {path: text.replace("/charts'", "/hooked'") for path, text in files.items()}
        repository.commit(files)
    found = since()
    assert found.items
    assert loud(found) == []


FLUX_APPS = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {path: ./apps, sourceRef: {kind: GitRepository, name: flux-system}}
"""
