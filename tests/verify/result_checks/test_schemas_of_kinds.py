"""Built objects against schemas: Kubernetes' own kinds by version, and custom resources by their definitions."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml

from upstreamsync.verify.result_checks import ResultContext, check_result
from upstreamsync.verify.result_checks.schema import lean
from upstreamsync.verify.result_checks.schema.kinds import Kinds, kinds, nearest, versions

KILN = {"apiVersion": "shop.io/v1", "kind": "Kiln", "metadata": {"name": "big"}}


def crd(spec: str, *, root: str = "") -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": yaml.safe_load(spec)}, **yaml.safe_load(root or "{}")}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Kiln", "plural": "kilns"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "kilns.shop.io"},
        "spec": {"group": "shop.io", "scope": "Namespaced", "names": names, "versions": [version]},
    }


def kiln(spec: str) -> dict[str, Any]:
    return {**KILN, "spec": yaml.safe_load(spec)}


def found(before: list[Any], after: list[Any], **more: Any) -> list[tuple[str, str, str]]:
    findings = check_result(before=before, after=after, context=ResultContext(**more))
    return [(item.path, str(item.reason), str(item.severity or item.verdict)) for item in findings]


OBJECT = "{type: object, properties: {a: %s}}"
#: What the field said, what it says now, the value, and whether an existing object may keep it.
STRICTER = {
    "enum": ("{type: string, enum: [x, y]}", "{type: string, enum: [x]}", "y", True),
    "pattern": ("{type: string}", "{type: string, pattern: '^[a-z]+$'}", "A1", True),
    "maximum": ("{type: integer}", "{type: integer, maximum: 3}", 4, True),
    "exclusive maximum": ("{type: integer}", "{type: integer, maximum: 4, exclusiveMaximum: true}", 4, True),
    "maxLength": ("{type: string}", "{type: string, maxLength: 2}", "abc", True),
    "maxItems": ("{type: array, items: {type: integer}}", "{type: array, maxItems: 1, items: {type: integer}}", [1, 2], True),
    "format": ("{type: string}", "{type: string, format: ipv4}", "a.b", True),
    "oneOf": ("{type: string}", "{type: string, oneOf: [{pattern: '^x'}, {pattern: '^z'}]}", "y", True),
    "type": ("{type: integer}", "{type: string}", 4, False),
    "list became map": (
        "{type: array, items: {type: object, properties: {k: {type: string}}}}",
        "{type: object, additionalProperties: {type: string}}", [{"k": "v"}], False,
    ),
    "map became list": ("{type: object, additionalProperties: {type: string}}", "{type: array, items: {type: string}}", {"a": "b"}, False),
    "quantity": ("{type: string}", "{type: integer}", "5", False),
    "keys of a list": (
        "{type: array, items: {type: object, properties: {k: {type: string}}}}",
        ("{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], "
         "items: {type: object, required: [k], properties: {k: {type: string}}}}"),
        [{"k": "v"}, {"k": "v"}], False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STRICTER)
def test_a_schema_that_became_stricter(case: str) -> None:
    old, new, value, kept = STRICTER[case]
    mine = {**KILN, "spec": {"a": value}}
    before, after = crd(OBJECT % old), crd(OBJECT % new)
    place = "spec.a[1]" if case == "keys of a list" else "spec.a"
    expected = ("schema_tightened", "review") if kept else ("schema_violation", "rejected")
    assert found([before, mine], [after, mine]) == [(place, *expected)]
    assert found([before], [after, mine]) == [(place, "schema_violation", "rejected")]
    assert found([after, mine], [after, mine]) == []
    assert found([after], [before, mine]) == []


def test_before_ratcheting_nothing_is_kept() -> None:
    before, after, mine = (
        crd(OBJECT % "{type: string}"),
        crd(OBJECT % "{type: string, enum: [x]}"),
        kiln("{a: y}"),
    )
    assert found([before, mine], [after, mine], kubernetes="1.29") == [
        ("spec.a", "schema_violation", "rejected")
    ]


def test_a_changed_value_is_not_kept() -> None:
    definition = crd(OBJECT % "{type: string, enum: [x, z]}")
    assert found([definition, kiln("{a: x}")], [definition, kiln("{a: y}")]) == [
        ("spec.a", "schema_violation", "rejected")
    ]


def test_a_field_that_is_gone_is_dropped_or_refused() -> None:
    before = crd("{type: object, properties: {glaze: {type: string}}}")
    after = crd("{type: object, properties: {glazing: {type: string}}}")
    findings = check_result(before=[before, kiln("{glaze: blue}")], after=[after, kiln("{glaze: blue}")])
    assert [(item.path, item.reason) for item in findings] == [("spec.glaze", "schema_violation")]
    assert "drops it without a word" in findings[0].why
    assert findings[0].hint == "write glazing in place of glaze"


FINE = {
    "unknown fields that are preserved": ("{type: object, x-kubernetes-preserve-unknown-fields: true}", "{any: [1]}"),
    "unknown fields below one that preserves them": (
        "{type: object, properties: {a: {type: object, x-kubernetes-preserve-unknown-fields: true}}}", "{a: {b: {c: 1}}}"),
    "a required field with a default": ("{type: object, required: [a], properties: {a: {type: string, default: x}}}", "{}"),
    "null where a default is": ("{type: object, properties: {a: {type: string, default: x}}}", "{a: null}"),
    "null where it may be": ("{type: object, properties: {a: {type: string, nullable: true}}}", "{a: null}"),
    "a number or a string": (OBJECT % "{x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}", "{a: 5}"),
    "a string or a number": (OBJECT % "{x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}", "{a: 5%}"),
    "an object in an object": (
        OBJECT % "{type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}",
        "{a: {apiVersion: v1, kind: Pod, metadata: {name: x}}}"),
    "a whole number": (OBJECT % "{type: integer, format: int64}", "{a: 9007199254740993}"),
    "a key with a default": (
        OBJECT % "{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [p, q], items: {type: object, "
        "required: [p], properties: {p: {type: integer}, q: {type: string, default: TCP}}}}",
        "{a: [{p: 1}, {p: 1, q: UDP}]}"),
    "a format that nobody knows": (OBJECT % "{type: string, format: shape}", "{a: round}"),
    "a pattern that Python does not know": (OBJECT % r"{type: string, pattern: '^\p{Greek}+$'}", "{a: αβγ}"),
    "a pattern that would take for ever": (OBJECT % "{type: string, pattern: '^(a+)+$'}", "{a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}"),
    "what alternatives say of other fields": (
        "{type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]}", "{a: x}"),
    "a duration": (OBJECT % "{type: string, format: duration}", "{a: 1h30m}"),
    "status, which nobody applies": (OBJECT % "{type: string}", "{a: x}"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "value"),
    [(r"^\p{Greek}+$", "x"), ("^(a+)+$", "a" * 60 + "b"), (r"^(a|a)*\z", "a" * 60 + "b")],
)
def test_a_pattern_is_read_as_the_api_server_reads_it(pattern: str, value: str) -> None:
    definition = crd(OBJECT % f"{{type: string, pattern: '{pattern}'}}")
    assert found([definition], [definition, kiln(f"{{a: {value}}}")]) == [
        ("spec.a", "schema_violation", "rejected")
    ]


@pytest.mark.parametrize("case", FINE)
def test_what_the_api_server_takes(case: str) -> None:
    schema, value = FINE[case]
    mine = {**kiln(value), "status": {"ready": 1}}
    assert found([crd(schema)], [crd(schema), mine]) == []


def test_a_version_that_the_definition_does_not_have_is_not_judged() -> None:
    definition = crd(OBJECT % "{type: string}")
    assert found([definition], [definition, {**kiln("{a: 5}"), "apiVersion": "shop.io/v2"}]) == []


def test_metadata_is_that_of_every_object() -> None:
    definition = crd(OBJECT % "{type: string}")
    mine = {**KILN, "metadata": {"name": "big", "annotations": {"a": 5}}}
    assert found([definition], [definition, mine]) == [
        ("metadata.annotations.a", "schema_violation", "rejected")
    ]


def test_a_definition_that_stands_in_the_tree_alone() -> None:
    mine = kiln("{a: 5}")
    known = {("shop.io", "Kiln"): crd(OBJECT % "{type: string}")}
    assert found([], [mine], crds_before=known, crds_after=known) == [
        ("spec.a", "schema_violation", "rejected")
    ]
    loose = {("shop.io", "Kiln"): crd(OBJECT % "{type: integer}")}
    assert found([mine], [mine], crds_before=loose, crds_after=known) == [
        ("spec.a", "schema_violation", "rejected")
    ]
    assert found([mine], [mine], crds_before={}, crds_after=known) == []


# -- Kubernetes' own kinds ---------------------------------------------------------------------------


def config(data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data}


WRONG = {
    "a number as a value": (config({"a": "5"}), config({"a": 5}), "data.a"),
    "a truth as a value": (config({"a": "5"}), config({"a": True}), "data.a"),
    "a list as data": (config({}), config(["a"]), "data"),
    "a field of another kind": (config({}), {**config({}), "stringData": {}}, "stringData"),
    "a label of a number": (config({}), {**config({}), "metadata": {"name": "x", "labels": {"a": 1}}}, "metadata.labels.a"),
    "an unknown field of metadata": (config({}), {**config({}), "metadata": {"name": "x", "note": "a"}}, "metadata.note"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_a_kind_does_not_have(case: str) -> None:
    old, new, path = WRONG[case]
    assert found([old], [new]) == [(path, "schema_violation", "rejected")]
    assert found([], [new]) == [(path, "schema_violation", "rejected")]


def test_null_is_nothing() -> None:
    assert found([config({})], [{**config(None), "immutable": None, "extra": None}]) == []


def test_a_field_that_came_with_a_later_version() -> None:
    def pod(spec: dict[str, Any]) -> dict[str, Any]:
        containers = [{"name": "a", "image": "a:1"}]
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "x"},
            "spec": {"containers": containers, **spec},
        }

    old, new = pod({}), {**pod({"resources": {"limits": {"cpu": "1"}}}), "metadata": {"name": "y"}}
    assert found([old], [new], kubernetes="1.30") == [("spec.resources", "schema_violation", "rejected")]
    assert found([old], [new], kubernetes="1.34") == []
    assert found([old], [new]) == []


def test_the_nearest_version_stands_for_one_that_is_not_described() -> None:
    assert nearest(None) == versions()[-1] == kinds().version
    assert nearest("v1.34.2") == "1.34"
    assert nearest("1.3") == versions()[0]
    assert nearest("1.99") == versions()[-1]


# -- what reading a large definition costs -----------------------------------------------------------

LARGE = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: kilns.shop.io}
spec:
  group: shop.io
  names: {kind: Kiln, plural: kilns}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        description: |-
          What a kiln is.

          properties: {a: b}
        type: object
        properties:
          spec:
            description: 'What it
              should be: hot'
            type: object
            properties:
              description:
                description: Its own words.
                type: string
              flow: {description: kept where it stands, type: integer}
              item:
                items:
                - description: an element
"""


def test_descriptions_are_left_out_and_fields_of_that_name_are_not() -> None:
    text = lean.lean(LARGE.encode()).decode()
    assert "What" not in text
    assert "Its own words" not in text
    assert "should be" not in text
    whole, short = yaml.safe_load(LARGE), lean.read(LARGE.encode())
    spec = short["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert spec["properties"]["description"] == {"type": "string"}
    assert spec["properties"]["flow"]["type"] == "integer"
    assert short["spec"]["names"] == whole["spec"]["names"]


class Kept:
    """A definition of which the result has a part alone."""

    def __init__(self, text: str) -> None:
        self.document = text.encode()

    def may_exceed(self, limit: int) -> bool:
        return False

    def exceeds(self, limit: int) -> bool | None:
        return False

    def read(self) -> Any:
        raise AssertionError("not needed")


def test_a_definition_that_only_describes_itself_otherwise_is_not_read() -> None:
    asked: list[str] = []

    def once(function: Any, text: bytes) -> Any:
        asked.append(function.__name__)
        return function(text)

    part = {**crd("{type: object}"), "spec": {**crd("{type: object}")["spec"], "versions": []}}
    name = "apiextensions.k8s.io/v1 CustomResourceDefinition kilns.shop.io"
    mine = {**KILN, "spec": {"unknown": 1}}
    more = {"whole_before": {name: Kept(LARGE)}, "once": once}
    assert (
        found([part, mine], [part, mine], whole_after={name: Kept(LARGE.replace("What", "How"))}, **more)
        == []
    )
    assert set(asked) == {"lean"}
    changed = {name: Kept(LARGE.replace("flow:", "flows:"))}
    assert found([part, mine], [part, {**KILN, "spec": {"flow": 1}}], whole_after=changed, **more) == [
        ("spec.flow", "schema_violation", "rejected")
    ]


def test_a_type_is_seen_with_all_of_its_fields_by_every_thread():
    """Overlays are judged side by side: half a type would refuse the fields that it still lacks."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            fresh = kinds.__wrapped__("1.34")
            start = threading.Barrier(8)

            def fields(asked: Kinds = fresh, start: threading.Barrier = start) -> frozenset[str]:
                start.wait()
                found = asked.schema("apps/v1", "Deployment")
                assert found is not None
                below = found.fields["spec"].fields["template"].fields["spec"]
                return frozenset(found.fields) | frozenset(below.fields)

            with ThreadPoolExecutor(8) as pool:
                seen = [waiting.result() for waiting in [pool.submit(fields) for _ in range(8)]]
            assert len(set(seen)) == 1
            assert {"apiVersion", "kind", "metadata", "spec", "containers", "volumes"} <= seen[0]
    finally:
        sys.setswitchinterval(before)
