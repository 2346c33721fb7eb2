"""The fault matrix: every fault, at every moment, of every kind of source, and what became of it.

For each kind of source a repository is set up with two vendors, the one that is struck and another one
beside it. Each cell is one whole ``update``: the fault is armed, the run is made and written, and then it
is compared with what has to be. Nothing is asked of the outside; patience is set to fractions of a second.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from upstreamsync.cli import exits
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.run.engines import Engines
from upstreamsync.kit.sanitize import sanitized
from upstreamsync.project import Settings, open_project
from upstreamsync.testing import Fault, World, tarball, write_files

OLD, NEW = "v1.0.0", "v1.1.0"
#: What a terminal, or the runner of a job, would obey; as printf of a shell writes it.
HOSTILE = r"\033]0;owned\007\033[2J\r\n::error::owned\n##[command]owned\n\342\200\256"
PATIENCE = {"timeout": 1.5, "total_timeout": 4.0, "attempts": 2, "max_wait": 0.3, "max_body": 2_000_000}
#: helm and kustomize need their time on a busy machine; what hangs on purpose gets less of it.
TOOL_PATIENCE, SHORT_TOOL_PATIENCE = 20.0, 1.2


def manifest(version: str, name: str = "server") -> str:
    """Upstream's content of a version: three documents, so that half of it is not a whole."""
    return "".join(
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}-{number}\n"
        f'data:\n  version: "{version}"\n  text: {"x" * 200}\n'
        for number in range(3)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of source: how it is published and declared, and the moments at which a fault may strike.

    ``moments`` maps a name to a glob of paths. ``checked`` are the moments whose bytes are held against a
    digest, so that content that is well-formed but wrong is noticed, too.
    """

    name: str
    publish: Callable[[World, str], None]
    declare: Callable[[World], Mapping[str, object]]
    moments: Mapping[str, str]
    checked: frozenset[str] = frozenset()
    tool: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What became of one run. ``problems`` says what is not as it has to be; empty is good."""

    kind: str
    moment: str
    fault: str
    exit_code: int
    error: str = ""
    message: str = ""
    hint: str = ""
    seconds: float = 0.0
    problems: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """In one word: the kind of error, or that the run got through."""
        return self.error or "survived"


# -- the kinds ---------------------------------------------------------------------------------------


def _page(world: World, folder: str, *versions: str) -> None:
    links = "".join(f"<a>release {version}</a>\n" for version in versions)
    world.file(f"{folder}/index.html", f"<html>\n{links}</html>\n")


def _paged(world: World, folder: str) -> dict[str, object]:
    page = {"url": f"{world.url}/{folder}/index.html", "pattern": r"release (?P<version>v[0-9.]+)"}
    return {"releases": {"page": page}}


def _versions(upto: str) -> list[str]:
    return [OLD] if upto == OLD else [OLD, NEW]


def _publish_url(world: World, upto: str) -> None:
    lines = []
    for version in _versions(upto):
        world.file(f"victim/{version}/install.yaml", manifest(version))
        lines.append(f"{hashlib.sha256(manifest(version).encode()).hexdigest()}  install.yaml\n")
        world.file(f"victim/{version}/SHA256SUMS", lines[-1])
    _page(world, "victim", *_versions(upto))


def _publish_docs(world: World, upto: str) -> None:
    for version in _versions(upto):
        text = manifest(version).replace("---\n", "", 1)
        world.file(f"victim/{version}/install.md", f"# Install\n\n```yaml\n{text}```\n")
    _page(world, "victim", *_versions(upto))


def _publish_archive(world: World, upto: str) -> None:
    for version in _versions(upto):
        world.file(f"victim/{version}/all.tar.gz", tarball({"deploy/all.yaml": manifest(version)}, "top/"))
    _page(world, "victim", *_versions(upto))


def _publish_json(world: World, upto: str) -> None:
    _publish_url(world, upto)
    names = ", ".join(f'{{"name": "{version}"}}' for version in _versions(upto))
    world.file("victim/releases.json", f'{{"items": [{names}]}}')


def _publish_helm(world: World, upto: str) -> None:
    for version in _versions(upto):
        world.chart("victim", "acme", version.removeprefix("v"), files=_chart(version))


def _publish_oci(world: World, upto: str) -> None:
    for version in _versions(upto):
        world.oci_chart("org/acme", version.removeprefix("v"), files=_chart(version), auth=True)


def _chart(version: str) -> dict[str, str | bytes]:
    template = manifest(version) + "---\n# {{ .Release.Name }}\n"
    return {"templates/all.yaml": template, "values.yaml": "greeting: hello\n"}


def _publish_git(world: World, upto: str) -> None:
    remote = world.git("victim")
    for version in _versions(upto):
        if remote.sha(f"refs/tags/{version}") is None:
            files = {
                "deploy/all.yaml": manifest(version),
                "deploy/kustomization.yaml": "resources: [all.yaml]\n",
                "chart/Chart.yaml": f"apiVersion: v2\nname: acme\nversion: {version.removeprefix('v')}\n",
                "chart/templates/all.yaml": manifest(version),
            }
            remote.commit(files, tag=version)


def _publish_github(world: World, upto: str) -> None:
    repository = world.github.repository("victim/tool")
    if OLD not in {release.tag for release in repository.releases}:
        repository.release(OLD, assets={"install.yaml": manifest(OLD)})
    if upto == NEW:
        repository.release(NEW, assets={"install.yaml": manifest(NEW)})


def _url(world: World) -> str:
    return f"{world.url}/victim/{{version}}/install.yaml"


KINDS: tuple[Kind, ...] = (
    Kind(
        name="url",
        publish=_publish_url,
        declare=lambda world: {**_paged(world, "victim"), "source": {"url": _url(world)}},
        moments={"feed (page)": "/victim/index.html", "content": "/victim/v*/install.yaml"},
        tool="KUSTOMIZE",
    ),
    Kind(
        name="url+checksum",
        publish=_publish_url,
        declare=lambda world: {
            **_paged(world, "victim"),
            "source": {"url": _url(world), "checksum": f"{world.url}/victim/{{version}}/SHA256SUMS"},
        },
        moments={"content": "/victim/v*/install.yaml", "checksums": "/victim/v*/SHA256SUMS"},
        checked=frozenset({"content", "checksums"}),
    ),
    Kind(
        name="url+json",
        publish=_publish_json,
        declare=lambda world: {
            "releases": {"json": {"url": f"{world.url}/victim/releases.json", "path": "items[*].name"}},
            "source": {"url": _url(world)},
        },
        moments={"feed (json)": "/victim/releases.json"},
    ),
    Kind(
        name="docs",
        publish=_publish_docs,
        declare=lambda world: {
            **_paged(world, "victim"),
            "source": {
                "docs": {
                    "url": f"{world.url}/victim/{{version}}/install.md",
                    "blocks": [{"file": "all.yaml", "heading": "Install", "language": "yaml"}],
                }
            },
        },
        moments={"content": "/victim/v*/install.md"},
    ),
    Kind(
        name="archive",
        publish=_publish_archive,
        declare=lambda world: {
            **_paged(world, "victim"),
            "source": {
                "archive": {"url": f"{world.url}/victim/{{version}}/all.tar.gz", "paths": ["**/*.yaml"]}
            },
        },
        moments={"content": "/victim/v*/all.tar.gz"},
        checked=frozenset({"content"}),  # by the CRC of gzip itself
    ),
    Kind(
        name="helm",
        publish=_publish_helm,
        declare=lambda world: {
            "version": OLD.removeprefix("v"),
            "source": {"helm": {"repository": f"{world.url}/victim", "chart": "acme"}},
        },
        moments={"feed (index)": "/victim/index.yaml", "content": "/victim/*.tgz"},
        checked=frozenset({"content"}),
        tool="HELM",
    ),
    Kind(
        name="helm oci",
        publish=_publish_oci,
        declare=lambda world: {
            "version": OLD.removeprefix("v"),
            "source": {"helm": {"repository": f"{world.oci_url}/org", "chart": "acme"}},
        },
        moments={
            "token": "/token",
            "feed (tags)": "/v2/*/tags/list",
            "manifest": "/v2/*/manifests/*",
            "content": "/v2/*/blobs/*",
        },
        checked=frozenset({"content"}),
    ),
    Kind(
        name="helm git",
        publish=_publish_git,
        declare=lambda world: {"source": {"helm": {"git": world.git("victim").url, "path": "chart"}}},
        moments={"content (pack)": "/git/victim.git/git-upload-pack"},
        checked=frozenset({"content (pack)"}),
        tool="HELM",
    ),
    Kind(
        name="git",
        publish=_publish_git,
        declare=lambda world: {
            "source": {"git": {"repository": world.git("victim").url, "paths": ["deploy/all.yaml"]}}
        },
        moments={"feed (refs)": "/git/victim.git/*", "content (pack)": "/git/victim.git/git-upload-pack"},
        checked=frozenset({"content (pack)"}),
    ),
    Kind(
        name="kustomize",
        publish=_publish_git,
        declare=lambda world: {
            "source": {"kustomize": {"repository": world.git("victim").url, "path": "deploy"}}
        },
        moments={"feed (refs)": "/git/victim.git/*"},
        tool="KUSTOMIZE",
    ),
    Kind(
        name="github asset",
        publish=_publish_github,
        declare=lambda world: {
            "releases": {"github": "victim/tool"},
            "source": {"url": f"{world.url}/victim/tool/releases/download/{{version}}/install.yaml"},
        },
        moments={
            "feed (releases)": "/api/v3/repos/victim/tool/releases",
            "content": "/victim/tool/releases/download/*",
        },
        checked=frozenset({"content"}),
    ),
)

# -- the faults --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One fault of the network. ``survives``: the run is to get through. ``silent``: the answer is
    well-formed but wrong, so that only a digest can tell; where there is none, it does not apply.
    """

    name: str
    make: Callable[[World], Fault]
    survives: bool = False
    silent: bool = False


def strikes(elsewhere: str) -> tuple[Strike, ...]:
    """Every fault; ``elsewhere`` is an https server whose certificate nobody trusts."""
    return (
        Strike(name="500", make=lambda _: Fault.status(500)),
        Strike(name="500 once", make=lambda _: Fault.status(500), survives=True),
        Strike(name="429 for long", make=lambda _: Fault.status(429, retry_after=600)),
        Strike(name="429 once", make=lambda _: Fault.status(429, retry_after=0), survives=True),
        Strike(name="404", make=lambda _: Fault.status(404)),
        Strike(name="403", make=lambda _: Fault.status(403)),
        Strike(name="reset", make=lambda _: Fault.reset()),
        Strike(name="hang", make=lambda _: Fault.hang()),
        Strike(name="slow", make=lambda _: Fault.slow(1)),
        Strike(name="truncated", make=lambda _: Fault.truncate()),
        Strike(name="wrong length", make=lambda _: Fault.wrong_length(), silent=True),
        Strike(name="wrong digest", make=lambda _: Fault.flipped_byte(), silent=True),
        Strike(name="endless body", make=lambda _: Fault.endless()),
        Strike(name="gzip bomb", make=lambda _: Fault.gzip_bomb()),
        Strike(name="redirect loop", make=lambda _: Fault.redirect_loop()),
        Strike(name="other host", make=lambda _: Fault.redirect(), survives=True),
        Strike(name="TLS error", make=lambda _: Fault.redirect(f"{elsewhere}/x")),
        Strike(name="captive portal", make=lambda _: Fault.body(b"<html><h1>Please log in</h1></html>")),
        Strike(name="bad YAML", make=lambda _: Fault.body(b"apiVersion: v1\nkind: [never closed\n")),
        Strike(name="bad archive", make=lambda _: Fault.body(b"\x1f\x8b\x08\x00" + b"not gzip" * 40)),
    )


#: Cells in which the general rule does not hold, and why.
EXCEPTIONS: Mapping[tuple[str, str, str], str] = {
    # The address says once that it has moved: it is asked where to, and the content is what it was.
    ("git", "content (pack)", "other host"): "survived",
    ("helm git", "content (pack)", "other host"): "survived",
    ("kustomize", "content (pack)", "other host"): "survived",
    # A release whose files are not there (yet) is passed over, with the reason; nobody is needed.
    ("*", "content", "404"): "passed over",
    ("helm", "content", "404"): "failed",  # its index says that it is there
    ("helm oci", "content", "404"): "failed",
    # The other host asks for credentials, and those of one registry are not given to another host.
    ("helm oci", "feed (tags)", "other host"): "failed",
    ("helm oci", "manifest", "other host"): "failed",
    ("helm oci", "content", "other host"): "failed",
}

# -- running it --------------------------------------------------------------------------------------


@dataclass
class Bench:
    """The repository and the world of one kind, ready to be struck again and again."""

    kind: Kind
    folder: Path
    world: World
    elsewhere: str
    engines: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._publish(OLD)
        root = self.folder / "template"
        victim = {"name": "victim", "version": OLD, "base": "victim/base", **self.kind.declare(self.world)}
        other = {
            "name": "other",
            "version": OLD,
            "base": "other/base",
            "source": {"url": f"{self.world.url}/other/{{version}}/install.yaml"},
            **_paged(self.world, "other"),
        }
        text = yaml.safe_dump({"version": 1, "vendors": [victim, other]}, sort_keys=False, width=10**6)
        overlay = "resources: [../base]\nnamePrefix: our-\n"
        write_files(root, {"vendors.yaml": text, "other/overlay/kustomization.yaml": overlay})
        with open_project(root, settings=self._settings("setup")) as project:
            changes = project.update()
            errors = [one.error for one in changes.updates if one.error is not None]
            assert not errors, errors
            changes.write()
        self._publish(NEW)

    def _publish(self, upto: str) -> None:
        self.kind.publish(self.world, upto)
        for version in _versions(upto):
            self.world.file(f"other/{version}/install.yaml", manifest(version, "other"))
        _page(self.world, "other", *_versions(upto))

    def _settings(self, name: str, *, short: bool = False, **environment: str) -> Settings:
        return Settings(
            cache_folder=self.folder / f"cache-{name}",
            environment={
                **{
                    key: os.environ[key] for key in ("PATH", "HOME", "HELM", "KUSTOMIZE") if key in os.environ
                },
                "GITHUB_API_URL": f"{self.world.url}/api/v3",
                **environment,
            },
            tool_timeout=SHORT_TOOL_PATIENCE if short else TOOL_PATIENCE,
            **PATIENCE,  # type: ignore[arg-type]
        )

    def network_cells(self) -> Iterator[Cell]:
        """Every fault of the network at every moment of this kind."""
        for moment, pattern in self.kind.moments.items():
            for strike in strikes(self.elsewhere):
                if strike.silent and moment not in self.kind.checked:
                    continue
                once = strike.name.endswith(("once", "other host"))
                self.world.fault(pattern, strike.make(self.world), times=1 if once else None)
                short = strike.name in {"hang", "slow", "endless body", "gzip bomb"}
                expected = EXCEPTIONS.get((self.kind.name, moment, strike.name)) or EXCEPTIONS.get(
                    ("*", moment, strike.name), "survived" if strike.survives else "failed"
                )
                yield self._cell(moment, strike.name, expected, short=short)

    def tool_cells(self) -> Iterator[Cell]:
        """The tool of this kind crashes, hangs, is gone, or prints what is no YAML."""
        if self.kind.tool is None:
            return
        name = self.kind.tool
        real = Engines().helm().binary if name == "HELM" else Engines().kustomize().binary
        for fault, words in (
            ("crash", 'echo "panic: out of luck" >&2; exit 2'),
            ("hang", "sleep 60"),
            ("killed", "kill -9 $$"),
            ("prints no YAML", "printf 'a: [b\\n'"),
            ("prints without end", "yes 'a: b' | head -c 300000000"),
            ("prints hostile text", f"printf '{HOSTILE}' >&2; printf '{HOSTILE}'; exit 1"),
        ):
            fake = self.folder / f"{fault.replace(' ', '-')}-{real.name}"
            fake.write_text(f'#!/bin/sh\ncase " $* " in *" version "*) exec {real} "$@";; esac\n{words}\n')
            fake.chmod(0o755)
            judged_not = self.kind.name == "url" and fault == "prints no YAML"
            expected = "unjudged" if judged_not else self._without_tool
            if self.kind.name == "kustomize" and fault == "prints no YAML":
                expected = "failed"  # the vendor's own content: the others go on
            yield self._cell(self._run_of_tool, fault, expected, short=fault == "hang", **{name: str(fake)})
        yield self._cell(self._run_of_tool, "not there", self._without_tool, **{name: "/nowhere/tool"})

    @property
    def _run_of_tool(self) -> str:
        return "judge run" if self.kind.name == "url" else "tool run"

    @property
    def _without_tool(self) -> str:
        # Without kustomize nothing can be judged, and what is not judged is not written.
        return "failed" if self.kind.tool == "HELM" else "nothing"

    def special_cells(self) -> Iterator[Cell]:
        """What is particular to a kind."""
        if self.kind.name == "helm":
            index = self.world.charts("victim").index().data.decode()
            broken = "  - {name: acme, version: 1.0.5, digest: [wrong], urls: 17, created: yesterday}\n"
            head, line, rest = index.partition("  acme:\n")
            self.world.raw_index("victim", head + line + broken + rest)
            yield self._cell("feed (index)", "bad entry beside good ones", "survived")
            self.world.raw_index("victim", index.replace("1.1.0.tgz", "1.1.0-gone.tgz"))
            yield self._cell("content", "gone, though listed", "failed")
            wrong = hashlib.sha256(b"other").hexdigest()
            real = next(
                e["digest"] for e in self.world.charts("victim").entries["acme"] if e["version"] == "1.1.0"
            )
            self.world.raw_index("victim", index.replace(real, wrong))
            yield self._cell("feed (index)", "promises another digest", "failed")
            yield from self._hostile_schemas()
        if self.kind.name == "helm oci":
            self.world.fault("/token", Fault.status(401))
            yield self._cell("token", "refused", "failed")
            self.world.fault("/token", Fault.body(b'{"token": ["no"]}'))
            yield self._cell("token", "is no text", "failed")
        if self.kind.name == "git":
            remote = self.world.git("victim")
            sha = remote.sha(f"refs/tags/{NEW}")
            remote.commit({"deploy/all.yaml": None}, "Move")
            remote.tag(NEW, force=True)
            yield self._cell("content (pack)", "file gone from the tree", "failed")
            (remote.path / "objects-away").mkdir()
            for pack in sorted((remote.path / "objects").glob("pack/*")):
                pack.rename(remote.path / "objects-away" / pack.name)
            yield self._cell("content (pack)", "objects gone upstream", "failed")
            assert sha is not None

    def _hostile_schemas(self) -> Iterator[Cell]:
        """Charts whose schema of values names what lies elsewhere: it is neither fetched nor read."""
        charts = self.world.charts("victim")
        charts.raw = None
        for fault, target in (("http", f"{self.world.url}/schema"), ("file", "file:///etc/hostname")):
            files = {
                "values.schema.json": f'{{"$ref": "{target}"}}',
                "templates/all.yaml": manifest(NEW),
            }
            self.world.chart("victim", "acme", NEW.removeprefix("v"), files=files)
            cell = self._cell("content", f"a schema that refers to {fault}", "survived")
            asked = ("the schema was fetched",) if self.world.count("/schema") else ()
            yield replace(cell, problems=(*cell.problems, *asked))

    def _cell(
        self, moment: str, fault: str, expected: str, *, short: bool = False, **environment: str
    ) -> Cell:
        """One run in a copy of the repository; what it left is compared with what has to be."""
        root = self.folder / "run"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(self.folder / "template", root)
        before = tree(root)
        name = f"{moment}-{fault}".replace("/", "-")
        started = time.monotonic()
        code, error = self._run(
            root, self._settings(name, short=short, **environment), judged=moment.endswith("run")
        )
        seconds = time.monotonic() - started
        self.world.heal()
        after = tree(root)
        shutil.rmtree(self.folder / f"cache-{name}", ignore_errors=True)
        return Cell(
            kind=self.kind.name,
            moment=moment,
            fault=fault,
            exit_code=code,
            error=error[0],
            message=error[1],
            hint=error[2],
            seconds=seconds,
            problems=tuple(_problems(expected, code, error, before, after)),
        )

    def _run(self, root: Path, settings: Settings, *, judged: bool) -> tuple[int, tuple[str, str, str]]:
        """The steps of ``update`` on the command line, in its order."""
        try:
            with open_project(root, settings=settings) as project:
                changes = project.update()
                verification = project.verify(changes) if judged and changes.files else None
                changes.write()
        except UpstreamsyncError as error:
            return error.exit_code, (error.kind, str(error), error.hint or "")
        code = exits.of_updates(changes.updates, verification)
        failure = next((one.error for one in changes.updates if one.vendor == "victim"), None)
        if failure is None and verification is not None and verification.unjudged:
            first = verification.unjudged[
                0
            ]  # written all the same: what the judge lacks is said, and ends with 3
            return code, ("unjudged", first.why, first.hint or "")
        if failure is None:
            return code, ("", "", "")
        return code, (failure.kind, failure.message, failure.hint or "")


def tree(root: Path) -> dict[str, bytes]:
    """Every file below ``root``, hidden ones included, and every empty folder."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file():
            found[name] = path.read_bytes()
        elif not any(path.iterdir()):
            found[name + "/"] = b""
    return found


def _problems(
    expected: str,
    code: int,
    error: tuple[str, str, str],
    before: Mapping[str, bytes],
    after: Mapping[str, bytes],
) -> Iterator[str]:
    wanted = {"survived": 0, "passed over": 0, "failed": 3, "nothing": 3, "unjudged": 3}[expected]
    moves = expected in ("survived", "unjudged")
    if code != wanted:
        yield f"exit code {code}, not {wanted}"
    if wanted == 3 and not (error[1] and error[2]):
        yield "without message or hint"
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]|^(?:::|##\[)", sanitized(error[1]), re.MULTILINE):
        yield "its message is obeyed by a terminal or a job's runner"
    if expected == "nothing":
        if before != after:
            yield "something was written"
        return
    touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    moved = {path for path in touched if path.startswith("victim/")}
    if moves != bool(moved):
        yield f"the victim's files {'changed: ' + ', '.join(sorted(moved)) if moved else 'did not move'}"
    if strays := [p for p in touched if not p.startswith(("victim/", "other/")) and p != "vendors.yaml"]:
        yield f"left behind: {', '.join(sorted(strays))}"
    if NEW.encode() not in after.get("other/base/install.yaml", b""):
        yield "the other vendor was harmed"
    versions = [one["version"].removeprefix("v") for one in yaml.safe_load(after["vendors.yaml"])["vendors"]]
    if versions != [(NEW if moves else OLD).removeprefix("v"), NEW.removeprefix("v")]:
        yield f"vendors.yaml says {versions}"


def run(kind: Kind, elsewhere: str) -> Iterator[Cell]:
    """All cells of one kind."""
    with tempfile.TemporaryDirectory(prefix="fault-matrix-") as folder, World() as world:
        bench = Bench(kind=kind, folder=Path(folder), world=world, elsewhere=elsewhere)
        yield from bench.network_cells()
        yield from bench.tool_cells()
        yield from bench.special_cells()
