"""Kinds of source, feed and forge that are not the project's own: passed in, and used from vendors.yaml by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from upstreamsync.errors import UsageError
from upstreamsync.model import EMPTY

if TYPE_CHECKING:  # what only some commands need is not loaded for the others
    from upstreamsync.config import Configuration
    from upstreamsync.forge.state import Forge
    from upstreamsync.kit.git.repository import Repository
    from upstreamsync.releases import Feed
    from upstreamsync.sources.job import SourceKind

#: Makes a forge for a repository and its configuration; the mapping is the run's environment.
ForgeFactory: TypeAlias = "Callable[[Repository, Configuration, Mapping[str, str]], Forge]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """By name: sources as keys of ``source:``, feeds as keys of ``releases:``, forges as ``forge.kind``."""

    sources: Mapping[str, SourceKind] = field(default_factory=lambda: EMPTY)
    feeds: Mapping[str, Feed] = field(default_factory=lambda: EMPTY)
    forges: Mapping[str, ForgeFactory] = field(default_factory=lambda: EMPTY)

    def __post_init__(self) -> None:
        """Refuse names that vendors.yaml has a meaning for already. Raises UsageError."""
        if not self.sources and not self.feeds and not self.forges:
            return
        from upstreamsync.config.spec import Releases, Source

        for what, names, model in (("source", self.sources, Source), ("feed", self.feeds, Releases)):
            taken = {info.alias or name for name, info in model.model_fields.items()}
            for name in names:
                if name in taken:
                    raise UsageError(
                        f"a {what} of one's own can't be called `{name}`", hint="it has a meaning"
                    )
        for name in self.forges.keys() & {"github", "local"}:
            raise UsageError(
                f"a forge of one's own can't be called `{name}`", hint="it is one of the project's"
            )


#: None but the project's own.
NONE = Kinds()
