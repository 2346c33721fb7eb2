"""A vendor that takes too long fails alone, and its programs end with it (overlays: tests/verify)."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from trust.matrix import manifest
from upstreamsync.errors import OverBudget
from upstreamsync.kit.run import budget, process
from upstreamsync.kit.run.threads import ahead, ordered_map
from upstreamsync.project import Settings, open_project
from upstreamsync.testing import Fault, GitOps, World


def test_nothing_bounds_who_has_no_budget():
    budget.check()
    assert budget.bounded(7.0) == 7.0


def test_a_budget_goes_along_into_threads_and_the_tighter_one_holds():
    with budget.within(1000, "all"), budget.within(5000, "more"):
        mine = budget.deadline()
        assert mine < time.monotonic() + 1001
        assert [one.get() for one in ordered_map(lambda _: budget.deadline(), range(4), 4)] == [mine] * 4
        assert ahead(budget.deadline)() == mine
        with budget.within(0, "this"):
            for work in (budget.check, lambda: process.run(["true"])):
                with pytest.raises(OverBudget, match="this took longer"):
                    work()
            assert all(isinstance(one.error, OverBudget) for one in ordered_map(lambda _: 1, range(3), 2))
    assert threading.active_count() < 20


def test_a_program_ends_with_the_budget_of_who_started_it():
    started = time.monotonic()
    with budget.within(0.5, "the vendor `x`"), pytest.raises(OverBudget, match="vendor `x`"):
        process.run(["sleep", "600"], timeout=600)
    assert time.monotonic() - started < 300


def vendor(world: World, name: str) -> dict[str, object]:
    for version in ("v1.0.0", "v1.1.0"):
        world.file(f"{name}/{version}.yaml", manifest(version, name))
    world.file(f"{name}/index.html", "<a>release v1.0.0</a><a>release v1.1.0</a>")
    page = {"url": f"{world.url}/{name}/index.html", "pattern": "release (?P<version>v[0-9.]+)"}
    return {
        "name": name,
        "version": "v1.0.0",
        "base": f"{name}/base",
        "source": {"url": f"{world.url}/{name}/{{version}}.yaml"},
        "releases": {"page": page},
    }


@pytest.mark.parametrize("where", ["slow/index.html", "slow/v1.1.0.yaml"])
def test_a_vendor_that_takes_too_long_fails_alone(tmp_path: Path, world: World, where):
    gitops = GitOps(tmp_path / "gitops", world)
    gitops.vendors(vendor(world, "slow"), vendor(world, "fine"))
    world.fault(f"/{where}", Fault.slow(1))
    with open_project(
        gitops.path, settings=Settings(cache_folder=tmp_path / "cache", vendor_budget=4.0)
    ) as project:
        changes = project.update()
    updates = {one.vendor: one for one in changes.updates}
    assert updates["slow"].error is not None
    assert updates["slow"].error.kind == "over-budget"
    assert updates["fine"].error is None
    assert any(path.startswith("fine/base/") for path in changes.files)
