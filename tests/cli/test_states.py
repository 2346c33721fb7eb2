"""States of a base × commands: what is said, how it ends, and that no byte of a hand edit is lost."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import Any

import pytest

from cli.conftest import Bench

EDIT = "metadata: {name: server, labels: {edited: by-hand}}"


def edited(text: str) -> str:
    assert "metadata: {name: server}" in text
    return text.replace("metadata: {name: server}", EDIT)


@dataclass(frozen=True)
class State:
    """How the repository got there, and what each command has to answer.

    ``codes`` are exit codes by command; ``status`` is what `check` says, ``condition`` what `verify` says.
    ``kept`` says whether the hand edit has to be there after each command.
    """

    status: str
    condition: str
    codes: dict[str, int]
    says: str = ""
    kept: bool = True


STATES = {
    "lock, pristine": State("outdated", "pristine", {"check": 0, "verify": 0, "update": 0, "locked": 0, "pr": 0}, kept=False),
    "lock, edited": State("edited", "edited", {"check": 1, "verify": 1, "update": 1, "locked": 1, "pr": 1}, "upstreamsync adopt server"),
    "lock, edited and not committed": State("edited", "edited", {"check": 1, "verify": 1, "update": 1, "locked": 1, "pr": 0}, "upstreamsync adopt server"),
    # Without the base's kustomization.yaml the overlay can't be judged either, and 3 comes before 1.
    "lock, partly missing": State("edited", "incomplete", {"check": 1, "verify": 3, "update": 0, "locked": 0, "pr": 0}, "upstreamsync update server", kept=False),
    "lock, moved": State("edited", "moved", {"check": 1, "verify": 1, "update": 1, "pr": 1}, "upstreamsync mv server other/base", kept=False),
    "lock, version line changed": State("edited", "other-version", {"check": 1, "verify": 1, "update": 0, "locked": 3, "pr": 0}, "upstreamsync update server --to v1.1.0", kept=False),
    "lock, configuration changed": State("edited", "other-configuration", {"check": 1, "verify": 1, "update": 0, "locked": 3, "pr": 0}, "upstreamsync update server --to v1.0.0", kept=False),
    "no lock, pristine": State("outdated", "unlocked", {"check": 0, "verify": 1, "update": 0, "locked": 3, "pr": 0}, kept=False),
    "no lock, edited": State("edited", "unlocked", {"check": 1, "verify": 1, "update": 1, "locked": 1, "pr": 1}, "upstreamsync adopt server"),
    "no lock, edited and not committed": State("edited", "unlocked", {"check": 1, "verify": 1, "update": 1, "locked": 1}, "upstreamsync adopt server"),
    "lock deleted": State("outdated", "unlocked", {"check": 0, "verify": 1, "update": 0, "pr": 0}, "git checkout HEAD -- server/server.lock.yaml", kept=False),
    "lock deleted, edited": State("edited", "unlocked", {"check": 1, "verify": 1, "update": 1, "locked": 1}, "git checkout HEAD -- server/server.lock.yaml"),
    "no base": State("not-vendored", "not-vendored", {"check": 0, "verify": 0, "update": 0, "pr": 0}, "upstreamsync update server", kept=False),
    "vendor gone": State("edited", "orphaned", {"check": 1, "verify": 1, "update": 0, "pr": 0}, "upstreamsync remove server"),
}  # fmt: skip


def arrange(bench: Bench, name: str) -> None:
    """Vendored at v1.0.0 and committed, then brought into the state; upstream also has v1.1.0."""
    bench.publish("v1.0.0")
    bench.configure(bench.vendor())
    bench.overlay("namePrefix: my-\n")
    if name == "no base":
        (bench.root / "server/overlay/kustomization.yaml").write_text("resources: []\nnamePrefix: my-\n")
    else:
        assert bench.run("update").returncode == 0
    bench.publish("v1.0.0", "v1.1.0")
    lock, file = bench.root / "server/server.lock.yaml", bench.root / "server/base/install.yaml"
    late = "not committed" in name or "deleted" in name
    if name.startswith("no lock"):
        lock.unlink()
        if late:
            bench.commit()
    elif late:
        bench.commit()
    if "edited" in name:
        file.write_text(edited(file.read_text()))
    if "deleted" in name:
        lock.unlink()
    if "partly missing" in name:
        (bench.root / "server/base/kustomization.yaml").unlink()
    if "moved" in name:
        bench.configure(bench.vendor(base="other/base", lock="server/server.lock.yaml"))
    if "version line" in name:
        bench.configure(bench.vendor(version="v1.1.0"))
    if "configuration" in name:
        bench.configure(bench.vendor(layout="one-file"))
    if "gone" in name:
        bench.configure(bench.vendor("other"))
        assert bench.run("update").returncode in (0, 1)
        file.write_text(edited(file.read_text()))
    if not late:
        bench.commit()


def run(
    bench: Bench, command: str, *words: str
) -> tuple[int, dict[str, Any], subprocess.CompletedProcess[str]]:
    import json

    line = {"locked": ["update", "--locked"], "pr": ["pr", "--forge", "local"]}.get(command, [command])
    done = bench.run(*line, *words, "--format", "json")
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done


def origin(bench: Bench) -> None:
    """A remote, as `pr` wants one."""
    bare = bench.root.parent / "origin.git"
    subprocess.run(["git", "clone", "-q", "--bare", bench.root, bare], check=True)
    bench.git("remote", "add", "origin", str(bare))
    bench.git("fetch", "-q", "origin")


CASES = [(name, command) for name, state in STATES.items() for command in state.codes]


@pytest.mark.parametrize(("name", "command"), CASES)
def test_no_edit_is_ever_lost(bench: Bench, name: str, command: str):
    state = STATES[name]
    arrange(bench, name)
    if command == "pr":
        origin(bench)
    file = bench.root / "server/base/install.yaml"
    before = file.read_bytes() if file.exists() else b""
    code, document, done = run(bench, command)
    said = done.stdout + done.stderr
    assert code == state.codes[command], said
    if command == "check":
        found = {vendor["name"]: vendor for vendor in document["vendors"]}["server"]
        assert found["status"] == state.status
        assert state.says in said or state.status in ("outdated", "not-vendored")
        assert run(bench, "check")[:2] == (code, document), "the same again from memory"
    if command == "verify":
        states = {base["vendor"]: base for base in document["bases"]}
        assert states["server"]["condition"] == state.condition
        assert state.says in said
    if name == "lock, moved" and command in ("update", "pr"):
        assert "name ../../other/base in place of ../base" in said, "the overlay is told where its base went"
    if state.kept:
        assert file.read_bytes() == before
        assert EDIT.encode() in before
    if command in ("update", "locked") and code == 1 and state.kept:
        assert "edited: by-hand" in said, "the difference is shown"
        assert "upstreamsync adopt server" in said
        assert "--discard-edits" in said
    if command == "pr" and code == 1 and state.kept:
        assert "upstreamsync/server" not in bench.git("branch", "--list")


def test_edits_are_replaced_on_demand_when_git_has_them(bench: Bench):
    arrange(bench, "lock, edited")
    assert run(bench, "update", "--discard-edits")[0] == 0
    assert (bench.root / "server/base/install.yaml").read_text() == bench.deployment("v1.1.0")


@pytest.mark.parametrize("name", ["lock, edited and not committed", "no lock, edited and not committed"])
def test_what_is_not_committed_is_never_overwritten(bench: Bench, name: str):
    arrange(bench, name)
    file = bench.root / "server/base/install.yaml"
    before = file.read_bytes()
    code, _, done = run(bench, "update", "--discard-edits")
    assert code == 1
    assert "not committed" in done.stdout
    assert file.read_bytes() == before


def test_a_file_of_one_s_own_is_not_replaced_by_one_that_upstream_adds(bench: Bench):
    bench.publish("v1.0.0", "v1.1.0")
    for version in ("v1.0.0", "v1.1.0"):
        bench.world.file(f"server/{version}/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n")
    there = f"{bench.world.url}/server/{{version}}"
    bench.configure(bench.vendor(source=f'{{url: {{a.yaml: "{there}/install.yaml"}}}}'))
    assert bench.run("update").returncode == 0
    (bench.root / "server/base/b.yaml").write_text("# mine\n")
    bench.commit()
    urls = f'{{a.yaml: "{there}/install.yaml", b.yaml: "{there}/b.yaml"}}'
    bench.configure(bench.vendor(source=f"{{url: {urls}}}"))
    code, _, done = run(bench, "update")
    assert code == 1, done.stdout
    assert "`server/base/b.yaml`" in done.stdout
    assert (bench.root / "server/base/b.yaml").read_text() == "# mine\n"


def test_an_edit_that_upstream_took_over_is_no_edit_any_more(bench: Bench):
    arrange(bench, "lock, edited")
    (bench.root / "server/base/install.yaml").write_text(bench.deployment("v1.1.0"))
    code, document, _ = run(bench, "update")
    assert code == 0
    assert document["vendors"][0]["to"] == "v1.1.0"


def test_the_first_update_takes_the_version_that_is_written(bench: Bench):
    bench.publish("v1.0.0", "v1.1.0")
    bench.configure(bench.vendor())
    code, document, _ = run(bench, "update")
    assert code == 0
    (vendor,) = document["vendors"]
    assert (vendor["status"], vendor["to"]) == ("added", "v1.0.0")
    assert "server: would move v1.0.0 → v1.1.0" in bench.run("update", "--dry-run").stdout
    assert (bench.root / "server/base/install.yaml").read_text() == bench.deployment("v1.0.0")
    code, document, _ = run(bench, "update")
    assert document["vendors"][0]["to"] == "v1.1.0"


def test_without_a_lock_what_only_the_old_version_had_goes_with_it(bench: Bench):
    bench.publish("v1.0.0", "v1.1.0")
    bench.configure(bench.vendor(layout="per-resource"))
    assert bench.run("update").returncode == 0
    (bench.root / "server/server.lock.yaml").unlink()
    bench.commit()
    assert run(bench, "update")[0] == 0
    assert run(bench, "verify")[1]["bases"][0]["condition"] == "pristine"


PROBLEMS = {
    "values": ("source: {helm: {repository: https://charts.example.com, chart: a, values: [gone.yaml]}}", "gone.yaml"),
    "edits": ("edits: [{file: gone.yaml, path: a, value: '{version}'}]", "gone.yaml"),
    "an edit that matches nothing": ("edits: [{file: vendors.yaml, path: nowhere, value: '{version}'}]", "nowhere"),
    "http": ("source: {url: 'http://example.com/{version}/a.yaml'}", "not encrypted"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
def test_check_finds_offline_what_an_update_would_stumble_over(bench: Bench, name: str):
    line, words = PROBLEMS[name]
    key, _, value = line.partition(": ")
    bench.publish("v1.0.0")
    bench.configure(bench.vendor("bad", **{key: value}), bench.vendor("good"))
    bench.world.fault("/server/index.html", _down()) if name != "http" else None
    document = bench.json("check", code=2 if name == "http" else 3)
    bad = document["vendors"][0]
    assert bad["error"]["kind"] == "configuration"
    assert words in bad["error"]["message"]
    number = next(
        i
        for i, text in enumerate((bench.root / "vendors.yaml").read_text().splitlines(), 1)
        if f"    {key}:" in text
    )
    assert f"vendors.yaml:{number}:" in bad["error"]["message"]


def _down():
    from upstreamsync.testing import Fault

    return Fault.status(404)


ADOPTED = {
    "lock, pristine": 0,
    "lock, edited": 0,
    "lock, edited and not committed": 0,
    "no lock, pristine": 0,
    "no lock, edited": 0,
    "no lock, edited and not committed": 0,
    "lock deleted, edited": 0,
    "no base": 1,
}


@pytest.mark.parametrize("name", ADOPTED)
def test_adopt_makes_patches_of_edits_in_every_state(bench: Bench, name: str):
    arrange(bench, name)
    code, document, done = run(bench, "adopt", "server")
    assert code == ADOPTED[name], done.stdout + done.stderr
    (vendor,) = document["vendors"]
    if code:
        assert vendor["error"]["kind"] == "edited"
        return
    patches = list((bench.root / "server").rglob("patches/*.yaml"))
    assert any("edited: by-hand" in path.read_text() for path in patches) == ("edited" in name)
    states = {base["vendor"]: base for base in run(bench, "verify")[1]["bases"]}
    assert states["server"]["condition"] == "pristine"
