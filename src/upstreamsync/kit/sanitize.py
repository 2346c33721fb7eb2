r"""The one place that takes the power out of foreign text before people, terminals and CI systems read it.

Versions, file names, what helm, kustomize, git and servers say: strangers write it. Three things are done:

- What can't be seen, moves the cursor, changes colours or turns the direction of writing is written out as its
  escape, such as ``\x1b`` or ``\u202e``: nothing is hidden, and nothing acts.
- Every kind of line end becomes a plain one, so that what looks like one line is one.
- What a CI system reads as a command (``::error`` at the beginning of a line, ``##[`` and ``##vso[`` anywhere,
  TeamCity's ``##teamcity[``) gets a space in its middle. Sources: actions/runner, ``ActionCommand.cs``; Azure
  Pipelines' page on logging commands; TeamCity's on service messages.

The outputs call this themselves; who makes a message need not think of it.
"""

from __future__ import annotations

import re
from typing import IO, Any

#: Controls (but tab and line feed), DEL, C1, marks of direction, invisible operators, tags, line separators,
#: halves of surrogate pairs. Joiners (U+200B to U+200D) stay: emoji and several scripts are written with them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
#: At the beginning of a line, however far it is moved in; and what is a command wherever it stands.
_AT_START = re.compile(r"^(\s*:):", re.MULTILINE)
_ANYWHERE = re.compile(r"#(?=#(?:vso|teamcity)?\[)", re.IGNORECASE)


def visible(text: str) -> str:
    """``text`` with nothing in it that hides, moves or turns around what is written; line ends are LF."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _HIDDEN.sub(_escape, text)


def without_hidden(text: str) -> str:
    """As ``visible``, but such characters are left out: for quotations in which escapes would be noise."""
    return _HIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def without_commands(text: str) -> str:
    """``text`` without lines that a CI system takes for a command to itself."""
    if "::" in text:
        text = _AT_START.sub(r"\1 :", text)
    return _ANYWHERE.sub("# ", text) if "##" in text else text


def sanitized(text: str) -> str:
    """Both: for whatever is printed, logged or sent."""
    return without_commands(visible(text))


def commands_only(text: str) -> str:
    """Lines that are workflow commands of our own; what they carry is made harmless, they stay commands.

    The first ``::`` of each line is ours: ``report.annotations`` leaves no line end in what it quotes.
    """
    return _ANYWHERE.sub("# ", visible(text))


def one_line(text: str) -> str:
    """``sanitized``, on a single line with single spaces."""
    return " ".join(sanitized(text).split())


def json_text(document: str) -> str:
    """A JSON document whose text is as harmless as ``sanitized`` text, and means the same to who parses it.

    Such characters stand in its strings alone, where JSON has escapes of its own for them.
    """
    document = _HIDDEN.sub(_json_escape, document)
    return _ANYWHERE.sub(r"\\u0023", document) if "##" in document else document


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


class Guarded:
    """A text stream for somebody who draws on it (rich): what is written can't become a command of a CI system.

    Colours and lines are the drawer's own, so its text has to be ``visible`` before it draws.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._inside = False

    def write(self, text: str) -> int:
        """Write, and remember whether a line has begun."""
        if self._inside:
            head, end, rest = text.partition("\n")
            safe = _ANYWHERE.sub("# ", head) + end + without_commands(rest)
        else:
            safe = without_commands(text)
        if text:
            self._inside = not text.endswith("\n")
        return self._stream.write(safe)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
