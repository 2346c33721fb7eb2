from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upstreamsync.errors import TooLarge
from upstreamsync.sources.html_blocks import html_blocks
from upstreamsync.sources.markdown_blocks import markdown_blocks

PIECES = st.sampled_from(
    [
        "<pre>",
        "</pre>",
        "<code>",
        "</code>",
        "<br>",
        "<h1>",
        "</h2>",
        "<table>",
        "</span>",
        "~~~",
        "===",
        "&lt;",
        "{",
        "}",
        "<!--",
        "-->",
        "a:",
        "<code class='language-yaml'>",
        "<td class='lntd'>",
        "<span class='line'>",
        "```yaml\n",
        "+++\n",
        "---\n",
        "\n",
        "\n\n",
        "    ",
        "- ",
        "> ",
        "# ",
        "\ue000",
        "\x00",
        "é",
        "\r\n",
        "\t",
    ]
)
PAGES = st.lists(PIECES | st.text(max_size=5), max_size=40).map("".join)


@settings(max_examples=150, deadline=None)
@given(PAGES)
def test_any_page_gives_blocks_that_end_in_a_line_break(page):
    for block in html_blocks(page):
        assert block.text.strip()
        assert block.text.endswith("\n")
    for block in markdown_blocks(page):
        assert block.text.endswith("\n")


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 100_000 + "<pre>x</pre>",
        "<pre>" + "<span>" * 100_000 + "x",
        "<pre>" * 5_000,
        "<h1><pre>" * 5_000,
        "<b></b>" * 300_000,
    ],
    ids=["deep", "deep in a block", "open blocks", "open headings", "many"],
)
def test_pages_that_no_person_reads_are_refused(page):
    start = time.process_time()
    with pytest.raises(TooLarge):
        html_blocks(page)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "page",
    [
        "<pre>" + "<br>" * 100_000,
        "<p>text<li>item" * 50_000,
        "<div>" * 500 + "<i class='lnt'>x</i>" * 30_000,
        "<pre>x</pre>" * 3_000,
    ],
    ids=["breaks", "unclosed", "deep and wide", "blocks"],
)
def test_odd_pages_cost_little(page):
    start = time.process_time()
    html_blocks(page)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "page",
    [
        "[" * 50_000,
        "> " * 5_000 + "x",
        "- " * 5_000 + "x",
        "*a_ " * 20_000,
        "`" * 50_000,
        "<!--" * 10_000,
        ("    " * 8 + "```\n") * 2_000,
        "---\n" * 10_000,
        "# " + "[" * 5_000 + "\n",
        "```\n" * 20_001,
    ],
)
def test_hostile_markdown_costs_little(page):
    start = time.process_time()
    markdown_blocks(page)
    assert time.process_time() - start < 5
