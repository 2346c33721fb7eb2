"""An overlay in which nothing differs: what the API server refuses of it is told to whoever asks for it by name.

That kustomize refuses it is told in each run that is about the repository's overlays.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from upstreamsync.kit.run.engines import Engines
from upstreamsync.model import Judgement, Verdict, Verification
from upstreamsync.verify import verify_trees
from upstreamsync.verify.options import Options
from verify.small import Shelf

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80, name: http}]}\n"


def tree(folder: Path, patch: str, base: str = SERVICE) -> Path:
    (folder / "base").mkdir(parents=True)
    (folder / "overlay").mkdir()
    (folder / "base/all.yaml").write_text(base)
    (folder / "base/kustomization.yaml").write_text("resources: [all.yaml]\n")
    (folder / "overlay/kustomization.yaml").write_text(
        f"resources: [../base]\nnamePrefix: my-\npatches:\n- target: {{kind: Service}}\n  patch: |-\n    {patch}\n"
    )
    return folder


def judged(
    tmp_path: Path, patch: str, base: str = SERVICE, cache: Shelf | None = None, **options: object
) -> Verification:
    before, after = tmp_path / "old", tmp_path / "new"
    for folder in (before, after):
        if not folder.exists():
            tree(folder, patch, base)
    return verify_trees(
        before,
        after,
        ["overlay"],
        kustomize=Engines().kustomize(),
        upstream=["base"],
        cache=cache,
        options=Options(**options),  # type: ignore[arg-type]
    )


def patches(verification: Verification) -> Judgement:
    (found,) = [item for item in verification.items if item.field == "patches"]
    return found


NAMELESS = "- {op: add, path: /spec/ports/-, value: {port: 81}}"


def test_what_a_patch_makes_wrong_is_told_and_counts_against_no_update(tmp_path: Path) -> None:
    verification = judged(tmp_path, NAMELESS, as_it_is=True)
    item = patches(verification)
    assert (item.verdict, item.reason) == (Verdict.REJECTED, "schema_violation")
    assert item.was_so
    assert item.failed_before
    assert not verification.needs_person


@pytest.mark.parametrize("as_it_is", [True, False])
def test_what_is_well_stays_well(tmp_path: Path, as_it_is: bool) -> None:
    verification = judged(tmp_path, NAMELESS.replace("port: 81", "port: 81, name: more"), as_it_is=as_it_is)
    assert {item.verdict for item in verification.items} == {Verdict.OK}
    assert bool(verification.overlays[0].builds) is as_it_is


def test_nobody_is_told_who_has_not_asked(tmp_path: Path) -> None:
    assert patches(judged(tmp_path, NAMELESS)).verdict is Verdict.OK


TWICE = f"{SERVICE}---\n{SERVICE}"
REFUSED = "- {op: replace, path: /spec/none/0, value: 1}"


@pytest.mark.parametrize("option", ["as_it_is", "builds_unchanged"])
def test_what_kustomize_refuses_is_never_called_well(tmp_path: Path, option: str) -> None:
    verification = judged(tmp_path, REFUSED, **{option: True})
    (overlay,) = verification.overlays
    assert (overlay.before.ok, overlay.after.ok) == (False, False)
    item = patches(verification)
    assert (item.verdict, item.failed_before) == (Verdict.FAILS, True)
    assert not verification.needs_person, "nothing of it moved"


def test_what_does_not_build_at_all_is_told_and_calls_nobody(tmp_path: Path) -> None:
    verification = judged(tmp_path, NAMELESS, base=TWICE, builds_unchanged=True)
    assert Verdict.OK not in {item.verdict for item in verification.items}
    assert Verdict.UNJUDGED in {item.verdict for item in verification.items}
    assert not verification.overlays[0].after.ok
    assert not verification.unjudged
    assert not verification.needs_person


def test_that_it_builds_is_found_once(tmp_path: Path) -> None:
    shelf = Shelf()
    well = NAMELESS.replace("port: 81", "port: 81, name: more")
    first = judged(tmp_path, well, cache=shelf, builds_unchanged=True)
    assert {item.verdict for item in first.items} == {Verdict.OK}
    again = judged(tmp_path, well, cache=shelf, builds_unchanged=True)
    assert (first.overlays[0].builds, again.overlays[0].builds) == (1, 0)
    for side in ("old", "new"):
        (tmp_path / side / "base/all.yaml").write_text(TWICE)
    assert not judged(tmp_path, well, cache=shelf, builds_unchanged=True).overlays[0].after.ok
