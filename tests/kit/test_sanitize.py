"""Foreign text: nothing hidden, nothing that acts on a terminal, nothing that a CI system takes for a command."""

from __future__ import annotations

import io
import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstreamsync.kit.sanitize import Guarded, commands_only, json_text, one_line, sanitized, visible

PIECES = [
    "::error file=x::INJECTED", "::", ":", "##[error]x", "##vso[task.setvariable]x", "##TeamCity[x]", "#", "[", "\n", "\r", "\r\n",
    "\x1b[31m", "\x1b]0;OWNED\x07", "\x9b31m", "\u202e", "\u2066", "\u200f", "\u2028", "\x85", "\x0b", "\x0c", "\x00", "\x7f",
    "\ufeff", "\U000e0041", "\ud800", " ", "\t", "\u3000", "\xa0", "a", "é", "👩\u200d🚀", "v1.0",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=12).map("".join)


def acts(text: str) -> list[str]:
    """What of a text would act, as a terminal and the runners of GitHub, Azure and TeamCity read it."""
    found = [
        hex(ord(c)) for c in text if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} and c not in "\n\t"
    ]
    found += [
        hex(ord(c))
        for c in text
        if unicodedata.bidirectional(c) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    ]
    found += [line for line in text.splitlines() if line.strip().startswith("::")]
    return found + re.findall(r"##(?:vso|teamcity)?\[", text, re.IGNORECASE)


@given(texts)
def test_nothing_in_it_acts_and_doing_it_twice_changes_nothing(text):
    done = sanitized(text)
    assert acts(done) == []
    assert sanitized(done) == done
    assert "\n" not in one_line(text)


@given(texts)
def test_a_json_document_says_the_same_and_acts_as_little(text):
    text = text.encode("utf-8", "replace").decode()
    written = json_text(json.dumps({"key": text, text: [text]}, ensure_ascii=False, indent=2))
    assert json.loads(written) == {"key": text, text: [text]}
    assert acts(written) == []


@given(texts)
def test_what_a_command_of_ours_carries_stays_in_it(text):
    quoted = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    lines = commands_only(f"::error file=a.yaml::{quoted}\n::notice::{quoted}\n").splitlines()
    assert [line.split("::")[1] for line in lines] == ["error file=a.yaml", "notice"]


@given(st.lists(texts, max_size=6))
def test_a_stream_is_guarded_whatever_is_written_at_a_time(pieces):
    stream = io.StringIO()
    guarded = Guarded(stream)
    for piece in pieces:
        guarded.write(visible(piece) + "\n")
    assert acts(stream.getvalue()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text: 1 :: 2, C++ std::vector, ## Title, [x]", "plain text: 1 :: 2, C++ std::vector, ## Title, [x]"),
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("abc\u202ecba", "abc\\u202ecba"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("::error::x", ": :error::x"),
        ("x\n  ::set-output name=a::b", "x\n  : :set-output name=a::b"),
        ("said ##[error]x", "said # #[error]x"),
        ("👩\u200d🚀 naïve", "👩\u200d🚀 naïve"),
    ],
)  # fmt: skip
def test_what_is_plain_stays_and_what_acts_is_shown(text, expected):
    assert sanitized(text) == expected
