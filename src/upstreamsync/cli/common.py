"""What every verb shares: the common options, logging, progress, and the choice of the output's form."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from upstreamsync.cli import output
from upstreamsync.cli.paths import write_file

if TYPE_CHECKING:
    from rich.console import Console

    from upstreamsync.project import Project
    from upstreamsync.project.lazy_config import LazyProject
    from upstreamsync.project.settings import Settings


class Format(StrEnum):
    """The form of the output."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """The options of verbs that judge; ``progress`` is told of each overlay, and how many there are."""

    budget: str | None = None
    allow_unjudged: bool = False
    load_restrictor: str | None = None
    progress: Callable[[str, int], None] | None = None

    def settings(self) -> dict[str, Any]:
        """What of Settings they say. Raises UsageError."""
        from upstreamsync.errors import UsageError
        from upstreamsync.kit.run.budget import Total, seconds_of

        found: dict[str, Any] = {"judged": self.progress}
        if self.budget is not None:
            try:
                found["budget"] = Total(seconds_of(self.budget))
            except ValueError as error:
                raise UsageError(str(error), hint="check --budget") from None
        if self.load_restrictor is not None:
            word = self.load_restrictor.removeprefix("LoadRestrictions").lower().removesuffix("only")
            if word not in ("none", "root"):
                raise UsageError("there are two load restrictors", hint="--load-restrictor none or root")
            found["load_restrictor"] = word
        if self.allow_unjudged:
            found["allow_unjudged"] = True
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The options that every verb takes; ``options`` has what they are for."""

    config: Path | None = None
    format: Format = Format.TEXT
    json_output: Path | None = None
    jobs: int = 0
    cache_dir: Path | None = None
    no_cache: bool = False
    allow_commands: bool = False
    offline: bool = False
    allow_host: tuple[str, ...] = ()
    server: str | None = None
    verbose: bool = False
    judging: Judging = Judging()

    def settings(self) -> Settings:
        """How a run is set up, as far as the options say."""
        from upstreamsync.kit.run.threads import processors
        from upstreamsync.project.settings import Settings

        if self.allow_host:
            _check_hosts(self.allow_host)
        return Settings(
            jobs=self.jobs,
            processes=1 if self.jobs == 1 else processors(),
            cache_folder=self.cache_dir,
            use_cache=not self.no_cache,
            allow_commands=self.allow_commands,
            offline=self.offline,
            allow_hosts=self.allow_host,
            server=self.server,
            **self.judging.settings(),
            look_up_images=os.environ.get("UPSTREAMSYNC_IMAGE_LOOKUP") != "0",
        )

    @contextmanager
    def lazy_project(self) -> Iterator[LazyProject]:
        """The project that the options name, its configuration not read yet; closed at the end."""
        from upstreamsync.project.lazy_config import LazyProject

        with LazyProject(Path.cwd(), config=self.config, settings=self.settings()) as lazy:
            if self.config is None and lazy.path.parent != Path.cwd():
                output.tell(f"note: {os.path.relpath(lazy.path)} is used; this folder has no vendors.yaml")
            yield lazy

    @contextmanager
    def project(self) -> Iterator[Project]:
        """The project that the options name, closed at the end."""
        with self.lazy_project() as lazy:
            yield lazy.project()

    def say(
        self,
        *,
        document: Callable[[], dict[str, Any]],
        text: Callable[[Console], None] | None = None,
        markdown: Callable[[], str],
        github: Callable[[], str],
        machine: Callable[[Format], Any] | None = None,
        plain: Callable[[IO[str]], None] | None = None,
    ) -> None:
        """Print a result in the chosen form; ``machine`` makes those for other programs, text or JSON.

        ``plain`` writes the text without rich, in place of ``text``.

        Raises UsageError for a form that the verb does not have.
        """
        made: dict[str, Any] | None = None
        if self.json_output is not None or self.format is Format.JSON:
            made = document()
        form: str | None = None
        if self.json_output is not None and made is not None:
            form = output.json_form(made)
            write_file(self.json_output, form)
        match self.format:
            case Format.JSON:
                output.json_result(made or {}, form)
            case Format.MARKDOWN:
                output.result(markdown())
            case Format.GITHUB:
                output.commands(github())
                output.summary(markdown())
            case Format.TEXT if plain is not None:
                plain(sys.stdout)
            case Format.TEXT if text is not None:
                from upstreamsync.report.text import console

                text(console(sys.stdout))
            case _:
                self._say_to_machines(machine)

    def _say_to_machines(self, machine: Callable[[Format], Any] | None) -> None:
        from upstreamsync.errors import UsageError

        if machine is None:
            raise UsageError(
                f"this verb has no --format {self.format}",
                hint="`verify` has; others: text, json, markdown, github",
            )
        made = machine(self.format)
        if isinstance(made, str):
            output.result(made)
        else:
            output.json_result(made)

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[[str], None] | None]:
        """A progress bar on stderr, on a terminal only; yields what to call after each step."""
        if not sys.stderr.isatty() or total < 2:
            yield None
            return
        from rich.console import Console as RichConsole
        from rich.progress import Progress

        # Drawn at each step, and not by a thread of its own: a process with one thread can be copied.
        with Progress(console=RichConsole(file=sys.stderr), transient=True, auto_refresh=False) as bar:
            task = bar.add_task(what, total=total)
            yield lambda _name: bar.update(task, advance=1, refresh=True)


def _check_hosts(hosts: Sequence[str]) -> None:
    from upstreamsync.errors import UsageError
    from upstreamsync.kit.http.inside import named

    try:
        named(hosts)
    except ValueError as error:
        raise UsageError(str(error), hint="check --allow-host") from None


@contextmanager
def counting(common: Common, what: str) -> Iterator[Common]:
    """``common`` with a line on stderr, on a terminal only, that counts the overlays that are judged."""
    if not sys.stderr.isatty():
        yield common
        return
    guard, done, width = threading.Lock(), [0], shutil.get_terminal_size().columns

    def step(overlay: str, total: int) -> None:
        with guard:
            done[0] += 1
            output.status(f"{what} {done[0]}/{total} {overlay}"[: width - 1])

    try:
        yield replace(common, judging=replace(common.judging, progress=step))
    finally:
        if done[0]:
            output.status("")


def text_form() -> Any:
    """The module that draws text: it loads rich, which other forms do not need."""
    from upstreamsync.report import text

    return text
