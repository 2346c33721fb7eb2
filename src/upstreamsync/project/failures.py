"""The one place where an error becomes a value: one vendor's failure never stops the others."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from upstreamsync.errors import HandEdited, MachineError, UpstreamsyncError, is_lack
from upstreamsync.kit.redact import redact
from upstreamsync.kit.run import budget
from upstreamsync.model import Failure

T = TypeVar("T")


def guarded(
    function: Callable[[], T],
    *,
    but: tuple[type[UpstreamsyncError], ...] = (),
    seconds: float = math.inf,
    what: str = "this",
) -> T | Failure:
    """Run it; an error of ours, ``but`` for some, becomes a value; anything else is a bug and stays one.

    ``what`` may take ``seconds``; past that, too, its failure is a value.
    """
    try:
        with budget.within(seconds, what):
            return function()
    except but:
        raise
    except UpstreamsyncError as error:
        return _failure(error)
    except OSError as error:
        if not is_lack(error):
            raise
        return _failure(MachineError.of(error))


def _failure(error: UpstreamsyncError) -> Failure:
    hint = redact(error.hint) if error.hint else None
    details = error.details if isinstance(error, HandEdited) else ""
    return Failure(kind=error.kind, message=redact(str(error)), hint=hint, details=details)
