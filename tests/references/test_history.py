"""Sixty commits of an update bot over every form of reference, some of which break something.

Each moves one version and nothing else, and carries a label that says what is right: everything that breaks is
found, and nothing above info is said of the rest.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from references import test_since, test_units, test_workflow
from references.conftest import Repository, Upstreams, loud
from upstreamsync.model import Verification
from upstreamsync.project.settings import Settings
from upstreamsync.project.verify.verification import verify_revision_without_configuration
from upstreamsync.testing import World

COMMITS = 60
FORMS = {**test_since.FORMS, **{name: form[0] for name, form in test_units.FORMS.items()}}


def team_files(number: int, form: str, upstreams: Upstreams, version: str) -> dict[str, str]:
    """The files of one team, which uses one form, in a folder and a namespace of its own."""
    team = f"team{number:02}"
    named = f"metadata: {{name: widget, namespace: {team}}}"
    found = {}
    for path, text in FORMS[form](upstreams, version).items():
        text = text.replace("$mine/values/", f"$mine/{team}/values/")
        if path.startswith("flux/"):  # objects of one name meet in one cluster
            text = text.replace("metadata: {name: widget}", named)
        found[f"{team}/{path}"] = text
    return found


def plan() -> list[tuple[str, bool]]:
    """Form and label of each commit: every form both ways as far as that goes, in a mixed order."""
    pairs = [(form, breaks) for form in FORMS for breaks in (True, False)]
    chosen = random.Random(16)
    chosen.shuffle(pairs)
    return pairs[:COMMITS]


def judged(repository: Repository, cache: Path, commit: str) -> Verification:
    repository.git("checkout", "-q", commit)
    settings = Settings(cache_folder=cache, jobs=2, attempts=1)
    return verify_revision_without_configuration(
        repository.root, settings, since=f"{commit}~1", overlays=lambda _: ()
    )[0]


@pytest.fixture(scope="module")
def history(
    upstreams: Upstreams, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Repository, Mapping[str, bool]]:
    repository = Repository(tmp_path_factory.mktemp("history") / "repository")
    steps = plan()
    start: dict[str, str] = {}
    for number, (form, _) in enumerate(steps):
        start |= team_files(number, form, upstreams, "1.0.0")
    repository.commit(start, "start")
    labels = {}
    for number, (form, breaks) in enumerate(steps):
        version = "1.1.0" if breaks else "1.0.1"
        commit = repository.commit(
            team_files(number, form, upstreams, version), f"Update widget in {form} to {version}"
        )
        labels[commit] = breaks
    return repository, labels


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_bots_history(history: tuple[Repository, Mapping[str, bool]], tmp_path: Path) -> None:
    repository, labels = history
    assert len(labels) == COMMITS
    missed, wrong, several = [], [], []
    for commit, breaks in labels.items():
        subject = repository.git("log", "-1", "--format=%s", commit)
        found = judged(repository, tmp_path / "cache", commit)
        said = [f"{item.item}: {item.verdict.value}" for item in loud(found)]
        if len(found.overlays) != 1:
            several.append((subject, [overlay.path for overlay in found.overlays]))
        if breaks and not said:
            missed.append(subject)
        if not breaks and said:
            wrong.append((subject, said))
    assert (missed, wrong, several) == ([], [], [])


def test_the_workflow_of_the_examples_judges_the_bots_commits(
    history: tuple[Repository, Mapping[str, bool]], world: World, tmp_path: Path
) -> None:
    """The newest commit of each label, from a clone that is one commit deep, as action.yml's step does it."""
    repository, labels = history
    for breaks in (True, False):
        commit = next(one for one in reversed(labels) if labels[one] is breaks)
        base = repository.git("rev-parse", f"{commit}~1")
        repository.git("branch", "-f", "proposed", commit)
        folder = tmp_path / str(breaks)
        checkout = folder / "checkout"
        origin = f"file://{repository.root}"
        repository.git("clone", "-q", "--depth=1", "--branch", "proposed", origin, str(checkout))
        event = {"pull_request": {"number": 7, "base": {"sha": base}, "head": {"sha": commit}}}
        runner = test_workflow.Runner(folder, checkout, event, test_workflow.environment(world, tmp_path))
        code, printed, summary = runner.run(test_workflow.inputs_of_the_example())
        assert code == (1 if breaks else 0), printed
        assert ("::error file=team" in printed) is breaks
        assert "team" in summary


def test_the_plan_has_both_labels() -> None:
    labels = [breaks for _, breaks in plan()]
    assert 20 <= sum(labels) <= 40
    assert len({form for form, _ in plan()}) >= 30
