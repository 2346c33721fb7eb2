"""A source, a feed and a forge of one's own, used through vendors.yaml and the API."""

from __future__ import annotations

import subprocess

import pytest

import upstreamsync
from own_kinds.feed import versions
from own_kinds.forge import Board, board
from own_kinds.source import Shelf

KINDS = upstreamsync.Kinds(sources={"shelf": Shelf()}, feeds={"shelf": versions}, forges={"board": board})
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: tea}}\ndata: {{of: '{version}'}}\n"


@pytest.fixture
def repository(tmp_path):
    for version in ("1.0.0", "1.1.0"):
        folder = tmp_path / "shelf" / version
        folder.mkdir(parents=True)
        (folder / "tea.yaml").write_text(MAP.format(version=version), "utf-8")
    root = tmp_path / "repository"
    (root / "tea/base").mkdir(parents=True)
    (root / "tea/base/tea.yaml").write_text(MAP.format(version="1.0.0"), "utf-8")
    (root / "vendors.yaml").write_text(
        f"""version: 1
forge: {{kind: board}}
vendors:
- name: tea
  version: 1.0.0
  source: {{shelf: {{folder: "{tmp_path}/shelf"}}}}
  releases: {{shelf: "{tmp_path}/shelf"}}
  base: tea/base
""",
        "utf-8",
    )
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "Begin"]):
        subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@e.test", *words], cwd=root, check=True
        )
    return root


def test_they_do_the_whole_job(repository, tmp_path, monkeypatch):
    monkeypatch.setattr(Board, "wall", tmp_path / "board.txt")
    settings = upstreamsync.Settings(cache_folder=tmp_path / "cache")
    with upstreamsync.open(repository, settings=settings, kinds=KINDS) as project:
        (finding,) = project.check()
        assert (finding.status, finding.target and finding.target.version) == (
            upstreamsync.Status.OUTDATED,
            "1.1.0",
        )
        changes = project.update()
        (request,) = project.propose(changes)
        assert b"1.1.0" in (changes.files["tea/base/tea.yaml"] or b"")
    assert request.branch == "upstreamsync/tea"
    assert (tmp_path / "board.txt").read_text("utf-8") == f"{request.title}\n"


def test_a_base_of_theirs_moves_and_goes(repository, tmp_path):
    settings = upstreamsync.Settings(cache_folder=tmp_path / "cache")
    with upstreamsync.open(repository, settings=settings, kinds=KINDS) as project:
        moved = project.move("tea", "pots/tea")
        assert b"base: pots/tea" in (moved.base_files["vendors.yaml"] or b"")
        gone = project.remove("tea")
        assert b"shelf" not in (gone.base_files["vendors.yaml"] or b"shelf")


def test_their_names_mean_nothing_to_a_program_that_was_not_given_them(repository):
    with pytest.raises(upstreamsync.ConfigError) as caught:
        upstreamsync.open(repository)
    assert any("`shelf` is not a known key" in problem.message for problem in caught.value.problems)


def test_a_name_that_has_a_meaning_is_refused():
    with pytest.raises(upstreamsync.UpstreamsyncError, match="can't be called `helm`"):
        upstreamsync.Kinds(sources={"helm": Shelf()})
    with pytest.raises(upstreamsync.UpstreamsyncError, match="can't be called `github`"):
        upstreamsync.Kinds(forges={"github": board})


def test_own_is_no_key_of_the_file(repository):
    text = (repository / "vendors.yaml").read_text("utf-8").replace("{shelf: {folder", "{own: {folder", 1)
    (repository / "vendors.yaml").write_text(text, "utf-8")
    with pytest.raises(upstreamsync.ConfigError) as caught:
        upstreamsync.open(repository, kinds=KINDS)
    assert "`own` is not a known key" in str(caught.value)
