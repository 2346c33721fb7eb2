"""What another tool fills in before anything is applied is not known: nothing is said of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import yaml

from upstreamsync.verify.result_checks import ResultContext, check_result

_SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {{name: dns, namespace: kube-system}}\nspec: {{clusterIP: '{0}', ports: [{{port: 53}}]}}\n"
_LIMIT = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{replicas: {1}, selector: {{matchLabels: {{a: b}}}},"
    " template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: [{{name: web, image: i, resources: {{limits:"
    " {{memory: '{0}'}}}}}}]}}}}}}\n"
)

_INGRESS = (
    "apiVersion: networking.k8s.io/{1}\nkind: Ingress\nmetadata: {{name: i}}\nspec: {{rules: [{{host: '{0}', http: {{paths:"
    " [{{path: /, pathType: Prefix, backend: {2}}}]}}}}]}}\n"
)
_V1 = "{service: {name: s, port: {number: 80}}}"
_V1BETA1 = "{serviceName: s, servicePort: 80}"

#: The object before and after, and whether something is told.
VARIANTS: Mapping[str, tuple[str, str, bool]] = {
    "an address in capitals": (_SERVICE.format("CLUSTER_DNS_IP"), _SERVICE.format("10.0.0.10"), False),
    "another name for the address": (_SERVICE.format("CLUSTER_DNS_IP"), _SERVICE.format("$DNS_SERVER_IP"), False),
    "an amount as others are": (_LIMIT.format("$CPU", 1), _LIMIT.format("$DNS_MEMORY_LIMIT", 1), False),
    "an amount in braces": (_LIMIT.format("${was}", 1), _LIMIT.format("${memory:=1Gi}", 1), False),
    "a number as others are": (_LIMIT.format("${memory}", 1), _LIMIT.format("${memory}", "'${replicas}'"), False),
    "a number of a template": (_LIMIT.format("{{ m }}", 1), _LIMIT.format("1Gi", "'{{ replicas }}'"), False),
    "an amount where nothing was filled in so far": (_LIMIT.format("1Gi", 1), _LIMIT.format("$MEMORY", 1), True),
    "a number in a form that was not used so far": (
        _LIMIT.format("A_LIMIT", 1), _LIMIT.format("A_LIMIT", "'$REPLICAS'"), True,
    ),
    "a host in capitals": (_INGRESS.format("a.b", "v1", _V1), _INGRESS.format("NAME-OF-IT.b", "v1", _V1), False),
    "a host of a variable": (_INGRESS.format("a.b", "v1", _V1), _INGRESS.format("$(host)", "v1", _V1), False),
    "a backend as it once was": (
        _INGRESS.format("a.b", "v1beta1", _V1BETA1), _INGRESS.format("c.b", "v1beta1", _V1BETA1), False,
    ),
    "such a backend in the version of today": (
        _INGRESS.format("a.b", "v1beta1", _V1BETA1), _INGRESS.format("a.b", "v1", _V1BETA1), True,
    ),
    "a host that is none": (_INGRESS.format("a.b", "v1", _V1), _INGRESS.format("a_b", "v1", _V1), True),
    "another address": (_SERVICE.format("10.0.0.10"), _SERVICE.format("10.0.0.11"), True),
    "no amount": (_LIMIT.format("1Gi", 1), _LIMIT.format("much", 1), True),
    "an amount of dollars": (_LIMIT.format("1Gi", 1), _LIMIT.format("1$", 1), True),
    "no number": (_LIMIT.format("1Gi", 1), _LIMIT.format("1Gi", "'many'"), True),
    "a word in capitals": (_LIMIT.format("1Gi", 1), _LIMIT.format("MUCH", 1), True),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_a_value_that_is_filled_in_later_is_not_judged(name: str) -> None:
    before, after, is_told = VARIANTS[name]
    found = check_result(
        before=list(yaml.safe_load_all(before)),
        after=list(yaml.safe_load_all(after)),
        context=ResultContext(),
    )
    assert bool(found) is is_told, found
