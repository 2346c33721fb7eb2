#!/usr/bin/env python3
"""Files over 450 lines, classes over 250 and functions over 50: what no longer fits a reader's head.

A function is measured by its body without its docstring: what it promises may be as long as it has to be.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE, CLASS, FUNCTION = 450, 250, 50


def too_long(path: Path) -> Iterator[str]:
    """One line for each part of a module that is over its limit."""
    text = path.read_text("utf-8")
    lines = text.count("\n")
    if lines > FILE:
        yield f"{path}: {lines} lines, a file has at most {FILE}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            limit = CLASS if isinstance(node, ast.ClassDef) else FUNCTION
            size = _length(node)
            if size > limit:
                yield f"{path}:{node.lineno}: {node.name} has {size} lines, at most {limit} are wanted"


def _length(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    end = node.end_lineno or node.lineno
    if isinstance(node, ast.ClassDef):
        return end - node.lineno + 1
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return end - (first.end_lineno or first.lineno if documented else first.lineno - 1)


def main() -> int:
    """Print what is too long; 1 when there is any."""
    folder = Path(__file__).parent.parent / "src" / "upstreamsync"
    found = [line for path in sorted(folder.rglob("*.py")) for line in too_long(path)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
