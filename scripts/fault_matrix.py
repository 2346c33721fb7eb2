"""Run the fault matrix (tests/trust/matrix.py) and print the table of its results.

    python scripts/fault_matrix.py [--messages] [KIND...]

Ends with 1 when a cell is not as it has to be. HELM and KUSTOMIZE name the binaries, as always.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from trust import endings, matrix
from upstreamsync.testing import World


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="only these kinds of source")
    parser.add_argument("--messages", action="store_true", help="print each message and hint, too")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    kinds = [kind for kind in matrix.KINDS if not options.kinds or kind.name in options.kinds]
    started = time.monotonic()
    cells = []
    # Most of the time goes into waiting for what hangs, so more runs at once than there are processors.
    with World(tls=True) as elsewhere, ThreadPoolExecutor(len(kinds)) as pool:
        for found in pool.map(lambda kind: list(matrix.run(kind, elsewhere.url)), kinds):
            cells += found
    if not options.kinds:
        cells += endings.run()
    show(cells, messages=options.messages)
    wrong = [cell for cell in cells if cell.problems]
    print(f"\n{len(cells)} runs, {len(wrong)} not as they have to be, {time.monotonic() - started:.0f} s")
    return 1 if wrong else 0


def show(cells: list[matrix.Cell], *, messages: bool) -> None:
    """The table: one line a run."""
    rows = [("source", "moment", "fault", "exit", "outcome", "others, disk")]
    rows += [
        (
            cell.kind,
            cell.moment,
            cell.fault,
            str(cell.exit_code),
            cell.outcome,
            "; ".join(cell.problems) or "unharmed",
        )
        for cell in cells
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for number, row in enumerate(rows):
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]]))
        if number == 0:
            print("  ".join("-" * width for width in [*widths, 12]))
        elif messages and cells[number - 1].message:
            print(f"      {cells[number - 1].message}\n      hint: {cells[number - 1].hint}")


if __name__ == "__main__":
    sys.exit(main())
