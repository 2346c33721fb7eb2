"""What a pull request remembers: a JSON marker in an HTML comment, and a checkbox.

The part that is ours stands between BEGIN and the marker; what people write before or after it is kept.
``head`` is the commit that we pushed last, ``next`` the one that we are about to push: it is written
before the push, so a run that is cut in between is recognised by the next one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

BEGIN: Final = "<!-- upstreamsync -->"
#: Where the configuration is unless a marker says otherwise.
CONFIG: Final = "vendors.yaml"
REBUILD: Final = "<!-- upstreamsync:rebuild -->"
_MARKER: Final = re.compile(r"<!-- upstreamsync: (\{.*?\}) -->")
_TICKED: Final = re.compile(r"^[ \t]*[-*] \[[xX]\] " + re.escape(REBUILD), re.MULTILINE)
#: GitHub's limit on a body is 65,536 characters; the marker and people's words have to fit as well.
BODY_LIMIT: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What identifies a pull request of ours and the state that we left it in.

    ``steps`` are (vendor, from, to); ``digest`` names the result, ``head`` the commit pushed, ``body`` the
    visible text. ``closed`` is our own reason for closing it: such a pull request mutes nothing.
    ``title`` is the one that we gave, so that a person's own title is left alone; ``automerge`` says that we
    switched it on, so that a person's own wish is. ``settings`` are the labels and people that we gave it, by
    their kind, for the same reason. ``config`` is the path of the vendors.yaml that it comes
    from: a repository may have several. ``base`` is the branch that it goes to, where that is not the usual one.
    """

    key: str
    steps: tuple[tuple[str, str, str], ...]
    digest: str
    head: str
    body: str
    next: str | None = None
    closed: str | None = None
    title: str = ""
    automerge: bool = False
    config: str = CONFIG
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    base: str = ""

    @property
    def vendors(self) -> tuple[str, ...]:
        """The vendors that move in it."""
        return tuple(vendor for vendor, _, _ in self.steps)


def text_hash(text: str) -> str:
    """Hash of a visible text, blind to what a forge does to line ends and outer blanks."""
    plain = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n"))
    return "sha256:" + hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def dump(marker: Marker) -> str:
    """The marker as an HTML comment on one line; nothing in it can end the comment."""
    first = marker.steps[0] if marker.steps else ("", "", "")
    data: dict[str, Any] = {
        "vendor": marker.key,
        "from": first[1],
        "to": first[2],
        "digest": marker.digest,
        "head": marker.head,
        "body": marker.body,
    }
    if len(marker.steps) != 1 or first[0] != marker.key:
        data["steps"] = [list(step) for step in marker.steps]
    if marker.config != CONFIG:
        data["config"] = marker.config
    data |= {
        key: value
        for key in ("next", "closed", "title", "automerge", "base")
        if (value := getattr(marker, key))
    }
    if marker.settings:
        data["settings"] = {kind: list(names) for kind, names in sorted(marker.settings.items())}
    text = json.dumps(data, ensure_ascii=True, separators=(", ", ": "))
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("--", "-\\u002d")
    return f"<!-- upstreamsync: {text} -->"


def find(body: str | None) -> Marker | None:
    """The marker of a body; None when there is none, or none that can be read."""
    found = _MARKER.findall(body or "")
    for text in reversed(found):
        try:
            return _read(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return None


def _read(data: dict[str, Any]) -> Marker:
    key = _text(data["vendor"])
    steps = data.get("steps", [[key, data["from"], data["to"]]])
    return Marker(
        key=key,
        steps=tuple((_text(vendor), _text(before), _text(after)) for vendor, before, after in steps),
        digest=_text(data["digest"]),
        head=_text(data["head"]),
        body=_text(data["body"]),
        next=_text(data["next"]) if "next" in data else None,
        closed=_text(data["closed"]) if "closed" in data else None,
        title=_text(data.get("title", "")),
        automerge=data.get("automerge") is True,
        config=_text(data.get("config", CONFIG)),
        settings={
            _text(kind): tuple(_text(name) for name in names)
            for kind, names in data.get("settings", {}).items()
        },
        base=_text(data.get("base", "")),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a string was expected, not {type(value).__name__}")
    return value


def compose(visible: str, marker: Marker, present: str | None = None) -> str:
    """A complete body; people's words around our part of the ``present`` one are kept."""
    before, after = _surroundings(present)
    ours = f"{BEGIN}\n{visible.strip()}\n\n{dump(marker)}"
    room = BODY_LIMIT - len(ours) - 4
    if len(before) + len(after) > room:
        after = after[: max(room - len(before), 0)]
        before = before[:room]
    return "\n\n".join(part for part in (before, ours, after) if part)


def visible_part(body: str | None) -> str:
    """Our part of a body, without the marker; empty when the body is not ours."""
    text = (body or "").replace("\r\n", "\n")
    start, end = text.find(BEGIN), _last(text)
    if start < 0 or end is None or end.start() < start:
        return ""
    return text[start + len(BEGIN) : end.start()].strip()


def _surroundings(body: str | None) -> tuple[str, str]:
    text = (body or "").replace("\r\n", "\n")
    start, end = text.find(BEGIN), _last(text)
    if start < 0 or end is None or end.start() < start:
        return "", "" if start >= 0 or end is not None else text.strip()
    return text[:start].strip(), text[end.end() :].strip()


def _last(text: str) -> re.Match[str] | None:
    found = list(_MARKER.finditer(text))
    return found[-1] if found else None


def rebuild_ticked(body: str | None) -> bool:
    """Whether somebody ticked the box that asks for a rebuild."""
    return _TICKED.search((body or "").replace("\r\n", "\n")) is not None


def untick(body: str) -> str:
    """The body with the box empty again."""
    return _TICKED.sub(lambda match: re.sub(r"\[[xX]\]", "[ ]", match.group()), body)
