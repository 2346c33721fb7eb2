"""The options that every verb shares, as typer is to know them, and how a function becomes a verb."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from upstreamsync.cli import completion
from upstreamsync.cli.common import Common, Format, Judging
from upstreamsync.cli.output import set_up_logging


def _form(text: str) -> Format:
    try:
        return Format(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(Format)}") from None


def _count(text: str) -> int:
    if not _COUNT.fullmatch(str(text)):  # also the default, which is a number already
        raise typer.BadParameter(f"{text!r} is no whole number from 0 on")
    return int(text)


def _forms(incomplete: str) -> list[str]:
    return [form for form in Format if form.startswith(incomplete)]


_COUNT = re.compile(r"[0-9]{1,6}", re.ASCII)
#: Field of Common → its declaration; the defaults are those of the fields.
OPTIONS: dict[str, Any] = {
    "config": Annotated[
        Path | None,
        typer.Option("--config", "-c", help="vendors.yaml; default: in this folder or the nearest above."),
    ],
    "format": Annotated[
        Format,
        typer.Option(
            "--format",
            metavar="|".join(Format),
            parser=_form,
            autocompletion=_forms,
            help="Form of the output.",
        ),
    ],
    "json_output": Annotated[
        Path | None,
        typer.Option("--json-output", metavar="FILE", help="Also write the JSON document to this file."),
    ],
    "jobs": Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", parser=_count, help="What runs at once; 0 chooses.")
    ],
    "cache_dir": Annotated[
        Path | None,
        typer.Option("--cache-dir", help="Cache folder; also UPSTREAMSYNC_CACHE.", show_default=False),
    ],
    "no_cache": Annotated[bool, typer.Option("--no-cache", help="Neither read nor write the cache.")],
    "allow_commands": Annotated[
        bool, typer.Option("--allow-commands", help="Let `command` sources run their generators.")
    ],
    "offline": Annotated[bool, typer.Option("--offline", help="Ask nothing of any network.")],
    "allow_host": Annotated[
        list[str],
        typer.Option(
            "--allow-host",
            metavar="HOST",
            help="A host that may be asked although only a change or upstream names it. Repeatable.",
            show_default=False,
        ),
    ],
    "verbose": Annotated[bool, typer.Option("--verbose", "-v", help="Say more; logs go to stderr.")],
}


#: The fields of Common that every verb takes; those that judge have some of their own.
_SHARED = [one for one in fields(Common) if one.name in OPTIONS]

#: The options of verbs that judge: fields of Judging.
JUDGING: dict[str, Any] = {
    "budget": Annotated[
        str | None,
        typer.Option(
            "--budget",
            metavar="DURATION",
            help="How long judging may take in all (90s, 10m); what is left over is unjudged.",
        ),
    ],
    "allow_unjudged": Annotated[
        bool,
        typer.Option("--allow-unjudged", help="It is known that not all can be judged: don't end with 3."),
    ],
    "load_restrictor": Annotated[
        str | None,
        typer.Option(
            "--load-restrictor",
            metavar="none|root",
            help="Whether kustomize may read files of the repository above an overlay.",
        ),
    ],
}
_OF_JUDGING = [one for one in fields(Judging) if one.name in JUDGING]

# -- what several verbs have, and not all -------------------------------------------------------------

DiscardEdits = Annotated[
    bool,
    typer.Option(
        "--discard-edits", help="Replace bases that were edited by hand; git has to have the edits."
    ),
]
ServerContext = Annotated[
    str | None,
    typer.Option(
        "--server", metavar="CONTEXT", help="Ask the API server of this kubectl context, too: a dry run."
    ),
]
Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Also write a page to look at to this file.")
]
Vendors = Annotated[
    list[str] | None,
    typer.Argument(metavar="VENDOR", help="Only these vendors.", autocompletion=completion.vendors),
]
OneVendor = Annotated[
    str, typer.Argument(metavar="VENDOR", help="The vendor.", autocompletion=completion.vendors)
]
Overlays = Annotated[
    list[str] | None,
    typer.Argument(metavar="OVERLAY", help="Only these overlays.", autocompletion=completion.overlays),
]
Forge = Annotated[
    str | None,
    typer.Option("--forge", metavar="github|local", help="Where: GitHub, or a branch and a file."),
]
WriteNothing = Annotated[bool, typer.Option("--dry-run", help="Say what would change; write nothing.")]


def verb(function: Callable[..., int]) -> Callable[..., None]:
    """Make a command of a function whose first parameter is ``common``; it returns the exit code."""
    return _command(function, ())


def judging_verb(function: Callable[..., int]) -> Callable[..., None]:
    """As ``verb``, with the options of verbs that judge; ``common.judging`` has them."""
    return _command(function, _OF_JUDGING)


def _command(function: Callable[..., int], of_judging: Sequence[Field[Any]]) -> Callable[..., None]:
    own = [one for name, one in inspect.signature(function).parameters.items() if name != "common"]
    hints = inspect.get_annotations(function, eval_str=True)
    declared = {**OPTIONS, **JUDGING}
    shared = [
        inspect.Parameter(
            one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=declared[one.name]
        )
        for one in (*of_judging, *_SHARED)
    ]

    @functools.wraps(function)
    def command(**arguments: Any) -> None:
        from upstreamsync.cli.exits import run

        judging = Judging(**{one.name: arguments.pop(one.name) for one in of_judging})
        given = {one.name: arguments.pop(one.name) for one in _SHARED}
        common = Common(**{**given, "allow_host": tuple(given["allow_host"] or ()), "judging": judging})
        set_up_logging(verbose=common.verbose)
        run(lambda: function(common, **arguments))

    keyword_only = [
        one.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints.get(one.name, one.annotation))
        for one in own
    ]
    command.__signature__ = inspect.Signature([*keyword_only, *shared])  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in (*keyword_only, *shared)}
    return command
