"""What a change would take from a person: files that are neither upstream's nor ours, and would be replaced."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from upstreamsync.base.documents import parts
from upstreamsync.base.origins import shortened
from upstreamsync.base.view import View
from upstreamsync.config.spec import Vendor
from upstreamsync.errors import HandEdited, TooLarge
from upstreamsync.kit.git.conversions import stands_for
from upstreamsync.kit.redact import redact
from upstreamsync.lock import Lock
from upstreamsync.model import Change

Read = Callable[[str], bytes | None]
_DIFF_LINES = 60
_SECRET = re.compile(rb"^kind:\s*[\"']?Secret[\"']?\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overwritten:
    """A file that the change replaces or removes, although a person wrote it; ``known`` if the lock has it."""

    path: str
    known: bool


def overwritten(change: Change, vendor: Vendor, lock: Lock | None, view: View) -> tuple[Overwritten, ...]:
    """The files whose content the change would lose, sorted.

    Not among them: what is as the lock says, what is already as it will be, and what is edited in place
    (vendors.yaml, the files of ``edits``), since that leaves all else as it stands.
    """
    found = []
    for path in sorted(change.base_files):
        now = view.read(path) if path != vendor.lock_path and _is_inside(path, vendor, lock) else None
        if now is None or now == change.base_files[path]:
            continue
        expected = lock.files.get(path) if lock is not None else None
        if expected is None or not stands_for(now, expected):
            found.append(Overwritten(path=path, known=expected is not None))
    return tuple(found)


def _is_inside(path: str, vendor: Vendor, lock: Lock | None) -> bool:
    bases = (*vendor.bases, *(lock.bases if lock is not None else ()))
    return any(path.startswith(f"{base}/") for base in bases)


def refusal(
    vendor: Vendor, lost: Sequence[Overwritten], pristine: Mapping[str, bytes], read: Read, version: str
) -> HandEdited:
    """The error that stops the vendor; shows how its files differ from upstream's, and names the ways out.

    ``pristine`` are upstream's files at the version that is vendored, as far as they could be fetched.
    """
    names = shortened([one.path for one in lost])
    strangers = [one for one in lost if not one.known and one.path not in pristine]
    if strangers and len(strangers) == len(lost) and pristine:
        return HandEdited(
            f"upstream now ships {names}, and a file of yours is there",
            hint=f"move yours away; or `upstreamsync update {vendor.name} --discard-edits` replaces it",
        )
    verb = "differs" if len(lost) == 1 else "differ"
    what = f"{names} {verb} from {vendor.name} {version}: edited by hand, and would be lost"
    if not pristine:
        what = f"{names}: nothing says that this is upstream's, and {version} could not be compared"
    return HandEdited(
        what,
        hint=f"`upstreamsync adopt {vendor.name}` makes patches of the edits; "
        f"`upstreamsync update {vendor.name} --discard-edits` throws them away",
        details=difference(lost, pristine, read),
    )


def difference(lost: Sequence[Overwritten], pristine: Mapping[str, bytes], read: Read) -> str:
    """How the files differ from upstream's, as a diff of bounded length; the values of Secrets stay hidden."""
    lines: list[str] = []
    for one in lost:
        theirs, ours = pristine.get(one.path), read(one.path)
        if theirs is None or ours is None:
            continue
        before, after = _shown(theirs).splitlines(), _shown(ours).splitlines()
        names = (f"upstream/{one.path}", f"here/{one.path}")
        lines += difflib.unified_diff(before, after, *names, lineterm="", n=1)
    if len(lines) > _DIFF_LINES:
        lines = [*lines[:_DIFF_LINES], f"… and {len(lines) - _DIFF_LINES} more lines"]
    return redact("\n".join(line[:200] for line in lines))


def _shown(data: bytes) -> str:
    try:
        found = parts(data)
    except TooLarge:
        found = [data]
    return "".join(
        _hidden(part) if _SECRET.search(part) else part.decode("utf-8", "replace") for part in found
    )


def _hidden(part: bytes) -> str:
    """A Secret without what it holds: below ``data`` and ``stringData`` only the keys are left."""
    shown: list[str] = []
    inside = False
    for line in part.decode("utf-8", "replace").splitlines(keepends=True):
        if line.strip() and not line[0].isspace():
            inside = line.startswith(("data:", "stringData:"))
            hidden = inside and bool(line.partition(":")[2].strip())
            shown.append(f"{line.partition(':')[0]}: <hidden>\n" if hidden else line)
        elif not inside:
            shown.append(line)
        elif match := re.match(r"(\s+[^\s:]+:)\s", line):
            shown.append(f"{match[1]} <hidden>\n")
    return "".join(shown)
