"""Upstream's words can neither ping people, nor leave their place, nor link back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from upstreamsync.forge.text.markdown import code, details, fence, link, prose, summary_text, table
from upstreamsync.kit.defuse import inert, quoted_notes

HOSTILE = [
    "@ann", "@acme/team", "ann@example.com", "#12", "GH-7", "acme/tool#12", "&#64;ann", "&commat;ann", "\\@ann",
    "<b>", "</details>", "<!-- x -->", "<img src=x>", "<script>", "<https://github.com/a/b/issues/1>", "```",
    "~~~", "`", "``", "    ", "> ", "- ", "1. ", "- [x] ", "| a | b |", "\n", "\n\n", "\r\n", "# Title", "***", "---",
    "![i](http://x/y.png)", "[t](https://github.com/a/b/pull/1)", "[t](javascript:alert)", "[t]: /x", "<details>",
    "https://github.com/a/b/issues/3", "http://www.github.com/a/b", "https://medium.com/@ann/x", "x", " ", "*", "_",
    "[t]: <javascript:a>", "[t]:\n/x", "\n[t]: /x\n", "[t]", "[t][t]", "]:", "```@ann`@ann`", "``@ann``", "\\`", "\\|", "a\\|@ann",
    "\u2028", "\x9b", "a" * 40, "0123456789abcdef0123456789abcdef01234567", "\u202e", "\x00", "$", "|", "\\", "[", "](", ")", "fixes #3",
]  # fmt: skip
texts = st.lists(st.sampled_from(HOSTILE), max_size=30).map("".join)
MENTION = re.compile(r"(?<![A-Za-z0-9_`])@[A-Za-z0-9]")
REFERENCE = re.compile(r"#\d|\b[Gg][Hh]-\d|(?<![\w/])(?:www\.)?github\.com/")


def markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def all_tokens(tokens):
    for token in tokens:
        yield token
        yield from all_tokens(token.children or [])


def assert_harmless(tokens) -> None:
    for token in all_tokens(tokens):
        assert token.type not in ("html_block", "html_inline", "image"), token
        if token.type in ("text", "code_inline", "fence", "code_block"):
            assert not MENTION.search(token.content), token.content
        if token.type == "link_open":
            assert re.match(r"https?://", token.attrs["href"]), token.attrs
            assert not re.match(r"https?://(www\.)?github\.com", token.attrs["href"], re.IGNORECASE)


@given(texts)
@settings(max_examples=300, deadline=None)
def test_notes_are_harmless_and_stay_in_their_quote(text):
    quote, _ = quoted_notes(text, limit=10_000)
    tokens = markdown().parse(f"before\n\n{quote}\n\nAFTER\n")
    assert_harmless(tokens)
    # What follows is a paragraph of its own again, whatever upstream left open.
    last = [token for token in tokens if token.type == "inline"][-1]
    assert (last.content, last.level) == ("AFTER", 1)


@given(texts)
@settings(max_examples=300, deadline=None)
def test_prose_in_a_table_stays_in_its_cell(text):
    rendered = markdown().parse(
        table(("a", "b"), [(prose(text, cell=True), code(text, cell=True)), ("x", "y")])
    )
    assert sum(token.type == "td_open" for token in rendered) == 4
    assert sum(token.type == "tr_open" for token in rendered) == 3
    for token in all_tokens(rendered):
        assert token.type not in ("html_block", "html_inline", "image", "heading_open")
        if token.type == "text":
            assert not MENTION.search(token.content)
        if token.type == "link_open":
            assert re.match(r"https?://", token.attrs["href"]), token.attrs


@pytest.mark.parametrize(
    "text", ["```@ann`@ann`", "`GH-7``@ann`", "\\` ``@ann``", "`</details>``@ann``", "``@ann`"]
)
def test_a_backtick_that_opens_no_code_stays_a_backtick(text):
    """One that is escaped twice is not escaped: the code began elsewhere than where we thought."""
    for rendered in (
        markdown().parse(prose(text)),
        markdown().parse(table(("a",), [(prose(text, cell=True),)])),
    ):
        shown = "".join(token.content for token in all_tokens(rendered) if token.type == "text")
        assert not MENTION.search(shown), shown


@pytest.mark.parametrize(
    "definition",
    ["[t]: /x", "[t]:/x", "[t]:\n/x", "[t]: <javascript:a>", "  [t]:\t//x 'title'", "- [t]: /x", "> [t]: /x"],
)
@pytest.mark.parametrize("use", ["[t]", "[t][]", "[x][t]", "[t](javascript:alert)", "![t]", "[a [t] b][t]"])
@pytest.mark.parametrize("form", ["{use}\n\n{definition}", "{definition}\n\n{use}"])
def test_a_reference_leads_nowhere(definition, use, form):
    quote, _ = quoted_notes(form.format(use=use, definition=definition), limit=10_000)
    assert_harmless(markdown().parse(quote))
    assert not [token for token in all_tokens(markdown().parse(quote)) if token.type == "link_open"]


@pytest.mark.parametrize("text", [r"a\|@ann", r"\|", r"a\\|b|@ann"])
def test_a_backslash_before_a_pipe_does_not_open_the_cell(text):
    """GitHub's parser reads two backslashes as one that is escaped; the pipe behind them would end the cell."""
    for cell in (code(text, cell=True), prose(text, cell=True)):
        assert not re.search(r"(?<!\\)(?:\\\\)+\|", cell), cell


@given(texts)
@settings(max_examples=300, deadline=None)
def test_a_fence_is_longer_than_what_it_holds(text):
    tokens = markdown().parse(f"{fence(text, 'yaml')}\n\nAFTER")
    assert tokens[0].type == "fence"
    assert tokens[-2].content == "AFTER"


@given(texts)
@settings(max_examples=200, deadline=None)
def test_a_summary_holds_text_only(text):
    shown = summary_text(text)
    assert not re.search(r"[<>]|@[^\u200b]|&(?!amp;|lt;|gt;)", shown)
    assert "\n" not in details(shown, "x").split("</summary>")[0]


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("thanks @ann", "thanks @\u200bann"),
        ("fixes #12", "fixes #\u200b12"),
        ("# Title", "# Title"),
        ("acme/tool#12", "acme/tool#\u200b12"),
        ("GH-7", "GH-\u200b7"),
        ("<b>x</b>", "<\u200bb>x<\u200b/b>"),
        ("a < b", "a < b"),
        ("&#64;ann", "&\u200b#\u200b64;ann"),
        ("R&D", "R&\u200bD"),
        ("![x](https://e.example/i.png)", "!\u200b[x](https://e.example/i.png)"),
        ("[x](javascript:a)", "[x]\u200b(javascript:a)"),
        ("[x](https://e.example/p)", "[x](https://e.example/p)"),
        ("https://github.com/a/b/pull/1", "https://redirect.github.com/a/b/pull/1"),
        ("http://www.GitHub.com/a", "https://redirect.github.com/a"),
        ("https://github.community/a", "https://github.community/a"),
        ("see github.com/a/b/pull/1", "see github\u200b.com/a/b/pull/1"),
        ("https://e.example/@ann#frag", "https://e.example/%40ann#frag"),
        ("one\r\ntwo", "one\ntwo"),
        ("a\u202eb\x00c", "abc"),
    ],
)
def test_each_trigger_is_broken_and_links_stay(given_text, expected):
    assert inert(given_text) == expected


def test_notes_are_cut_at_a_line():
    quote, cut = quoted_notes("one\ntwo\nthree", limit=13)
    assert (quote, cut) == ("> one\n> two", True)


def test_a_link_that_could_leave_its_parentheses_is_no_link():
    assert link("page", "https://e.example/a)[x](https://evil") == "`https://e.example/a)[x](https://evil`"
    assert link("page", "javascript:alert(1)") == "`javascript:alert(1)`"
    assert link("a|b", "https://e.example/p") == "[a\\|b](https://e.example/p)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", "`a`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("a\nb", "`a b`"), ("", "` `")],
)
def test_code_spans_hold_any_text(text, expected):
    assert code(text) == expected
    tokens = markdown().parse(f"x {code(text)} y")
    assert [child.type for child in tokens[1].children] == ["text", "code_inline", "text"]
