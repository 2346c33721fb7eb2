from __future__ import annotations

import io
import sys
import tarfile

import pytest

from upstreamsync.errors import (
    NotFound,
    Refused,
    RepositoryError,
    SelectionError,
    TooLarge,
    ToolFailed,
    ToolMissing,
    ToolTimeout,
)

PYTHON = sys.executable


def python(code, **more):
    return {"command": {"run": [PYTHON, "-c", code, "{version}"], **more}}


def test_nothing_runs_unless_it_is_allowed(fetch, tmp_path):
    mark = tmp_path / "mark"
    with pytest.raises(Refused) as caught:
        fetch(python(f"open({str(mark)!r}, 'w')"))
    assert "--allow-commands" in (caught.value.hint or "")
    assert not mark.exists()


def test_what_it_prints_is_one_file(fetch):
    artifact = fetch(python("import sys; print('version:', sys.argv[1])"), allow_commands=True)
    assert [(file.path, file.data) for file in artifact.files] == [("thing.yaml", b"version: v1.2.3\n")]
    assert artifact.resolved[0].kind == "command"


def test_files_fetched_and_copied_and_written(world, fetch, tools):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("tool-v1.2.3/bin/generate")
        data = b"#!/bin/sh\nmkdir -p out/deep && cat profiles/p.yaml plain.txt > out/deep/$1.yaml\n"
        entry.size, entry.mode = len(data), 0o755
        archive.addfile(entry, io.BytesIO(data))
    world.file("/v1.2.3/tool.tar.gz", buffer.getvalue())
    world.file("/plain.txt", "plain: 1\n")
    (tools.root / "profiles").mkdir()
    (tools.root / "profiles" / "p.yaml").write_text("before: 1\n")
    source = {
        "command": {
            "run": ["./tool-{version}/bin/generate", "{semver}"],
            "fetch": {
                "tool.tar.gz": f"{world.url}/{{version}}/tool.tar.gz",
                "plain.txt": f"{world.url}/plain.txt",
            },
            "inputs": ["profiles/p.yaml"],
            "outputs": ["out/**/*.yaml"],
        }
    }
    artifact = fetch(source, allow_commands=True, overrides={"profiles/p.yaml": b"after: 1\n"})
    assert [(file.path, file.data) for file in artifact.files] == [
        ("deep/1.2.3.yaml", b"after: 1\nplain: 1\n")
    ]
    assert [fact.location for fact in artifact.resolved[1:]] == [
        f"{world.url}/v1.2.3/tool.tar.gz",
        f"{world.url}/plain.txt",
    ]


def test_it_sees_nothing_of_the_environment(fetch, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "canary-token")
    code = "import os; print(dict(os.environ)); print(os.getcwd(), os.path.expanduser('~'))"
    printed = fetch(python(code), allow_commands=True).files[0].data.decode()
    assert "canary-token" not in printed
    assert "upstreamsync-command-" in printed.splitlines()[-1].split()[0]
    assert "upstreamsync-command-" in printed.splitlines()[-1].split()[1]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (python("raise SystemExit('broken on purpose')"), ToolFailed),
        (python("import time; time.sleep(60)", timeout="0m"), ToolTimeout),
        (python("pass", outputs=["*.yaml"]), SelectionError),
        (python("import os; os.symlink('/etc/passwd', 'x.yaml')", outputs=["*.yaml"]), Refused),
        (python("pass", inputs=["missing.yaml"]), RepositoryError),
        ({"command": {"run": ["./nothing-here"]}}, ToolMissing),
    ],
)
def test_failures_are_typed(fetch, source, error):
    with pytest.raises(error):
        fetch(source, allow_commands=True)


def test_a_version_that_would_be_an_option_is_refused(fetch):
    with pytest.raises(Refused, match="can't stand in"):
        fetch(python("pass"), "--exec", allow_commands=True)


def test_what_is_fetched_does_not_replace_what_is_there(world, fetch, tools):
    world.file("/p", "theirs: 1\n")
    (tools.root / "p.yaml").write_text("ours: 1\n")
    source = python("pass", fetch={"p.yaml": f"{world.url}/p"}, inputs=["p.yaml"])
    with pytest.raises(Refused, match="twice"):
        fetch(source, allow_commands=True)


def test_a_probe_asks_for_what_is_fetched_and_runs_nothing(world, probe, tmp_path):
    world.file("/tool", "x")
    probe(python(f"open({str(tmp_path / 'mark')!r}, 'w')", fetch={"tool": f"{world.url}/tool"}))
    assert not (tmp_path / "mark").exists()
    with pytest.raises(NotFound):
        probe(python("pass", fetch={"tool": f"{world.url}/{{version}}/tool"}))


def test_endless_output_is_cut(fetch, monkeypatch):
    from upstreamsync.sources import command

    monkeypatch.setattr(command, "_MAX_BYTES", 1000)
    with pytest.raises(TooLarge):
        fetch(python("print('x' * 2000)"), allow_commands=True)
    with pytest.raises(TooLarge):
        fetch(python("open('a.yaml', 'w').write('x' * 2000)", outputs=["*.yaml"]), allow_commands=True)
    monkeypatch.setattr(command, "_MAX_FILES", 10)
    many = "[open(str(n) + '.yaml', 'w') for n in range(11)]"
    with pytest.raises(TooLarge):
        fetch(python(many, outputs=["*.yaml"]), allow_commands=True)
