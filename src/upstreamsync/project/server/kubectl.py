"""One object at a time through kubectl: a strict, forced server-side dry run, and what comes of it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from upstreamsync.errors import ToolError, ToolMissing, Unreachable
from upstreamsync.kit.redact import redact
from upstreamsync.kit.run import process

_TIMEOUT: Final = 30.0
#: What kubectl and the programs that give it credentials read of the environment; none of our own tokens.
_PASSED: Final = (
    "HOME",
    "USER",
    "USERPROFILE",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
)
_PREFIXES: Final = (
    "AWS_",
    "AZURE_",
    "GOOGLE_",
    "CLOUDSDK_",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
)
_UNREACHABLE: Final = re.compile(
    r"connection refused|no such host|i/o timeout|context deadline|TLS handshake|x509:"
    r"|context \"[^\"]*\" does not exist"
    r"|Unauthorized|must be logged in|no configuration has been provided|EOF|getting credentials"
    r"|provide credentials|failed to download openapi|server API group list|Unable to connect to the server"
    r"|no route to host|network is unreachable|proxyconnect"
)
_FIELD: Final = re.compile(
    r"(?:^|[\[ ,*] ?)\.?((?:[a-zA-Z][\w-]*|\[[^\]]+\])(?:\.[a-zA-Z][\w-]*|\[[^\]]+\])*): "
    r"(?:Invalid value|Required value|Forbidden|Unsupported value|Duplicate value|Not found|Too long|Too many"
    r"|expected|field not declared|duplicate)"
)
_UNKNOWN_FIELD: Final = re.compile(r'unknown field "([^"]+)"')
_STEP: Final = re.compile(r'\[(?:\w+=)?"?([^\]"]*)"?[^\]]*\]')
_LONGEST: Final = 300


class Said(Enum):
    """What became of one object."""

    TAKEN = "taken"
    REFUSED = "refused"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The server's answer; ``field`` as the server writes it, empty where it names none."""

    said: Said
    text: str = ""
    field: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """kubectl with one context, as the field manager that applies the result otherwise."""

    context: str
    manager: str
    environment: Mapping[str, str]

    def dry_run(self, manifest: Mapping[str, Any]) -> Answer:
        """What the server would say. Raises ToolMissing, and Unreachable where no server answers."""
        metadata = manifest.get("metadata")
        named = isinstance(metadata, dict) and metadata.get("name")
        words = ["apply", "--server-side", "--force-conflicts"] if named else ["create"]
        secret = manifest.get("kind") == "Secret"
        done = process.run(
            [self._program(), f"--context={self.context}", *words, f"--field-manager={self.manager}",
             "--dry-run=server", "--validate=strict", "--output=name", "--filename=-"],
            env=self._environment(),
            stdin=json.dumps(manifest, ensure_ascii=False, default=str).encode(),
            timeout=_TIMEOUT,
            hint="see that `kubectl get namespaces` works with this context",
            accept_failure=True,
        )  # fmt: skip
        return read(done.returncode, done.stderr, secret=secret)

    def _program(self) -> str:
        program = self.environment.get("KUBECTL") or shutil.which(
            "kubectl", path=self.environment.get("PATH")
        )
        if program is None:
            raise ToolMissing(
                "kubectl is not there", hint="install it, or set KUBECTL; --server asks through it"
            )
        return program

    def _environment(self) -> dict[str, str]:
        return {
            name: value
            for name, value in self.environment.items()
            if name in _PASSED or name.startswith(_PREFIXES)
        } | {"TMPDIR": os.environ.get("TMPDIR", "/tmp")}  # noqa: S108


def read(code: int, stderr: str, *, secret: bool = False) -> Answer:
    """What kubectl's words mean. Raises Unreachable where the server was not asked at all."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    warnings = tuple(line.removeprefix("Warning: ") for line in lines if line.startswith("Warning: "))
    text = redact(" ".join(line.strip() for line in lines if not line.startswith("Warning: ")))
    if code == 0:
        return Answer(said=Said.TAKEN, warnings=warnings)
    if _UNREACHABLE.search(text) and "Error from server (" not in text.replace(
        "Error from server (Unauthorized)", ""
    ):
        raise Unreachable(
            f"the API server can't be asked: {_cut(text)}", hint="check --server, and your kubeconfig"
        )
    match = _FIELD.search(text) or _UNKNOWN_FIELD.search(text)
    field = match[1] if match else ""
    told = _words(text)
    if secret:
        told = f"{field or 'the Secret'} is refused (what the server says may hold the value)"
    return Answer(said=Said.REFUSED, text=told, field=field, warnings=warnings)


def error_of(call: Mapping[str, Any], error: ToolError) -> Answer:
    """An object that could not be sent, for no reason of the server's."""
    return Answer(said=Said.UNASKED, text=f"{call.get('kind')}: {error.message}")


def _words(text: str) -> str:
    """The server's own words, without kubectl's and without the value."""
    for pattern in (
        r"^(?:error: )?Error from server(?: \(\w+\))?: ", r"^The request is invalid: ", r"^error: ",
        r"error when (?:creating|patching|applying patch)[^:]*: ", r'^(?:The )?[\w.]+ "[^"]*" is invalid: ',
        r'^(?:\w+) in version "[^"]*" cannot be handled as a \w+: ',
        r"^failed to create typed patch object \([^)]*\): ",
    ):  # fmt: skip
        text = re.sub(pattern, "", text)
    text = re.sub(
        r"Invalid value: (?:\{.*?\}|\[.*?\]|\"(?:[^\"\\]|\\.)*\"|[^:]{1,80}): ", "Invalid value: ", text
    )
    return _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def plain_field(field: str) -> str:
    """A field without the steps into lists, to be compared with a path of ours."""
    return _STEP.sub("", field)
