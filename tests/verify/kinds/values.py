"""Whole texts, replacements, and hints that one can follow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from textwrap import indent

from upstreamsync.model import Severity, Verdict
from verify.kinds.forms import bare, config_map, containers, documents, inline, listed, merged, operations
from verify.kinds.variant import Variant
from verify.small import deployment

_REVIEW = Severity.REVIEW


def _text(text: str, key: str = "conf", kind: str = "ConfigMap", field: str = "data") -> str:
    return (
        f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: c}}\n{field}:\n  {key}: |\n{indent(text, '    ')}"
    )


def _line(*words: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  conf: '{' '.join(words)}'\n"


_WORDS = tuple(f"[Kind{number},ns{number},*]" for number in range(12))
_INI = "".join(f"[part{number}]\nsame = {number}\n" for number in range(8))
_SCRIPT = "".join(f"echo step {number}\n" for number in range(8))
_TOML = '[server]\nport = 80\n[log]\nlevel = "info"\n'


def _rules(*rules: str) -> str:
    listed_ = "".join(f"    - {{alert: {name}, expr: 'up == {name}'}}\n" for name in rules)
    return _text(f"groups:\n- name: g\n  rules:\n{listed_}", "rules.yaml")


#: What changed in a text is said, as it stands there; the rest of the text is not repeated.
TEXTS: Mapping[str, Variant] = {
    "words in one long line": Variant(
        overlay=merged(_line(*_WORDS, "[Mine,*,*]")), old=_line(*_WORDS), new=_line(*_WORDS, "[Fresh,*,*]"),
        verdict=Verdict.SHADOWS, severity=_REVIEW, says=["[Fresh,*,*]"], never=["[Kind3,ns3,*]"],
    ),
    "a part of an INI file": Variant(
        overlay=merged(_text(_INI + "[mine]\na = 1\n")), old=_text(_INI), new=_text(_INI.replace("same = 3", "other = 3")),
        verdict=Verdict.SHADOWS, severity=_REVIEW, says=["other = 3"], never=["[part1]"],
    ),
    "a line of a script": Variant(
        overlay=merged(_text(_SCRIPT + "echo mine\n", "run.sh")), old=_text(_SCRIPT, "run.sh"),
        new=_text(_SCRIPT.replace("step 4", "step four"), "run.sh"), verdict=Verdict.SHADOWS, severity=_REVIEW,
        says=["step four"], never=["step 1"],
    ),
    "text of a Secret": Variant(
        overlay=merged(_text(_SCRIPT + "echo mine\n", "s", "Secret", "stringData")),
        old=_text(_SCRIPT, "s", "Secret", "stringData"),
        new=_text(_SCRIPT.replace("step 4", "step four"), "s", "Secret", "stringData"), verdict=Verdict.SHADOWS,
        severity=_REVIEW, never=["step 1"],
    ),
    "an alert that upstream adds to rules in YAML": Variant(
        overlay=merged(_rules("1", "2", "9")), old=_rules("1", "2"), new=_rules("1", "2", "3"), verdict=Verdict.SHADOWS,
        severity=_REVIEW, says=["up == 3"],
    ),
    "JSON in a ConfigMap": Variant(
        overlay=merged(_line(json.dumps({"a": 1, "b": "mine", "c": [1, 2]}))), old=_line(json.dumps({"a": 1, "b": "x", "c": [1, 2]})),
        new=_line(json.dumps({"a": 1, "b": "x", "c": [1, 3]})), verdict=Verdict.SHADOWS, severity=_REVIEW, says=["3"],
    ),
    "a file of a generator that merges": Variant(
        overlay={**listed("configMapGenerator", "{name: c, behavior: merge, files: [conf=c.ini]}"), "c.ini": _INI + "[mine]\na = 1\n"},
        old=_text(_INI), new=_text(_INI + "[fresh]\nb = 1\n"), item="configMapGenerator[c]", verdict=Verdict.SHADOWS,
        severity=_REVIEW, says=["fresh"], never=["[part1]"],
    ),
    "another order of words, as it was": Variant(
        overlay=merged(_line(*_WORDS, "[Mine,*,*]")), old=_line(*_WORDS), new=_line(*_WORDS) + "  other: x\n",
    ),
    "spaces at the end of lines": Variant(
        overlay=merged(_text("a: 1\nb: mine\n")), old=_text("a: 1\nb: x\n"), new=_text("a: 1\n\nb: x\n"),
    ),
    "a TOML file that the patch brought along": Variant(
        overlay=merged(_text(_TOML, "mine.toml")), old=_text(_INI), new=_text(_INI.replace("same = 3", "other = 3")),
    ),
    "JSON with more room": Variant(
        overlay=merged(_line(json.dumps({"a": 1, "b": "mine"}))), old=_line(json.dumps({"a": 1, "b": "x"})),
        new=_line(json.dumps({"b": "x", "a": 1}, separators=(" , ", " : "))),
    ),
    "what upstream changed is what the text says": Variant(
        overlay=merged(_text(_SCRIPT.replace("step 4", "step four") + "echo mine\n", "run.sh")), old=_text(_SCRIPT, "run.sh"),
        new=_text(_SCRIPT.replace("step 4", "step four"), "run.sh"),
    ),
    "a generator's file of its own key": Variant(
        overlay={**listed("configMapGenerator", "{name: c, behavior: merge, files: [mine=c.ini]}"), "c.ini": _INI},
        old=_text(_INI), new=_text(_INI + "[fresh]\nb = 1\n"),
    ),
    "a patched script that upstream left alone": Variant(
        overlay=merged(_text(_SCRIPT + "echo mine\n", "run.sh")), old=documents(deployment(), _text(_SCRIPT, "run.sh")),
        new=documents(deployment(image="acme/web:2"), _text(_SCRIPT, "run.sh")),
    ),
}  # fmt: skip


def _replaced(source: str, *targets: str) -> dict[str, str]:
    return {"kustomization.yaml": f"resources: [../base]\nreplacements:\n- source: {{{source}}}\n  targets:\n"
            + "".join(f"  - {each}\n" for each in targets)}  # fmt: skip


_SOURCE = "kind: ConfigMap, name: settings, fieldPath: data.v"
_TO_A = "{select: {kind: ConfigMap, name: target}, fieldPaths: [data.a]}"
_TO_B = "{select: {kind: ConfigMap, name: target}, fieldPaths: [data.b]}"
_TO_ENV = "{select: {kind: Deployment}, fieldPaths: ['spec.template.spec.containers.*.env.[name=V].value']}"
_TO_NEW = "{select: {kind: ConfigMap, name: target}, fieldPaths: [data.n], options: {create: true}}"
_TO_TAG = "{select: {kind: Deployment}, fieldPaths: ['spec.template.spec.containers.[name=web].image'], options: {delimiter: ':', index: 1}}"


def _pair(v: str, **data: str) -> str:
    return documents(config_map(v=v), config_map("target", **data))


def _reading(v: str, name: str = "V", image: str = "acme/web:1") -> str:
    return documents(config_map(v=v), deployment(image=image, more=f"env: [{{name: {name}, value: x}}]"))


#: What is copied may change; what did nothing and now writes a wrong value may not.
REPLACEMENTS: Mapping[str, Variant] = {
    "one target of two has no such field any more": Variant(
        overlay=_replaced(_SOURCE, _TO_A, _TO_B), old=_pair("x", a="1", b="1"), new=_pair("x", a="1"), item="replacements[0]",
        verdict=Verdict.FAILS, severity=Severity.BROKEN, says=["data.b"],
    ),
    "the source is called otherwise": Variant(
        overlay=_replaced(_SOURCE, _TO_A), old=_pair("x", a="1"), new=_pair("x", a="1").replace("{name: settings}", "{name: config}"),
        item="replacements[0]", verdict=Verdict.FAILS, severity=Severity.BROKEN, says=["config"],
    ),
    "the source's key is called otherwise": Variant(
        overlay=_replaced(_SOURCE, _TO_A), old=_pair("x", a="1"), new=_pair("x", a="1").replace("  v:", "  value:"),
        item="replacements[0]", verdict=Verdict.FAILS, severity=Severity.BROKEN, says=["value"],
    ),
    "the target is called otherwise": Variant(
        overlay=_replaced(_SOURCE, _TO_A), old=_pair("x", a="1"), new=_pair("x", a="1").replace("{name: target}", "{name: goal}"),
        item="replacements[0]", verdict=Verdict.LOST, says=["goal"],
    ),
    "it did nothing, and now sets a tag back": Variant(
        overlay=_replaced(_SOURCE, _TO_TAG), old=_reading("1"), new=_reading("1", image="acme/web:2"), item="replacements[0]",
        verdict=Verdict.MISAPPLIED, says=["2"],
    ),
    "a created key that upstream has now, and that is copied all the same": Variant(
        overlay=_replaced(_SOURCE, _TO_NEW), old=_pair("x", a="1"), new=_pair("x", a="1", n="up"),
    ),
    "the source changed, for two targets": Variant(
        overlay=_replaced(_SOURCE, _TO_A, _TO_B), old=_pair("x", a="1", b="1"), new=_pair("y", a="1", b="1"),
    ),
    "a variable is copied, the image moves on": Variant(
        overlay=_replaced(_SOURCE, _TO_ENV), old=_reading("a"), new=_reading("b", image="acme/web:2"),
    ),
    "a created key": Variant(overlay=_replaced(_SOURCE, _TO_NEW), old=_pair("x", a="1"), new=_pair("y", a="2")),
    "a source of one's own": Variant(
        overlay={"kustomization.yaml": "resources: [../base, own.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: own,"
                 f" fieldPath: data.v}}\n  targets: [{_TO_A}]\n", "own.yaml": config_map("own", v="x")},
        old=_pair("x", a="1"), new=_pair("y", a="1", c="2"),
    ),
    "a tag that is copied and moves": Variant(
        overlay=_replaced(_SOURCE, _TO_TAG), old=_reading("1"), new=_reading("2", image="acme/web:2"),
    ),
    "targets that one more object joins": Variant(
        overlay=_replaced(_SOURCE, _TO_ENV), old=_reading("a"),
        new=documents(_reading("a"), deployment("api", container="api", more="env: [{name: V, value: x}]")),
    ),
}  # fmt: skip

_TTY = "{op: add, path: /spec/template/spec/containers/1/tty, value: true}"
_VARS = "vars: [{name: HOST, objref: {kind: Issuer, name: ca, apiVersion: cert-manager.io/v1alpha2}, fieldref: {fieldpath: spec.host}}]\n"


def _issuer(version: str) -> str:
    return (
        f"apiVersion: cert-manager.io/{version}\nkind: Issuer\nmetadata: {{name: ca}}\nspec: {{host: h}}\n---\n"
        + deployment(args="'--h=$(HOST)'")
    )


def _thing(kind: str) -> str:
    return f"apiVersion: x.example.com/v1\nkind: {kind}\nmetadata: {{name: instance}}\nspec: {{size: 1, source: {{name: s}}}}\n"


def _renaming(kind: str) -> dict[str, str]:
    return operations(
        f"kind: {kind}, name: instance", "{op: replace, path: /metadata/name, value: mine}",
        "{op: replace, path: /spec/source/name, value: t}",
    )  # fmt: skip


#: Hints name what to write, and never what cannot be written.
HINTS: Mapping[str, Variant] = {
    "a container's new name in an inline patch": Variant(
        overlay=inline(bare(more="tty: true")), old=deployment(), new=deployment(container="server"),
        verdict=Verdict.MISAPPLIED, says=["server"],
    ),
    "a new version of what vars read": Variant(
        overlay={"kustomization.yaml": f"resources: [../base]\n{_VARS}"}, old=_issuer("v1alpha2"), new=_issuer("v1"),
        item="vars[0]", verdict=Verdict.FAILS, severity=Severity.BROKEN, says=["cert-manager.io/v1"], never=["fieldPath"],
    ),
    "an index behind a new container": Variant(
        overlay=operations("kind: Deployment", _TTY), old=containers("web=w:1", "side=s:1"),
        new=containers("log=l:1", "web=w:1", "side=s:1"), verdict=Verdict.MISAPPLIED, says=["name=side"],
    ),
    "a volume's new name": Variant(
        overlay=merged(bare(more="volumeMounts: [{name: tmp, mountPath: /m}]")), old=deployment(pod="volumes: [{name: tmp, emptyDir: {}}]"),
        new=deployment(pod="volumes: [{name: scratch, emptyDir: {}}]"), verdict=Verdict.DANGLING, says=["scratch"],
    ),
    "a kind that became another": Variant(
        overlay=merged(bare(more="tty: true")), old=deployment(), new=deployment().replace("kind: Deployment", "kind: StatefulSet"),
        verdict=Verdict.FAILS, severity=Severity.BROKEN, says=["StatefulSet"],
    ),
    "one cause in three overlays is one row": Variant(
        overlay={"kustomization.yaml": "resources: [../mid]\n", "/mid/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
                 "/mid/p.yaml": bare(more="tty: true"), "/two/kustomization.yaml": "resources: [../mid]\n"},
        old=deployment(), new=deployment(container="server"), item="mid: patches[0]", verdict=Verdict.MISAPPLIED, says=["server"],
    ),
    "a patch that renames its object, which is of another kind now": Variant(
        overlay=_renaming("Old"), old=_thing("Old"), new=_thing("New"), verdict=Verdict.LOST, says=["Old mine"],
        never=["x.example.com/v1", "spec.size"],
    ),
    "a patch that renames its object, which has more fields now": Variant(
        overlay=_renaming("Old"), old=_thing("Old"), new=_thing("Old").replace("size: 1", "size: 1, colour: red"),
    ),
    "a patch that renames its object, and followed it to its new kind": Variant(
        overlay=_renaming("Old"), edited=_renaming("New"), old=_thing("Old"), new=_thing("New"),
    ),
    "an index that still fits": Variant(
        overlay=operations("kind: Deployment", _TTY), old=containers("web=w:1", "side=s:1"),
        new=containers("web=w:2", "side=s:2", "log=l:1"),
    ),
    "a way back to the release before": Variant(
        overlay=merged(bare(more="tty: true")), old=deployment(image="acme/web:2", more="stdin: true"), new=deployment(),
    ),
    "what vars read is as it was": Variant(
        overlay={"kustomization.yaml": f"resources: [../base]\n{_VARS}"}, old=_issuer("v1alpha2"),
        new=_issuer("v1alpha2").replace("web:1", "web:2"),
    ),
    "a null of upstream's": Variant(
        overlay=merged(bare(more="tty: true")), old=deployment(more="env: [{name: E, value: null}]"),
        new=deployment(image="acme/web:2", more="env: [{name: E, value: null}]"),
    ),
    "a volume of one's own": Variant(
        overlay=merged(bare(more="volumeMounts: [{name: own, mountPath: /m}]", pod="volumes: [{name: own, emptyDir: {}}]")),
        old=deployment(), new=deployment(image="acme/web:2", pod="volumes: [{name: scratch, emptyDir: {}}]"),
    ),
    "a correction that was made along": Variant(
        overlay=inline(bare(more="tty: true")), edited=inline(bare(container="server", more="tty: true")), old=deployment(),
        new=deployment(container="server"),
    ),
}  # fmt: skip
