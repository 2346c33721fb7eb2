"""No kustomization.yaml that nobody asked for."""

from __future__ import annotations

import pytest

from upstreamsync.base.change import plan
from upstreamsync.base.locked import read_lock
from upstreamsync.base.shape import make_bases
from upstreamsync.base.view import View
from upstreamsync.config.spec import Vendor
from upstreamsync.model import Artifact, ContentFile, Release

OBJECT = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
OWN = "app/base/kustomization.yaml"


def update(repository: dict[str, bytes], content: dict[str, bytes] | None = None, **options) -> set[str]:
    """The files below app/base after an update of the repository, which is changed."""
    repository.setdefault("vendors.yaml", b"version: 1\nvendors:\n- name: v\n  version: '1'\n")
    vendor = Vendor.model_validate(
        {"name": "v", "version": "1", "base": "app/base", "source": {"url": "https://h/x"}, **options}
    )
    files = tuple(ContentFile(path=path, data=data) for path, data in (content or {"a.yaml": OBJECT}).items())
    artifact, release = Artifact(resolved=(), files=files), Release(version="2", ref="2")
    view = View(
        read=repository.get,
        listing=lambda folder: sorted(p for p in repository if not folder or p.startswith(f"{folder}/")),
    )
    bases = make_bases(vendor, [(vendor.source[0], artifact)], release)
    change = plan(vendor, release, bases, [artifact], view=view, lock=read_lock(vendor, view))
    for path, data in change.files.items():
        repository.pop(path, None) if data is None else repository.__setitem__(path, data)
    return {path for path in repository if path.startswith("app/base/")}


@pytest.mark.parametrize(
    ("path", "text", "written"),
    [
        ("app/overlay/kustomization.yaml", "resources: [../base]\n", True),
        ("app/overlay/kustomization.yaml", "bases: [../base/]\n", True),
        ("app/kustomization.yml", "resources:\n- ./base\n", True),
        ("app/Kustomization", "components: [base]\n", True),
        ("kustomization.yaml", "resources: [app/x/../base]\n", True),
        ("app/overlay/kustomization.yaml", "resources: [../base/a.yaml]\n", False),
        ("app/overlay/kustomization.yaml", "resources: [../../other/base]\n", False),
        ("app/overlay/kustomization.yaml", "resources: [https://h/app/base]\n", False),
        ("app/overlay/kustomization.yaml", "resources: {not: a list}\n", False),
        ("app/overlay/kustomization.yaml", "resources: [\n", False),
        ("app/overlay/kustomization.yaml", "namespace: x\n", False),
        ("README.md", "app/base\n", False),
    ],
)
def test_one_is_written_where_a_kustomization_reads_the_folder(path, text, written):
    repository = {path: text.encode()}
    assert (OWN in update(repository)) is written
    assert (OWN in update(dict(repository), kustomization=True)) is True
    assert (OWN in update({path: text.encode()}, kustomization=False)) is False


def test_what_is_there_stays():
    repository = {"app/overlay/kustomization.yaml": b"resources: [../base]\n"}
    update(repository)
    del repository["app/overlay/kustomization.yaml"]
    assert OWN in update(repository, {"a.yaml": OBJECT, "b.yaml": OBJECT.replace(b"name: a", b"name: b")})
    assert b"- b.yaml\n" in repository[OWN]
    assert OWN not in update(repository, kustomization=False), "unless it is not wished for"


@pytest.mark.parametrize("kustomization", [None, True, False])
def test_upstreams_own_is_always_taken(kustomization):
    content = {"kustomization.yaml": b"resources: [a.yaml]\n", "a.yaml": OBJECT}
    repository: dict[str, bytes] = {}
    update(repository, content, kustomization=kustomization)
    assert repository[OWN] == content["kustomization.yaml"]


@pytest.mark.parametrize("kustomization", [None, True])
def test_the_teams_own_is_left_alone(kustomization):
    repository = {OWN: b"resources: [a.yaml, ours.yaml]\n", "app/kustomization.yaml": b"resources: [base]\n"}
    update(repository, kustomization=kustomization)
    assert repository[OWN] == b"resources: [a.yaml, ours.yaml]\n"
