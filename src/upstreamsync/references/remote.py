"""What lies outside of a repository, as its manifests name it: files of git repositories, URLs, charts.

The spellings are those that kustomize reads: its documentation on remote targets, and its package
``repospec``, say what is a repository, what a path in it, and what a file.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

#: Forges on which the first two parts of a path are somebody's: one of them says nothing about another.
_SHARED_HOSTS: Final = {
    "github.com": "github.com",
    "www.github.com": "github.com",
    "raw.githubusercontent.com": "github.com",
    "codeload.github.com": "github.com",
    "gist.githubusercontent.com": "gist.github.com",
    "gitlab.com": "gitlab.com",
    "bitbucket.org": "bitbucket.org",
    "codeberg.org": "codeberg.org",
    "storage.googleapis.com": "storage.googleapis.com",
    "s3.amazonaws.com": "s3.amazonaws.com",
}
_SCP: Final = re.compile(r"(?:[\w.-]+@)[\w.-]+:(?!/?/)")
_FILE_ENDINGS: Final = (".yaml", ".yml", ".json")
_SLUG: Final = re.compile(r"[^A-Za-z0-9._-]+")
#: A file system takes names of 255 bytes, and paths of 4,096: several of these may lie inside one another.
_LONGEST: Final = 100
_VERSION: Final = re.compile(r"v?\d+(?:[.-]\d+)+(?:[-+.]?[0-9A-Za-z]+)*|[0-9a-f]{40}|v\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPath:
    """A folder or file of a git repository; ``ref`` is empty where the repository's HEAD is meant.

    ``plain``: where the folder has no kustomization its manifests are meant, as controllers read folders.
    """

    repository: str
    path: str = ""
    ref: str = ""
    plain: bool = False

    @property
    def scope(self) -> str:
        """The repository, however it is written."""
        return _scope(self.repository)

    @property
    def host(self) -> str:
        """The host that would be asked."""
        return _host(self.repository)

    @property
    def slug(self) -> str:
        """A folder's name for it that stays the same when it moves to another version."""
        return _slug(self.scope + (f"-{self.path}" if self.path else ""))

    def __str__(self) -> str:
        return _git_address(self.repository, self.path, self.ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebFile:
    """A file that a URL names."""

    url: str

    @property
    def scope(self) -> str:
        """Whose it is: the owner's repository on a forge, else the server."""
        return _scope(self.url, whole=False)

    @property
    def host(self) -> str:
        """The host that would be asked."""
        return _host(self.url)

    @property
    def name(self) -> str:
        """The file's own name."""
        return posixpath.basename(urlsplit(self.url).path) or "index"

    @property
    def slug(self) -> str:
        """A folder's name for it that stays the same when it moves to another version."""
        parts = urlsplit(self.url)
        folder = _VERSION.sub("", posixpath.dirname(parts.path))
        return _slug(f"{parts.netloc}{folder}")

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartVersion:
    """A chart of a repository (https://… or oci://…); ``version`` may be a range, or empty for the newest."""

    repository: str
    name: str
    version: str = ""

    @property
    def scope(self) -> str:
        """The chart's repository."""
        return _scope(self.repository)

    @property
    def host(self) -> str:
        """The host that would be asked."""
        return _host(self.repository)

    @property
    def slug(self) -> str:
        """A folder's name for it that stays the same when it moves to another version."""
        return _slug(f"{self.scope}-{self.name}")

    def __str__(self) -> str:
        return f"{self.repository.rstrip('/')}/{self.name} {self.version}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class GitChart:
    """A chart that is a folder of a git repository."""

    repository: str
    path: str = ""
    ref: str = ""

    @property
    def name(self) -> str:
        """The folder's name, which stands for the chart's."""
        return _slug(posixpath.basename(self.path) or posixpath.basename(_plain(self.repository)))

    @property
    def scope(self) -> str:
        """The repository, however it is written."""
        return _scope(self.repository)

    @property
    def host(self) -> str:
        """The host that would be asked."""
        return _host(self.repository)

    @property
    def slug(self) -> str:
        """A folder's name for it that stays the same when it moves to another version."""
        return _slug(f"{self.scope}-{self.path}")

    def __str__(self) -> str:
        return _git_address(self.repository, self.path, self.ref)


Remote = GitPath | WebFile | ChartVersion | GitChart
#: In front of an address, where a unit of a controller's says more than a kustomization could.
ANY_FOLDER: Final = "any::"
CHART_IN_GIT: Final = "git+"


def read_resource(entry: str) -> GitPath | WebFile | None:
    """What an entry of ``resources``, ``bases`` or ``components`` names outside; None for a path."""
    if "\n" in entry or not entry.strip():
        return None
    if entry.startswith(ANY_FOLDER):
        found = read_git(f"git::{entry.removeprefix(ANY_FOLDER)}")
        return replace(found, plain=True) if found is not None else None
    return read_git(entry) or read_file(entry)


def read_file(entry: str) -> WebFile | None:
    """What stands where a file belongs, as an address; None for a path."""
    if entry.startswith(("http://", "https://")) and "\n" not in entry and urlsplit(entry).netloc:
        return WebFile(url=entry)
    return None


def read_git(entry: str) -> GitPath | None:
    """A kustomization in a git repository; None where the entry is none, as far as its text can tell."""
    text = entry.removeprefix("git::")
    address, _, query = text.partition("?")
    asked = parse_qs(query)
    ref = (asked.get("ref") or asked.get("version") or [""])[0]
    if address.startswith(("github.com/", "github.com:")):
        address = f"https://github.com/{address[11:]}"
    scheme, separator, rest = address.partition("://")
    if not separator:
        if not _SCP.match(address):
            return None
        head, _, rest = address.partition(":")
        repository, path = _split(rest)
        return GitPath(repository=f"{head}:{repository}", path=path, ref=ref)
    if scheme not in {"https", "http", "ssh", "file", "git"}:
        return None
    host, slash, path = rest.partition("/")
    marked = text != entry or "//" in path or ".git/" in f"{path}/" or "_git/" in path
    if scheme in {"https", "http"} and not marked:
        # What ends as a file does is one, whatever it is asked for with.
        is_file = address.endswith((*_FILE_ENDINGS, "/raw"))
        if is_file or not (ref or _is_repository(address)):
            return None
    if scheme == "file":
        repository, path = _split(rest, whole="//" not in rest and ".git" not in rest)
        return GitPath(repository=f"file://{repository}", path=path, ref=ref)
    repository, path = _split(path)
    return GitPath(repository=f"{scheme}://{host}{slash}{repository}", path=path, ref=ref)


def _is_repository(address: str) -> bool:
    """Whether an address without any mark can only mean a repository: two parts, on a forge."""
    parts = urlsplit(address)
    inside = [part for part in parts.path.split("/") if part]
    return parts.netloc in {"github.com", "gitlab.com", "bitbucket.org"} and (
        len(inside) >= 2
        and not parts.path.endswith(_FILE_ENDINGS)
        and not {"releases", "raw", "archive", "-"} & set(inside)
    )


def _split(path: str, *, whole: bool = False) -> tuple[str, str]:
    """A repository's path and the path in it, divided as kustomize divides them."""
    if whole:
        return path.rstrip("/"), ""
    if "_git/" in path:
        before, _, after = path.partition("_git/")
        name, _, inside = after.partition("/")
        return f"{before}_git/{name}", inside.strip("/")
    if "//" in path:
        repository, _, inside = path.partition("//")
        return repository, inside.strip("/")
    if (at := path.find(".git/")) >= 0 or path.endswith(".git"):
        at = len(path) - 4 if at < 0 else at
        return path[: at + 4], path[at + 4 :].strip("/")
    parts = path.strip("/").split("/")
    return "/".join(parts[:2]), "/".join(parts[2:])


def _host(address: str) -> str:
    if "://" not in address:
        return address.partition(":")[0].rpartition("@")[2].lower()
    return (urlsplit(address).hostname or "").lower()


def _scope(address: str, *, whole: bool = True) -> str:
    """Whose something is. ``whole``: the address names a repository, and no file in one."""
    if "://" not in address:
        host, _, path = address.partition(":")
        return f"{host.rpartition('@')[2].lower()}/{_plain(path)}"
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    port = f":{parts.port}" if parts.port else ""
    shared = _SHARED_HOSTS.get(host)
    if shared is not None:
        inside = [part for part in parts.path.split("/") if part]
        if _climbs(parts.path):  # whoever answers decides what that leads to: it is nobody's but its own
            return f"{shared}/{parts.path}"
        count = len(inside) if whole else (1 if "storage" in host or host.startswith("s3") else 2)
        return f"{shared}/{_plain('/'.join(inside[:count]))}"
    return f"{host}{port}/{_plain(parts.path) if whole else ''}"


def _climbs(path: str) -> bool:
    """Whether a path leads out of a folder that it names, as clients and servers may read it."""
    for _ in range(3):
        path = unquote(path)
    return any(part.partition(";")[0] in {".", ".."} for part in path.replace("\\", "/").split("/"))


def _plain(path: str) -> str:
    return path.strip("/").removesuffix(".git").lower()


def _slug(text: str) -> str:
    """``text`` as a folder's name; a long one is cut, and a digest keeps it apart from others that begin alike."""
    name = _SLUG.sub("-", text).strip("-.").lower()
    if len(name) <= _LONGEST:
        return name
    return f"{name[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _git_address(repository: str, path: str, ref: str) -> str:
    folder = f"//{path}" if path else ""
    return f"{repository}{folder}{f'?ref={ref}' if ref else ''}"
