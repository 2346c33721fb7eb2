"""Repositories of forms that are rare and right: SHA-256, names that Windows minds, and whatever git itself bears."""

from __future__ import annotations

import subprocess

import pytest


def renamed(bench) -> None:
    bench.publish("v1.0.0", "v1.1.0", container="server")


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_all_verbs_work_whatever_the_length_of_ids(bench, form):
    bench.publish("v1.0.0")
    bench.configure(bench.vendor())
    bench.overlay("namePrefix: our-\n")
    bench.git("init", "-q", "-b", "main", f"--object-format={form}")
    assert bench.run("update").returncode == 0
    bench.commit()
    bench.git("clone", "-q", "--bare", ".", "../origin.git")
    bench.git("remote", "add", "origin", str(bench.root.parent / "origin.git"))
    bench.git("config", "user.name", "T")
    bench.git("config", "user.email", "t@example.com")
    renamed(bench)
    first = bench.json("pr", "--forge", "local")["proposals"]
    assert [(one["action"], one["to"]) for one in first] == [("opened", "v1.1.0")]
    again = bench.json("pr", "--forge", "local")["proposals"]
    assert [one["action"] for one in again] == ["unchanged"]
    bench.publish("v1.0.0", "v1.1.0", "v1.2.0")
    moved = bench.json("pr", "--forge", "local")["proposals"]
    assert [(one["action"], one["to"]) for one in moved] == [("updated", "v1.2.0")]
    branch = bench.git("rev-parse", moved[0]["branch"]).strip()
    assert len(branch) == (64 if form == "sha256" else 40)
    assert bench.run("verify", "--since", "HEAD").returncode == 0
    assert bench.git("status", "--porcelain") == ""


NAMES = ["widget:reader", "a\\b", "nul", "CON.yaml", "com1", "dot.", "space ", "C:x", "a?b*c", 'q"<>|']


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_windows_minds_stops_nobody_here(vendored, name):
    folder = vendored.root / "rbac" / name
    folder.mkdir(parents=True)
    (folder / "role.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: role}\n")
    vendored.git("add", "-A")
    vendored.git("-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-qm", "names")
    file = vendored.root / "server/base/install.yaml"
    file.write_text(vendored.deployment("v1.1.0", "main"))
    done = vendored.run("verify", "--since", "HEAD")
    assert done.returncode == 1, done.stderr
    assert "misapplied" in done.stdout


def test_what_leaves_its_folder_stops_everybody(vendored):
    """git itself refuses to check such a tree out; one that was made by hand is refused here."""
    blob = vendored.git("hash-object", "-w", "vendors.yaml").strip()
    vendored.git("update-index", "--add", "--cacheinfo", f"100644,{blob},rbac/x")
    tree = vendored.git("write-tree").strip()
    listed = vendored.git("ls-tree", tree)
    made = subprocess.run(
        ["git", "mktree"], cwd=vendored.root, input=listed.replace("\trbac", "\t.GIT"), capture_output=True, text=True, check=True
    ).stdout.strip()  # fmt: skip
    who = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    commit = vendored.git(*who, "commit-tree", made, "-m", "x").strip()
    done = vendored.run("verify", "--since", commit)
    assert (done.returncode, ".git folder" in done.stderr) == (3, True), done.stderr
