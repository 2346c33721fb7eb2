"""Whatever upstream, tools and file names say: in every form of output it is text and nothing else."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

import upstreamsync

SOURCE = Path(upstreamsync.__file__).parent
EVIL = "x\n::error file=a::INJECTED\n  ##[error]INJECTED\x1b]0;OWNED\x07\x1b[2J\x9b31m\u202e"
VERSIONS = (
    "v1.2.0\x1b[31mRED\x1b]0;OWNED\x07", "v1.3.0\u202eabc", "v1.4.0\n::error::INJECTED", "v1.5.0\u009b31m",
    "::warning::INJECTED", "v1.6.0|@all<b>", "##[error]INJECTED", "v1.7.0\u2028::error::INJECTED",
)  # fmt: skip


def assert_harmless(text: str, *, form: str = "text") -> None:
    hidden = [hex(ord(c)) for c in text if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert hidden == []
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
    assert "##[" not in text
    ours = ("::notice", "::warning", "::error") if form == "github" else ()
    for line in text.splitlines():
        assert not line.strip().startswith("::") or line.startswith(ours), line
        assert not line.startswith(("::error file=a::", "::error::INJ", "::warning::INJ")), line


@pytest.mark.parametrize("form", ["text", "json", "markdown", "github"])
def test_versions_and_the_words_of_tools(bench, form, tmp_path):
    bench.publish("v1.0.0")
    page = "<a>server v1.0.0</a>" + "".join(f"<a>release {one} </a>" for one in VERSIONS)
    bench.world.file("server/index.html", page)
    pattern = f"{{page: {{url: \"{bench.world.url}/server/index.html\", pattern: '(?:server|release) (?P<version>[^<]+?) ?<'}}}}"
    bench.world.chart("ev", "evil", "1.0.0", files={"templates/a.yaml": f"{{{{ fail {json.dumps(EVIL)} }}}}"})
    bench.configure(
        bench.vendor(releases=pattern),
        f"  - {{name: evil, version: 1.0.0, base: evil/base, source: {{helm: {{repository: '{bench.world.url}/ev', chart: evil}}}}}}\n",
    )
    bench.commit()
    bench.environment["GITHUB_STEP_SUMMARY"] = str(tmp_path / "summary.md")
    for words in (
        ("check", "-v"),
        ("explain", "server"),
        ("update", "-v"),
        ("pr", "--dry-run", "-v", "--forge", "local"),
    ):
        done = bench.run(*words, "--format", form, "--json-output", str(tmp_path / "out.json"))
        assert done.returncode in {0, 1, 3}, done.stderr
        assert_harmless(done.stdout, form=form)
        assert_harmless(done.stderr)
        assert_harmless((tmp_path / "out.json").read_text())
        json.loads((tmp_path / "out.json").read_text())
    if (tmp_path / "summary.md").exists():
        assert_harmless((tmp_path / "summary.md").read_text())


@pytest.mark.parametrize("form", ["text", "json", "markdown", "github"])
def test_names_of_files_and_what_kustomizations_hold(tmp_path, bench, form):
    """Two plain trees, as a fork's pull request brings them."""
    name = "p\x1b]0;OWNED\x07\u202e::error::.yaml"
    for side, value in (("old", "a"), ("new", "b")):
        folder = bench.root / side / "o"
        folder.mkdir(parents=True)
        (folder / "cm.yaml").write_text(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata: {{{value}: '1'}}\n"
        )
        (folder / name).write_text(json.dumps([{"op": "replace", "path": "/data/a", "value": EVIL}]))
        (folder / "kustomization.yaml").write_text(
            json.dumps(
                {
                    "resources": ["cm.yaml"],
                    "patches": [{"path": name, "target": {"kind": "ConfigMap"}}],
                    "namePrefix": "##[x]",
                }
            )
        )
    done = bench.run("verify", "--before", "old", "--after", "new", "--format", form, "-v")
    assert done.returncode in {0, 1, 3}, done.stderr
    assert_harmless(done.stdout, form=form)
    assert_harmless(done.stderr)


def test_a_mistake_in_vendors_yaml_is_quoted_harmlessly(bench):
    (bench.root / "vendors.yaml").write_text(json.dumps({"version": 1, "vendors": [], f"k{EVIL}": f"{EVIL}"}))
    done = bench.run("check")
    assert done.returncode == 2
    assert_harmless(done.stderr)


@pytest.mark.parametrize(
    "setting",
    [{"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"PYTHONIOENCODING": "latin-1"}, {"PYTHONIOENCODING": "ascii"}],
)
@pytest.mark.parametrize("form", ["text", "json", "markdown", "github"])
def test_an_output_that_is_not_utf_8_stops_nothing(bench, setting, form):
    bench.publish("v1.0.0")
    bench.configure(bench.vendor())
    bench.environment.update(setting)
    done = bench.run("update", "--format", form)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    if form == "json":
        json.loads(done.stdout)


@pytest.mark.parametrize(
    "setting",
    [{"PYTHONIOENCODING": "cp1252"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_every_verb_can_say_what_the_terminal_lacks(bench, setting, tmp_path):
    """Names of folders, words of patches, and our own arrows."""
    bench.publish("v1.0.0", "v1.1.0")
    bench.configure(bench.vendor())
    folder = bench.root / "größe→日本"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(
        "resources: [../server/base]\nnamePrefix: ä-\npatches:\n- path: 'ü→.yaml'\n  target: {kind: Deployment}\n",
        "utf-8",
    )
    (folder / "ü→.yaml").write_text('[{op: add, path: /metadata/labels, value: {a: "→"}}]\n', "utf-8")
    assert bench.run("update", "server", "--to", "v1.0.0").returncode in {0, 1, 3}
    bench.commit()
    bench.environment.update(setting, GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
    out = tmp_path / "out.json"
    for words in (
        ["check", "-v"],
        ["check", "--format", "github"],
        ["explain", "server"],
        ["update", "--dry-run", "-v", "--json-output", str(out)],
        ["verify", "-v"],
        ["verify", "--format", "junit"],
        ["effects"],
        ["pr", "--dry-run", "--forge", "local", "-v"],
        ["verify", "größe"],
    ):
        program = [sys.executable, "-m", "upstreamsync", *words]
        done = subprocess.run(program, cwd=bench.root, env=bench.environment, capture_output=True)
        assert done.returncode in {0, 1, 2, 3}, (words, done.stderr)
        assert b"Traceback" not in done.stderr, (words, done.stderr)
    assert json.loads(out.read_text("utf-8"))["vendors"]


def test_nothing_else_writes_to_the_terminal():
    """One way out: whoever prints elsewhere prints unguarded."""
    elsewhere = []
    for path in SOURCE.rglob("*.py"):
        where = path.relative_to(SOURCE).as_posix()
        if where in {"cli/output.py", "sources/_embedded_worker.py"} or where.startswith("testing/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name) and called.id == "print":
                elsewhere.append(f"{where}:{node.lineno}")
            if isinstance(called, ast.Attribute) and called.attr in {"write", "writelines", "dump"}:
                text = ast.unparse(node)
                if "sys.stdout" in text or "sys.stderr" in text:
                    elsewhere.append(f"{where}:{node.lineno}")
            if isinstance(called, ast.Name) and called.id == "Console":
                elsewhere.append(f"{where}:{node.lineno}")
    assert elsewhere == ["cli/__init__.py:24"]  # the version of the program itself


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize(
    "document",
    [
        {}, [], {"a": {}}, {"a": []}, [[], [[]], {"x": [{}]}], {"a": [1, 1.5, None, True, "é\u2028\"\\\n"], "ü": (1, "x")},
        {"n": -0.0, "deep": {"er": {"a": [{"b": 1}, {"c": [2, 3]}]}}}, ["\ud800", "\x00\x7f"],
    ],
)  # fmt: skip
def test_json_is_written_as_the_standard_library_writes_it(document: object, ascii_only: bool) -> None:
    from upstreamsync.cli.output import json_form
    from upstreamsync.kit.sanitize import json_text

    written = json_text(json.dumps(document, indent=2, ensure_ascii=ascii_only)) + "\n"
    assert json_form(document, ascii_only=ascii_only) == written  # type: ignore[arg-type]
