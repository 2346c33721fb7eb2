"""Run one of these examples: its upstreams are served on loopback, in two stages of their life.

    python examples/run.py helm-http

copies the folder to a temporary repository, vendors stage 1 and commits it, publishes stage 2, and shows
what `check`, `update --dry-run`, `pr --forge local`, `update` and `verify` say. The tests run all of them.

``upstream/<stage>/`` holds what is served: ``files/PATH`` as it is; ``archives/PATH.tar.gz/`` a folder to
pack; ``charts/REPOSITORY/NAME/VERSION/`` and ``oci/REPOSITORY/VERSION/`` charts; ``git/NAME/TAG/`` the whole
tree of a repository at a tag (``_main``: on the branch, without one); ``feeds.yaml`` releases and tags on
GitHub and tags of images. In vendors.yaml and local files 127.0.0.1:8080 stands for the served address.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from upstreamsync.testing import World, tarball
from upstreamsync.testing.charts import read_folder
from upstreamsync.testing.git import git

HERE = Path(__file__).resolve().parent
ADDRESS = b"127.0.0.1:8080"


def publish(world: World, stage: Path) -> None:
    """Let the world offer, besides what it has, what lies in ``stage``."""
    for path, data in read_folder(stage / "files").items():
        world.file(path, data)
    for folder in sorted((stage / "archives").rglob("*.tar.gz")):
        world.file(folder.relative_to(stage / "archives").as_posix(), tarball(read_folder(folder)))
    for chart in sorted((stage / "charts").rglob("Chart.yaml")):
        repository, name, version = _split(chart.parent, stage / "charts")
        world.chart(repository, name, version, files=chart.parent)
    for chart in sorted((stage / "oci").rglob("Chart.yaml")):
        repository, name, version = _split(chart.parent, stage / "oci")
        world.oci_chart(f"{repository}/{name}", version, files=chart.parent)
    for tree in sorted((stage / "git").glob("*/*")):
        remote = world.git(tree.parent.name)
        old = remote.files() if remote.sha("refs/heads/main") else []
        tag = None if tree.name == "_main" else tree.name
        remote.commit({**dict.fromkeys(old), **read_folder(tree)}, f"Release {tree.name}", tag=tag)
    _feeds(world, stage / "feeds.yaml")


def _split(folder: Path, root: Path) -> tuple[str, str, str]:
    repository, name, version = folder.relative_to(root).as_posix().rsplit("/", 2)
    return repository, name, version


def _feeds(world: World, file: Path) -> None:
    feeds = yaml.safe_load(file.read_text()) if file.is_file() else {}
    for repository, tags in feeds.get("releases", {}).items():
        for tag in tags:
            world.github.repository(repository).release(tag)
    for repository, tags in feeds.get("tags", {}).items():
        for tag in tags:
            world.github.repository(repository).tag(tag)
    for image, tags in feeds.get("images", {}).items():
        world.oci_image(image, tags)


def install(example: Path, repository: Path, world: World) -> None:
    """The example's own files as a git repository at ``repository``, pointed at the world."""
    address = world.oci_url.removeprefix("oci://").encode()
    repository.mkdir(parents=True)
    for path, data in read_folder(example).items():
        if not path.startswith("upstream/"):
            target = repository / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data.replace(ADDRESS, address))
    git("init", "-q", "--initial-branch=main", cwd=repository)
    commit(repository, "Begin")


def commit(repository: Path, message: str) -> None:
    """Commit everything as the team."""
    git("add", "--all", cwd=repository)
    identity = ("-c", "user.name=Team", "-c", "user.email=team@example.com")
    git(*identity, "commit", "-q", "--allow-empty", "-m", message, cwd=repository)


def environment(world: World) -> dict[str, str]:
    """What leads the program to the world's GitHub."""
    return {**os.environ, "GITHUB_API_URL": f"{world.url}/api/v3"}


def main(name: str) -> int:
    """Run the example and show what each command says; 0 when none of them failed."""
    example = HERE / name
    with World() as world, tempfile.TemporaryDirectory() as folder:
        repository = Path(folder, name)
        install(example, repository, world)

        def run(*words: str) -> bool:
            print(f"\n$ upstreamsync {' '.join(words)}", flush=True)  # noqa: T201
            command = [sys.executable, "-m", "upstreamsync", *words, "--cache-dir", f"{folder}/cache"]
            return (
                subprocess.run(command, cwd=repository, env=environment(world), check=False).returncode == 0
            )

        publish(world, example / "upstream/1")
        done = run("update", "--allow-commands")
        commit(repository, "Vendor")
        publish(world, example / "upstream/2")
        done &= run("check")
        done &= run("update", "--allow-commands", "--dry-run")
        done &= run("pr", "--allow-commands", "--forge", "local")
        done &= run("update", "--allow-commands")
        done &= run("verify")
    return 0 if done else 1


if __name__ == "__main__":
    if len(sys.argv) != 2 or not (HERE / sys.argv[1] / "upstream").is_dir():
        names = sorted(path.parent.name for path in HERE.glob("*/upstream"))
        sys.exit(f"usage: python {sys.argv[0]} EXAMPLE\nexamples: {', '.join(names)}")
    sys.exit(main(sys.argv[1]))
