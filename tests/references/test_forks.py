"""A pull request of a stranger's: what only it names is neither asked for nor read, and that is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from references.conftest import PATCH, Repository, Since, Upstreams, deployment, verdicts
from upstreamsync import open as open_project
from upstreamsync.errors import Refused
from upstreamsync.model import Verification
from upstreamsync.project.settings import Settings
from upstreamsync.references.permits import Permits
from upstreamsync.references.remote import WebFile, read_resource
from upstreamsync.testing import World

SECRET = "token-of-the-runner"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[World]:
    """A host that nobody named before; everything is there for the taking."""
    with World() as world:
        world.git("acme/widget").commit({"config/default/kustomization.yaml": "namePrefix: x-\n"})
        world.git("acme/widget").tag("v1.0.0")
        world.file("install.yaml", deployment("1.0.0"))
        world.file("values.yaml", "replicas: 5\n")
        world.chart("charts", "widget", "1.0.0")
        world.oci_chart("oci/widget", "1.0.0")
        yield world


def unjudged(found: Verification) -> list[str]:
    return [item.why for item in found.items if item.verdict == "unjudged" and item.reason == "not_reachable"]


def kustomization(*lines: str) -> dict[str, str]:
    return {"app/kustomization.yaml": "\n".join(lines) + f"\n{PATCH}"}


def application(url: str, chart: str = "chart: widget", version: str = "1.0.0") -> dict[str, str]:
    return {
        "apps/widget.yaml": f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: widget}}
spec: {{source: {{repoURL: '{url}', {chart}, targetRevision: {version}, helm: {{valuesObject: {{replicas: 2}}}}}}}}
"""
    }


Files = dict[str, str]
CASES: dict[str, tuple[Callable[[Upstreams], Files], Callable[[World], Files]]] = {
    "a host in resources": (
        lambda u: kustomization(f"resources: ['{u.git}//config/default?ref=v1.0.0']"),
        lambda w: kustomization(f"resources: ['{w.git('acme/widget').url}//config/default?ref=v1.0.0']"),
    ),
    "a file of another host": (
        lambda u: kustomization(f"resources: ['{u.url}/releases/v1.0.0/install.yaml']"),
        lambda w: kustomization(f"resources: ['{w.url}/install.yaml']"),
    ),
    "a repository of charts": (
        lambda u: kustomization(f"helmCharts: [{{name: widget, repo: '{u.url}/charts', version: 1.0.0}}]"),
        lambda w: kustomization(f"helmCharts: [{{name: widget, repo: '{w.url}/charts', version: 1.0.0}}]"),
    ),
    "a registry": (
        lambda u: kustomization(f"helmCharts: [{{name: widget, repo: '{u.world.oci_url}/oci', version: 1.0.0}}]"),
        lambda w: kustomization(f"helmCharts: [{{name: widget, repo: '{w.oci_url}/oci', version: 1.0.0}}]"),
    ),
    "an Application's repository": (
        lambda u: application(f"{u.url}/charts"),
        lambda w: application(f"{w.url}/charts"),
    ),
    "a reference that is new altogether": (
        lambda u: kustomization(f"resources: ['{u.git}//config/default?ref=v1.0.0']"),
        lambda w: kustomization(f"resources: ['{w.url}/install.yaml']"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_host_that_only_the_change_names(
    case: str, upstreams: Upstreams, elsewhere: World, repository: Repository, since: Since
) -> None:
    before, after = CASES[case]
    repository.commit(before(upstreams))
    repository.commit(after(elsewhere))
    elsewhere.requests.clear()
    found = since()
    assert elsewhere.requests == []
    assert unjudged(found)
    assert all("only this change names" in why for why in unjudged(found))
    assert found.unjudged, "the run must not end with 0"


def test_a_host_that_is_allowed(
    upstreams: Upstreams, elsewhere: World, repository: Repository, since: Since
) -> None:
    repository.commit(kustomization(f"resources: ['{upstreams.url}/releases/v1.0.0/install.yaml']"))
    repository.commit(kustomization(f"resources: ['{elsewhere.url}/install.yaml']"))
    found = since(allow_hosts=("127.0.0.1",))
    assert verdicts(found) == {}
    assert [overlay.path for overlay in found.overlays] == ["app"]


@pytest.mark.parametrize("accepted", [True, False])
def test_hosts_that_vendors_yaml_allows(
    accepted: bool, upstreams: Upstreams, elsewhere: World, repository: Repository, tmp_path: Path
) -> None:
    """A change may add to them whatever it likes: what counts is the revision that it stands on."""
    allowing = {"vendors.yaml": "version: 1\nvendors: []\nallow_hosts: [127.0.0.1]\n"}
    plain = {"vendors.yaml": "version: 1\nvendors: []\n"}
    base = kustomization(f"resources: ['{upstreams.url}/releases/v1.0.0/install.yaml']")
    repository.commit({**base, **(allowing if accepted else plain)})
    repository.commit({**kustomization(f"resources: ['{elsewhere.url}/install.yaml']"), **allowing})
    elsewhere.requests.clear()
    settings = Settings(cache_folder=tmp_path / "cache", jobs=2, attempts=1)
    with open_project(repository.root, settings=settings) as project:
        found = project.verify(since="HEAD~1")
    assert bool(elsewhere.requests) is accepted
    assert bool(unjudged(found)) is not accepted


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data/install.yaml",
        "http://[::1]:1/install.yaml",
        "https://10.0.0.1/acme/widget.git//config?ref=v1",
        "https://metadata.internal/x.yaml",
        "ssh://git@10.0.0.1/acme/widget.git//config?ref=v1",
    ],
)
def test_an_address_of_the_inside(
    address: str, upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    repository.commit(kustomization(f"resources: ['{upstreams.url}/releases/v1.0.0/install.yaml']"))
    repository.commit(kustomization(f"resources: ['{address}']"))
    found = since()
    assert unjudged(found)
    assert all("only this change names" in why for why in unjudged(found))


@pytest.mark.parametrize(
    "case",
    [
        "helmCharts: [{{name: widget, repo: '{url}/charts', version: 1.0.0, valuesFile: {secret}}}]",
        "helmCharts: [{{name: widget, repo: '{url}/charts', version: 1.0.0, valuesFile: ../../outside/secret.yaml}}]",
        "helmCharts: [{{name: widget, repo: '{url}/charts', version: 1.0.0, additionalValuesFiles: [../../outside/secret.yaml]}}]",
        "helmCharts: [{{name: widget, repo: '{url}/charts', version: 1.0.0}}]\nconfigMapGenerator: [{{name: a, files: [../../outside/secret.yaml]}}]",
        "resources: ['file://{outside}//x?ref=main']",
        "resources: [../../outside]",
    ],
)
def test_a_file_outside_of_the_repository(
    case: str, upstreams: Upstreams, repository: Repository, since: Since, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.yaml").write_text(f"replicas: 7\ndata: {SECRET}\n", "utf-8")
    (outside / "kustomization.yaml").write_text("resources: [secret.yaml]\n", "utf-8")
    repository.commit(
        kustomization(f"helmCharts: [{{name: widget, repo: '{upstreams.url}/charts', version: 1.0.0}}]")
    )
    text = case.format(url=upstreams.url, secret=outside / "secret.yaml", outside=outside)
    repository.commit(kustomization(text.replace("version: 1.0.0", "version: 1.0.1")))
    found = since()
    assert SECRET not in repr(found)
    assert any(item.severity.rank <= 2 for item in found.items), "not said"


def test_a_ref_that_is_an_option(upstreams: Upstreams, repository: Repository, since: Since) -> None:
    repository.commit(kustomization(f"resources: ['{upstreams.git}//config/default?ref=v1.0.0']"))
    repository.commit(
        kustomization(f"resources: ['{upstreams.git}//config/default?ref=--upload-pack=touch%20/tmp/x']")
    )
    assert unjudged(since())


def test_content_may_name_more_only_where_the_base_revision_named_it(
    upstreams: Upstreams, elsewhere: World, repository: Repository, since: Since
) -> None:
    """A branch that a stranger chose may name a host inside; one that was accepted may name others."""
    inner = upstreams.world.git("acme/outer")
    inner.commit({"kustomization.yaml": f"resources: ['{upstreams.git}//config/default?ref=v1.0.0']\n"})
    inner.tag("v1")
    inner.commit({"kustomization.yaml": f"resources: ['{elsewhere.url}/install.yaml']\n"})
    inner.tag("v2")
    repository.commit(kustomization(f"resources: ['{inner.url}//.?ref=v1']"))
    repository.commit(kustomization(f"resources: ['{inner.url}//.?ref=v2']"))
    elsewhere.requests.clear()
    found = since()
    assert elsewhere.requests == []
    assert unjudged(found)


@pytest.mark.parametrize(
    "inner",
    [
        "http://10.0.0.1/install.yaml",
        "https://[::1]:1/x.git//a?ref=v1",
        "ssh://git@127.0.0.9/x/y.git//a",
        "file:///etc//x?ref=v1",
    ],
)
def test_upstreams_content_leads_nowhere_inside(
    inner: str, upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    """Even where the accepted revision's own content names it."""
    outer = upstreams.world.git("acme/" + inner.partition(":")[0])
    for version in ("v1", "v2"):
        outer.commit({"kustomization.yaml": f"resources: ['{inner}']\n", "version": version})
        outer.tag(version)
    repository.commit(kustomization(f"resources: ['{outer.url}//.?ref=v1']"))
    repository.commit(kustomization(f"resources: ['{outer.url}//.?ref=v2']"))
    assert any("named by what was fetched" in why for why in unjudged(since()))


def test_offline_asks_nothing(upstreams: Upstreams, repository: Repository, since: Since) -> None:
    repository.commit(kustomization(f"resources: ['{upstreams.url}/releases/v1.0.0/install.yaml']"))
    repository.commit(kustomization(f"resources: ['{upstreams.url}/releases/v1.1.0/install.yaml']"))
    before = len(upstreams.world.requests)
    found = since(offline=True)
    assert len(upstreams.world.requests) == before
    assert all("--offline" in why for why in unjudged(found))
    assert verdicts(found) == {"app: patches[0]": "unjudged"}


@pytest.mark.parametrize(
    "folder", ["..", "%2e%2e", ".%2E", "%252e%252e", "..;x", "..\\..", "./..", "%2e%2e%2f.."]
)
def test_no_spelling_of_a_shared_host_leads_from_one_repository_into_another(folder: str) -> None:
    """Clients and servers resolve them, and this machine's credentials are for the whole host."""
    known = read_resource("https://raw.githubusercontent.com/acme/open/main/a.yaml")
    assert known is not None
    permits = Permits.of([known], ())
    for host in ("raw.githubusercontent.com", "github.com", "codeload.github.com"):
        asked = read_resource(f"https://{host}/acme/open/{folder}/closed/main/a.yaml")
        assert asked is not None
        with pytest.raises(Refused, match="only this change names"):
            permits.check(asked)
    permits.check(WebFile(url="https://github.com/acme/open/raw/v1..v2/a.yaml?x=/../.."))
