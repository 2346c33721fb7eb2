"""Objects of which it is known without a build what kustomize prints: held against kustomize itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.yaml.test_manifests_oracle import TRAPS
from upstreamsync.kit.run.engines import Engines, Kustomize
from upstreamsync.kit.yaml import manifests
from upstreamsync.kit.yaml.plain import plain_object

_WORLD = Path(os.environ.get("UPSTREAM_WORLD") or Path(__file__).parents[4] / "shared" / "upstream-world")
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n"


@pytest.fixture(scope="module")
def kustomize() -> Kustomize:
    return Engines().kustomize()


def printed(kustomize: Kustomize, folder: Path, documents: list[str]) -> dict[str, dict]:
    """What kustomize prints of documents, by the object's name."""
    folder.mkdir(exist_ok=True)
    (folder / "kustomization.yaml").write_text("resources: [all.yaml]\n", "utf-8")
    (folder / "all.yaml").write_text("---\n".join(documents), "utf-8")
    found = manifests.objects(kustomize.build(folder), name="kustomize's output")
    return {f"{obj['kind']} {obj['metadata']['name']}": obj for obj in found}


def read(documents: list[str]) -> dict[str, dict]:
    """The objects that are plain, by name."""
    found = [plain_object(text.encode()) for text in documents]
    return {f"{obj['kind']} {obj['metadata']['name']}": obj for obj in found if obj is not None}


def test_no_scalar_that_is_read_as_plain_is_printed_otherwise(kustomize: Kustomize, tmp_path: Path) -> None:
    scalars = dict.fromkeys([*TRAPS, "'on'", '"2001-12-14"', "7", "-3", "a b", "~x"])
    documents = [
        HEAD.format(name=f"trap-{number}") + f"data:\n  value: {scalar}\n"
        for number, scalar in enumerate(scalars)
    ]
    plain = [text for text in documents if plain_object(text.encode()) is not None]
    assert 20 < len(plain) < len(documents) - 40, "the traps say nothing"
    assert read(plain) == printed(kustomize, tmp_path / "base", plain)


#: Documents that kustomize prints with other values, refuses, or takes for several: none may pass as plain.
ODD = {
    "a date": HEAD + "data: {day: 2020-01-02}\n",
    "a date as a key": HEAD + "data: {2020-01-02: a}\n",
    "a number that loses a zero": HEAD + "data:\n  share: 1.50\n",
    "an unquoted on": HEAD + "data: {on: off}\n",
    "a number as a key": HEAD + "data: {8080: web}\n",
    "an annotation that is no text": HEAD + "  annotations: {a: 1}\n",
    "an annotation of kustomize's": HEAD + "  annotations: {config.kubernetes.io/index: '1'}\n",
    "local to the configuration": HEAD + "  annotations: {config.kubernetes.io/local-config: 'true'}\n",
    "an anchor": HEAD + "data: {a: &a x, b: *a}\n",
    "a merge key": HEAD + "x: &x {a: b}\ndata:\n  <<: *x\n",
    "a tag": HEAD + "data: {a: !!binary aGk=}\n",
    "a number by its tag": HEAD + "data: {a: !!int '3'}\n",
    "a key twice": HEAD + "data: {a: x, a: y}\n",
    "a list": "apiVersion: v1\nkind: List\nmetadata: {{name: {name}}}\nitems: []\n",
    "no name": "apiVersion: v1\nkind: ConfigMap\nmetadata: {{generateName: {name}}}\n",
    "no kind": "apiVersion: v1\nmetadata: {{name: {name}}}\n",
    "two documents": HEAD + "--- # another\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\n",
    "a directive": "%YAML 1.1\n---\n" + HEAD,
    "a tab": HEAD + 'data: {a: "x\ty"}\n',
    "ends of lines of another system": HEAD.replace("\n", "\r\n"),
    "a kustomization": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {{name: {name}}}\n",
    "not YAML": HEAD + "data: [\n",
    "nothing": "# nothing\n",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_what_kustomize_might_print_otherwise_is_not_plain(text: str) -> None:
    assert plain_object(text.replace("{name}", "odd").replace("{{", "{").replace("}}", "}").encode()) is None


def test_maps_without_labels_and_annotations_come_out_as_kustomize_has_them(
    kustomize: Kustomize, tmp_path: Path
) -> None:
    heads = ["  annotations: {}\n", "  labels: {}\n", "  labels: {}\n  annotations: {}\n"]
    heads += ["  annotations:\n", "  labels: null\n", "  labels:\n  annotations: ~\n"]
    documents = [HEAD.format(name=f"bare-{number}") + head for number, head in enumerate(heads)]
    assert len(read(documents)) == 6
    assert read(documents) == printed(kustomize, tmp_path / "base", documents)


def test_keys_stand_in_the_order_in_which_kustomize_prints_them() -> None:
    found = plain_object(b"kind: A\nmetadata:\n  namespace: b\n  name: a\napiVersion: v1\n")
    assert found is not None
    assert [*found, *found["metadata"]] == ["apiVersion", "kind", "metadata", "name", "namespace"]


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
_VALUES = st.recursive(
    st.one_of(
        st.sampled_from(TRAPS).map(lambda trap: ("plain", trap)),
        _TEXTS.map(lambda text: ("quoted", text)),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXTS, inner, max_size=3)),
    max_leaves=8,
)


def flow(value: object) -> str:
    """A value in YAML's flow style; texts in single quotes, the traps as they are."""
    if isinstance(value, tuple):
        return value[1] if value[0] == "plain" else "'" + value[1].replace("'", "''") + "'"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    pairs = [f"{flow(('quoted', key))}: {flow(each)}" for key, each in value.items()]  # type: ignore[attr-defined]
    return "{" + ", ".join(pairs) + "}"


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_VALUES, min_size=20, max_size=40))
def test_made_up_objects_are_printed_as_they_are_read(
    kustomize: Kustomize, tmp_path: Path, values: list[object]
) -> None:
    documents = [
        f"apiVersion: acme.io/v1\nkind: Made\nmetadata: {{name: made-{number}}}\nspec: {{a: {flow(value)}}}\n"
        for number, value in enumerate(values)
    ]
    plain = [text for text in documents if plain_object(text.encode()) is not None]
    if plain:
        assert read(plain) == printed(kustomize, tmp_path / "base", plain)


@pytest.mark.slow
@pytest.mark.world
@pytest.mark.skipif(not _WORLD.is_dir(), reason="the folder with the real upstream content is not here")
def test_real_manifests_are_printed_as_they_are_read(kustomize: Kustomize, tmp_path: Path) -> None:
    read_alike = total = 0
    for file in sorted((_WORLD / "data/base/assets").rglob("*.yaml")):
        plain: dict[str, str] = {}
        for part in manifests.split(file.read_bytes()):
            obj = plain_object(part)
            total += 1
            if obj is not None:
                plain.setdefault(
                    f"{obj['kind']} {obj['metadata']['name']}", part.decode().removeprefix("---")
                )
        assert read(list(plain.values())) == printed(kustomize, tmp_path / "base", list(plain.values())), file
        read_alike += len(plain)
    assert read_alike > 0.8 * total
