"""Documentation pages as they really are: ids, odd spaces, includes, tabs, reStructuredText, AsciiDoc."""

from __future__ import annotations

import pytest

from upstreamsync.errors import SelectionError
from upstreamsync.kit.yaml import manifests
from upstreamsync.sources.asciidoc_blocks import asciidoc_blocks
from upstreamsync.sources.blocks import Block, heading_text, include_of, repaired
from upstreamsync.sources.html_blocks import html_blocks
from upstreamsync.sources.markdown_blocks import markdown_blocks
from upstreamsync.sources.rst_blocks import rst_blocks

YAML = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"


def indent(text: str, by: str) -> str:
    return "".join(f"{by}{line}" if line.strip() else line for line in text.splitlines(keepends=True))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Install {#install}", "Install"),
        ("Install {: #install}", "Install"),
        ("Install { #install .big }", "Install"),
        ("Install {#install} ¶", "Install {#install}"),
        ("Install ¶", "Install"),
        ("Use {x} and #1", "Use {x} and #1"),
        ("The `{}` key", "The `{}` key"),
    ],
)
def test_ids_are_no_words_of_a_heading(written, words):
    assert heading_text(written) == words


def test_headings_with_ids_are_found_by_their_words():
    (block,) = markdown_blocks(f"## Install {{#install}}\n\n```yaml\n{YAML}```\n")
    assert block.headings == ("Install",)


@pytest.mark.parametrize("space", "\u00a0\u2003\u2009\u202f\u3000")
def test_odd_spaces_become_plain_ones(space):
    text = YAML.replace("  name", f"{space}{space}name").replace(": v1", f":{space}v1")
    plain, odd = repaired(text)
    assert (plain, odd) == (YAML, 3)
    assert manifests.load(plain)["metadata"] == {"name": "a"}


@pytest.mark.parametrize("nothing", "\u200b\u2060\ufeff\u00ad")
def test_what_nobody_sees_goes(nothing):
    assert repaired(YAML.replace("kind", f"ki{nothing}nd")) == (YAML, 1)


def test_nbsp_of_html():
    page = "<h2>x</h2><pre><code>" + YAML.replace("  name", "&nbsp;&nbsp;name") + "</code></pre>"
    (block,) = html_blocks(page)
    assert repaired(block.text)[0] == YAML


# -- includes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        '{{< codenew file="application/deployment.yaml" >}}',
        '{{% code_sample file="application/deployment.yaml" %}}',
        '{{< readfile file="a.yaml" code="true" lang="yaml" >}}',
        "{% include install.yaml %}",
        "{% include_relative install.yaml %}",
        '--8<-- "docs/install.yaml"',
        ".. literalinclude:: install.yaml",
        "include::install.yaml[]",
        "include::{dir}/install.yaml[tag=x]",
        "{! install.yaml !}",
        "<<< @/snippets/install.yaml",
        "@[code](./install.yaml)",
        "https://github.com/acme/tool/blob/main/install.yaml",
        "<!--#include file=\"install.yaml\" -->",
    ],
)  # fmt: skip
def test_an_include_is_no_content(line):
    assert include_of(Block(text=f"{line}\n", language="yaml", headings=())) == line
    assert include_of(Block(text=f"{YAML}{line}\n", language="yaml", headings=())) is None


@pytest.mark.parametrize(
    "line", ["apiVersion: v1", "- include: x", "{}", "a: '{{< x >}}'", "{{ $labels.x }}"]
)
def test_what_is_no_include(line):
    assert include_of(Block(text=f"{line}\n", language="yaml", headings=())) is None


def source(world, name: str, page: str, **block) -> dict:
    url = world.file(name, page)
    return {"docs": {"url": url, "blocks": [{"file": "a.yaml", **block}]}}


def test_a_block_that_only_includes_is_refused_in_the_readers_words(world, fetch):
    page = '# Install\n\n```yaml\n{{< codenew file="a.yaml" >}}\n```\n'
    with pytest.raises(SelectionError, match="only includes another file") as caught:
        fetch(source(world, "page.md", page))
    assert "`url` or `git`" in caught.value.hint


def test_an_include_outside_of_any_block_is_named(world, fetch):
    page = '# Install\n\n{{% code_sample file="a.yaml" %}}\n\n# Other\n\n```sh\nx\n```\n'
    with pytest.raises(SelectionError) as caught:
        fetch(source(world, "page.md", page, language="yaml"))
    assert 'code_sample file="a.yaml"' in caught.value.hint


def test_repairs_are_noted(world, fetch):
    page = f"# Install\n\n```yaml\n{YAML.replace('  name', chr(0xA0) * 2 + 'name')}```\n"
    artifact = fetch(source(world, "page.md", page))
    assert artifact.files[0].data.decode() == YAML
    assert "2 odd spaces" in artifact.notes[0]


# -- tabs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    [
        '=== "YAML"\n\n    ```yaml\nBODY    ```\n\n=== "Helm"\n\n    ```sh\n    helm\n    ```\n',
        '=== "YAML"\n    ```yaml\nBODY    ```\n=== "Helm"\n    ```sh\n    helm\n    ```\n',
        "!!! note\n    ```yaml\nBODY    ```\n",
        '??? example "x"\n    ```yaml\nBODY    ```\n',
        "<Tabs>\n<TabItem value='a'>\n\n```yaml\nFLAT```\n\n</TabItem>\n</Tabs>\n",
        "<Tabs>\n<TabItem value='a'>\n```yaml\nFLAT```\n</TabItem>\n</Tabs>\n",
        "{{< tabs >}}\n{{% tab %}}\n```yaml\nFLAT```\n{{% /tab %}}\n{{< /tabs >}}\n",
        ":::tabs\n```yaml\nFLAT```\n:::\n",
        "1. Step\n\n\t```yaml\nTABS\t```\n",
    ],
)
def test_blocks_in_tabs(page):
    body = indent(YAML, "    ")
    text = page.replace("BODY", body).replace("FLAT", YAML).replace("TABS", indent(YAML, "\t"))
    blocks = [block for block in markdown_blocks(text) if block.language == "yaml"]
    assert [block.text for block in blocks] == [YAML]


# -- reStructuredText --------------------------------------------------------------------------------

RST = """\
=======
Install
=======

First
-----

.. code-block:: yaml
   :caption: install.yaml
   :linenos:

BLOCK
Text::

   $ kubectl apply

Second
------

.. code:: yaml

BLOCK
- in a list

  .. sourcecode:: yaml

DEEPER
.. literalinclude:: other.yaml

Last
====
"""


def test_blocks_of_restructuredtext():
    page = RST.replace("BLOCK", indent(YAML, "   ")).replace("DEEPER", indent(YAML, "     "))
    found = [(block.language, block.headings[-1], block.text) for block in rst_blocks(page)]
    assert found == [
        ("yaml", "First", YAML),
        (None, "First", "$ kubectl apply\n"),
        ("yaml", "Second", YAML),
        ("yaml", "Second", YAML),
    ]


ADOC = """\
= Title

== Install

[source,yaml]
----
BLOCK----

.A caption
[source,yaml,linenums]
----
apiVersion: v1 <1>
kind: ConfigMap # <2>
metadata:
  name: a
----
<1> A callout

=== Deeper [[deeper]]

[,yaml]
----
BLOCK----

[source%linenums,language=yaml]
....
BLOCK....

```yaml
BLOCK```

[source,sh]
kubectl apply
-f x

|===
| no | table
|===
"""


def test_blocks_of_asciidoc():
    found = [(block.language, block.text) for block in asciidoc_blocks(ADOC.replace("BLOCK", YAML))]
    assert found == [("yaml", YAML)] * 5 + [("sh", "kubectl apply\n-f x\n")]
    headings = [block.headings[1] for block in asciidoc_blocks(ADOC.replace("BLOCK", YAML))]
    assert headings == ["Install"] * 6


DEEP = indent(YAML, "   ")


@pytest.mark.parametrize(
    ("page", "found"),
    [
        (f".. code:: yaml\n\n{DEEP}", [("yaml", YAML)]),
        (f".. code-block:: yaml\n   :linenos:\n   :caption: a.yaml\n\n{DEEP}\ntext\n", [("yaml", YAML)]),
        (f"1. Apply this::\n\n{DEEP}\n2. done\n", [(None, YAML)]),
        (f".. highlight:: yaml\n\nApply::\n\n{DEEP}", [("yaml", YAML)]),
        (f".. highlight:: sh\n\n.. code-block:: yaml\n\n{DEEP}", [("yaml", YAML)]),
        (f".. tab-item:: Helm\n\n   .. code-block:: yaml\n\n{indent(YAML, '      ')}", [("yaml", YAML)]),
        (f".. once it was\n\n   .. code-block:: yaml\n\n{indent(YAML, '      ')}\ntext\n", []),
        (f"..\n   Apply::\n\n{indent(YAML, '      ')}", []),
        (f".. _target:\n\n.. code-block:: yaml\n\n{DEEP}", [("yaml", YAML)]),
        (f".. note::\n   Apply::\n\n{indent(YAML, '      ')}", [(None, YAML)]),
        (f".. code-block:: yaml\n\n{DEEP}\n\n.. code-block:: sh\n\n   ls\n", [("yaml", YAML), ("sh", "ls\n")]),
    ],
)  # fmt: skip
def test_neighbours_in_restructuredtext(page, found):
    assert [(block.language, block.text) for block in rst_blocks(page)] == found


@pytest.mark.parametrize(
    ("page", "found"),
    [
        (f"[source, yaml]\n----\n{YAML}----\n", [("yaml", YAML)]),
        (f"[source,yaml,subs=\"+quotes\"]\n.A title\n------\n{YAML}------\n", [("yaml", YAML)]),
        (f"[source,yaml]\n\n----\n{YAML}----\n", [("yaml", YAML)]),
        (f"* item\n+\n[source,yaml]\n----\n{YAML}----\n", [("yaml", YAML)]),
        (f":source-language: yaml\n\n[source]\n----\n{YAML}----\n", [("yaml", YAML)]),
        (f":source-language: yaml\n\n----\n{YAML}----\n", [(None, YAML)]),
        (f"////\n[source,yaml]\n----\n{YAML}----\n////\n", []),
        (f"====\n[source,yaml]\n----\n{YAML}----\n====\n", [("yaml", YAML)]),
        (f"[source,yaml]\n// ours\n----\n{YAML}----\n", [("yaml", YAML)]),
        (f"[NOTE]\ntext\n\n----\n{YAML}----\n", [(None, YAML)]),
        (f"[source,yaml]\n----\n{YAML}----\n\n----\nls\n----\n", [("yaml", YAML), (None, "ls\n")]),
    ],
)  # fmt: skip
def test_neighbours_in_asciidoc(page, found):
    assert [(block.language, block.text) for block in asciidoc_blocks(page)] == found


@pytest.mark.parametrize(("name", "page"), [("page.rst", RST), ("page.adoc", ADOC)])
def test_the_name_tells_what_a_page_is_written_in(world, fetch, name, page):
    text = page.replace("BLOCK", YAML if name.endswith("adoc") else indent(YAML, "   "))
    text = text.replace("DEEPER", indent(YAML, "     "))
    artifact = fetch(source(world, name, text, language="yaml", index=0))
    assert artifact.files[0].data.decode() == YAML
