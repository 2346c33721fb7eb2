"""`mv` and `remove`: a base goes elsewhere, or away, and nothing that names it is forgotten."""

from __future__ import annotations

import shutil

import pytest

from cli.conftest import Bench


def files(bench: Bench) -> set[str]:
    return {
        path.relative_to(bench.root).as_posix()
        for path in bench.root.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def test_mv_takes_lock_entry_and_references_along(vendored: Bench):
    assert vendored.run("mv", "server", "other/place/base").returncode == 0
    assert files(vendored) == {
        "vendors.yaml", "other/place/base/install.yaml", "other/place/base/kustomization.yaml",
        "other/place/server.lock.yaml", "server/overlay/kustomization.yaml",
    }  # fmt: skip
    assert "- ../../other/place/base" in (
        vendored.root / "server/overlay/kustomization.yaml"
    ).read_text() or (
        "[../../other/place/base]" in (vendored.root / "server/overlay/kustomization.yaml").read_text()
    )
    assert "base: other/place/base\n" in (vendored.root / "vendors.yaml").read_text()
    vendored.commit()
    (base,) = vendored.json("verify")["bases"]
    assert (base["path"], base["condition"]) == ("other/place/base", "pristine")
    vendored.publish("v1.0.0", "v1.1.0")
    assert vendored.json("update")["vendors"][0]["to"] == "v1.1.0"


@pytest.mark.parametrize("how", ["the folder was moved by hand", "vendors.yaml was changed by hand", "both"])
def test_mv_finishes_what_was_begun_by_hand(vendored: Bench, how: str):
    if how != "vendors.yaml was changed by hand":
        shutil.move(vendored.root / "server/base", vendored.root / "new")
    if how != "the folder was moved by hand":
        vendored.configure(vendored.vendor(base="new"))
    assert vendored.json("verify", code=None)["bases"][0]["condition"] in ("moved", "incomplete")
    assert vendored.run("mv", "server", "new").returncode == 0
    (vendored.root / "server/overlay/kustomization.yaml").write_text("resources: [../../new]\n")
    vendored.commit()
    (base,) = vendored.json("verify")["bases"]
    assert (base["path"], base["condition"]) == ("new", "pristine")
    assert "new/install.yaml" in files(vendored)
    assert "server/server.lock.yaml" not in files(vendored)


@pytest.mark.parametrize("path", ["../out", "/abs", ".", "/", ".git/x", "vendors.yaml", "server"])
def test_mv_to_what_can_t_be_a_base_is_a_mistake_of_the_command_line(vendored: Bench, path: str):
    before = files(vendored)
    done = vendored.run("mv", "server", path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "report this" not in done.stderr
    assert files(vendored) == before


def test_mv_overwrites_nothing(vendored: Bench):
    (vendored.root / "new").mkdir()
    (vendored.root / "new/install.yaml").write_text("# mine\n")
    before = files(vendored)
    done = vendored.run("mv", "server", "new")
    assert done.returncode == 1
    assert "in the way" in done.stderr
    assert files(vendored) == before


def test_remove_takes_what_is_upstreams_and_names_what_is_left(vendored: Bench):
    vendored.configure("  # theirs\n", vendored.vendor(), "  # ours\n", vendored.vendor("other"))
    (vendored.root / "server/base/mine.yaml").write_text("# mine\n")
    done = vendored.run("remove", "server")
    assert done.returncode == 1
    assert "server/overlay/kustomization.yaml: still names server/base" in done.stdout
    assert files(vendored) == {"vendors.yaml", "server/overlay/kustomization.yaml", "server/base/mine.yaml"}
    text = (vendored.root / "vendors.yaml").read_text()
    assert text.startswith("version: 1\nvendors:\n  # ours\n  - name: other\n")
    assert "theirs" not in text


def test_remove_keeps_edited_files(vendored: Bench):
    file = vendored.root / "server/base/install.yaml"
    file.write_text(file.read_text() + "# edited\n")
    before = files(vendored)
    done = vendored.run("remove", "server")
    assert done.returncode == 1
    assert "--keep-files" in done.stderr
    assert files(vendored) == before
    assert vendored.run("remove", "server", "--keep-files").returncode == 0
    assert file.exists()
    assert (vendored.root / "vendors.yaml").read_text() == "version: 1\nvendors: []\n"


def test_remove_clears_up_behind_a_vendor_that_is_gone(vendored: Bench):
    vendored.configure(vendored.vendor("other"))
    assert vendored.json("verify", code=1)["bases"][-1]["condition"] == "orphaned"
    (vendored.root / "server/overlay/kustomization.yaml").unlink()
    assert vendored.run("remove", "server").returncode == 0
    assert files(vendored) == {"vendors.yaml"}
    assert vendored.run("remove", "nobody").returncode == 2


def test_remove_discards_no_edits_that_are_not_committed(vendored: Bench):
    file = vendored.root / "server/base/install.yaml"
    file.write_text(file.read_text() + "# mine\n")
    before = file.read_text()
    done = vendored.run("remove", "server", "--discard-edits")
    assert done.returncode == 1
    assert "not committed" in done.stderr
    assert file.read_text() == before
    vendored.commit()
    vendored.run("remove", "server", "--discard-edits")
    assert not file.exists()
