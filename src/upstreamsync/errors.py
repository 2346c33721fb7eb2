"""Everything that upstreamsync raises on purpose.

::

    UpstreamsyncError
    ├── UsageError                the command line or a call asks for something that can't be (exit 2)
    ├── ConfigError               vendors.yaml, with every problem and its place (exit 2)
    ├── UpstreamError             the world outside did not deliver (exit 3)
    │   ├── Unreachable           no answer: refused, reset, timed out, TLS, 5xx after all retries
    │   ├── NotFound              a clear answer that it does not exist: 404, a missing ref, tag or chart
    │   ├── Denied                credentials are missing or refused: 401, 403
    │   ├── RateLimited           asked to come back later than a run can wait
    │   ├── DigestMismatch        the bytes are not those that were promised
    │   ├── Malformed             an answer that can't be read as what it should be
    │   └── TooLarge              an answer beyond the limits on size, time, depth or count
    ├── ToolError                 helm, kustomize, git or a generator (exit 3)
    │   ├── ToolMissing           it is not installed
    │   ├── ToolFailed            it ended with an error; its own words are in the message
    │   └── ToolTimeout           it did not end in time
    ├── ContentError              what arrived does not fit what was declared (exit 3)
    │   ├── SelectionError        a selection, a block or a glob matches nothing, or more than it may
    │   ├── EditError             a follow-up edit finds nothing, or more than it may
    │   └── Refused               content that would reach outside its folder, or is hostile otherwise
    ├── RepositoryError           the user's repository can't be worked on as it is (exit 3)
    └── ForgeError                the pull request could not be made (exit 3)
        └── PushRefused           the branch could not be pushed

An error says what happened, where, and what to do: ``message`` is a sentence,
``hint`` the next step, ``place`` a position in a file of the user's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from upstreamsync.model import Place, Problem


class UpstreamsyncError(Exception):
    """Base of all errors that a user may see; never a bug.

    ``kind`` is stable and stands in the JSON output.
    """

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str | None = None, place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class UsageError(UpstreamsyncError):
    """The command line, or a call, asks for something that can't be."""

    kind = "usage"
    exit_code = 2


class ConfigError(UpstreamsyncError):
    """vendors.yaml can't be used; ``problems`` lists everything that is wrong with it, in file order."""

    kind = "configuration"
    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in the configuration")

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class UpstreamError(UpstreamsyncError):
    """The world outside did not deliver."""

    kind = "upstream"


class Unreachable(UpstreamError):
    """No answer: refused, reset, timed out, TLS failure, or 5xx after all retries."""

    kind = "unreachable"


class NotFound(UpstreamError):
    """A clear answer that the thing does not exist: 404, a missing ref, tag or chart."""

    kind = "not-found"


class Denied(UpstreamError):
    """Credentials are missing or were refused."""

    kind = "denied"


class RateLimited(UpstreamError):
    """Asked to come back later than one run can wait."""

    kind = "rate-limited"


class DigestMismatch(UpstreamError):
    """The bytes are not those that upstream, the lock or ``checksum:`` promised."""

    kind = "digest-mismatch"


class Malformed(UpstreamError):
    """An answer that can't be read as what it should be."""

    kind = "malformed"


class TooLarge(UpstreamError):
    """An answer beyond the limits on size, time, depth or count."""

    kind = "too-large"


class ToolError(UpstreamsyncError):
    """helm, kustomize, git or a generator."""

    kind = "tool"


class ToolMissing(ToolError):
    """The tool is not installed."""

    kind = "tool-missing"


class ToolFailed(ToolError):
    """The tool ended with an error; ``stderr`` holds its own words."""

    kind = "tool-failed"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        place: Place | None = None,
        stderr: str = "",
        returncode: int = 1,
    ) -> None:
        super().__init__(message, hint=hint, place=place)
        self.stderr = stderr
        self.returncode = returncode


class ToolTimeout(ToolError):
    """The tool did not end in time and was stopped."""

    kind = "tool-timeout"


class ContentError(UpstreamsyncError):
    """What arrived does not fit what was declared."""

    kind = "content"


class SelectionError(ContentError):
    """A selection, a block or a glob matches nothing, or more than it may."""

    kind = "selection"


class EditError(ContentError):
    """A follow-up edit finds nothing, or more than it may."""

    kind = "edit"


class Refused(ContentError):
    """Content that would reach outside its folder, or is hostile in another way."""

    kind = "refused"


class RepositoryError(UpstreamsyncError):
    """The user's repository can't be worked on as it is."""

    kind = "repository"


class ForgeError(UpstreamsyncError):
    """The pull request could not be made."""

    kind = "forge"


class PushRefused(ForgeError):
    """The branch could not be pushed."""

    kind = "push-refused"
