"""One variant of a kind: an overlay on a base of which upstream changes something, and what has to be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from upstreamsync.model import Severity, Verdict, Verification
from upstreamsync.verify import Store
from verify.small import alarms, judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What stands before and after the update, and what is right.

    ``overlay`` and ``edited`` are texts by path below the overlay's folder, or anywhere with a leading slash;
    ``edited`` is what a person changed along with the base. ``item`` is named without the overlay. Without a
    ``verdict`` the variant is a control: nothing above cleanup may be said of anything.
    """

    overlay: Mapping[str, str]
    old: str
    new: str
    edited: Mapping[str, str] | None = None
    item: str = "patches[0]"
    verdict: Verdict | None = None
    severity: Severity = Severity.SILENT_BREAK
    says: Sequence[str] = ()
    never: Sequence[str] = field(default=())

    @property
    def is_control(self) -> bool:
        """Whether no alarm may come of this."""
        return self.verdict is None or self.severity.rank >= Severity.CLEANUP.rank

    def judged(self, folder: Path, kept: Store) -> Verification:
        """Both trees, written and judged."""
        before = {"base/kustomization.yaml": "resources: [up.yaml]\n", "base/up.yaml": self.old}
        after = {"base/up.yaml": self.new}
        for target, files in ((before, self.overlay), (after, self.edited or {})):
            target.update(
                (path[1:] if path[0] == "/" else f"overlay/{path}", text) for path, text in files.items()
            )
        return judged(folder, before, after, upstream=["base"], cache=kept)

    def wrong(self, found: Verification) -> list[str]:
        """What is not as it has to be, in words; empty where all is right."""
        everything = alarms(found)
        told = [
            each
            for judgement in found.items
            if judgement.item in (f"overlay: {self.item}", self.item)
            for each in judgement.told
        ]
        if self.verdict is None:
            wrong = everything
        elif not any((each.verdict, each.severity) == (self.verdict, self.severity) for each in told):
            wrong = [
                f"{self.item} is not {self.verdict} ({self.severity}):",
                *(str(each) for each in told),
                *everything,
            ]
        else:
            wrong = everything if self.is_control else []
        said = "\n".join(f"{each.why} {each.hint}" for judgement in found.items for each in judgement.told)
        wrong += [f"does not say {each!r}: {said}" for each in self.says if each not in said]
        return wrong + [f"says {each!r}: {said}" for each in self.never if each in said]
