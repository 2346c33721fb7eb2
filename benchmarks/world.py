"""The worlds of the benchmarks, each in a process of its own: what is looked up, or what is vendored.

Run by ``run.py``; alone it serves until its stdin ends: ``python benchmarks/world.py --latency 50``.
The first line of stdout describes the world as JSON; then each line of stdin is answered by one of stdout:
``reset`` forgets the requests so far, ``counts`` says how many there were.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

import upstreams
from measure import Broken

from upstreamsync.testing.mixed import mixed_world
from upstreamsync.testing.world import World

HOSTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """One chart to look up: ``current`` is two stable versions behind ``newest``."""

    repository: str
    chart: str
    current: str
    newest: str


class WorldProcess:
    """The world as the benchmark sees it."""

    def __init__(self, *, latency: float, scale: float = 1.0, kind: str = "mixed") -> None:
        options = {"--latency": latency, "--scale": scale, "--kind": kind}
        command = [sys.executable, __file__, *(str(word) for pair in options.items() for word in pair)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        #: What the world says of itself.
        self.facts: dict[str, Any] = self._answer()

    @property
    def upstreams(self) -> tuple[Upstream, ...]:
        """The charts of a mixed world that can be looked up over HTTP."""
        return tuple(Upstream(**one) for one in self.facts["upstreams"])

    @property
    def registry(self) -> tuple[Upstream, ...]:
        """The charts in its registry, which wants a token for each."""
        return tuple(Upstream(**one) for one in self.facts["registry"])

    @property
    def sizes(self) -> dict[str, int]:
        """The size of each index by its address."""
        return self.facts["sizes"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def take(self, count: int) -> tuple[Upstream, ...]:
        """``count`` upstreams, spread over all repositories alike."""
        upstreams = self.upstreams
        step = len(upstreams) / count
        return tuple(upstreams[int(number * step)] for number in range(count))

    def reset(self) -> None:
        """Forget the requests so far."""
        self._ask("reset")

    def counts(self) -> dict[str, int]:
        """Requests since the last reset: all, distinct addresses, conditional ones, 304s, tokens, bytes sent."""
        return self._ask("counts")

    def _ask(self, word: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise Broken("the world of the benchmark ended; what it said of that stands above")
        return json.loads(line)


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=50.0, help="added to each answer, in milliseconds")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the sizes of what is served")
    parser.add_argument("--kind", choices=["mixed", "vendored"], default="mixed", help="what is served")
    arguments = parser.parse_args()
    with World(hosts=HOSTS) as world:
        facts = {"mixed": _mixed, "vendored": upstreams.serve}[arguments.kind](world, arguments.scale)
        world.latency = arguments.latency / 1000
        _say(facts)
        for line in sys.stdin:
            if line.strip() == "reset":
                world.reset()
            _say(_counts(world))


def _mixed(world: World, scale: float) -> dict[str, Any]:
    """Chart repositories for looking up versions, and a registry with two charts."""
    sizes: dict[str, int] = {}
    found = []
    for one in mixed_world(world, hosts=HOSTS, scale=scale):
        path = one.repository.split("/", 3)[3]
        data = world.charts(path).index().data
        sizes[f"{one.repository}/index.yaml"] = len(data)
        current = _third_stable(data, one.chart) or one.newest
        found.append(_upstream(one.repository, one.chart, current, one.newest))
    for chart in ("alpha", "beta"):
        for version in ("1.0.0", "1.1.0"):
            world.oci_chart(f"org/{chart}", version, auth=True)
    registry = [_upstream(f"{world.oci_url}/org", chart, "1.0.0", "1.1.0") for chart in ("alpha", "beta")]
    return {"upstreams": found, "registry": registry, "sizes": sizes}


def _upstream(repository: str, chart: str, current: str, newest: str) -> dict[str, str]:
    return {"repository": repository, "chart": chart, "current": current, "newest": newest}


def _third_stable(data: bytes, chart: str) -> str | None:
    block = data[data.index(b"\n  " + chart.encode() + b":\n") :]
    versions: list[str] = []
    for match in re.finditer(rb"\n    version: (\S+)|\n  \w", block[2:]):
        if match[1] is None or len(versions) == 3:
            break
        if b"-" not in match[1]:
            versions.append(match[1].decode())
    return versions[-1] if versions else None


def _counts(world: World) -> dict[str, int]:
    addresses = Counter(f"{one.host}{one.path}" for one in world.requests)
    conditional = sum("if-none-match" in one.headers for one in world.requests)
    return {
        "requests": len(world.requests),
        "distinct": len(addresses),
        "conditional": conditional,
        "unchanged": world.count(status=304),
        "tokens": sum(one.path == "/token" for one in world.requests),
        "bytes": sum(one.bytes for one in world.requests),
        "in_flight": world.most_in_flight,
    }


def _say(value: Any) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main()
