"""What the semantic difference of a large upstream costs, from two texts to what a reviewer reads."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import content
from measure import Cost, alternating, told

from report import Section, seconds

_MARKER = re.compile(rb"^---[ \t]*\n", re.MULTILINE)
_CRD = re.compile(rb"^kind: CustomResourceDefinition", re.MULTILINE)


def measure_difference(folder: Path, times: int, scale: float) -> Section:
    """Two releases of kube-prometheus-stack, as they are and with the CRDs of the old one in both."""
    releases = content.stack(scale)
    old, new, calm = (folder / f"{name}.yaml" for name in ("old", "new", "calm"))
    old.write_bytes(releases.old)
    new.write_bytes(releases.new)
    calm.write_bytes(_with_crds_of(releases.new, releases.old))
    subjects = {"every CRD changed": (new, 3.0), "no CRD changed": (calm, 0.5)}
    costs = alternating(
        {name: lambda path=path: _differ(old, path) for name, (path, _) in subjects.items()}, times
    )
    size = len(releases.new) / 1e6
    return Section(
        title=f"Semantic difference: {releases.title} {' → '.join(releases.versions)}, {size:.1f} MB",
        costs=costs,
        figures=[
            seconds("5", f"difference, {name}", costs[name], limit) for name, (_, limit) in subjects.items()
        ],
    )


def _with_crds_of(release: bytes, other: bytes) -> bytes:
    kept = [part for part in _MARKER.split(release) if not _CRD.search(part)]
    return b"---\n".join(kept + [part for part in _MARKER.split(other) if _CRD.search(part)])


def _differ(old: Path, new: Path) -> Cost:
    return told([sys.executable, Path(__file__).with_name("difference_cost.py"), old, new])
