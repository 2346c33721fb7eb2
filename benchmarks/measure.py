"""Measuring whole processes: wall time, CPU time and peak memory, children included."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """``wall`` and ``cpu`` in seconds, ``memory`` in MB: the peak of the largest process."""

    wall: float
    cpu: float
    memory: float

    def __add__(self, other: Cost) -> Cost:
        """One after the other."""
        return Cost(
            wall=self.wall + other.wall, cpu=self.cpu + other.cpu, memory=max(self.memory, other.memory)
        )


class Broken(Exception):
    """A command that was to be measured failed."""


class Wrong(Exception):
    """What was measured gave a wrong answer: its cost says nothing."""


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    accepted: Sequence[int] = (0,),
) -> Cost:
    """One run of a command to its end. Raises Broken, with the end of what it printed, when it fails."""
    return _run(command, cwd, environment, accepted)[0]


def told(command: Sequence[str | Path]) -> Cost:
    """What a command that uses ``tell`` says its work has cost; its start and its imports are left out."""
    _, output = _run(command, None, None, (0,))
    return Cost(**json.loads(output.splitlines()[-1]))


def _run(
    command: Sequence[str | Path],
    cwd: Path | None,
    environment: Mapping[str, str] | None,
    accepted: Sequence[int],
) -> tuple[Cost, str]:
    begin = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    output = process.stdout.read().decode("utf-8", "replace")
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode not in accepted:
        words = " ".join(map(str, command))
        raise Broken(f"{words} ended with {process.returncode}:\n{output[-2000:]}")
    # In units of 1024 bytes, and the limits are in MB. Linux counts what this process has used before it
    # started the other one, too: so large work is done in processes of its own (see ``tell``).
    memory = usage.ru_maxrss * 1024 / 1e6
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime, memory=memory), output


class Caches:
    """Folders for caches; each cold run gets one of its own.

    An emptied folder is another thing than a new one: ext4 takes several seconds until the places of files
    that were just deleted are as good as any, and looks at each of them for every file that is made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def new(self) -> Path:
        """A folder that nothing was in."""
        self._count += 1
        return self.current

    @property
    def current(self) -> Path:
        """The folder that was given last."""
        return self._folder.with_name(f"{self._folder.name}-{self._count}")


def median(costs: Sequence[Cost]) -> Cost:
    """Each figure's median."""
    return Cost(
        wall=statistics.median(one.wall for one in costs),
        cpu=statistics.median(one.cpu for one in costs),
        memory=statistics.median(one.memory for one in costs),
    )


def alternating(subjects: Mapping[str, Callable[[], Cost]], times: int) -> dict[str, Cost]:
    """The medians of several subjects, measured in turns, so that what else the machine does hits all alike."""
    taken: dict[str, list[Cost]] = {name: [] for name in subjects}
    for _ in range(times):
        for name, subject in subjects.items():
            taken[name].append(subject())
    return {name: median(costs) for name, costs in taken.items()}


def tell(work: Callable[[], object]) -> None:
    """Do the work, and print what that has cost for ``told`` to read: CPU time with that of children."""
    wall, spent = time.perf_counter(), sum(os.times()[:4])
    work()
    cost = {"wall": time.perf_counter() - wall, "cpu": sum(os.times()[:4]) - spent, "memory": 0}
    print(json.dumps(cost))
