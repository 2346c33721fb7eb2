"""The package as a library: exact names, nothing started by importing it."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import upstreamsync
from upstreamsync import model


def test_every_name_of_all_can_be_used_and_no_other_is_promised():
    for name in upstreamsync.__all__:
        assert getattr(upstreamsync, name) is not None
    assert sorted(upstreamsync.__all__) == dir(upstreamsync)
    assert sorted(upstreamsync._HOMES) == sorted(upstreamsync.__all__)


def test_every_value_of_the_model_is_found_where_it_is_said_to_be():
    assert sorted(model._HOMES) == sorted(model.__all__)
    for name in model.__all__:
        home = import_module(f"upstreamsync.model.{model._HOMES[name]}")
        assert getattr(model, name) is getattr(home, name)


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(upstreamsync, "nonsense")


def test_importing_the_package_imports_no_library_and_no_part_of_itself():
    script = "import sys, upstreamsync; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert [name for name in loaded if name.startswith("upstreamsync")] == ["upstreamsync"]
    assert {"yaml", "httpx", "pydantic", "git", "github", "deepdiff", "rich", "typer"}.isdisjoint(loaded)
