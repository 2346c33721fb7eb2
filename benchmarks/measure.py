"""Measuring whole processes: wall time, CPU time and peak memory, children included."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """``wall`` and ``cpu`` in seconds, ``memory`` in MiB: the peak of the largest process."""

    wall: float
    cpu: float
    memory: float

    def __str__(self) -> str:
        return f"{self.wall:7.2f} s wall {self.cpu:7.2f} s CPU {self.memory:6.0f} MiB"


class Broken(Exception):
    """A command that was to be measured failed."""


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    accepted: Sequence[int] = (0,),
) -> Cost:
    """One run of a command to its end. Raises Broken, with the end of what it printed, when it fails."""
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
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode not in accepted:
        tail = output.decode("utf-8", "replace")[-2000:]
        raise Broken(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{tail}")
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime, memory=usage.ru_maxrss / 1024)


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
