"""What `edits:` own may change with every update; a customization that holds such a value is judged all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import upstreamsync
from upstreamsync.base.edits import without_followed
from upstreamsync.config.load import parse_configuration
from upstreamsync.model import Judgement, Verdict
from upstreamsync.testing import GitOps

_DEPLOYMENT = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n"
    "  selector: {{matchLabels: {{a: b}}}}\n  template:\n    metadata: {{labels: {{a: b}}}}\n"
    '    spec: {{containers: [{{name: {name}, image: "{image}"}}]}}\n'
)
_KUSTOMIZATION = (
    'resources: [../base]\nimages:\n- name: acme/web\n  newTag: "{tag}"\npatches: [{{path: p.yaml}}]\n'
)
_PATCH = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\n"
    'spec: {{template: {{spec: {{containers: [{{name: web, env: [{{name: V, value: "{tag}"}}]}}]}}}}}}\n'
)
_EDITS = [
    {"file": "app/overlay/kustomization.yaml", "image": "acme/web", "tag": "{semver}"},
    {"file": "app/overlay/p.yaml", "env": "V", "value": "{semver}"},
]


def _files(tag: str, *, name: str, image: str) -> dict[str, str | bytes | None]:
    return {
        "app/base/kustomization.yaml": "resources: [up.yaml]\n",
        "app/base/up.yaml": _DEPLOYMENT.format(name=name, image=image),
        "app/overlay/kustomization.yaml": _KUSTOMIZATION.format(tag=tag),
        "app/overlay/p.yaml": _PATCH.format(tag=tag),
    }


def _vendor(edits: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "web", "version": "v1.0.0", "source": {"url": "https://example.com/{version}.yaml"},
        "releases": {"github": "acme/web"}, "base": "app/base", "overlays": ["app/overlay"], "edits": edits,
    }  # fmt: skip


@pytest.fixture
def repository(tmp_path: Path) -> GitOps:
    made = GitOps(tmp_path / "repository")
    made.vendors(_vendor(_EDITS))
    made.write(_files("1.0.0", name="web", image="acme/web:v1.0.0"))
    made.commit()
    return made


def _judged(repository: GitOps) -> dict[str, Judgement]:
    project = upstreamsync.open(repository.path)
    return {item.item: item for item in project.verify(since="HEAD").items}


def test_update_is_not_blind_where_its_own_pins_stand(repository: GitOps) -> None:
    repository.write(_files("2.0.0", name="server", image="acme/server:v2.0.0"))
    found = _judged(repository)
    assert found["app/overlay: images[0]"].verdict is Verdict.LOST
    assert "acme/server" in (found["app/overlay: images[0]"].hint or "")
    assert found["app/overlay: patches[0]"].verdict is Verdict.MISAPPLIED
    assert "edit in the same change" not in found["app/overlay: patches[0]"].why


def test_what_follows_as_it_should_is_well(repository: GitOps) -> None:
    repository.write(_files("2.0.0", name="web", image="acme/web:v2.0.0"))
    assert {item.verdict for item in _judged(repository).values()} == {Verdict.OK}


def test_the_values_alone_are_left_out(tmp_path: Path) -> None:
    text = (
        "version: 1\nvendors:\n- name: web\n  version: v1.0.0\n  source: {url: 'https://example.com/{version}'}\n  releases: {github: acme/web}\n"
        "  base: app/base\n  edits:\n"
        "  - {file: k.yaml, image: acme/web, tag: '{semver}'}\n  - {file: d.sh, pattern: 'TAG=(.*)', value: '{version}'}\n"
    )
    vendors = parse_configuration(text.encode(), path=tmp_path / "vendors.yaml").vendors
    blank = without_followed(vendors)
    one, other = (f'images:\n- name: acme/web\n  newTag: "{tag}"\n'.encode() for tag in ("1", "2"))
    assert blank("k.yaml", one) == blank("k.yaml", other) != one
    assert blank("k.yaml", one) != blank("k.yaml", one + b"namePrefix: a-\n")
    assert blank("other.yaml", one) == one
    assert blank("d.sh", b"TAG=1\n") == blank("d.sh", b"TAG=2\n")
    assert blank("d.sh", b"nothing\n") == b"nothing\n"
