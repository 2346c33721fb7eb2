"""Helm without its binary, through the extra ``embedded``, where that gives the same output.

The SDK can't be told a Kubernetes version or API versions and gives no hooks, and its version is its own;
what depends on these is refused. It runs in a process of its own, as helm would, so that a hostile chart
can neither stop nor fill this one.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from upstreamsync.errors import ToolFailed, ToolMissing
from upstreamsync.kit.run import process
from upstreamsync.kit.run.sandbox import Sandbox
from upstreamsync.kit.run.sealed import sealed_environment

_WORKER = Path(__file__).with_name("_embedded_worker.py")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_/-]+(\.[A-Za-z0-9_/-]+)*")
_INSTALL = "`upstreamsync doctor --install` fetches helm; or set HELM to a binary"
#: The worker's own exit code for content that it must not render.
_CANNOT = 64


@dataclass(frozen=True, slots=True)
class EmbeddedHelm:
    """The SDK, with the part of ``kit.engines.Helm`` that it can do."""

    version: str

    def __str__(self) -> str:
        return f"helm-sdk {self.version}"

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
        timeout: float = 120.0,
    ) -> bytes:
        """As the helm binary's ``template``. Raises ToolMissing for what only that one can do."""
        if kube_version or api_versions:
            raise ToolMissing("`kube_version` and `api_versions` need the helm binary", hint=_INSTALL)
        for key in sets or {}:
            if not _PLAIN_KEY.fullmatch(key):
                raise ToolMissing(f"`set: {key}` needs the helm binary", hint=_INSTALL)
        request = {
            "chart": str(chart),
            "release": release,
            "namespace": namespace or "default",
            "values": [str(path) for path in values],
            "sets": list((sets or {}).items()),
            "include_crds": include_crds,
            "hooks": hooks,
        }
        try:
            return _run(request, zone=time_zone, timeout=timeout)
        except ToolFailed as error:
            if error.returncode == _CANNOT:
                raise ToolMissing(f"{error.stderr.strip()} needs the helm binary", hint=_INSTALL) from None
            raise


def instead_of(missing: ToolMissing, *, pinned: str | None) -> EmbeddedHelm:
    """The SDK in place of a helm binary that is missing; raises ``missing`` where it can't stand in."""
    version = _sdk_version()
    if version is None:
        raise ToolMissing(
            missing.message, hint=f"{missing.hint or _INSTALL}; or install `upstreamsync[embedded]`"
        ) from None
    if pinned is not None and pinned.removeprefix("v").split(".")[:2] != version.split(".")[:2]:
        raise ToolMissing(
            f"helm {pinned} is pinned and was not found; the embedded one is {version}", hint=_INSTALL
        ) from None
    return EmbeddedHelm(version)


@functools.cache
def _sdk_version() -> str | None:
    """The version of Helm in the SDK; None when it is not installed."""
    if importlib.util.find_spec("helm_python") is None:
        return None
    return _run({}, zone=None, timeout=60.0).decode().strip().removeprefix("v")


def _run(request: Mapping[str, object], *, zone: Path | None, timeout: float) -> bytes:
    with tempfile.TemporaryDirectory(prefix="upstreamsync-home-") as folder:
        home = Path(folder).resolve()
        (home / "tmp").mkdir()
        environment = {**sealed_environment(home), "TZ": f":{zone}" if zone else "UTC"}
        words = [sys.executable, "-P", str(_WORKER)]
        stdin = json.dumps(request).encode()
        kept_in = Sandbox(program=Path(sys.executable), writable=(home,), reads_all=True)
        return process.run(words, env=environment, stdin=stdin, timeout=timeout, kept_in=kept_in).stdout
