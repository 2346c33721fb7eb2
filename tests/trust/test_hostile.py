"""What strangers may try, each through ``update`` as the user runs it: refused with the reason, nothing written.

Every attack brings a vendor (and what its upstream serves), names the kind of error that it has to end in, and
words of the reason. The repository and the folders around it have to be what they were.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from trust.matrix import tree
from upstreamsync.errors import ConfigError, UpstreamsyncError
from upstreamsync.project import Settings, open_project
from upstreamsync.testing import World, tarball, write_files

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n"
Arrange = Callable[[World, Path], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Attack:
    """``arrange`` publishes it and returns fields of the vendor; ``kind`` may name several, by ``|``."""

    name: str
    arrange: Arrange
    kind: str
    words: str


def page(world: World, *versions: str) -> dict[str, Any]:
    world.file("versions.html", "".join(f"<a>release {version} </a>" for version in versions or ("v1.0.0",)))
    return {"page": {"url": f"{world.url}/versions.html", "pattern": r"release (?P<version>[^ ]+) "}}


def served(data: str | bytes, **source: Any) -> Arrange:
    def arrange(world: World, _root: Path) -> Mapping[str, Any]:
        world.file("x/{}/install.yaml".format("v1.0.0"), data)
        return {
            "releases": page(world),
            "source": {"url": f"{world.url}/x/{{version}}/install.yaml", **source},
        }

    return arrange


def archived(data: bytes, name: str = "all.tar.gz") -> Arrange:
    def arrange(world: World, _root: Path) -> Mapping[str, Any]:
        world.file(f"x/v1.0.0/{name}", data)
        return {
            "releases": page(world),
            "source": {"archive": {"url": f"{world.url}/x/{{version}}/{name}", "paths": ["**"]}},
        }

    return arrange


def tar(*members: tuple[str, bytes, str]) -> bytes:
    """(name, type, link target); regular files hold GOOD."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, kind, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            info.size = len(GOOD) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(GOOD.encode()) if info.size else None)
    return out.getvalue()


def file(name: str) -> tuple[str, bytes, str]:
    return name, tarfile.REGTYPE, ""


def zipped(name: str, *, link: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = (0o120777 if link else 0o100644) << 16
        archive.writestr(info, "/etc/passwd" if link else GOOD)
    return out.getvalue()


def charted(
    files: Mapping[str, str | bytes] | None = None, *, archive: bytes | None = None, **spec: Any
) -> Arrange:
    def arrange(world: World, _root: Path) -> Mapping[str, Any]:
        world.chart("charts", "acme", "1.0.0", files=files or {"templates/a.yaml": GOOD})
        if archive is not None:
            import hashlib

            world.chart(
                "charts",
                "acme",
                "1.0.0",
                files={"templates/a.yaml": GOOD},
                digest=hashlib.sha256(archive).hexdigest(),
            )
            world.file("charts/acme-1.0.0.tgz", archive)
        return {
            "version": "1.0.0",
            "source": {"helm": {"repository": f"{world.url}/charts", "chart": "acme", **spec}},
        }

    return arrange


def declared(**fields: Any) -> Arrange:
    def arrange(world: World, _root: Path) -> Mapping[str, Any]:
        return {**served(GOOD)(world, _root), **fields}

    return arrange


def committed(files: Mapping[str, str], **source: Any) -> Arrange:
    def arrange(world: World, _root: Path) -> Mapping[str, Any]:
        remote = world.git("up")
        remote.commit(files, tag="v1.0.0")
        return {"source": {kind: {"repository": remote.url, **spec} for kind, spec in source.items()}}

    return arrange


def linked_tree(mode: str, target: str) -> Arrange:
    """A git tree with an entry of another mode: a symbolic link, a submodule."""

    def arrange(world: World, _root: Path) -> Mapping[str, Any]:
        from upstreamsync.testing.git import git

        remote = world.git("up")
        remote.commit({"deploy/good.yaml": GOOD})
        what = git("hash-object", "-w", "--stdin", cwd=remote.path, stdin=target.encode())
        if mode == "160000":
            what = git("rev-parse", "main", cwd=remote.path)
        env = {"GIT_INDEX_FILE": str(remote.path / "an-index")}
        git("read-tree", "main", cwd=remote.path, env=env)
        git(
            "update-index",
            "--add",
            "--cacheinfo",
            f"{mode},{what},deploy/evil.yaml",
            cwd=remote.path,
            env=env,
        )
        made = git("write-tree", cwd=remote.path, env=env)
        who = {f"GIT_{one}_{part}": "a@b" for one in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        commit = git("commit-tree", "-m", "x", made, cwd=remote.path, env=who)
        git("tag", "v1.0.0", commit, cwd=remote.path)
        return {"source": {"git": {"repository": remote.url, "paths": ["deploy/evil.yaml"]}}}

    return arrange


def kustomized(text: str) -> Arrange:
    return committed({"deploy/kustomization.yaml": text, "deploy/a.yaml": GOOD}, kustomize={"path": "deploy"})


def link_in_repository(link: str, **fields: Any) -> Arrange:
    def arrange(world: World, root: Path) -> Mapping[str, Any]:
        target = root / link
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(root.parent / "outside" / ("file" if link.endswith(".yaml") else ""))
        return {**served(GOOD)(world, root), **fields}

    return arrange


def versions(*found: str) -> Arrange:
    def arrange(world: World, root: Path) -> Mapping[str, Any]:
        vendor = served(GOOD)(world, root)
        return {**vendor, "releases": {**page(world, *found), "scheme": "loose"}, "version": found[0]}

    return arrange


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)
SUBCHART = "apiVersion: v2\nname: acme\nversion: 1.0.0\ndependencies:\n- {name: %s, version: 1.0.0, repository: %s}\n"
REG = tarfile.REGTYPE

ATTACKS: tuple[Attack, ...] = (
    # archives
    Attack(name="tar: parent folder", arrange=archived(tar(file("../../evil.yaml"))), kind="refused", words="evil.yaml"),
    Attack(name="tar: absolute path", arrange=archived(tar(file("/etc/evil.yaml"))), kind="refused", words="/etc/evil"),
    Attack(name="tar: into .git", arrange=archived(tar(file(".git/hooks/pre-commit"))), kind="refused", words=".git"),
    Attack(name="tar: backslashes", arrange=archived(tar(file("..\\evil.yaml"))), kind="refused", words="evil.yaml"),
    Attack(name="tar: symbolic link", arrange=archived(tar(("a.yaml", tarfile.SYMTYPE, "/etc/passwd"))), kind="refused", words="link"),
    Attack(name="tar: hard link", arrange=archived(tar(("a.yaml", tarfile.LNKTYPE, "/etc/passwd"))), kind="refused", words="link"),
    Attack(name="tar: device", arrange=archived(tar(("a.yaml", tarfile.CHRTYPE, ""))), kind="refused", words="neither a file nor a folder"),
    Attack(name="tar: fifo", arrange=archived(tar(("a.yaml", tarfile.FIFOTYPE, ""))), kind="refused", words="neither a file nor a folder"),
    Attack(name="tar: names that differ in case", arrange=archived(tar(file("a.yaml"), file("A.yaml"))), kind="refused", words="can't tell apart"),
    Attack(name="tar: the same name twice", arrange=archived(tar(file("a.yaml"), file("a.yaml"))), kind="refused", words="twice"),
    Attack(name="tar: file and folder of one name", arrange=archived(tar(file("a"), file("a/b.yaml"))), kind="refused", words="both as a file and as a folder"),
    Attack(name="tar: too many entries", arrange=archived(tarball({f"{n}.yaml": "" for n in range(20_001)})), kind="too-large", words="more than 20000 entries"),
    Attack(name="gzip: bomb", arrange=archived(gzip.compress(bytes(200_000_000))), kind="too-large", words="times its size"),
    Attack(name="zip: parent folder", arrange=archived(zipped("../evil.yaml"), "all.zip"), kind="refused", words="evil.yaml"),
    Attack(name="zip: symbolic link", arrange=archived(zipped("evil.yaml", link=True), "all.zip"), kind="refused", words="link"),
    Attack(name="tar: .gitattributes", arrange=archived(tar(file(".gitattributes"))), kind="refused", words="how git treats"),
    # YAML
    Attack(name="YAML: billion laughs", arrange=served(BOMB), kind="too-large|malformed", words="alias"),
    Attack(name="YAML: depth by brackets", arrange=served("a: " + "[" * 5000 + "]" * 5000), kind="too-large", words="nested"),
    Attack(name="YAML: depth by indentation", arrange=served("".join(" " * n + "a:\n" for n in range(3000))), kind="too-large", words="nested"),
    Attack(name="YAML: too many documents", arrange=served(("---\n" + GOOD) * 60_000, layout="one-file"), kind="too-large", words="document"),
    # addresses and versions
    Attack(name="content other than its checksum", arrange=served(GOOD, checksum="sha256:" + "0" * 64), kind="digest-mismatch", words="`checksum` says"),
    Attack(name="version that leads elsewhere", arrange=versions("v9.0.0/../../x"), kind="refused", words="can't stand in"),
    Attack(name="version with a query", arrange=versions("9.0.0?evil=1"), kind="refused", words="can't stand in"),
    Attack(name="file name in the declaration leads out", arrange=served(GOOD, file="../evil.yaml"), kind="refused|configuration", words="evil.yaml"),
    # charts
    Attack(name="chart: symbolic link", arrange=charted(archive=tar(("acme/Chart.yaml", tarfile.SYMTYPE, "/etc/passwd"))), kind="refused", words="link"),
    Attack(name="chart: parent folder", arrange=charted(archive=tar(file("acme/../../evil"))), kind="refused", words="evil"),
    Attack(name="chart: template without end", arrange=charted({"templates/a.yaml": '{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}'}), kind="tool-failed", words="can't be rendered"),
    Attack(name="chart: reads files outside of it", arrange=charted({"templates/a.yaml": 'a: {{ required "no such file here" (.Files.Get "/etc/passwd") }}\n'}), kind="tool-failed", words="no such file here"),
    Attack(name="chart: asks the environment", arrange=charted({"templates/a.yaml": 'a: {{ env "HOME" }}\n'}), kind="tool-failed", words="env"),
    Attack(name="chart: looks into the cluster", arrange=charted({"templates/a.yaml": 'a: {{ required "no cluster" (lookup "v1" "Secret" "kube-system" "").items }}\n'}), kind="tool-failed", words="no cluster"),
    Attack(name="values file outside of the repository", arrange=charted(values=["../outside/file"]), kind="configuration", words="inside the repository"),
    Attack(name="release that is an option", arrange=charted(release="--post-renderer=/bin/sh"), kind="usage", words="no name for a helm release"),
    # git
    Attack(name="git: symbolic link", arrange=linked_tree("120000", "/etc/passwd"), kind="refused|selection", words="evil.yaml"),
    Attack(name="git: submodule", arrange=linked_tree("160000", ""), kind="refused|selection|not-found", words="deploy/evil.yaml"),
    Attack(name="git: .gitmodules", arrange=committed({".gitmodules": "[submodule]\n"}, git={"paths": ["**"]}), kind="refused", words="how git treats"),
    Attack(name="git: ext transport", arrange=declared(source={"git": {"repository": "ext::sh -c id", "paths": ["*"]}}), kind="configuration", words="git URL|not a URL|is not a URL"),
    Attack(name="git: option for an address", arrange=declared(source={"git": {"repository": "--upload-pack=id", "paths": ["*"]}}), kind="configuration", words="URL"),
    Attack(name="git: host that is an option", arrange=declared(releases={"git": "ssh://-oProxyCommand=id/x"}), kind="refused", words="does not name a host"),
    Attack(name="git: file of this machine", arrange=declared(releases={"git": "file:///etc"}), kind="refused", words="file://"),
    Attack(name="git: ref that is an option", arrange=committed({"a.yaml": GOOD}, git={"paths": ["*"], "ref": "--upload-pack=id"}), kind="refused", words="not a name that git allows"),
    Attack(name="git: ref with a newline", arrange=committed({"a.yaml": GOOD}, git={"paths": ["*"], "ref": "a\nb"}), kind="refused", words="not a name that git allows"),
    Attack(name="git: ref with ..", arrange=committed({"a.yaml": GOOD}, git={"paths": ["*"], "ref": "../x"}), kind="refused", words="not a name that git allows"),
    Attack(name="branch that is an option", arrange=declared(releases={"branch": {"repository": "https://x.invalid/y", "name": "--upload-pack=x"}}), kind="configuration", words="pattern"),
    # kustomizations
    Attack(name="kustomization: remote resource", arrange=kustomized("resources: [https://x.invalid/a.yaml]\n"), kind="refused", words="not in what was fetched"),
    Attack(name="kustomization: outside of the repository", arrange=kustomized("resources: [../../../../etc/passwd]\n"), kind="refused", words="not in what was fetched"),
    Attack(name="kustomization: helm charts", arrange=kustomized("helmCharts: [{name: x, repo: https://x.invalid}]\n"), kind="refused", words="inflates the chart"),
    Attack(name="kustomization: a function that is run", arrange=kustomized("resources: [a.yaml]\ngenerators:\n- |-\n  apiVersion: v1\n  kind: X\n  metadata:\n    name: x\n    annotations:\n      config.kubernetes.io/function: |\n        exec: {path: /bin/true}\n"), kind="refused", words="asks for a program to be run"),
    # vendors.yaml
    Attack(name="vendors.yaml: base outside", arrange=declared(base="../outside"), kind="configuration", words="inside the repository"),
    Attack(name="vendors.yaml: absolute base", arrange=declared(base="/tmp/evil"), kind="configuration", words="inside the repository"),
    Attack(name="vendors.yaml: base in .git", arrange=declared(base=".git/hooks"), kind="configuration", words="inside .git"),
    Attack(name="vendors.yaml: lock outside", arrange=declared(lock="../outside/lock.yaml"), kind="configuration", words="inside the repository"),
    Attack(name="vendors.yaml: edit outside", arrange=declared(edits=[{"file": "../outside/file", "path": "a", "value": "b"}]), kind="configuration", words="inside the repository"),
    Attack(name="vendors.yaml: file address", arrange=declared(source={"url": "file:///etc/passwd"}), kind="configuration", words="https://"),
    Attack(name="vendors.yaml: open connection", arrange=declared(source={"url": "http://example.invalid/{version}"}), kind="refused", words="not encrypted"),
    Attack(name="vendors.yaml: command without permission", arrange=declared(source={"command": {"run": ["touch", "evil"]}}), kind="refused", words="not allowed"),
    # links in the user's repository
    Attack(name="link: base leads outside", arrange=link_in_repository("link/base", base="link/base"), kind="configuration", words="leaves the repository"),
    Attack(name="link: folder above the base", arrange=link_in_repository("out", base="out/base"), kind="configuration", words="leaves the repository"),
    Attack(name="link: file of the base", arrange=link_in_repository("b/base/install.yaml", base="b/base"), kind="refused", words="symbolic link"),
    Attack(name="link: file of an edit", arrange=link_in_repository("edited.yaml", edits=[{"file": "edited.yaml", "path": "a", "value": "b"}]), kind="refused|edit", words="edited.yaml"),
)  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
def test_it_is_refused_with_the_reason_and_nothing_is_written(attack: Attack, tmp_path: Path, world: World):
    root, outside = tmp_path / "gitops", tmp_path / "outside"
    write_files(outside, {"file": "a: untouched\n"})
    root.mkdir()
    vendor = {"name": "victim", "version": "v1.0.0", "base": "victim/base", **attack.arrange(world, root)}
    write_files(root, {"vendors.yaml": yaml.safe_dump({"version": 1, "vendors": [vendor]}, width=10**6)})
    before = tree(tmp_path)
    kind, message = _update(root, tmp_path)
    assert kind in attack.kind.split("|"), message
    assert any(words in message for words in attack.words.split("|")), message
    assert tree(tmp_path) == before


def test_there_are_more_than_forty():
    assert len(ATTACKS) > 40


def _update(root: Path, around: Path) -> tuple[str, str]:
    environment = {name: os.environ[name] for name in ("PATH", "HELM", "KUSTOMIZE") if name in os.environ}
    settings = Settings(
        use_cache=False, environment={**environment, "HOME": str(around.parent / "home")}, tool_timeout=30.0
    )
    try:
        with open_project(root, settings=settings) as project:
            changes = project.update()
            changes.write()
    except ConfigError as error:
        return error.kind, str(error)
    except UpstreamsyncError as error:
        return error.kind, str(error)
    (update,) = changes.updates
    if update.error is None:
        return "none", f"it was let in: {sorted(changes.files)}"
    return update.error.kind, update.error.message
