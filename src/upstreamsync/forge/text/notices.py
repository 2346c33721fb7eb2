"""The words of a notice: an issue about one vendor that can't be followed."""

from __future__ import annotations

import json
import re
from typing import Final

from upstreamsync.forge.text.markdown import fence, prose
from upstreamsync.model import Failure

_MARK: Final = re.compile(r'<!-- upstreamsync-notice: (\{"vendor": "[a-z0-9-]+"\}) -->')


def notice(vendor: str, failure: Failure) -> tuple[str, str]:
    """Title and body. The same failure gives the same words, so nothing is edited for nothing."""
    parts = [
        f"upstreamsync can't follow **{vendor}**:",
        fence(f"{failure.kind}: {failure.message}"),
        f"What to do: {prose(failure.hint)}" if failure.hint else "",
        "This issue is kept up to date by each run, and closed once the vendor can be followed again.",
        f"<!-- upstreamsync-notice: {json.dumps({'vendor': vendor})} -->",
    ]
    return f"upstreamsync can't follow {vendor}", "\n\n".join(part for part in parts if part)


def vendor_of(body: str) -> str | None:
    """The vendor that a notice is about; None for other issues."""
    found = _MARK.findall(body)
    return str(json.loads(found[-1])["vendor"]) if found else None
