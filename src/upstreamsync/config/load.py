"""Reading vendors.yaml: everything that is wrong with it at once, each with its place and a hint."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from upstreamsync.config.crosscheck import cross_check
from upstreamsync.config.places import Places, read_places
from upstreamsync.config.spec import Check, Document, Forge, KustomizeBuild, Promotion, Tools, Vendor
from upstreamsync.config.where import FILE_NAME, shown_path
from upstreamsync.errors import ConfigError, Malformed, TooLarge, UsageError
from upstreamsync.kit.lfs import OWN_POINTER, PULL, is_pointer
from upstreamsync.kit.yaml import manifests, syntax
from upstreamsync.model import Cluster, Place, Problem

MAX_BYTES = 4 * 1024 * 1024
#: Mappings that a vendor completes key by key; every other key of a vendor replaces the default.
_MERGED = ("follow", "pull_request")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A vendors.yaml that holds together.

    ``root`` is the folder of the file; every path in it is relative to that. ``text`` is the file as it
    was read, for edits that leave everything else as it stands; ``digest`` names its bytes.
    """

    path: Path
    root: Path
    text: str
    digest: str
    vendors: tuple[Vendor, ...]
    tools: Tools
    forge: Forge
    places: Places
    allow_hosts: tuple[str, ...] = ()
    cluster: Cluster = field(default_factory=Cluster)
    checks: tuple[Check, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    server: str | None = None
    kustomize: KustomizeBuild = field(default_factory=KustomizeBuild)
    _numbers: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = {vendor.name: number for number, vendor in enumerate(self.vendors)}
        object.__setattr__(self, "_numbers", numbers)

    def vendor(self, name: str) -> Vendor:
        """The vendor of that name. Raises UsageError, with the nearest names, when there is none."""
        if name in self._numbers:
            return self.vendors[self._numbers[name]]
        near = difflib.get_close_matches(name, [vendor.name for vendor in self.vendors], n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"{self.places.file} lists the vendors"
        raise UsageError(f"there is no vendor `{name}`", hint=hint)

    def place(self, vendor: str, *keys: str | int) -> Place:
        """Where a key of a vendor stands."""
        return self.places.of_value(("vendors", self._numbers[vendor], *keys))


def load_configuration(
    path: Path, *, sources: Collection[str] = (), feeds: Collection[str] = ()
) -> Configuration:
    """Read and check ``path``; ``sources`` and ``feeds`` name kinds besides the project's own.

    Raises ConfigError with every problem, UsageError when it can't be read.
    """
    name = shown_path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{name} can't be read: {error.strerror}", hint="check --config") from None
    return parse_configuration(data, path=path, name=name, sources=sources, feeds=feeds)


def parse_configuration(
    data: bytes,
    *,
    path: Path,
    name: str = FILE_NAME,
    sources: Collection[str] = (),
    feeds: Collection[str] = (),
) -> Configuration:
    """As ``load_configuration``, for content at hand; the file system is looked at only below ``path``."""
    text = _decode(data, name)
    raw, places, problems = _read(text, name)
    document = None
    if not problems:
        document, problems = _validate(raw, places, path.parent, {"sources": sources, "feeds": feeds})
    if problems or document is None:
        raise ConfigError(sorted(problems, key=lambda problem: (problem.place, problem.message)))
    return Configuration(
        path=path,
        root=path.parent.absolute(),
        text=text,
        digest=hashlib.sha256(data).hexdigest(),
        vendors=document.vendors,
        tools=document.tools,
        forge=document.forge,
        allow_hosts=document.allow_hosts,
        cluster=_cluster(document),
        kustomize=document.kustomize,
        checks=document.checks,
        promotions=document.promote,
        server=document.server,
        places=places,
    )


def _cluster(document: Document) -> Cluster:
    given = document.apply
    apply = {} if given is None else given if isinstance(given, dict) else {"*": given}
    return Cluster(kubernetes=document.kubernetes, apply=tuple(apply.items()))


def content_digest(vendor: Vendor) -> str:
    """Digest of all of a vendor's configuration that shapes its base: a fact for the lock."""
    shaping = vendor.model_dump(
        mode="json",
        by_alias=True,
        include={"name", "source", "base", "layout", "lock", "kustomization"},
        exclude_defaults=True,
    )
    text = json.dumps(shaping, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of vendors.yaml, as the file is written: a single source may stand bare."""
    from upstreamsync.config.described import describe

    schema = Document.model_json_schema(by_alias=True, mode="validation")
    describe(schema, Document)
    source = schema["$defs"]["Vendor"]["properties"]["source"]
    many = {key: source[key] for key in ("type", "items") if key in source}
    for key in many:
        del source[key]
    source["anyOf"] = [{"$ref": "#/$defs/Source"}, many]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "upstreamsync/vendors/v1",
        **schema,
        "title": "vendors.yaml",
    }


def _decode(data: bytes, name: str) -> str:
    place = Place(file=name)
    if len(data) > MAX_BYTES:
        raise ConfigError([Problem(place=place, message=f"is larger than {MAX_BYTES} bytes")])
    if is_pointer(data):
        raise ConfigError([Problem(place=place, message=f"is {OWN_POINTER}", hint=PULL)])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(
            [Problem(place=Place(file=name, line=line), message="is not UTF-8", hint="save it as UTF-8")]
        ) from None


def _read(text: str, name: str) -> tuple[Any, Places, list[Problem]]:
    """The file's values, their places, and a problem for each key given twice."""
    try:
        manifests.refuse_bombs(text, name)
        places, problems = read_places(text, name)
        if problems:
            return None, places, problems
        return manifests.load(text, name=name), places, []
    except syntax.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file=name, line=mark.line + 1, column=mark.column + 1) if mark else Place(file=name)
        message = f"is not valid YAML: {error.problem or error.context}"
        raise ConfigError([Problem(place=place, message=message)]) from None
    except (Malformed, TooLarge, syntax.YAMLError) as error:
        raise ConfigError([Problem(place=Place(file=name), message=str(error))]) from None


def _validate(
    raw: Any, places: Places, root: Path, own: Mapping[str, Collection[str]]
) -> tuple[Document | None, list[Problem]]:
    """The document with the defaults applied, and a problem for each thing that does not fit.

    Each vendor is checked on its own, so that one that is wrong hides nothing about the others.
    """
    if not isinstance(raw, dict):
        message = "is empty" if raw is None else "is not a mapping"
        return None, [Problem(place=Place(file=places.file), message=message, hint=_EMPTY_HINT)]
    problems: list[Problem] = []
    head, vendors = None, raw.get("vendors")
    rows = vendors if isinstance(vendors, list) else []
    try:
        values = {**raw, "vendors": [] if isinstance(vendors, list) else vendors}
        head = Document.model_validate(values, context=own)
    except ValidationError as error:
        problems += _explain(error, Document, places, ())
    defaults = _defaults(raw) if head is not None else {}
    valid: dict[int, Vendor] = {}
    for index, row in enumerate(rows):
        try:
            merged = _merge(defaults, row) if isinstance(row, dict) else row
            valid[index] = Vendor.model_validate(merged, context=own)
        except ValidationError as error:
            problems += _explain(error, Vendor, places, ("vendors", index))
    problems += cross_check(valid, places, root, complete=len(valid) == len(rows))
    if problems or head is None:
        return None, problems
    return head.model_copy(update={"vendors": tuple(valid.values())}), []


def _defaults(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults as a vendor would write them: the shorthand ``cooldown`` becomes part of ``follow``."""
    defaults = dict(raw.get("defaults") or {})
    if "cooldown" in defaults:
        cooldown = defaults.pop("cooldown")
        defaults["follow"] = {"cooldown": cooldown, **(defaults.get("follow") or {})}
    return defaults


def _merge(defaults: Mapping[str, Any], vendor: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**defaults, **vendor}
    for key in _MERGED:
        mine, common = vendor.get(key), defaults.get(key)
        if isinstance(mine, dict) and isinstance(common, dict):
            merged[key] = {**common, **mine}
    own_cooldown = "cooldown" in vendor and "cooldown" not in (vendor.get("follow") or {})
    if own_cooldown and isinstance(merged.get("follow"), dict):
        merged["follow"] = {key: value for key, value in merged["follow"].items() if key != "cooldown"}
    return merged


_EMPTY_HINT = "a minimal file is:\nversion: 1\nvendors: []"
_WORDS = {
    "missing": "`{key}` is missing",
    "literal_error": "`{input}` is not one of {expected}",
    "string_type": "has to be text, not {type}",
    "bool_type": "has to be true or false, not `{input}`",
    "bool_parsing": "has to be true or false, not `{input}`",
    "tuple_type": "has to be a list, not {type}",
    "dict_type": "has to be a mapping, not {type}",
    "model_type": "has to be a mapping, not {type}",
    "int_type": "has to be a number, not {type}",
    "int_parsing": "has to be a whole number, not `{input}`",
    "int_from_float": "has to be a whole number, not `{input}`",
    "greater_than_equal": "has to be {ge} or more, not `{input}`",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
}
#: The members of a union: parts of pydantic's location that are no keys of the file.
_UNION_MEMBER = re.compile(r"one|several|(?:str|int|bool|tuple|list|dict)(?:\[.*)?")
_KIND_WANTED = re.compile(r"(?P<start>.*has to be )(?P<wanted>.+)(?P<given>, not .+)")
_TYPES = {
    dict: "a mapping",
    list: "a list",
    tuple: "a list",
    str: "text",
    bool: "true or false",
    type(None): "nothing",
}


def _explain(
    error: ValidationError, model: type[BaseModel], places: Places, prefix: tuple[str | int, ...]
) -> list[Problem]:
    """The complaints of pydantic as problems with places, in the words of people who write YAML."""
    problems = []
    for detail in error.errors(include_url=False):
        path = (*prefix, *detail["loc"])
        # Members of unions add elements that are no keys of the file.
        named = [
            element for element in path if isinstance(element, int) or not _UNION_MEMBER.fullmatch(element)
        ]
        key = str(named[-1]) if named else ""
        if detail["type"] == "extra_forbidden":
            near = difflib.get_close_matches(key, _known_keys(model, detail["loc"][:-1]), n=1)
            problems.append(
                Problem(
                    place=places.of_key(path),
                    message=f"`{key}` is not a known key",
                    hint=f"did you mean `{near[0]}`?" if near else "`upstreamsync schema` lists the keys",
                )
            )
            continue
        shown = (
            f"`{key}`: " if isinstance(path[-1] if path else 0, str) and detail["type"] != "missing" else ""
        )
        problems.append(Problem(place=places.of_value(path), message=shown + _message(dict(detail), key)))
    return _without_union_echoes(problems)


def _message(detail: Mapping[str, Any], key: str) -> str:
    context = detail.get("ctx") or {}
    if detail["type"] == "value_error":
        return str(context.get("error", detail["msg"]))
    if detail["type"] == "string_pattern_mismatch":
        return f"`{detail['input']}` does not fit the pattern {context.get('pattern')}"
    words = _WORDS.get(detail["type"]) or str(detail["msg"])
    kind = _TYPES.get(type(detail["input"]), "a number")
    return words.format(**{"expected": "", **context, "key": key, "input": detail["input"], "type": kind})


def _known_keys(model: type[BaseModel], path: Iterable[str | int]) -> list[str]:
    """The keys that the mapping at ``path`` below ``model`` knows."""
    current: type[BaseModel] | None = model
    for element in path:
        if isinstance(element, int) or current is None:
            continue
        for name, info in current.model_fields.items():
            if element in (name, info.alias):
                current = _inner_model(info.annotation) or current
                break
    return [info.alias or name for name, info in current.model_fields.items()] if current else []


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if found := _inner_model(argument):
            return found
    return None


def _without_union_echoes(problems: Sequence[Problem]) -> list[Problem]:
    """One problem per place and message: a union complains once for each of its members."""
    found: dict[tuple[object, ...], Problem] = {}
    for problem in problems:
        kind = _KIND_WANTED.fullmatch(problem.message)
        said = (kind["start"], kind["given"]) if kind is not None else (problem.message,)
        known = found.setdefault((problem.place, problem.hint, *said), problem)
        if kind is None or known is problem or kind["wanted"] in known.message:
            continue
        first = known.message.removesuffix(kind["given"])
        either = replace(known, message=f"{first} or {kind['wanted']}{kind['given']}")
        found[problem.place, problem.hint, *said] = either
    return list(found.values())
