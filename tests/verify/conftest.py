"""What the tests of the judge share, between workers too: builds are made once, and counted once."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from verify.everything import Everything


class Kept:
    """A store of builds on disk, and the number of builds that each judged case took."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> bytes | None:
        try:
            return self._place(key).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, key: str, data: bytes) -> None:
        part = self._place(f"{key}.{os.getpid()}.{threading.get_ident()}")
        part.write_bytes(data)
        part.replace(self._place(key))

    def _place(self, key: str) -> Path:
        return self.folder / hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "kept-builds"
    folder.mkdir(exist_ok=True)
    return Kept(folder)


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> Everything:
    """Judges with nothing left out and everything built."""
    return Everything(monkeypatch)
