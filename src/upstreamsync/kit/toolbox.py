"""What the two ends of a run work with: one set of tools per run, handed down, never global."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the verbs that use a tool load it
    from upstreamsync.kit.git.remote import Git
    from upstreamsync.kit.http.client import Http
    from upstreamsync.kit.run.engines import Engines
    from upstreamsync.kit.store.cache import Cache
    from upstreamsync.kit.store.first_sights import FirstSights


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """HTTP, git, the engines and the cache of one run.

    ``root`` is the folder of vendors.yaml, ``now`` the run's one look at the clock (aware, UTC), used for
    cooldowns alone. ``allow_commands`` permits generators, ``allow_http`` plain http:// for one vendor.
    ``first_sights`` are what the repository knows of versions without a date (``releases.first_seen``).
    ``is_sound`` says whether a text is YAML that every tool reads alike (``kit.yaml.form``); None: whoever asks looks.
    ``own_sources`` and ``own_feeds`` are kinds that the caller has passed in, by their names in vendors.yaml.
    """

    http: Http
    git: Git
    engines: Engines
    cache: Cache
    root: Path
    now: datetime
    allow_commands: bool = False
    allow_http: bool = False
    github_api: str = "https://api.github.com"
    own_sources: Mapping[str, Any] = field(default_factory=dict)
    own_feeds: Mapping[str, Any] = field(default_factory=dict)
    first_sights: FirstSights | None = None
    is_sound: Callable[[bytes], bool] | None = None
