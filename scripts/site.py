"""Assemble the pages of the documentation's site in build/site-pages, from docs/ and what lies at the top level.

The pages are written to be read in the repository, too, so their links lead to files of it. A link to a page of the
site stays one; a link to anything else in the repository becomes one to where that is published. A link that leads
nowhere ends this with 1, also where a page names a heading that another one does not have (mkdocs looks at those).
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "build" / "site-pages"
PUBLISHED = "https://github.com/upstreamsync/upstreamsync/blob/main"
TOP_LEVEL = ("SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md")
_LINK = re.compile(r"(?P<text>\[(?:[^\[\]]|\[[^\[\]]*\])*\])\((?P<target>[^)\s]+)\)")
_FENCE = re.compile(r"^(?:```|~~~)")
#: What begins a list or a table; the site's Markdown wants an empty line before it, GitHub's does not.
_BLOCK = re.compile(r"^(?:[-*] |\d+\. |\|)")


def pages() -> dict[str, str]:
    """Path in the repository → path in the site."""
    found = {path.relative_to(ROOT).as_posix(): path for path in sorted((ROOT / "docs").rglob("*.md"))}
    return {name: name.removeprefix("docs/") for name in found} | {name: name for name in TOP_LEVEL}


def assembled(name: str, known: dict[str, str], problems: list[str]) -> str:
    """The text of a page with its links as the site has them."""
    lines, fenced = [], False
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        fenced ^= bool(_FENCE.match(line.lstrip()))
        before = lines[-1] if lines else ""
        if not fenced and _BLOCK.match(line) and re.match(r"\S", before) and not _BLOCK.match(before):
            lines.append("")
        lines.append(line if fenced else _LINK.sub(lambda match: _link(match, name, known, problems), line))
    return "\n".join(lines) + "\n"


def _link(match: re.Match[str], name: str, known: dict[str, str], problems: list[str]) -> str:
    target = match["target"]
    if re.match(r"[a-z]+:|#", target):
        return match[0]
    path, hash_, anchor = target.partition("#")
    place = os.path.normpath(PurePosixPath(name).parent / path)
    if place in known:
        here = PurePosixPath(known[name]).parent
        return f"{match['text']}({os.path.relpath(known[place], here)}{hash_}{anchor})"
    if not (ROOT / place).exists():
        problems.append(f"{name}: {target} leads nowhere")
    return f"{match['text']}({PUBLISHED}/{place}{hash_}{anchor})"


def main() -> int:
    """Write the pages; 1 when a link is dead."""
    known, problems = pages(), []
    shutil.rmtree(PAGES, ignore_errors=True)
    for name, page in known.items():
        target = PAGES / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(assembled(name, known, problems), encoding="utf-8")
    shutil.copy(ROOT / "docs" / "vendors.schema.json", PAGES)
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
