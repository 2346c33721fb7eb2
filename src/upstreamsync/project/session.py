"""An opened repository: its configuration, and the tools and settings to work on it with.

Every command is a function of a session; ``Project`` is the facade that calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from upstreamsync.base.locked import read_lock
from upstreamsync.base.states import Strays, base_states, orphans, stray_locks
from upstreamsync.base.view import View, disk_view
from upstreamsync.config import Configuration, Vendor, load_configuration
from upstreamsync.config.load import parse_configuration
from upstreamsync.errors import RepositoryError, ToolError, UpstreamsyncError
from upstreamsync.kit.store.first_sights import FirstSights
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.lock import Lock, changed_files
from upstreamsync.model import BaseCondition, BaseState
from upstreamsync.project.connections import Connections, toolbox
from upstreamsync.project.kinds import NONE, Kinds
from upstreamsync.project.settings import Settings

if TYPE_CHECKING:
    from upstreamsync.project.committed import Committed

#: Told the name of each vendor, or of each overlay, as soon as it is done.
Progress = Callable[[str], None]


class Session:
    """A vendors.yaml that was read, and what a run works with. Close it, or use it as a context manager.

    ``committed`` is where its files come from, if that is a commit and not a checkout.
    """

    def __init__(
        self,
        configuration: Configuration,
        settings: Settings,
        *,
        connections: Connections | None = None,
        kinds: Kinds = NONE,
        first_sights: FirstSights | None = None,
    ) -> None:
        self.configuration = configuration
        self.settings = settings
        self.kinds = kinds
        self.first_sights = first_sights
        self.committed: Committed | None = None
        self._connections = connections
        if connections is not None:
            connections.name_hosts(configuration.text, configuration.allow_hosts)
        self._toolbox: Toolbox | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close connections; the session may be used again."""
        if self._connections is not None:
            self._connections.close()
        self._connections = self._toolbox = None

    @property
    def root(self) -> Path:
        """The folder of vendors.yaml; all paths are relative to it."""
        return self.configuration.root

    @property
    def connections(self) -> Connections:
        """HTTP, git and the cache of this run, made when they are first needed."""
        if self._connections is None:
            self._connections = Connections(self.settings)
            self._connections.name_hosts(self.configuration.text, self.configuration.allow_hosts)
        return self._connections

    @property
    def tools(self) -> Toolbox:
        """The connections and the engines as one value, as sources and feeds are given them."""
        if self._toolbox is None:
            made = toolbox(self.connections, self.configuration.tools, self.root)
            self._toolbox = replace(
                made,
                own_sources=self.kinds.sources,
                own_feeds=self.kinds.feeds,
                first_sights=self.first_sights or FirstSights(self._note),
            )
        return self._toolbox

    def _note(self) -> str | None:
        """What the repository around us remembers; None where there is none."""
        from upstreamsync.kit.git.notes import read_note  # only asked for versions without a date
        from upstreamsync.kit.git.repository import Repository

        try:
            return read_note(Repository.open(self.root))
        except (RepositoryError, ToolError):
            return None

    def parsed(self, text: str) -> Configuration:
        """Another text of vendors.yaml, as this session would read it. Raises ConfigError."""
        path = self.configuration.path
        kinds = {"sources": self.kinds.sources, "feeds": self.kinds.feeds}
        return parse_configuration(text.encode(), path=path, name=path.name, **kinds)

    def with_text(self, text: str) -> Session:
        """This session with another text of vendors.yaml; connections are shared. Raises ConfigError."""
        return Session(
            self.parsed(text),
            self.settings,
            connections=self.connections,
            kinds=self.kinds,
            first_sights=self.first_sights,
        )

    # -- the repository, read only ----------------------------------------------------------------------

    @property
    def view(self) -> View:
        """The working tree as something to read."""
        return disk_view(self.root)

    def read(self, path: str) -> bytes | None:
        """The bytes of a file of the working tree, None where there is none."""
        return self.view.read(path)

    def lock(self, vendor: Vendor) -> Lock | None:
        """The vendor's lock; None before its first update. Raises RepositoryError for a broken one."""
        return read_lock(vendor, self.view)

    def base_states(self, vendor: Vendor) -> tuple[BaseState, ...]:
        """What can be told of each base of the vendor offline: from its files, its lock and vendors.yaml."""
        return self.states_under(vendor, self.lock(vendor))

    def states_under(self, vendor: Vendor, lock: Lock | None) -> tuple[BaseState, ...]:
        """As ``base_states``, with the vendor's lock read already."""
        if lock is not None:
            return self._as_git_has_them(vendor, lock, base_states(vendor, lock, self.view, {}))
        states = base_states(vendor, None, self.view, self.strays)
        return tuple(self._with_lost_lock(vendor, state) for state in states)

    def _as_git_has_them(
        self, vendor: Vendor, lock: Lock, states: tuple[BaseState, ...]
    ) -> tuple[BaseState, ...]:
        """The same states, where files that git converts on the way to a checkout are held against what it stores."""
        if all(state.condition is not BaseCondition.EDITED for state in states):
            return states
        from upstreamsync.project.checkout import as_stored, with_conversions

        stored = as_stored(self.root, [path for state in states for path in state.changed_files])
        if stored:
            states = base_states(vendor, lock, self.view.with_files(stored), {})
        return tuple(with_conversions(state, vendor.lock_path, self.root) for state in states)

    def edited_files(self, lock: Lock) -> tuple[str, ...]:
        """The files of a lock that are gone or have other content, in the working tree and in what git stores."""
        found = changed_files(lock, self.read)
        if not found:
            return ()
        from upstreamsync.project.checkout import as_stored

        return changed_files(lock, self.view.with_files(as_stored(self.root, found)).read)

    def _with_lost_lock(self, vendor: Vendor, state: BaseState) -> BaseState:
        """A base whose lock is gone from the working tree, while git still has it: it comes back from there."""
        if state.condition is not BaseCondition.UNLOCKED or vendor.lock_path is None:
            return state
        from upstreamsync.kit.git.repository import Repository

        try:
            repository = Repository.open(self.root)
            prefix = self.root.resolve().relative_to(repository.root.resolve()).as_posix()
            kept = repository.read(
                "HEAD", vendor.lock_path if prefix == "." else f"{prefix}/{vendor.lock_path}"
            )
        except UpstreamsyncError:
            return state
        if kept is None:
            return state
        why = f"its lock `{vendor.lock_path}` was deleted, and git still has it"
        return replace(state, why=why, command=f"git checkout HEAD -- {vendor.lock_path}")

    def orphans(self) -> tuple[BaseState, ...]:
        """What is left of vendors that vendors.yaml no longer has."""
        names = [vendor.name for vendor in self.configuration.vendors]
        return orphans(names, self.strays, self.view)

    @cached_property
    def strays(self) -> Strays:
        """The locks that lie where no vendor has its lock, by the vendor that they speak of."""
        return stray_locks(self.root, self.configuration.vendors, self.view)

    def selected(self, names: Sequence[str]) -> list[Vendor]:
        """The vendors named, or all, in the order of the file. Raises UsageError for an unknown name."""
        if not names:
            return list(self.configuration.vendors)
        wanted = [self.configuration.vendor(name).name for name in names]
        return [vendor for vendor in self.configuration.vendors if vendor.name in wanted]


def open_session(file: Path, settings: Settings, kinds: Kinds = NONE) -> Session:
    """The session of the vendors.yaml at ``file``. Raises ConfigError with every problem of the file."""
    configuration = load_configuration(file, sources=kinds.sources.keys(), feeds=kinds.feeds.keys())
    return Session(configuration, settings, kinds=kinds)
