"""What `check` costs, next to the floor and to peers: cold, and with nothing changed upstream."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import peers
from measure import Cost, alternating, run

from world import Upstream, WorldProcess

PROGRAM = [sys.executable, "-m", "upstreamsync"]


class Subject:
    """upstreamsync on a vendors.yaml of these upstreams."""

    def __init__(self, folder: Path, upstreams: Sequence[Upstream]) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._wanted = [one.newest for one in upstreams]
        rows = [
            f"- {{name: v{number:03}, version: {one.current}, base: v{number:03}/base, "
            f"source: {{helm: {{repository: '{one.repository}', chart: {one.chart}}}}}}}\n"
            for number, one in enumerate(upstreams)
        ]
        (folder / "vendors.yaml").write_text("version: 1\nvendors:\n" + "".join(rows), "utf-8")

    def check(self, *, cold: bool) -> Cost:
        """One run, its answers compared with the truth."""
        cache, out = self._folder / "cache", self._folder / "out.json"
        if cold:
            shutil.rmtree(cache, ignore_errors=True)
        cost = run(
            [*PROGRAM, "check", "--cache-dir", cache, "--json-output", out, "--format", "json"],
            cwd=self._folder,
        )
        found = [one["target"] for one in json.loads(out.read_text("utf-8"))["vendors"]]
        assert found == self._wanted, "check gave a wrong answer"
        return cost


def measure_check(
    world: WorldProcess, folder: Path, count: int, *, times: int, slow_times: int, helm: Path | None
) -> dict[str, Cost]:
    """The medians of every subject for ``count`` vendors; Renovate and helm run ``slow_times``."""
    upstreams = world.take(count)
    here = folder / f"check-{count}"
    subject = Subject(here / "upstreamsync", upstreams)
    urls = here / "urls"
    urls.write_text("\n".join(dict.fromkeys(f"{one.repository}/index.yaml" for one in upstreams)), "utf-8")
    floor = [sys.executable, Path(__file__).with_name("floor.py"), urls]
    etags = here / "etags"
    run([*floor, etags])
    subjects: dict[str, Callable[[], Cost]] = {
        "upstreamsync, cold": lambda: subject.check(cold=True),
        "upstreamsync, 304": lambda: subject.check(cold=False),
        "httpx alone, cold": lambda: run(floor),
        "httpx alone, 304": lambda: run([*floor, etags]),
    }
    if peers.Nvchecker.available():
        nvchecker = peers.Nvchecker(here / "nvchecker", upstreams)
        subjects["nvchecker"] = nvchecker.look_up
    result = alternating(subjects, times)
    slow: dict[str, Callable[[], Cost]] = {}
    if slow_times and peers.Renovate.available():
        renovate = peers.Renovate(here / "renovate", upstreams)
        slow["renovate, cold"] = lambda: renovate.look_up(cold=True)
        slow["renovate, warm"] = lambda: renovate.look_up(cold=False)
    if slow_times and helm is not None:
        slow["helm repo update"] = peers.Helm(here / "helm", helm, upstreams).look_up
    return result | alternating(slow, slow_times)


def measure_requests(world: WorldProcess, folder: Path, count: int) -> list[str]:
    """What the world counts of a cold and of a warm run."""
    subject = Subject(folder / f"requests-{count}", world.take(count))
    lines = []
    for name, cold in (("cold", True), ("304", False)):
        world.reset()
        subject.check(cold=cold)
        seen = world.counts()
        lines.append(
            f"{name}: {seen['requests']} requests for {seen['distinct']} addresses, "
            f"{seen['conditional']} conditional, {seen['unchanged']} unchanged, {seen['bytes']} bytes"
        )
    return lines
