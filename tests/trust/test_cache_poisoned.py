"""A cache that somebody else could write into is believed as far as it can be checked, and otherwise as good as none."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.git.remote import Git
from upstreamsync.kit.run.engines import Engines, seal_file
from upstreamsync.kit.store.cache import Cache
from upstreamsync.kit.store.seal import cache_key, seal
from upstreamsync.project import Settings, open_project
from upstreamsync.testing import GitOps, World

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n"


@pytest.fixture
def team(tmp_path: Path, world: World) -> GitOps:
    """A vendor of each kind that leaves something in the cache; all vendored."""
    world.git("up").commit(
        {"deploy/a.yaml": GOOD, "deploy/b/c.yaml": GOOD.replace("good", "deep")}, tag="v1.0.0"
    )
    world.chart("c", "acme", "1.0.0", files={"templates/a.yaml": GOOD})
    world.file("u/i.html", "<a>release v1.0.0 </a>")
    world.file("u/v1.0.0/a.yaml", GOOD)
    gitops = GitOps(tmp_path / "gitops", world)
    gitops.vendors(
        {"name": "gitv", "version": "v1.0.0", "base": "gitv/base", "source": {"git": {"repository": world.git("up").url, "paths": ["deploy/**"], "strip": 1}}},
        {"name": "helmv", "version": "1.0.0", "base": "helmv/base", "source": {"helm": {"repository": f"{world.url}/c", "chart": "acme"}}},
        {"name": "urlv", "version": "v1.0.0", "base": "urlv/base", "source": {"url": f"{world.url}/u/{{version}}/a.yaml"}, "releases": {"page": {"url": f"{world.url}/u/i.html", "pattern": "release (?P<version>[^ ]+) "}}},
    )  # fmt: skip
    update(gitops, tmp_path)
    gitops.commit()
    return gitops


def update(gitops: GitOps, tmp_path: Path, key: str = "ours") -> dict[str, bytes | None]:
    environment = {**os.environ, "UPSTREAMSYNC_CACHE_KEY": key}
    with open_project(
        gitops.path, settings=Settings(cache_folder=tmp_path / "cache", environment=environment)
    ) as project:
        changes = project.update([vendor.name for vendor in project.configuration.vendors])
        assert [one.error for one in changes.updates] == [None] * len(changes.updates)
        changes.write()
    return dict(changes.files)


def entries(tmp_path: Path) -> Iterator[Path]:
    for path in (tmp_path / "cache").rglob("*"):
        if path.is_file() and "git" not in path.relative_to(tmp_path / "cache").parts:
            yield path


def bases(gitops: GitOps) -> dict[str, bytes]:
    return {path: data for path, data in gitops.files().items() if "/base/" in path}


def drop_bases(gitops: GitOps) -> None:
    for path in bases(gitops):
        (gitops.path / path).unlink()


def replaced(data: bytes) -> bytes:
    return data.replace(b"good", b"EVIL").replace(b"deep", b"EVIL")


def test_what_somebody_changed_or_made_is_as_good_as_absent(team, tmp_path):
    before = bases(team)
    for path in entries(tmp_path):
        path.write_bytes(replaced(path.read_bytes()))
    drop_bases(team)
    update(team, tmp_path)
    assert bases(team) == before


def test_entries_that_belong_together_are_not_believed_either(team, tmp_path):
    """As somebody would write them who knows the form, but not the key."""
    before = bases(team)
    theirs = cache_key({"UPSTREAMSYNC_CACHE_KEY": "theirs"})
    for path in entries(tmp_path):
        data = replaced(path.read_bytes()[64:])
        for name in (("helm-render", path.name), ("http-body", path.name), ("http", path.name)):
            path.write_bytes(seal(theirs, name, data) + data)
    drop_bases(team)
    update(team, tmp_path)
    assert bases(team) == before


def test_an_entry_serves_in_its_own_place_alone(tmp_path):
    cache = Cache(tmp_path, b"k" * 32)
    cache.put("n", "one", b"1")
    cache.put("n", "two", b"2")
    one, two = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    content = one.read_bytes(), two.read_bytes()
    one.write_bytes(content[1])
    two.write_bytes(content[0])
    assert (cache.get("n", "one"), cache.get("n", "two")) == (None, None)
    assert Cache(tmp_path, b"k" * 32).get("m", "one") is None


def test_another_version_and_another_key_find_nothing(tmp_path, monkeypatch):
    Cache(tmp_path, b"k" * 32).put("n", "k", b"data")
    assert Cache(tmp_path, b"k" * 32).get("n", "k") == b"data"
    assert Cache(tmp_path, b"x" * 32).get("n", "k") is None
    monkeypatch.setattr("upstreamsync.kit.store.seal._MADE_BY", "upstreamsync 0.0.1 2")
    assert Cache(tmp_path, b"k" * 32).get("n", "k") is None


def test_the_key_is_the_users_alone(tmp_path):
    home = {"HOME": str(tmp_path), "XDG_STATE_HOME": ""}
    key = cache_key(home)
    path = tmp_path / ".local/state/upstreamsync/cache.key"
    assert (path.stat().st_mode & 0o777, cache_key(home)) == (0o600, key)
    path.chmod(0o644)  # others may have read it
    assert cache_key(home) != key
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_bytes(b"x" * 32)
    assert cache_key(home) != b"x" * 32
    assert cache_key({"HOME": "/proc/nowhere"}) == cache_key({"HOME": "/proc/nowhere"})


# -- git ------------------------------------------------------------------------------------------------


def stores(tmp_path: Path) -> list[Path]:
    return [path.parent for path in (tmp_path / "cache/git").glob("*/HEAD")]


def loose(store: Path, oid: str, kind: str, content: bytes) -> None:
    """An object of any content under any name."""
    path = store / "objects" / oid[:2] / oid[2:]
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(zlib.compress(f"{kind} {len(content)}\0".encode() + content))


def unpack(store: Path) -> dict[str, tuple[str, bytes]]:
    """All objects of a store, loose."""

    def run(*words: str) -> bytes:
        return subprocess.run(["git", "-C", str(store), *words], capture_output=True, check=True).stdout

    found = {}
    for line in run("cat-file", "--batch-all-objects", "--batch-check").decode().splitlines():
        oid, kind, _ = line.split()
        found[oid] = (kind, run("cat-file", kind, oid))
    for pack in (store / "objects/pack").glob("*"):
        pack.unlink()
    for oid, (kind, content) in found.items():
        loose(store, oid, kind, content)
    return found


@pytest.mark.parametrize("kind", ["blob", "tree", "commit"])
def test_an_object_that_is_not_what_its_name_says_is_fetched_anew(team, tmp_path, world, kind):
    before = bases(team)
    (store,) = stores(tmp_path)
    found = unpack(store)
    # A tree of the same form that names another blob, and a commit of another tree.
    evil = replaced(GOOD.encode())
    evil_blob = hashlib.sha1(b"blob %d\0" % len(evil) + evil).hexdigest()
    loose(store, evil_blob, "blob", evil)
    for oid, (its, content) in found.items():
        if its != kind:
            continue
        if kind == "blob":
            loose(store, oid, kind, evil)
        elif kind == "tree":
            at = content.index(b"\0") + 1
            loose(store, oid, kind, content[:at] + bytes.fromhex(evil_blob) + content[at + 20 :])
        else:
            loose(store, oid, kind, content.replace(content[5:45], evil_blob.encode()))
    drop_bases(team)
    update(team, tmp_path)
    assert bases(team) == before


CONFIGURATION = """
[core]
\tsshCommand = touch {mark}
\tfsmonitor = touch {mark}
\thooksPath = {hooks}
\talternateRefsCommand = touch {mark}
\tgitProxy = touch {mark}
[uploadpack]
\tpackObjectsHook = touch {mark}
[credential]
\thelper = "!touch {mark}; false"
[remote "origin"]
\tuploadpack = touch {mark}
\turl = {other}
\tvcs = evil
[url "{other}"]
\tinsteadOf = {url}
[http]
\tproxy = http://127.0.0.1:9
[include]
\tpath = {hooks}/more
"""


@pytest.mark.parametrize("protected", [False, True])
def test_a_configuration_in_a_store_is_not_read(team, tmp_path, world, protected):
    mark, hooks = tmp_path / "mark", tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (hooks / name).chmod(0o755)
    (hooks / "more").write_text(f'[credential]\n\thelper = "!touch {mark}; false"\n')
    other = world.git("other")
    other.commit({"deploy/a.yaml": GOOD.replace("good", "EVIL")}, tag="v1.1.0")
    (store,) = stores(tmp_path)
    text = CONFIGURATION.format(mark=mark, hooks=hooks, other=other.url, url=world.git("up").url)
    (store / "config").write_text((store / "config").read_text() + text)
    shutil.copytree(hooks, store / "hooks")
    (store / "config.worktree").write_text(text)
    (store / "objects/info").mkdir(exist_ok=True)
    (store / "objects/info/alternates").write_text(f"{tmp_path}/nowhere\n")
    if protected:
        world.protect("/git/up.git", "u", "p")
    git = Git(cache=Cache(tmp_path / "cache"), backoff=0.0)
    world.git("up").commit({"deploy/a.yaml": GOOD.replace("good", "newer")}, tag="v1.1.0")
    try:
        tree = git.fetch_tree(world.git("up").url, "v1.1.0")
        (file,) = tree.read(["deploy/a.yaml"])
        assert b"newer" in file.data
        assert not protected
    except UpstreamsyncError:
        assert protected
    assert not mark.exists()
    left = {path.relative_to(store).as_posix() for path in store.rglob("*")}
    assert not left & {"hooks", "config.worktree", "objects/info/alternates"}


@pytest.mark.parametrize("damage", ["HEAD", "config", "shallow", "packed-refs", "refs", "objects"])
def test_a_damaged_store_is_as_good_as_none(team, tmp_path, damage):
    before = bases(team)
    (store,) = stores(tmp_path)
    place = store / damage
    if place.is_dir():
        shutil.rmtree(place)
        place.write_text("no folder")
    else:
        place.write_bytes(b"\xff garbage \0")
    drop_bases(team)
    update(team, tmp_path)
    assert bases(team) == before


# -- tools ------------------------------------------------------------------------------------------------


def test_a_tool_that_was_not_installed_by_us_is_not_run(tmp_path):
    key = b"k" * 32
    tool = tmp_path / "tools/helm-3.99.1/helm"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\necho v3.99.1\n")
    tool.chmod(0o755)
    nowhere = {"PATH": ""}

    def found() -> Path | None:
        return Engines(
            folder=tmp_path / "tools", pins={"helm": "3.99.1"}, environment=nowhere, sealed_with=key
        ).find("helm")

    assert found() != tool
    seal_file(tool).write_bytes(seal(key, ("tool", "helm-3.99.1"), tool.read_bytes()))
    assert found() == tool
    tool.write_text(tool.read_text() + "touch /tmp/x\n")
    assert found() != tool
    seal_file(tool).write_bytes(seal(b"x" * 32, ("tool", "helm-3.99.1"), tool.read_bytes()))
    assert found() != tool
