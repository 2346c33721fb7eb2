"""Downloads and clones in scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from upstreamsync.discover.archives import Unpacked, unpacked
from upstreamsync.discover.candidates import Candidate, Piece
from upstreamsync.discover.kustomizations import normal
from upstreamsync.discover.origins import Origin, read_origin, read_tag, source_of, templated
from upstreamsync.discover.recipes import carried, changed_remarks, changes_of
from upstreamsync.discover.scan import TextFile, Tree
from upstreamsync.discover.shell import Line, Script
from upstreamsync.discover.vendored import names_of, owner_of, shown_version
from upstreamsync.model import Place

_PROGRAMS = ("curl", "wget", "kubectl", "kustomize")
#: Folders that by their name are gone when the script is done.
_PASSING = re.compile(r"/(?:\.[^/]+|te?mp|[^/]*[-_.]te?mp|te?mp[-_.][^/]*|build|out|dist)/")
_CONTENT = re.compile(r"\.(?:ya?ml|json)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clone:
    """A git clone in a script: the folder it goes to, and the tag that is checked out."""

    folder: str
    origin: Origin
    line: Line


def read_downloads(script: Script, tree: Tree) -> Iterator[Candidate]:
    """What curl, wget and kubectl fetch; ``tree`` is what the repository has."""
    for line in script.lines:
        if not any(word.rpartition("/")[2] in _PROGRAMS for word in line.words):
            continue
        for word in line.words:
            if re.match(r"(?:git::)?https?://", word) and (origin := read_origin(word)) is not None:
                yield from _download(script, line, origin, tree)


def _download(script: Script, line: Line, origin: Origin, tree: Tree) -> Iterator[Candidate]:
    edits = script.follow(read_tag(origin).version or "", line.raw) if origin.ref else ()
    output = _output(line, origin)
    if origin.url is None and "kubectl" not in line.words and "kustomize" not in line.words:
        return
    if (found := unpacked(script, line, origin, output, tree)) is not None:
        yield _archive(script, line, origin, found, edits)
        return
    if origin.url is not None and not _CONTENT.search(origin.url) and not _CONTENT.search(output):
        yield from _tool(script, line, origin, edits)
        return
    if (origin.ref is None and origin.url is None) or _is_passing(script, line, origin, output):
        return
    for written, commands in carried(script, line, output, tree) if output else (("", ()),):
        yield _content(script, line, origin, (written, commands), edits, tree)


def _archive(
    script: Script, line: Line, origin: Origin, found: Unpacked, edits: tuple[Piece, ...]
) -> Candidate:
    """An archive of which members lie in the repository."""
    tag = read_tag(origin)
    source = found.source(origin, tag.version)
    complete = tag.complete and "$" not in str(source)
    unknown = ("what the script puts in place of `$…` is not known here",) if "$" in str(source) else ()
    return Candidate(
        names=names_of(origin, found.base),
        found=Place(file=script.file.path, line=line.number),
        version=tag.version,
        source=source,
        base=found.base,
        base_is_real=True,
        releases=tag.releases,
        edits=edits,
        unsure=(*tag.unsure, *unknown, *changes_of(script, line, found.base)),
        complete=complete,
    )


def _is_passing(script: Script, line: Line, origin: Origin, output: str) -> bool:
    """Whether it goes by the repository: for a cluster, and no more is known of it, or it is only told of in a page."""
    is_written = bool(output) and not re.search(r"[<>\[\]]", output + (origin.url or ""))
    is_vague = not read_tag(origin).complete
    return not is_written and (script.file.is_runbook or (is_vague and "kubectl" in line.words))


def _content(
    script: Script,
    line: Line,
    origin: Origin,
    written: tuple[str, Sequence[str]],
    edits: tuple[Piece, ...],
    tree: Tree,
) -> Candidate:
    """A download, with the file that it becomes and the commands that it goes through till then."""
    tag = read_tag(origin)
    base, name = place_of(script, written[0], tree)
    version, complete = tag.version, tag.complete
    source = dict(source_of(origin, tag.version))
    own_name = (origin.url or "").rpartition("/")[2]
    if name and origin.url is not None and name != own_name:
        source["file"] = name
    unsure = tag.unsure + changed_remarks((*line.piped, *written[1]))
    if base is not None:
        file = name or own_name
        unsure += changes_of(script, line, base, (file,) if origin.url is not None and file else ())
    if version is None and (shown := shown_version(tree, base, origin.words)):
        version, complete = shown, "{version}" in str(source) and tag.releases is not None
        unsure = (
            f"the version is not written here; what lies in `{base}` says {shown}",
            *unsure[len(tag.unsure) :],
        )
    if "$" in str(source):
        complete = False
        unsure = (*unsure, "what the script puts in place of `$…` is not known here")
    if base is None:
        unsure = (*unsure, "no folder of the repository is named for it: choose `base`")
    return Candidate(
        names=(
            *((owner_of(base),) if base is not None and origin.is_bare else ()),
            origin.name,
            f"{origin.name}-{_stem(origin)}",
        ),
        found=Place(file=script.file.path, line=line.number),
        version=version,
        source=source,
        base=base or f"{origin.name.lower()}/base/upstream",
        base_is_real=base is not None,
        releases=tag.releases,
        edits=edits,
        unsure=unsure,
        complete=complete,
    )


def _tool(script: Script, line: Line, origin: Origin, edits: tuple[Piece, ...]) -> Iterator[Candidate]:
    """A program or archive: nothing to vendor, but a version that stands in this file."""
    tag = read_tag(origin)
    if tag.version is None or tag.releases is None:
        return
    edits = edits or _in_url(script.file, origin, tag.version)
    if edits:
        yield Candidate(
            names=(origin.name,),
            found=Place(file=script.file.path, line=line.number),
            version=tag.version,
            releases=tag.releases,
            edits=edits,
            unsure=(*tag.unsure, "not a manifest: only the version in this file is kept up to date"),
            complete=tag.complete,
        )


def _in_url(file: TextFile, origin: Origin, version: str) -> tuple[Piece, ...]:
    """An edit of the version within the URL, when it stands there once."""
    url = origin.url or ""
    template = templated(url, version)
    if template.count("{version}") + template.count("{semver}") != 1 or file.text.count(url) != 1:
        return ()
    before, placeholder, after = re.split(r"(\{(?:version|semver)\})", template)
    pattern = re.escape(before) + r"([^/\s]+?)" + re.escape(after)
    return ({"file": file.path, "pattern": pattern, "value": placeholder},)


def _output(line: Line, origin: Origin) -> str:
    """The file that a download becomes; curl's ``-O`` takes its name from the URL, wget's ``-O`` names it."""
    program = next((name for word in line.words if (name := word.rpartition("/")[2]) in _PROGRAMS), "")
    named = line.option("-o", "--output", "--output-document")
    for index, word in enumerate(line.words):
        if named or not re.fullmatch(r"-[A-Za-z]*[oO][A-Za-z]*", word):
            continue
        if "O" in word and program == "curl":
            named = (origin.url or "").rpartition("/")[2]
        elif word[-1] in "oO" and index + 1 < len(line.words):
            named = line.words[index + 1]
    if not named and "--remote-name" in line.words:
        named = (origin.url or "").rpartition("/")[2]
    if not named and program == "wget" and not line.output and not line.piped:
        named = (origin.url or "").rpartition("/")[2]
    named = named or line.output
    return "" if named in ("-", "/dev/null") or named.startswith("-") else named


def target_of(script: Script, line: Line, output: str, tree: Tree) -> tuple[str | None, str]:
    """The folder and name of an output file, from the root; None for one outside or of unknown place."""
    return place_of(script, line.located(output) if output else "", tree)


def place_of(script: Script, place: str, tree: Tree) -> tuple[str | None, str]:
    """As ``target_of``, for a path from where the script starts."""
    if not place or "$" in place or place.startswith(("/", "~")):
        return None, ""
    folder, _, name = place.rpartition("/")
    if folder:
        found = place_folder(script.file, folder, tree)
        return (
            (found, name)
            if found is None or not _PASSING.search(f"/{found}/") or found in tree.folders
            else (None, "")
        )
    # A bare name lies in the Makefile's own folder, and in that of a script where the file is there.
    own = script.file.folder
    is_there = f"{own}/{name}" in tree.files
    return (own if own and (script.file.is_make or is_there) else None), name


def place_folder(file: TextFile, folder: str, tree: Tree) -> str | None:
    """A folder that a script names, from the root: where it exists, as scripts start here or there."""
    if not folder or folder.startswith(("/", "~")) or "$" in folder:
        return None
    candidates = [path for start in (file.folder, "") if (path := normal(start, folder)) is not None]
    if file.is_make or not candidates:
        candidates = candidates[:1] or candidates
    existing = [path for path in candidates if path in tree.folders]
    return next(iter([*existing, *candidates[-1:]]), None)


def read_clones(script: Script) -> tuple[Clone, ...]:
    """The repositories that the script clones, with the tag of ``-b`` or of the ``git checkout`` behind."""
    found: list[Clone] = []
    for index, line in enumerate(script.lines):
        if "git" not in line.words or "clone" not in line.words:
            continue
        words = list(line.words[line.words.index("clone") + 1 :])
        tag = line.option("-b", "--branch") or _checked_out(script.lines[index + 1 :])
        url = next((word for word in words if read_origin(word) is not None), None)
        if url is None or not tag:
            continue
        origin = read_origin(f"{url}?ref={tag}")
        rest = [word for word in words[words.index(url) + 1 :] if not word.startswith(("-", ">", "2>", "|"))]
        if origin is not None and origin.repository is not None:
            folder = rest[0] if rest else url.rstrip("/").rpartition("/")[2].removesuffix(".git")
            found.append(Clone(folder=line.located(folder.rstrip("/")), origin=origin, line=line))
    return tuple(found)


def _checked_out(lines: tuple[Line, ...]) -> str:
    for line in lines:
        if "clone" in line.words:
            return ""
        if "git" in line.words and "checkout" in line.words:
            return next(
                (word for word in line.words[line.words.index("checkout") + 1 :] if word[0] != "-"), ""
            )
    return ""


def read_copies(script: Script, clones: tuple[Clone, ...], tree: Tree) -> Iterator[Candidate]:
    """What ``cp`` takes out of the cloned repositories; a clone of a version without a copy once, with a remark."""
    for clone in clones:
        copies = list(_copies(script, clone, tree))
        if copies:
            yield from copies
        elif not script.file.is_runbook and not _is_charted(script, clone) and _is_version(clone):
            remark = "which of its files are taken, and where to? `paths` and `base` are suggestions"
            yield _of_clone(script, clone, clone.line, ("**/*.yaml", ""), None, (remark,))


def _is_charted(script: Script, clone: Clone) -> bool:
    return any(
        inside(clone, line.located(word))
        for line in script.lines
        for word in line.words
        if "helm" in line.words
    )


def _is_version(clone: Clone) -> bool:
    tag = read_tag(clone.origin)
    return not tag.complete or "branch" not in (tag.releases or {})


def _copies(script: Script, clone: Clone, tree: Tree) -> Iterator[Candidate]:
    for line in script.lines:
        if not line.words or line.words[0] not in ("cp", "rsync", "mv") or len(line.words) < 3:
            continue
        operands = [word for word in line.words[1:] if not word.startswith("-")]
        for operand in operands[:-1]:
            path = inside(clone, line.located(operand))
            if path is None or "$" in path:
                continue
            base, file = _copied_to(script, line, operand, operands[-1], tree)
            unclear = ("the folder it goes to is not clear: choose `base`",)
            remarks = changes_of(script, line, base, (file,) if file else ()) if base else unclear
            yield _of_clone(script, clone, line, (_copied(path, line), file), base, remarks)


def _copied_to(script: Script, line: Line, operand: str, to: str, tree: Tree) -> tuple[str | None, str]:
    """The folder that a copy goes to, and the file's name where it gets another one.

    A folder goes into a folder that is there, under its own name.
    """
    folder = place_folder(script.file, line.located(to).rstrip("/"), tree)
    name = operand.rstrip("/").rpartition("/")[2]
    if folder is None or any(sign in name for sign in "*?[") or operand.endswith("/."):
        return folder, ""
    if _CONTENT.search(name):
        if to.endswith("/") or folder in tree.folders or not _CONTENT.search(folder):
            return folder, ""
        parent, _, new = folder.rpartition("/")
        return parent or None, new if new != name else ""
    into = f"{folder}/{name}"
    goes_into = line.words[0] != "rsync" and (
        into in tree.folders or (to.endswith("/") and folder not in tree.folders)
    )
    return (into if goes_into else folder), ""


def _copied(path: str, line: Line) -> str:
    """What is copied, as a glob: a folder's name takes all below it, and so does ``*`` of a copy in depth."""
    pattern = re.sub(r"/\.$", "", path) or "**"
    deep = line.words[0] != "cp" or any(
        re.fullmatch(r"-\w*[rRa]\w*|--recursive|--archive", word) for word in line.words
    )
    return f"{pattern}*" if deep and (pattern == "*" or pattern.endswith("/*")) else pattern


def inside(clone: Clone, path: str) -> str | None:
    """What of ``path`` lies below the clone's folder; None when it is not in there."""
    for anchor in (clone.folder, clone.folder.rpartition("/")[2]):
        before, found, rest = f"/{path}/".partition(f"/{anchor.lstrip('/')}/")
        if found and (before in ("", "/", "/.") or anchor != clone.folder):
            return rest.strip("/")
    return None


def _of_clone(
    script: Script,
    clone: Clone,
    line: Line,
    taken: tuple[str, str],
    base: str | None,
    remarks: tuple[str, ...],
) -> Candidate:
    """A copy out of a clone: ``taken`` are its paths there, and the file's name here where it is another."""
    tag = read_tag(clone.origin)
    source: dict[str, Any] = {"git": {"repository": clone.origin.repository, "paths": [taken[0]]}}
    if taken[1]:
        source["file"] = taken[1]
    return Candidate(
        names=(clone.origin.name,),
        found=Place(file=script.file.path, line=line.number),
        version=tag.version,
        source=source,
        base=base or f"{clone.origin.name.lower()}/base/upstream",
        base_is_real=base is not None,
        releases=tag.releases,
        edits=script.follow(tag.version, clone.line.raw + _later(script)) if tag.version else (),
        unsure=(*tag.unsure, *remarks),
        complete=tag.complete,
    )


def _later(script: Script) -> str:
    return "".join(f" {line.raw}" for line in script.lines if "checkout" in line.words)


def _stem(origin: Origin) -> str:
    last = (origin.url or origin.path).rstrip("/").rpartition("/")[2]
    return last.partition(".")[0]
