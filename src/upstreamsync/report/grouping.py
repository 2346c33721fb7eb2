"""Values of charts of which the same is to be said, told together: one line for what stands below one key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from upstreamsync.model import Judgement


def grouped(items: Sequence[Judgement]) -> list[Judgement]:
    """The items, with values below one key that share verdict and reason as one, named ``key.{a, b}``."""
    groups: dict[object, list[Judgement]] = {}
    for item in items:
        groups.setdefault(_group(item), []).append(item)
    return [group[0] if len(group) == 1 else _together(group) for group in groups.values()]


def _group(item: Judgement) -> object:
    parent, dot, _ = item.item.rpartition(".")
    if item.field != "helmCharts" or not dot or len(item.told) > 1:
        return item.item, item.why
    return parent, item.file, item.verdict, item.reason, item.severity, item.failed_before


def _together(group: Sequence[Judgement]) -> Judgement:
    first = group[0]
    parent = first.item.rpartition(".")[0]
    names = ", ".join(item.item.rpartition(".")[2] for item in group)
    why = f"{first.why} (and {len(group) - 1} more)"
    findings = tuple(replace(finding, why=why) for finding in first.findings[:1])
    return replace(first, item=f"{parent}.{{{names}}}", why=why, findings=findings)
