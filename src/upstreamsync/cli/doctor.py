"""``doctor``: which tools and tokens a run would use, and how to get what is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from upstreamsync.cli import exits
from upstreamsync.cli.common import Common
from upstreamsync.config import Configuration, find_configuration, load_configuration
from upstreamsync.config.spec import Tools
from upstreamsync.errors import ToolError, ToolMissing, UpstreamsyncError, UsageError
from upstreamsync.kit.http.client import Http
from upstreamsync.kit.http.inside import named_in
from upstreamsync.kit.installer import DEFAULT_PINS, install
from upstreamsync.kit.run.engines import Engines
from upstreamsync.kit.run.process import run
from upstreamsync.kit.run.sandbox import protection
from upstreamsync.kit.store.cache import Cache
from upstreamsync.project.settings import Settings, engines
from upstreamsync.report.annotations import notices
from upstreamsync.verify.overlays.tree import Tree

_TOKENS = (
    ("UPSTREAMSYNC_TOKEN", "GitHub: reading releases, opening pull requests (before GITHUB_TOKEN)"),
    ("GITHUB_TOKEN", "GitHub: reading releases, opening pull requests"),
    ("UPSTREAMSYNC_APP_ID", "GitHub App: its id"),
    ("UPSTREAMSYNC_APP_KEY", "GitHub App: its private key"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What was found of one tool; ``hint`` says what to do when it is not as it should be.

    ``needed``: whether something in this repository can't be done without it.
    """

    name: str
    version: str | None
    path: str | None
    pinned: str | None
    ok: bool
    hint: str | None = None
    needed: bool = True


def examine(common: Common, *, install: bool) -> int:
    """Look, install what is pinned when asked for, report; 3 when a tool is missing that is needed here."""
    settings = common.settings()
    try:
        configuration = load_configuration(common.config or find_configuration(Path.cwd()))
    except UsageError:
        configuration = None
    pins = configuration.tools if configuration is not None else Tools()
    if install:
        _install(settings, pins)
    found = engines(settings, pins if not install else _with_defaults(pins))
    tools = [
        replace(
            _engine("helm", pins.helm, lambda: _described(found, "helm")),
            needed=pins.helm is not None or _has_charts(configuration),
        ),
        _engine("kustomize", pins.kustomize, lambda: _described(found, "kustomize")),
        _git(),
    ]
    tokens = [(name, bool(settings.environment.get(name)), use) for name, use in _TOKENS]
    cache = None if common.no_cache else settings.cache_place.as_posix()
    _report(common, tools, tokens, cache)
    return exits.DONE if all(tool.ok or not tool.needed for tool in tools) else exits.PARTIAL


def _has_charts(configuration: Configuration | None) -> bool:
    """Whether a vendor, or a kustomization of the repository, has a chart to be rendered."""
    root = Path.cwd()
    if configuration is not None:
        root = configuration.root
        sources = (one for vendor in configuration.vendors for one in (*vendor.source, *vendor.watch))
        if any(one.helm is not None and one.render for one in sources):
            return True
    tree = Tree(root)
    files = (tree.kustomization_file(folder) for folder in tree.folders())
    return any(b"helmChart" in tree.read(file) for file in files if file is not None)


def _with_defaults(pins: Tools) -> Tools:
    return Tools(
        helm=pins.helm or DEFAULT_PINS["helm"], kustomize=pins.kustomize or DEFAULT_PINS["kustomize"]
    )


def _install(settings: Settings, pins: Tools) -> None:
    mirror = settings.environment.get("UPSTREAMSYNC_TOOLS_MIRROR")
    wanted = _with_defaults(pins)
    with Http(cache=Cache(None), named=named_in(mirror or "")) as http:
        for name, version in (("helm", wanted.helm), ("kustomize", wanted.kustomize)):
            install(
                name,
                version or DEFAULT_PINS[name],
                http,
                settings.cache_place / "tools",
                key=settings.cache_key,
                mirror=mirror,
            )


def _described(found: Engines, name: str) -> tuple[str, str]:
    engine = found.helm() if name == "helm" else found.kustomize()
    return engine.version, engine.binary.as_posix()


def _engine(name: str, pinned: str | None, describe: Callable[[], tuple[str, str]]) -> Tool:
    try:
        version, path = describe()
    except ToolError as error:
        return Tool(
            name=name, version=None, path=None, pinned=pinned, ok=False, hint=error.hint or error.message
        )
    differs = pinned is not None and version != pinned.removeprefix("v")
    hint = f"vendors.yaml pins {pinned}: `upstreamsync doctor --install` fetches it" if differs else None
    return Tool(name=name, version=version, path=path, pinned=pinned, ok=True, hint=hint)


def _git() -> Tool:
    try:
        printed = run(["git", "--version"], timeout=10).stdout.decode().strip()
    except (ToolMissing, UpstreamsyncError):
        return Tool(name="git", version=None, path=None, pinned=None, ok=False, hint="install git")
    return Tool(name="git", version=printed.removeprefix("git version "), path=None, pinned=None, ok=True)


def _report(
    common: Common, tools: list[Tool], tokens: list[tuple[str, bool, str]], cache: str | None
) -> None:
    kernel = protection()

    def document() -> dict[str, Any]:
        return {
            "schema": "upstreamsync/doctor/v1",
            "tools": [
                {"name": tool.name, "version": tool.version, "path": tool.path, "pinned": tool.pinned,
                 "ok": tool.ok, "needed": tool.needed, "hint": tool.hint}
                for tool in tools
            ],
            "tokens": [{"name": name, "seen": seen, "used_for": use} for name, seen, use in tokens],
            "cache": cache,
            "sandbox": {"files": kernel.files, "tcp": kernel.tcp, "sockets": kernel.sockets,
                        "landlock": kernel.landlock},
        }  # fmt: skip

    lines = [
        f"{tool.name}: {f'{tool.version} {tool.path or str()}'.strip() if tool.ok else 'missing'}"
        + ("" if tool.ok or tool.needed else ", and nothing here needs it")
        + (f" (hint: {tool.hint})" if tool.hint else "")
        for tool in tools
    ]
    lines += [f"{name}: {'seen' if seen else 'not set'} — {use}" for name, seen, use in tokens]
    lines.append(f"cache: {cache or 'off'}")
    lines.append(f"sandbox of helm, kustomize and generators: {kernel}")

    def text(out: Any) -> None:
        for line in lines:
            out.print(line, markup=False)

    common.say(
        document=document,
        text=text,
        markdown=lambda: "".join(f"- {line}\n" for line in lines),
        github=lambda: notices(lines),
    )
