"""What `update` costs where bytes are all there is: twenty vendors of one large file each, and no overlay.

The floor fetches, hashes and writes the same bytes, which is what tools do that only fetch. As a program:
``python benchmarks/bulk.py FOLDER URL…`` is that floor.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

VENDORS = 20
COLD, AGAIN, CHECK, FLOOR = (
    "update of 20 large files, cold",
    "update again, nothing changed",
    "check, nothing changed",
    "fetching, hashing and writing them",
)
#: Of the floor's time; and of a `check` with nothing changed.
COLD_LIMIT, AGAIN_LIMIT = 6.0, 1.1


def measure_bulk(folder: Path, times: int, scale: float):  # type: ignore[no-untyped-def]
    """The costs, in turns, and the ratios of one run."""
    from measure import Caches, alternating, run

    from report import Section, ratio
    from upstreamsync.testing import World

    work = folder / "bulk"
    work.mkdir(parents=True)
    caches = Caches(work / "cache")
    with World() as world:
        size = _publish(world, scale)
        root = _repository(work / "repository", world)
        program = [sys.executable, "-m", "upstreamsync"]
        environment = {"GITHUB_API_URL": world.github.url, "GITHUB_TOKEN": "bench"}

        def update():  # type: ignore[no-untyped-def]
            run(["git", "reset", "-q", "--hard"], cwd=root)
            run(["git", "clean", "-q", "-f", "-d"], cwd=root)
            return run([*program, "update", "--cache-dir", caches.new()], cwd=root, environment=environment)

        def again(word: str):  # type: ignore[no-untyped-def]
            return lambda: run(
                [*program, word, "--cache-dir", caches.current], cwd=root, environment=environment
            )

        urls = [f"{world.url}/app{number}/v1.1.0.yaml" for number in range(VENDORS)]
        costs = alternating(
            {
                FLOOR: lambda: run([sys.executable, __file__, work / "floor", *urls]),
                COLD: update,
                CHECK: again("check"),
                AGAIN: again("update"),
            },
            times,
        )
        _look_at(root)
    return Section(
        title=f"update, {VENDORS} vendors of one file of {size / 1e6:.1f} MB each",
        costs=costs,
        figures=[
            ratio("3", f"{COLD}, in {FLOOR}", costs, COLD, FLOOR, COLD_LIMIT),
            ratio("3", f"{AGAIN}, in {CHECK}", costs, AGAIN, CHECK, AGAIN_LIMIT),
        ],
    )


def _publish(world, scale: float) -> int:  # type: ignore[no-untyped-def]
    """Two releases of each, as large as Argo CD's: CRDs, mostly."""
    from content import crds

    size = 0
    for number in range(VENDORS):
        for version in ("v1.0.0", "v1.1.0"):
            text = crds(6, max(1, int(2000 * scale)), f"{version}-{number}").replace(
                "name: ", f"name: a{number}-"
            )
            size = len(text)
            world.file(f"app{number}/{version}.yaml", text)
    world.github.repository("acme/app").tag("v1.0.0")
    return size


def _repository(root: Path, world) -> Path:  # type: ignore[no-untyped-def]
    """All at their old versions, committed."""
    import subprocess

    root.mkdir()
    rows = "".join(
        f"- name: app{number}\n  version: v1.0.0\n  base: app{number}/base\n"
        f"  source: {{url: '{world.url}/app{number}/{{version}}.yaml', file: app.yaml}}\n"
        "  releases: {github_tags: acme/app}\n"
        for number in range(VENDORS)
    )
    (root / "vendors.yaml").write_text(f"version: 1\nvendors:\n{rows}", "utf-8")
    environment = {**os.environ, "GITHUB_API_URL": world.github.url, "GITHUB_TOKEN": "bench"}
    options = ["--cache-dir", str(root.parent / "first")]
    words = [sys.executable, "-m", "upstreamsync", "update", *options]
    subprocess.run(words, cwd=root, env=environment, check=True, capture_output=True)
    world.github.repository("acme/app").tag("v1.1.0")
    user = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "All at their old versions"]):
        subprocess.run(["git", *user, *words], cwd=root, check=True)
    return root


def _look_at(root: Path) -> None:
    """Every vendor arrived."""
    from measure import Wrong

    if (root / "vendors.yaml").read_text("utf-8").count("v1.1.0") != VENDORS:
        raise Wrong("update: not every vendor moved")


def main() -> None:
    """The floor: sixteen at once, a digest of each, and a file."""
    import httpx

    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    with httpx.Client(verify=False) as client, ThreadPoolExecutor(16) as pool:
        digests = {}
        for url, answer in zip(sys.argv[2:], pool.map(client.get, sys.argv[2:]), strict=True):
            answer.raise_for_status()
            digests[url] = hashlib.sha256(answer.content).hexdigest()
            name = hashlib.sha256(url.encode()).hexdigest()[:16]
            (folder / f"{name}.yaml").write_bytes(answer.content)
    (folder / "lock.json").write_text(json.dumps(digests), "utf-8")


if __name__ == "__main__":
    main()
