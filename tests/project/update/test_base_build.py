"""Every base that is written builds by itself, and one that shrinks is said."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from upstreamsync.base.change import plan
from upstreamsync.base.locked import read_lock
from upstreamsync.base.shape import make_bases
from upstreamsync.base.view import View
from upstreamsync.config.spec import Tools, Vendor
from upstreamsync.errors import ContentError, ToolFailed
from upstreamsync.kit.run.engines import Engines, Kustomize
from upstreamsync.model import Artifact, Base, ContentFile, Release
from upstreamsync.project import open_project
from upstreamsync.project.connections import Connections, toolbox
from upstreamsync.project.settings import Settings
from upstreamsync.project.update.base_build import (
    _to_build,
    build_together,
    builds_of,
    check_builds,
    check_each,
)
from upstreamsync.review.dangers.shrinking import shrinking_dangers
from upstreamsync.testing import write_files


def obj(kind: str = "ConfigMap", name: str = "a", more: str = "", api: str = "v1") -> bytes:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n{more}".encode()


def join(*documents: bytes) -> bytes:
    return b"---\n".join(documents)


VENDOR = Vendor.model_validate({"name": "v", "version": "1", "base": "b", "source": {"url": "https://h/x"}})
GENERATED = b"apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: init-\n"
LIST = b"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n"

GOOD = {
    "two of one name in two namespaces": {"a.yaml": join(obj(), obj(more="  namespace: x\n"))},
    "two kinds of one name": {"a.yaml": obj(), "b.yaml": obj("Secret")},
    "two versions of one kind": {"a.yaml": join(obj("X", api="g/v1"), obj("X", api="h/v1"))},
    "a list": {"a.yaml": LIST},
    "a resource whose kind ends so": {"a.yaml": obj("AllowList", api="g/v1", more="spec: {items: [a]}\n")},
    "a list whose items share an anchor": {
        "a.yaml": LIST + b"- {apiVersion: v1, kind: X, metadata: &m {name: x}}\n"
        b"- {apiVersion: v1, kind: Y, metadata: *m}\n"
    },
    "comments between": {"a.yaml": join(b"# x\n", obj(), b"# y\n")},
    "markers with comments": {"a.yaml": obj() + b"--- # Source: x\n" + obj("Secret")},
    "a first document on the line of its marker": {
        "a.yaml": b"--- {apiVersion: v1, kind: X, metadata: {name: b}}\n"
    },
    "odd names": {"a b.yaml": obj(name='"system:x"')},
    "upstream's own kustomization": {
        "kustomization.yaml": b"resources: [a.yaml]\npatches: [{path: p.yaml}]\n",
        "a.yaml": obj(),
        "p.yaml": obj(more="data: {x: y}\n"),
    },
    "a component": {"kustomization.yaml": b"kind: Component\npatches: [{path: p.yaml}]\n", "p.yaml": obj()},
    "kustomizations below": {
        "x/kustomization.yaml": b"resources: [a.yaml]\n",
        "x/a.yaml": obj(),
        "y/p.yaml": obj(),
    },
    "a name that is a number": {"a.yaml": obj(name="12")},
}
BAD = {
    "an object twice": ({"a.yaml": join(obj(), obj())}, "`ConfigMap a` is in it twice"),
    "an object in two files": ({"a.yaml": obj(), "b.yaml": obj()}, "`ConfigMap a` is in it twice"),
    "an object in the default namespace": (
        {"a.yaml": join(obj(), obj(more="  namespace: default\n"))},
        "`ConfigMap a` is in it twice",
    ),
    "an object in a list and beside it": ({"a.yaml": join(obj(), LIST)}, "`ConfigMap a` is in it twice"),
    "a generated name": ({"a.yaml": GENERATED}, "an object has no name"),
    "a generated name beside others": ({"a.yaml": join(obj(), GENERATED)}, "an object has no name"),
    "no name": ({"a.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n"}, "an object has no name"),
    "no metadata": ({"a.yaml": b"apiVersion: v1\nkind: ConfigMap\n"}, "an object has no name"),
    "an empty name": ({"a.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name:\n"}, "an object has no name"),
    "a document on the line of its marker": (
        {"a.yaml": obj() + b"--- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n"},
        "invalid document separator",
    ),
    "a typed list whose items don't say their kind": (
        {"a.yaml": b"apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n"}, "does not say what it is"),
    "a list of texts": ({"a.yaml": b"apiVersion: v1\nkind: List\nitems: [a, b]\n"}, "does not say what it is"),
    "a list of half an object": (
        {"a.yaml": b"apiVersion: v1\nkind: List\nitems:\n- kind: X\n  metadata: {name: a}\n- metadata: {name: a}\n"}, "does not say what it is"),
    "a typed list beside an object": (
        {"a.yaml": join(obj(), b"apiVersion: v1\nkind: SecretList\nitems:\n- metadata: {name: a}\n")}, "does not say what it is"),
    "an item without a name": (
        {"a.yaml": b"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: X, metadata: {}}\n- a\n"}, "does not build"),
    "something else behind an object": ({"a.yaml": join(obj(), b"replicas: 1\n")}, "does not build by itself"),
    "a kustomization that names what is not there": (
        {"kustomization.yaml": b"resources: [gone.yaml]\n", "a.yaml": obj()},
        "does not build by itself",
    ),
    "a kustomization whose patch has no target": (
        {"kustomization.yaml": b"resources: [a.yaml]\npatches: [{path: p.yaml}]\n", "a.yaml": obj(), "p.yaml": obj(name="b")},
        "does not build by itself",
    ),
}  # fmt: skip


def base(files: dict[str, bytes]) -> Base:
    content = tuple(ContentFile(path=path, data=data) for path, data in sorted(files.items()))
    return Base(vendor="v", path="b", files=content)


@pytest.fixture
def tools(tmp_path: Path):
    connections = Connections(Settings(cache_folder=tmp_path / "cache"))
    yield toolbox(connections, Tools(), tmp_path)
    connections.close()


@pytest.mark.parametrize("name", GOOD)
def test_what_builds_is_taken(tools, name):
    check_builds(VENDOR, [base(GOOD[name])], tools)


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_build_is_refused(tools, name):
    files, words = BAD[name]
    with pytest.raises(ContentError, match=words) as caught:
        check_builds(VENDOR, [base(files)], tools)
    assert caught.value.hint


@pytest.mark.parametrize("name", BAD)
def test_beside_others_nothing_more_builds(tools, name):
    """What does not build by itself does not build in company, and says the same of itself."""
    files, words = BAD[name]
    company = [builds_of(VENDOR, [base({"a.yaml": obj(name=f"other-{number}")})])[0] for number in range(2)]
    bad = builds_of(VENDOR, [base(files)])
    known = build_together([company[0], *bad, company[1]], tools)
    engine = str(tools.engines.kustomize().binary)
    assert known.isdisjoint({one.key(engine) for one in bad})
    check_each(company, tools, known=known)
    with pytest.raises(ContentError, match=words):
        check_each(bad, tools, known=known)


def test_several_bases_are_built_in_one_run(tools, monkeypatch):
    """But not those that share an object, which would refuse each other."""
    runs = []
    build = Kustomize.build
    monkeypatch.setattr(
        Kustomize, "build", lambda self, *words, **more: runs.append(1) or build(self, *words, **more)
    )
    bases = [
        base({"a.yaml": join(obj(name=f"a{number}"), obj("Secret", f"a{number}"))}) for number in range(5)
    ]
    twins = [base({"b.yaml": obj(name="a0")}), base({"c.yaml": obj(name="a0")})]
    builds = [one for each in (*bases, *twins) for one in builds_of(VENDOR, [each])]
    known = build_together(builds, tools)
    assert (len(known), len(runs)) == (5, 1)
    check_each(builds, tools, known=known)
    assert len(runs) == 3
    assert build_together(builds, tools) == frozenset(), "they were built before"
    assert len(runs) == 3


_PIECES = [obj(), obj("Secret"), obj(more="  namespace: x\n"), obj(more="  namespace: default\n"), GENERATED, LIST,
           obj("Namespace", "a"), obj("Namespace", "a", more="  namespace: x\n")]  # fmt: skip


def test_names_alone_tell_what_the_whole_does(tmp_path):
    """The real kustomize says of each pair of objects the same, given the whole of them or their names."""
    kustomize = Engines().kustomize()
    for number, pair in enumerate(itertools.combinations_with_replacement(_PIECES, 2)):
        whole = {"a.yaml": pair[0], "b.yaml": pair[1], "kustomization.yaml": b"resources: [a.yaml, b.yaml]\n"}
        named = _to_build(base({"a.yaml": pair[0], "b.yaml": pair[1]}), closed=True)
        said = []
        for side, files in (("whole", whole), ("named", {file.path: file.data for file in named})):
            folder = tmp_path / f"{number}-{side}"
            folder.mkdir()
            write_files(folder, files)
            try:
                kustomize.build(folder)
                said.append(True)
            except ToolFailed:
                said.append(False)
        assert said[0] == said[1], pair


# -- a base that loses most of its objects -----------------------------------------------------------


def objects(count: int) -> str:
    return join(*(obj(name=f"a{number}") for number in range(count))).decode()


def as_list(count: int) -> str:
    items = "".join(
        f"- apiVersion: v1\n  kind: ConfigMap\n  metadata: {{name: a{number}}}\n" for number in range(count)
    )
    return f"apiVersion: v1\nkind: List\nitems:\n{items}"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (objects(10), objects(1), "1 of 10 objects is left"),
        (objects(10), objects(4), "4 of 10 objects are left"),
        (as_list(10), objects(2), "2 of 10 objects are left"),
        (objects(9), as_list(2), "2 of 9 objects are left"),
        (objects(3), objects(1), "1 of 3 objects is left"),
        (objects(10), objects(5), None),
        (objects(2), objects(1), None),
        (objects(1), objects(10), None),
        (objects(5), as_list(5), None),
        (objects(8), objects(8).replace("name: a", "name: other-a"), None),
    ],
)
def test_a_base_that_loses_most_of_its_objects_is_said(before, after, said):
    repository = {"vendors.yaml": b"version: 1\nvendors:\n- name: v\n  version: '1'\n"}
    notes: tuple[str, ...] = ()
    for version, text in (("2", before), ("3", after)):
        change = _step(repository, version, {"a.yaml": text.encode()})
        notes = change.notes
        shrunk = change.shrunk
    assert [str(one) for one in shrunk] == ([said] if said else [])
    assert (f"`b` loses most of its objects: {said}" in notes) is (said is not None)
    dangers = shrinking_dangers([change])
    assert [danger.rule for danger in dangers] == (["objects-gone"] if said else [])


def test_files_that_go_count_and_what_the_user_wants_does_not():
    repository = {"vendors.yaml": b"version: 1\nvendors:\n- name: v\n  version: '1'\n"}
    files = {f"{number}.yaml": obj(name=f"a{number}") for number in range(6)}
    _step(repository, "2", files)
    assert (
        str(_step(dict(repository), "3", {"0.yaml": files["0.yaml"]}).shrunk[0]) == "1 of 6 objects is left"
    )
    select = {"select": {"include": [{"name": "a1"}]}}
    assert _step(dict(repository), "3", files, **select).shrunk == ()


def _step(repository: dict[str, bytes], version: str, files: dict[str, bytes], **source):
    vendor = Vendor.model_validate(
        {"name": "v", "version": "1", "base": "b", "source": {"url": "https://h/x", **source}}
    )
    content = tuple(ContentFile(path=path, data=data) for path, data in files.items())
    release, artifact = Release(version=version, ref=version), Artifact(resolved=(), files=content)
    view = View(
        read=repository.get, listing=lambda folder: sorted(p for p in repository if p.startswith(folder))
    )
    bases = make_bases(vendor, [(vendor.source[0], artifact)], release)
    change = plan(vendor, release, bases, [artifact], view=view, lock=read_lock(vendor, view))
    for path, data in change.files.items():
        repository.pop(path, None) if data is None else repository.__setitem__(path, data)
    return change


def test_an_engine_that_is_none_fails_vendors_and_not_the_run(tmp_path, world):
    """One by one, as before they were built together."""
    for name in ("app", "web"):
        world.file(f"{name}/1.0.0.yaml", obj(name=name).decode())
        world.file(f"{name}.json", '["1.0.0"]')
    rows = "".join(
        f"- name: {name}\n  version: 1.0.0\n  base: {name}/base\n"
        f"  source: {{url: '{world.url}/{name}/{{version}}.yaml'}}\n"
        f"  releases: {{json: {{url: '{world.url}/{name}.json', path: '[*]'}}}}\n"
        for name in ("app", "web")
    )
    root = tmp_path / "repository"
    root.mkdir()
    (root / "vendors.yaml").write_text(f"version: 1\nvendors:\n{rows}")
    broken = tmp_path / "kustomize"
    broken.write_text("#!/bin/sh\necho kaputt >&2\nexit 1\n")
    broken.chmod(0o755)
    environment = {**os.environ, "KUSTOMIZE": str(broken)}
    settings = Settings(cache_folder=tmp_path / "cache", environment=environment)
    with open_project(root, settings=settings) as project:
        changes = project.update()
    assert [one.status for one in changes.updates] == ["failed", "failed"]
    assert changes.files == {}
