"""Exit codes, as the contract has them, and how errors of every kind end up as one."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from upstreamsync._version import __version__
from upstreamsync.cli import ending, output
from upstreamsync.errors import ConfigError, MachineError, UpstreamsyncError, is_lack

if TYPE_CHECKING:
    from upstreamsync.model import Failure, Finding, PullRequest, VendorUpdate, Verification

DONE = 0
PERSON = 1
USAGE = 2
PARTIAL = 3
BUG = 70
INTERRUPTED = 130

#: Statuses that a person has to look at; a status is its text.
_ALARMS = ("withdrawn", "republished", "edited")
#: Errors that say that a person has to decide, or to correct vendors.yaml; all others are work undone.
_BY_KIND = {"edited": PERSON, "configuration": USAGE}


def of_check(findings: Sequence[Finding], *, updates_count: bool = False) -> int:
    """3 when a vendor failed, 2 when its configuration can't work; else 1 for an alarm, or (when asked) for updates.

    An alarm is a version that was withdrawn or republished, or a base that is not what lock and version say.
    """
    if failed := of_failures([one.error for one in findings if one.status == "failed"]):
        return failed
    if any(finding.status in _ALARMS for finding in findings):
        return PERSON
    outdated = any(finding.status in ("outdated", "not-vendored") for finding in findings)
    return PERSON if updates_count and outdated else DONE


def of_failures(failures: Sequence[Failure | None]) -> int:
    """The code for what failed: work undone before wrong configuration before what a person decides."""
    codes = {_BY_KIND.get(one.kind, PARTIAL) if one is not None else PARTIAL for one in failures}
    return max(codes, default=DONE)


def of_verification(verification: Verification) -> int:
    """70 after a bug, whose traceback is told; 3 when something could not be judged; 1 for a person."""
    if verification.crashes:
        for crash in verification.crashes:
            report_bug(crash)
        return BUG
    if verification.unjudged:
        return PARTIAL
    return PERSON if verification.needs_person else DONE


def of_updates(updates: Sequence[VendorUpdate], verification: Verification | None) -> int:
    """70 after a bug in the judge; 3 when a vendor failed or an item is unjudged; else 1 for a person."""
    judged = of_verification(verification) if verification is not None else DONE
    if judged == BUG:
        return BUG
    failed = of_failures([update.error for update in updates if update.error is not None])
    if failed == PARTIAL or judged == PARTIAL:
        return PARTIAL
    if failed:
        return failed
    alarms = any(update.finding is not None and update.finding.status in _ALARMS for update in updates)
    forked = any(update.change is not None and update.change.forks for update in updates)
    return PERSON if alarms or forked else judged


def of_pull_requests(pull_requests: Sequence[PullRequest]) -> int:
    """70 after a bug in the judge; 3 when one could not be made or judged; 1 for a draft: it needs a person."""
    if crashes := dict.fromkeys(crash for one in pull_requests for crash in one.crashes):
        for crash in crashes:
            report_bug(crash)
        return BUG
    failed = of_failures([one.error for one in pull_requests if one.action == "failed"])
    if failed == PARTIAL or any(one.unjudged for one in pull_requests):
        return PARTIAL
    if failed:
        return failed
    return PERSON if any(one.draft for one in pull_requests) else DONE


def run(function: Callable[[], int]) -> NoReturn:
    """Run a verb and end the process: no traceback for a user's mistake, one for a bug."""
    try:
        with ending.interruptible():
            ending.make_run_folder()
            code = _code(function)
            _flush()
            ending.remove_run_folder()
    except KeyboardInterrupt as error:
        with contextlib.suppress(OSError):  # after a SIGHUP there may be no terminal any more
            output.tell("interrupted")
        ending.leave(error.exit_code if isinstance(error, ending.Interrupted) else INTERRUPTED)
    gc.freeze()  # what is still there goes with the process: no circles have to be looked for
    sys.exit(code)


def _code(function: Callable[[], int]) -> int:
    try:
        return function()
    except UpstreamsyncError as error:
        tell(error)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing is wrong, and nothing more can be said.
        sys.stderr.close()
        return DONE
    except OSError as error:
        if is_lack(error):
            tell(MachineError.of(error))
            return PARTIAL
        report_bug()
    except Exception:
        report_bug()
    return BUG


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()


def tell(error: UpstreamsyncError) -> None:
    """An error for people: what, where, what to do."""
    from upstreamsync.kit.redact import redact

    lines = [redact(str(error))] if isinstance(error, ConfigError) else [f"error: {redact(str(error))}"]
    if error.hint:
        lines.append(f"hint: {redact(error.hint)}")
    output.tell("\n".join(lines))


def report_bug(trace: str | None = None) -> None:
    """A traceback (default: of what is being handled), secrets taken out, and what to do with it."""
    import platform
    import traceback

    from upstreamsync.kit.redact import redact

    output.tell(redact(trace or traceback.format_exc()))
    output.tell(
        f"This is a bug in upstreamsync {__version__} (Python {platform.python_version()}). "
        "Please report it with the lines above."
    )
