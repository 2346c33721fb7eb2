"""docs/cli.md: every verb and option, from what the command line itself says with --help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from upstreamsync.cli.app import app
from upstreamsync.cli.common import Format
from upstreamsync.cli.options import OPTIONS

HEAD = """\
# The command line

`upstreamsync VERB`, and `python -m upstreamsync VERB`, which is the same. Generated from `--help` by `make docs`.
Results go to standard output, everything else to standard error; [exit codes](exit-codes.md). Completion:
`upstreamsync --install-completion`.

"""
#: What every verb has besides; told once.
SHARED = set(OPTIONS) | {"help"}


def cli_page() -> str:
    """The whole page."""
    # Which click typer brings is its own affair: nothing here asks for a class by its name.
    group: Any = typer.main.get_command(app)
    context = group.context_class(group, info_name="upstreamsync")
    commands = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    known = [(name, command) for name, command in commands if command is not None and not command.hidden]
    parts = [HEAD, "| verb | what it does |\n|---|---|\n"]
    parts += [f"| [{name}](#{name}) | {_text(command.help)} |\n" for name, command in known]
    parts += ["\n## Options of every verb\n\n", *_table(known[0][1], shared=True)]
    for name, command in known:
        parts.append(f"\n## {name}\n\n{_text(command.help, cell=False)}\n\n")
        parts.append(f"```text\nupstreamsync {name} {_usage(command)}\n```\n")
        parts += _table(command, shared=False)
    return "".join(parts)


def _usage(command: Any) -> str:
    names = [_name(one) for one in command.params if one.param_type_name == "argument"]
    needed = [one.required for one in command.params if one.param_type_name == "argument"]
    words = [name if must else f"[{name}]" for name, must in zip(names, needed, strict=True)]
    return " ".join(["[OPTION]...", *words])


def _table(command: Any, *, shared: bool) -> Iterator[str]:
    rows = [
        (_name(parameter), parameter.help)
        for parameter in command.params
        if (parameter.name in SHARED) is shared and not parameter.hidden and parameter.name != "help"
    ]
    if rows:
        yield "\n| option | meaning |\n|---|---|\n" if not shared else "| option | meaning |\n|---|---|\n"
    for name, text in rows:
        yield f"| `{_plain(name)}` | {_text(text)} |\n"


def _name(parameter: Any) -> str:
    """Names and what stands for the value, as we wrote them: how typer names a type changes with its version."""
    choices = "|".join(Format) if parameter.name == "format" else ""
    metavar = parameter.metavar or choices
    if parameter.param_type_name == "argument":
        return f"{metavar or parameter.name.upper()}"
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    if parameter.is_flag:
        return names
    return f"{names} {metavar or parameter.name.rpartition('_')[2].upper()}"


def _plain(text: str) -> str:
    return text.replace("|", "\\|")


def _text(text: str | None, *, cell: bool = True) -> str:
    flat = " ".join((text or "").split())
    return _plain(flat) if cell else flat
