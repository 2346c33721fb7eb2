"""The text of the vendors.yaml to start from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from upstreamsync.discover.candidates import Proposal
from upstreamsync.kit.yaml import manifests, syntax
from upstreamsync.model import Place

#: Editors complete and check the file with it.
SCHEMA = "https://raw.githubusercontent.com/upstreamsync/upstreamsync/main/docs/vendors.schema.json"
_HEAD = f"""\
# yaml-language-server: $schema={SCHEMA}
# A start, written by `upstreamsync init`. Read the lines that say `unsure`, then run `upstreamsync check`.
version: 1
"""


class _Dumper(syntax.SafeDumper):
    """Quotes what Kubernetes' YAML would not read as the text that it is."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: syntax.SafeDumper, value: str) -> syntax.ScalarNode:
    plain = manifests.scalar(value) if value else None
    style = None if isinstance(plain, str) else '"'
    if style is None and "\\" in value:
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def render(proposals: Sequence[Proposal], *, unexplained: Sequence[str] = ()) -> str:
    """vendors.yaml with these vendors; what is not complete, or not explained, stands behind them as comments."""
    complete = [one for one in proposals if one.complete]
    rest = [one for one in proposals if not one.complete]
    parts = [_HEAD, "vendors:\n" if complete else "vendors: []\n"]
    parts += [f"{'' if number == 0 else chr(10)}{_entry(one)}" for number, one in enumerate(complete)]
    if rest:
        parts.append("\n  # Not complete: fill in what is missing, then take the comment signs away.\n")
        parts += [f"\n{_commented(_entry(one))}" for one in rest]
    if unexplained:
        parts.append("\n  # Looks vendored, and nothing here says where from:\n")
        parts += [f"  # - {folder}\n" for folder in unexplained]
    return "".join(parts)


def entry(proposal: Proposal) -> dict[str, Any]:
    """The vendor as a mapping, its keys in the order of the documentation."""
    found: dict[str, Any] = {"name": proposal.name}
    if proposal.version is not None or not proposal.images:
        found["version"] = proposal.version or "UNKNOWN"
    sources = [_plain(source) for source in proposal.sources]
    if sources:
        found["source"] = sources[0] if len(sources) == 1 else sources
    for key, value in (
        ("releases", proposal.releases),
        ("base", proposal.base),
        ("edits", proposal.edits),
        ("images", proposal.images),
    ):
        if value:
            found[key] = _plain(value)
    if _uses_http(found):
        found["allow_http"] = True
    return found


def _uses_http(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_uses_http(one) for one in value.values())
    if isinstance(value, list):
        return any(_uses_http(one) for one in value)
    loopback = ("http://127.", "http://localhost", "http://[::1]")
    return isinstance(value, str) and value.startswith("http://") and not value.startswith(loopback)


def _entry(proposal: Proposal) -> str:
    remarks = [f"# found in {_shown(place)}" for place in proposal.found]
    remarks += [f"# unsure: {remark}" for remark in proposal.unsure]
    if _uses_http(entry(proposal)):
        remarks.append("# unsure: http:// is not protected against changes on the way; is there https://?")
    dumped = syntax.dump(
        [entry(proposal)],
        Dumper=_Dumper,
        sort_keys=False,
        width=10**6,
        allow_unicode=True,
        default_flow_style=False,
    )
    lines = [*(" ".join(remark.split()) for remark in remarks), *dumped.splitlines()]
    return "".join(f"  {line}\n" for line in lines)


def _commented(text: str) -> str:
    lines = (line[2:] for line in text.splitlines())
    return "".join(f"  {line}\n" if line.startswith("# ") else f"  # {line}\n" for line in lines)


def _shown(place: Place) -> str:
    return f"{place.file}:{place.line}" if place.line else place.file


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
