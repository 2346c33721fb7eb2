r"""Lines of Makefiles and shell scripts, joined, with the file's own variables filled in. Best effort.

Understood are ``NAME = x``, ``NAME := x``, ``NAME ?= x`` and, in a shell, ``NAME=x``, ``export NAME=x``,
``NAME=${NAME:-x}``; they are filled in for ``$(NAME)``, ``${NAME}`` and ``$NAME``, also where the file that
sets them is sourced or included. What depends on a command's output or on arguments stays as it is written,
and so is no version for anybody.
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
_USE = re.compile(r"\$(?:\((\w[\w-]*)\)|\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}|(\w+))")
_CONTINUED = re.compile(r"\\\n[ \t]*")
_DEPTH = 8
#: What only make or the shell can work out: kept as one word.
_CALL = re.compile(r"\$\((?:[^()]|\([^()]*\))*\)")
#: Programs are often named by a variable that is set elsewhere.
_PROGRAM = re.compile(r"\$[({]?(CURL|WGET|HELM|GIT|KUBECTL|KUSTOMIZE)[)}]?")
#: A script that runs none of them fetches nothing.
_PROGRAMS = re.compile(r"\b(?:curl|wget|helm|git|kubectl|kustomize|CURL|WGET|HELM|GIT|KUBECTL|KUSTOMIZE)\b")
#: A longer script was generated, with what it installs inside.
_MOST_TEXT = 256 * 1024
_QUOTED = re.compile(r"[\"'\\#]")
_FENCE = re.compile(r"\s*(?:```+|~~~+)\s*([\w-]*)")
_HERE = re.compile(r"<<-?\s*[\"']?([A-Za-z_]\w*)[\"']?(?!.*<<)")
_RULE = re.compile(r"[^\s=:#][^=:#]*:(?!=)")
#: How scripts name the repository's root, and the folder that they lie in; calls are without their blanks.
_SELF = r"\$\(dirname(?:--)?\$\{?(?:0|BASH_SOURCE(?:\[0\])?)\}?\)((?:/\.\.)*)"
_ROOT = re.compile(
    rf"^(?:\$\(pwd\)|\$\{{?PWD\}}?|\$\(gitrev-parse--show-toplevel\)|\$\(cd(?:--)?{_SELF}(?:>/dev/null)?&&pwd(?:-P)?\)|{_SELF}"
    r"|\$\{?\w*(?:ROOT|TOPLEVEL|TOP_DIR|REPO_DIR|SCRIPT_DIR|SCRIPTDIR)\w*\}?)(?=/|$)",
    re.IGNORECASE,
)
_ROOT_NAME = re.compile(r"ROOT|TOPLEVEL|TOP_DIR|REPO_DIR", re.IGNORECASE)
_FOR = re.compile(r"for\s+(\w+)\s+in\s+(.*)", re.DOTALL)
#: What may stand before a command, and is no part of it.
_KEYWORDS = re.compile(r"^(?:(?:do|then|else|time|exec|sudo|!|\{)(?:\s+|$))*")
#: So many turns of a loop are looked at.
_TURNS = 50
#: How a file takes in the variables of another one.
_INCLUDED = re.compile(r"^\s*(?:source|\.|-?include)\s+[\"']?([^\s\"';&|]+)", re.MULTILINE)
#: A quoted text or a call, as a whole, or what ends a command.
_TOKEN = re.compile(r"\\.|\"(?:\\.|[^\"\\])*\"|'[^']*'|\$\((?:[^()]|\([^()]*\))*\)|(&&|\|\||;|\|&?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A command as it would run: ``words`` with variables filled in, ``raw`` as it is written.

    ``folder`` is where it runs, by the ``cd`` before it: relative to where the script starts, or absolute.
    ``piped`` are the commands that its output goes through, and ``sink`` the file that the last one writes.
    ``recipe`` counts the rules of a Makefile, each of which runs by itself.
    """

    number: int
    raw: str
    words: tuple[str, ...]
    folder: str = ""
    piped: tuple[str, ...] = ()
    sink: str = ""
    recipe: int = 0

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
        """The file that the output is written to by ``>`` or, at the end of a pipe, ``tee``; empty without one."""
        return _redirected(self.words) or self.sink

    def located(self, path: str) -> str:
        """``path``, as the command means it, from where the script starts (or absolute)."""
        return joined(self.folder, _from_start(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A file's commands, and its variables as they are written and as they come out.

    ``homes`` says which file sets a variable, for those that come from another one.
    """

    file: TextFile
    lines: tuple[Line, ...]
    written: Mapping[str, str]
    values: Mapping[str, str]
    homes: Mapping[str, str] = field(default_factory=dict)

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
                            "file": self.homes.get(name, self.file.path),
                            "pattern": _variable_pattern(
                                name, text[: spelled.start()], text[spelled.end() :]
                            ),
                            "value": value,
                        },
                    )
        return ()


def read_scripts(files: Sequence[TextFile]) -> tuple[Script, ...]:
    """The scripts among the files, each with the variables of those that it sources or includes."""
    by_path = {file.path: file for file in files}
    scripts = (file if file.is_script else _commands_of(file) for file in files)
    return tuple(_read(file, by_path) for file in scripts if file is not None)


def _commands_of(file: TextFile) -> TextFile | None:
    """The shell blocks of a page in Markdown, each where it stands; None where there are none."""
    if not file.is_runbook:
        return None
    kept, inside, found = [], False, False
    for line in file.text.split("\n"):
        fence = _FENCE.match(line)
        if fence is not None:
            inside = not inside and fence[1].lower() in ("sh", "bash", "shell", "console", "zsh")
            found = found or inside
            kept.append("")
        else:
            kept.append(re.sub(r"^\s*[$#]\s+", "", line) if inside else "")
    return replace(file, text="\n".join(kept)) if found else None


def read_script(file: TextFile) -> Script | None:
    """The script's commands, by itself; None when the file is no script."""
    return _read(file, {}) if file.is_script else None


def _read(file: TextFile, by_path: Mapping[str, TextFile]) -> Script:
    written = _variables(file)
    homes: dict[str, str] = {}
    for other in _included(file, by_path):
        for name, text in _variables(other).items():
            if name not in written:
                written[name] = text
                homes[name] = other.path
    known = {name: value for name, value in written.items() if not (_ROOT_NAME.search(name) and "$" in value)}
    values = {name: _filled(value, known) for name, value in known.items()}
    is_read = len(file.text) <= _MOST_TEXT and _PROGRAMS.search(file.text)
    lines = _lines(file, values) if is_read else ()
    return Script(file=file, lines=tuple(lines), written=written, values=values, homes=homes)


def _variables(file: TextFile) -> dict[str, str]:
    """The variables that a file sets, each as it is set first."""
    pattern = _MAKE_VARIABLE if file.is_make else _SHELL_VARIABLE
    written: dict[str, str] = {}
    for match in pattern.finditer(_CONTINUED.sub(" ", file.text)):
        value = next((one for one in match.groups()[1:] if one is not None), "")
        if value.count("$(") > value.count(")"):
            continue  # quotes within a call within quotes: more than is read here
        written.setdefault(match[1], _unquoted(value) if file.is_make else value)
    return written


def _unquoted(value: str) -> str:
    """Make keeps quotes, and the shell that runs the recipe takes them away."""
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" and value[0] not in value[1:-1]
    return value[1:-1] if quoted else value


def _included(file: TextFile, by_path: Mapping[str, TextFile]) -> Iterator[TextFile]:
    """The files that a script takes in, and those that these take in, each once."""
    seen, todo = {file.path}, [file]
    while todo:
        one = todo.pop(0)
        for match in _INCLUDED.finditer(one.text):
            named = re.sub(r"^(?:\$[({]?\w+[)}]?|\$\([^)]*\))/", "", match[1])
            for start in (one.folder, ""):
                path = joined(start, named)
                if path in by_path and path not in seen:
                    seen.add(path)
                    todo.append(by_path[path])
                    yield by_path[path]
                    break


def _from_start(path: str) -> str:
    """A path without the root of the repository, or the script's own folder, in front: scripts start there."""
    return _ROOT.sub(lambda match: f".{match[1] or match[2] or ''}", path, count=1)


def joined(folder: str, path: str) -> str:
    """``path`` as seen from ``folder``, without ``.`` and, as far as they go, ``..``."""
    if path.startswith(("/", "~", "$")):
        return path
    parts: list[str] = []
    whole = f"{folder}/{path}" if folder else path
    for part in whole.split("/"):
        if part == ".." and parts and parts[-1] not in ("..", ""):
            parts.pop()
        elif part != "." and (part or not parts):
            parts.append(part)
    return "/".join(parts)


def _lines(file: TextFile, values: Mapping[str, str]) -> Iterator[Line]:
    """The file's commands; those of a loop once for each word that the loop goes through."""
    folder, loops, recipe = "", list[tuple[str, tuple[str, ...]]](), 0
    # Variables that hold commands are filled in before a line is parted into commands, as make does it.
    pipes = {name: value for name, value in values.items() if value.lstrip().startswith("|")}
    for number, command in _commands(file):
        if file.is_make:
            folder, loops = "", []  # each line of a recipe is a shell of its own
            recipe += not command.startswith(("\t", " ")) and bool(_RULE.match(command))
        for pipeline in _pipelines(_filled(command, pipes) if pipes else command):
            pipeline[0] = _KEYWORDS.sub("", pipeline[0].lstrip("@-+ "))
            if loop := _FOR.match(pipeline[0]):
                words = _words(_filled(loop[2].replace("$$", "$"), values))
                loops.append((loop[1], words[:_TURNS]))
            elif pipeline[0] == "done" and loops:
                loops.pop()
            else:
                started = folder
                for turn in _turns(loops):
                    line, folder = _line(pipeline, number, started, {**values, **turn})
                    if line is not None:
                        yield replace(line, recipe=recipe)


def _commands(file: TextFile) -> Iterator[tuple[int, str]]:
    """The lines of a file with those that continue them, by the number of the first; without comments."""
    whole, first, inside = "", 1, ""
    for number, text in enumerate(file.text.split("\n"), 1):
        if inside:
            inside = "" if text.strip() == inside else inside
            continue
        first = first if whole else number
        whole += text
        if whole.endswith("\\"):
            whole = whole[:-1] + " "
            continue
        if not whole.lstrip().startswith("#"):
            yield first, whole
            inside = _here_document(whole, file)
        whole = ""


def _here_document(command: str, file: TextFile) -> str:
    """The word that ends the text which a command is given in the lines below it; empty without one."""
    match = _HERE.search(command)
    is_ended = match is not None and re.search(rf"^\s*{re.escape(match[1])}\s*$", file.text, re.MULTILINE)
    return match[1] if match is not None and is_ended else ""


def _turns(loops: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[dict[str, str]]:
    """What the variables of loops are in each turn; once nothing where there is no loop."""
    names = [name for name, _ in loops]
    rounds = itertools.product(*(words for _, words in loops))
    return (dict(zip(names, turn, strict=True)) for turn in itertools.islice(rounds, _TURNS))


def _line(
    pipeline: Sequence[str], number: int, folder: str, values: Mapping[str, str]
) -> tuple[Line | None, str]:
    """The first command of a pipe, and the folder that the next one runs in."""
    commands = [_words(_filled(part.replace("$$", "$"), values)) for part in pipeline]
    words = commands[0]
    if not words:
        return None, folder
    if words[0] in ("cd", "pushd"):
        return None, joined(folder, _from_start(words[1])) if len(words) > 1 else folder
    rest = [one for one in commands[1:] if one]
    sink = next((found for one in reversed(rest) if (found := _redirected(one) or _teed(one))), "")
    piped = tuple(" ".join(_without_redirect(one)) for one in rest if one[0] not in ("tee", "cat"))
    return Line(
        number=number, raw=" | ".join(pipeline), words=words, folder=folder, piped=piped, sink=sink
    ), folder


def _pipelines(text: str) -> Iterator[list[str]]:
    """The commands of a line, those that are piped into one another together."""
    parts, start = [], 0
    for match in _TOKEN.finditer(text):
        if match[1] is None:
            continue
        parts.append(_without_parentheses(text[start : match.start()]))
        start = match.end()
        if not match[1].startswith("|") or match[1] == "||":
            yield parts
            parts = []
    parts.append(_without_parentheses(text[start:]))
    yield parts


def _without_parentheses(text: str) -> str:
    """A command without those of a subshell around it."""
    text = text.strip().lstrip("( \t")
    while text.endswith(")") and text.count(")") > text.count("("):
        text = text[:-1].rstrip()
    return text


def _redirected(words: Sequence[str]) -> str:
    for index, word in enumerate(words):
        if word in (">", ">>", ">|") and index + 1 < len(words):
            return words[index + 1]
        if word.startswith(">") and len(word.lstrip(">|")) > 0:
            return word.lstrip(">|")
    return ""


def _teed(words: Sequence[str]) -> str:
    named = [word for word in words[1:] if not word.startswith("-")]
    return named[0] if words[0] == "tee" and named else ""


def _without_redirect(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        if word.startswith(">"):
            return
        yield word


def _words(text: str) -> tuple[str, ...]:
    text = _CALL.sub(lambda match: re.sub(r"\s+", "", match[0]), text.strip().lstrip("@-+"))
    try:
        plain = not _QUOTED.search(text)
        words = text.split() if plain else shlex.split(text, comments=True)
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


def _variable_pattern(name: str, before: str, after: str) -> str:
    """A pattern whose group is the version in the variable's definition, and nothing of what stands behind it."""
    start = rf"^\s*(?:export\s+|readonly\s+)?{re.escape(name)}\s*[:?]*=\s*[\"']?{re.escape(before)}"
    if not after:
        return rf"{start}([^\s\"'}}#]+)"
    return rf"{start}([^\s\"'}}#/]+?){re.escape(after)}"
