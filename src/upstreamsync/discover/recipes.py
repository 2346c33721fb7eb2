"""What a script does with a download after it: where it is carried to, and what changes it on the way.

Best effort, as all reading of scripts: commands that are not understood and name the content count as changes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from upstreamsync.discover.kustomizations import normal
from upstreamsync.discover.scan import Tree
from upstreamsync.discover.shell import Line, Script

#: Programs that fetch: what they write is content, and no change of it.
_FETCHING = frozenset(("curl", "wget", "helm", "git", "kubectl", "kustomize"))
#: Programs that change a file in place by an option alone.
_EDITORS = re.compile(r"g?sed|perl|g?awk|yq|jq|ruby|\$.*(?:SED|YQ|AWK).*", re.IGNORECASE)
_IN_PLACE = re.compile(r"-[A-Za-z0-9]*i\S*|--in-?place\S*|w|\$.*")
_CHANGING = frozenset(("sd", "patch", "truncate", "prettier", "yamlfmt", "addlicense", "dos2unix", "kbld"))
_SPEAKING = frozenset(("echo", "printf", "mkdir", "cd", "test", "["))
_MOVING = frozenset(("mv", "rm"))
_MOST = 40


def carried(script: Script, line: Line, output: str, tree: Tree) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The files that ``output`` of ``line`` becomes by what the script does next, with the commands it goes through.

    Paths are as from where the script starts. A file that is in the repository is where it stays.
    """
    found: list[tuple[str, tuple[str, ...]]] = []
    todo: list[tuple[str, tuple[str, ...]]] = [(line.located(output), ())]
    seen = {todo[0][0]}
    while todo and len(found) < _MOST:
        place, how = todo.pop(0)
        steps = [] if _is_there(script, place, tree) else list(_steps(script, line, place, tree))
        on_it = tuple(step[1] for step in steps if step[0] is None)
        further = [(to, (*how, *on_it, *((text,) if text else ()))) for to, text in steps if to is not None]
        fresh = [step for step in further if step[0] not in seen]
        seen.update(to for to, _ in fresh)
        todo += fresh
        if not further:
            found.append((place, (*how, *on_it)))
    return tuple(found)


def _steps(script: Script, line: Line, place: str, tree: Tree) -> Iterator[tuple[str | None, str]]:
    """What later commands of the recipe do with a file: where it goes to (None: it stays) and by which command."""
    for other in following(script, line):
        operands = [word for word in other.words[1:] if not word.startswith("-")]
        if place not in (other.located(word) for word in operands):
            continue
        program = other.words[0]
        if program in ("mv", "cp") and len(operands) > 1:
            yield _destination(script, other, operands[-1], place, tree), ""
        elif other.output:
            to = other.located(other.output)
            yield (to if to != place else None), _shown(other)
        elif _changes_in_place(other):
            yield None, _shown(other)


def _destination(script: Script, line: Line, to: str, place: str, tree: Tree) -> str:
    folder = line.located(to).rstrip("/")
    inside = normal(script.file.folder, folder) if not folder.startswith(("/", "~", "$")) else None
    is_folder = to.endswith("/") or to == "." or inside in tree.folders or folder in tree.folders
    return f"{folder}/{place.rpartition('/')[2]}".lstrip("/") if is_folder else folder


def _is_there(script: Script, place: str, tree: Tree) -> bool:
    return any(path in tree.files for path in _places(script, place))


def _places(script: Script, place: str) -> list[str]:
    """A path of a script from the repository's root: seen from the script's folder, and from the root."""
    if not place or place.startswith(("/", "~", "$")):
        return []
    starts = (script.file.folder,) if script.file.is_make else (script.file.folder, "")
    return [path for start in starts if (path := normal(start, place)) is not None]


def _index(script: Script, line: Line) -> int:
    return next((number for number, other in enumerate(script.lines) if other is line), len(script.lines))


def following(script: Script, line: Line) -> Sequence[Line]:
    """The commands of the same recipe behind a command."""
    return [other for other in script.lines[_index(script, line) + 1 :] if other.recipe == line.recipe]


def changes_of(script: Script, line: Line, base: str, files: Collection[str] = ()) -> tuple[str, ...]:
    """What the script changes in a base besides fetching it, as remarks; of ``files`` alone where there are some."""
    index = _index(script, line)
    found: dict[str, None] = {}
    for number, other in enumerate(script.lines):
        if other is line or not other.words or other.words[0] in _SPEAKING:
            continue
        is_later = number > index and other.recipe == line.recipe
        program = other.words[0].rpartition("/")[2]
        if (
            (is_later and program in ("patch", "git") and _is_blind(other))
            or (is_later and program in _MOVING and _takes_away(script, other, base, files))
            or (_changes_in_place(other) and _names(script, other, base, files))
            or _writes(script, other, base, files)
        ):
            found[_shown(other)] = None
    return changed_remarks(tuple(found))


def changed_remarks(commands: Sequence[str]) -> tuple[str, ...]:
    """What a script does with content besides fetching it: nothing of that is dropped in silence."""
    shown = tuple(
        f"the script also runs `{one[:120]}` on it: say it as `rewrite` or `select`, or as a patch"
        for one in commands[:6]
    )
    rest = len(commands) - len(shown)
    return (*shown, f"the script runs {rest} more commands on it") if rest else shown


def _is_blind(line: Line) -> bool:
    """Whether it changes files that only a patch names."""
    return "--dry-run" not in line.words and (
        line.words[0].endswith("patch") or line.words[1:2] in (("apply",), ("am",))
    )


def _takes_away(script: Script, line: Line, base: str, files: Collection[str]) -> bool:
    operands = [word for word in line.words[1:] if not word.startswith("-")]
    return _named_inside(script, operands[:-1] if line.words[0] == "mv" else operands, line, base, files)


def _changes_in_place(line: Line) -> bool:
    return any(_edits(words) for words in (line.words, *(piped.split() for piped in line.piped)))


def _edits(words: Sequence[str]) -> bool:
    program, *rest = words or ("",)
    while program in ("xargs", "env", "command") or (program.startswith("-") and rest):
        program, *rest = rest or ("",)
    program = program.rpartition("/")[2] if not program.startswith("$") else program
    if program in _CHANGING:
        return True
    return bool(_EDITORS.fullmatch(program)) and (
        program.startswith("$") or any(_IN_PLACE.fullmatch(word) for word in rest)
    )


def _named_inside(
    script: Script, words: Iterable[str], line: Line, base: str, files: Collection[str]
) -> bool:
    return any(_is_inside(script, line.located(word), base, files) for word in words)


def _names(script: Script, line: Line, base: str, files: Collection[str]) -> bool:
    """Whether a command names the base, or what lies in it."""
    whole = (path for word in line.words[1:] for path in _places(script, line.located(word)))
    return base in whole or _named_inside(script, line.words[1:], line, base, files)


def _writes(script: Script, line: Line, base: str, files: Collection[str]) -> bool:
    """Whether a command that fetches nothing writes into the base."""
    programs = {word.rpartition("/")[2] for word in line.words}
    return bool(
        line.output
        and not programs & _FETCHING
        and _is_inside(script, line.located(line.output), base, files)
    )


def _is_inside(script: Script, place: str, base: str, files: Collection[str]) -> bool:
    for path in _places(script, place):
        if not path.startswith(f"{base}/"):
            continue
        rest = path[len(base) + 1 :]
        if not files or rest in files or "*" in rest or any(one.startswith(f"{rest}/") for one in files):
            return True
    return False


def _shown(line: Line) -> str:
    words = list(line.words)
    for index, word in enumerate(words):
        if word.startswith(">"):
            words = words[:index]
            break
    return " | ".join([" ".join(words), *line.piped])
