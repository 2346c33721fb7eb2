"""What a run asks for: each address once, the second time with a condition, one token per scope."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from upstreamsync.model import Status
from upstreamsync.project import Settings, open_project
from upstreamsync.testing import World, mixed_world


def check(folder: Path, vendors: list[str], cache: Path):
    """One run of its own, as a new process would make it."""
    folder.mkdir(exist_ok=True)
    (folder / "vendors.yaml").write_text("version: 1\nvendors:\n" + "".join(vendors), "utf-8")
    with open_project(folder, settings=Settings(cache_folder=cache, environment={})) as project:
        return project.check()


def row(name: str, version: str, source: str, more: str = "") -> str:
    return f"- {{name: {name}, version: '{version}', base: {name}/base, source: {source}{more}}}\n"


@pytest.fixture(autouse=True)
def _bases_left_out(monkeypatch):
    """What is counted here is what upstream is asked; bases on disk have tests of their own (test_states)."""
    from upstreamsync.project.check import check as checking

    monkeypatch.setattr(checking, "with_bases", lambda lookup, vendor, states: lookup)


@pytest.fixture(scope="module")
def mixed():
    with World() as world:
        yield world, mixed_world(world, charts=200, repositories=60, scale=0.05)


@pytest.mark.slow
def test_two_hundred_charts_cost_one_request_for_each_index(tmp_path, mixed):
    world, charts = mixed
    vendors = [
        row(f"v{n:03}", one.newest, f"{{helm: {{repository: '{one.repository}', chart: {one.chart}}}}}")
        for n, one in enumerate(charts)
    ]
    world.reset()
    findings = check(tmp_path / "repo", vendors, tmp_path / "cache")
    assert [one.status for one in findings] == [Status.UP_TO_DATE] * 200
    assert [one.newest for one in findings] == [one.newest for one in charts]
    first = Counter(request.path for request in world.requests)
    assert first == dict.fromkeys({f"/{path_of(one.repository)}/index.yaml" for one in charts}, 1)

    world.reset()
    assert check(tmp_path / "repo", vendors, tmp_path / "cache") == findings
    assert Counter(request.path for request in world.requests) == first
    assert {request.status for request in world.requests} == {304}
    assert all("if-none-match" in request.headers for request in world.requests)
    assert sum(request.bytes for request in world.requests) == 0


def path_of(repository: str) -> str:
    return repository.split("/", 3)[3]


@pytest.mark.slow
def test_many_charts_of_an_index_cost_what_one_does(tmp_path, mixed):
    world, charts = mixed
    shared = [one for one in charts if one.repository == charts[0].repository]
    assert len(shared) > 2
    world.reset()
    vendors = [
        row(f"v{n}", one.newest, f"{{helm: {{repository: '{one.repository}', chart: {one.chart}}}}}")
        for n, one in enumerate(shared)
    ]
    check(tmp_path / "repo", vendors, tmp_path / "cache")
    assert len(world.requests) == 1


def test_a_registry_gives_one_token_for_each_scope(tmp_path):
    with World() as world:
        for name in ("alpha", "beta"):
            for version in ("1.0.0", "1.1.0"):
                world.oci_chart(f"org/{name}", version, auth=True)
        vendors = [
            row(f"{name}{n}", "1.0.0", f"{{helm: {{repository: '{world.oci_url}/org', chart: {name}}}}}")
            for name in ("alpha", "beta")
            for n in range(3)
        ]
        world.reset()
        findings = check(tmp_path / "repo", vendors, tmp_path / "cache")
        assert [one.target.version for one in findings] == ["1.1.0"] * 6
        scopes = [request.query["scope"] for request in world.requests if request.path == "/token"]
        assert sorted(scopes) == ["repository:org/alpha:pull", "repository:org/beta:pull"]
        granted = Counter(r.path for r in world.requests if r.path.endswith("/tags/list") and r.status == 200)
        assert granted == {"/v2/org/alpha/tags/list": 1, "/v2/org/beta/tags/list": 1}


def test_releases_on_github_are_asked_again_with_a_condition(tmp_path):
    with World() as world:
        for version in ("v1.0.0", "v1.1.0"):
            world.github.repository("acme/tool").release(version, assets={"install.yaml": "kind: X\n"})
        folder = tmp_path / "repo"
        folder.mkdir()
        vendors = [
            f"- {{name: t{n}, version: v1.0.0, base: t{n}/base, releases: {{github: acme/tool}}, "
            f"source: {{url: '{world.url}/{{version}}.yaml'}}}}\n"
            for n in range(3)
        ]
        for version in ("v1.0.0", "v1.1.0"):
            world.file(f"{version}.yaml", "kind: X\n")
        (folder / "vendors.yaml").write_text("version: 1\nvendors:\n" + "".join(vendors), "utf-8")
        environment = {"GITHUB_API_URL": world.github.url}
        settings = Settings(cache_folder=tmp_path / "cache", environment=environment)
        lists = []
        for _ in range(2):
            world.reset()
            with open_project(folder, settings=settings) as project:
                assert [one.target.version for one in project.check()] == ["v1.1.0"] * 3
            lists.append([one for one in world.requests if one.path.endswith("/releases")])
        assert [[one.status for one in requests] for requests in lists] == [[200], [304]]


def test_what_changed_at_one_address_costs_nothing_at_the_others(tmp_path, monkeypatch):

    with World() as world:
        names = [f"chart-{number:02}" for number in range(30)]
        for name in names:
            world.chart(f"charts/{name[-1]}", name, "1.0.0")
        vendors = [
            row(name, "1.0.0", f"{{helm: {{repository: '{world.url}/charts/{name[-1]}', chart: {name}}}}}")
            for name in names
        ]
        check(tmp_path / "repo", vendors, tmp_path / "cache")
        world.chart("charts/7", "chart-17", "1.1.0")
        looked: list[str] = []
        from upstreamsync.project.check import check as checking

        look_up = checking.look_up
        monkeypatch.setattr(
            checking,
            "look_up",
            lambda vendor, *rest, **more: (looked.append(vendor.name), look_up(vendor, *rest, **more))[1],
        )
        world.reset()
        findings = check(tmp_path / "repo", vendors, tmp_path / "cache")
        assert [one.vendor for one in findings if one.status is Status.OUTDATED] == ["chart-17"]
        assert sorted(looked) == ["chart-07", "chart-17", "chart-27"]
        asked = Counter((request.path, request.status) for request in world.requests)
        assert asked == {
            (f"/charts/{digit}/index.yaml", 200 if digit == 7 else 304): 1 for digit in range(10)
        }
        assert all("if-none-match" in request.headers for request in world.requests)


def test_what_an_index_says_is_read_once(tmp_path, monkeypatch):
    """A 304 costs neither reading nor parsing: the cache knows what the chart's block said."""
    with World() as world:
        for version in ("1.0.0", "1.1.0"):
            world.chart("charts/acme", "acme", version)
        vendors = [row("acme", "1.0.0", f"{{helm: {{repository: '{world.url}/charts/acme', chart: acme}}}}")]
        first = check(tmp_path / "repo", vendors, tmp_path / "cache")

        def never(*_args):
            raise AssertionError("the index was read again")

        monkeypatch.setattr("upstreamsync.releases.helm_index.HelmIndex", never)
        monkeypatch.setattr("upstreamsync.kit.http.client.Http._load", never)
        # Of another configuration nothing stands, so that it is looked up once more.
        assert check(tmp_path / "repo", [*vendors, "# another file\n"], tmp_path / "cache") == first
        assert [one.status for one in first] == [Status.OUTDATED]
