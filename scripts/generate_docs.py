"""Write the generated pages of docs/: vendors-yaml.md with its schema, api.md, cli.md and verdicts.md.

With --check, write nothing and end with 1 when what is committed differs.
"""

from __future__ import annotations

import inspect
import json
import sys
import types
import typing
from datetime import timedelta
from pathlib import Path
from typing import Any

from api_page import api_page
from cli_page import cli_page
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from verdict_page import verdict_page

from upstreamsync.config import spec
from upstreamsync.config.described import descriptions
from upstreamsync.config.load import json_schema

DOCS = Path(__file__).resolve().parent.parent / "docs"
#: In the order in which a reader of vendors.yaml meets them.
SECTIONS: tuple[tuple[str, type[BaseModel], str], ...] = (
    ("The file", spec.Document, ""),
    ("A vendor", spec.Vendor, "`vendors[]`; `defaults` takes the same but `name`, `version` and `source`"),
    ("A source", spec.Source, "`vendors[].source`, one or a list"),
    ("A chart", spec.HelmSource, "`source.helm`"),
    ("A documentation page", spec.DocsSource, "`source.docs`"),
    ("A code block", spec.DocsBlock, "`source.docs.blocks[]`"),
    ("A git repository", spec.GitSource, "`source.git`"),
    ("An archive", spec.ArchiveSource, "`source.archive`"),
    ("A kustomization", spec.KustomizeSource, "`source.kustomize`"),
    ("A generator", spec.CommandSource, "`source.command`"),
    ("Selecting documents", spec.Select, "`source.select`"),
    ("Matching objects", spec.ObjectMatch, "`source.select.include[]`, `source.select.exclude[]`"),
    ("A textual change", spec.Rewrite, "`source.rewrite[]`"),
    ("Where versions come from", spec.Releases, "`vendors[].releases`; implied by chart and git sources"),
    ("Versions of a chart", spec.HelmReleases, "`releases.helm`"),
    ("Versions on a page", spec.PageReleases, "`releases.page`"),
    ("Versions in JSON", spec.JsonReleases, "`releases.json`"),
    ("Commits of a branch", spec.BranchReleases, "`releases.branch`"),
    ("Which versions to take", spec.Follow, "`vendors[].follow`"),
    ("A follow-up edit", spec.Edit, "`vendors[].edits[]`"),
    ("An image with tags of its own", spec.ImageFollow, "`vendors[].images[]`"),
    ("A fork", spec.Fork, "`vendors[].forks[]`"),
    ("A vendor's pull request", spec.PullRequestOptions, "`vendors[].pull_request`"),
    ("Pull requests of the repository", spec.Forge, "`forge`"),
    ("A check of your own", spec.Check, "`checks[]`"),
    ("A promotion", spec.Promotion, "`promote[]`"),
    ("Tools", spec.Tools, "`tools`"),
    ("Builds of kustomize", spec.KustomizeBuild, "`kustomize`"),
    ("Builds of some overlays", spec.OverlayBuild, "`kustomize.overlays[]`"),
)
NAMES = {model: title for title, model, _ in SECTIONS} | {spec.VendorOptions: "A vendor"}
INTRODUCTION = """\
# vendors.yaml

Every key, generated from the declarations in `config/spec.py` by `make docs`. An editor that understands
JSON Schema completes and checks the file with [vendors.schema.json](vendors.schema.json)
(`upstreamsync schema` prints the same).

Placeholders in strings: `{version}` as upstream writes it, `{semver}` without a leading v, `{major}`
`{minor}` `{patch}`, `{app_version}`, `{ref}`, `{commit}`, `{tag}`, `{digest}`, and the named groups of the
`tag` pattern. Paths are relative to the folder of vendors.yaml. Durations are a number and a unit: `30m`,
`12h`, `3d`, `2w`.
"""


def reference() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for title, model, place in SECTIONS:
        parts.append(f"\n## {title}\n\n")
        if place:
            parts.append(f"{place}\n\n")
        parts.append(f"{' '.join(inspect.cleandoc(model.__doc__ or '').split())}\n\n")
        parts.append("| key | value | default | meaning |\n|---|---|---|---|\n")
        texts = descriptions(model)
        parts += [
            row(info.alias or name, info, texts.get(name, ""))
            for name, info in model.model_fields.items()
            if name != "own"  # what is passed in by the caller is no key of the file
        ]
    return "".join(parts)


def row(name: str, info: FieldInfo, text: str) -> str:
    """One key."""
    meaning = " ".join(text.split()).replace("``", "`").replace("|", "\\|")
    return f"| `{name}` | {kind(info.annotation)} | {default(info)} | {meaning} |\n"


def kind(annotation: Any) -> str:
    """The kind of value in words, with a link where it is a mapping of its own."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return kind(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(kind(one) for one in arguments if one is not type(None)))
    if origin is tuple:
        return f"list of {kind(arguments[0])}"
    if origin is dict:
        return "mapping"
    if origin is typing.Literal:
        return " ".join(f"`{one}`" for one in arguments)
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        title = NAMES[annotation]
        return f"[{title.lower()}](#{title.lower().replace(' ', '-').replace(chr(39), '')})"
    return {str: "text", int: "number", bool: "true/false", timedelta: "duration"}.get(annotation, "any")


def default(info: FieldInfo) -> str:
    """What holds when the key is absent."""
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True, validated_data={})
    if (
        value is None
        or value is PydanticUndefined
        or value == ()
        or value == {}
        or isinstance(value, BaseModel)
    ):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        minutes = int(value.total_seconds() // 60)
        return f"{minutes}m" if minutes else "0"
    return f"`{value}`"


def main() -> None:
    """Write, or compare."""
    wanted = {
        DOCS / "vendors-yaml.md": reference(),
        DOCS / "api.md": api_page(),
        DOCS / "cli.md": cli_page(),
        DOCS / "verdicts.md": verdict_page(),
        DOCS / "vendors.schema.json": json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n",
    }
    stale = [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.name} is stale: run `make docs`", file=sys.stderr)
        sys.exit(1 if stale else 0)
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path.relative_to(DOCS.parent)}")


if __name__ == "__main__":
    main()
