"""CEL rules of definitions: evaluated where they bear on what changed, and named where they can't be."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from upstreamsync.verify.result_checks import ResultContext, check_result
from upstreamsync.verify.result_checks.schema import cel
from upstreamsync.verify.result_checks.schema.custom import compile_schema
from upstreamsync.verify.result_checks.schema.model import ANY, Rule


def crd(properties: str, rules: list[dict[str, str]] | None = None) -> dict[str, Any]:
    spec = {"type": "object", "properties": yaml.safe_load(properties)}
    if rules:
        spec["x-kubernetes-validations"] = rules
    schema = {"type": "object", "properties": {"spec": spec}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "kilns.shop.io"},
        "spec": {"group": "shop.io", "scope": "Namespaced", "names": {"kind": "Kiln", "plural": "kilns"}, "versions": [version]},
    }  # fmt: skip


def kiln(spec: str) -> dict[str, Any]:
    return {
        "apiVersion": "shop.io/v1",
        "kind": "Kiln",
        "metadata": {"name": "big"},
        "spec": yaml.safe_load(spec),
    }


def found(before: list[Any], after: list[Any]) -> list[tuple[str, str, str]]:
    findings = check_result(before=before, after=after, context=ResultContext())
    return [(item.path, str(item.reason), str(item.severity or item.verdict)) for item in findings]


BOUNDS = "{min: {type: integer}, max: {type: integer}}"
ORDER = [{"rule": "self.min <= self.max", "message": "min over max"}]


def test_a_new_rule_is_told_where_the_object_is_there_and_refuses_a_new_one() -> None:
    loose, strict, mine = crd(BOUNDS), crd(BOUNDS, ORDER), kiln("{min: 5, max: 3}")
    assert found([loose, mine], [strict, mine]) == [("spec", "schema_tightened", "info")]
    assert found([loose], [strict, mine]) == [("spec", "schema_violation", "rejected")]
    assert found([strict, kiln("{min: 1, max: 3}")], [strict, mine]) == [
        ("spec", "schema_violation", "rejected")
    ]
    assert found([strict, mine], [strict, mine]) == []
    assert found([loose, kiln("{min: 1, max: 3}")], [strict, kiln("{min: 2, max: 3}")]) == []


def test_a_rule_about_the_step_asks_for_both_sides() -> None:
    rules = [{"rule": "self.heat == oldSelf.heat", "message": "heat is immutable"}]
    free, fixed = crd("{heat: {type: integer}}"), crd("{heat: {type: integer}}", rules)
    assert found([free, kiln("{heat: 5}")], [fixed, kiln("{heat: 5}")]) == []
    assert found([fixed, kiln("{heat: 5}")], [fixed, kiln("{heat: 6}")]) == [
        ("spec", "schema_violation", "rejected")
    ]
    assert found([fixed], [fixed, kiln("{heat: 6}")]) == []


def test_a_new_rule_that_can_not_be_evaluated_is_named() -> None:
    rules = [{"rule": "authorizer.path('/x').check('get').allowed()"}]
    loose, strict, mine = crd(BOUNDS), crd(BOUNDS, rules), kiln("{min: 1}")
    assert found([loose, mine], [strict, mine]) == [("spec", "schema_tightened", "info")]
    assert found([strict, mine], [strict, kiln("{min: 2}")]) == []


def test_without_the_library_a_new_rule_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cel, "_library", lambda: None)
    mine = kiln("{min: 5, max: 3}")
    assert found([crd(BOUNDS), mine], [crd(BOUNDS, ORDER), mine]) == [("spec", "schema_tightened", "info")]


PROPERTIES = """
a: {type: string}
n: {type: integer}
f: {type: number}
d: {type: string, default: x}
list: {type: array, items: {type: string}}
my-name: {type: string}
namespace: {type: string}
until: {type: string, format: date-time}
every: {type: string, format: duration}
memory: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
"""
VALUE = {
    "a": "b.c", "n": 3, "f": 2, "list": ["a", "b"], "my-name": "m", "namespace": "ns", "memory": "1Gi",
    "until": "2030-01-01T00:00:00Z", "every": "1h30m",
}  # fmt: skip
HOLD = [
    "self.d == 'x'", "self.my__dash__name == 'm'", "self.__namespace__ == 'ns'", "self.f / 4.0 == 0.5",
    "self.a.split('.').size() == 2", "self.list.join(',') == 'a,b'", "self.list.isSorted()",
    "self.list.indexOf('b') == 1", "quantity(self.memory).isGreaterThan(quantity('512Mi'))",
    "self.until > timestamp('2029-01-01T00:00:00Z')", "self.every > duration('1h')", "isURL('https://a.example/x')",
    "url('https://a.example/x').getHost() == 'a.example'", "isIP('10.0.0.1') && !isIP('a')", "isCIDR('10.0.0.0/8')",
    "self.a.find('[a-z]') == 'b'", "!has(self.zz)", "self.a.lowerAscii().replace('b', 'c') == 'c.c'",
    "self.list.all(x, x.size() == 1) && self.list.exists_one(x, x == 'a')", "self.a.substring(1) == '.c'",
]  # fmt: skip


@pytest.mark.parametrize("expression", HOLD)
def test_kubernetes_own_functions(expression: str) -> None:
    schema = compile_schema({"type": "object", "properties": yaml.safe_load(PROPERTIES)}, ANY)
    assert cel.evaluate(Rule(expression=expression), schema, VALUE) is cel.Outcome.HOLDS
    assert cel.evaluate(Rule(expression=f"!({expression})"), schema, VALUE) is cel.Outcome.BROKEN
