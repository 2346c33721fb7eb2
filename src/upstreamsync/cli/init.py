"""``init``: a vendors.yaml to start from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from upstreamsync.cli import exits
from upstreamsync.cli.common import Common
from upstreamsync.config.load import parse_configuration
from upstreamsync.config.where import FILE_NAME
from upstreamsync.discover import Proposal, Start, entry, look_through
from upstreamsync.errors import UsageError
from upstreamsync.report.annotations import notices


def initialize(common: Common, folder: Path | None, *, output: Path | None, force: bool, images: bool) -> int:
    """Look through ``folder``, write the file, say what was found.

    Raises UsageError for a folder that is none, and for a file that exists without ``force``.
    """
    root = folder or Path.cwd()
    if not root.is_dir():
        raise UsageError(f"{root} is no folder", hint="name the folder of a repository")
    target = output or root / FILE_NAME
    if target.exists() and not force:
        raise UsageError(
            f"{target} exists already",
            hint="`--force` overwrites it, `--output FILE` writes another file beside it",
        )
    start = look_through(root, images=images)
    if not common.offline:
        from upstreamsync.project.init.trial import tried_upstream

        start = tried_upstream(start, root.absolute(), common.settings())
    parse_configuration(start.text.encode(), path=target)
    try:
        target.write_text(start.text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{target} can't be written: {error.strerror}", hint="check --output") from None
    _report(common, start, target, root)
    return exits.DONE


#: Where Renovate looks for its configuration.
_RENOVATE = (
    "renovate.json", "renovate.json5", ".github/renovate.json", ".github/renovate.json5",
    ".gitlab/renovate.json", ".gitlab/renovate.json5", ".renovaterc", ".renovaterc.json", ".renovaterc.json5",
)  # fmt: skip


def _beside_renovate(start: Start, root: Path) -> list[str]:
    """What Renovate should be told, where it is at work: the bases are not its own to change."""
    found = next((name for name in _RENOVATE if (root / name).is_file()), None)
    if found is None:
        return []
    bases = sorted({str(entry(one)["base"]) for one in start.proposals if entry(one).get("base")})
    if not bases:
        return []
    paths = json.dumps([f"{base}/**" for base in bases])
    return [f'{found}: add `"ignorePaths": {paths}`, so that Renovate leaves the bases alone']


def _report(common: Common, start: Start, target: Path, root: Path) -> None:
    lines = [_line(one) for one in start.proposals]
    complete = sum(one.complete for one in start.proposals)
    lines += [f"{folder}: looks vendored, and nothing here says where from" for folder in start.unexplained]
    lines += _beside_renovate(start, root)
    lines.append(f"{target}: {complete} vendors, {len(start.proposals) - complete} to complete, as comments")
    common.say(
        document=lambda: init_document(start, target),
        text=lambda out: out.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True),
        markdown=lambda: "".join(f"- {line}\n" for line in lines),
        github=lambda: notices(lines),
    )


def _line(one: Proposal) -> str:
    state = "not complete" if not one.complete else f"{len(one.unsure)} unsure" if one.unsure else "sure"
    first = one.found[0]
    return f"{one.name} {one.version or '-'}: {first.file}:{first.line} ({state})"


def init_document(start: Start, target: Path) -> dict[str, Any]:
    """The document ``upstreamsync/init/v1``."""
    return {
        "schema": "upstreamsync/init/v1",
        "file": target.as_posix(),
        "unexplained": list(start.unexplained),
        "vendors": [
            {
                "name": one.name,
                "version": one.version,
                "complete": one.complete,
                "found": [{"file": place.file, "line": place.line} for place in one.found],
                "unsure": list(one.unsure),
                "entry": entry(one),
            }
            for one in start.proposals
        ],
    }
