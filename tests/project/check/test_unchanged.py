"""What `check` found stands as long as all that it depends on is answered as before, and no longer."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from upstreamsync.kit.store import serialize
from upstreamsync.model import EMPTY, Finding, ImageFinding, PassedOver, Release, Status
from upstreamsync.project import Settings
from upstreamsync.project.check import unchanged
from upstreamsync.project.lazy_config import LazyProject
from upstreamsync.testing import Fault, World

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


class Place:
    """A repository with a cache; each ``check`` is a run of its own."""

    def __init__(self, folder: Path, world: World) -> None:
        self.root, self.world = folder / "repo", world
        self.root.mkdir()
        self.settings = Settings(
            cache_folder=folder / "cache",
            environment={"GITHUB_API_URL": world.github.url},
            now=NOW,
            allow_local=True,
        )

    def write(self, *rows: str, name: str = "vendors.yaml") -> None:
        (self.root / name).write_text("version: 1\nvendors:\n" + "".join(rows), "utf-8")

    def check(self, *names: str, **changes: Any) -> tuple[tuple[Finding, ...], bool]:
        """The findings, and whether they stood without the configuration being read."""
        config = changes.pop("config", self.root / "vendors.yaml")
        with LazyProject(self.root, config=config, settings=replace(self.settings, **changes)) as lazy:
            found = lazy.unchanged(names)
            if found is not None:
                return found, True
            return lazy.project().check(names), False

    def fresh(self, *names: str, **changes: Any) -> tuple[Finding, ...]:
        """What a run finds that remembers nothing, but for when it has first seen a version."""
        findings, stood = self.check(*names, use_cache=False, **changes)
        assert not stood
        return findings


@pytest.fixture(autouse=True)
def _bases_left_out(monkeypatch):
    """What is remembered here is what upstream offers; bases on disk have tests of their own (test_states)."""
    from upstreamsync.project.check import check as checking

    monkeypatch.setattr(checking, "with_bases", lambda lookup, vendor, states: lookup)


@pytest.fixture
def place(tmp_path):
    with World() as world:
        for name in ("alpha", "beta"):
            for version in ("1.0.0", "1.1.0"):
                world.chart(f"charts/{name}", name, version)
        place = Place(tmp_path, world)
        place.write(helm(place, "alpha"), helm(place, "beta"))
        yield place


def helm(place: Place, name: str, more: str = "") -> str:
    return (
        f"- {{name: {name}, version: 1.0.0, base: {name}/base, "
        f"source: {{helm: {{repository: '{place.world.url}/charts/{name}', chart: {name}}}}}{more}}}\n"
    )


def looked_up(monkeypatch) -> list[str]:
    """The vendors that are looked up from now on."""

    names: list[str] = []
    from upstreamsync.project.check import check as checking

    original = checking.look_up

    def look_up(vendor, *rest, **options):
        names.append(vendor.name)
        return original(vendor, *rest, **options)

    monkeypatch.setattr(checking, "look_up", look_up)
    return names


def test_nothing_changed_and_nothing_is_looked_up(place, monkeypatch):
    first, stood = place.check()
    assert not stood
    names = looked_up(monkeypatch)
    place.world.reset()
    assert place.check() == (first, True)
    assert [request.status for request in place.world.requests] == [304, 304]
    assert not names
    assert first == place.fresh()


def test_the_library_remembers_as_the_command_line_does(place, monkeypatch):
    from upstreamsync.project import open_project

    first, _ = place.check()
    names = looked_up(monkeypatch)
    seen: list[str] = []
    with open_project(place.root, settings=place.settings) as project:
        assert project.check(progress=seen.append) == first
        assert project.check(["beta"]) == first[1:]
    assert (names, sorted(seen)) == ([], ["alpha", "beta"])


def test_of_many_only_the_one_that_changed_is_looked_up(place, monkeypatch):
    place.check()
    place.world.chart("charts/beta", "beta", "1.2.0")
    names = looked_up(monkeypatch)
    place.world.reset()
    findings, stood = place.check()
    assert (stood, names) == (False, ["beta"])
    assert [one.target.version for one in findings] == ["1.1.0", "1.2.0"]
    assert len(place.world.requests) == 2, "nothing is asked a second time"
    assert place.check() == (findings, True)


def test_those_that_are_named_are_enough(place, monkeypatch):
    first, _ = place.check("beta")
    assert [one.vendor for one in first] == ["beta"]
    assert place.check("beta") == (first, True)
    names = looked_up(monkeypatch)
    both, stood = place.check()
    assert (stood, names) == (False, ["alpha"])
    assert place.check("beta", "alpha") == (both, True)
    place.world.reset()
    place.check("alpha")
    assert [one.path for one in place.world.requests] == ["/charts/alpha/index.yaml"]


def test_another_configuration_is_read(place):
    place.check()
    place.write(helm(place, "alpha", ", follow: {ignore: ['1.1.0']}"), helm(place, "beta"))
    findings, stood = place.check()
    assert not stood
    assert [one.status for one in findings] == [Status.UP_TO_DATE, Status.OUTDATED]
    place.write("")
    with LazyProject(place.root, settings=place.settings) as lazy:
        assert lazy.unchanged() is None


@pytest.mark.parametrize(
    "changes",
    [
        {"allow_commands": True},
        {"environment": {"GITHUB_API_URL": "http://127.0.0.1:1"}},
        {"use_cache": False},
    ],
    ids=str,
)
def test_other_options_look_anew(place, changes):
    first, _ = place.check()
    assert place.check(**changes) == (first, False)


def test_another_file_of_the_same_content_looks_anew(place):
    first, _ = place.check()
    (place.root / "other.yaml").write_bytes((place.root / "vendors.yaml").read_bytes())
    assert place.check(config=place.root / "other.yaml") == (first, False)


def test_another_program_looks_anew(place, monkeypatch):
    first, _ = place.check()
    monkeypatch.setattr(unchanged, "__version__", "0.0.0")
    assert place.check() == (first, False)


def test_the_program_is_known_by_its_files(monkeypatch):
    before = unchanged._program()
    stat = os.stat

    def later(path, **options):
        found = stat(path, **options)
        if not str(path).endswith("policy.py"):
            return found
        return os.stat_result((*found[:6], found.st_size + 1, *found[7:]))

    monkeypatch.setattr(unchanged.os, "stat", later)
    after = unchanged._program()
    assert before != after


def test_what_pip_installed_anew_is_the_same_program(tmp_path):
    package, listed = tmp_path / "upstreamsync", tmp_path / f"upstreamsync-{unchanged.__version__}.dist-info"
    package.mkdir()
    listed.mkdir()
    (package / "a.py").write_text("a = 1\n", "utf-8")
    (listed / "RECORD").write_text(
        "upstreamsync/a.py,sha256=abc,6\n../bin/upstreamsync,sha256=x,1\n", "utf-8"
    )
    before = unchanged._program(package)
    os.utime(package / "a.py", (1, 1))
    (listed / "RECORD").write_text(
        "../../bin/upstreamsync,sha256=y,1\nupstreamsync/a.py,sha256=abc,6\n", "utf-8"
    )
    assert unchanged._program(package) == before
    (listed / "RECORD").write_text("upstreamsync/a.py,sha256=abd,6\n", "utf-8")
    assert unchanged._program(package) != before
    (listed / "RECORD").unlink()
    checkout = unchanged._program(package)
    os.utime(package / "a.py", (2, 2))
    assert unchanged._program(package) != checkout


# -- the files of the repository ----------------------------------------------------------------------


def test_a_lock_that_changed(place):
    first, _ = place.check()
    lock = place.root / "alpha/alpha.lock.yaml"
    lock.parent.mkdir()
    lock.write_text("- no lock\n", "utf-8")
    findings, stood = place.check()
    assert (stood, findings[0].status) == (False, Status.FAILED)
    assert findings == place.fresh()
    assert place.check()[1] is False, "a failure is looked at again"
    lock.unlink()
    assert place.check()[0] == first


@pytest.fixture
def images(place):
    place.world.oci_image("team/app", ["1.0.0", "1.1.0"])
    image = f"{place.world.oci_url.removeprefix('oci://')}/team/app"
    (place.root / "kustomization.yaml").write_text(
        f"images:\n- name: app\n  newName: {image}\n  newTag: 1.0.0\n- {{name: other}}\n", "utf-8"
    )
    place.write(
        f"- {{name: app, images: [{{image: '{image}', "
        "edits: [{file: kustomization.yaml, image: app, tag: '{version}'}]}]}\n"
    )
    return place


def test_an_edited_file_that_changed(images):
    first, _ = images.check()
    assert [one.current for one in first] == ["1.0.0"]
    images.world.reset()
    assert images.check() == (first, True)
    file = images.root / "kustomization.yaml"
    file.write_text(file.read_text("utf-8").replace("1.0.0", "1.1.0"), "utf-8")
    second, stood = images.check()
    assert (stood, second[0].status) == (False, Status.UP_TO_DATE)
    file.unlink()
    assert images.check()[0][0].status is Status.FAILED


def test_a_link_in_place_of_a_file(images, tmp_path):
    images.check()
    file = images.root / "kustomization.yaml"
    file.rename(tmp_path / "elsewhere.yaml")
    file.symlink_to(tmp_path / "elsewhere.yaml")
    findings, stood = images.check()
    assert (stood, findings[0].status) == (False, Status.FAILED)


def test_tags_that_changed(images):
    images.check()
    images.world.oci_image("team/app", ["1.2.0"])
    findings, stood = images.check()
    assert (stood, findings[0].target.version) == (False, "1.2.0")
    assert images.check() == (findings, True)


def test_a_base_that_became_a_link_out_of_the_repository(place, tmp_path):
    from upstreamsync.errors import ConfigError

    place.check()
    (tmp_path / "elsewhere").mkdir()
    (place.root / "alpha").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="is a link"):
        place.check()


# -- what upstream answers ----------------------------------------------------------------------------


@pytest.fixture
def page(place):
    for version in ("1.0.0", "1.1.0"):
        place.world.file(f"app/{version}.yaml", "kind: X\n")
    place.world.file("app/index.html", "app-1.0.0 app-1.1.0", modified=None)
    place.write(page_row(place))
    return place


def page_row(place: Place, more: str = "") -> str:
    return (
        "- {name: app, version: 1.0.0, base: app/base, "
        f"releases: {{page: {{url: '{place.world.url}/app/index.html', pattern: 'app-(?P<version>[0-9.]+[0-9])'}}}}, "
        f"source: {{url: '{place.world.url}/app/{{version}}.yaml'}}{more}}}\n"
    )


def test_an_answer_that_is_gone_and_comes_back(page):
    first, _ = page.check()
    assert page.check() == (first, True)
    page.world.remove_file("app/1.1.0.yaml")
    second, stood = page.check()
    assert (stood, second[0].status) == (False, Status.UP_TO_DATE)
    assert "incomplete upstream" in second[0].passed_over[0].reason
    assert page.check() == (second, True), "that something does not exist is an answer, too"
    page.world.file("app/1.1.0.yaml", "kind: X\n")
    assert page.check() == (first, False)


@pytest.mark.parametrize("status", [500, 403, 429])
def test_an_answer_that_is_none_is_a_failure(page, status):
    first, _ = page.check()
    page.world.fault("/app/1.1.0.yaml", Fault.status(status))
    findings, stood = page.check(attempts=1)
    assert (stood, findings[0].status) == (False, Status.FAILED)
    page.world.heal()
    assert page.check() == (first, True), "what stood before stands again"


def test_git_and_its_tags(place, tmp_path):
    remote = place.world.git("team/app")
    remote.commit({"a.yaml": "kind: X\n"}, tag="v1.0.0")
    place.write(
        f"- {{name: app, version: v1.0.0, base: app/base, "
        f"source: {{git: {{repository: '{remote.url}', paths: ['*.yaml']}}}}}}\n"
    )
    first, _ = place.check()
    assert place.check() == (first, True)
    remote.commit({"a.yaml": "kind: Y\n"}, tag="v1.1.0")
    second, stood = place.check()
    assert (stood, second[0].target.version) == (False, "v1.1.0")


def test_github(place):
    repository = place.world.github.repository("acme/tool")
    repository.release("v1.0.0", assets={"install.yaml": "kind: X\n"})
    for version in ("v1.0.0", "v1.1.0"):
        place.world.file(f"{version}.yaml", "kind: X\n")
    place.write(
        "- {name: tool, version: v1.0.0, base: tool/base, releases: {github: acme/tool}, "
        f"source: {{url: '{place.world.url}/{{version}}.yaml'}}}}\n"
    )
    first, _ = place.check()
    assert place.check() == (first, True)
    repository.release("v1.1.0", assets={"install.yaml": "kind: X\n"})
    second, stood = place.check()
    assert (stood, second[0].target.version) == (False, "v1.1.0")
    assert place.check() == (second, True)


def test_an_address_with_a_password_is_not_written_down(place):
    address = place.world.url.replace("://", "://user:s3cret-word@")
    place.write(helm(place, "alpha").replace(place.world.url, address), helm(place, "beta"))
    place.check()
    assert place.check()[1] is False
    findings = [one for one in (place.settings.cache_folder / "findings").rglob("*") if one.is_file()]
    assert findings
    assert all(b"s3cret" not in one.read_bytes() for one in findings)
    assert place.check("beta")[1] is True


# -- the clock ----------------------------------------------------------------------------------------


def test_a_version_that_grows_old_enough(page):
    page.write(page_row(page, ", follow: {cooldown: 3d}"))
    first, _ = page.check()  # now both are seen for the first time
    assert (first[0].status, first[0].passed_over[0].reason) == (
        Status.PENDING,
        "first seen just now, cooldown 3d",
    )
    for step in (0, 59):
        assert page.check(now=NOW + timedelta(seconds=step)) == (first, True)
    later, stood = page.check(now=NOW + timedelta(minutes=5))
    assert not stood
    assert later[0].passed_over[0].reason == "first seen 5 minutes ago, cooldown 3d"
    day, _ = page.check(now=NOW + timedelta(days=2, hours=1))
    assert page.check(now=NOW + timedelta(days=2, hours=20)) == (day, True)
    assert day[0].passed_over[0].until == NOW + timedelta(days=3)
    old, stood = page.check(now=NOW + timedelta(days=3))
    assert (stood, old[0].status) == (False, Status.OUTDATED)
    assert page.check(now=NOW + timedelta(days=30)) == (old, True)


def test_a_clock_that_runs_backwards(page):
    page.check()
    assert page.check(now=NOW + timedelta(days=1))[1] is True
    assert page.check(now=NOW - timedelta(seconds=1))[1] is False


def test_what_was_first_seen_and_is_forgotten(page):
    page.write(page_row(page, ", follow: {cooldown: 3d}"))
    page.check()
    later = NOW + timedelta(days=4)
    old, _ = page.check(now=later)
    assert (page.check(now=later), old[0].status) == ((old, True), Status.OUTDATED)
    for file in (page.settings.cache_folder / "first-seen").rglob("*"):
        if file.is_file():
            file.unlink()
    findings, stood = page.check(now=later)
    assert (stood, findings[0].status) == (False, Status.PENDING)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ages=st.lists(st.integers(-100_000, 400_000), min_size=1, max_size=4),
    cooldown=st.sampled_from([0, 600, 86_400, 259_200]),
    step=st.integers(0, 300_000),
)
def test_up_to_the_moment_that_is_said_nothing_changes(ages, cooldown, step):
    """The policy's words are the same up to that moment, and other ones from then on."""
    from upstreamsync.config.spec import Follow
    from upstreamsync.releases import policy

    releases = [Release(version="1.0.0", ref="1.0.0", published=NOW - timedelta(days=90))]
    releases += [
        Release(version=f"1.{number}.0", ref="x", published=NOW - timedelta(seconds=age))
        for number, age in enumerate(ages, 1)
    ]

    def chosen(now: datetime):
        return policy.choose(
            releases=releases, current="1.0.0", follow=Follow(), now=now, cooldown=timedelta(seconds=cooldown)
        )

    until = policy.holds_until(releases, cooldown=timedelta(seconds=cooldown), now=NOW, first_seen=EMPTY)
    later = NOW + timedelta(seconds=step)
    if until is None or later < until:
        assert chosen(later) == chosen(NOW)
    if until is not None:
        assert until > NOW
        assert chosen(until) != chosen(NOW)


# -- what is kept -------------------------------------------------------------------------------------


def record_of(place: Place) -> Path:
    (file,) = (one for one in (place.settings.cache_folder / "findings").rglob("*") if one.is_file())
    return file


def sealed(place: Place, text: bytes) -> bytes:
    config = hashlib.sha256((place.root / "vendors.yaml").read_bytes()).hexdigest()
    seal = hashlib.sha256(json.dumps([unchanged._program(), config]).encode())
    seal.update(text)
    return seal.hexdigest().encode() + b"\n" + text


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b" ",
        lambda data: data.replace(b"1.1.0", b"9.9.9"),
        lambda data: b"\xff\x00" + data,
        lambda data: data.partition(b"\n")[2],
    ],
    ids=["empty", "cut", "longer", "another version", "binary", "without its seal"],
)
def test_a_damaged_record_is_none(place, damage):
    first, _ = place.check()
    file = record_of(place)
    file.write_bytes(damage(file.read_bytes()))
    assert place.check() == (first, False)
    assert place.check() == (first, True)


def everywhere(value: Any, odd: Any):
    """The value with one part of it after the other replaced by something odd."""
    yield odd
    if isinstance(value, dict):
        for key in value:
            for inner in everywhere(value[key], odd):
                yield {**value, key: inner}
            yield {other: inner for other, inner in value.items() if other != key}
    elif isinstance(value, list):
        for number, element in enumerate(value):
            for inner in everywhere(element, odd):
                yield [*value[:number], inner, *value[number + 1 :]]


@pytest.mark.parametrize("odd", [None, 7, "../../etc/passwd", [], {}, [["x"]]], ids=str)
def test_a_record_of_another_shape_ends_no_run(place, odd, monkeypatch):
    """Whatever somebody puts there: it is used as it is read, or not at all, and never ends in a traceback.

    Somebody who has the key that seals the cache, too: without it nothing of this is read.
    """
    monkeypatch.setattr("upstreamsync.kit.store.cache.is_sealed", lambda *_: True)
    place.write(helm(place, "alpha"))
    place.check()
    file = record_of(place)
    document = json.loads(file.read_bytes().partition(b"\n")[2])
    for changed in everywhere(document, odd):
        file.write_bytes(b"0" * 64 + sealed(place, json.dumps(changed).encode()))
        with LazyProject(place.root, settings=place.settings) as lazy:
            found = lazy.unchanged()
            assert found is None or all(isinstance(one, Finding) for one in found)


def test_findings_come_back_as_they_were():
    release = Release(
        version="1.2.0",
        ref="v1.2.0",
        published=NOW,
        known_by=NOW - timedelta(days=1),
        prerelease=True,
        digest="sha256:" + "0" * 64,
        app_version="3",
        commit="a" * 40,
        download=("https://example.com/a.tgz",),
        page="https://example.com",
        notes="# New\n\n* ünïcode \U0001f600",
        note="deprecated upstream",
        assets={"a": "sha256:1"},
        groups={"version": "1.2.0", "": ""},
    )
    bare = Release(version="1", ref="1")
    passed = (
        PassedOver(version="2", reason="a major step"),
        PassedOver(version="3", reason="too young", until=NOW + timedelta(microseconds=7)),
    )
    finding = Finding(
        vendor="app",
        status=Status.OUTDATED,
        current="1.0.0",
        target=release,
        newest="1.3.0",
        passed_over=passed,
        images=(
            ImageFinding(key=0, image="a/b", current="1", target=bare, passed_over=passed),
            ImageFinding(key=1, image="a/c", current="2"),
        ),
        major=bare,
    )
    for one in (finding, Finding(vendor="", status=Status.WITHDRAWN, current="")):
        again = serialize.finding(json.loads(json.dumps(serialize.of_finding(one))))
        assert again == one
    assert {field.name for field in fields(Release)} == serialize.of_release(release).keys()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["alpha", "beta", "lock", "config", "gone", "day"]), max_size=4))
def test_each_run_finds_what_a_fresh_one_finds(tmp_path_factory, steps):
    with World() as world:
        for name in ("alpha", "beta"):
            for version in ("1.0.0", "1.1.0"):
                world.chart(f"charts/{name}", name, version)
        place = Place(tmp_path_factory.mktemp("steps"), world)
        place.write(helm(place, "alpha"), helm(place, "beta"))
        now = NOW
        place.check()
        for number, step in enumerate(steps, 2):
            if step in ("alpha", "beta"):
                world.chart(f"charts/{step}", step, f"1.{number}.0")
            elif step == "lock":
                (place.root / "alpha").mkdir(exist_ok=True)
                lock = place.root / "alpha/alpha.lock.yaml"
                lock.unlink() if lock.exists() else lock.write_text("[]", "utf-8")
            elif step == "config":
                place.write(helm(place, "beta"), helm(place, "alpha", f", follow: {{cooldown: {number}d}}"))
            elif step == "gone":
                world.raw_index("charts/beta", "entries: {}\n")
            else:
                now += timedelta(days=1)
            expected = place.fresh(now=now)
            assert place.check(now=now)[0] == expected
            assert place.check(now=now)[0] == expected
