"""The folder with real upstream content, served on loopback by its own server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTENT = Path(os.environ.get("UPSTREAM_WORLD", ROOT.parent / "shared" / "upstream-world"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.world)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def content() -> Path:
    """The folder; its tests are skipped, saying so, where it is absent (it is not part of the project)."""
    if not (CONTENT / "serve.py").is_file():
        pytest.skip(f"the folder with real upstream content is not here: {CONTENT} (set UPSTREAM_WORLD)")
    return CONTENT


@pytest.fixture(scope="session")
def upstream(content: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the content's server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (tmp_path_factory.mktemp("upstream") / "log").open("wb")
    server = subprocess.Popen(
        [sys.executable, str(content / "serve.py"), "--port", str(port)], stdout=log, stderr=subprocess.STDOUT
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{url}/_rig/stats", timeout=1).read()
                break
            except OSError:
                assert server.poll() is None, "the content's server ended"
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(10)
        log.close()
