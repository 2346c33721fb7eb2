"""What a verb loads: nothing that it does not use."""

from __future__ import annotations

import os
import subprocess
import sys

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
    loaded(*words, cwd=tmp_path)
    modules = loaded(*words, cwd=tmp_path)
    assert {"httpx", "upstreamsync.releases.helm_index"} <= modules, "this list says nothing"
    heavy = {"deepdiff", "github", "git", "requests", "selectolax", "markdown_it", "jinja2", "numpy"}
    assert not modules & heavy
    own = {"verify", "forge", "review", "testing", "base.change", "base.shape", "project.regenerate"}
    assert not modules & {f"upstreamsync.{name}" for name in own}
    if form == "json":
        assert "rich" not in modules


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
