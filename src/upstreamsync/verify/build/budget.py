"""How long judging may take: one overlay, and all of them together."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from upstreamsync.errors import OverBudget

#: What one overlay and a whole run may take where nobody says otherwise, in seconds.
PER_OVERLAY: Final = 600.0
IN_ALL: Final = 3600.0


_HINT: Final = "give more with --budget, or name the overlays that matter"


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds that may be spent from now on; ``above`` bounds it as well."""

    seconds: float
    above: Budget | None = None
    _begun: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """What is left, in seconds. Raises OverBudget when that is nothing."""
        left = self.seconds - (time.monotonic() - self._begun)
        if left <= 0:
            raise OverBudget(f"the budget of {self.seconds:g} s is used up", hint=_HINT)
        return left if self.above is None else min(left, self.above.left())

    def check(self) -> None:
        """Raise OverBudget when nothing is left."""
        self.left()
