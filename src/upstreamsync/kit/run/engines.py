"""The two engines, helm and kustomize: where their binaries are, and how they are run.

Both are run with an environment of their own: an empty home, no cluster, no plugins, nothing of the user's;
without network, and with no other files than those that they are given (``sandbox``). Which binary: ``HELM`` /
``KUSTOMIZE``, then the pinned one in the cache, then PATH (helm; kustomize, else kubectl).
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from upstreamsync.errors import TooLarge, ToolCrashed, ToolFailed, ToolMissing
from upstreamsync.kit.kubernetes.boundless import FilesBelow, refuse_boundless
from upstreamsync.kit.run import process
from upstreamsync.kit.run.sealed import plain_word, sealed
from upstreamsync.kit.run.threads import ahead
from upstreamsync.kit.store import dependencies
from upstreamsync.kit.store.cache import Cache
from upstreamsync.kit.store.seal import is_sealed

_log = logging.getLogger(__name__)
_VERSION = re.compile(r"v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)")
#: Builds are short-lived: Go's collector seldom runs below this much memory, which saves a third of the time.
#: Without it altogether small builds would be slower again, as fresh memory has its price as well.
_HASTE = {"GOGC": "800", "GOMEMLIMIT": "384MiB"}
_ADDRESS = re.compile(r"\b0xc[0-9a-f]{6,}\b")
_PANIC = re.compile(r"^panic: .*$", re.MULTILINE)
#: A kustomization that no kustomize has trouble with.
_PLAIN = {
    "kustomization.yaml": "resources: [plain.yaml]\n",
    "plain.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n",
}
_KUSTOMIZE_LINE = re.compile(r"Kustomize Version: v?(\S+)")


@dataclass(frozen=True, slots=True)
class Kustomize:
    """A kustomize: either the program itself, or the one inside kubectl.

    ``asked`` tells the version, waiting for the answer if need be: a build can begin before. ``timeout`` bounds
    each run, in seconds.
    """

    binary: Path
    asked: Callable[[], str]
    embedded: bool
    timeout: float = process.DEFAULT_TIMEOUT

    @property
    def version(self) -> str:
        """Its version, such as 5.7.1. Raises ToolFailed when the program is no kustomize."""
        return self.asked()

    def __str__(self) -> str:
        return f"kustomize {self.version}{' (kubectl)' if self.embedded else ''}"

    def build(
        self,
        folder: Path,
        *,
        root: Path | None = None,
        unrestricted: bool = False,
        timeout: float | None = None,
        started: Callable[[], object] | None = None,
    ) -> bytes:
        """Build the kustomization in ``folder`` and return the YAML that kustomize prints.

        Nothing outside of ``root`` (default: the folder) can be read; ``unrestricted`` lets it read files of
        ``root`` above a kustomization as well. ``started`` is called once it runs. Functions, plugins and
        helm stay off.
        Raises ToolFailed with kustomize's own words in ``stderr`` for what does not build, also where it
        panics each time or would not end, and ToolCrashed when that can't be told.
        """
        _refuse_endless(folder, root or folder)
        try:
            return self._run(
                folder, root or folder, unrestricted=unrestricted, timeout=timeout, started=started
            )
        except ToolFailed as error:
            if error.returncode == 1:  # its code for whatever is wrong with a kustomization
                raise
            if (panic := _panic(error)) and self._panics(panic, folder, root or folder):
                raise ToolFailed(f"{self} gives up: {panic}", stderr=panic) from error
            raise ToolCrashed(f"{self} crashed: {error.message}") from error

    def _run(
        self,
        folder: Path,
        root: Path,
        *,
        unrestricted: bool = False,
        timeout: float | None = None,
        started: Callable[[], object] | None = None,
    ) -> bytes:
        words: list[str | os.PathLike[str]] = [self.binary, "kustomize" if self.embedded else "build"]
        if unrestricted:
            words += ["--load-restrictor", "LoadRestrictionsNone"]
        with sealed(self.binary, [root]) as around:
            return process.run(
                [*words, folder.absolute()],
                cwd=around.home,
                env={**around.environment, **_HASTE},
                timeout=timeout or self.timeout,
                started=started,
                kept_in=around.sandbox,
            ).stdout

    def _panics(self, panic: str, folder: Path, root: Path) -> bool:
        """Whether it is this kustomization that kustomize can't bear: each time, and no other one."""
        try:
            self._run(folder, root)
        except ToolFailed as error:
            again = _panic(error)
        else:
            return False
        return again == panic and self._works()

    def _works(self) -> bool:
        with tempfile.TemporaryDirectory(prefix="upstreamsync-plain-") as folder:
            for name, text in _PLAIN.items():
                Path(folder, name).write_text(text, encoding="utf-8")
            try:
                self._run(Path(folder), Path(folder))
            except ToolFailed:
                return False
        return True


def _refuse_endless(folder: Path, root: Path) -> None:
    """Raise ToolFailed, in words of ours, for YAML that kustomize would follow without an end."""
    inside = os.path.relpath(folder, root)
    root, inside = (folder, ".") if inside.startswith("..") else (root, inside)
    try:
        refuse_boundless(FilesBelow(root), inside)
    except TooLarge as error:
        raise ToolFailed(error.message, stderr=error.message, returncode=1, hint=error.hint) from None


def _panic(error: ToolFailed) -> str | None:
    """What Go says when a program of its gives up, without where in memory that was."""
    found = _PANIC.search(error.stderr)
    return without_addresses(found.group(0)).strip() if found else None


def without_addresses(text: str) -> str:
    """What a Go program says, without where in its memory something stood, which is another place each time."""
    return _ADDRESS.sub("0x…", text)


@dataclass(frozen=True, slots=True)
class Helm:
    """A helm binary. It only ever renders a chart that lies on disk; it never talks to a network.

    ``timeout`` bounds each run, in seconds.
    """

    binary: Path
    version: str
    timeout: float = process.DEFAULT_TIMEOUT

    def __str__(self) -> str:
        return f"helm {self.version}"

    @property
    def major(self) -> int:
        """3 or 4."""
        return int(self.version.split(".")[0])

    def template(
        self,
        chart: Path,
        *,
        release: str | None,
        namespace: str | None = None,
        values: Sequence[Path] = (),
        sets: Mapping[str, object] | None = None,
        include_crds: bool = True,
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
        hooks: bool = True,
        tests: bool = False,
        name_template: str | None = None,
        time_zone: Path | None = None,
        timeout: float | None = None,
    ) -> bytes:
        """What ``helm template RELEASE CHART`` prints, hooks included as helm does, test hooks only if asked for.

        ``sets`` become ``--set-json``. Without a release's name it is helm's own, ``release-name``, or what
        ``name_template`` makes. Templates see the time in UTC, or as the TZif file ``time_zone`` says.
        Raises ToolFailed with helm's own words, and Refused for a value that would be read as an option.
        """
        words: list[str | os.PathLike[str]] = [self.binary, "template"]
        words += [plain_word(release, "the name of a release")] if release else []
        words.append(chart.absolute())
        if name_template:
            words.append(f"--name-template={name_template}")
        if namespace:
            words += ["--namespace", plain_word(namespace, "a namespace")]
        for file in values:
            words += ["--values", file.absolute()]
        for key, value in (sets or {}).items():
            words += ["--set-json", f"{key}={json.dumps(value)}"]
        if include_crds:
            words.append("--include-crds")
        if kube_version:
            words += ["--kube-version", plain_word(kube_version, "a version of Kubernetes")]
        for api in api_versions:
            words += ["--api-versions", plain_word(api, "an API version")]
        if not hooks:
            words.append("--no-hooks")
        if not tests:
            words.append("--skip-tests")
        with sealed(self.binary, [chart, *values, *([time_zone] if time_zone else [])]) as around:
            zone = {"TZ": f":{time_zone}" if time_zone else "UTC"}
            return process.run(
                words,
                cwd=around.home,
                env={**around.environment, **zone},
                timeout=timeout or self.timeout,
                kept_in=around.sandbox,
            ).stdout

    def verify(self, archive: Path, keyring: Path, *, timeout: float = 60.0) -> str:
        """What ``helm verify`` says of an archive that has its provenance file beside it.

        Raises ToolFailed when the signature, its key or the archive's digest does not hold.
        """
        words: list[str | os.PathLike[str]] = [
            self.binary, "verify", "--keyring", keyring.absolute(), archive.absolute(),
        ]  # fmt: skip
        with sealed(self.binary, [archive.parent, keyring]) as around:
            done = process.run(
                words, cwd=around.home, env=around.environment, timeout=timeout, kept_in=around.sandbox
            )
        return done.stdout.decode("utf-8", "replace").strip()


@dataclass(frozen=True, slots=True)
class _Memory:
    """What a program said of itself in an earlier run; a cache that keeps nothing where that may have changed."""

    cache: Cache
    key: str

    @classmethod
    def of(cls, binary: Path, cache: Cache | None) -> _Memory:
        """The memory for one program, as it lies there now.

        A script may call another program each time, and so may what goes by another name than the one
        that it is called by: version managers have such stand-ins. These are asked in each run.
        """
        dependencies.doubt()  # whatever it says
        none = cls(Cache(None), "")
        if cache is None:
            return none
        try:
            real = binary.resolve(strict=True)
            with real.open("rb") as file:
                facts, head = os.fstat(file.fileno()), file.read(2)
        except OSError:
            return none
        if head == b"#!" or not real.name.startswith(("kubectl", "kustomize")):
            return none
        return cls(cache, f"{real} {facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns} {facts.st_ino}")

    def recall(self) -> str | None:
        """The word and the version that were kept."""
        kept = self.cache.get("versions", self.key)
        return kept.decode("utf-8", "replace") if kept and re.fullmatch(rb"\S+ \S+", kept) else None

    def keep(self, word: str, version: str) -> str:
        """Keep what it said; the version again."""
        self.cache.put("versions", self.key, f"{word} {version}".encode())
        return version


def _nothing(_name: str) -> None:
    """What is installed where nobody says."""


@dataclass(slots=True)
class Engines:
    """Finds helm and kustomize once per run, when they are first needed.

    ``folder`` is where pinned tools are installed (``folder/helm-4.1.4/helm``); ``pins`` maps a tool's
    name to the pinned version; ``timeout`` bounds each of their runs, in seconds. ``cache`` remembers which
    version a program said that it is. With ``sealed_with`` a pinned tool is taken only if it is, to the last byte,
    what came out of the official archive when it was installed (see ``kit.installer``). ``installed`` finds
    what was installed without a pin; it is asked last.
    """

    folder: Path | None = None
    pins: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    timeout: float = process.DEFAULT_TIMEOUT
    cache: Cache | None = None
    sealed_with: bytes | None = None
    installed: Callable[[str], Path | None] = _nothing
    _kustomize: Kustomize | None = None
    _helm: Helm | None = None
    _guard: threading.RLock = field(default_factory=threading.RLock)

    def kustomize(self) -> Kustomize:
        """The kustomize to judge with. Raises ToolMissing."""
        with self._guard:
            if self._kustomize is None:
                binary = self.find("kustomize") or self.find("kubectl") or self.installed("kustomize")
                if binary is None:
                    raise ToolMissing(
                        "neither kustomize nor kubectl was found",
                        hint="`upstreamsync doctor --install` fetches kustomize; or set KUSTOMIZE",
                    )
                self._kustomize = replace(self._kustomize_at(binary), timeout=self.timeout)
            return self._kustomize

    def _kustomize_at(self, binary: Path) -> Kustomize:
        """The kustomize that ``binary`` is; a kubectl is known by its name, and says its version meanwhile."""
        timeout = min(self.timeout, 30)
        memory = _Memory.of(binary, self.cache)
        if (known := memory.recall()) is not None:
            word, _, version = known.partition(" ")
            return Kustomize(binary, lambda: version, embedded=word == "kubectl")
        if "kubectl" in binary.name:
            asked = ahead(lambda: memory.keep("kubectl", _version_inside(binary, timeout)))
            return Kustomize(binary, asked, embedded=True)
        found = probe_kustomize(binary, timeout=timeout)
        memory.keep("kubectl" if found.embedded else "kustomize", found.version)
        return found

    def helm(self) -> Helm:
        """The helm to render with. Raises ToolMissing."""
        with self._guard:
            if self._helm is None:
                binary = self.find("helm") or self.installed("helm")
                if binary is None:
                    raise ToolMissing(
                        "helm was not found",
                        hint="`upstreamsync doctor --install` fetches it; or set HELM to a binary",
                    )
                found = probe_helm(binary, timeout=min(self.timeout, 30))
                self._helm = replace(found, timeout=self.timeout)
            return self._helm

    def find(self, name: str) -> Path | None:
        """Where the tool's binary is: the environment's choice, the pinned one in the cache, PATH."""
        if chosen := self.environment.get(name.upper()):
            path = shutil.which(chosen)
            if path is None:
                raise ToolMissing(
                    f"{name.upper()} names `{chosen}`, which is not a program",
                    hint=f"correct or unset the environment variable {name.upper()}",
                )
            return Path(path).absolute()
        if self.folder is not None and name in self.pins:
            pinned = self.folder / f"{name}-{self.pins[name].removeprefix('v')}" / name
            if pinned.is_file() and (self.sealed_with is None or is_official(pinned, self.sealed_with)):
                return pinned
        found = shutil.which(name)
        return Path(found).absolute() if found else None


def is_official(tool: Path, key: bytes) -> bool:
    """Whether an installed tool is what its official archive held, by the seal beside it."""
    try:
        data, sealed = tool.read_bytes(), seal_file(tool).read_bytes()
    except OSError:
        return False
    if is_sealed(key, ("tool", tool.parent.name), data, sealed):
        return True
    _log.warning("%s is not what was installed there, so it is not used; `doctor --install` mends that", tool)
    return False


def seal_file(tool: Path) -> Path:
    """Where the seal of an installed tool lies."""
    return tool.with_name(f"{tool.name}.seal")


def probe_kustomize(binary: Path, *, timeout: float = 30.0) -> Kustomize:
    """Ask ``binary``, a kustomize or a kubectl, for its version. Raises ToolFailed when it is neither."""
    if "kubectl" not in binary.name:
        try:
            printed = process.run([binary, "version"], timeout=timeout).stdout.decode("utf-8", "replace")
            if match := _VERSION.search(printed):
                alone = match.group(1)
                return Kustomize(binary, lambda: alone, embedded=False)
        except ToolFailed:
            pass  # a kubectl under another name: asked below
    inside = _version_inside(binary, timeout)
    return Kustomize(binary, lambda: inside, embedded=True)


def _version_inside(kubectl: Path, timeout: float) -> str:
    printed = process.run([kubectl, "version", "--client"], timeout=timeout).stdout.decode("utf-8", "replace")
    match = _KUSTOMIZE_LINE.search(printed)
    if match is None:
        raise ToolFailed(f"`{kubectl}` is neither a kustomize nor a kubectl: it says {printed[:80]!r}")
    return match.group(1).removeprefix("v")


def probe_helm(binary: Path, *, timeout: float = 30.0) -> Helm:
    """Ask ``binary`` for its version. Raises ToolFailed when it is no helm."""
    printed = process.run([binary, "version", "--short"], timeout=timeout).stdout.decode("utf-8", "replace")
    match = _VERSION.search(printed)
    if match is None:
        raise ToolFailed(f"`{binary}` is not a helm: it says {printed[:80]!r}")
    return Helm(binary, match.group(1))
