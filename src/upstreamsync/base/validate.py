"""Whether what was fetched is manifests: one check for every kind of source, on what is to be written.

A server may well answer 200 with a page that says 404, a git host with a stub, a page with a template that
nobody filled. None of these may become a base. What kustomize itself refuses (an object twice, one without
a name) is left to it: every base is built before it is proposed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from upstreamsync.base.documents import (
    BOM,
    check_yaml,
    has_content,
    has_top_keys,
    is_html,
    is_manifest,
    is_yaml_name,
    parts,
)
from upstreamsync.base.kustomization import chart_folders, is_kustomization
from upstreamsync.base.lists import unpacked
from upstreamsync.errors import ContentError, Malformed, UpstreamsyncError
from upstreamsync.kit.lfs import refuse_pointer
from upstreamsync.kit.pages import INCLUDE, INVISIBLE, ODD_SPACES
from upstreamsync.kit.yaml import manifests
from upstreamsync.kit.yaml.form import is_sound
from upstreamsync.kit.yaml.keys import bad_key
from upstreamsync.model import ContentFile, Place

#: Kinds of source that bring whole folders, where manifests may stand beside other YAML.
TREES = frozenset(("git", "archive", "command"))
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_TEMPLATE = re.compile(rb"\{\{[^{}\n]*\}\}|\{%[^{}\n]*%\}|\{\{-? *(?:if|range|with|define|end)\b")
_BRACES = re.compile(rb"\{\{")  # which is seen three times as fast as with `in`
_TEMPLATE_NAME = re.compile(
    rb"^[ -]*(?:name|namespace|kind|apiVersion|image):[ ]*[\"']?[^\n#]*\{\{[^\n]*\}\}", re.MULTILINE
)
_ODD_INDENT = re.compile(f"^[ \t-]*[{ODD_SPACES}{INVISIBLE}]", re.MULTILINE)
_TAB_INDENT = re.compile(rb"^[ ]*\t", re.MULTILINE)
_ERROR_KEYS = frozenset(
    ("message", "error", "errors", "code", "status", "statuscode", "detail", "details", "title", "type",
     "documentation_url", "path", "timestamp", "requestid", "request_id", "reason", "success", "result")
)  # fmt: skip
_SHOWN = 60
#: What is no more than an answer, or a list of nothing, is short.
_ONE_ANSWER = 10_000


def check_content(
    files: Sequence[ContentFile],
    *,
    beside: Sequence[str] = (),
    tree: bool,
    declared: bool = True,
    place: Place | None = None,
    sound: Callable[[bytes], bool] = is_sound,
) -> frozenset[str]:
    """The paths of those of a source's files that hold manifests; ``beside`` are all paths of its base.

    Where upstream brings a kustomization, that decides what its files are, and files of a chart are none;
    otherwise each YAML file has to hold an object. In a ``tree`` a mapping or list of another kind (values,
    rules) may stand beside manifests. With ``declared`` false (``manifests: false``) anything may be there.
    ``place`` is that of the source, for errors; ``sound`` computes what ``is_sound`` does. Raises Malformed and
    ContentError.
    """
    paths = [*beside, *(file.path for file in files)]
    charts = chart_folders(paths)
    kustomized = any(map(is_kustomization, paths))
    found: set[str] = set()
    others: list[UpstreamsyncError] = []
    for file in files:
        if not is_yaml_name(file.path) or any(file.path.startswith(folder) for folder in charts):
            continue
        if not declared:
            if _is_lenient_manifest(file):
                found.add(file.path)
            continue
        try:
            _check_bytes(file)
            if kustomized:
                continue
            if _check_manifest(file, tree=tree, sound=sound):
                found.add(file.path)
        except _Other as other:
            others.append(other.error)
        except (ContentError, Malformed) as error:
            error.place = error.place or place
            if tree and "." not in file.path.rpartition("/")[2]:
                others.append(error)  # LICENSE, Makefile and their like
                continue
            raise
    if others and not found:
        others[0].place = others[0].place or place
        raise others[0]
    return frozenset(found)


def may_be_manifest(path: str, charts: Sequence[str]) -> bool:
    """Whether a file of that name may hold manifests; ``charts`` are the folders of charts beside it."""
    return (
        is_yaml_name(path)
        and not is_kustomization(path)
        and not any(path.startswith(folder) for folder in charts)
    )


def count_objects(files: Mapping[str, bytes]) -> int:
    """How many Kubernetes objects the files hold, those inside Lists counted; by their lines alone."""
    charts = chart_folders(files)
    return sum(
        _objects_in(part, path)
        for path, data in files.items()
        if may_be_manifest(path, charts)
        for part in _objects(data)
    )


def most_objects(files: Mapping[str, bytes]) -> int:
    """No less than ``count_objects``, and hundreds of times as cheap: each object says its ``apiVersion``."""
    return sum(data.count(b"apiVersion") for data in files.values())


def fewest_objects(files: Mapping[str, bytes]) -> int:
    """No more than ``count_objects``, and as cheap: no document has either key at its top twice."""
    charts = chart_folders(files)
    return sum(
        min(_lines_that_begin(data, b"apiVersion:"), _lines_that_begin(data, b"kind:"))
        for path, data in files.items()
        if may_be_manifest(path, charts)
    )


def _lines_that_begin(data: bytes, word: bytes) -> int:
    return data.count(b"\n" + word) + data.startswith(word)


def _objects_in(part: bytes, path: str) -> int:
    try:
        return len(unpacked(part, path) or [part])
    except Malformed:
        return 1


class _Other(Exception):
    """A file that holds YAML of another kind, which may stand beside manifests."""

    def __init__(self, error: ContentError) -> None:
        super().__init__(error.message)
        self.error = error


def _is_lenient_manifest(file: ContentFile) -> bool:
    try:
        return is_manifest(file.path, file.data)
    except Malformed:
        return False


def _check_bytes(file: ContentFile) -> None:
    data = file.data
    refuse_pointer(data, file.path)
    if data.startswith(_UTF16) or b"\0" in data[:1000]:
        raise Malformed(
            f"{file.path} is UTF-16 or binary, and kubectl and kustomize read UTF-8; not valid YAML for them",
            hint="ask upstream to publish it as UTF-8",
        )


def _check_manifest(file: ContentFile, *, tree: bool, sound: Callable[[bytes], bool]) -> bool:
    """True for a file that holds objects; an error says what another one holds."""
    data = file.data
    if not is_html(data) and (include := _include(data)):
        raise ContentError(
            f"{file.path} is not a manifest: it includes one that a page's own machinery puts there "
            f"(`{include}`)",
            hint="take the included file itself, with a `url` or `git` source",
        )
    fine = not is_html(data) and sound(data)
    if not fine:
        _check_form(file)
    objects = _objects(data)
    if not objects:
        raise _not_an_object(file, tree=tree)
    if _BRACES.search(data) and (found := _TEMPLATE_NAME.search(data)):
        raise _template(file, found.start())
    if not fine and (bad := bad_key(data)):
        raise Malformed(
            f"{file.path}:{bad.line}: not valid for Kubernetes: {bad.problem}",
            hint=_seen(file) or "correct it with `rewrite`, and tell upstream",
        )
    _check_has_items(file, objects)
    return True


def _check_has_items(file: ContentFile, objects: Sequence[bytes]) -> None:
    """A list without items is no object, and the answer of an API server that refuses is none either."""
    if len(objects) > 1 or len(file.data) > _ONE_ANSWER:
        return
    loaded = manifests.load_all(objects[0].removeprefix(BOM), name=file.path)[0]
    if not isinstance(loaded, dict):
        return
    kind, what = str(loaded.get("kind")), ""
    if kind.endswith("List") and "items" in loaded and not loaded["items"]:
        what = f"a {kind} without items"
    elif kind == "Status" and loaded.get("apiVersion") == "v1":
        what = f"what an API server answers: `{str(loaded.get('message') or loaded.get('reason'))[:_SHOWN]}`"
    if what:
        raise ContentError(
            f"{file.path} is not a manifest: no object is in it, but {what}",
            hint="look at the address in a browser: is it what it should be?",
        )


def _include(data: bytes) -> str | None:
    """The directive, of a text that has one and no object."""
    text = data[:20_000].decode("utf-8", "replace")
    found = INCLUDE.search(text)
    return found[0].strip()[:_SHOWN] if found and not _has_object(data) else None


def _check_form(file: ContentFile) -> None:
    try:
        check_yaml(file.path, file.data)
    except Malformed as error:
        if not is_html(file.data):
            if found := _TEMPLATE.search(file.data):
                raise _template(file, found.start()) from None
            error.hint = _seen(file) or error.hint
        raise


def _template(file: ContentFile, at: int) -> Malformed:
    data = file.data
    line = data.count(b"\n", 0, at) + 1
    begin, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
    shown = data[begin : end if end >= 0 else None].decode("utf-8", "replace").strip()[:_SHOWN]
    return Malformed(
        f"{file.path}:{line}: a template that nobody has filled in: `{shown}`",
        hint="a chart is rendered by a `helm` source; other templates can be filled with `rewrite`, or "
        "`manifests: false` takes the file as it is",
    )


def _seen(file: ContentFile) -> str | None:
    """What a reader can't see, and what may well be the trouble."""
    text = file.data.decode("utf-8", "replace")
    if found := _ODD_INDENT.search(text):
        line = text.count("\n", 0, found.end() - 1) + 1
        return (
            f"line {line} has a space that is none to YAML (U+{ord(found[0][-1]):04X}), "
            "as web pages have them; `rewrite` can replace it"
        )
    if tab := _TAB_INDENT.search(file.data):
        line = file.data.count(b"\n", 0, tab.start()) + 1
        return f"line {line} is indented with a tab, which YAML does not allow; `rewrite` can replace it"
    return None


def _has_object(data: bytes) -> bool:
    """Whether one of the documents has apiVersion and kind at its top."""
    return any(has_top_keys(part) for part in parts(data))


def _objects(data: bytes) -> list[bytes]:
    """The documents that have both at their top."""
    return [part for part in parts(data) if has_top_keys(part)]


def _not_an_object(file: ContentFile, *, tree: bool) -> Exception:
    documents = [part for part in parts(file.data) if has_content(part)]
    hint = "look at the address in a browser: is it what it should be?" + (
        "" if documents else " A stub may say where the file has moved"
    )
    if odd := _seen(file):
        hint = odd
    what, other = _what_it_is(file, documents)
    error = ContentError(
        f"{file.path} is not a manifest: no object with `apiVersion` and `kind` is in it, but {what}",
        hint=hint if not other else f"{hint}; YAML of another kind is taken with `manifests: false`",
    )
    return _Other(error) if tree and other else error


def _what_it_is(file: ContentFile, documents: Sequence[bytes]) -> tuple[str, bool]:
    """In words, and whether it may be YAML of another kind."""
    if not documents:
        return ("comments alone" if file.data.strip() else "nothing at all"), False
    first = documents[0].removeprefix(BOM)
    line = next(
        (
            shown
            for raw in first.decode("utf-8", "replace").splitlines()
            if (shown := raw.strip()) and shown != "---"
        ),
        "",
    )
    try:
        loaded = manifests.load_all(first, name=file.path)[0]
    except UpstreamsyncError:
        return f"`{line[:_SHOWN]}`", False
    if isinstance(loaded, dict):
        if loaded and {str(key).lower() for key in loaded} <= _ERROR_KEYS:
            return (
                f"an answer that tells an error: `{json.dumps(loaded, ensure_ascii=False)[:_SHOWN]}`",
                False,
            )
        if not loaded or any(str(key)[:1].isdigit() for key in loaded):
            return f"`{line[:_SHOWN]}`", False
        return f"a mapping with {_listed(loaded)}", True
    if isinstance(loaded, list) and loaded and all(isinstance(one, dict) for one in loaded):
        return "a list", True
    return f"text: `{line[:_SHOWN]}`", False


def _listed(keys: Iterable[object]) -> str:
    shown = [f"`{key}`" for key in keys]
    return ", ".join(shown[:4]) + (" and more" if len(shown) > 4 else "")
