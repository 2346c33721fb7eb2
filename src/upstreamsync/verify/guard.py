"""One overlay's failure never stops the others: what can't be judged is said to be so, and why.

Whatever happens while an overlay is judged ends there: a kustomize that crashes or does not end, a budget
that is used up, a bug of ours. Its customizations are ``unjudged`` then, each with the reason.
"""

from __future__ import annotations

import math
import re
import traceback
from dataclasses import replace

from upstreamsync.errors import (
    MachineError,
    ToolCrashed,
    ToolMissing,
    ToolTimeout,
    UpstreamsyncError,
    is_lack,
)
from upstreamsync.kit.run import budget
from upstreamsync.model import Build, Judgement, LeftOut, OverlayVerification, Verdict
from upstreamsync.verify import explain
from upstreamsync.verify.build.causes import shortened
from upstreamsync.verify.build.obstacles import Reason
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.judge import Case, judge_overlay
from upstreamsync.verify.left_out import unjudged
from upstreamsync.verify.overlays.items import enumerate_items

_PLACE = re.compile(r"^(?P<file>.+?):(?P<line>\d+)(?::\d+)?: ")


def judged(case: Case) -> OverlayVerification:
    """The verification of one overlay, or what is to be said in its place. Raises ToolMissing alone."""
    try:
        seconds = case.seconds or math.inf
        if case.in_all is not None:
            seconds = min(seconds, case.in_all.left())
        with budget.within(seconds, f"`{case.overlay}`"):
            return _unreadable(case) or judge_overlay(case)
    except ToolMissing:
        raise
    except UpstreamsyncError as error:
        return _all_unjudged(case, _reason(error), error.message, hint=error.hint)
    except OSError as error:
        if not is_lack(error):
            return _crashed(case, error)
        lack = MachineError.of(error)
        return _all_unjudged(case, Reason.CRASHED, f"this machine lacks room: {lack.message}", hint=lack.hint)
    except Exception as error:  # a bug: the others are judged all the same, and the run ends with 70
        return _crashed(case, error)


def _crashed(case: Case, error: Exception) -> OverlayVerification:
    trace = "".join(traceback.format_exception(error))
    why = f"judging it ended in a bug: {type(error).__name__}: {error}"
    return replace(_all_unjudged(case, Reason.CRASHED, why), crash=trace)


def _reason(error: UpstreamsyncError) -> Reason:
    if isinstance(error, ToolTimeout):
        return Reason.OVER_BUDGET
    return Reason.CRASHED if isinstance(error, ToolCrashed) else Reason.DOES_NOT_BUILD


def _all_unjudged(case: Case, reason: Reason, why: str, *, hint: str | None = None) -> OverlayVerification:
    """The overlay with nothing judged: each of its items, and the result, say why."""
    note = unjudged(LeftOut(what=case.overlay, reason=reason, why=shortened(why), hint=hint, known=False))
    items: list[Judgement] = []
    crash = None
    try:
        found = enumerate_items(case.after, case.overlay, case.upstream)
        items = [explain.judgement(item, [note], case.overlay) for item in found]
    except (UpstreamsyncError, OSError):  # what ended the judgement: then the overlay as a whole is named
        items = []
    except Exception:
        crash = traceback.format_exc()
    items.append(explain.on_result(case.overlay, _file(case), note))
    state = Build(ok=False, error=shortened(why))
    return OverlayVerification(path=case.overlay, before=state, after=state, items=tuple(items), crash=crash)


def _file(case: Case) -> str:
    return case.after.kustomization_file(case.overlay) or case.overlay


def _unreadable(case: Case) -> OverlayVerification | None:
    """What is to be said of an overlay without a kustomization, or with one that can't be read."""
    after, before = case.after.unreadable(case.overlay), case.before.unreadable(case.overlay)
    if case.after.kustomization(case.overlay) is not None:
        return _all_unjudged(case, Reason.DOES_NOT_BUILD, f"before: {before}") if before is not None else None
    if after is None:
        why = case.after.absent.get(case.overlay)
        return _all_unjudged(
            case,
            Reason.NOT_IN_TREE,
            f"{case.overlay} {why}" if why else f"there is no kustomization.yaml in {case.overlay}",
        )
    if before is not None and case.before.kustomization(case.overlay) is None:
        return _all_unjudged(case, Reason.DOES_NOT_BUILD, after)
    place = _PLACE.match(after)
    file, line = (place.group("file"), int(place.group("line"))) if place else (_file(case), 1)
    note = Note(
        verdict=Verdict.FAILS, reason="tool_error", does="kustomize can't read it", because=after,
        hint="correct the file", did="built" if case.before.kustomization(case.overlay) else "",
    )  # fmt: skip
    said = explain.on_result(case.overlay, file, note, line=line)
    return OverlayVerification(
        path=case.overlay, before=Build(ok=True), after=Build(ok=False, error=after), items=(said,)
    )
