"""Each feed against a world that speaks its protocol, and what is common to all of them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from upstreamsync.config.spec import Releases, Vendor
from upstreamsync.errors import Denied, Malformed, NotFound, RateLimited, TooLarge, UsageError
from upstreamsync.kit.http.client import Http
from upstreamsync.kit.store.cache import Cache
from upstreamsync.model import Release
from upstreamsync.releases import (
    FEEDS,
    effective_releases,
    feed_key,
    fetch_releases,
    first_seen,
    github,
    json_feed,
    version_of,
)
from upstreamsync.releases.helm_index import index_url
from upstreamsync.releases.pack import dump, load, remembered
from upstreamsync.testing import Fault

DAY = datetime(2025, 6, 1, 12, tzinfo=UTC)


def versions(releases) -> list[str]:
    return [release.version for release in releases]


# -- GitHub ------------------------------------------------------------------------------------------


def test_github_releases(world, fetch):
    repository = world.github.repository("acme/tool")
    repository.release("v1.0.0", published=DAY, assets={"install.yaml": "a: 1\n"}, body="First.")
    repository.release("v1.1.0-rc.1", prerelease=True)
    repository.release("v1.1.0", draft=True)
    rc, first = fetch({"github": "acme/tool"})
    assert (rc.version, rc.prerelease) == ("v1.1.0-rc.1", True)
    assert (first.version, first.ref, first.published, first.notes) == ("v1.0.0", "v1.0.0", DAY, "First.")
    assert first.page is not None
    assert first.page.endswith("/acme/tool/releases/tag/v1.0.0")
    assert first.assets["install.yaml"].startswith("sha256:")


def test_github_reads_no_more_pages_than_needed(world, fetch, new_run):
    repository = world.github.repository("acme/tool")
    for number in range(250):
        repository.release(f"v1.{number}.0")
    everything = fetch({"github": "acme/tool"})
    assert versions(everything) == [f"v1.{number}.0" for number in reversed(range(250))]
    assert world.count("/api/v3/repos/acme/tool/releases") == 3
    world.reset()
    some = fetch({"github": "acme/tool"}, tools=new_run(), enough=lambda found: len(found) > 150)
    assert (len(some), world.count("/api/v3")) == (200, 2)
    assert world.count("/api/v3", status=304) == 2, "what is known is revalidated"
    assert some == everything[:200]


@pytest.mark.parametrize("attempts", [1, 2])
def test_github_without_budget_says_until_when(world, tools, attempts):
    world.github.repository("acme/tool").release("v1.0.0")
    world.github.rate_limit = 0
    reset = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=30)
    world.github.reset_at = int(reset.timestamp())
    with Http(cache=Cache(None), attempts=attempts) as http, pytest.raises(RateLimited) as caught:
        fetch_releases(
            Releases.model_validate({"github": "acme/tool"}), replace(tools, http=http, now=datetime.now(UTC))
        )
    times = [f"{reset + timedelta(seconds=late):%H:%M}" for late in (0, 1, 2, 3)]
    assert caught.value.message in {
        f"GitHub answers no more requests until {time} UTC (asked for `acme/tool`)" for time in times
    }
    assert "GITHUB_TOKEN" in caught.value.hint


def test_github_refuses(world, tools):
    world.fault("/api/v3/*", Fault.status(403))
    with pytest.raises(Denied) as caught:
        fetch_releases(Releases.model_validate({"github": "acme/tool"}), tools)
    assert "GITHUB_TOKEN" in caught.value.hint


def test_github_has_no_such_repository(fetch):
    with pytest.raises(NotFound) as caught:
        fetch({"github": "acme/none"})
    assert "`acme/none`" in caught.value.message
    assert "GITHUB_TOKEN" in caught.value.hint


def test_github_lists_have_an_end(world, fetch, monkeypatch):
    monkeypatch.setattr(github, "MAX_PAGES", 2)
    for number in range(201):
        world.github.repository("acme/tool").tag(f"v1.{number}.0")
    with pytest.raises(TooLarge) as caught:
        fetch({"github_tags": "acme/tool"})
    assert "git: https://github.com/acme/tool" in caught.value.hint


def test_github_tags(world, fetch):
    repository = world.github.repository("acme/tool")
    for number in range(120):
        repository.tag(f"v1.{number}.0", f"{number:040x}")
    found = fetch({"github_tags": "acme/tool"}, enough=lambda found: True)
    assert sorted(versions(found)) == sorted(f"v1.{number}.0" for number in range(120))
    assert {one.commit for one in found} == {f"{number:040x}" for number in range(120)}


@pytest.mark.parametrize("kind", ["github", "github_tags"])
@pytest.mark.parametrize("body", ["{}", '[1, null, {}, {"tag_name": 3, "name": 3}]', "<html>"])
def test_odd_answers_of_an_api(world, tools, kind, body):
    path = "releases" if kind == "github" else "tags"
    world.file(f"odd/repos/acme/tool/{path}", body, content_type="application/json")
    odd = replace(tools, github_api=f"{world.url}/odd")
    with pytest.raises(NotFound if body.startswith("[") else Malformed):
        fetch_releases(Releases.model_validate({kind: "acme/tool"}), odd)


# -- git ---------------------------------------------------------------------------------------------


def test_git_tags(world, fetch):
    remote = world.git("tool")
    first = remote.commit({"a": "1"}, tag="v1.0.0")
    second = remote.commit({"a": "2"}, tag="v1.1.0")
    found = fetch({"git": remote.url})
    assert {(one.version, one.commit) for one in found} == {("v1.0.0", first), ("v1.1.0", second)}


def test_branch(world, fetch):
    remote = world.git("tool")
    remote.commit({"a": "1"})
    tip = remote.commit({"a": "2"})
    remote.commit({"b": "1"}, branch="other")
    (only,) = fetch({"branch": {"repository": remote.url, "name": "main"}})
    assert (only.version, only.ref, only.commit) == (tip, tip, tip)
    with pytest.raises(NotFound) as caught:
        fetch({"branch": {"repository": remote.url, "name": "gone"}})
    assert caught.value.hint == "it has `main`, `other`"


def test_branch_by_what_changes_below_paths(world, fetch):
    remote = world.git("tool")
    remote.commit({"deploy/a": "1", "docs/a": "1"})
    docs = remote.commit({"docs/a": "2"})
    deploy = remote.commit({"deploy/a": "2"})
    remote.commit({"src/a": "1"})

    def newest(*paths: str) -> str:
        (only,) = fetch({"branch": {"repository": remote.url, "name": "main", "paths": list(paths)}})
        return only.version

    assert newest("docs") == docs
    assert newest("deploy") == deploy
    assert newest("docs", "deploy") == deploy
    assert newest("deploy", "docs") == deploy


# -- Helm and OCI ------------------------------------------------------------------------------------


def test_helm_index(world, fetch):
    world.chart("charts", "tool", "1.0.0", app_version="v7.0.0", created=DAY)
    world.chart("charts", "tool", "1.1.0", app_version="v7.1.0", deprecated=True)
    world.chart("charts", "other", "9.0.0")
    found = {
        one.version: one for one in fetch({"helm": {"repository": f"{world.url}/charts", "chart": "tool"}})
    }
    assert set(found) == {"1.0.0", "1.1.0"}
    first = found["1.0.0"]
    assert (first.ref, first.app_version, first.published, first.note) == ("1.0.0", "v7.0.0", DAY, None)
    assert first.digest is not None
    assert first.digest.startswith("sha256:")
    assert first.download == (f"{world.url}/charts/tool-1.0.0.tgz",)
    assert found["1.1.0"].note == "deprecated upstream"


def test_one_request_and_one_look_for_all_charts_of_an_index(world, tools, new_run, monkeypatch):
    from upstreamsync.releases import helm_index

    looks: list[int] = []

    class Counting(helm_index.HelmIndex):
        def __init__(self, data):
            looks.append(len(data))
            super().__init__(data)

    monkeypatch.setattr(helm_index, "HelmIndex", Counting)
    for number in range(5):
        world.chart("charts", f"tool-{number}", "1.0.0")

    def ask(run) -> None:
        for number in range(5):
            fetch_releases(
                Releases.model_validate(
                    {"helm": {"repository": f"{world.url}/charts", "chart": f"tool-{number}"}}
                ),
                run,
            )

    ask(tools)
    assert (world.count("/charts/index.yaml"), len(looks)) == (1, 1)
    ask(new_run())
    assert (world.count("/charts/index.yaml", status=304), len(looks)) == (1, 1), (
        "unchanged: not looked at again"
    )


def test_a_large_index_is_read_in_one_pass_for_all_charts_that_were_announced(world, tools, monkeypatch):
    from upstreamsync.releases import announce, helm_index

    looks: list[int] = []

    class Counting(helm_index.HelmIndex):
        def __init__(self, data):
            looks.append(len(data))
            super().__init__(data)

    monkeypatch.setattr(helm_index, "HelmIndex", Counting)
    monkeypatch.setattr(helm_index, "KEPT_BYTES", 1)
    for number in range(5):
        world.chart("charts", f"tool-{number}", f"1.0.{number}")
    declared = [
        {"name": f"v{number}", "version": "1", "base": f"b{number}",
         "source": {"helm": {"repository": f"{world.url}/charts", "chart": f"tool-{number}"}}}
        for number in range(5)
    ]  # fmt: skip
    vendors = [Vendor.model_validate(one) for one in declared]
    announce(vendors, tools)
    for number, vendor in enumerate(vendors):
        found = fetch_releases(effective_releases(vendor), tools)
        assert versions(found) == [f"1.0.{number}"]
    assert len(looks) == 1
    for number, vendor in enumerate(vendors):  # what was not announced again is looked for as ever
        assert versions(fetch_releases(effective_releases(vendor), tools)) == [f"1.0.{number}"]


def test_indexes_are_let_go_when_they_grow_too_many(world, tools, monkeypatch):
    from upstreamsync.releases import helm_index

    monkeypatch.setattr(helm_index, "KEPT_BYTES", 1)
    for repository in ("one", "two"):
        world.chart(repository, "tool", "1.0.0")
        world.chart(repository, "other", "2.0.0")
    for chart, expected in (("tool", ["1.0.0"]), ("other", ["2.0.0"])):
        for repository in ("one", "two"):
            spec = Releases.model_validate(
                {"helm": {"repository": f"{world.url}/{repository}", "chart": chart}}
            )
            assert versions(fetch_releases(spec, tools)) == expected
    assert not tools.http.shared("helm-indexes", helm_index._Reader)._recent
    assert world.count("/one/index.yaml") == 1


def test_many_threads_want_charts_of_one_index(world, tools):
    for number in range(12):
        world.chart("charts", f"tool-{number}", f"1.{number}.0")

    def ask(number: int) -> list[str]:
        helm = {"repository": f"{world.url}/charts", "chart": f"tool-{number}"}
        return versions(fetch_releases(Releases.model_validate({"helm": helm}), tools))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(12))) == [[f"1.{number}.0"] for number in range(12)]
    assert world.count("/charts/index.yaml") == 1


def test_the_query_of_a_repository_goes_along(world, fetch):
    index = {
        "apiVersion": "v1",
        "entries": {"tool": [{"name": "tool", "version": "1.0.0", "urls": ["t.tgz"]}]},
    }
    world.raw_index("charts", yaml.safe_dump(index))
    (only,) = fetch({"helm": {"repository": f"{world.url}/charts?token=x", "chart": "tool"}})
    assert only.download == (f"{world.url}/charts/t.tgz?token=x",)


def test_vendors_of_one_chart_share_what_was_read_of_it(world, tools, monkeypatch):
    from upstreamsync.kit.kubernetes.chart_index import HelmIndex

    world.chart("charts", "alpha", "1.0.0")
    asked: list[str] = []
    entries = HelmIndex.entries
    monkeypatch.setattr(
        HelmIndex, "entries", lambda index, chart: asked.append(chart) or entries(index, chart)
    )
    declared = {"helm": {"repository": f"{world.url}/charts", "chart": "alpha"}}
    absent = {"helm": {"repository": f"{world.url}/charts", "chart": "alpah"}}

    def look(_: int) -> str:
        with pytest.raises(NotFound) as error:
            fetch_releases(Releases.model_validate(absent), tools)
        found = fetch_releases(Releases.model_validate(declared), tools)
        return f"{error.value.hint} {[one.version for one in found]}"

    with ThreadPoolExecutor(8) as pool:
        said = set(pool.map(look, range(16)))
    assert said == {"did you mean `alpha`? ['1.0.0']"}
    assert asked.count("alpha") == 1


def test_helm_index_without_the_chart(world, fetch):
    world.chart("charts", "kube-state-metrics", "1.0.0")
    with pytest.raises(NotFound) as caught:
        fetch({"helm": {"repository": f"{world.url}/charts", "chart": "kube-state-metric"}})
    assert caught.value.hint == "did you mean `kube-state-metrics`?"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"urls": ["x.tgz"]}, {"download": ("{base}/x.tgz",)}),
        (
            {"urls": ["https://e.test/x.tgz", "../y.tgz"]},
            {"download": ("https://e.test/x.tgz", "{root}/y.tgz")},
        ),
        ({"created": "2025-06-01T14:00:00.123456789+02:00"}, {"published": DAY.replace(microsecond=123456)}),
        ({"created": "0001-01-01T00:00:00Z"}, {"published": None}),
        ({"created": "yesterday"}, {"published": None}),
        ({"digest": "AB" * 32}, {"digest": "sha256:" + "ab" * 32}),
        ({"digest": "sha256:" + "ab" * 32}, {"digest": "sha256:" + "ab" * 32}),
        ({"digest": "short"}, {"digest": None}),
        ({"deprecated": False}, {"note": None}),
    ],
)
def test_what_an_entry_says(world, fetch, entry, expected):
    index = {"apiVersion": "v1", "entries": {"tool": [{"name": "tool", "version": "1.0.0", **entry}]}}
    world.raw_index("deep/charts", yaml.safe_dump(index))
    (only,) = fetch({"helm": {"repository": f"{world.url}/deep/charts/", "chart": "tool"}})
    for name, value in expected.items():
        if name == "download":
            value = tuple(
                url.format(base=f"{world.url}/deep/charts", root=f"{world.url}/deep") for url in value
            )
        assert getattr(only, name) == value


def test_the_query_of_a_repository_is_kept():
    assert index_url("https://e.test/charts/?token=x") == "https://e.test/charts/index.yaml?token=x"


def test_versions_by_app_version(world, fetch):
    for chart, app in (("1.0.0", "v7.0.0"), ("1.10.0", "v7.0.0"), ("1.9.0", "v7.0.0"), ("2.0.0", "v8.0.0")):
        world.chart("charts", "tool", chart, app_version=app)
    helm = {"repository": f"{world.url}/charts", "chart": "tool"}
    found = fetch({"helm": helm, "app_version": True})
    assert {(one.version, one.ref) for one in found} == {("v7.0.0", "1.10.0"), ("v8.0.0", "2.0.0")}
    found = fetch({"helm": helm, "app_version": True, "tag": "v(?P<version>.+)"})
    assert {(one.version, one.ref) for one in found} == {("7.0.0", "1.10.0"), ("8.0.0", "2.0.0")}


def test_oci_chart(world, fetch):
    for version in ("1.0.0", "1.1.0+build.5"):
        world.oci_chart("charts/tool", version)
    found = fetch({"helm": {"repository": f"{world.oci_url}/charts", "chart": "tool"}})
    assert {(one.version, one.ref) for one in found} == {
        ("1.0.0", "1.0.0"),
        ("1.1.0+build.5", "1.1.0_build.5"),
    }


def test_oci_tags(world, fetch):
    world.oci_image("acme/tool", ["1.8.3.3", "1.8.3.4", "latest", f"sha256-{'0' * 64}.sig"])
    host = world.oci_url.removeprefix("oci://")
    spec = {"oci": f"{host}/acme/tool", "tag": r"(?P<version>(?P<up>\d+\.\d+\.\d+)\.\d+)", "ref": "v{up}"}
    found = fetch({**spec, "scheme": "loose"})
    assert [(one.version, one.ref, one.groups["up"]) for one in found] == [
        ("1.8.3.3", "v1.8.3", "1.8.3"),
        ("1.8.3.4", "v1.8.3", "1.8.3"),
    ]
    assert set(versions(fetch({"oci": f"{host}/acme/tool"}))) == {"1.8.3.3", "1.8.3.4", "latest"}


# -- pages and documents -----------------------------------------------------------------------------


def test_page(world, fetch):
    url = world.file("/download.html", "<a href='/tool-1.2.0.tgz'>1.2.0</a> <a href='/tool-1.3.0.tgz'>x</a>")
    found = fetch({"page": {"url": url, "pattern": r"tool-(?P<version>[\d.]+)\.tgz"}})
    assert versions(found) == ["1.2.0", "1.3.0"]


def test_a_page_that_is_none_for_people_is_refused(world, fetch):
    url = world.file("/deep.html", "<b><i>" * 300)
    with pytest.raises(TooLarge, match="nested 600 levels deep"):
        fetch({"page": {"url": url, "pattern": r"v(?P<version>\d+)"}})


def test_page_as_a_reader_sees_it(world, fetch):
    url = world.file(
        "/page.html",
        "<script>Version 9.9.9</script><p>Version&nbsp;<b>1.2</b>.0</p>"
        "<table><tr><td>Stable</td><td>1.3.0</td></tr></table>",
    )
    assert versions(fetch({"page": {"url": url, "pattern": r"Version\s(?P<version>\d+\.\d+\.\d+)"}})) == [
        "9.9.9"
    ]
    assert versions(fetch({"page": {"url": url, "pattern": r"Version\xa0(?P<version>\d+\.\d+\.\d+)"}})) == [
        "1.2.0"
    ]
    assert versions(fetch({"page": {"url": url, "pattern": r"Stable (?P<version>[\d.]+)"}})) == ["1.3.0"]


def test_page_without_a_match(world, fetch):
    url = world.file("/page.txt", "nothing")
    with pytest.raises(NotFound) as caught:
        fetch({"page": {"url": url, "pattern": r"v(?P<version>\d+)"}})
    assert r"`v(?P<version>\d+)`" in caught.value.message


def test_json(world, fetch):
    url = world.file(
        "/x.json", '{"a": {"odd.key": [{"tag": "v1", "n": 1.10}, {"tag": null}, {"tag": "v2", "n": 7}]}}'
    )
    assert versions(fetch({"json": {"url": url, "path": 'a["odd.key"][*].tag'}})) == ["v1", "v2"]
    assert versions(fetch({"json": {"url": url, "path": '$.a["odd.key"][-1].tag'}})) == ["v2"]
    assert versions(fetch({"json": {"url": url, "path": "a[*][*].n"}})) == ["1.10", "7"]
    with pytest.raises(NotFound):
        fetch({"json": {"url": url, "path": "a.b[*]"}})
    with pytest.raises(Malformed):
        fetch({"json": {"url": world.file("/y.json", "<html>"), "path": "a"}})


@pytest.mark.parametrize("path", ["a[", "a[b]", "a..b", "[*", "a b"])
def test_a_path_that_can_not_be_read(path):
    with pytest.raises(UsageError) as caught:
        json_feed.parse_path(path)
    assert "is no step of a path" in caught.value.message


# -- what is common to all ---------------------------------------------------------------------------


def own_feed(*tags: str):
    return {"git": lambda spec, tools: [[Release(version=tag, ref=tag, commit="c" * 40) for tag in tags]]}


def shaped(tools, spec: dict, *tags: str) -> list[tuple[str, str]]:
    spec_of = Releases.model_validate({"git": "https://x/y", **spec})
    found = fetch_releases(spec_of, tools, registry=own_feed(*tags))
    return [(one.version, one.ref) for one in found]


def test_tags_that_do_not_match_are_no_versions(tools):
    mixed = ["helm-chart-4.0.0", "controller-v1.0.0", "v0.9.0"]
    assert shaped(tools, {"tag": "controller-(?P<version>v.+)"}, *mixed) == [("v1.0.0", "controller-v1.0.0")]


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("v{semver}", "v1.8.3"),
        ("{tag}", "app-v1.8.3-r2"),
        ("{commit}/{major}.{minor}/{patch}", "c" * 40 + "/1.8/3"),
        ("{build}{none}", "2"),
    ],
)
def test_ref_template(tools, ref, expected):
    pattern = r"app-(?P<version>v[\d.]+)-r(?P<build>\d+)(?P<none>x)?"
    assert shaped(tools, {"tag": pattern, "ref": ref}, "app-v1.8.3-r2") == [("v1.8.3", expected)]


def test_the_same_version_twice(tools):
    pattern = r"v?(?P<version>\d+\.\d+\.\d+)(?:-\d+)?"
    for order in (["v1.0.0", "1.0.0"], ["1.0.0", "v1.0.0"]):
        assert shaped(tools, {"tag": pattern}, *order) == [("1.0.0", "v1.0.0")]


def test_the_version_of_a_tag_in_use():
    spec = Releases.model_validate({"oci": "quay.io/acme/tool", "tag": r"v(?P<version>[\d.]+)-r\d+"})
    assert version_of(spec, "v1.2.3-r4") == "1.2.3"
    assert version_of(spec, "latest") == "latest"
    assert version_of(Releases.model_validate({"oci": "quay.io/acme/tool"}), "v1") == "v1"


def test_nothing_matches(tools):
    with pytest.raises(NotFound) as caught:
        shaped(tools, {"tag": "x(?P<version>.+)"}, "v1.0.0", "v1.1.0")
    assert caught.value.message == "`git`: none of 2 tags matches `x(?P<version>.+)`"
    assert "`v1.0.0`, `v1.1.0`" in caught.value.hint
    with pytest.raises(NotFound):
        shaped(tools, {})


def test_every_kind_has_a_feed():
    from upstreamsync.config.spec import RELEASE_KINDS

    assert tuple(FEEDS) == RELEASE_KINDS


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            {"helm": {"repository": "https://e.test/charts", "chart": "tool"}},
            {"helm": {"repository": "https://e.test/charts", "chart": "tool"}},
        ),
        ({"helm": {"git": "https://e.test/x.git", "path": "chart"}}, {"git": "https://e.test/x.git"}),
        ({"git": {"repository": "https://e.test/x.git", "paths": ["a"]}}, {"git": "https://e.test/x.git"}),
        ({"kustomize": {"repository": "https://e.test/x.git", "path": "a"}}, {"git": "https://e.test/x.git"}),
    ],
)
def test_implied_releases(source, expected):
    vendor = Vendor.model_validate({"name": "x", "version": "1", "base": "x", "source": source})
    assert effective_releases(vendor) == Releases.model_validate(expected)


def test_declared_releases_come_first():
    vendor = Vendor.model_validate(
        {
            "name": "x",
            "source": {"git": {"repository": "https://e/x", "paths": ["a"]}},
            "releases": {"github": "a/b"},
        }
    )
    assert effective_releases(vendor).github == "a/b"
    with pytest.raises(UsageError):
        effective_releases(Vendor.model_validate({"name": "x", "source": {"url": "https://e/x"}}))


def test_releases_survive_being_kept():
    releases = (
        Release(version="v1", ref="v1"),
        Release(
            version="v2", ref="r2", published=DAY, prerelease=True, digest="sha256:00", app_version="1", commit="c",
            download=("a", "b"), page="p", notes="n", note="deprecated", assets={"a": "sha256:1"}, groups={"g": "x"},
        ),
    )  # fmt: skip
    assert load(dump(releases)) == releases


@pytest.mark.parametrize("damage", [b'[{"nonsense": 1}]', b'[]\t[{"nonsense": 1}]\n', b'[]\t[{"ver'])
def test_what_was_kept_and_is_damaged_is_read_again(tmp_path, damage):
    cache = Cache(tmp_path)
    want = (Release(version="v1", ref="v1"),)
    assert remembered(cache, ["k"], lambda: want) == want
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_bytes(damage)
    assert remembered(cache, ["k"], lambda: want) == want
    assert remembered(cache, ["k"], lambda: pytest.fail("was read again")) == want


def test_the_parts_of_an_answer_are_kept_apart(tmp_path):
    cache = Cache(tmp_path)
    one, two = (Release(version="v1", ref="v1"),), (Release(version="v2", ref="v2"),)
    assert remembered(cache, ["k"], lambda: one, part=["a"]) == one
    assert remembered(cache, ["k"], lambda: two, part=["b"]) == two
    for part, kept in (("a", one), ("b", two)):
        assert remembered(cache, ["k"], lambda: pytest.fail("was read again"), part=[part]) == kept
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 1


# -- first sight -------------------------------------------------------------------------------------


def test_first_sight_is_remembered(tmp_path):
    cache = Cache(tmp_path)
    key = feed_key(Releases.model_validate({"git": "https://e.test/x.git"}))
    one, two = Release(version="v1", ref="v1"), Release(version="v2", ref="v2")
    dated = Release(version="v3", ref="v3", published=DAY)
    assert first_seen.record(cache, key, [one, dated], DAY) == {"v1": DAY}
    later = DAY + timedelta(days=2)
    assert first_seen.record(cache, key, [one, two], later) == {"v1": DAY, "v2": later}
    assert first_seen.record(cache, key, [two], later + timedelta(days=1)) == {"v2": later}
    assert first_seen.load(cache, key) == {"v1": DAY, "v2": later}, "what vanished is kept in mind"
    assert first_seen.load(cache, feed_key(Releases.model_validate({"git": "https://e.test/y.git"}))) == {}


def test_first_sight_without_a_cache(tmp_path):
    cache = Cache(None)
    assert first_seen.record(cache, "k", [Release(version="v1", ref="v1")], DAY) == {"v1": DAY}
    assert first_seen.load(cache, "k") == {}
    damaged = Cache(tmp_path)
    damaged.put("first-seen", "k", b"[1]")
    assert first_seen.load(damaged, "k") == {}
