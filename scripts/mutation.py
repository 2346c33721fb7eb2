"""Break the safeguards one at a time, in a copy, and see whether a test notices each.

    python scripts/mutation.py [--list] [--only TEXT]... [--skip N] [--jobs N] [--no-baseline]

First the tests are run on the copy as it is: all of them have to pass (--no-baseline: that is known, as after the
gate). Then, for each mutation of scripts/mutations.py, the one change is made, its tests are run until one fails, and
the change is taken back. Prints a line for each; ends with 1 when one was not noticed. HELM and KUSTOMIZE name the
binaries, as always.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutations import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[1]
#: What the tests read besides the package.
COPIED = (
    "src", "tests", "scripts", "examples", "docs", ".github", "pyproject.toml", "action.yml", "SECURITY.md",
    "README.md", "Makefile",
)  # fmt: skip


def main() -> int:
    """Copy, look, break, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="say what would be broken, and end")
    parser.add_argument("--only", action="append", metavar="TEXT", help="those whose name or file has TEXT")
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="leave out the first N")
    parser.add_argument("--no-baseline", action="store_true", help="the tests are known to pass")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="copies at work at once (1)")
    options = parser.parse_args()
    chosen = [
        one
        for one in MUTATIONS
        if not options.only or any(text in f"{one.name} {one.file}" for text in options.only)
    ]
    chosen = chosen[options.skip :]
    wrong = [one for one in chosen if (ROOT / "src/upstreamsync" / one.file).read_text().count(one.old) != 1]
    for one in wrong:
        print(f"{one.file} does not have the safeguard `{one.name}` once, as it is described")
    if options.list or wrong:
        for one in chosen:
            print(f"{one.file}: {one.name}")
        return 1 if wrong else 0
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder, ThreadPoolExecutor(options.jobs) as pool:
        copies = [_copy(Path(folder) / str(number)) for number in range(options.jobs)]
        parts = [chosen[number :: options.jobs] for number in range(options.jobs)]
        survived = sum(pool.map(_all, copies, parts, [options.no_baseline] * options.jobs))
    print(f"\n{len(chosen)} safeguards broken, {survived} not noticed")
    return 1 if survived else 0


def _copy(folder: Path) -> Path:
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, folder / name)
    if (ROOT / ".tools").exists():
        (folder / ".tools").symlink_to((ROOT / ".tools").resolve())
    return folder


def _all(copy: Path, mutations: list[Mutation], known: bool) -> int:
    """How many were not noticed."""
    survived = 0
    sound: dict[tuple[str, ...], bool] = {}
    for one in mutations:
        started = time.monotonic()
        if one.tests not in sound:
            sound[one.tests] = known or _passes(copy, one.tests)
        verdict = "noticed"
        if not sound[one.tests]:
            verdict = "UNKNOWN: its tests fail without it"
        elif _passes(copy, one.tests, one):
            verdict = "NOT NOTICED"
        survived += verdict != "noticed"
        print(f"{verdict:12} {one.name} ({one.file}; {time.monotonic() - started:.0f} s)", flush=True)
    return survived


def _passes(copy: Path, tests: tuple[str, ...], mutation: Mutation | None = None) -> bool:
    """Whether the tests pass, with one safeguard broken."""
    if mutation is None:
        return _pytest(copy, tests)
    file = copy / "src/upstreamsync" / mutation.file
    before = file.read_text()
    file.write_text(before.replace(mutation.old, mutation.new))
    try:
        return _pytest(copy, tests)
    finally:
        file.write_text(before)


def _pytest(copy: Path, tests: tuple[str, ...]) -> bool:
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy / "src"),  # before the package that is installed
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--timeout=600", *tests],
        cwd=copy, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        print(done.stdout[-2000:], done.stderr[-2000:])
        raise SystemExit(f"pytest itself failed for {' '.join(tests)}")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
