"""Which files of a repository ``init`` reads, and what of them is worth a second look."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

#: Larger files are vendored content or data, never where somebody names an upstream.
MAX_BYTES = 2 * 1024 * 1024
_SKIPPED = frozenset((".git", "node_modules", ".venv", "venv", "__pycache__", ".terraform", "testdata"))
#: Tells a folder of a Go program's dependencies from one of vendored manifests.
_GO_VENDOR = "modules.txt"
_SCRIPT_SUFFIXES = (".sh", ".bash", ".mk")
_MAKEFILES = ("Makefile", "makefile", "GNUmakefile")
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A file of the repository: its path from the root, with ``/``, and its text."""

    path: str
    text: str

    @property
    def folder(self) -> str:
        """The folder's path; empty at the root."""
        parent = PurePosixPath(self.path).parent.as_posix()
        return "" if parent == "." else parent

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def is_yaml(self) -> bool:
        """Whether the name says YAML."""
        return self.name.endswith((".yaml", ".yml")) or self.name == "Kustomization"

    @property
    def is_kustomization(self) -> bool:
        """Whether kustomize would take it for a kustomization."""
        return self.name in KUSTOMIZATIONS

    @property
    def is_make(self) -> bool:
        """Whether it is a Makefile."""
        return self.name in _MAKEFILES or self.name.endswith(".mk") or self.name.startswith("Makefile.")

    @property
    def is_runbook(self) -> bool:
        """Whether it is a page in Markdown, whose code blocks may be commands."""
        return self.name.endswith(".md")

    @property
    def is_script(self) -> bool:
        """Whether lines of shell stand in it: a Makefile, or a shell script by its name or first line."""
        if self.is_make or self.name.endswith((*_SCRIPT_SUFFIXES, ".env")):
            return True
        if self.is_runbook:
            return False
        first = self.text.partition("\n")[0]
        return first.startswith("#!") and "sh" in first


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What a repository has: the files that were read, by path, and every folder above them."""

    files: Mapping[str, TextFile]
    folders: frozenset[str]

    def below(self, folder: str) -> Iterator[TextFile]:
        """The files that were read below a folder, by path."""
        return (file for path, file in self.files.items() if path.startswith(f"{folder}/"))


def tree_of(files: Iterable[TextFile]) -> Tree:
    """The tree that these files make."""
    by_path = {file.path: file for file in files}
    parents = {parent.as_posix() for path in by_path for parent in PurePosixPath(path).parents}
    return Tree(files=by_path, folders=frozenset(parents))


def read_files(root: Path) -> tuple[TextFile, ...]:
    """Every text file below ``root`` that may name an upstream, by path.

    Links, files that are not UTF-8, and what can't be read are left out; of files larger than MAX_BYTES the name
    counts, and not the text.
    """
    return tuple(sorted(_files(root), key=lambda file: file.path))


def _files(root: Path) -> Iterator[TextFile]:
    for folder, folders, names in os.walk(root):
        if _GO_VENDOR in names and os.path.basename(folder) == "vendor":
            folders.clear()
            continue
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED and not os.path.islink(os.path.join(folder, name))
        )
        for name in sorted(names):
            path = Path(folder, name)
            if _of_interest(name) and (text := _read(path)) is not None:
                yield TextFile(path=path.relative_to(root).as_posix(), text=text)


#: Renovate's configuration, where it may lie.
RENOVATE = ("renovate.json", "renovate.json5", ".renovaterc", ".renovaterc.json", ".renovaterc.json5")
#: What makes a template of YAML, behind the name that it has as YAML.
_TEMPLATES = (".template", ".tmpl", ".tpl", ".j2", ".gotmpl", ".erb")


def is_template(name: str) -> bool:
    """Whether the name says that it becomes YAML once a template is filled in."""
    stem, suffix = os.path.splitext(name)
    return suffix in _TEMPLATES and stem.endswith((".yaml", ".yml"))


def _of_interest(name: str) -> bool:
    suffix = os.path.splitext(name)[1]
    named = name.startswith("Makefile.") or name in RENOVATE or is_template(name)
    return named or suffix in (".yaml", ".yml", ".md", ".env", *_SCRIPT_SUFFIXES, "")


def _read(path: Path) -> str | None:
    try:
        if path.is_symlink() or not path.is_file():
            return None
        if path.stat().st_size > MAX_BYTES:
            return ""
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError):
        return None
