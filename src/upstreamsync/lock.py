"""The lock: facts about what was vendored, in a file beside the base.

It says where the content really came from and what every file of the base looked like when it was
written, so that ``verify`` can tell offline whether a base is still pristine, an update knows which files
are its own to replace or remove, and content that changed under the same version is noticed.

Sorted, without timestamps; the same facts give the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from upstreamsync.errors import Malformed, RepositoryError, TooLarge
from upstreamsync.kit.git.conversions import stands_for
from upstreamsync.kit.lfs import OWN_POINTER, PULL, is_pointer
from upstreamsync.kit.yaml import manifests, syntax
from upstreamsync.model import EMPTY, BaseState, Place, Resolved

FORMAT = 1
_HEADER = "# Written by upstreamsync: what was vendored, and what it looked like. Not for editing.\n"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_FORBIDDEN_PARTS = frozenset(("", ".", "..", ".git"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedSource:
    """A watched source as it was last looked at: digest by file. ``source`` is the declaration's digest."""

    source: str
    location: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What was vendored.

    ``config`` is the digest of the vendor's configuration that shaped it (config.load.content_digest).
    ``files`` maps each file's path, relative to the folder of vendors.yaml, to its digest; ``bases`` are
    the folders that they lie in. ``forks`` maps a local file to the digest of what it was derived from.
    """

    vendor: str
    version: str
    config: str
    sources: tuple[Resolved, ...] = ()
    bases: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    forks: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    watch: tuple[WatchedSource, ...] = ()

    @property
    def tree(self) -> str:
        """One digest of all files, by path and content."""
        return tree_digest(self.files)


def digest(data: bytes) -> str:
    """``sha256:<hex>`` of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tree_digest(files: Mapping[str, str]) -> str:
    """One digest of a mapping path → digest."""
    return digest(
        "".join(f"{path}\0{files[path]}\n" for path in sorted(files)).encode("utf-8", "surrogateescape")
    )


def render(lock: Lock) -> bytes:
    """The lock as it stands in its file."""
    document: dict[str, Any] = {
        "lock": FORMAT,
        "vendor": lock.vendor,
        "version": lock.version,
        "config": lock.config,
        "sources": [_source(source) for source in lock.sources],
        "bases": list(lock.bases),
        "files": dict(lock.files),
        "tree": lock.tree,
    }
    if lock.forks:
        document["forks"] = dict(lock.forks)
    if lock.watch:
        document["watch"] = [
            {"source": one.source, "location": one.location, "files": dict(one.files)} for one in lock.watch
        ]
    text = syntax.dump(
        document,
        Dumper=_Dumper,
        sort_keys=True,
        allow_unicode=True,
        width=2**31 - 1,
        default_flow_style=False,
    )
    return (_HEADER + text).encode()


class _Dumper(syntax.CSafeDumper):
    """Quotes every text that our own reading would take for something else, as `1e3` or a commit's digits."""


def _represent_text(dumper: _Dumper, text: str) -> syntax.ScalarNode:
    plain = manifests.scalar(text) == text
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else "'")


_Dumper.add_representer(str, _represent_text)


def _source(source: Resolved) -> dict[str, str]:
    facts = {"kind": source.kind, "location": source.location, "digest": source.digest}
    return {**facts, "tool": source.tool} if source.tool is not None else facts


def parse(data: bytes, name: str) -> Lock:
    """Read a lock; ``name`` is its path, for messages.

    Raises RepositoryError for anything but a whole lock: a damaged one must not decide which files go.
    """
    if is_pointer(data):
        raise RepositoryError(f"{name} is {OWN_POINTER}", hint=PULL)
    try:
        document = manifests.load(data, name=name)
        lock = _lock(_Reader(document))
        tree = _Reader(document).text("tree")
    except (Malformed, TooLarge) as error:
        raise _broken(name, str(error)) from None
    except _WrongError as error:
        raise _broken(name, str(error)) from None
    if tree != lock.tree:
        raise _broken(name, "`tree` does not fit `files`; somebody edited it, or a merge mixed two versions")
    return lock


def verify(lock: Lock, read: Callable[[str], bytes | None]) -> tuple[BaseState, ...]:
    """Whether each base still is what the lock says; looks at nothing but the files that it lists.

    ``read`` gives the bytes of a file by its path, None where there is none.
    """
    changed: dict[str, list[str]] = {base: [] for base in lock.bases}
    for path in changed_files(lock, read):
        changed[_base_of(path, lock.bases)].append(path)
    return tuple(
        BaseState(vendor=lock.vendor, path=base, pristine=not paths, changed_files=tuple(paths))
        for base, paths in changed.items()
    )


def changed_files(lock: Lock, read: Callable[[str], bytes | None]) -> tuple[str, ...]:
    """The files of the lock that are gone or have other content, sorted.

    What git converts on the way to a checkout (line endings, LFS) is no other content.
    """
    return tuple(path for path in sorted(lock.files) if _differs(read(path), lock.files[path]))


def republished(lock: Lock, sources: Sequence[Resolved]) -> tuple[str, ...]:
    """What upstream changed without a new version: one sentence for each source with other content.

    ``sources`` is what the lock's own version resolves to now. Where something was not fetched from the
    same place with the same tool (the configuration changed), nothing can be said of it.
    """
    now = {(source.kind, source.location, source.tool): source.digest for source in sources}
    return tuple(
        f"{source.location} is {current} now; it was {source.digest}"
        for source in lock.sources
        if (current := now.get((source.kind, source.location, source.tool))) not in (None, source.digest)
    )


def differences(old: Lock, new: Lock) -> tuple[str, ...]:
    """Everything in which two locks differ, as sentences; what ``update --locked`` refuses for."""
    found = [
        f"{key} is `{now}`, the lock says `{was}`"
        for key, was, now in (
            ("version", old.version, new.version),
            ("configuration", old.config, new.config),
        )
        if was != now
    ]
    unknown = [one for one in new.sources if one not in old.sources]
    found += [f"{one.location} ({one.digest}) is not what the lock says" for one in unknown]
    if old.sources != new.sources and not unknown:
        found.append("the sources are not those of the lock")
    for path in sorted(old.files.keys() | new.files.keys()):
        if old.files.get(path) != new.files.get(path):
            missing = (
                "is not in the lock"
                if path not in old.files
                else "is missing"
                if path not in new.files
                else ""
            )
            found.append(f"{path} {missing or 'has other content'}")
    return tuple(found)


def _differs(data: bytes | None, expected: str) -> bool:
    return data is None or not stands_for(data, expected)


def _base_of(path: str, bases: Sequence[str]) -> str:
    """The innermost base that holds a path; a lock that was read has one for each."""
    return max((base for base in bases if path.startswith(f"{base}/")), key=len)


# -- reading strictly -------------------------------------------------------------------------------


class _WrongError(Exception):
    """Something in the file is not as it should be."""


class _Reader:
    """Typed access to a mapping; anything unexpected is an error."""

    def __init__(self, value: Any, where: str = "") -> None:
        if not isinstance(value, dict):
            raise _WrongError(f"`{where}` is not a mapping" if where else "it is not a mapping")
        self._value = value
        self._where = where

    def only(self, *keys: str) -> None:
        unknown = sorted(str(key) for key in self._value.keys() - set(keys))
        if unknown:
            raise _WrongError(f"`{self._where}{unknown[0]}` is not a known key")

    def text(self, key: str) -> str:
        value = self._value.get(key)
        if not isinstance(value, str) or not value:
            raise _WrongError(f"`{self._where}{key}` has to be text")
        return value

    def optional(self, key: str) -> str | None:
        return self.text(key) if key in self._value else None

    def number(self, key: str) -> int:
        value = self._value.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise _WrongError(f"`{self._where}{key}` has to be a number")
        return value

    def items(self, key: str, *, optional: bool = False) -> list[Any]:
        value = self._value.get(key, [] if optional else None)
        if not isinstance(value, list):
            raise _WrongError(f"`{self._where}{key}` has to be a list")
        return value

    def digests(self, key: str, *, optional: bool = False) -> dict[str, str]:
        value = self._value.get(key, {} if optional else None)
        if not isinstance(value, dict):
            raise _WrongError(f"`{self._where}{key}` has to be a mapping")
        for path, found in value.items():
            # A lock may come with anybody's pull request, and says which files are removed.
            parts = path.lower().split("/")
            if path.startswith("~") or "\\" in path or not _FORBIDDEN_PARTS.isdisjoint(parts):
                raise _WrongError(f"`{self._where}{key}`: {path!r} is not a path inside the repository")
            if not isinstance(found, str) or not _DIGEST.fullmatch(found):
                raise _WrongError(f"`{self._where}{key}`: `{path}` has no digest")
        return value


def _lock(reader: _Reader) -> Lock:
    found = reader.number("lock")
    if found != FORMAT:
        raise _WrongError(f"its format is {found}; this upstreamsync reads {FORMAT}")
    reader.only("lock", "vendor", "version", "config", "sources", "bases", "files", "tree", "forks", "watch")
    lock = Lock(
        vendor=reader.text("vendor"),
        version=reader.text("version"),
        config=reader.text("config"),
        sources=tuple(_resolved(_Reader(item, "sources.")) for item in reader.items("sources")),
        bases=tuple(_base(item) for item in reader.items("bases")),
        files=reader.digests("files"),
        forks=reader.digests("forks", optional=True),
        watch=tuple(_watched(_Reader(item, "watch.")) for item in reader.items("watch", optional=True)),
    )
    for path in lock.files:
        if not any(path.startswith(f"{base}/") for base in lock.bases):
            raise _WrongError(f"`files`: `{path}` lies in none of the `bases`")
    return lock


def _resolved(reader: _Reader) -> Resolved:
    reader.only("kind", "location", "digest", "tool")
    return Resolved(
        kind=reader.text("kind"),
        location=reader.text("location"),
        digest=reader.text("digest"),
        tool=reader.optional("tool"),
    )


def _watched(reader: _Reader) -> WatchedSource:
    reader.only("source", "location", "files")
    return WatchedSource(
        source=reader.text("source"), location=reader.text("location"), files=reader.digests("files")
    )


def _base(item: Any) -> str:
    if not isinstance(item, str) or not _FORBIDDEN_PARTS.isdisjoint(item.lower().split("/")):
        raise _WrongError("`bases` has to list folders inside the repository")
    return item


def _broken(name: str, why: str) -> RepositoryError:
    position = re.match(r":(\d+):(\d+): ", why.removeprefix(name))
    line, column = (int(position[1]), int(position[2])) if position else (1, 1)
    why = why.removeprefix(name).removeprefix(position[0] if position else ": ")
    return RepositoryError(
        f"the lock can't be used: {why}",
        place=Place(file=name, line=line, column=column),
        hint=f"restore it (`git checkout -- {name}`), or delete it and run `upstreamsync update` again",
    )
