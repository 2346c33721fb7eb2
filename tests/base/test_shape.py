"""The pristine base as a value: upstream's bytes, selected and spread over files, otherwise untouched."""

import itertools
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upstreamsync.base.documents import identify, join, parts
from upstreamsync.base.kustomization import is_ours
from upstreamsync.base.shape import make_bases
from upstreamsync.config.load import parse_configuration
from upstreamsync.config.spec import Vendor
from upstreamsync.errors import ContentError, Malformed, Refused, SelectionError, TooLarge
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Artifact, ContentFile, Release

RELEASE = Release(version="v1.2.3", ref="v1.2.3", groups={"build": "7"})
OBJECT = "apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n"


def obj(kind: str, name: str, **more: str) -> bytes:
    text = OBJECT.format(kind=kind, name=name)
    return (text + "".join(f"  {key}: {value}\n" for key, value in more.items())).encode()


def make(files: dict[str, bytes], **options) -> dict[str, bytes]:
    """The one base of a vendor with one source; ``source_…`` options go to the source."""
    return bases([(files, {})], **options)["b"]


def bases(parts_: list[tuple[dict[str, bytes], dict]], **options) -> dict[str, dict[str, bytes]]:
    common = {
        key.removeprefix("source_"): options.pop(key) for key in list(options) if key.startswith("source_")
    }
    sources = [{"url": f"https://h/{number}", **common, **own} for number, (_, own) in enumerate(parts_)]
    vendor = Vendor.model_validate({"name": "v", "version": "1", "base": "b", "source": sources, **options})
    artifacts = [
        Artifact(
            resolved=(),
            files=tuple(ContentFile(path=path, data=data) for path, data in sorted(files.items())),
        )
        for files, _ in parts_
    ]
    made = make_bases(vendor, list(zip(vendor.source, artifacts, strict=True)), RELEASE)
    return {base.path: {file.path: file.data for file in base.files} for base in made}


THREE = (
    b"# licence\n---\n"
    + obj("ConfigMap", "a")
    + b"---\n"
    + obj("Secret", "b")
    + b"---\n# nothing\n---\n"
    + obj("ConfigMap", "c", namespace="x")
)


# -- layouts ----------------------------------------------------------------------------------------


def test_as_is_keeps_files_byte_for_byte_and_lists_them():
    made = make({"x/b.yaml": THREE, "a.yaml": b"\xef\xbb\xbf" + obj("A", "a") + b"\r\n", "README.md": b"hi"})
    assert made["x/b.yaml"] == THREE
    assert made["README.md"] == b"hi"
    own = manifests.load(made["kustomization.yaml"])
    assert own["resources"] == ["a.yaml", "x/b.yaml"]
    assert own["kind"] == "Kustomization"
    assert is_ours(made["kustomization.yaml"])


def test_one_file_joins_with_markers_only_where_there_are_none():
    made = make(
        {"a.yaml": obj("A", "a"), "b.yaml": b"---\n" + obj("B", "b").rstrip(), "c.yaml": obj("C", "c")},
        layout="one-file",
    )
    assert made["v.yaml"] == b"%s---\n%s\n---\n%s" % (obj("A", "a"), obj("B", "b").rstrip(), obj("C", "c"))
    assert list(made) == ["kustomization.yaml", "v.yaml"]


def test_per_resource_is_one_file_for_each_object():
    made = make({"x.yaml": THREE}, layout="per-resource")
    assert list(made) == ["configmap-a.yaml", "configmap-c.yaml", "kustomization.yaml", "secret-b.yaml"]
    assert made["configmap-c.yaml"] == b"---\n" + obj("ConfigMap", "c", namespace="x")


def test_per_resource_tells_apart_by_namespace_then_group_then_number():
    objects = [
        obj("Role", "r", namespace="one"),
        obj("Role", "r", namespace="two"),
        obj("Ingress", "i").replace(b": v1", b": extensions/v1beta1"),
        obj("Ingress", "i").replace(b": v1", b": networking.k8s.io/v1"),
        obj("X", "same"),
        obj("X", "same"),
        obj("X", "same-2"),
        obj("ClusterRole", "system:node"),
        obj("ClusterRole", "System:Node"),
    ]
    made = make({"x.yaml": b"---\n".join(objects)}, layout="per-resource")
    assert list(made) == [
        "clusterrole-system-node-2.yaml",
        "clusterrole-system-node.yaml",
        "ingress.extensions-i.yaml",
        "ingress.networking.k8s.io-i.yaml",
        "kustomization.yaml",
        "role-one-r.yaml",
        "role-two-r.yaml",
        "x-same-2.yaml",
        "x-same-3.yaml",
        "x-same.yaml",
    ]


def test_a_list_whose_items_do_not_say_what_they_are_is_kept_as_one():
    data = b"apiVersion: v1\nkind: List\nitems:\n- kind: A\n- kind: B\n"
    assert make({"x.yaml": data}, layout="per-resource")["list.yaml"] == data


def test_generated_names_and_json_have_files_too():
    made = make(
        {
            "a.yaml": b"apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: init-}\n",
            "b.json": b'{"apiVersion": "v1", "kind": "X", "metadata": {"name": "y"}}',
        },
        layout="per-resource",
    )
    assert list(made) == ["job-init.yaml", "kustomization.yaml", "x-y.yaml"]


def test_file_names_the_one_file():
    assert list(make({"all-in-one": obj("A", "a")}, source_file="eck.yaml")) == [
        "eck.yaml",
        "kustomization.yaml",
    ]
    with pytest.raises(ContentError, match="there are 2"):
        make({"a.yaml": obj("A", "a"), "b.yaml": obj("B", "b")}, source_file="x.yaml")


def test_sources_have_bases_of_their_own_and_may_nest():
    made = bases(
        [
            ({"a.yaml": obj("A", "a")}, {}),
            ({"b.yaml": obj("B", "b")}, {"base": "b/inner"}),
            ({"c.yaml": obj("C", "c")}, {}),
        ]
    )
    assert {base: list(files) for base, files in made.items()} == {
        "b": ["a.yaml", "c.yaml", "kustomization.yaml"],
        "b/inner": ["b.yaml", "kustomization.yaml"],
    }


def test_two_sources_for_one_file_are_an_error():
    with pytest.raises(ContentError, match=r"two sources of `v` write b/a\.yaml") as caught:
        bases([({"a.yaml": obj("A", "a")}, {}), ({"a.yaml": obj("A", "b")}, {})])
    assert "another `file`" in caught.value.hint


# -- kustomization ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["kustomization.yaml", "kustomization.yml", "Kustomization", "deep/kustomization.yaml"]
)
def test_upstreams_own_kustomization_is_kept(name):
    files = {name: b"resources: [a.yaml]\n", "a.yaml": obj("A", "a")}
    assert make(files) == dict(sorted(files.items()))


def test_what_is_no_manifest_is_not_listed():
    made = make({
        "chart/Chart.yaml": b"name: x\n",
        "chart/templates/a.yaml": obj("A", "a"),
        "values.yaml": b"kind: DaemonSet\nimage: x\n",
        "squid.yaml": b"kind: Deployment\nmetadata:\n  name: {{ .Name }}\n{{ if x }}\n",
        "rules.yaml": obj("PrometheusRule", "r") + b"spec: 'a {{ $labels.x }}'\n",
    }, source_manifests=False)  # fmt: skip
    assert manifests.load(made["kustomization.yaml"])["resources"] == ["rules.yaml"]
    assert "kustomization.yaml" not in make({"squid.conf": b"a b\n"})


def test_odd_names_are_quoted():
    made = make({"a b: c.yaml".replace(":", ";"): obj("A", "a"), "1.2.yaml": obj("B", "b")})
    assert manifests.load(made["kustomization.yaml"])["resources"] == ["1.2.yaml", "a b; c.yaml"]


# -- selection --------------------------------------------------------------------------------------


def test_select_keeps_the_bytes_of_what_it_keeps():
    select = {"include": [{"kind": "ConfigMap"}]}
    assert make({"x.yaml": THREE}, source_select=select)["x.yaml"] == (
        b"---\n" + obj("ConfigMap", "a") + b"---\n" + obj("ConfigMap", "c", namespace="x")
    )
    select = {"exclude": [{"namespace": "x"}, {"name": "b"}]}
    assert (
        make({"x.yaml": THREE}, source_select=select)["x.yaml"]
        == b"# licence\n---\n" + obj("ConfigMap", "a") + b"---\n# nothing\n"
    )


def test_patterns_are_for_the_whole_field():
    with pytest.raises(SelectionError):
        make({"x.yaml": THREE}, source_select={"include": [{"kind": "Config"}]})
    made = make({"x.yaml": THREE}, source_select={"include": [{"kind": "Config.*", "namespace": ""}]})
    assert made["x.yaml"] == b"---\n" + obj("ConfigMap", "a")


def test_files_of_which_nothing_is_kept_go():
    files = {"a.yaml": obj("A", "a"), "b.yaml": obj("B", "b"), "c.txt": b"text"}
    assert list(make(files, source_select={"include": [{"kind": "B"}]})) == [
        "b.yaml",
        "c.txt",
        "kustomization.yaml",
    ]


@pytest.mark.parametrize(
    ("select", "which"),
    [
        ({"include": [{"kind": "ConfigMap"}, {"kind": "Gone"}]}, r"select.include\[1\]` \(kind: Gone\)"),
        ({"exclude": [{"kind": "Secret", "name": "z"}]}, r"select.exclude\[0\]` \(kind: Secret, name: z\)"),
    ],
)
def test_an_entry_that_matches_nothing_says_what_there_is(select, which):
    with pytest.raises(SelectionError, match=which) as caught:
        make({"x.yaml": THREE}, source_select=select)
    assert caught.value.hint == "there is: ConfigMap a; Secret b; ConfigMap x/c"


def test_nothing_left_is_an_error():
    with pytest.raises(SelectionError, match="leaves nothing"):
        make({"x.yaml": THREE}, source_select={"exclude": [{"kind": ".*"}]})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"kind: K\nmetadata: {name: n, namespace: s}\n", "K s/n"),
        (b"metadata:\n  labels: {name: no}\n  name: 'n'\nspec: {kind: no}\nkind: \"K\"\n", "K n"),
        (b"spec:\n  - kind: no\n  - metadata: {name: no}\nkind: K\nmetadata:\n  name: n\n", "K n"),
        (b"data: |\n  kind: no\nkind: K\nmetadata:\n  x:\n    y: |\n      name: no\n  name: n\n", "K n"),
        (b"x: &m {name: m}\nkind: K\nmetadata: *m\n", "K m"),
        (b"x: &m {name: m}\nkind: K\nmetadata:\n  <<: *m\n", "K m"),
        (b"%YAML 1.1\n---\nkind: K\n", "K"),
        (b"\xef\xbb\xbfkind: K\n", "K"),
        (b"kind: K\r\nmetadata:\r\n  name: n\r\n", "K n"),
        (b"kind: K\nmetadata:\n  name: 5\n", "K 5"),
        (b"apiVersion: v1\n", "no kind"),
    ],
)  # fmt: skip
def test_identity_is_read_as_yaml_means_it(text, expected):
    assert str(identify(text, "x")) == expected


@pytest.mark.parametrize("text", [b"- a\n", b"just text\n", b"kind: [\n", b"kind: A\n...\nkind: B\n"])
def test_what_is_no_object_can_not_be_selected(text):
    with pytest.raises((ContentError, Malformed)):
        make({"x.yaml": text}, layout="per-resource")


def test_errors_name_the_line_of_the_declaration(tmp_path):
    text = b"""\
version: 1
vendors:
- name: v
  version: "1"
  base: b
  releases: {github: a/b}
  source:
    url: https://h/x
    rewrite:
    - {drop_lines: licence}
    - {drop_lines: gone}
    select:
      include:
      - kind: ConfigMap
      - kind: Gone
"""
    for bad, line in ((b"drop_lines: gone", 11), (b"kind: Gone", 15)):
        fixed = {b"drop_lines: gone": b"drop_lines: nothing", b"kind: Gone": b"kind: Secret"}
        del fixed[bad]
        ((old, new),) = fixed.items()
        configuration = parse_configuration(text.replace(old, new), path=tmp_path / "vendors.yaml")
        (vendor,) = configuration.vendors
        artifact = Artifact(resolved=(), files=(ContentFile(path="x.yaml", data=THREE),))
        with pytest.raises(SelectionError) as caught:
            make_bases(vendor, [(vendor.source[0], artifact)], RELEASE, partial(configuration.place, "v"))
        assert (caught.value.place.file, caught.value.place.line) == ("vendors.yaml", line)


# -- comments and rewrites --------------------------------------------------------------------------


def test_comments_go_and_nothing_else():
    text = b"""\
# top
---
# only a comment
---
a: 1 # one
# between
b: "x # not" # is
c: |  # header
  # not a comment
  text # not either
# after a block
d: x#y
e: >-
  folded
   # inside

# outside
f: 'it''s # in' #gone
g: [1, # in flow
    2]
h: # key
  - x
"""
    expected = b"""\
---
a: 1
b: "x # not"
c: |
  # not a comment
  text # not either
d: x#y
e: >-
  folded
   # inside

f: 'it''s # in'
g: [1,
    2]
h:
  - x
"""
    assert make({"x.yaml": text}, source_strip_comments=True, source_manifests=False)["x.yaml"] == expected
    assert manifests.load(expected) == manifests.load_all(text)[-1]


def test_comments_with_carriage_returns_and_wide_characters():
    text = "# ü\r\na: é # x\r\n# 漢字\r\nb: \U0001f600 # y".encode()
    made = make({"x.yaml": text}, source_strip_comments=True, source_manifests=False)
    assert made["x.yaml"] == "a: é\r\nb: \U0001f600".encode()


def test_comments_of_what_is_not_yaml_are_refused():
    with pytest.raises(Malformed, match="not valid YAML"):
        make({"x.yaml": b"a: {{ b } # c\n"}, source_strip_comments=True)


def test_rewrites_in_turn_with_placeholders_and_groups():
    rewrite = [
        {"replace": r"^(\w+): OLD$", "with": r"\1: {version}-{build}"},
        {"drop_lines": "^# drop"},
        {"replace": "{{ (?P<x>.*) }}", "with": r"\g<x>"},
    ]
    made = make({"x.conf": b"a: OLD\n# drop me\nb: {{ it }}\xff\n"}, source_rewrite=rewrite)
    assert made["x.conf"] == b"a: v1.2.3-7\nb: it\xff\n"


def test_rewrites_of_some_files_alone():
    files = {"a.conf": b"x\n", "d/b.conf": b"x\n"}
    rewrite = [{"replace": "x", "with": "y", "file": "d/*"}]
    assert make(files, source_rewrite=rewrite) == {"a.conf": b"x\n", "d/b.conf": b"y\n"}


@pytest.mark.parametrize(
    ("rewrite", "error", "words"),
    [
        ({"replace": "nope", "with": ""}, SelectionError, "matches nothing"),
        ({"drop_lines": "nope"}, SelectionError, "matches nothing"),
        ({"replace": "x", "with": "", "file": "*.txt"}, SelectionError, r"files `\*.txt`"),
        ({"replace": "x", "with": "{nope}"}, ContentError, "nothing fills"),
        ({"replace": "x", "with": r"\3"}, ContentError, "does not fit"),
        ({"replace": "x", "with": r"\g<no>"}, ContentError, "does not fit"),
    ],
)
def test_a_rewrite_that_does_not_work_is_an_error(rewrite, error, words):
    with pytest.raises(error, match=words) as caught:
        make({"a.conf": b"x\n"}, source_rewrite=[rewrite])
    assert caught.value.hint


def test_a_version_can_not_smuggle_in_a_group():
    vendor = Vendor.model_validate({
        "name": "v", "version": "1", "base": "b",
        "source": {
            "url": "https://h/x", "manifests": False, "rewrite": [{"replace": "(secret) x", "with": "{version}"}],
        },
    })  # fmt: skip
    artifact = Artifact(resolved=(), files=(ContentFile(path="a", data=b"secret x"),))
    made = make_bases(vendor, [(vendor.source[0], artifact)], Release(version=r"1\1", ref="x"))
    assert made[0].files[0].data == rb"1\1"


# -- hostile content --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["../x.yaml", "/x.yaml", "a/../../x", "a\\b", ".git/config", "a/.GIT/hooks/x", "C:/x", "a\x00b", "",
     "a//b", "./a", "~/x", ".gitattributes", "x/.gitmodules", "a\nb", "x" * 300],
)  # fmt: skip
def test_paths_that_must_not_be_written_are_refused(path):
    with pytest.raises(Refused):
        make({path: obj("A", "a")})


@pytest.mark.parametrize(
    "pair", [("A.yaml", "a.yaml"), ("é.yaml", "e\u0301.yaml"), ("a", "a/b"), ("A", "a/b.yaml")]
)
def test_files_that_some_file_systems_can_not_tell_apart_are_refused(pair):
    with pytest.raises(Refused):
        make(dict.fromkeys(pair, obj("A", "a")))


def test_nested_bases_can_not_collide():
    with pytest.raises(Refused):
        bases([({"inner/X.yaml": obj("A", "a")}, {}), ({"x.yaml": obj("B", "b")}, {"base": "b/inner"})])


def test_a_web_page_is_no_manifest():
    with pytest.raises(Malformed, match="web page") as caught:
        make({"install.yaml": b"<!DOCTYPE html>\n<html>Sign in</html>\n"})
    assert "login" in caught.value.hint


@pytest.mark.parametrize("data", [b"a: [1\n", b"a: b: c\n", b"\xff\xfe\x00", b"a: 'x\n---\nb: 1\n"])
def test_yaml_that_is_none_is_refused(data):
    with pytest.raises(Malformed, match="not valid YAML"):
        make({"install.yaml": obj("A", "a") + data})


@pytest.mark.parametrize(
    "data",
    [b"a: " + b"[" * 5000, b"".join(b" " * n + b"a:\n" for n in range(500)),
     b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
         b"%c: &%c [%s]\n" % (98 + n, 98 + n, b", ".join([b"*%c" % (97 + n)] * 9)) for n in range(9))],
    ids=["brackets", "indents", "laughs"],
)  # fmt: skip
def test_yaml_bombs_are_refused_before_they_go_off(data):
    for options in ({}, {"source_strip_comments": True}, {"layout": "per-resource"}):
        with pytest.raises(TooLarge):
            make({"install.yaml": data + b"# c\n"}, **options)


@pytest.mark.parametrize("files", [{}, {"a.yaml": b""}, {"a.yaml": b" \n"}])
def test_nothing_delivered_is_an_error(files):
    with pytest.raises(ContentError):
        make(files)


# -- properties -------------------------------------------------------------------------------------

names = st.sampled_from(["aa", "Aa", "a-b", "a.b", "a:b", "a-2", "a"])
bodies = st.sampled_from(
    [b"", b"# c\n", b"spec: {a: 1} # x\n", b"data:\n  x: |\n    ---x\n     --- y\n", b"s: '#'\r\n", b"\n\n"]
)
documents_ = st.tuples(st.sampled_from([b"", b"# Source: x\n", b"\n"]), names, names, bodies).map(
    lambda parts_: parts_[0] + obj(parts_[1], parts_[2]) + parts_[3]
)
separators = st.sampled_from([b"---\n", b"--- # next\n", b"---\r\n"])
marked = st.lists(st.tuples(separators, documents_).map(b"".join), min_size=1, max_size=6)


@settings(deadline=None)
@given(docs=marked)
def test_every_layout_keeps_the_documents_bytes(docs):
    data = b"".join(docs)
    assert parts(data) == docs
    assert make({"x.yaml": data})["x.yaml"] == data
    everything = {"include": [{"kind": ".*"}]}
    assert make({"x.yaml": data}, source_select=everything)["x.yaml"] == data
    assert make({"x.yaml": data}, layout="one-file")["v.yaml"] == data
    single = make({"x.yaml": data}, layout="per-resource")
    del single["kustomization.yaml"]
    assert sorted(single.values()) == sorted(docs)


SEEDED = """
import sys
sys.path.insert(0, sys.argv[1])
from test_shape import THREE, make, obj
made = make({"x.yaml": THREE, "y.yaml": obj("ConfigMap", "a")}, layout="per-resource",
            source_select={"exclude": [{"kind": "Secret"}, {"name": "c"}]})
print(made)
try:
    make({"x.yaml": THREE}, source_select={"include": [{"kind": "X"}, {"kind": "Y"}], "exclude": [{"kind": "Z"}]})
except Exception as error:
    print(error)
"""


def test_the_order_of_sets_says_nothing():
    printed = {
        subprocess.run(
            [sys.executable, "-c", SEEDED, str(Path(__file__).parent)],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in (1, 2, 3)
    }
    assert len(printed) == 1
    assert b"configmap-a-2.yaml" in printed.pop()


@settings(deadline=None)
@given(docs=st.lists(documents_, min_size=1, max_size=5))
def test_joined_documents_mean_what_they_meant_apart(docs):
    joined = join(docs)
    apart = list(itertools.chain.from_iterable(manifests.load_all(doc) for doc in docs))
    assert [one for one in manifests.load_all(joined) if one is not None] == [
        one for one in apart if one is not None
    ]


@settings(deadline=None)
@given(docs=marked)
def test_stripping_comments_changes_no_value(docs):
    data = b"".join(docs)
    stripped = make({"x.yaml": data}, source_strip_comments=True)["x.yaml"]
    assert manifests.load_all(stripped) == manifests.load_all(data)
    assert make({"x.yaml": stripped}, source_strip_comments=True)["x.yaml"] == stripped


WORLD = Path(os.environ.get("UPSTREAM_WORLD", Path(__file__).parents[3] / "shared" / "upstream-world"))
#: Of each project the newest version.
REAL = [max(one.glob("*/*.yaml")) for one in sorted(WORLD.glob("data/base/assets/*/*"))]


@pytest.mark.slow
@pytest.mark.world
@pytest.mark.skipif(not REAL, reason=f"no real upstream content at {WORLD} (set UPSTREAM_WORLD)")
def test_real_content_keeps_its_bytes_in_every_layout():
    for path in REAL:
        data = path.read_bytes()
        assert make({"x.yaml": data})["x.yaml"] == data
        single = make({"x.yaml": data}, layout="per-resource")
        del single["kustomization.yaml"]
        with_content = [
            part for part in parts(data) if part.strip(b"-\n") and manifests.load(part) is not None
        ]
        assert sorted(single.values()) == sorted(with_content), path
        if len(data) < 2_000_000:
            stripped = make({"x.yaml": data}, source_strip_comments=True)["x.yaml"]
            before = [one for one in manifests.load_all(data) if one is not None]
            assert manifests.load_all(stripped) == before, path
