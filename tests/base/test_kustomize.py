"""What is written builds with the real kustomize: at every moment, and to what upstream wrote."""

import shutil
from pathlib import Path

import pytest

from upstreamsync.base.change import plan
from upstreamsync.base.locked import read_lock
from upstreamsync.base.shape import make_bases
from upstreamsync.base.view import disk_view
from upstreamsync.base.write import write
from upstreamsync.config.spec import Vendor
from upstreamsync.kit.run.engines import Engines
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Artifact, ContentFile, Release


def obj(kind: str, name: str, value: str = "1") -> bytes:
    return (
        f"apiVersion: v1 # {value}\nkind: {kind}\nmetadata:\n  name: {name}\ndata:\n  key: '{value}'\n"
    ).encode()


OLD = b"---\n".join([obj("ConfigMap", "stays"), obj("ConfigMap", "goes"), obj("Secret", "system:odd")])
NEW = b"---\n".join([obj("ConfigMap", "stays", "2"), obj("ConfigMap", "comes"), obj("Secret", "system:odd")])


def update(root: Path, version: str, data: bytes, layout: str, checkpoint=lambda _: None) -> None:
    vendor = Vendor.model_validate(
        {
            "name": "v",
            "version": "1",
            "base": "app/base",
            "layout": layout,
            "source": {"url": "https://h/x"},
            "kustomization": True,
        }
    )
    release = Release(version=version, ref=version)
    artifact = Artifact(resolved=(), files=(ContentFile(path="x.yaml", data=data),))
    view = disk_view(root)
    bases = make_bases(vendor, [(vendor.source[0], artifact)], release)
    change = plan(vendor, release, bases, [artifact], view=view, lock=read_lock(vendor, view))
    write(change, root, checkpoint=checkpoint)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    (root / "vendors.yaml").write_text("version: 1\nvendors:\n- name: v\n  version: '1'\n")
    return root


@pytest.mark.parametrize("layout", ["as-is", "one-file", "per-resource"])
def test_the_base_builds_to_what_upstream_wrote(root, layout):
    update(root, "2", OLD, layout)
    built = Engines().kustomize().build(root / "app/base")
    key = lambda one: (one["kind"], one["metadata"]["name"])  # noqa: E731
    assert sorted(manifests.objects(built), key=key) == sorted(manifests.objects(OLD), key=key)


@pytest.mark.slow
def test_there_is_never_a_moment_without_a_base(root, tmp_path):
    update(root, "2", OLD, "per-resource")
    kustomize = Engines().kustomize()
    moments: list[Path] = []

    def checkpoint(name: str) -> None:
        if name.startswith("apply app/base") or name == "clear":
            moments.append(tmp_path / f"moment-{len(moments)}")
            shutil.copytree(root / "app/base", moments[-1])

    update(root, "3", NEW, "per-resource", checkpoint)
    built = [
        {one["metadata"]["name"] for one in manifests.objects(kustomize.build(moment))} for moment in moments
    ]
    assert built[0] == {"stays", "goes", "system:odd"}
    assert built[-1] == {"stays", "comes", "system:odd"}
    assert all(names in (built[0], built[-1]) for names in built)
    assert len(built) == 5
