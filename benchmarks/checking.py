"""What `check` costs, next to the floor and to peers: cold, and with nothing changed upstream."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import peers
from measure import Caches, Cost, Wrong, alternating, run

from report import Figure, Section, ratio
from world import Upstream, WorldProcess

PROGRAM = [sys.executable, "-m", "upstreamsync"]
COLD, UNCHANGED = "upstreamsync, cold", "upstreamsync, 304"
#: What is demanded, what it compares, and how many of the other one it may take in time.
RATIOS = (
    ("1", "cold, in nvchecker's time", COLD, "nvchecker", 2.0),
    ("1", "cold, in Renovate's time", COLD, "renovate, cold", 1 / 15),
    ("1", "304, in nvchecker's time", UNCHANGED, "nvchecker", 0.7),
    ("1", "304, in warm Renovate's time", UNCHANGED, "renovate, warm", 1 / 8),
    ("", "cold, in the time of httpx alone", COLD, "httpx alone, cold", None),
    ("", "304, in the time of httpx alone", UNCHANGED, "httpx alone, 304", None),
    ("", "cold, in the time of `helm repo update`", COLD, "helm repo update", None),
)
#: From so many vendors on, what all of them share is read once, and these hold in place of those above.
MANY = 1000
RATIOS_OF_MANY = {
    (COLD, "nvchecker"): 1.2,
    (COLD, "renovate, cold"): 1 / 18,
    (UNCHANGED, "nvchecker"): 0.3,
}
#: Of Renovate's memory, cold; and in MB, for many.
MEMORY, MEMORY_OF_MANY = 1 / 15, 130.0
#: CPU for a vendor whose upstream did not change, in milliseconds.
EACH = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What was measured of so many vendors; ``indexes`` is how many addresses they share."""

    vendors: int
    indexes: int
    costs: Mapping[str, Cost]


def _vendor(folder: Path) -> None:
    """A base and a lock for each, as an update leaves them behind: what is not vendored has nothing to move from."""
    from upstreamsync.config.load import content_digest, load_configuration
    from upstreamsync.lock import Lock, digest, render

    data = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bench}\n"
    for vendor in load_configuration(folder / "vendors.yaml").vendors:
        path = f"{vendor.bases[0]}/{vendor.name}.yaml"
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_bytes(data)
        lock = Lock(
            vendor=vendor.name,
            version=str(vendor.version),
            config=content_digest(vendor),
            sources=(),
            bases=vendor.bases,
            files={path: digest(data)},
        )
        (folder / str(vendor.lock_path)).write_bytes(render(lock))


class Subject:
    """upstreamsync on a vendors.yaml of these upstreams."""

    def __init__(self, folder: Path, upstreams: Sequence[Upstream]) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._caches = Caches(folder / "cache")
        self._wanted = [one.newest for one in upstreams]
        rows = [
            f"- {{name: v{number:03}, version: {one.current}, base: v{number:03}/base, "
            f"source: {{helm: {{repository: '{one.repository}', chart: {one.chart}}}}}}}\n"
            for number, one in enumerate(upstreams)
        ]
        (folder / "vendors.yaml").write_text("version: 1\nvendors:\n" + "".join(rows), "utf-8")
        _vendor(folder)

    def check(self, *, cold: bool) -> Cost:
        """One run, its answers compared with the truth."""
        out = self._folder / "out.json"
        cache = self._caches.new() if cold else self._caches.current
        cost = run(
            [*PROGRAM, "check", "--cache-dir", cache, "--json-output", out, "--format", "json"],
            cwd=self._folder,
        )
        found = [one["target"] for one in json.loads(out.read_text("utf-8"))["vendors"]]
        if found != self._wanted:
            raise Wrong("check gave a wrong answer")
        return cost


def measure_check(
    world: WorldProcess, folder: Path, count: int, *, times: int, slow_times: int, helm: Path
) -> Size:
    """The medians of every subject for ``count`` vendors; Renovate and helm run ``slow_times``."""
    upstreams = world.take(count)
    here = folder / f"check-{count}"
    subject = Subject(here / "upstreamsync", upstreams)
    addresses = tuple(dict.fromkeys(f"{one.repository}/index.yaml" for one in upstreams))
    urls = here / "urls"
    urls.write_text("\n".join(addresses), "utf-8")
    floor = [sys.executable, Path(__file__).with_name("floor.py"), urls]
    etags = here / "etags"
    run([*floor, etags])
    subjects: dict[str, Callable[[], Cost]] = {
        COLD: lambda: subject.check(cold=True),
        UNCHANGED: lambda: subject.check(cold=False),
        "httpx alone, cold": lambda: run(floor),
        "httpx alone, 304": lambda: run([*floor, etags]),
    }
    if peers.Nvchecker.available():
        nvchecker = peers.Nvchecker(here / "nvchecker", upstreams)
        subjects["nvchecker"] = nvchecker.look_up
    costs = alternating(subjects, times)
    if slow_times:
        costs |= _slow(here, upstreams, helm, slow_times)
    return Size(vendors=count, indexes=len(addresses), costs=costs)


def _slow(here: Path, upstreams: Sequence[Upstream], helm: Path, times: int) -> dict[str, Cost]:
    subjects = {"helm repo update": peers.Helm(here / "helm", helm, upstreams).look_up}
    if not peers.Renovate.available():
        return alternating(subjects, times)
    renovate = peers.Renovate(here / "renovate", upstreams)
    costs = alternating(
        {
            "renovate, cold": lambda: renovate.look_up(cold=True),
            "renovate, warm": lambda: renovate.look_up(cold=False),
            **subjects,
        },
        times,
    )
    renovate.check_answers()
    return costs


def section(world: WorldProcess, size: Size, *, judged: bool, absent: Mapping[str, str]) -> Section:
    """The table of one size. Its ratios are held against the limits where ``judged``.

    ``absent`` says of a peer, by the first word of its subject, why it was not measured.
    """
    title = f"check, {size.vendors} vendors on {size.indexes} indexes"
    figures = []
    for number, what, mine, other, limit in RATIOS:
        if other in size.costs or (judged and limit):
            reason = absent.get(other.split(",")[0], "")
            named = f"check of {size.vendors}, {what}" if judged and limit else what
            if size.vendors >= MANY:
                limit = RATIOS_OF_MANY.get((mine, other), limit)
            bound = limit if judged else None
            figures.append(ratio(number, named, size.costs, mine, other, bound, absent=reason))
    if judged:
        figures += _memory(world, size, absent.get("renovate", ""))
    return Section(title=title, costs=size.costs, figures=figures)


def _memory(world: WorldProcess, size: Size, absent: str) -> list[Figure]:
    mine, renovate = size.costs[COLD].memory, size.costs.get("renovate, cold")
    largest = max(world.sizes.values()) / 1e6
    return [
        Figure(
            number="1",
            what=f"check of {size.vendors}, cold, in Renovate's memory",
            measured=mine / renovate.memory if renovate else None,
            limit=MEMORY if size.vendors < MANY else None,
            unit="×",
            aside="" if renovate else absent,
        ),
        Figure(
            number="1",
            what=f"check of {size.vendors}, peak memory",
            measured=max(mine, size.costs[UNCHANGED].memory),
            limit=MEMORY_OF_MANY if size.vendors >= MANY else 150 + 3 * largest,
            unit="MB",
        ),
    ]


def growth(sizes: Sequence[Size]) -> Section:
    """How the cost grows from one size to the next, and what a vendor costs that did not change.

    The step to the largest size may cost as much more as it has more addresses, and 3 ms for each vendor.
    """
    few, many = sizes[0], sizes[-1]
    each = 1000 * (many.costs[UNCHANGED].cpu - few.costs[UNCHANGED].cpu) / (many.vendors - few.vendors)
    figures = [
        Figure(
            number="3",
            what=f"an unchanged vendor, CPU, from {few.vendors} to {many.vendors}",
            measured=each,
            limit=EACH,
            unit="ms",
        )
    ]
    for smaller, larger in itertools.pairwise(sizes):
        step = f"{smaller.vendors} → {larger.vendors} vendors ({smaller.indexes} → {larger.indexes} indexes)"
        last = larger is many
        for subject, name in ((COLD, "cold"), (UNCHANGED, "304")):
            figures.append(_step(f"growth of CPU, {name}, {step}", subject, smaller, larger, judged=last))
    return Section(title="check, growth", costs={}, figures=figures)


def _step(what: str, subject: str, smaller: Size, larger: Size, *, judged: bool) -> Figure:
    before, after = smaller.costs[subject].cpu, larger.costs[subject].cpu
    besides = EACH / 1000 * (larger.vendors - smaller.vendors)
    linear = larger.indexes / smaller.indexes + besides / before
    wall = larger.costs[subject].wall / smaller.costs[subject].wall
    return Figure(
        number="3",
        what=what,
        measured=after / before,
        limit=linear if judged else None,
        unit="×",
        aside=f"wall {wall:.2f}×",
    )


def measure_requests(world: WorldProcess, folder: Path, count: int) -> Section:
    """What the world counts of a cold run and of one with nothing changed, and of tokens of a registry."""
    subject = Subject(folder / f"requests-{count}", world.take(count))
    cold = _counted(world, lambda: subject.check(cold=True))
    again = _counted(world, lambda: subject.check(cold=False))
    charts = Subject(folder / "registry", [one for one in world.registry for _ in range(3)])
    tokens = _counted(world, lambda: charts.check(cold=True))
    return Section(
        title=f"check, requests of {count} vendors",
        costs={},
        figures=[
            _exact("requests per distinct address, cold", cold["requests"] / cold["distinct"]),
            _exact("requests per distinct address, 304", again["requests"] / again["distinct"]),
            _exact("requests without a condition, 304", again["requests"] - again["conditional"], 0),
            _exact(
                "tokens per scope of a registry, three vendors each", tokens["tokens"] / len(world.registry)
            ),
        ],
        lines=[
            f"{name}: {seen['requests']} requests for {seen['distinct']} addresses, {seen['conditional']} "
            f"conditional, {seen['unchanged']} unchanged, {seen['bytes'] / 1e6:.1f} MB"
            for name, seen in (("cold", cold), ("304", again))
        ],
    )


def _counted(world: WorldProcess, work: Callable[[], object]) -> dict[str, int]:
    world.reset()
    work()
    return world.counts()


def _exact(what: str, measured: float, limit: float = 1) -> Figure:
    return Figure(number="2", what=what, measured=measured, limit=limit)
