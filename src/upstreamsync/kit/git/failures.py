"""What git says when a remote repository can't be read, in our terms."""

from __future__ import annotations

import re
from collections.abc import Mapping

from upstreamsync.errors import (
    Denied,
    NotFound,
    Unreachable,
    UpstreamsyncError,
)
from upstreamsync.kit.git.command import Address
from upstreamsync.kit.redact import redact

#: What git says of a fetch that failed because of what lies in the store already.
BLAMES_STORE = re.compile(r"(?i)collision|corrupt|loose object|bad (?:object|tree|sha1|config)|packfile")
REDIRECTED = re.compile(r"returned error: 30[12378]\b")
#: What git says, in the order in which it is looked for, and what that means.
_MEANINGS: tuple[tuple[type[UpstreamsyncError], tuple[str, ...]], ...] = (
    (
        Denied,
        (
            "authentication failed",
            "could not read username",
            "could not read password",
            "permission denied",
            "access denied",
            "returned error: 401",
            "returned error: 403",
            "host key verification failed",
        ),
    ),
    (
        NotFound,
        (
            "couldn't find remote ref",
            "not our ref",
            "unadvertised object",
            "repository not found",
            "' not found",
            "returned error: 404",
            "returned error: 301",
            "returned error: 302",
            "returned error: 307",
            "returned error: 308",
            "does not appear to be a git repository",
            "does not exist",
            "/info/refs not valid",
            "not found: did you run git update-server-info",
        ),
    ),
)


HINTS: Mapping[type[UpstreamsyncError], str] = {
    Unreachable: "check the address and the network",
    NotFound: "check the address: with credentials no redirect is followed, and a private repository that you "
    "may not see looks the same",
    Denied: "give credentials: a token, netrc, git's credential helper, or an ssh key in the agent",
}


def meaning(stderr: str) -> type[UpstreamsyncError]:
    """The error that git's words stand for."""
    text = stderr.lower()
    for meaning, signs in _MEANINGS:
        if any(sign in text for sign in signs):
            return meaning
    return Unreachable


def reason(stderr: str) -> str:
    """The line in which git says why: the first that it calls fatal or an error, else the last."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    told = [line for line in lines if line.lower().startswith(("fatal:", "error:", "remote: error"))]
    return (told or lines or ["git said nothing"])[0 if told else -1][:500]


def ref_missing(address: Address, ref: str, error: UpstreamsyncError) -> UpstreamsyncError:
    """The error for a ref that a repository does not have; any other stays as it is."""
    if "remote ref" in error.message or "our ref" in error.message or "unadvertised" in error.message:
        return NotFound(
            f"`{redact(address.url)}` has no branch, tag or commit `{ref}`",
            hint="check how upstream writes its tags",
        )
    return error
