"""Objects of an overlay's own that nobody reads any more."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import yaml

from upstreamsync.kit.kubernetes.objects import object_id
from upstreamsync.model import Verdict
from upstreamsync.verify.result_checks import ResultContext, check_result


def _web(pod: str = "", container: str = "", name: str = "web") -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{selector: {{matchLabels: {{a: b}}}},"
        f" template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: [{{name: web, image: 'a/b:1'{container}}}]{pod}}}}}}}\n"
    )


def _own(kind: str = "ConfigMap") -> str:
    return f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: own}}\ndata: {{a: eA==}}\n"


_MOUNTED = ", volumes: [{name: c, configMap: {name: own}}]"
_OPTIONAL = ", volumes: [{name: c, configMap: {name: own, optional: true}}]"
_OTHER = ", volumes: [{name: c, configMap: {name: other}}]"
_ENV = ", envFrom: [{secretRef: {name: own}}]"
_CLAIM = ", volumes: [{name: c, persistentVolumeClaim: {claimName: own}}]"

#: The kind of the object of one's own, upstream before and after, and whether it is told.
READ: Mapping[str, tuple[str, str, str, bool]] = {
    "a volume that is gone": ("ConfigMap", _web(_MOUNTED), _web(), True),
    "a volume that might lack it": ("ConfigMap", _web(_OPTIONAL), _web(), True),
    "variables of a Secret": ("Secret", _web(container=_ENV), _web(), True),
    "a claim": ("PersistentVolumeClaim", _web(_CLAIM), _web(", volumes: [{name: c, emptyDir: {}}]"), True),
    "still mounted": ("ConfigMap", _web(_MOUNTED), _web(_MOUNTED, container=", args: [-x]"), False),
    "never read": ("ConfigMap", _web(), _web(container=", args: [-x]"), False),
    "named in an argument instead": (
        "ConfigMap",
        _web(_MOUNTED),
        _web(container=", args: [--config=own]"),
        False,
    ),
    "read by another one": ("ConfigMap", _web(_MOUNTED), _web() + "---\n" + _web(_MOUNTED, name="b"), False),
    "another one is missing instead": ("ConfigMap", _web(_MOUNTED), _web(_OTHER), False),
    "its reader is gone": ("ConfigMap", _web(_MOUNTED), _web(name="b"), False),
}


@pytest.mark.parametrize("name", READ)
def test_what_nobody_reads_any_more_is_told(name: str) -> None:
    kind, old, new, is_told = READ[name]
    mine, before, after = (list(yaml.safe_load_all(text)) for text in (_own(kind), old, new))
    context = ResultContext(local=frozenset({str(object_id(mine[0]))}), base_before=before, base_after=after)
    found = check_result(before=[*before, *mine], after=[*after, *mine], context=context)
    assert [each.rule for each in found if each.verdict is Verdict.LOST] == ["unread"] * is_told
