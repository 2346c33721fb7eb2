"""Measure upstreamsync next to what else people could run, and next to the floor.

``python benchmarks/run.py`` measures `check` of 10, 50 and 200 vendors, `update`, `verify` and the semantic
difference, and prints medians and ratios, all taken in this one run. ``--quick`` takes fewer. ``--peers``
installs nvchecker and renovate below .tools/peers first; whichever is there is measured.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import peers
from checking import measure_check, measure_requests
from measure import Cost
from startup import measure_startup

from world import WorldProcess

#: Subject, what it is compared with, the limit on wall time, and that on memory (None: there is none).
LIMITS = (
    ("upstreamsync, cold", "httpx alone, cold", None, None),
    ("upstreamsync, cold", "nvchecker", 2.0, None),
    ("upstreamsync, cold", "renovate, cold", 1 / 15, 1 / 15),
    ("upstreamsync, cold", "helm repo update", None, None),
    ("upstreamsync, 304", "httpx alone, 304", None, None),
    ("upstreamsync, 304", "nvchecker", 0.7, None),
    ("upstreamsync, 304", "renovate, warm", 1 / 8, None),
)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer runs, and no Renovate")
    parser.add_argument("--peers", action="store_true", help="install the peers first")
    parser.add_argument("--latency", type=float, default=50.0, help="of each answer, in ms (50)")
    parser.add_argument("--times", type=int, default=0, help="runs of each subject (5; quick: 3)")
    parser.add_argument("--vendors", type=int, nargs="+", default=[], help="how many (10 50 200; quick: 50)")
    parser.add_argument("--only", choices=["check", "judge", "startup"], help="one part alone")
    chosen = parser.parse_args()
    if chosen.peers:
        peers.install()
    times = chosen.times or (3 if chosen.quick else 5)
    print(f"{os.cpu_count()} processors, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="upstreamsync-bench-") as name:
        folder = Path(name)
        if chosen.only in {None, "startup"}:
            _table("Start-up", measure_startup(times), ())
        if chosen.only in {None, "check"}:
            _check(folder, chosen, times)
        if chosen.only in {None, "judge"}:
            from judging import measure_judging

            for title, costs, ratios in measure_judging(folder, times):
                _table(title, costs, ratios)


def _check(folder: Path, chosen: argparse.Namespace, times: int) -> None:
    helm = shutil.which(os.environ.get("HELM", "helm"))
    counts = chosen.vendors or ([50] if chosen.quick else [10, 50, 200])
    slow = 0 if chosen.quick else max(1, times // 2)
    unchanged: dict[int, float] = {}
    with WorldProcess(latency=chosen.latency) as world:
        largest = max(world.sizes.values()) / 1024**2
        print(
            f"{len(world.sizes)} indexes of {sum(world.sizes.values()) / 1e6:.0f} MB, the largest {largest:.0f} MiB"
        )
        for count in counts:
            costs = measure_check(
                world, folder, count, times=times, slow_times=slow, helm=Path(helm) if helm else None
            )
            _table(f"check, {count} vendors, {chosen.latency:g} ms", costs, LIMITS)
            unchanged[count] = costs["upstreamsync, 304"].cpu
            bound = 150 + 3 * largest
            print(f"  peak memory {costs['upstreamsync, cold'].memory:.0f} MiB (limit {bound:.0f})")
            for line in measure_requests(world, folder, count):
                print(f"  {line}")
    if len(unchanged) > 1:
        few, many = min(unchanged), max(unchanged)
        each = (unchanged[many] - unchanged[few]) / (many - few) * 1000
        print(f"\nan unchanged vendor costs {each:.1f} ms of CPU (limit 3)")


def _table(
    title: str,
    costs: Mapping[str, Cost],
    limits: Sequence[tuple[str, str, float | None, float | None]],
) -> None:
    print(f"\n{title}")
    for name, cost in costs.items():
        print(f"  {name:38} {cost}")
    for name, other, wall, memory in limits:
        if name not in costs or other not in costs:
            continue
        mine, theirs = costs[name], costs[other]
        print(
            f"  {name} / {other}: wall {_ratio(mine.wall / theirs.wall, wall)}, "
            f"CPU {_ratio(mine.cpu / theirs.cpu, None)}, "
            f"memory {_ratio(mine.memory / theirs.memory, memory)}"
        )


def _ratio(value: float, limit: float | None) -> str:
    if limit is None:
        return f"{value:.3g}"
    return f"{value:.3g} (limit {limit:.3g}: {'holds' if value <= limit else 'MISSED'})"


if __name__ == "__main__":
    main()
