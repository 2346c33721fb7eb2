r"""Lines of Makefiles and shell scripts, joined, with the file's own variables filled in. Best effort.

Understood are ``NAME = x``, ``NAME := x``, ``NAME ?= x`` and, in a shell, ``NAME=x``, ``export NAME=x``,
``NAME=${NAME:-x}``; they are filled in for ``$(NAME)``, ``${NAME}`` and ``$NAME``. What depends on a
command's output or on arguments stays as it is written, and so is no version for anybody.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from upstreamsync.discover.candidates import Piece
from upstreamsync.discover.scan import TextFile

_MAKE_VARIABLE = re.compile(
    r"^(?:export\s+)?([A-Za-z_][\w-]*)[ \t]*(?::|::|\?|)=[ \t]*([^\n#]*?)[ \t]*(?:#.*)?$", re.MULTILINE
)
_SHELL_VARIABLE = re.compile(
    r"^\s*(?:export\s+|readonly\s+|local\s+|declare\s+(?:-\w+\s+)*)?([A-Za-z_]\w*)="
    r"(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^\s;#&|]*))",
    re.MULTILINE,
)
_USE = re.compile(r"\$(?:\((\w[\w-]*)\)|\{(\w+)(?::-([^}]*))?\}|(\w+))")
_CONTINUED = re.compile(r"\\\n[ \t]*")
_DEPTH = 8
#: What only make or the shell can work out: kept as one word.
_CALL = re.compile(r"\$\((?:[^()]|\([^()]*\))*\)")
#: Programs are often named by a variable that is set elsewhere.
_PROGRAM = re.compile(r"\$[({]?(CURL|WGET|HELM|GIT|KUBECTL|KUSTOMIZE)[)}]?")
#: What ends a command within a line.
_ENDS = re.compile(r"\s(?:&&|\|\||;|\|)\s|;\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A command as it would run: ``words`` with variables filled in, ``raw`` as it is written."""

    number: int
    raw: str
    words: tuple[str, ...]

    def option(self, *names: str) -> str:
        """The value of the first of these options; the empty string without one."""
        for index, word in enumerate(self.words):
            for name in names:
                if word == name and index + 1 < len(self.words):
                    return self.words[index + 1]
                if name.startswith("--") and word.startswith(f"{name}="):
                    return word[len(name) + 1 :]
        return ""

    def options(self, *names: str) -> list[str]:
        """The values of all of these options, in order."""
        found = []
        for index, word in enumerate(self.words):
            if word in names and index + 1 < len(self.words):
                found.append(self.words[index + 1])
            found += [word[len(name) + 1 :] for name in names if word.startswith(f"{name}=")]
        return found

    @property
    def output(self) -> str:
        """The file that the output is written to by ``>``; the empty string without one."""
        for index, word in enumerate(self.words):
            if word == ">" and index + 1 < len(self.words):
                return self.words[index + 1]
            if word.startswith(">") and len(word.lstrip(">")) > 0:
                return word.lstrip(">")
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A file's commands, and its variables as they are written and as they come out."""

    file: TextFile
    lines: tuple[Line, ...]
    written: Mapping[str, str]
    values: Mapping[str, str]

    def follow(self, version: str, raw: str) -> tuple[Piece, ...]:
        """The edit of the variable that ``version`` comes from; none when it does not come from one.

        ``raw`` is the command that uses it, as it is written.
        """
        bare = re.sub(r"^[vV](?=\d)", "", version)
        used = {next(filter(None, match.group(1, 2, 4))) for match in _USE.finditer(raw)}
        reached = _closure(used, self.written)
        for name in sorted(reached):
            text = self.written[name]
            for form, value in ((version, "{version}"), (bare, "{semver}")):
                spelled = re.search(rf"(?<![\w.]){re.escape(form)}(?![\w.])", text)
                if spelled:
                    return (
                        {
                            "file": self.file.path,
                            "pattern": _variable_pattern(name, text, form),
                            "value": value,
                        },
                    )
        return ()


def read_script(file: TextFile) -> Script | None:
    """The script's commands; None when the file is no script."""
    if not file.is_script:
        return None
    pattern = _MAKE_VARIABLE if file.is_make else _SHELL_VARIABLE
    text = _CONTINUED.sub(" ", file.text)
    written: dict[str, str] = {}
    for match in pattern.finditer(text):
        value = next((one for one in match.groups()[1:] if one is not None), "")
        written.setdefault(match[1], value)
    values = {name: _filled(value, written) for name, value in written.items()}
    lines = tuple(_lines(file.text, values))
    return Script(file=file, lines=lines, written=written, values=values)


def _lines(text: str, values: Mapping[str, str]) -> Iterator[Line]:
    number, joined, first = 0, "", 1
    for number, line in enumerate(text.split("\n"), 1):
        first = first if joined else number
        joined += line
        if joined.endswith("\\"):
            joined = joined[:-1] + " "
            continue
        whole, joined = joined, ""
        if whole.lstrip().startswith("#"):
            continue
        for part in _ENDS.split(whole):
            words = _words(_filled(part.replace("$$", "$"), values))
            if words:
                yield Line(number=first, raw=part, words=words)


def _words(text: str) -> tuple[str, ...]:
    text = _CALL.sub(lambda match: re.sub(r"\s+", "", match[0]), text.strip().lstrip("@-+"))
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        words = text.replace('"', " ").replace("'", " ").split()
    return tuple(match[1].lower() if (match := _PROGRAM.fullmatch(word)) else word for word in words)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """``text`` with variables replaced; those that are not known stay as they are written."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[4]
        if name in values and not _refers_to(values[name], name):
            return values[name]
        default = match[3]
        if default is None and name in values:
            inner = _USE.fullmatch(values[name])
            default = inner[3] if inner else None
        return default if default is not None else match[0]

    for _ in range(_DEPTH):
        changed = _USE.sub(value, text)
        if changed == text or len(changed) > 10_000:
            break
        text = changed
    return text


def _refers_to(text: str, name: str) -> bool:
    return any(name in match.group(1, 2, 4) for match in _USE.finditer(text))


def _closure(names: set[str], written: Mapping[str, str]) -> set[str]:
    """The variables that these lead to."""
    reached: set[str] = set()
    todo = [name for name in names if name in written]
    while todo:
        name = todo.pop()
        if name in reached:
            continue
        reached.add(name)
        for match in _USE.finditer(written[name]):
            inner = match[1] or match[2] or match[4]
            if inner in written:
                todo.append(inner)
    return reached


def _variable_pattern(name: str, text: str, form: str) -> str:
    """A pattern whose group is the version in the variable's definition."""
    before = text[: text.index(form)]
    return (
        rf"^\s*(?:export\s+|readonly\s+)?{re.escape(name)}\s*[:?]*=\s*[\"']?{re.escape(before)}([^\s\"'}}#]+)"
    )
