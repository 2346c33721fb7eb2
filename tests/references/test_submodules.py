"""The base is a submodule, and a pull request moves its pointer."""

from __future__ import annotations

import pytest

from references.conftest import PATCH, Repository, Since, Upstreams, loud, verdicts
from upstreamsync.testing import World

APP = {"app/kustomization.yaml": f"resources: [../upstream/config/default]\n{PATCH}"}


def pointer(repository: Repository, upstreams: Upstreams, version: str, url: str) -> None:
    """Let the submodule point to a version, without a clone of it."""
    commit = upstreams.world.git("acme/widget").sha(f"v{version}")
    repository.write({".gitmodules": f'[submodule "upstream"]\n\tpath = upstream\n\turl = {url}\n', **APP})
    repository.git("add", "-A")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},upstream")
    repository.git("commit", "-q", "-m", version)
    (repository.root / "upstream").mkdir(exist_ok=True)


@pytest.mark.parametrize(
    ("version", "expected"), [("1.1.0", {"app: patches[0]": "misapplied"}), ("1.0.1", {})]
)
def test_a_pointer_that_moves(
    version: str, expected: dict[str, str], upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    pointer(repository, upstreams, "1.0.0", upstreams.git)
    pointer(repository, upstreams, version, upstreams.git)
    found = since()
    assert [overlay.path for overlay in found.overlays] == ["app"]
    assert verdicts(found) == expected
    assert expected or loud(found) == []


def test_the_clone_in_the_working_tree_serves_both_sides(
    upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(upstreams.path), "upstream"
    )
    inner = repository.root / "upstream"
    repository.git("-C", str(inner), "checkout", "-q", "v1.0.0")
    repository.commit(APP)
    repository.git("-C", str(inner), "checkout", "-q", "v1.1.0")
    repository.commit({})
    assert verdicts(since()) == {"app: patches[0]": "misapplied"}


def test_a_relative_address(upstreams: Upstreams, repository: Repository, since: Since) -> None:
    repository.git("remote", "add", "origin", upstreams.git.replace("widget.git", "own.git"))
    pointer(repository, upstreams, "1.0.0", "../widget.git")
    pointer(repository, upstreams, "1.1.0", "../widget.git")
    assert verdicts(since()) == {"app: patches[0]": "misapplied"}


def test_an_address_that_only_the_change_names_is_not_asked(
    upstreams: Upstreams, repository: Repository, since: Since
) -> None:
    with World() as other:
        evil = other.git("acme/evil")
        evil.commit({"config/default/kustomization.yaml": "resources: []\n"})
        pointer(repository, upstreams, "1.0.0", upstreams.git)
        pointer(repository, upstreams, "1.1.0", evil.url)
        found = since()
        assert verdicts(found) == {"app: patches[0]": "unjudged"}
        (item,) = [one for one in found.items if one.verdict == "unjudged"]
        assert item.reason == "not_reachable"
        assert "only this change names" in item.why
        assert other.requests == []


def test_offline(upstreams: Upstreams, repository: Repository, since: Since) -> None:
    pointer(repository, upstreams, "1.0.0", upstreams.git)
    pointer(repository, upstreams, "1.1.0", upstreams.git)
    before = len(upstreams.world.requests)
    assert verdicts(since(offline=True)) == {"app: patches[0]": "unjudged"}
    assert len(upstreams.world.requests) == before
