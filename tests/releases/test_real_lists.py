"""The real lists of releases of well-known projects: mixed tags, late maintenance releases, prereleases."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from upstreamsync.config.spec import Follow, Releases
from upstreamsync.model import Status
from upstreamsync.releases import fetch_releases
from upstreamsync.releases.policy import Policy, choose, enough_for, explain

CONTENT = Path(
    os.environ.get("UPSTREAM_WORLD", Path(__file__).resolve().parents[3] / "shared" / "upstream-world")
)
LISTS = CONTENT / "data" / "base" / "gh"
pytestmark = pytest.mark.world


@pytest.fixture
def real(world):
    """Give the world's GitHub a project's real list."""
    if not LISTS.is_dir():
        pytest.skip(f"THE REAL LISTS ARE NOT HERE: {LISTS} (set UPSTREAM_WORLD)")

    def publish(name: str) -> list[str]:
        listed = json.loads((LISTS / f"{name}.json").read_text())["releases"]
        repository = world.github.repository(name)
        for entry in reversed(listed):
            date = datetime.fromisoformat(entry["date"]).astimezone(UTC)
            repository.release(entry["tag"], published=date, prerelease=entry["prerelease"])
        return [entry["tag"] for entry in listed]

    return publish


def look(name: str, current: str, tools, *, tag: str | None = None, scheme: str = "semver", **follow):
    spec = Releases.model_validate({"github": name, "tag": tag, "scheme": scheme})
    policy = Policy(
        current=current,
        follow=Follow.model_validate(follow),
        now=tools.now,
        cooldown=timedelta(days=3),
        scheme=scheme,
    )
    releases = fetch_releases(spec, tools, enough=enough_for(policy))
    wishes = {"follow": policy.follow, "now": policy.now, "cooldown": policy.cooldown, "scheme": scheme}
    choice = choose(releases=releases, current=current, **wishes)
    said = explain(releases=releases, current=current, **wishes)
    assert {one.version for one in said} == {one.version for one in releases} | {current}
    return choice


@pytest.fixture
def today(tools):
    from dataclasses import replace

    return replace(tools, now=datetime(2026, 11, 22, tzinfo=UTC))


CONTROLLER = r"controller-(?P<version>v.+)"
CHART = r"(?:helm-chart-|metrics-server-helm-chart-)(?P<version>.+)"


@pytest.mark.parametrize(
    ("name", "current", "options", "target", "ref"),
    [
        ("argoproj/argo-cd", "v3.2.7", {}, "v3.5.0", "v3.5.0"),
        ("argoproj/argo-cd", "v3.2.7", {"range": "<3.5"}, "v3.4.7", "v3.4.7"),
        ("argoproj/argo-cd", "v2.14.0", {"max": "minor"}, "v2.14.21", "v2.14.21"),
        ("kubernetes/ingress-nginx", "v1.11.5", {"tag": CONTROLLER}, "v1.15.0", "controller-v1.15.0"),
        ("kubernetes/ingress-nginx", "4.11.5", {"tag": CHART}, "4.15.0", "helm-chart-4.15.0"),
        (
            "kubernetes/ingress-nginx", "controller-v1.11.5", {"scheme": "loose"},
            "controller-v1.15.0", "controller-v1.15.0",
        ),
        ("kubernetes-sigs/metrics-server", "3.12.1", {"tag": CHART}, "3.13.0", "metrics-server-helm-chart-3.13.0"),
        ("cert-manager/cert-manager", "v1.17.4", {}, "v1.20.2", "v1.20.2"),
        ("metallb/metallb", "v0.14.0", {}, "v0.15.3", "v0.15.3"),
        ("kubernetes/kube-state-metrics", "v2.14.0", {}, "v2.18.0", "v2.18.0"),
    ],
)  # fmt: skip
def test_where_real_projects_move_to(real, today, name, current, options, target, ref):
    real(name)
    choice = look(name, current, today, **options)
    assert choice.status is Status.OUTDATED
    assert (choice.target.version, choice.target.ref) == (target, ref)
    assert len({one.version for one in choice.passed_over}) == len(choice.passed_over)


def test_the_release_that_is_listed_first_is_not_the_newest(real, today):
    assert real("argoproj/argo-cd")[0] == "v3.4.7", "a maintenance release, published after v3.5.0"
    assert look("argoproj/argo-cd", "v3.4.7", today).target.version == "v3.5.0"


def test_one_page_is_enough_where_the_current_version_is_on_it(real, today, world):
    assert len(real("argoproj/argo-cd")) > 200
    look("argoproj/argo-cd", "v3.2.7", today)
    assert world.count("/api/v3/repos/argoproj/argo-cd/releases") == 1
    look("argoproj/argo-cd", "v3.5.0", today)
    assert world.count("/api/v3/repos/argoproj/argo-cd/releases") == 1
