"""Clones as CI makes them: one commit deep. What it is compared with is fetched, or it is said what to set."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from references import test_since
from references.conftest import Repository, Upstreams
from upstreamsync.errors import RepositoryError
from upstreamsync.project.settings import Settings
from upstreamsync.project.verify.verification import verify_revision_without_configuration

FORM = test_since.FORMS["a release's file"]


@pytest.fixture
def origin(repository: Repository, upstreams: Upstreams) -> Repository:
    """A base branch that went on, a branch of a bot, and GitHub's merge of the two."""
    repository.commit(FORM(upstreams, "1.0.0"))
    repository.git("checkout", "-q", "-b", "bot")
    repository.commit(FORM(upstreams, "1.1.0"))
    repository.git("checkout", "-q", "main")
    repository.commit({"README.md": "meanwhile"})
    repository.git("checkout", "-q", "-b", "merge")
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "bot")
    return repository


def shallow(origin: Repository, folder: Path, branch: str) -> Path:
    subprocess.run(
        ["git", "clone", "-q", "--depth=1", "--branch", branch, f"file://{origin.root}", str(folder)],
        check=True,
    )
    return folder


def verdicts(folder: Path, since: str, cache: Path, **more: object) -> list[str]:
    settings = Settings(cache_folder=cache, jobs=2, attempts=1, **more)  # type: ignore[arg-type]
    found, _ = verify_revision_without_configuration(folder, settings, since=since, overlays=lambda _: ())
    return [item.verdict.value for item in found.items if item.verdict != "ok"]


@pytest.mark.parametrize("since", ["HEAD^", "HEAD~1", "origin/main", "the commit"])
def test_the_missing_commit_is_fetched(since: str, origin: Repository, tmp_path: Path) -> None:
    clone = shallow(origin, tmp_path / "clone", "merge")
    wanted = origin.git("rev-parse", "main") if since == "the commit" else since
    (found,) = verdicts(clone, wanted, tmp_path / "cache")
    assert found in test_since.BROKEN
    refs = subprocess.run(
        ["git", "for-each-ref"], cwd=clone, capture_output=True, text=True, check=True
    ).stdout
    assert "upstreamsync" not in refs


@pytest.mark.parametrize("since", ["HEAD~3", "v1.2.3", "0" * 40])
def test_what_can_not_be_fetched_is_said_with_what_to_set(
    since: str, origin: Repository, tmp_path: Path
) -> None:
    clone = shallow(origin, tmp_path / "clone", "merge")
    with pytest.raises(RepositoryError) as raised:
        verdicts(clone, since, tmp_path / "cache")
    assert "fetch-depth: 0" in (raised.value.hint or "")


def test_offline_fetches_nothing(origin: Repository, tmp_path: Path) -> None:
    clone = shallow(origin, tmp_path / "clone", "merge")
    with pytest.raises(RepositoryError):
        verdicts(clone, "HEAD^", tmp_path / "cache", offline=True)
