"""A world of chart repositories as they are found in the wild: many small indexes, a few huge ones."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from upstreamsync.testing.world import World

_KB, _MB = 1_000, 1_000_000

#: Share of repositories with an index of about that many bytes, out of 60: most are small.
MIX: Sequence[tuple[int, int, int]] = (
    (36, 20 * _KB, 200 * _KB),
    (16, 1 * _MB, 1 * _MB),
    (5, 4 * _MB, 4 * _MB),
    (2, 10 * _MB, 10 * _MB),
    (1, 25 * _MB, 25 * _MB),
)

_WORDS = [
    "a",
    "chart",
    "that",
    "runs",
    "the",
    "server",
    "with",
    "its",
    "agent",
    "controller",
    "gateway",
    "for",
    "metrics",
    "and",
    "traces",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedChart:
    """One chart of the mixed world to look up: where it is, and the newest stable version there."""

    repository: str
    chart: str
    current: str
    newest: str


def mixed_world(
    world: World,
    *,
    charts: int = 200,
    repositories: int = 60,
    hosts: int = 20,
    seed: int = 1,
    scale: float = 1.0,
    ready: bool = True,
) -> tuple[MixedChart, ...]:
    """Fill ``world`` with chart repositories of mixed size and say which charts to look up in them.

    The sizes follow MIX; indexes have 1.0 to 1.6 KB per version, as real ones. The repositories are spread
    over ``hosts`` addresses where the world listens on so many, else over as many path prefixes.
    ``ready`` compresses all indexes now, lest the first client waits for that.
    ``scale`` shrinks every index, for tests of the tests. The same arguments make the same bytes.
    The archives themselves are not served: these worlds are for looking up versions.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable content, no secret
    sizes = list(_sizes(repositories, chance))
    shares = _shares(charts, repositories)
    found: list[MixedChart] = []
    for number, (size, share) in enumerate(zip(sizes, shares, strict=True)):
        host = number % hosts
        path = f"charts/host{host:02}/repo{number:03}"
        root = world.hosts[host] if host < len(world.hosts) else world.url
        names = [f"{chance.choice(_NAMES)}-{number:03}-{index}" for index in range(max(share, 1))]
        text, newest = _index(names, max(2_000, int(size * scale)), chance)
        world.raw_index(path, text)
        if ready:
            index = world.charts(path).index()
            _ = index.gzipped, index.etag
        for name in names[:share]:
            chart = MixedChart(repository=f"{root}/{path}", chart=name, current="0.1.0", newest=newest[name])
            found.append(chart)
    return tuple(found)


_NAMES = ("prometheus", "ingress", "vault", "grafana", "argo", "loki", "redis", "keycloak", "external-dns")


def _sizes(repositories: int, chance: random.Random) -> Iterator[int]:
    """One size per repository in the proportions of MIX, one of each class at least, huge ones first."""
    total = sum(count for count, _, _ in MIX)
    made = 0
    for count, low, high in reversed(MIX):
        wanted = count if repositories >= total else max(1, round(count * repositories / total))
        for _ in range(min(wanted * max(1, repositories // total), repositories - made)):
            made += 1
            yield chance.randint(low, high)
    for _ in range(repositories - made):
        yield chance.randint(MIX[0][1], MIX[0][2])


def _shares(charts: int, repositories: int) -> list[int]:
    """How many of the charts each repository has: as even as can be."""
    each, rest = divmod(charts, repositories)
    return [each + (number < rest) for number in range(repositories)]


def _index(names: Sequence[str], size: int, chance: random.Random) -> tuple[str, dict[str, str]]:
    """An index.yaml of about ``size`` bytes with these charts and others, and the newest version of each."""
    parts = ["apiVersion: v1\nentries:\n"]
    newest: dict[str, str] = {}
    # A repository has charts that nobody asks for; the versions go to all alike.
    others = [f"other-{number}" for number in range(max(1, size // (400 * _KB)))]
    everyone = sorted({*names, *others})
    budget = max(1, size // len(everyone))
    for name in everyone:
        parts.append(f"  {name}:\n")
        versions = _versions(budget, chance)
        newest[name] = next(version for version in versions if "-" not in version)
        left = budget
        for version in versions:
            entry = _entry(name, version, chance)
            parts.append(entry)
            left -= len(entry)
            if left <= 0 and version != versions[0] and "-" not in version:
                break
    parts.append('generated: "2024-06-01T00:00:00.000000000Z"\n')
    return "".join(parts), newest


def _versions(budget: int, chance: random.Random) -> list[str]:
    """More versions than fit into ``budget`` bytes, newest first, every seventh one a prerelease."""
    count = budget // _KB + 3
    versions = []
    for number in range(count, 0, -1):
        version = f"{number // 100 + 1}.{number // 10 % 10}.{number % 10}"
        versions.append(f"{version}-rc.{chance.randint(1, 3)}" if number % 7 == 0 else version)
    return versions


def _entry(name: str, version: str, chance: random.Random) -> str:
    """One version's entry of 1.0 to 1.6 KB, with the kinds of text that real ones have."""
    words = " ".join(chance.choices(_WORDS, k=chance.randint(40, 110)))
    keywords = "".join(f"    - {word}\n" for word in chance.sample(_NAMES, 4))
    day = f"20{chance.randint(18, 24)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    return (
        f"  - annotations:\n"
        f"      artifacthub.io/changes: |\n"
        f"        - kind: changed\n"
        f"          description: {words[: len(words) // 2]}\n"
        f"    apiVersion: v2\n"
        f"    appVersion: {version}\n"
        f'    created: "{day}T10:{chance.randint(10, 59)}:12.{chance.randint(10**8, 10**9 - 1)}Z"\n'
        f"    dependencies:\n"
        f"    - condition: agent.enabled\n"
        f"      name: agent\n"
        f"      repository: https://charts.example.com/agent\n"
        f"      version: {chance.randint(1, 9)}.*.*\n"
        f"    description: {words}\n"
        f"    digest: {chance.getrandbits(256):064x}\n"
        f"    home: https://example.com/{name}\n"
        f"    icon: https://example.com/{name}/icon.svg\n"
        f"    keywords:\n{keywords}"
        f"    kubeVersion: '>=1.25.0-0'\n"
        f"    maintainers:\n"
        f"    - email: team@example.com\n"
        f"      name: The {name} team\n"
        f"    name: {name}\n"
        f"    sources:\n"
        f"    - https://example.com/{name}/src\n"
        f"    type: application\n"
        f"    urls:\n"
        f"    - {name}-{version}.tgz\n"
        f"    version: {version}\n"
    )
