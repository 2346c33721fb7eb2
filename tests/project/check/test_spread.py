"""Many vendors are looked up in several processes: the same findings, and no address asked twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter

import pytest

from upstreamsync.config import Vendor
from upstreamsync.kit.store.dependencies import DependencyRecord
from upstreamsync.model import Failure, Finding, PassedOver, Release, Status
from upstreamsync.project.check.spread import packed, spread, unpacked
from upstreamsync.testing import World, mixed_world


def vendor(name: str, source: dict, **more: object) -> Vendor:
    return Vendor.model_validate(
        {"name": name, "version": "1.0.0", "base": f"{name}/base", "source": source, **more}
    )


def chart(number: int, host: str) -> Vendor:
    return vendor(f"c{number}", {"helm": {"repository": f"https://{host}/charts", "chart": "a"}})


def test_vendors_that_share_a_host_stay_together_and_in_order():
    vendors = [chart(number, f"h{number % 7}.example") for number in range(60)]
    parts = spread(vendors, 3)
    assert len(parts) == 3
    hosts = [{str(one.source[0].helm.repository) for one in part} for part in parts]  # type: ignore[union-attr]
    assert sum(map(len, hosts)) == len(set().union(*hosts)) == 7
    assert sorted(one.name for part in parts for one in part) == sorted(one.name for one in vendors)
    for part in parts:
        numbers = [int(one.name[1:]) for one in part]
        assert numbers == sorted(numbers)
    assert max(map(len, parts)) - min(map(len, parts)) <= 9


def test_a_vendor_that_asks_two_hosts_ties_them():
    vendors = [chart(number, f"h{number % 2}.example") for number in range(40)]
    assert len(spread(vendors, 2)) == 2
    both = vendor(
        "both",
        {"url": "https://h0.example/{version}.yaml"},
        releases={"page": {"url": "https://h1.example/", "pattern": "(?P<version>.*)"}},
    )
    assert len(spread([*vendors, both], 2)) == 1


def test_registries_and_github_are_hosts_too():
    images = [
        Vendor.model_validate(
            {
                "name": f"i{number}",
                "images": [
                    {
                        "image": f"quay.io/org/i{number}",
                        "edits": [{"file": "k.yaml", "image": "a", "tag": "{version}"}],
                    }
                ],
            }
        )
        for number in range(40)
    ]
    assert len(spread(images, 2)) == 1
    tags = [
        vendor(
            f"g{number}",
            {"url": f"https://h{number}.example/{{version}}"},
            releases={"github_tags": f"o{number}/r"},
        )
        for number in range(40)
    ]
    assert len(spread(tags, 2)) == 1


def test_few_vendors_and_one_processor_are_not_spread():
    vendors = [chart(number, f"h{number}.example") for number in range(39)]
    assert len(spread(vendors, 8)) == 1
    assert len(spread([*vendors, chart(39, "x.example")], 1)) == 1
    assert len(spread([*vendors, chart(39, "x.example")], 8)) == 2


def test_findings_travel_whole():
    release = Release(version="1.1.0", ref="v1.1.0", download=("https://e.test/a.tgz",))
    good = Finding(
        vendor="a", status=Status.OUTDATED, current="1", newest="2", target=release,
        passed_over=(PassedOver(version="2", reason="too new"),),
    )  # fmt: skip
    failure = Failure(kind="unreachable", message="it is away", hint="wait")
    bad = Finding(vendor="b", status=Status.FAILED, current="", error=failure)
    plain, doubtful, secret = DependencyRecord(), DependencyRecord(), DependencyRecord()
    plain.note(("http", "https://e.test/", (), 5, False, ()), "digest")
    doubtful.doubtful = True
    secret.note(("http", "https://user:password@e.test/", (), 5, False, ()), "digest")
    found = unpacked(
        packed({"a": (good, plain, None), "b": (bad, doubtful, None), "c": (good, secret, None)})
    )
    assert (found["a"][0], found["b"][0]) == (good, bad)
    assert (found["a"][1].answers, found["a"][1].doubtful) == (plain.answers, False)
    assert found["b"][1].doubtful
    assert found["c"][1].doubtful, "what has a secret in it must not be kept"


# -- whole runs --------------------------------------------------------------------------------------

#: The command line, with something done to it first.
RUN = "import sys\n{before}\nsys.argv = ['upstreamsync', *sys.argv[1:]]\nfrom upstreamsync.cli import main\nmain()\n"
ONE = "import upstreamsync.kit.run.threads as parallel\nparallel.processors = lambda: 1"
TWO = "import upstreamsync.kit.run.threads as parallel\nparallel.processors = lambda: 2"
#: A copy of the process that ends, or fails, in the middle of its work.
DYING = """
import os, upstreamsync.project.check.check as project
parent, real = os.getpid(), project.look_up
def look_up(vendor, *more, **named):
    if os.getpid() != parent and vendor.name.endswith("7"):
        {deed}
    return real(vendor, *more, **named)
project.look_up = look_up
"""


@pytest.fixture(scope="module")
def mixed():
    with World(hosts=4) as world:
        yield world, mixed_world(world, hosts=4, charts=60, repositories=12, scale=0.01)


@pytest.fixture
def repository(tmp_path, mixed):
    _, charts = mixed
    rows = [
        f"- {{name: v{number:02}, version: {one.newest}, base: v{number:02}/base,"
        f" source: {{helm: {{repository: '{one.repository}', chart: {one.chart}}}}}}}\n"
        for number, one in enumerate(charts)
    ]
    rows.append(rows[0].replace("v00", "wrong").replace(charts[0].chart, "no-such-chart"))
    (tmp_path / "vendors.yaml").write_text("version: 1\nvendors:\n" + "".join(rows), "utf-8")
    return tmp_path


def check(folder, before, *words):
    """The document, and what was said beside it."""
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(before=before), "check", "--format", "json", "-v", *words],
        cwd=folder, env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout), done.stderr


def test_several_processes_find_what_one_finds_and_ask_no_more(repository, mixed):
    world, charts = mixed
    single, said = check(repository, ONE, "--cache-dir", "one")
    assert "processes" not in said
    world.reset()
    double, said = check(repository, TWO, "--cache-dir", "two")
    assert "looking up 61 vendors in 2 processes" in said
    assert double == single
    assert [one["error"]["kind"] for one in double["vendors"] if one["error"]] == ["not-found"]
    asked = Counter((one.host, one.path) for one in world.requests)
    assert set(asked.values()) == {1}
    assert len(asked) == len({one.repository for one in charts})
    world.reset()
    again, said = check(repository, TWO, "--cache-dir", "two")
    assert again == single
    assert all("if-none-match" in one.headers for one in world.requests)


@pytest.mark.parametrize(
    "deed", ["os.kill(os.getpid(), 9)", "raise SystemExit(0)", "raise ZeroDivisionError"]
)
def test_what_a_copy_does_not_bring_to_its_end_is_done_here(repository, deed):
    single, _ = check(repository, ONE, "--no-cache")
    found, said = check(repository, TWO + DYING.format(deed=deed), "--no-cache")
    assert "in 2 processes" in said
    assert found == single


FORKS = """
import os, sys, time
from upstreamsync.kit.run.processes import can_fork, in_processes
assert can_fork()
def work(part):
    if part == "sleeps":
        time.sleep(600)
    if part == "fails":
        raise KeyError(part)
    return part.encode() * 100_000
try:
    found = in_processes(work, sys.argv[1:], at_end=lambda: os.write(1, b"end" + bytes([10])))
    print([data and data[:1].decode() for data in found])
except KeyError:
    print("raised")
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("no children")
"""


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (["a", "b", "c"], ["end", "end", "['a', 'b', 'c']", "no children"]),
        (["a", "fails", "c"], ["end", "['a', None, 'c']", "no children"]),
        (["fails", "sleeps", "c"], ["raised", "no children"]),
        (["a"], ["['a']", "no children"]),
    ],
)
def test_parts_are_worked_on_in_copies_that_leave_nothing_behind(parts, said):
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", FORKS, *parts], capture_output=True, text=True, check=True, timeout=300
    )
    assert [line for line in done.stdout.splitlines() if line != "end" or "raised" not in done.stdout] == said
    assert time.monotonic() - begin < 250
