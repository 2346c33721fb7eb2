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

#: The object before and after, and whether something is told.
VARIANTS: Mapping[str, tuple[str, str, bool]] = {
    "an address in capitals": (_SERVICE.format("CLUSTER_DNS_IP"), _SERVICE.format("10.0.0.10"), False),
    "another name for the address": (_SERVICE.format("CLUSTER_DNS_IP"), _SERVICE.format("$DNS_SERVER_IP"), False),
    "an amount": (_LIMIT.format("1Gi", 1), _LIMIT.format("$DNS_MEMORY_LIMIT", 1), False),
    "an amount in braces": (_LIMIT.format("1Gi", 1), _LIMIT.format("${memory:=1Gi}", 1), False),
    "a number": (_LIMIT.format("1Gi", 1), _LIMIT.format("1Gi", "'${replicas}'"), False),
    "a number of a template": (_LIMIT.format("1Gi", 1), _LIMIT.format("1Gi", "'{{ replicas }}'"), False),
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
