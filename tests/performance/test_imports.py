"""What a verb loads: nothing that it does not use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from upstreamsync.testing import World

LIST = """
import sys
sys.argv = ["upstreamsync", *sys.argv[1:]]
from upstreamsync.cli import main
try:
    main()
except SystemExit as end:
    assert end.code in (0, None), end.code
print(*sorted(sys.modules), sep="\\n", file=sys.stderr)
"""


def loaded(*words: str, cwd=None) -> set[str]:
    """The modules that a run of the command line has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", LIST, *words],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def exist(names: set[str]) -> bool:
    """Whether each name is a module of the package: a name that is none would forbid nothing."""
    return all(find_spec(f"upstreamsync.{name}") is not None for name in names)


HEAVY = {"deepdiff", "github", "git", "requests", "selectolax", "markdown_it", "jinja2", "numpy"}
#: Modules of the program that other verbs need.
OTHER_VERBS = {
    *("verify", "forge", "review", "testing"),
    *("base.change", "base.shape", "base.write", "project.update", "project.propose", "project.verify"),
    *("kit.git.repository", "kit.archives", "kit.yaml.edit", "discover"),
    *("sources.render", "sources.docs", "sources.archive"),
}


@pytest.fixture
def world(tmp_path):
    with World() as world:
        for version in ("1.0.0", "1.1.0"):
            world.chart("charts/acme", "acme", version)
        source = f"{{helm: {{repository: '{world.url}/charts/acme', chart: acme}}}}"
        (tmp_path / "vendors.yaml").write_text(
            f"version: 1\nvendors:\n- {{name: acme, version: 1.0.0, base: acme/base, source: {source}}}\n",
            "utf-8",
        )
        yield world


@pytest.mark.parametrize("form", ["text", "json"])
def test_check_loads_neither_the_judge_nor_a_forge_nor_what_compares(tmp_path, world, form):
    words = ("check", "--cache-dir", str(tmp_path / "cache"), "--format", form)
    modules = loaded(*words, cwd=tmp_path)
    assert {"httpx", "pydantic", "upstreamsync.releases.helm_index"} <= modules, "this list says nothing"
    assert not modules & HEAVY
    assert exist(OTHER_VERBS)
    assert not modules & {f"upstreamsync.{name}" for name in OTHER_VERBS}
    assert not modules & {"typer", "rich", "asyncio", "httpx_retries"}


@pytest.mark.parametrize("form", ["text", "json", "markdown", "github"])
def test_check_with_nothing_changed_loads_neither_the_configuration_nor_the_policy(tmp_path, world, form):
    words = ("check", "--cache-dir", str(tmp_path / "cache"), "--format", form)
    loaded(*words, cwd=tmp_path)
    world.reset()
    modules = loaded(*words, cwd=tmp_path)
    assert [request.status for request in world.requests] == [304]
    assert {"httpx", "upstreamsync.project.check.unchanged"} <= modules, "this list says nothing"
    assert not modules & HEAVY
    assert not modules & {"pydantic", "yaml", "typer", "asyncio", "httpx_retries"}
    own = {*OTHER_VERBS, "config.load", "config.spec", "releases", "sources", "kit.git.remote"}
    own |= {"project.check.check", "project.check.lookup", "project.session"}
    assert exist(own)
    assert not modules & {f"upstreamsync.{name}" for name in own}
    assert "rich" not in modules


def test_verify_of_plain_folders_loads_no_client_no_other_verbs_values_and_no_tables(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n", "utf-8"
    )
    texts = [f"resources: [a.yaml]\nnamespace: {name}\n" for name in ("one", "two")]
    _repository(tmp_path, *texts, more=["a.yaml"])
    (tmp_path / "a.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: c}\n", "utf-8"
    )
    modules = loaded("verify", "--since", "HEAD", "--no-cache", cwd=tmp_path)
    assert "upstreamsync.verify.comparing" in modules, "this list says nothing"
    assert not modules & HEAVY
    assert not modules & {
        "pydantic",
        "typer",
        "httpx",
        "rich",
        "asyncio",
        "importlib.resources",
        "uuid",
        "decimal",
    }
    values = {
        f"model.{name}" for name in ("change", "release", "review", "promotion", "pull_request", "inspection")
    }
    own = {
        *values,
        "kit.http.client",
        "kit.git.remote",
        "project.connections",
        "effects",
        "report.text",
        "sources",
    }
    assert exist(own)
    assert modules & {f"upstreamsync.{name}" for name in own} == set()


def test_verify_of_two_folders_loads_neither_the_configuration_nor_the_network(tmp_path):
    for side in ("before", "after"):
        (tmp_path / side / "overlay").mkdir(parents=True)
        (tmp_path / side / "overlay/kustomization.yaml").write_text("resources: [a.yaml]\n", "utf-8")
        text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: {side}}}\n"
        (tmp_path / side / "overlay/a.yaml").write_text(text, "utf-8")
    words = ("verify", "--before", "before", "--after", "after", "overlay", "--no-cache", "--format", "json")
    modules = loaded(*words, cwd=tmp_path)
    assert "upstreamsync.verify.judge" in modules, "this list says nothing"
    assert not modules & HEAVY
    assert not modules & {"pydantic", "typer", "httpx", "rich", "asyncio"}
    own = {"config.load", "config.spec", "releases", "sources", "project.project", "forge", "review"}
    assert exist(own)
    assert not modules & {f"upstreamsync.{name}" for name in own}


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_the_version_and_the_help_need_neither_the_configuration_nor_the_network(word):
    modules = loaded(word)
    assert "upstreamsync.cli" in modules
    assert not modules & {"pydantic", "yaml", "httpx", "upstreamsync.project", "upstreamsync.config"}
    if word == "--version":
        assert "rich" not in modules


def test_importing_the_package_loads_nothing_else():
    code = "import sys, upstreamsync; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [one for one in done.stdout.split() if one.startswith("upstreamsync")] == ["upstreamsync"]


def test_a_chart_that_moves_is_judged_without_what_reads_a_configuration(tmp_path, world):
    (tmp_path / "vendors.yaml").unlink()
    text = "helmCharts:\n- {{name: acme, repo: {}/charts/acme, version: {}}}\nnamespace: a\n"
    _repository(tmp_path, *(text.format(world.url, version) for version in ("1.0.0", "1.1.0")))
    modules = loaded("verify", "--since", "HEAD~1", "--cache-dir", str(tmp_path / "cache"), cwd=tmp_path)
    assert {"httpx", "upstreamsync.sources.chart_client"} <= modules, "this list says nothing"
    assert not modules & {"pydantic", "upstreamsync.config.spec"}


def _repository(folder: Path, *texts: str, more: Sequence[str] = ()) -> None:
    """A kustomization with a commit for each text."""
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    for text in texts:
        (folder / "kustomization.yaml").write_text(text, "utf-8")
        subprocess.run(["git", "add", "kustomization.yaml", *more], cwd=folder, check=True)
        somebody = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *somebody, "commit", "-qm", "step"], cwd=folder, check=True)
