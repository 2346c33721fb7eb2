"""What schemas and the rules of the API server add to `verify`: 500 objects beside 5 MB of CRDs.

The same run is made with and without them. As a program, ``python benchmarks/rules.py without verify …`` is the
one without (``with``: as it is): nothing else is left out of it.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

#: In the time of the run without them.
LIMIT = 1.15
WITH, WITHOUT = "verify, with schemas and rules", "verify, without them"
KINDS, FIELDS, APPS, OBJECTS = 14, 2500, 200, 100
#: Of so many of these kinds there are objects: kube-prometheus-stack has ten definitions, and objects of four.
MET = 5
_OVERLAY = """\
resources: [../base]
namespace: shop
patches:
- target: {kind: Deployment, name: app0}
  patch: |-
    - {op: add, path: /spec/replicas, value: 3}
- target: {kind: Kind0, name: own0}
  patch: |-
    - {op: add, path: /field0001, value: ours}
"""


def measure_rules(folder: Path, times: int, scale: float):  # type: ignore[no-untyped-def]
    """The table. Raises Wrong when a run does not see the one defect that is in there, or sees it without looking."""
    from measure import alternating

    from report import Section, ratio

    numbers = itertools.count(1)
    _write(folder / "before", number=0, scale=scale)
    costs = alternating(
        {
            WITHOUT: lambda: _verify(folder, "without", next(numbers), scale),
            WITH: lambda: _verify(folder, "with", next(numbers), scale),
        },
        times,
    )
    count, size = 2 * APPS + OBJECTS, (folder / "after/base/all.yaml").stat().st_size
    title = f"schemas and rules, {count} objects and {KINDS} CRDs, {size / 1e6:.1f} MB"
    return Section(
        title=title,
        costs=costs,
        figures=[ratio("4", f"verify, with {title}", costs, WITH, WITHOUT, LIMIT)],
    )


def _write(folder: Path, *, number: int, scale: float) -> None:
    import content

    release = f"1.{number}.0"
    fields = max(2, int(FIELDS * scale))
    own = "---\n".join(_own(n, fields, number) for n in range(OBJECTS))
    text = f"{content.crds(KINDS, fields, release)}---\n{content.workloads(APPS, release)}---\n{own}"
    for path, data in {
        "base/all.yaml": text,
        "base/kustomization.yaml": "resources: [all.yaml]\n",
        "overlay/kustomization.yaml": _OVERLAY,
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(data, "utf-8")


def _own(number: int, fields: int, release: int) -> str:
    """An object of one of the CRDs; the first of the new release has a number where a text belongs."""
    values = "".join(f"field{i:04}: value {i}\n" for i in range(2, min(fields, 30)))
    odd = release if release and number == 0 else f"release {release}"
    return (
        f"apiVersion: bench.example/v1\nkind: Kind{number % MET}\nmetadata: {{name: own{number}}}\n"
        f"field0000: {odd}\nfield0001: theirs\n{values}"
    )


def _verify(folder: Path, which: str, number: int, scale: float):  # type: ignore[no-untyped-def]
    """On a release that no earlier run has seen."""
    from measure import Wrong, run

    _write(folder / "after", number=number, scale=scale)
    out = folder / "out.json"
    sides = ["--before", folder / "before", "--after", folder / "after"]
    words = [sys.executable, __file__, which, "verify", "overlay", *sides, "--no-cache"]
    cost = run([*words, "--json-output", out], accepted=(0, 1))
    found = json.loads(out.read_text("utf-8"))["summary"]
    if found.get("rejected", 0) != (1 if which == "with" else 0):
        raise Wrong(f"one object is against its schema, and verify {which} them said {found}")
    return cost


def main() -> None:
    """The command line, with or without the checks that are measured."""
    from upstreamsync.cli import main as program
    from upstreamsync.verify import result_checks

    _, which, *words = sys.argv
    sys.argv = ["upstreamsync", *words]
    if which == "without":
        left_out = {result_checks.schema.compare, result_checks.validation.compare}
        result_checks.COMPARISONS = tuple(one for one in result_checks.COMPARISONS if one not in left_out)
    program()


if __name__ == "__main__":
    main()
