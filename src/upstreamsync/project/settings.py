"""How a run is set up: the one place that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from upstreamsync.kit.http.limits import MAX_BODY
from upstreamsync.kit.run.budget import Total
from upstreamsync.kit.run.threads import processors
from upstreamsync.kit.store.cache import Cache, default_cache_folder
from upstreamsync.kit.store.seal import cache_key

if TYPE_CHECKING:  # loaded where they are used: `check` is to start quickly
    from upstreamsync.config.spec import Tools
    from upstreamsync.kit.run.engines import Engines

#: Network requests under way at once; engines are limited by the processors instead.
NETWORK_JOBS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a caller may choose about a run.

    ``jobs`` bounds what runs at once (0: 32 requests, and an engine per processor). ``cache_folder`` is
    the platform's when None. ``processes`` above 1 lets `check` look many vendors up in copies of this
    process, where it has no other threads, and lets another Python look at large files. ``allow_local`` lets
    git read paths and file:// URLs, for tests.

    How patient a run is: ``timeout`` bounds each wait for the network and ``total_timeout`` one answer with
    all of its ``attempts``; a Retry-After beyond ``max_wait`` ends them; ``tool_timeout`` bounds each run of
    helm, kustomize and git. All in seconds. ``max_body`` is the largest answer in bytes.

    ``vendor_budget`` is what looking a vendor up, or making its base, may take in all, in seconds; past it that
    vendor fails alone.

    ``offline``: nothing is asked. ``allow_hosts`` (``host``, ``host:port`` or ``*.example.com``) may be asked
    although only a change names them, and may lie on this machine or in its network although only upstream does.
    How overlays are judged: ``budget`` bounds all of a run (an hour for each call where nothing is said),
    ``overlay_budget`` each of them, in seconds; ``load_restrictor`` is ``none`` or ``root``; that not all can
    be judged is known where ``allow_unjudged`` is set; ``judged`` is told of each overlay, and how many there are.
    ``look_up_images`` asks registries for the images that a pull request brings.
    ``server`` is a context of kubectl: its API server is asked about the new results, as a dry run.
    """

    jobs: int = 0
    processes: int = 1
    cache_folder: Path | None = None
    use_cache: bool = True
    allow_commands: bool = False
    allow_local: bool = False
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    now: datetime | None = None
    timeout: float = 30.0
    total_timeout: float = 300.0
    attempts: int = 4
    max_wait: float = 60.0
    tool_timeout: float = 120.0
    max_body: int = MAX_BODY
    offline: bool = False
    vendor_budget: float = 900.0
    allow_hosts: tuple[str, ...] = ()
    look_up_images: bool = False
    server: str | None = None
    budget: Total | None = None
    overlay_budget: float | None = None
    load_restrictor: Literal["none", "root"] | None = None
    allow_unjudged: bool | None = None
    judged: Callable[[str, int], None] | None = None

    @property
    def cache_place(self) -> Path:
        """The cache folder: as chosen, UPSTREAMSYNC_CACHE, or the platform's."""
        if self.cache_folder is not None:
            return self.cache_folder
        chosen = self.environment.get("UPSTREAMSYNC_CACHE")
        return Path(chosen) if chosen else default_cache_folder()

    def cache(self) -> Cache:
        """The cache, or one that keeps nothing where none is wished for."""
        return Cache(self.cache_place, self.cache_key) if self.use_cache else Cache(None)

    @property
    def cache_key(self) -> bytes:
        """What the cache, and the tools in it, are sealed with; not in the cache."""
        return cache_key(self.environment)

    @property
    def network_jobs(self) -> int:
        """How many requests are under way at once."""
        return self.jobs or NETWORK_JOBS

    @property
    def lookup_jobs(self) -> int:
        """How many vendors are looked up at once.

        More than requests are allowed: those that wait for an answer that another one has asked for must
        not keep the next address from being asked. One at a time where one job is wished for.
        """
        return self.network_jobs * 6 if self.network_jobs > 1 else 1

    @property
    def engine_jobs(self) -> int:
        """How many helm and kustomize processes run at once: they saturate a processor each."""
        return min(self.jobs, processors()) if self.jobs else processors()


class BuildStore:
    """The judge's builds, kept in the cache of all runs."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def get(self, key: str) -> bytes | None:
        """The output kept under ``key``."""
        return self._cache.get("builds", key)

    def put(self, key: str, data: bytes) -> None:
        """Keep an output."""
        self._cache.put("builds", key, data)


def build_store(cache: Cache) -> BuildStore | None:
    """The judge's builds in ``cache``; None in one that keeps nothing, so that no keys are made for it."""
    return BuildStore(cache) if cache.folder is not None else None


def engines(settings: Settings, tools: Tools | None = None, cache: Cache | None = None) -> Engines:
    """The engines of a run: pinned ones lie below the cache folder."""
    from upstreamsync.kit.run.engines import Engines, is_official

    def installed(name: str) -> Path | None:
        """What `doctor --install` brought where nothing was pinned."""
        from upstreamsync.kit.installer import DEFAULT_PINS

        path = settings.cache_place / "tools" / f"{name}-{DEFAULT_PINS[name]}" / name
        return path if path.is_file() and is_official(path, settings.cache_key) else None

    pins = {"helm": tools.helm, "kustomize": tools.kustomize} if tools is not None else {}
    return Engines(
        folder=settings.cache_place / "tools",
        pins={name: pin for name, pin in pins.items() if pin},
        environment=settings.environment,
        timeout=settings.tool_timeout,
        cache=cache,
        sealed_with=settings.cache_key if pins else None,
        installed=installed,
    )
