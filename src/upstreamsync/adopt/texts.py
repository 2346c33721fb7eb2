"""YAML for people: keys in the order they were given, long texts as blocks, quotes where they matter."""

from __future__ import annotations

from typing import Any

from upstreamsync.kit.yaml import manifests, syntax


class _Dumper(syntax.SafeDumper):
    """Lists are indented below their keys' column, as Kubernetes files are written; nothing is an alias."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (PyYAML asks for each value)
        return True


def _text(dumper: syntax.SafeDumper, text: str) -> syntax.ScalarNode:
    tag = "tag:yaml.org,2002:str"
    if "\n" in text and not any(line != line.rstrip() for line in text.split("\n")) and "\t" not in text:
        return dumper.represent_scalar(tag, text, style="|")
    # What begins like a number is quoted: the readers of the world do not agree on what is one.
    doubtful = bool(text) and (text[0] in "+-.0123456789~" or manifests.scalar(text) != text)
    return dumper.represent_scalar(tag, text, style="'" if doubtful and "\n" not in text else None)


_Dumper.add_representer(str, _text)


def dump(value: Any) -> bytes:
    """A value as a YAML document, in UTF-8."""
    text: str = syntax.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**31 - 1, default_flow_style=False
    )
    return text.encode()
