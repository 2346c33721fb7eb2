"""YAML as we read it, held against kubectl and helm; and what may not be read at all."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess

import pytest

from upstreamsync.errors import Malformed, TooLarge
from upstreamsync.kit.yaml import manifests

#: Scalars on which YAML readers disagree: of PyYAML, ruamel, three written in Rust, and kustomize.
TRAPS = [
    "on",
    "off",
    "yes",
    "no",
    "y",
    "n",
    "Y",
    "N",
    "On",
    "OFF",
    "Yes",
    "NO",
    "true",
    "True",
    "TRUE",
    "false",
    "~",
    "null",
    "Null",
    "NULL",
    "nULL",
    "tRue",
    "yEs",
    "oN",
    "=",
    "==",
    "=>",
    "<=",
    "<",
    "<<",
    "-",
    "--",
    "+",
    "*",
    ".",
    "..",
    "...",
    "a:",
    "a#b",
    "0",
    "-0",
    "+0",
    "00",
    "007",
    "0755",
    "0o755",
    "0O755",
    "-0755",
    "+0755",
    "0o0",
    "0o8",
    "08",
    "09",
    "0x1F",
    "0X1f",
    "-0x10",
    "0xG",
    "0b101",
    "0B101",
    "0b2",
    "-0b11",
    "1_000",
    "1__0",
    "_1",
    "1_",
    "0x_1F",
    "1:30",
    "1:30:45",
    "00:11:22",
    "190:20:30.15",
    "12:5",
    "1e3",
    "1E3",
    "1e+3",
    "1e-3",
    "12e4567",
    "1e",
    "1e+",
    "e3",
    ".5",
    "5.",
    "-.5",
    "+.5",
    "+12",
    "01.5",
    "1.10",
    "1.0",
    "1.",
    "-1.5e3",
    "1_000.5",
    ".e3",
    ".",
    "+.",
    "0.0",
    "-0.0",
    "1e0",
    "2001-12-14",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14T00:00:00Z",
    "2001-1-1",
    "12345678901234567890",
    "99999999999999999999999",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "0xFFFFFFFFFFFFFFFF",
    "1" * 400,
    "-" + "1" * 5000,
    "v1.2.3",
    "1.2.3",
    "1.2.3.4",
    "1-2",
    "10Gi",
    "100m",
    "1s",
    "5d",
    "0.1.0-rc.1",
    "1e3x",
    "0x",
    "0b",
    "0o",
    "infinity",
    "nan",
    "NaN",
    "inf",
    "Inf",
    "INF",
    ".in",
    ".na",
    "+.infx",
    "true1",
    "nullx",
    "None",
    "nil",
]
TRAPS = [one for one in TRAPS if one not in {"-", "*", "a:", "...", "--"}]


def written(values):
    """One object that has every value, plain."""
    lines = "".join(f"  k{number}: {value}\n" for number, value in enumerate(values))
    return f"apiVersion: traps.example/v1\nkind: Trap\nmetadata:\n  name: trap\nspec:\n{lines}"


def kubectl_reads(text):
    tool = os.environ.get("KUSTOMIZE") or shutil.which("kubectl") or ""
    command = [tool, "label", "--local", "-f", "-", "-o", "json", "x=y"]
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    except OSError:
        pytest.fail("kubectl is missing: set KUSTOMIZE to one, as `make test` does")
    if done.returncode != 0:
        if "unknown command" in done.stderr or "unknown flag" in done.stderr:
            pytest.skip("KUSTOMIZE IS NO KUBECTL: YAML is not compared with kubectl")
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)["spec"]


def helm_reads(text, folder):
    tool = os.environ.get("HELM") or shutil.which("helm") or ""
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: traps\nversion: 1.0.0\n", "utf-8")
    (folder / "templates" / "all.yaml").write_text("found: {{ .Values.spec | toJson | quote }}\n", "utf-8")
    (folder / "given.yaml").write_text(text, "utf-8")
    command = [tool, "template", "x", str(folder), "-f", str(folder / "given.yaml")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        pytest.fail("helm is missing: set HELM to it, as `make test` does")
    assert done.returncode == 0, done.stderr
    return json.loads(manifests.load(done.stdout)["found"])


def differences(values, theirs):
    ours = manifests.load(written(values))["spec"]
    return {
        value: (ours[f"k{number}"], theirs.get(f"k{number}"))
        for number, value in enumerate(values)
        if repr(_told(ours[f"k{number}"])) != repr(_told(theirs.get(f"k{number}")))
    }


def _told(value):
    """A value as JSON can tell it: 1000 and 1000.0 are the same, and large numbers have 53 bits."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return float(value) + 0.0


def test_traps_are_read_as_kubectl_reads_them():
    assert differences(TRAPS, kubectl_reads(written(TRAPS))) == {}


def test_traps_are_read_as_helm_reads_values(tmp_path):
    assert differences(TRAPS, helm_reads(written(TRAPS), tmp_path)) == {}


def test_everything_that_looks_like_a_number_is_read_as_kubectl_reads_it():
    parts = (("", "-", "+"), ("", "0", "0x", "0o", "0b", "1", "08"), ("", "1", "7_0", "_", "9", "f"),
             ("", ".", ".5", ":3"), ("", "e3", "E-2", "e"))  # fmt: skip
    values = sorted({"".join(one) for one in itertools.product(*parts)} - {"", "-"})
    values = [one for one in values if not one.endswith(":")]
    assert len(values) > 1000
    assert differences(values, kubectl_reads(written(values))) == {}


# -- what must not be read -----------------------------------------------------------------------------


def bomb(levels, encoding="utf-8"):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines).encode(encoding)


@pytest.mark.parametrize(
    "data",
    [
        bomb(9),
        bomb(9, "utf-16"),
        b"[" * 5000,
        b"".join(b" " * n + b"a:\n" for n in range(1000)),
        bomb(9).replace(b": &", b": !!seq &"),
        bomb(9).replace(b": &", b":\n  \xe2\x80\xa8&".replace(b"\xe2\x80\xa8", b"")),
        b"- &a [x, x, x, x, x, x, x, x, x, x]\n"
        + b"".join(b"- &%b [%b]\n" % (one, b",".join([b"*" + before] * 10))
                   for before, one in itertools.pairwise([b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h"])),
    ],
)  # fmt: skip
def test_what_expands_or_nests_without_end_is_refused(data):
    with pytest.raises(TooLarge):
        manifests.refuse_bombs(data, "bomb")


def test_a_star_in_a_text_costs_no_second_pass(monkeypatch):
    text = b"description: it is *not* an alias, and AT&T or R &D no anchor\n" * 3
    monkeypatch.setattr(manifests.yaml, "parse", lambda *_a, **_k: pytest.fail("a pass over all events"))
    manifests.refuse_bombs(text, "text")


def test_an_alias_without_its_anchor_is_malformed():
    with pytest.raises(Malformed, match="undefined alias"):
        manifests.load_all(b"a: *b\n")


# -- two states of one thing ----------------------------------------------------------------------------

CRD = b"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: a.b\nspec:\n"
CRD += b"".join(b"  field%d: a text that makes it long enough to matter\n" % n for n in range(200))
OTHER = b"kind: ConfigMap\nmetadata:\n  name: c\ndata:\n  n: '%d'\n"


def test_what_both_sides_have_is_read_once():
    before, after = CRD + b"---\n" + OTHER % 1, CRD + b"---\n" + OTHER % 2 + b"---\n" + OTHER % 2
    old, new = manifests.objects_of_both(before, after)
    assert old[1:] == manifests.objects(before)[1:]
    assert new[1:] == manifests.objects(after)[1:]
    assert old[0] is new[0]
    assert old[0] == {key: value for key, value in manifests.objects(CRD)[0].items() if key != "spec"}


@pytest.mark.parametrize(
    "stream",
    [
        b"%YAML 1.1\n---\nkind: A\n",
        b"--- {kind: A}\n--- # a comment\nkind: B\n",
        b"# only a comment\n---\n---\nkind: A\n...\n",
        b"kind: AList\nitems:\n- kind: A\n- kind: B\n",
        CRD.replace(b"  field1:", b"  field1: &x") + b"status: {conditions: []}\n",
        b"",
    ],
)
def test_equal_streams_are_read_as_each_alone(stream):
    old, new = manifests.objects_of_both(stream, stream)
    whole = manifests.objects(stream)
    assert old == new
    assert [{**one, "spec": None} for one in old] == [{**one, "spec": None} for one in whole]


def test_a_document_that_differs_is_read_as_a_whole():
    changed = CRD.replace(b"field7:", b"field7x:")
    old, new = manifests.objects_of_both(CRD, changed)
    assert (old, new) == (manifests.objects(CRD), manifests.objects(changed))


@pytest.mark.parametrize(
    "text", [b"", b"a: b\n---\nc: [1, {d: e}]\n", b"a: |\n  b: 'c\n", b"{}", b"a: &b c\nd: *b\n"]
)
def test_what_is_yaml_by_its_form(text):
    assert manifests.is_yaml(text)


@pytest.mark.parametrize(
    "text", [b"a: 'b\nc: d\n", b"a: [\n", b"a: b: c\n", b"a: \xff\n", b"a:\n\t- b\n", b"a: *b\n- c\n"]
)
def test_what_is_not(text):
    assert not manifests.is_yaml(text)
