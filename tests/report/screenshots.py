"""Pictures of the page and of pull requests, light, dark and narrow, for people to look at: build/screenshots.

Made by `make screenshots` (PYTHONPATH=tests python -m report.screenshots), and by CI, which keeps them with the run. Nothing is compared: fonts differ.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from selenium.webdriver import Chrome

from report.browser import chromium, show
from report.pages import check_findings, inspection
from upstreamsync.report.page.make import page_of_check, page_of_verification
from upstreamsync.report.page.render import render

ROOT = Path(__file__).resolve().parents[2]
CASES = ("201-replacements-target-renamed", "259-json-remove-index-shift")
LOOKS = {"light": {}, "dark": {"dark": True}, "narrow": {"width": 390, "height": 844}}
TALLEST = 6000
#: About as a forge shows a description.
STYLE = """
body { max-width: 56rem; margin: 1.5rem auto; padding: 0 1rem; font: 14px/1.5 system-ui, "DejaVu Sans", sans-serif;
  color: #1f2328; background: #fff; overflow-wrap: break-word; }
table { display: block; overflow: auto; }
code, pre { font: 12px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; background: #f0f1f3; border-radius: 5px; }
code { padding: .15em .35em; } pre { padding: 1rem; overflow: auto; } pre code { padding: 0; }
table { border-collapse: collapse; } th, td { border: 1px solid #d1d9e0; padding: .35rem .75rem; text-align: left; }
blockquote { border-left: .25rem solid #d1d9e0; margin: 0 0 1rem; padding: 0 1rem; color: #59636e; }
h3 { border-bottom: 1px solid #d1d9e0; padding-bottom: .3rem; } summary { cursor: pointer; margin: .3rem 0; }
@media (prefers-color-scheme: dark) {
  body { color: #f0f6fc; background: #0d1117; } code, pre { background: #1b222b; }
  th, td, h3, blockquote { border-color: #3d444d; } blockquote { color: #9198a1; } a { color: #4493f8; }
}
"""


def pages(folder: Path) -> Iterator[Path]:
    """The pages to show, written into ``folder``."""
    made = {
        "page-verify": page_of_verification(
            inspection(),
            versions=[("app", "v1.0.0"), ("lantern", "v2.1.0")],
            reproduce="upstreamsync verify --since HEAD~1\n",
        ),
        "page-check": page_of_check(check_findings()),
    }
    for name, page in made.items():
        yield written(folder / f"{name}.html", render(page))
    for case in CASES:
        trees = ROOT / "tests/verify/cases" / case
        if trees.is_dir():
            file = folder / f"page-{case}.html"
            command = (
                sys.executable,
                "-m",
                "upstreamsync",
                "verify",
                "--before",
                "old",
                "--after",
                "new",
                "--html",
                str(file),
            )
            subprocess.run(command, cwd=trees, env=os.environ, stdout=subprocess.DEVNULL, check=False)
            yield file
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    for body in sorted((ROOT / "tests/forge/golden").glob("*.md")):
        shown = markdown.render(body.read_text("utf-8")).replace("[!WARNING]", "<b>⚠ Warning</b><br>")
        head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{body.stem}</title><style>{STYLE}</style>'
        yield written(folder / f"pull-request-{body.stem}.html", f"{head}<body>{shown}")


def written(file: Path, text: str) -> Path:
    """The file, with the text in it."""
    file.write_text(text, "utf-8")
    return file


def picture(driver: Chrome, file: Path, look: str) -> None:
    """One page as a whole, with the first finding and the first overlay open."""
    driver.get(file.as_uri())
    show(driver, **LOOKS[look])
    first = "article:first-of-type details, details.overlay:first-of-type, details.object:first-of-type, body > details:first-of-type"
    for _ in range(2):
        driver.execute_script(f"document.querySelectorAll('{first}').forEach(one => {{ one.open = true }})")
        time.sleep(0.2)
    tall = min(driver.execute_script("return document.documentElement.scrollHeight"), TALLEST)
    show(driver, **{**LOOKS[look], "height": tall})
    driver.save_screenshot(str(file.with_name(f"{file.stem}-{look}.png")))


def main() -> None:
    """Make them all."""
    folder = ROOT / "build/screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as driver:
        for file in pages(folder):
            for look in LOOKS:
                picture(driver, file, look)
            print(file.stem)


if __name__ == "__main__":
    main()
