"""Adoptions as JSON, Markdown and annotations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from upstreamsync.model import Adoption
from upstreamsync.report.annotations import command
from upstreamsync.report.markdown import cell


def adopt_document(adoptions: Sequence[Adoption]) -> dict[str, Any]:
    """``upstreamsync/adopt/v1``."""
    return {"schema": "upstreamsync/adopt/v1", "vendors": [_adoption(one) for one in adoptions]}


def _adoption(one: Adoption) -> dict[str, Any]:
    files = one.change.files if one.change is not None else {}
    error = one.error
    return {
        "name": one.vendor,
        "base": one.base,
        "version": one.version,
        "why": one.why,
        "candidates": [
            {"version": each.version, "differing": each.differing, "shared": round(each.shared, 4)}
            for each in one.candidates
        ],
        "customizations": list(one.customizations),
        "notes": list(one.notes),
        "proven": list(one.proven),
        "files": {
            "written": sorted(path for path, data in files.items() if data is not None),
            "removed": sorted(path for path, data in files.items() if data is None),
        },
        "error": None
        if error is None
        else {"kind": error.kind, "message": error.message, "hint": error.hint},
    }


def adopt_markdown(adoptions: Sequence[Adoption]) -> str:
    """A table of what was adopted, the customizations below it."""
    lines = ["| vendor | version | customizations | note |", "|---|---|---|---|"]
    for one in adoptions:
        note = one.error.message if one.error is not None else one.why
        row = (one.vendor, one.version, str(len(one.customizations)), note)
        lines.append("| " + " | ".join(cell(each) for each in row) + " |")
    for one in adoptions:
        if one.customizations:
            lines += ["", f"### {cell(one.vendor)}", ""]
            lines += [f"- {cell(each)}" for each in one.customizations]
    return "\n".join(lines) + "\n"


def adopt_annotations(adoptions: Sequence[Adoption], *, file: str) -> str:
    """A notice for each vendor that was adopted, an error for each that could not be."""
    lines = []
    for one in adoptions:
        if one.error is not None:
            hint = f"\nhint: {one.error.hint}" if one.error.hint else ""
            lines.append(
                command("error", one.error.message + hint, file, title=f"{one.vendor}: {one.error.kind}")
            )
        else:
            text = f"{one.vendor}: {one.version} and {len(one.customizations)} customizations"
            lines.append(command("notice", text, file))
    return "".join(f"{line}\n" for line in lines)
