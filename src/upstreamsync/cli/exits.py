"""Exit codes, as the contract has them, and how errors of every kind end up as one."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from upstreamsync._version import __version__
from upstreamsync.errors import ConfigError, UpstreamsyncError

if TYPE_CHECKING:
    from upstreamsync.model import Finding, PullRequest, VendorUpdate, Verification

DONE = 0
PERSON = 1
USAGE = 2
PARTIAL = 3
BUG = 70
INTERRUPTED = 130

#: Statuses that a person has to look at; a status is its text.
_ALARMS = ("withdrawn", "republished")


def of_check(findings: Sequence[Finding], *, updates_count: bool = False) -> int:
    """3 when a vendor failed; else 1 for a withdrawn or republished version, or (when asked) for updates."""
    if any(finding.status == "failed" for finding in findings):
        return PARTIAL
    if any(finding.status in _ALARMS for finding in findings):
        return PERSON
    outdated = any(finding.status == "outdated" for finding in findings)
    return PERSON if updates_count and outdated else DONE


def of_updates(updates: Sequence[VendorUpdate], verification: Verification | None) -> int:
    """3 when a vendor failed; else 1 when a person is needed."""
    if any(update.error is not None for update in updates):
        return PARTIAL
    alarms = any(update.finding is not None and update.finding.status in _ALARMS for update in updates)
    needed = verification is not None and verification.needs_person
    return PERSON if alarms or needed else DONE


def of_pull_requests(pull_requests: Sequence[PullRequest]) -> int:
    """3 when one could not be made; else 1 when one is a draft, as it needs a person."""
    if any(one.action == "failed" for one in pull_requests):
        return PARTIAL
    return PERSON if any(one.draft for one in pull_requests) else DONE


def run(function: Callable[[], int]) -> NoReturn:
    """Run a verb and end the process: no traceback for a user's mistake, one for a bug."""
    try:
        code = function()
    except UpstreamsyncError as error:
        tell(error)
        code = error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing is wrong, and nothing more can be said.
        sys.stderr.close()
        code = DONE
    except Exception:
        report_bug()
        code = BUG
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()
    gc.freeze()  # what is still there goes with the process: no circles have to be looked for
    sys.exit(code)


def tell(error: UpstreamsyncError) -> None:
    """An error for people: what, where, what to do."""
    from upstreamsync.kit.redact import redact

    lines = [redact(str(error))] if isinstance(error, ConfigError) else [f"error: {redact(str(error))}"]
    if error.hint:
        lines.append(f"hint: {redact(error.hint)}")
    print("\n".join(lines), file=sys.stderr)  # noqa: T201


def report_bug() -> None:
    """A traceback, secrets taken out, and what to do with it."""
    import platform
    import traceback

    from upstreamsync.kit.redact import redact

    print(redact(traceback.format_exc()), file=sys.stderr)  # noqa: T201
    print(  # noqa: T201
        f"This is a bug in upstreamsync {__version__} (Python {platform.python_version()}). "
        "Please report it with the lines above.",
        file=sys.stderr,
    )
