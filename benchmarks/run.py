"""Measure upstreamsync next to what else people could run, and next to the floor.

``python benchmarks/run.py`` measures start-up, `check` of 10, 50 and 200 vendors, `update`, `verify` and the
semantic difference. Medians of subjects that run in turns, all taken in this one run; at the end one table of
everything that has a limit. ``--quick`` takes fewer. ``--peers`` installs nvchecker and renovate below
.tools/peers first; whichever is there is measured. ``--markdown PAGE`` writes the figures into a page.
Exit code 0 whether limits hold or not: a busy machine is no defect. A wrong answer ends the run.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import checking
import content
import peers
from bulk import measure_bulk
from difference import measure_difference
from judging import kustomize, measure_judging
from refused import measure_refused
from rules import measure_rules
from since import measure_since
from startup import measure_startup
from updating import measure_updating

import upstreamsync
from report import Section, print_section, print_summary, write_page
from world import WorldProcess

PARTS = ("startup", "check", "update", "judge", "difference")


def main() -> None:
    """Run what was asked for."""
    chosen = _arguments()
    if chosen.peers:
        peers.install()
    _compile()
    conditions = list(_conditions(chosen))
    print("\n".join(conditions))
    sections = []
    with tempfile.TemporaryDirectory(prefix="upstreamsync-bench-") as name:
        for section in _sections(Path(name), chosen):
            print_section(section)
            sections.append(section)
    print_summary(sections)
    if chosen.markdown:
        write_page(chosen.markdown, sections, conditions)


def _compile() -> None:
    """Bytecode for upstreamsync, as pip makes it of all that it installs, the peers among it."""
    compileall.compile_dir(os.path.dirname(upstreamsync.__file__), quiet=2)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer runs and cases, and no Renovate")
    parser.add_argument("--peers", action="store_true", help="install the peers first")
    parser.add_argument("--latency", type=float, default=50.0, help="of each answer, in ms (50)")
    parser.add_argument(
        "--times", type=int, default=0, help="runs of each subject (5, update and verify 3; quick: 3 and 1)"
    )
    parser.add_argument("--vendors", type=int, nargs="+", default=[], help="how many (10 50 200; quick: 50)")
    parser.add_argument("--everywhere", action="store_true", help="Renovate and helm at each of these sizes")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on all that is made up (1)")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="some parts alone")
    parser.add_argument("--markdown", type=Path, metavar="PAGE", help="put the figures into this page")
    chosen = parser.parse_args()
    # What takes seconds each runs less often, unless told how often; Renovate and Helm, half as often as all.
    chosen.few = chosen.times or (1 if chosen.quick else 3)
    chosen.times = chosen.times or (3 if chosen.quick else 5)
    chosen.slow = max(1, chosen.times // 2)
    chosen.vendors = sorted(set(chosen.vendors)) or ([50] if chosen.quick else [10, 50, 200])
    return chosen


def _sections(folder: Path, chosen: argparse.Namespace) -> Iterator[Section]:
    """Everything that was asked for, each part as soon as it is measured."""
    if "startup" in chosen.only:
        yield measure_startup(chosen.times)
    if "check" in chosen.only:
        yield from _check(folder, chosen)
    if "update" in chosen.only:
        yield from measure_updating(folder, chosen.few, chosen.scale, chosen.latency, _helm())
        yield measure_bulk(folder, chosen.few, chosen.scale)
    if "judge" in chosen.only:
        yield from measure_judging(folder, chosen.few, chosen.scale, quick=chosen.quick)
        yield measure_refused(folder / "refused", chosen.few)
        yield measure_rules(folder / "rules", chosen.few, chosen.scale)
        yield from measure_since(folder / "since", chosen.few, _helm(), chosen.scale)
    if "difference" in chosen.only:
        yield measure_difference(folder, chosen.times, chosen.scale)


def _check(folder: Path, chosen: argparse.Namespace) -> Iterator[Section]:
    sizes: list[checking.Size] = []
    largest = chosen.vendors[-1]
    with WorldProcess(latency=chosen.latency, scale=chosen.scale) as world:
        for count in chosen.vendors:
            slow = (count == largest or chosen.everywhere) and not chosen.quick
            sizes.append(
                checking.measure_check(
                    world,
                    folder,
                    count,
                    times=chosen.times,
                    slow_times=chosen.slow if slow else 0,
                    helm=_helm(),
                )
            )
            absent = {
                "nvchecker": "not installed: --peers",
                "renovate": "left out by --quick" if chosen.quick else "not installed: --peers",
            }
            yield checking.section(world, sizes[-1], judged=count == largest, absent=absent)
        yield checking.measure_requests(world, folder, largest)
    if len(sizes) > 1:
        yield checking.growth(sizes)


def _helm() -> Path:
    found = shutil.which(os.environ.get("HELM", "helm"))
    if found is None:
        raise SystemExit("helm was not found: set HELM")
    return Path(found).absolute()


def _conditions(chosen: argparse.Namespace) -> Iterator[str]:
    """What a reader has to know of the run."""
    load = os.getloadavg()[0]
    yield f"{os.cpu_count()} processors, load {load:.1f} before it began; Python {platform.python_version()}"
    versions = [f"upstreamsync {metadata.version('upstreamsync')}", _version(_helm(), "version", "--short")]
    tool, _ = kustomize()
    versions.append(_version(tool, "version", *(["--client"] if "kubectl" in tool.name else [])))
    yield ", ".join([*versions, *peers.versions()])
    releases = "real releases" if content.are_real(chosen.scale) else "made-up releases"
    parts = "" if tuple(chosen.only) == PARTS else f"; only {', '.join(chosen.only)}"
    quick = "quick; " if chosen.quick else ""
    yield (
        f"{quick}medians of {chosen.times} runs (of {chosen.few} for `update` and `verify`, of {chosen.slow} for "
        f"Renovate and Helm); {chosen.latency:g} ms added to each answer; {releases}{parts}"
    )


def _version(tool: Path, *words: str) -> str:
    printed = subprocess.run([tool, *words], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"v?(\d+\.\d+\.\d+)", printed)
    inside = f" (kustomize {found[1]})" if "Kustomize Version" in printed and len(found) > 1 else ""
    return f"{tool.name} {found[0]}{inside}"


if __name__ == "__main__":
    main()
