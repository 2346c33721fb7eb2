"""Results go to the file that was named, and not to where a commit's link leads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from upstreamsync.cli.paths import write_file
from upstreamsync.errors import UsageError


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with links that lead out of it, and one that stays inside; worked in below its top."""
    made = tmp_path / "checkout"
    (made / ".git").mkdir(parents=True)
    (made / "app").mkdir()
    (tmp_path / "home").mkdir()
    for link, target in {"r.sarif": "../home/profile", "out": "../home", "in.json": "app/x.json"}.items():
        (made / link).symlink_to(target)
    monkeypatch.chdir(made / "app")
    return made


@pytest.mark.parametrize("name", ["../r.sarif", "../out/r.sarif", "../in.json", "../app/../r.sarif"])
def test_a_link_of_the_checkout_is_not_followed(checkout: Path, tmp_path: Path, name: str) -> None:
    for path in (Path(name), Path(os.path.abspath(name))):
        with pytest.raises(UsageError, match="a link lies there"):
            write_file(path, "{}")
    assert [*(tmp_path / "home").iterdir(), *(checkout / "app").iterdir()] == []


def test_other_places_are_written(checkout: Path, tmp_path: Path) -> None:
    """Links of the machine's own among them, as /dev/stdout is one."""
    (tmp_path / "own").symlink_to(tmp_path / "home")
    for path in (Path("r.sarif"), checkout / "r.json", tmp_path / "own/r.json", Path("/dev/stdout")):
        write_file(path, "{}")
    assert (tmp_path / "home/r.json").read_text() == (checkout / "app/r.sarif").read_text() == "{}"
