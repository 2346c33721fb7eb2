"""``kill -9`` and signals at random moments of ``update`` and of ``pr``, and whether a plain re-run mends everything.

Each attempt starts from a copy of one small repository, is killed after a random part of the time that an
undisturbed run takes (every other time together with the git and kustomize that it started, as when a
container ends), and is then run again undisturbed. The end has to be that of an undisturbed run: the same
files, the same branches with the same trees, the same texts, nothing left over, and no lock in the way. After
SIGINT, SIGTERM and SIGHUP, besides, the exit code has to be theirs, nothing temporary is left, and no program.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from upstreamsync.testing import GitOps, World
from upstreamsync.testing.git import git

#: What else may end a run, and the exit code that says so.
SIGNALS: Mapping[signal.Signals, int] = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}
VERBS: Mapping[str, tuple[str, ...]] = {"update": ("update",), "pr": ("pr", "--forge", "local")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One kill and the run after it. ``after`` is the moment in seconds; ``killed`` says that it struck."""

    verb: str
    after: float
    family: bool
    killed: bool
    problem: str = ""


@dataclass
class Arena:
    """The repository, its upstreams, and the process that runs and kills."""

    folder: Path
    world: World
    zygote: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self.zygote = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two"):
            self._publish(name, "v1.0.0")
        team = GitOps(self.folder / "template")
        team.vendors(*[self._vendor(name) for name in ("one", "two")])
        for name in ("one", "two"):
            team.write({f"{name}/overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: our-\n"})
        assert self.run("template", "update") == 0, self.output
        team.commit(push=False)
        git("gc", "-q", cwd=team.path)
        for name in ("one", "two"):
            self._publish(name, "v1.0.0", "v1.1.0")

    def close(self) -> None:
        """End the process."""
        assert self.zygote.stdin is not None
        self.zygote.stdin.close()
        self.zygote.wait(10)
        assert self.zygote.stdout is not None
        self.zygote.stdout.close()

    def _vendor(self, name: str) -> dict[str, object]:
        page = {"url": f"{self.world.url}/{name}/index.html", "pattern": r"release (?P<version>v[0-9.]+)"}
        files = {f"{part}.yaml": f"{self.world.url}/{name}/{{version}}/{part}.yaml" for part in "abcdef"}
        return {
            "name": name,
            "version": "v1.0.0",
            "source": {"url": files},
            "releases": {"page": page},
            "base": f"{name}/base",
        }

    def _publish(self, name: str, *versions: str) -> None:
        for version in versions:
            for part in "abcdef":
                text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}-{part}}}\ndata: {{v: {version}}}\n"
                self.world.file(f"{name}/{version}/{part}.yaml", text)
        links = "".join(f"<a>release {version}</a>" for version in versions)
        self.world.file(f"{name}/index.html", f"<html>{links}</html>")

    def run(
        self,
        where: str,
        *argv: str,
        kill_after: float | None = None,
        family: bool = False,
        number: signal.Signals = signal.SIGKILL,
    ) -> int | None:
        """One run of the command line in ``folder/where``; its exit code, None when it was killed."""
        scratch = self.folder / f"{where}-tmp"
        scratch.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "HELM", "KUSTOMIZE") if name in os.environ}
        order = {
            "argv": [*argv, "--cache-dir", str(self.folder / f"{where}-cache"), "-v"],
            "folder": str(self.folder / where),
            "environment": {**kept, "HOME": str(self.folder), "TMPDIR": str(scratch), "NO_COLOR": "1"},
            "output": str(self.folder / "output"),
            "kill_after": kill_after,
            "signal": int(number),
            "family": family,
        }
        assert self.zygote.stdin is not None
        assert self.zygote.stdout is not None
        self.zygote.stdin.write(json.dumps(order) + "\n")
        self.zygote.stdin.flush()
        answer = json.loads(self.zygote.stdout.readline())
        self.seconds, self.struck = float(answer["seconds"]), bool(answer["struck"])
        code: int | None = answer["code"]
        return code

    @property
    def output(self) -> str:
        """What the last run printed."""
        return (self.folder / "output").read_text()

    def fresh(self, where: str, *, cache: str | None = None) -> Path:
        """A new copy of the repository, with an empty cache or a copy of another place's."""
        for name in (where, f"{where}-tmp", f"{where}-cache"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        if cache is not None:
            shutil.copytree(self.folder / f"{cache}-cache", self.folder / f"{where}-cache")
        shutil.copytree(self.folder / "template", self.folder / where)
        return self.folder / where


def state(root: Path) -> dict[str, str]:
    """Everything that has to be the same: files, git's own but for its objects, and the trees of branches."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not name.startswith((".git/objects/", ".git/logs/", ".git/refs/")):
            found[name] = path.read_bytes().hex()
        elif path.is_dir() and not any(path.iterdir()) and not name.startswith(".git/"):
            found[name] = "an empty folder"
    locks = sorted(root.joinpath(".git").rglob("*.lock"))
    found.update({f"a lock: {path.name}": "" for path in locks})
    for line in git("for-each-ref", "--format=%(refname) %(tree)", cwd=root).splitlines():
        ref, _, tree = line.partition(" ")
        found[ref] = tree
        found[f"commits of {ref}"] = git("log", "--format=%s %T", ref, cwd=root)
    return found


def attempts(
    arena: Arena, verb: str, count: int, seed: int = 1, signals: Sequence[signal.Signals] = (signal.SIGKILL,)
) -> Iterator[Attempt]:
    """``count`` kills, or other ``signals`` in turn, spread over the length of a run of ``verb``."""
    chance = random.Random(f"{verb}-{seed}")
    arena.fresh("cold")
    assert arena.run("cold", *VERBS[verb]) == 0, arena.output
    cold = arena.seconds
    root = arena.fresh("undisturbed", cache="cold")
    assert arena.run("undisturbed", *VERBS[verb]) == 0, arena.output
    warm = arena.seconds
    wanted = state(root)
    for number in range(count):
        # A warm cache makes a run short, and the moments in which it writes a large part of it.
        empty = number % 5 == 4
        after = chance.uniform(0, cold if empty else warm)
        which = signals[number % len(signals)]
        family = number % 2 == 1 and which is signal.SIGKILL
        root = arena.fresh("struck", cache=None if empty else "cold")
        ended = arena.run("struck", *VERBS[verb], kill_after=after, family=family, number=which)
        killed = arena.struck
        problem = "" if which is signal.SIGKILL else _of_signal(arena, which, ended)
        code = arena.run("struck", *VERBS[verb])
        if code != 0:
            problem = problem or f"the re-run ended with {code}: {arena.output[-800:]}"
        yield Attempt(
            verb=verb,
            after=after,
            family=family,
            killed=killed,
            problem=problem or _difference(wanted, state(root)),
        )


def _of_signal(arena: Arena, which: signal.Signals, ended: int | None) -> str:
    """What is wrong with how a run ended that had a signal; nothing where it was over, or had not begun."""
    if ended not in ((SIGNALS[which], 0, -which) if arena.struck else (0,)):
        return f"{which.name}: ended with {ended}: {arena.output[-800:]}"
    if "Traceback" in arena.output:
        return f"{which.name}: {arena.output[-800:]}"
    left = sorted(path.name for path in (arena.folder / "struck-tmp").iterdir())
    return f"{which.name}: left {left} in TMPDIR" if left else ""


def _difference(wanted: Mapping[str, str], found: Mapping[str, str]) -> str:
    names = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    return "; ".join(
        f"{name} {'is missing' if name not in found else 'is left over' if name not in wanted else 'differs'}"
        for name in names
    )


def moments(verb: str, count: int, signals: Sequence[signal.Signals] = (signal.SIGKILL,)) -> list[Attempt]:
    """All attempts of one verb, in an arena of their own."""
    with World() as world, tempfile.TemporaryDirectory(prefix="kills-") as folder:
        arena = Arena(folder=Path(folder), world=world)
        try:
            return list(attempts(arena, verb, count, signals=signals))
        finally:
            arena.close()


def main() -> int:
    """``python tests/trust/kills.py [COUNT]``: that many moments of each verb (200), and what came of them."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    worst = 0
    for verb in VERBS:
        worst += told(f"{verb}, kill -9", moments(verb, count))
        worst += told(f"{verb}, signals", moments(verb, max(3, count // 3), tuple(SIGNALS)))
    return 1 if worst else 0


def told(what: str, found: Sequence[Attempt]) -> int:
    """Print what became of attempts; how many were not right."""
    struck = sum(attempt.killed for attempt in found)
    bad = [attempt for attempt in found if attempt.problem]
    print(
        f"{what}: {len(found)} moments, {struck} struck, {len(bad)} not mended by a plain re-run", flush=True
    )
    for attempt in bad:
        print(f"  after {attempt.after:.3f} s{', family too' if attempt.family else ''}: {attempt.problem}")
    return len(bad)


if __name__ == "__main__":
    sys.exit(main())
