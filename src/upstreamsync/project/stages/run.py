"""Running the stages: each in a folder of its own, all at once, kept from the network unless it asks for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from upstreamsync.errors import ToolError, UpstreamsyncError
from upstreamsync.kit.redact import redact
from upstreamsync.kit.run import process
from upstreamsync.kit.run.sandbox import Sandbox
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.model import StageFinding, StageResult
from upstreamsync.project.stages.reports import findings_in

_LIMIT: Final = 16 * 1024 * 1024
_REPORTS: Final = ("*.sarif", "*.sarif.json", "*.xml")
_GIST_LINES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One command of ``checks``: what it is called, what it runs, and how far it is trusted."""

    name: str
    run: tuple[str, ...]
    required: bool = False
    network: bool = False
    timeout: float = 120.0


def run_stages(
    stages: Sequence[Stage],
    *,
    results: Mapping[str, tuple[bytes, bytes]],
    change: Mapping[str, Any],
    repository: Path,
    allowed: bool,
    jobs: int,
) -> tuple[StageResult, ...]:
    """The result of each stage, in their order.

    ``results`` are the outputs of each overlay, before and after; ``change`` is what changed, as JSON has it;
    ``repository`` the tree with the change. Where commands are not ``allowed`` none is run, and that is said.
    """
    if not allowed:
        return tuple(
            StageResult(
                name=stage.name, state="skipped", required=stage.required,
                summary="was not run: commands have to be allowed (--allow-commands)",
            )
            for stage in stages
        )  # fmt: skip
    outcomes = ordered_map(partial(_run, results=results, change=change, repository=repository), stages, jobs)
    return tuple(outcome.get() for outcome in outcomes)


def _run(
    stage: Stage, *, results: Mapping[str, tuple[bytes, bytes]], change: Mapping[str, Any], repository: Path
) -> StageResult:
    with TemporaryDirectory(prefix="upstreamsync-stage-") as scratch:
        folder = Path(scratch).resolve() / "work"
        home = Path(scratch).resolve() / "home"
        home.mkdir()
        _lay_out(folder, results, change)
        places = {"folder": folder, "before": folder / "before", "after": folder / "after",
                  "change": folder / "change.json", "repository": repository.resolve()}  # fmt: skip
        words = [_filled(word, places) for word in stage.run]
        program = _program(words[0], repository.resolve())
        try:
            done = process.run(
                [program, *words[1:]],
                cwd=folder,
                env={"HOME": str(home), "TMPDIR": str(home), "TZ": "UTC", "PWD": str(folder)},
                timeout=stage.timeout,
                limit=_LIMIT,
                hint="it runs in a folder of its own: see `checks` in docs/vendors-yaml.md",
                kept_in=None if stage.network else _kept_in(program, folder, home),
                accept_failure=True,
            )
        except (ToolError, UpstreamsyncError) as error:
            return StageResult(name=stage.name, state="error", required=stage.required, summary=error.message)
        return _result(stage, done, folder, str(repository.resolve()))


def _lay_out(folder: Path, results: Mapping[str, tuple[bytes, bytes]], change: Mapping[str, Any]) -> None:
    for side, index in (("before", 0), ("after", 1)):
        (folder / side).mkdir(parents=True)
        for overlay, outputs in results.items():
            place = folder / side / f"{overlay}.yaml"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(outputs[index])
    (folder / "change.json").write_text(json.dumps(change, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _filled(word: str, places: Mapping[str, Path]) -> str:
    for name, place in places.items():
        word = word.replace("{" + name + "}", str(place))
    return word


def _program(word: str, repository: Path) -> str:
    """A program of the repository by its path, any other as PATH has it."""
    if "/" in word and not word.startswith("/"):
        return str(repository / word)
    return shutil.which(word) or word


def _kept_in(program: str, folder: Path, home: Path) -> Sandbox:
    return Sandbox(program=Path(program), writable=(folder, home), reads_all=True)


def _result(stage: Stage, done: process.Completed, folder: Path, repository: str) -> StageResult:
    printed = redact(done.stdout.decode("utf-8", "replace"))
    found = list(findings_in(printed) or ())
    for pattern in _REPORTS:
        for file in sorted(folder.rglob(pattern)):
            if file.is_file() and not file.is_symlink() and file.stat().st_size < _LIMIT:
                found += findings_in(redact(file.read_text("utf-8", "replace"))) or ()
    placed = tuple(_placed(finding, str(folder), repository) for finding in found)
    failed = done.returncode != 0 or any(finding.level == "error" for finding in placed)
    summary = "passed"
    if failed:
        errors = sum(finding.level == "error" for finding in placed)
        summary = f"{errors or len(placed)} found" if placed else f"ended with exit code {done.returncode}"
    elif placed:
        summary = f"passed, with {len(placed)} remark{'s' * (len(placed) != 1)}"
    text = "" if placed else _gist(printed, done.stderr)
    return StageResult(
        name=stage.name,
        state="failed" if failed else "passed",
        required=stage.required,
        summary=summary,
        findings=placed,
        output=text if failed else "",
    )


def _placed(finding: StageFinding, folder: str, repository: str) -> StageFinding:
    """With a file relative to the repository; of a built overlay, ``after/<overlay>.yaml``."""
    file = finding.file
    for top in (folder, repository):
        if file == top or file.startswith(f"{top}/"):
            file = file[len(top) + 1 :]
    if file.startswith(("/", "..")):
        file = ""
    return StageFinding(
        message=finding.message, file=file, line=finding.line, level=finding.level, rule=finding.rule
    )


def _gist(stdout: str, stderr: str) -> str:
    lines = [line for line in (*stdout.splitlines(), *stderr.splitlines()) if line.strip()]
    return "\n".join(lines[-_GIST_LINES:])
