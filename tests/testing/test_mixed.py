"""The mixed world has the sizes it promises, and its answers are right."""

import httpx
import pytest
import yaml

from upstreamsync.testing import World, mixed_world


def test_small_mix_is_right_and_repeatable():
    texts = []
    for _ in range(2):
        with World(hosts=3) as world:
            found = mixed_world(world, charts=20, repositories=6, hosts=3, scale=0.01)
            indexes = {one.repository: httpx.get(f"{one.repository}/index.yaml").text for one in found}
            texts.append([text for _, text in sorted(indexes.items(), key=lambda item: item[0][-3:])])
    assert texts[0] == texts[1]
    assert (len(found), len(indexes)) == (20, 6)
    assert len({repository.split("/")[2] for repository in indexes}) == 3
    for one in found:
        entries = yaml.safe_load(indexes[one.repository])["entries"][one.chart]
        stable = [entry["version"] for entry in entries if "-" not in entry["version"]]
        assert one.newest == max(stable, key=lambda version: [int(part) for part in version.split(".")])
        assert len({entry["version"] for entry in entries}) == len(entries)


@pytest.mark.slow
def test_the_mix_has_its_sizes():
    with World() as world:
        found = mixed_world(world, ready=False)
        paths = {one.repository.removeprefix(f"{world.url}/") for one in found}
        sizes = sorted(len(world.charts(path).index().data) for path in paths)
        versions = sum(world.charts(path).index().data.count(b"\n    version: ") for path in paths)
    assert (len(found), len(paths)) == (200, 60)
    assert sizes[-1] == pytest.approx(25e6, rel=0.01)
    assert sizes[-3:-1] == pytest.approx([10e6, 10e6], rel=0.01)
    assert all(20e3 <= size <= 210e3 for size in sizes[:36])
    assert 1000 < sum(sizes) / versions < 1600
