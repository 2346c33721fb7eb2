"""What the judge costs in plain builds, what an update costs, and what a semantic difference costs."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import verify_cost
from measure import Cost, alternating, run

from upstreamsync.kit import manifests
from upstreamsync.review import review

Table = tuple[str, Mapping[str, Cost], tuple[tuple[str, str, float | None, float | None], ...]]
PROGRAM = [sys.executable, "-m", "upstreamsync"]
#: In plain builds: what an overlay may cost whose customizations need none of their own.
PLAIN = 2.2
#: Such a customization: what it does is seen from the two builds.
SIMPLE = "namespace: bench\n"
HEADER = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../base]\n"


def measure_judging(folder: Path, times: int) -> Iterator[Table]:
    """The tables, each as soon as it is measured."""
    yield _difference(times)
    for name, title, overlay, base, limit in (
        ("plain", "verify, 400 objects, one namespace", HEADER + SIMPLE, _workloads, PLAIN),
        ("crds", "verify, 2 MB of CRDs out of reach", HEADER + _ONE_PATCH, verify_cost.base, 0.5),
        ("thirty", "verify, 30 customizations, 2 MB", verify_cost.overlay(), verify_cost.base, 8.0),
    ):
        yield _verify(folder / name, title, overlay, base, times, limit)


_ONE_PATCH = (
    "patches:\n- target: {kind: Deployment, name: app0}\n  patch: |-\n"
    "    - {op: replace, path: /spec/replicas, value: 3}\n"
)


def _workloads(release: str) -> str:
    return "---\n".join(verify_cost._WORKLOAD.format(n=n, release=release) for n in range(200))


def _verify(
    folder: Path, title: str, overlay: str, base: Callable[[str], str], times: int, limit: float
) -> Table:
    """One case: a plain build, a verification, and one for which the builds of the old side are cached."""
    for path, text in (
        ("base/kustomization.yaml", "resources: [all.yaml]\n"),
        ("base/all.yaml", base("1.0.0")),
        ("overlay/kustomization.yaml", overlay),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "before"]):
        run([*git, *words], cwd=folder)
    tool = Path(
        os.environ.get("KUSTOMIZE") or shutil.which("kustomize") or shutil.which("kubectl") or "kubectl"
    )
    words = ["kustomize"] if "kubectl" in tool.name else ["build"]
    releases = (f"1.{number}.0" for number in itertools.count(1))

    def verify(*options: str | Path) -> Cost:
        (folder / "base/all.yaml").write_text(base(next(releases)), "utf-8")
        command = [*PROGRAM, "verify", "overlay", "--since", "HEAD", *options]
        return run(command, cwd=folder, accepted=(0, 1))

    cache = ("--cache-dir", folder.with_name(f"{folder.name}-cache"))
    verify(*cache)
    plain = f"{tool.name}, one plain build"
    costs = alternating(
        {
            plain: lambda: run([tool, *words, folder / "overlay"]),
            "the imports alone": lambda: run(
                [sys.executable, "-c", "import upstreamsync.cli, upstreamsync.verify, upstreamsync.project"]
            ),
            "verify": lambda: verify("--no-cache"),
            "verify, old side cached": lambda: verify(*cache),
        },
        times,
    )
    cached = 1.2 if limit == PLAIN else None
    return title, costs, (("verify", plain, limit, None), ("verify, old side cached", plain, cached, None))


def _difference(times: int) -> Table:
    """kube-prometheus-stack where the real one is at hand (UPSTREAM_WORLD), else two made-up releases."""
    world = os.environ.get("UPSTREAM_WORLD")
    place = "data/base/assets/prometheus-community/kube-prometheus-stack"
    real = Path(world) / place if world else None
    if real is not None and real.is_dir():
        old, new = (path.read_bytes() for path in sorted(real.glob("*/manifests.yaml")))
        title = "semantic difference, kube-prometheus-stack"
    else:
        old, new = (
            f"{verify_cost.base(release)}---\n{verify_cost.base(release)}".encode()
            for release in ("1.0.0", "1.1.0")
        )
        title = "semantic difference, made-up CRDs (UPSTREAM_WORLD has the real ones)"
    crds = b"\nkind: CustomResourceDefinition"
    calm = b"".join(
        [part for part in manifests.split(new) if crds not in part]
        + [part for part in manifests.split(old) if crds in part]
    )
    return (
        f"{title}, {len(new) / 1e6:.1f} MB",
        alternating(
            {
                "every CRD changed (limit 3 s)": lambda: _differ(old, new),
                "no CRD changed (limit 0.5 s)": lambda: _differ(old, calm),
            },
            times,
        ),
        (),
    )


def _differ(old: bytes, new: bytes) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    review("overlay", *manifests.objects_of_both(old, new))
    return Cost(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu, memory=0)
