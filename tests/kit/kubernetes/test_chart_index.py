"""The cut of an index gives what a parser gives, by cutting or by leaving it to the parser."""

import json

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from upstreamsync.errors import Malformed, TooLarge
from upstreamsync.kit.kubernetes.chart_index import FIELDS, HelmIndex, read_block
from upstreamsync.kit.kubernetes.chart_index_events import merged, read_by_events

PLAIN = """\
apiVersion: v1
entries:
  alpha:
  - annotations:
      artifacthub.io/changes: |
        - kind: added
          description: "a quote that is not closed
        - [#12](https://example.test) and it's fine
    apiVersion: v2
    appVersion: v1.2.3
    created: "2024-05-01T10:00:00.123456789Z"
    description: 'a chart: with a colon'
    digest: 0123456789abcdef
    name: alpha
    urls:
    - https://example.test/alpha-1.2.3.tgz
    version: 1.2.3
  - apiVersion: v2
    created: 2024-04-01T10:00:00Z
    dependencies:
    - name: beta
      version: 9.9.9
    description: folded over
      two lines
    name: alpha
    urls:
    - alpha-1.10.tgz
    - https://mirror.test/alpha-1.10.tgz
    version: 1.10
  "beta":
  - name: beta
    version: '2.0.0'
    urls: [beta-2.0.0.tgz]
    deprecated: true
  - {name: beta, version: 1.0.0, urls: [a.tgz]}
  empty: []
generated: "2024-05-01T10:00:00Z"
serverInfo: {}
"""


def by_parser(text: str | bytes, chart: str):
    """What a plain parse of everything says: the independent opinion."""
    document = yaml.load(text, Loader=yaml.CBaseLoader)
    entries = document.get("entries") or {}
    raw = entries.get(chart)
    if raw is None:
        return None
    found = []
    for entry in raw if isinstance(raw, list) else ():
        if not isinstance(entry, dict):
            continue
        version = entry.get("version")
        if not isinstance(version, str) or not version or entry.get("name", chart) != chart:
            continue
        urls = entry.get("urls")
        urls = [urls] if isinstance(urls, str) else urls
        known = {field: entry[field] for field in FIELDS if isinstance(entry.get(field), str)}
        known["urls"] = tuple(url for url in urls or () if isinstance(url, str) and url)
        found.append(known)
    return tuple(found)


def encode(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def assert_same(text: str | bytes, *charts: str) -> HelmIndex:
    index = HelmIndex(encode(text))
    for chart in charts:
        assert index.entries(chart) == by_parser(text, chart), chart
    return index


def test_a_plain_index_is_cut():
    index = assert_same(PLAIN, "alpha", "beta", "empty", "gamma", "entries", "annotations")
    assert index.plain
    assert [entry["version"] for entry in index.entries("alpha")] == ["1.2.3", "1.10"]
    assert index.entries("alpha")[1]["urls"] == ("alpha-1.10.tgz", "https://mirror.test/alpha-1.10.tgz")
    assert index.entries("gamma") is None


def test_the_parser_is_left_alone_on_plain_entries(monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("the parser was asked")

    monkeypatch.setattr(yaml, "load", never)
    monkeypatch.setattr(yaml, "parse", never)
    text = PLAIN.replace('description: "a quote that is not closed', "description: fine").replace(
        "[#12]", "#12"
    )
    assert len(HelmIndex(encode(text)).entries("alpha")) == 2


SPOOF = "  evil:\n  - name: evil\n    version: 9.9.9\n"
HOSTILE = {
    "quoted scalar that looks like a chart": 'entries:\n  a:\n  - description: "x\n' + SPOOF + '  "\n    name: a\n    version: 1\n',
    "quoted scalar closed behind a deeper quote": 'entries:\n  a:\n  - description: "x\n'
    + SPOOF
    + '  b:\n  - description: "\n    name: a\n    version: 1\n',
    "the same in single quotes": "entries:\n  a:\n  - description: 'it''s\n" + SPOOF + "  '\n    name: a\n    version: 1\n",
    "quoted scalar as a list element": 'entries:\n  a:\n  - keywords: [ "x\n' + SPOOF + '  " ]\n    version: 1\n',
    "tagged quoted scalar": 'entries:\n  a:\n  - description: !!str "x\n' + SPOOF + '  "\n    version: 1\n',
    "anchored quoted scalar": 'entries:\n  a:\n  - description: &q "x\n' + SPOOF + '  "\n    version: 1\n',
    "quoted key": 'entries:\n  a:\n  - ? "x\n' + SPOOF + '  "\n    : y\n    version: 1\n',
    "quoted text on a line of its own": 'entries:\n  a:\n  - description:\n      "x\n' + SPOOF + '  "\n    version: 1\n',
    "quote opened before the entries": 'x: "\nentries:\n' + SPOOF + '    z: "\n',
    "quote opened before, closed at the margin": 'x: "\nentries:\n' + SPOOF + '"\n"entries":\n  a: []\n',
    "block scalar below another key": "other: |\n  entries:\n  " + SPOOF.replace("\n", "\n  ") + "\n",
    "same chart under another key": "other:\n" + SPOOF + "entries:\n  a: []\n",
    "same chart under a later key": "entries:\n  a:\n  - version: 1\nother:\n" + SPOOF,
    "entries twice": "entries:\n" + SPOOF + "entries:\n  a:\n  - version: 1\n",
    "entries twice, once quoted": "entries:\n" + SPOOF + '"entries":\n  a:\n  - version: 1\n',
    "entries twice, once as an explicit key": "entries:\n" + SPOOF + "? entries\n:\n  a:\n  - version: 1\n",
    "chart twice": "entries:\n" + SPOOF + "  evil:\n  - version: 1.0.0\n",
    "chart twice, once quoted": "entries:\n" + SPOOF + "  'evil':\n  - version: 1.0.0\n",
    "chart twice, once escaped": "entries:\n" + SPOOF + '  "ev\\x69l":\n  - version: 1.0.0\n',
    "chart twice, once as an explicit key": "entries:\n" + SPOOF + "  ? evil\n  : - version: 1.0.0\n",
    "anchor across charts": "entries:\n  a:\n  - &x {version: 1.0.0, urls: [u]}\n  evil:\n  - *x\n",
    "anchored list": "entries:\n  a: &x\n  - version: 1.0.0\n  evil: *x\n",
    "anchor inside one chart": "entries:\n  evil:\n  - version: &v 1.0.0\n    appVersion: *v\n",
    "alias of a field across charts": "entries:\n  a:\n  - version: &v 1.0.0\n  evil:\n  - version: *v\n",
    "tag": "entries:\n  evil:\n  - version: !!str 1.0.0\n    name: evil\n",
    "flow": "entries: {evil: [{version: 1.0.0, urls: [u]}]}\n",
    "flow chart": "entries:\n  evil: [{version: 1.0.0, urls: [u]}]\n",
    "flow mapping with a version of its own": "entries:\n  evil:\n  - version: 1.0.0\n    x: {\n    version: 9.9.9}\n",
    "flow list over lines": "entries:\n  evil:\n  - version: 1.0.0\n    urls: [\n    a,\n    b]\n",
    "flow that reaches over the margin": "entries:\n  a:\n  - {\nname: a, version: 1.0.0}\n  evil:\n  - version: 1.0.0\n",
    "flow closed behind a line at the margin": "entries:\n  a:\n  - {\ngenerated: x\n }\n  evil:\n  - version: 1.0.0\n",
    "flow over another chart": "entries:\n  a:\n  - {x: 1,\n  evil:\n    5}\n  - version: 1.0.0\n",
    "flow over an empty chart": "entries:\n  a:\n  - {x: 1,\n  evil:\n    , y: 1}\n  - version: 1.0.0\n",
    "indent 4": "entries:\n    evil:\n    - version: 1.0.0\n      urls:\n      - u\n",
    "list indented": "entries:\n  evil:\n    - version: 1.0.0\n      urls:\n        - u\n      name: evil\n",
    "list indented by one": "entries:\n  evil:\n   - version: 1.0.0\n     name: evil\n",
    "dash alone": "entries:\n  evil:\n  -\n    version: 1.0.0\n    name: evil\n",
    "wide dash": "entries:\n  evil:\n  -   version: 1.0.0\n      name: evil\n",
    "list in a list": "entries:\n  evil:\n  - - version: 9.9.9\n  - version: 1.0.0\n",
    "comment behind a key": "entries: # charts\n  evil: # mine\n  - version: 1.0.0 # the first\n    name: evil\n",
    "comments between": "entries:\n  # a\n# b\n  evil:\n  # c\n  - version: 1.0.0\n# d\n    name: evil\n    # e\n",
    "quoted field names": "entries:\n  evil:\n  - 'version': 1.0.0\n    \"name\": evil\n",
    "field twice": "entries:\n  evil:\n  - version: 9.9.9\n    version: 1.0.0\n",
    "plain value over lines": "entries:\n  evil:\n  - version: 1.0.0\n      beta\n    name: evil\n",
    "plain value over an empty line": "entries:\n  evil:\n  - version: 1.0.0\n\n      beta\n    name: evil\n",
    "value on the next line": "entries:\n  evil:\n  - version:\n      1.0.0\n    name: evil\n",
    "block scalar value": "entries:\n  evil:\n  - version: |-\n      1.0.0\n    name: evil\n",
    "block scalar with fields in it": "entries:\n  evil:\n  - description: |\n      version: 9.9.9\n      - x\n    version: 1.0.0\n",
    "urls on the same level, then deeper": "entries:\n  evil:\n  - urls:\n    - a\n      b\n    version: 1.0.0\n",
    "urls with a mapping": "entries:\n  evil:\n  - urls:\n    - a: b\n    - c\n    version: 1.0.0\n",
    "urls empty": "entries:\n  evil:\n  - urls:\n    version: 1.0.0\n  - urls: []\n    version: 1.1.0\n",
    "urls as text": "entries:\n  evil:\n  - urls: a.tgz\n    version: 1.0.0\n",
    "no end of line at the end": "entries:\n  evil:\n  - name: evil\n    version: 1.0.0",
    "CRLF": "entries:\r\n  evil:\r\n  - name: evil\r\n    version: 1.0.0\r\n",
    "BOM": "\ufeffentries:\n  evil:\n  - version: 1.0.0\n",
    "line separator": "entries:\n  a:\n  - description: x\u2028  evil:\u2028  - version: 9.9.9\n    version: 1.0.0\n",
    "tab": "entries:\n  evil:\n  - version:\t1.0.0\n    name: evil\n",
    "marker in front": "---\nentries:\n  evil:\n  - version: 1.0.0\n",
    "marker and comment in front": "# generated\n---\nentries:\n  evil:\n  - version: 1.0.0\n",
    "marker behind": "entries:\n  evil:\n  - version: 1.0.0\n...\n",
    "UTF-16": "entries:\n  evil:\n  - version: 1.0.0\n".encode("utf-16"),
    "JSON": json.dumps({"entries": {"evil": [{"name": "evil", "version": "1.0.0", "urls": ["u"]}]}}),
    "JSON, almost": '{"entries": {"evil": [{"name": "evil", version: 1.0.0, "urls": ["u"]}]}}',
    "null": "entries:\n",
    "null chart": "entries:\n  evil:\n  a:\n  - version: 1.0.0\n",
    "text for a chart": "entries:\n  evil: later\n  a:\n  - version: 1.0.0\n",
    "mapping for a chart": "entries:\n  evil:\n    version: 1.0.0\n  a:\n  - version: 1.0.0\n",
    "entries that are no mappings": "entries:\n  evil:\n  - text\n  - [a]\n  - version: 1.0.0\n  - version: {a: b}\n",
    "another chart's name": "entries:\n  evil:\n  - name: a\n    version: 9.9.9\n  - name: evil\n    version: 1.0.0\n",
    "words beyond ASCII": "entries:\n  evil:\n  - version: 1.0.0\n    appVersion: 'größer'\n    name: evil\n",
    "numbers, booleans": "entries:\n  evil:\n  - version: 1.10\n    deprecated: yes\n    appVersion: 007\n",
    "colon at the end": "entries:\n  evil:\n  - version: 1.0.0\n    appVersion: 'a:'\n  - version: 1.1.0\n    urls: \n    - a:b\n",
    "no final key": "apiVersion: v1\nentries:\n  evil:\n  - version: 1.0.0\n  zeta:\n",
}  # fmt: skip


@pytest.mark.parametrize("shape", HOSTILE)
def test_hostile_shapes_equal_the_parser(shape):
    assert_same(HOSTILE[shape], "evil", "a", "b", "zeta", "x")


def test_merge_keys_are_merged():
    text = "entries:\n  a:\n  - &x {version: 1.0.0, appVersion: '1'}\n  - <<: *x\n    version: 2.0.0\n"
    assert [dict(entry) for entry in HelmIndex(text.encode()).entries("a")] == [
        {"version": "1.0.0", "appVersion": "1", "urls": ()},
        {"version": "2.0.0", "appVersion": "1", "urls": ()},
    ]


def test_merge_keys_cost_no_more_than_there_is():
    rows = "".join(
        f"    a{n}: [{', '.join(f'&x{n}_{k} {{<<: [{below(n)}], k{n}: {k}}}' for k in range(9))}]\n"
        for n in range(12)
    )
    text = f"entries:\n  a:\n  - version: 1.0.0\n{rows}    <<: [{below(12)}]\n"
    assert read_by_events(text.encode(), "a")[0]["version"] == "1.0.0"
    assert merged(read_by_events(text.encode(), "a")[0])["k0"] == "0"


def below(row: int) -> str:
    return ", ".join(f"*x{row - 1}_{k}" for k in range(9)) if row else ""


def test_one_bad_entry_leaves_the_others():
    text = "entries:\n  a:\n  - version: [1]\n  - nonsense\n  - version: 1.0.0\n  - name: a\n"
    assert [entry["version"] for entry in HelmIndex(text.encode()).entries("a")] == ["1.0.0"]


def test_a_json_number_stays_what_is_written():
    text = b'{"entries": {"a": [{"version": 1.10, "deprecated": true}]}}'
    assert [dict(entry) for entry in HelmIndex(text).entries("a")] == [
        {"version": "1.10", "deprecated": "true", "urls": ()}
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"<html><body>404</body></html>",
        b"- a\n- b\n",
        b"entries: [a]\n",
        b"a: 'b",
        b"entries:\n  |\n  evil:\n  - version: 1.0.0\n",
        b"",
        b"\xff\xfe\xfd",
    ],
)
def test_what_is_no_index(text):
    with pytest.raises(Malformed) as caught:
        HelmIndex(text).entries("a")
    assert caught.value.hint


@pytest.mark.parametrize(
    "value",
    [
        "[" * 100_000 + "]" * 100_000,
        "{a: " * 100_000 + "}" * 100_000,
        "".join(f"\n{' ' * (5 + n)}a:" for n in range(3000)),
    ],
)
def test_too_deep_for_a_parser(value):
    """The C parser would end the process."""
    text = f"entries:\n  a:\n  - x: {value}\n    version: !!str 1.0.0\n"
    with pytest.raises((TooLarge, Malformed)):
        HelmIndex(text.encode()).entries("a")
    aliased = f"x: &x {value}\nentries:\n  a: *x\n"
    with pytest.raises((TooLarge, Malformed)):
        HelmIndex(aliased.encode()).entries("a")


def test_a_laugh_is_not_a_billion():
    laughs = "".join(f"    l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 30))
    text = f"entries:\n  a:\n  - l0: &l0 ha\n{laughs}    version: 1.0.0\n"
    assert [entry["version"] for entry in HelmIndex(text.encode()).entries("a")] == ["1.0.0"]
    with pytest.raises(TooLarge):
        HelmIndex(text.replace("1.0.0", "!!str 1.0.0").encode()).entries("a")


# -- any shape ---------------------------------------------------------------------------------------

_fragments = st.sampled_from(
    [
        '"', "'", "\\", "''", ": ", "- ", "? ", "[", "]", "{", "}", ",", "#", " #", "|\n", ">-\n", "&a ", "*a", "!!str ", "\n",
        " ", "  ", "    ", "\t", "<<: ", "entries:\n", "---\n", "...\n", "version: 9.9.9\n", "    version: 7.7.7\n",
        "  evil:\n", "  - name: evil\n    version: 9.9.9\n", '    x: "open\n', "    x: 'open\n", "    urls: [\n",
        "      text\n", "    - item\n", "generated: x\n", "\r\n", "\u2028", "  alpha:\n", 'x: "\n', "~", "null",
    ]
)  # fmt: skip


@st.composite
def _mutated(draw, most=4) -> str:
    text = PLAIN
    for _ in range(draw(st.integers(1, most))):
        at = draw(st.integers(0, len(text)))
        if draw(st.booleans()):
            at = text.rfind("\n", 0, at) + 1
        kind = draw(st.sampled_from(["insert", "insert", "insert", "delete"]))
        fragment = "".join(draw(st.lists(_fragments, min_size=1, max_size=3)))
        text = (
            text[:at] + fragment + text[at:]
            if kind == "insert"
            else text[:at] + text[at + draw(st.integers(1, 30)) :]
        )
    return text


def _compare(text: str) -> None:
    try:
        expected = {chart: by_parser(text, chart) for chart in ("alpha", "beta", "evil", "empty")}
    except (yaml.YAMLError, AttributeError, TypeError):
        return  # no parser reads it: whatever the cut finds in it is no wrong answer
    if "<<" in text:
        return  # merge keys: a parser that reads text alone does not merge
    index = HelmIndex(text.encode())
    for chart, entries in expected.items():
        assert index.entries(chart) == entries


@settings(max_examples=200)
@given(_mutated())
@example(HOSTILE["quoted scalar that looks like a chart"])
def test_any_change_to_an_index_equals_the_parser(text):
    _compare(text)


@settings(max_examples=200)
@given(st.lists(_fragments, max_size=12).map("".join), st.lists(_fragments, max_size=8).map("".join))
def test_any_text_in_an_entry_equals_the_parser(inside, behind):
    _compare(
        f"entries:\n  alpha:\n  - version: 1.0.0\n    description: {inside}\n    name: alpha\n  evil:\n{behind}\n"
    )


def test_a_block_that_needs_its_surroundings_is_not_read_alone():
    assert read_block(b"  - version: *elsewhere\n") is None


def test_events_keep_one_chart():
    assert read_by_events(PLAIN.encode(), "beta")[1]["version"] == "1.0.0"
