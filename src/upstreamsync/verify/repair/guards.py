"""``op: test`` guards for JSON6902 patches that address list elements by index.

An index says nothing about what it is meant for. A guard in front of the operation does: kustomize itself
then refuses the patch when another element stands there, instead of changing that one silently.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from upstreamsync.kit.kubernetes.jsonpatch import pointer, resolve, steps
from upstreamsync.kit.kubernetes.objects import MISSING, merge_key
from upstreamsync.kit.run.engines import Engines, Kustomize
from upstreamsync.kit.run.threads import processors
from upstreamsync.kit.yaml import scalars, syntax
from upstreamsync.verify.build.builds import Builder, Manifest
from upstreamsync.verify.build.chain import Chain, Effect
from upstreamsync.verify.build.workspace import Workspace
from upstreamsync.verify.overlays.items import Item, Kind, enumerate_items
from upstreamsync.verify.overlays.tree import Tree, normalize
from upstreamsync.verify.repair.fixes import patch_text

#: A guard: the pointer to look at, and the value that has to stand there.
Guard = tuple[str, Any]


def add_guards(
    tree: Path,
    overlays: Sequence[str],
    *,
    upstream: Collection[str] = (),
    kustomize: Kustomize | None = None,
    jobs: int | None = None,
) -> dict[str, str]:
    """The new text of each file below ``tree`` whose JSON6902 patches go by index without a guard.

    Files are named by their path in the tree; nothing is written. Patches written in flow style (as JSON)
    stay as they are, as do those whose targets differ in what stands at the index, and files of upstream's.
    """
    source = Tree(Path(tree))
    engine = kustomize or Engines().kustomize()
    wanted: dict[tuple[str, str], tuple[Item, dict[int, list[Guard]]]] = {}
    for overlay in map(normalize, overlays):
        items = enumerate_items(source, overlay, tuple(map(normalize, upstream)))
        if not any(_by_index(item) for item in items):
            continue
        effects = _effects(source, overlay, items, Builder(engine, jobs or processors()))
        for item in items:
            effect = effects.get(item.name)
            if _by_index(item) and effect is not None and effect.error is None:
                wanted.setdefault((item.file, item.name), (item, _guards(item, effect)))
    return _texts(source, [value for _, value in sorted(wanted.items(), key=lambda pair: pair[0])])


def _by_index(item: Item) -> bool:
    return item.kind is Kind.JSON and any(
        part.isdigit() for operation in item.body for part in steps(str(_get(operation, "path")))
    )


def _get(operation: Any, key: str) -> Any:
    return operation.get(key, "") if isinstance(operation, Mapping) else ""


def _effects(tree: Tree, overlay: str, items: Sequence[Item], builder: Builder) -> Mapping[str, Effect]:
    with tempfile.TemporaryDirectory(prefix="upstreamsync-guards-") as scratch:
        workspace = Workspace(tree, overlay, items, Path(scratch))
        return Chain(workspace, builder, items).run().effects


def _guards(item: Item, effect: Effect) -> dict[int, list[Guard]]:
    """The guards of each operation, by its position in the patch."""
    objects = [touch.before for touch in effect.touched.values() if touch.before is not None]
    guarded: set[str] = set()
    found: dict[int, list[Guard]] = {}
    for number, operation in enumerate(item.body):
        op = _get(operation, "op")
        if op == "test":
            guarded.add(str(_get(operation, "path")))
        if op not in ("add", "replace", "remove"):
            continue
        each = [list(_identities(operation, obj)) for obj in objects]
        if not each or any(other != each[0] for other in each):
            continue
        mine = [guard for guard in each[0] if guard[0] not in guarded]
        guarded |= {guard[0] for guard in mine}
        if mine:
            found[number] = mine
        if op in ("add", "remove") and _last_is_index(operation):
            break  # what follows meets a list of another length than the one that we know
    return found


def _last_is_index(operation: Any) -> bool:
    return steps(str(_get(operation, "path")))[-1].isdigit()


def _identities(operation: Any, obj: Manifest) -> Iterator[Guard]:
    """What has to stand at each index of an operation's path, for the operation to mean the same."""
    parts = steps(str(_get(operation, "path")))
    for position, part in enumerate(parts):
        around = resolve(obj, parts[:position])
        if not isinstance(around, list) or not part.isdigit():
            continue
        index = int(part)
        inserts = _get(operation, "op") == "add" and position == len(parts) - 1
        if inserts and index == 0:
            continue
        at = index - 1 if inserts else index
        if at >= len(around):
            continue
        here = [*parts[:position], str(at)]
        field = parts[position - 1] if position else ""
        yield from _identity(around, at, here, field)


def _identity(around: list[Any], at: int, here: list[str], field: str) -> Iterator[Guard]:
    element = around[at]
    if not isinstance(element, (Mapping, list)):
        yield pointer(here), element
        return
    for name in merge_key(field, around) or ():
        parts = [*here, *name.split(".")]
        value = resolve(element, name.split("."))
        if value is not MISSING:
            yield pointer(parts), value


# -- writing -----------------------------------------------------------------------------------------


def _texts(tree: Tree, wanted: Sequence[tuple[Item, dict[int, list[Guard]]]]) -> dict[str, str]:
    edits: dict[str, list[scalars.Edit]] = {}
    before: dict[str, str] = {}
    for item, guards in wanted:
        found = patch_text(item, tree) if guards else None
        if found is None:
            continue
        file, source, node = found
        if not isinstance(node, syntax.SequenceNode) or node.flow_style:
            continue
        before[file] = source.text
        edits.setdefault(file, []).extend(_inserted(source, node, guards))
    return {file: scalars.apply(before[file], edits[file]) for file in sorted(edits) if edits[file]}


def _inserted(
    source: scalars.Source, node: syntax.SequenceNode, guards: Mapping[int, Sequence[Guard]]
) -> Iterator[scalars.Edit]:
    for number, checks in guards.items():
        begin = source.offset(node.value[number].start_mark)
        line_start = source.text.rfind("\n", 0, begin) + 1
        lead = source.text[line_start:begin]
        if lead.strip() != "-":
            continue
        deep = " " * len(lead)
        text = "".join(
            f"{lead}op: test\n{deep}path: {path}\n{deep}value: {_written(value)}\n" for path, value in checks
        )
        yield scalars.Edit(line_start, line_start, text)


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value if scalars.is_plain(value) else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
