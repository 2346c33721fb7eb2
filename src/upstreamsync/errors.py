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
    │   ├── ToolCrashed           it was killed or crashed, which says nothing about what it was given
    │   └── ToolTimeout           it did not end in time
    │       └── OverBudget        what a vendor, an overlay or a run may take in all is used up
    ├── ContentError              what arrived does not fit what was declared (exit 3)
    │   ├── SelectionError        a selection, a block or a glob matches nothing, or more than it may
    │   ├── VersionError          a version that its scheme can't read
    │   ├── EditError             a follow-up edit finds nothing, or more than it may
    │   └── Refused               content that would reach outside its folder, or is hostile otherwise
    ├── RepositoryError           the user's repository can't be worked on as it is (exit 3)
    │   └── NotThere              what the command line names: no repository, revision or remote (exit 2)
    │   └── HandEdited            it would lose what a person wrote: somebody has to say what is to be (exit 1)
    ├── MachineError              this machine lacks room: on a disk, in memory, for open files (exit 3)
    └── ForgeError                the pull request could not be made (exit 3)
        └── PushRefused           the branch could not be pushed

An error says what happened, where, and what to do: ``message`` is a sentence,
``hint`` the next step, ``place`` a position in a file of the user's.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from upstreamsync.model import Place, Problem


class UpstreamsyncError(Exception):
    """Base of all errors that a user may see; never a bug.

    ``kind`` is stable and stands in the JSON output. ``usual_hint`` is the next step for errors of a class
    that are raised without a hint of their own.
    """

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3
    usual_hint: ClassVar[str | None] = None

    def __init__(self, message: str, *, hint: str | None = None, place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.usual_hint
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
    usual_hint = "check the address; if it is right, upstream has a problem: run again later"


class Unreachable(UpstreamError):
    """No answer: refused, reset, timed out, TLS failure, or 5xx after all retries."""

    kind = "unreachable"
    usual_hint = "check the address and the network, or run again later"


class NotFound(UpstreamError):
    """A clear answer that the thing does not exist: 404, a missing ref, tag or chart."""

    kind = "not-found"
    usual_hint = "check the address and the version; it may have been withdrawn"


class Denied(UpstreamError):
    """Credentials are missing or were refused."""

    kind = "denied"
    usual_hint = "check the credentials: a token, netrc, or docker's and helm's registry files"


class RateLimited(UpstreamError):
    """Asked to come back later than one run can wait."""

    kind = "rate-limited"
    usual_hint = "run again later, or give a token"


class DigestMismatch(UpstreamError):
    """The bytes are not those that upstream, the lock or ``checksum:`` promised."""

    kind = "digest-mismatch"
    usual_hint = "do not use it: find out from upstream whether it was replaced"


class Malformed(UpstreamError):
    """An answer that can't be read as what it should be."""

    kind = "malformed"
    usual_hint = "look at the address in a browser: is it what it should be?"


class TooLarge(UpstreamError):
    """An answer beyond the limits on size, time, depth or count."""

    kind = "too-large"
    usual_hint = "check the address; if it really is that large, it is not what this is meant for"


class ToolError(UpstreamsyncError):
    """helm, kustomize, git or a generator."""

    kind = "tool"
    usual_hint = "run with -v to see what was asked of it"


class ToolMissing(ToolError):
    """The tool is not installed."""

    kind = "tool-missing"
    usual_hint = "`upstreamsync doctor` says which tools are missing, and how to get them"


class ToolFailed(ToolError):
    """The tool ended with an error; ``stderr`` holds its own words."""

    kind = "tool-failed"
    usual_hint = "its own words say why; `upstreamsync doctor` says which version was used"

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


class ToolCrashed(ToolError):
    """The tool was killed or crashed, which says nothing about what it was given."""

    kind = "tool-crashed"
    usual_hint = "run again; is there enough memory?"


class ToolTimeout(ToolError):
    """The tool did not end in time and was stopped."""

    kind = "tool-timeout"
    usual_hint = "run again; if it hangs always, find out with what by running the tool yourself"


class OverBudget(ToolTimeout):
    """What a vendor, an overlay or a run may take in all is used up; the others are done."""

    kind = "over-budget"
    usual_hint = "run again; if it really needs that long, give it more time"


class ContentError(UpstreamsyncError):
    """What arrived does not fit what was declared."""

    kind = "content"
    usual_hint = "compare what vendors.yaml declares with what upstream has now"


class SelectionError(ContentError):
    """A selection, a block or a glob matches nothing, or more than it may."""

    kind = "selection"


class VersionError(ContentError):
    """The current version, or every version on offer, is none of the declared scheme."""

    kind = "version"
    usual_hint = "`scheme` and `tag` of `releases` say how versions are read"


class EditError(ContentError):
    """A follow-up edit finds nothing, or more than it may."""

    kind = "edit"


class Refused(ContentError):
    """Content that would reach outside its folder, or is hostile in another way."""

    kind = "refused"
    usual_hint = "do not use it: report it to those who published it"


class RepositoryError(UpstreamsyncError):
    """The user's repository can't be worked on as it is."""

    kind = "repository"
    usual_hint = "see what `git status` says of the repository"


class HandEdited(RepositoryError):
    """A file would be replaced that is neither upstream's nor ours; ``details`` shows the difference."""

    kind = "edited"
    exit_code = 1

    def __init__(
        self, message: str, *, hint: str | None = None, place: Place | None = None, details: str = ""
    ) -> None:
        super().__init__(message, hint=hint, place=place)
        self.details = details


class MachineError(UpstreamsyncError):
    """This machine lacks what a run needs: room on a disk, memory, open files."""

    kind = "machine"
    usual_hint = "make room, then run again; TMPDIR names another folder for temporary files"

    @classmethod
    def of(cls, error: OSError) -> MachineError:
        """What an error of the system means, one for which ``is_lack`` holds."""
        where = f" ({error.filename})" if error.filename else ""
        return cls(f"{error.strerror or error}{where}")


_LACKS = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EMFILE", "ENFILE", "ENOMEM", "EROFS")
    if hasattr(errno, name)
)


def is_lack(error: OSError) -> bool:
    """Whether the system refuses because there is no room, and not because of what it was asked for."""
    return error.errno in _LACKS or "No usable temporary directory" in str(error)


class NotThere(UsageError, RepositoryError):
    """What the user named is not there: a repository, a revision, a remote (exit 2)."""

    kind = "usage"
    exit_code = 2


class ForgeError(UpstreamsyncError):
    """The pull request could not be made."""

    kind = "forge"
    usual_hint = "run again; what is done already is found again"


class PushRefused(ForgeError):
    """The branch could not be pushed."""

    kind = "push-refused"
