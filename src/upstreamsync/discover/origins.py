"""URLs as people write them in kustomizations, comments and scripts: which repository, which version.

The forms are those of kustomize's remote targets (``github.com/o/r//path?ref=v1``, ``git::…``, scp-like)
and of the raw files, release assets and archives of GitHub, GitLab and Gitea.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from upstreamsync.discover.candidates import Piece, without_user

COMMIT = re.compile(r"[0-9a-f]{40}")
#: A tag is a version with, perhaps, the name of a part before it: v1.2.3, kustomize/v5.7.1.
_TAG = re.compile(r"(?P<part>(?:[A-Za-z][\w.]*?[-_/])*?)(?P<version>[vV]?\d+(?:\.\d+)*(?:[-+._]?[\w.+-]+)?)")
_SCP = re.compile(r"(?:[\w.-]+@)(?P<host>[\w.-]+):(?P<path>[^\s/][^\s]*)")
_IN_PATH = re.compile(r"(?<=/)[vV]?\d+\.\d+(?:\.\d+)?(?:[-+][\w.+-]+)?(?=/)")
_RELEASE_BRANCH = re.compile(r"(?:release|releases|stable|support|maintenance)[-/_]v?\d+(?:\.\d+)?(?:\.x)?")
#: Folders of a URL that say nothing of what lies there.
_NAMES_NOTHING = frozenset((
    "manifests", "deploy", "previous", "latest", "download", "downloads", "releases", "release", "stable", "yaml",
    "config", "install", "files", "static", "public", "artifacts",
))  # fmt: skip
_ADDRESS = re.compile(r"[0-9.]+|[0-9a-f:]*:[0-9a-f:.]*")
_BRANCHES = frozenset(("main", "master", "HEAD", "head", "develop", "dev", "trunk", "gh-pages"))
_FORGES = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a URL leads.

    ``url`` is set for one file or archive; otherwise it is the folder ``path`` of a git ``repository``.
    ``ref`` is a tag, branch or commit, as written. ``slug`` is OWNER/REPO where a GitHub (or a server that
    looks like one) has it; ``asset`` says that the file belongs to a release.
    """

    host: str
    url: str | None = None
    repository: str | None = None
    slug: str | None = None
    path: str = ""
    ref: str | None = None
    asset: bool = False

    @property
    def name(self) -> str:
        """What to call it: the repository's name, else the last folder or the host."""
        if self.repository or self.slug:
            return (self.slug or self.repository or "").rstrip("/").rpartition("/")[2].removesuffix(".git")
        parts = [
            part
            for part in urlsplit(self.url or "").path.split("/")[:-1]
            if part and not re.search(r"\d\.\d|[$<>{}\[\]]|^[vV]?\d", part)
        ]
        return next((part for part in reversed(parts) if part not in _NAMES_NOTHING), self._by_host)

    @property
    def _by_host(self) -> str:
        """The host, or the file where the host is a mere address."""
        if _ADDRESS.fullmatch(self.host) or "." not in self.host:
            return (self.url or "").rpartition("/")[2].partition(".")[0] or self.host
        return self.host

    @property
    def is_bare(self) -> bool:
        """Whether nothing but the host, or the file, could name it: a folder that it goes to says more."""
        return not self.repository and not self.slug and self.name == self._by_host

    @property
    def words(self) -> tuple[str, ...]:
        """What images of it may be named for: itself, then its owner."""
        owner = (self.slug or "").partition("/")[0]
        return (self.name, owner) if owner else (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A ref as the configuration needs it: the version, the feed, and what a person has to look at."""

    version: str | None
    releases: Piece | None
    unsure: tuple[str, ...] = ()
    complete: bool = True


def read_origin(text: str) -> Origin | None:
    """The origin that ``text`` names; None for a local path or a form that is not known."""
    text = without_user(text.strip().removeprefix("git::"))
    if match := _SCP.fullmatch(text.partition("?")[0]):
        repository, path = _cut(match["path"])
        where = text.partition(":")[0]
        return _in_git(match["host"], f"{where}:{repository}", path, text.partition("?")[2])
    if "://" not in text:
        if text.partition("/")[0] not in _FORGES:
            return None
        text = f"https://{text}"
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http", "ssh", "file") or (not parts.netloc and parts.scheme != "file"):
        return None
    host = (parts.hostname or "").lower()
    is_web = parts.scheme in ("https", "http") and "ref=" not in parts.query
    if is_web and (found := _file(text.partition("?")[0], host, parts.path)):
        return found
    repository, path = _cut(parts.path.lstrip("/"), forge=host in _FORGES)
    return _in_git(host, f"{parts.scheme}://{parts.netloc}/{repository}", path, parts.query)


def _in_git(host: str, repository: str, path: str, query: str) -> Origin:
    values = parse_qs(query)
    ref = next((values[key][0] for key in ("ref", "version") if key in values), None)
    slug = (
        repository.removesuffix(".git").partition("github.com")[2].lstrip("/:")
        if host == "github.com"
        else None
    )
    shown = repository.removesuffix(".git") if slug else repository
    return Origin(host=host, repository=shown, slug=slug or None, path=path.strip("/"), ref=ref)


def _cut(path: str, *, forge: bool = False) -> tuple[str, str]:
    """The repository and the folder in it: parted by ``//``, after ``.git``, or after OWNER/REPO."""
    if "//" in path:
        repository, _, inner = path.partition("//")
        return repository, inner
    if match := re.match(r"(.+?\.git)(?:/(.*))?$", path):
        return match[1], match[2] or ""
    if forge:
        pieces = path.split("/")
        return "/".join(pieces[:2]), "/".join(pieces[2:])
    return path, ""


def _file(url: str, host: str, path: str) -> Origin | None:
    """A raw file, a release's asset or an archive; any other URL that ends like a file."""
    pieces = path.lstrip("/").split("/")
    slug = "/".join(pieces[:2])
    rest = pieces[2:]
    server = url[: url.index("://") + 3] + urlsplit(url).netloc
    if host == "raw.githubusercontent.com" and len(rest) >= 2:
        if rest[:2] == ["refs", "heads"] and len(rest) > 3:
            url, rest = (
                url.replace("/refs/heads/", "/", 1),
                rest[2:],
            )  # a commit in its place would not be found
        ref = rest[2] if rest[:2] == ["refs", "tags"] else _ref_of(rest)
        return Origin(host="github.com", url=url, repository=f"https://github.com/{slug}", slug=slug, ref=ref)
    for depth in range(1, len(pieces) - 2):
        owner = "/".join(pieces[max(0, depth - 1) : depth + 1])
        after = pieces[depth + 1 :]
        repository = f"{server}/{'/'.join(pieces[: depth + 1])}"
        if after[:2] == ["releases", "download"] and len(after) >= 4:
            return Origin(
                host=host, url=url, repository=repository, slug=owner, ref="/".join(after[2:-1]), asset=True
            )
        if after[:3] == ["releases", "latest", "download"] and len(after) == 4:
            return Origin(host=host, url=url, repository=repository, slug=owner, asset=True)
        if after[:2] == ["-", "raw"] and len(after) >= 4:
            return Origin(host=host, url=url, repository=repository, ref=after[2])
        if after[:1] == ["raw"] and len(after) >= 3:
            ref = after[2] if after[1] in ("tag", "branch") or after[1:3] == ["refs", "tags"] else after[1]
            return Origin(host=host, url=url, repository=repository, slug=owner, ref=ref)
        if after[:1] == ["archive"] and (
            match := re.search(r"archive/(?:refs/tags/)?(.+?)\.(?:tar\.gz|tgz|zip)$", path)
        ):
            return Origin(host=host, url=url, repository=repository, slug=owner, ref=match[1], asset=True)
    if re.search(r"\.(?:ya?ml|json|tar\.gz|tgz|zip|md)$", path):
        match = _IN_PATH.search(path)
        return Origin(host=host, url=url, ref=match[0] if match else None)
    return None


def _ref_of(rest: list[str]) -> str:
    """The ref at the start of a path; a tag may have a part before its version, as ``kustomize/v5.7.1``."""
    parted = len(rest) > 2 and rest[0] not in _BRANCHES and not re.search(r"\d", rest[0])
    return "/".join(rest[:2]) if parted and re.fullmatch(r"[vV]?\d+\.\d+\.\d+[\w.+-]*", rest[1]) else rest[0]


def is_release_branch(ref: str) -> bool:
    """Whether a ref is named as branches of releases are; a tag of that name would have to be known."""
    return _RELEASE_BRANCH.fullmatch(ref) is not None


def read_tag(origin: Origin) -> Tag:
    """The version and the feed that belong to an origin's ref."""
    ref = unquote(origin.ref) if origin.ref else None
    if ref is None or re.search(r"[$\s{}()]", ref):
        releases = _feed(origin)
        remark = "no version is named here: write the one that is vendored"
        return Tag(version=None, releases=releases, complete=False, unsure=(remark,))
    if COMMIT.fullmatch(ref) and origin.repository:
        return Tag(
            version=ref,
            releases={"branch": {"repository": origin.repository, "name": "main"}},
            unsure=("a commit is pinned: is `main` the branch to follow, or is there a tag?",),
        )
    match = _TAG.fullmatch(ref)
    if match is None or (match["part"] == "" and not re.search(r"\d", ref)) or is_release_branch(ref):
        if not origin.repository:
            return Tag(version=None, releases=None, complete=False, unsure=(f"`{ref}` is no version",))
        return Tag(
            version=ref,
            releases={"branch": {"repository": origin.repository, "name": ref}},
            unsure=(f"`{ref}` is a branch: write the commit that is vendored as `version`",),
        )
    return _of_tag(origin, match["part"], match["version"])


def _feed(origin: Origin) -> Piece | None:
    """Where versions of an origin come from, where that needs no tag to tell."""
    if origin.slug and origin.host == "github.com":
        return {"github" if origin.asset else "github_tags": origin.slug}
    return {"git": origin.repository} if origin.url and origin.repository else None


def _of_tag(origin: Origin, part: str, version: str) -> Tag:
    pattern = {"tag": f"^{re.escape(part)}(?P<version>[vV]?\\d.*)$"} if part else {}
    unsure: tuple[str, ...] = ()
    if origin.slug and origin.host != "github.com":
        kind = {"github": origin.slug}
        unsure = (f"is {origin.host} a GitHub server? GITHUB_API_URL names it",)
    elif origin.slug:
        kind = {"github" if origin.asset else "github_tags": origin.slug}
    elif origin.url and origin.repository:
        kind = {"git": origin.repository}
    elif origin.repository:
        return Tag(version=version, releases={"git": origin.repository, **pattern} if part else None)
    else:
        return Tag(
            version=version, releases=None, complete=False,
            unsure=("where do versions come from? add `releases` (github, git, page, json, …)",),
        )  # fmt: skip
    return Tag(version=version, releases={**kind, **pattern}, unsure=unsure)


def templated(text: str, version: str) -> str:
    """``text`` with the version replaced by its placeholder: as a segment of its own, and within one.

    Within a segment only what can be nothing else is taken for it: 1.2.3 in ``app-1.2.3.tgz``, but neither
    ``main`` in ``domain`` nor v1 in ``apps_v1_things.yaml``.
    """
    text = _replaced(text, version, "{version}")
    bare = re.sub(r"^[vV](?=\d)", "", version)
    return _replaced(text, bare, "{semver}") if bare != version else text


def _replaced(text: str, version: str, placeholder: str) -> str:
    within = re.search(r"\d\.\d", version) is not None or COMMIT.fullmatch(version) is not None
    around = (r"(?<![\d.])", r"(?!\d|\.\d)") if within else (r"(?<=[/@=])", r"(?=[/?&#]|\Z)")
    return re.sub(rf"{around[0]}{re.escape(version)}{around[1]}", lambda _: placeholder, text)


def source_of(origin: Origin, version: str | None) -> Piece:
    """The source that fetches what the origin names."""
    if origin.url is None:
        return {"kustomize": {"repository": origin.repository, "path": origin.path or "."}}
    if origin.asset and "/releases/latest/download/" in origin.url:
        url = origin.url.replace("/releases/latest/download/", "/releases/download/{version}/")
    elif version is None:
        url = templated(origin.url, origin.ref) if origin.ref else origin.url
    else:
        url = templated(origin.url, version)
    if re.search(r"\.(?:tar\.gz|tgz|zip)$", origin.url):
        return {"archive": {"url": url, "paths": ["**/*.yaml"]}}
    return {"url": url}
