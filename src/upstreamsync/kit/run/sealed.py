"""What an engine is run with: an empty home, nothing of the user's, and nobody to talk to."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from upstreamsync.errors import Refused
from upstreamsync.kit.run.sandbox import Sandbox

#: What an engine may take, in bytes: ten times what the largest bases that we know need.
MEMORY: Final = 4 << 30


def plain_word(text: str, what: str) -> str:
    """``text``, which can't be taken for an option; ``what`` it is. Raises Refused for any other."""
    if text.startswith("-") or not text.isprintable():
        raise Refused(f"{text[:100]!r} can't be {what}: it would be read as an option", hint="correct it")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What a program is run with that is to reach nothing: its folder, its environment, its restrictions."""

    home: Path
    environment: Mapping[str, str]
    sandbox: Sandbox


@contextmanager
def sealed(binary: Path, readable: Sequence[Path]) -> Iterator[Sealed]:
    """An environment without configuration, plugins, repositories, cluster or network, for one run of ``binary``."""
    with tempfile.TemporaryDirectory(prefix="upstreamsync-home-") as folder:
        home = Path(folder)
        (home / "tmp").mkdir()
        yield Sealed(
            home=home,
            environment=sealed_environment(home),
            sandbox=Sandbox(
                program=binary.resolve(),
                readable=tuple(path.resolve() for path in readable),
                writable=(home.resolve(),),
                memory=MEMORY,
            ),
        )


def sealed_environment(home: Path) -> dict[str, str]:
    """For programs that are to find nothing of the user's in ``home``, an empty folder, and to reach nobody.

    The proxies are for systems whose kernel does not refuse sockets: nobody listens there.
    """
    proxies = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")
    return {
        "HOME": f"{home}",
        "TMPDIR": f"{home / 'tmp'}",
        "XDG_CONFIG_HOME": f"{home}/config",
        "XDG_CACHE_HOME": f"{home}/cache",
        "XDG_DATA_HOME": f"{home}/data",
        "HELM_PLUGINS": f"{home}/plugins",
        "HELM_NO_PLUGINS": "1",
        "KUBECONFIG": f"{home}/no-cluster",
        "KUBERNETES_MASTER": "",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "no_proxy": "",
        "NO_PROXY": "",
        **{name: "http://127.0.0.1:9" for word in proxies for name in (word, word.upper())},
    }
