"""The two engines, helm and kustomize: where their binaries are, and how they are run.

Both are run with an environment of their own: an empty home, no cluster, no plugins, nothing of the
user's. Which binary: ``HELM`` / ``KUSTOMIZE``, then the pinned one in the cache, then PATH (helm;
kustomize, else kubectl).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from upstreamsync.errors import ToolCrashed, ToolFailed, ToolMissing
from upstreamsync.kit import process

_VERSION = re.compile(r"v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)")
#: Builds are short-lived: Go's collector starts when this much memory is used, which saves a third of the time.
_HASTE = {"GOGC": "off", "GOMEMLIMIT": "384MiB"}
_KUSTOMIZE_LINE = re.compile(r"Kustomize Version: v?(\S+)")


@dataclass(frozen=True, slots=True)
class Kustomize:
    """A kustomize: either the program itself, or the one inside kubectl.

    ``helm`` is used for kustomizations with ``helmCharts``, and only if they have any. ``timeout`` bounds each
    run, in seconds.
    """

    binary: Path
    version: str
    embedded: bool
    helm: Path | None = None
    timeout: float = process.DEFAULT_TIMEOUT

    def __str__(self) -> str:
        return f"kustomize {self.version}{' (kubectl)' if self.embedded else ''}"

    def build(self, folder: Path, *, enable_helm: bool = False, timeout: float | None = None) -> bytes:
        """Build the kustomization in ``folder`` and return the YAML that kustomize prints.

        The load restrictor stays on; functions and plugins stay off. Raises ToolFailed with kustomize's
        own words in ``stderr`` for what does not build, ToolCrashed when that can't be told.
        """
        words: list[str | os.PathLike[str]] = [self.binary, "kustomize" if self.embedded else "build", folder]
        with _empty_home() as home:
            if enable_helm:
                words.append("--enable-helm")
                if self.helm is not None:
                    words += ["--helm-command", _helm_for_kustomize(self.helm, Path(home["HOME"]))]
            try:
                return process.run(words, env={**home, **_HASTE}, timeout=timeout or self.timeout).stdout
            except ToolFailed as error:
                if error.returncode == 1:  # its code for whatever is wrong with a kustomization
                    raise
                raise ToolCrashed(f"{self} crashed: {error.message}") from error


def _helm_for_kustomize(helm: Path, folder: Path) -> Path:
    """A command that kustomize takes for helm 3, whatever helm it is.

    kustomize asks `helm version -c --short`, an option that helm 4 no longer has, and wants an answer that
    begins with v3 (its issue 6013, mended in 5.8.1). All that it asks for besides, helm 4 does as well.
    """
    shim = folder / "helm"
    shim.write_text(
        f'#!/bin/sh\nif [ "$1" = version ]; then echo v3.99.0; exit 0; fi\nexec {shlex.quote(str(helm))} "$@"\n',
        encoding="utf-8",
    )
    shim.chmod(0o700)
    return shim


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
        release: str,
        namespace: str | None = None,
        values: Sequence[Path] = (),
        sets: Mapping[str, object] | None = None,
        include_crds: bool = True,
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
        hooks: bool = True,
        time_zone: Path | None = None,
        timeout: float | None = None,
    ) -> bytes:
        """What ``helm template RELEASE CHART`` prints, hooks included as helm does, test hooks left out.

        ``sets`` become ``--set-json``. Templates see the time in UTC, or as the TZif file ``time_zone``
        says. Raises ToolFailed with helm's own words.
        """
        words: list[str | os.PathLike[str]] = [self.binary, "template", release, chart]
        if namespace:
            words += ["--namespace", namespace]
        for file in values:
            words += ["--values", file]
        for key, value in (sets or {}).items():
            words += ["--set-json", f"{key}={json.dumps(value)}"]
        if include_crds:
            words.append("--include-crds")
        if kube_version:
            words += ["--kube-version", kube_version]
        for api in api_versions:
            words += ["--api-versions", api]
        if not hooks:
            words.append("--no-hooks")
        words.append("--skip-tests")
        with _empty_home() as home:
            zone = {"TZ": f":{time_zone}" if time_zone else "UTC"}
            return process.run(words, env={**home, **zone}, timeout=timeout or self.timeout).stdout

    def verify(self, archive: Path, keyring: Path, *, timeout: float = 60.0) -> str:
        """What ``helm verify`` says of an archive that has its provenance file beside it.

        Raises ToolFailed when the signature, its key or the archive's digest does not hold.
        """
        words: list[str | os.PathLike[str]] = [self.binary, "verify", "--keyring", keyring, archive]
        with _empty_home() as home:
            done = process.run(words, env=home, timeout=timeout)
        return done.stdout.decode("utf-8", "replace").strip()


@contextmanager
def _empty_home() -> Iterator[Mapping[str, str]]:
    """An environment in which helm and kustomize find no configuration, plugin, repository or cluster."""
    with tempfile.TemporaryDirectory(prefix="upstreamsync-home-") as home:
        yield {
            "HOME": home,
            "XDG_CONFIG_HOME": f"{home}/config",
            "XDG_CACHE_HOME": f"{home}/cache",
            "XDG_DATA_HOME": f"{home}/data",
            "HELM_PLUGINS": f"{home}/plugins",
            "HELM_NO_PLUGINS": "1",
            "KUBECONFIG": f"{home}/no-cluster",
            "KUBERNETES_MASTER": "",
        }


@dataclass(slots=True)
class Engines:
    """Finds helm and kustomize once per run, when they are first needed.

    ``folder`` is where pinned tools are installed (``folder/helm-4.1.4/helm``); ``pins`` maps a tool's
    name to the pinned version; ``timeout`` bounds each of their runs, in seconds.
    """

    folder: Path | None = None
    pins: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    timeout: float = process.DEFAULT_TIMEOUT
    _kustomize: Kustomize | None = None
    _helm: Helm | None = None
    _guard: threading.RLock = field(default_factory=threading.RLock)

    def kustomize(self) -> Kustomize:
        """The kustomize to judge with. Raises ToolMissing."""
        with self._guard:
            if self._kustomize is None:
                binary = self.find("kustomize") or self.find("kubectl")
                if binary is None:
                    raise ToolMissing(
                        "neither kustomize nor kubectl was found",
                        hint="`upstreamsync doctor --install` fetches kustomize; or set KUSTOMIZE",
                    )
                found = probe_kustomize(binary, helm=self._helm_if_any(), timeout=min(self.timeout, 30))
                self._kustomize = replace(found, timeout=self.timeout)
            return self._kustomize

    def _helm_if_any(self) -> Path | None:
        """The helm for kustomizations that have charts; that it is missing matters to those alone."""
        try:
            return self.find("helm")
        except ToolMissing:
            return None

    def helm(self) -> Helm:
        """The helm to render with. Raises ToolMissing."""
        with self._guard:
            if self._helm is None:
                binary = self.find("helm")
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
            if pinned.is_file():
                return pinned
        found = shutil.which(name)
        return Path(found).absolute() if found else None


def probe_kustomize(binary: Path, *, helm: Path | None = None, timeout: float = 30.0) -> Kustomize:
    """Ask ``binary``, a kustomize or a kubectl, for its version. Raises ToolFailed when it is neither."""
    if "kubectl" not in binary.name:
        try:
            printed = process.run([binary, "version"], timeout=timeout).stdout.decode("utf-8", "replace")
            if match := _VERSION.search(printed):
                return Kustomize(binary, match.group(1), embedded=False, helm=helm)
        except ToolFailed:
            pass  # a kubectl under another name: asked below
    printed = process.run([binary, "version", "--client"], timeout=timeout).stdout.decode("utf-8", "replace")
    match = _KUSTOMIZE_LINE.search(printed)
    if match is None:
        raise ToolFailed(f"`{binary}` is neither a kustomize nor a kubectl: it says {printed[:80]!r}")
    return Kustomize(binary, match.group(1).removeprefix("v"), embedded=True, helm=helm)


def probe_helm(binary: Path, *, timeout: float = 30.0) -> Helm:
    """Ask ``binary`` for its version. Raises ToolFailed when it is no helm."""
    printed = process.run([binary, "version", "--short"], timeout=timeout).stdout.decode("utf-8", "replace")
    match = _VERSION.search(printed)
    if match is None:
        raise ToolFailed(f"`{binary}` is not a helm: it says {printed[:80]!r}")
    return Helm(binary, match.group(1))
