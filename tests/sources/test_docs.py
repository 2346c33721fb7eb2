from __future__ import annotations

import os
from pathlib import Path

import pytest

from upstreamsync.errors import Malformed, SelectionError
from upstreamsync.sources.html_blocks import html_blocks
from upstreamsync.sources.markdown_blocks import markdown_blocks

YAML = "apiVersion: v1\nkind: Namespace\n\nmetadata:\n  name: <a> & b\n"
LINES = YAML.splitlines()


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


ESCAPED = [escape(line) for line in LINES]
NUMBERS = range(1, len(LINES) + 1)

#: The same block as different tools write it.
PAGES = {
    "plain": f"<pre><code class='language-yaml'>{escape(YAML)}</code></pre>",
    "plain without a final newline": f"<pre><code class='lang-yml'>{escape(YAML).rstrip()}</code></pre>",
    "crlf": "<pre lang='yaml'>" + escape(YAML).replace("\n", "\r\n") + "</pre>",
    "pygments": "<div class='highlight-yaml notranslate'><div class='highlight'><pre><span></span>"
    + "\n".join(f"<span class='nt'>{line}</span>" for line in ESCAPED)
    + "\n</pre></div></div>",
    "pygments with numbers beside": "<div class='language-yaml highlight'><table class='highlighttable'><tr>"
    "<td class='linenos'><div class='linenodiv'><pre><span></span>"
    + "\n".join(map(str, NUMBERS))
    + f"</pre></div></td><td class='code'><div><pre><code>{escape(YAML)}</code></pre></div></td></tr></table></div>",
    "pygments with numbers within": "<div class='highlight-yaml'><pre>"
    + "".join(f"<span class='linenos'>{n}</span>{line}\n" for n, line in zip(NUMBERS, ESCAPED, strict=True))
    + "</pre></div>",
    "chroma": "<div class='highlight'><pre class='chroma'><code class='language-yaml' data-lang='yaml'>"
    + "".join(f"<span class='line'><span class='cl'>{line}\n</span></span>" for line in ESCAPED)
    + "</code></pre></div>",
    "chroma with a table of numbers": "<table class='lntable'><tr><td class='lntd'><pre class='chroma'><code>"
    + "".join(f"<span class='lnt'>{n}\n</span>" for n in NUMBERS)
    + "</code></pre></td><td class='lntd'><pre class='chroma'><code class='language-yaml'>"
    + escape(YAML)
    + "</code></pre></td></tr></table>",
    "chroma with numbers by style": "<pre><code class='language-yaml'>"
    + "".join(
        f"<span style='display:flex'><span style='white-space:pre;user-select: none'>{n}</span>"
        f"<span>{line}\n</span></span>"
        for n, line in zip(NUMBERS, ESCAPED, strict=True)
    )
    + "</code></pre>",
    "prism with breaks": "<div class='language-yaml'><pre class='prism-code language-yaml'><code>"
    + "".join(f"<span class='token-line'><span class='token'>{line}</span><br></span>" for line in ESCAPED)
    + "</code></pre><button>Copy</button></div>",
    "lines in elements": "<pre data-language='yaml'><code>"
    + "".join(f"<div class='ec-line'><div class='gutter'>1</div><div>{line}</div></div>" for line in ESCAPED)
    + "</code></pre>",
    "lines in spans": "<pre class='shiki'><code class='language-yaml'>"
    + "\n".join(f"<span class='line'>{line}</span>" for line in ESCAPED)
    + "</code></pre>",
    "a forge's": f"<div class='highlight highlight-source-yaml'><pre>{escape(YAML)}</pre></div>",
    "a bare class": f"<pre class='sourceCode yaml'><code>{escape(YAML)}</code></pre>",
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_highlighters_change_nothing_of_the_text(page):
    blocks = html_blocks(f"<!doctype html><h1>Install</h1><p>x</p>{page}<p>y</p>")
    assert [(block.text, block.language) for block in blocks] == [(YAML, "yaml")]
    assert blocks[0].headings == ("Install",)


def test_headings_nest_and_lose_their_permalinks():
    page = (
        "<h1>Guide</h1><h2>First<a class='headerlink' href='#x'>¶</a></h2><pre>a</pre>"
        "<h3>Deep <code>x</code></h3><pre>b</pre><h2> Second\n part #</h2><pre>c</pre>"
    )
    assert [block.headings for block in html_blocks(page)] == [
        ("Guide", "First"),
        ("Guide", "First", "Deep x"),
        ("Guide", "Second part"),
    ]


MARKDOWN = {
    "fence": "```yaml\n{}```\n",
    "tildes and capitals": "~~~ YAML\n{}~~~\n",
    "with attributes": '```yaml title="x.yaml" {{1,3}}\n{}```\n',
    "with braces": "```{{.yaml .annotate}}\n{}```\n",
    "with lines": "```yaml{{3}}\n{}```\n",
}


@pytest.mark.parametrize("form", MARKDOWN.values(), ids=MARKDOWN)
def test_fences_of_every_form(form):
    assert [(b.text, b.language) for b in markdown_blocks(form.format(YAML))] == [(YAML, "yaml")]


def test_fences_in_lists_quotes_tabs_and_indented_code():
    fence = f"```yaml\n{YAML}```\n"

    def indent(text: str, by: str) -> str:
        return "".join(by + line if line.strip() else line for line in text.splitlines(keepends=True))

    page = (
        f"---\ntitle: t\n---\n\n# T\n\n1. one\n\n   - two\n\n{indent(fence, '     ')}\n"
        + "".join(f"> {line}" for line in fence.splitlines(keepends=True))
        + f'\n=== "Tab"\n\n{indent(fence, "    ")}\nText\n\n{indent(YAML, "    ")}\nSetext\n===\n'
        + f"<pre lang='yaml'>\n{escape(YAML)}</pre>\n"
    )
    blocks = markdown_blocks(page)
    assert [block.text for block in blocks] == [YAML] * 5
    assert [block.language for block in blocks] == ["yaml", "yaml", "yaml", None, "yaml"]
    assert [block.headings for block in blocks] == [("T",)] * 4 + [("Setext",)]


PAGE = (
    "# Install v1.2.3\n\n```sh\nkubectl apply\n```\n\n## CRDs\n\n```yaml\nkind: A\n```\n\n"
    "## Controller\n\n```yaml\nkind: B\n```\n\n### Options\n\n```yaml\nkind: C\n```\n"
)


def take(world, fetch, **block):
    world.file("/page.md", PAGE)
    artifact = fetch({"docs": {"url": f"{world.url}/page.md", "blocks": [{"file": "x.yaml", **block}]}})
    return artifact.files[0].data.decode()


def test_blocks_are_chosen_by_each_condition(world, fetch):
    assert take(world, fetch, heading="crds") == "kind: A\n"
    assert take(world, fetch, heading="Install {version}", contains="kind: B") == "kind: B\n"
    assert take(world, fetch, heading="Controller", index=0) == "kind: B\n"
    assert take(world, fetch, heading="Options") == "kind: C\n"
    assert take(world, fetch, language="yml", index=-1) == "kind: C\n"
    assert take(world, fetch, language="bash") == "kubectl apply\n"


@pytest.mark.parametrize(
    ("block", "message", "hint"),
    [
        ({"heading": "Controler"}, "the heading `Controler`", "did you mean the heading `Controller`"),
        ({"language": "json"}, "the language `json`", "sh under “Install v1.2.3”: kubectl apply"),
        ({"heading": "CRDs", "contains": "kind: B"}, "the text 'kind: B'", "kind: A"),
        ({"heading": "Controller"}, "2 code blocks fit", "[1] yaml under “Options”: kind: C"),
        ({"language": "yaml", "index": 3}, "3 code blocks fit", "kind: C"),
    ],
)
def test_what_is_not_exactly_one_block_says_what_there_is(world, fetch, block, message, hint):
    with pytest.raises(SelectionError) as caught:
        take(world, fetch, **block)
    assert message in caught.value.message
    assert f"{world.url}/page.md" in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_page_without_code_blocks(world, fetch):
    world.file("/page.html", "<!doctype html><p>moved</p>")
    with pytest.raises(SelectionError, match="no code block"):
        fetch({"docs": {"url": f"{world.url}/page.html", "blocks": [{"file": "x.yaml"}]}})


def test_two_blocks_of_one_name(world, fetch):
    world.file("/page.md", PAGE)
    blocks = [{"file": "x.yaml", "heading": "CRDs"}, {"file": "x.yaml", "heading": "Options"}]
    with pytest.raises(SelectionError, match=r"x\.yaml"):
        fetch({"docs": {"url": f"{world.url}/page.md", "blocks": blocks}})


def test_a_page_that_is_no_text(world, fetch):
    world.file("/page.md", b"\xff\xfe\x00")
    with pytest.raises(Malformed):
        fetch({"docs": {"url": f"{world.url}/page.md", "blocks": [{"file": "x.yaml"}]}})


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("/a.md", "text/html", "<!-- c --><!DOCTYPE html><h1>H</h1><pre>kind: A</pre>"),
        ("/a.md", "text/plain; charset=utf-8", "# H\n\n    kind: A\n"),
        ("/a", "text/html; charset=iso-8859-1", "<h1>H</h1><pre>kind: A</pre>"),
        ("/a", "text/plain", "# H\n\n    kind: A\n"),
    ],
)
def test_html_and_markdown_are_told_apart(world, fetch, path, kind, text):
    world.file(path, text, content_type=kind)
    source = {"docs": {"url": world.url + path, "blocks": [{"file": "x.yaml", "heading": "H"}]}}
    assert fetch(source).files[0].data == b"kind: A\n"


def _real_pages() -> list[Path]:
    world = Path(os.environ.get("UPSTREAM_WORLD") or Path(__file__).parents[3] / "shared" / "upstream-world")
    return sorted((world / "data" / "base" / "docs").glob("*/*"))


@pytest.mark.world
@pytest.mark.skipif(not _real_pages(), reason="needs the upstream world's documentation pages")
def test_real_pages_give_the_same_bytes_in_all_three_forms():
    pages = _real_pages()
    assert len(pages) >= 9
    for page in pages:
        markdown = markdown_blocks((page / "install.md").read_text())
        for form in ("install.html", "install-highlighted.html"):
            html = html_blocks((page / form).read_text())
            assert [b.headings for b in html[1:]] == [b.headings for b in markdown[1:]]
            assert [b.text for b in html if b.language == "yaml"] == [
                b.text for b in markdown if b.language == "yaml"
            ]
        assert any(block.language == "yaml" for block in markdown)
