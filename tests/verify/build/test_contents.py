"""Long texts of ConfigMaps take no part in builds, and nothing that is said depends on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from upstreamsync.model import Verification
from upstreamsync.verify import judge
from upstreamsync.verify.build import contents
from upstreamsync.verify.build.builds import Builder, State
from upstreamsync.verify.overlays.tree import Tree
from verify.everything import said
from verify.small import deployment, judged

_FILL = "".join(f'  "panel {number}": {{"expr": "up{{job=\'web\'}}"}},\n' for number in range(80))
#: What a file may say: each in a ConfigMap of its own.
_TEXTS = {
    "plain": "{\n" + _FILL + "}\n",
    "no newline at the end": "{\n" + _FILL + "}",
    "many newlines at the end": "{\n" + _FILL + "}\n\n\n",
    "trailing spaces": "a  \n" + _FILL.replace(",\n", ", \n"),
    "tabs": "a\tb\n" + _FILL.replace("  ", "\t"),
    "indented": "  a\n" + _FILL,
    "an empty line first": "\na\n" + _FILL,
    "carriage returns": _FILL.strip().replace("\n", "\r\n"),
    "documents": "---\na: 1\n---\n# b\n" + _FILL.strip(),
    "letters of the world": "größer → 🙂\n" + _FILL.strip(),
    "a control character": "a\x07b\n" + _FILL.strip(),
    "a byte order mark": "\ufeffa\n" + _FILL.strip(),
    "a separator of lines": "a\u2028b\n" + _FILL.strip(),
    "one long line": "x" * 5000,
    "a number": "1" * 3000,
}
_PATCH = "- target: {{kind: ConfigMap, name: plain}}\n  patch: '[{{{0}}}]'\n"
_SHORT = "op: replace, path: /data/file, value: short"
#: What an overlay does with them.
_OVERLAYS = {
    "nothing": "",
    "settings": "namespace: mine\ncommonLabels: {team: a}\nnamePrefix: x-\n",
    "images": "images: [{name: web, newTag: v2}]\n",
    "a merge of the text": "patchesStrategicMerge:\n- |-\n"
    "  {apiVersion: v1, kind: ConfigMap, metadata: {name: plain}, data: {file: short, other: more}}\n",
    "a key that is replaced": "patches:\n" + _PATCH.format(_SHORT),
    "a key that is taken away": "patches:\n" + _PATCH.format("op: remove, path: /data/file"),
    "a key that is copied": "patches:\n" + _PATCH.format("op: copy, from: /data/file, path: /data/other"),
    "a text that is tested": "patches:\n"
    + _PATCH.format('op: test, path: /data/file, value: no"}}, {{' + _SHORT.replace("op", '"op"')).replace('no"', "no"),
    "an operation in other letters": "patches:\n" + _PATCH.format(r'"op": "\\u0063opy", from: /data/file, path: /data/b'),
    "an operation by its anchor": "metadata: {name: &how copy}\npatches:\n"
    + _PATCH.format("op: *how, from: /data/file, path: /data/other"),
    "a generator that adds": "configMapGenerator: [{name: plain, behavior: merge, literals: [a=b]}]\n",
    "a generator that replaces": "configMapGenerator: [{name: plain, behavior: replace, literals: [file=b]}]\n",
    "a replacement": "replacements:\n- source: {kind: ConfigMap, name: plain, fieldPath: data.file}\n"
    "  targets: [{select: {kind: Deployment}, fieldPaths: [metadata.annotations.text], options: {create: true}}]\n",
    "a secret of the same": "secretGenerator: [{name: s, files: [../base/plain]}]\n",
}  # fmt: skip


def _files(overlay: str, release: int) -> dict[str, str]:
    listed = "".join(
        f"- {{name: {name.replace(' ', '-')}, files: [file={name.replace(' ', '-')}]}}\n" for name in _TEXTS
    )
    files = {
        "base/kustomization.yaml": f"resources: [up.yaml]\nconfigMapGenerator:\n{listed}",
        "base/up.yaml": deployment(image=f"acme/web:{release}"),
        "overlay/kustomization.yaml": f"resources: [../base]\n{overlay}",
    }
    return files | {f"base/{name.replace(' ', '-')}": text.replace("panel 7", f"panel {release}") for name, text in _TEXTS.items()}  # fmt: skip


def _judged(folder: Path, overlay: str) -> Verification:
    for release, name in ((1, "old"), (2, "new")):
        for path, text in _files(overlay, release).items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_bytes(text.encode())
    return judged(folder, {}, {}, ["overlay"], upstream=["base"])


@pytest.mark.slow
@pytest.mark.parametrize("overlay", _OVERLAYS.values(), ids=_OVERLAYS)
def test_an_overlay_is_judged_as_if_the_texts_were_built(
    overlay: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_WORTH_IT", 0)
    short = _judged(tmp_path, overlay)
    monkeypatch.setattr(judge, "with_contents", lambda _trees, _overlay, cuts: cuts)
    assert said(short) == said(_judged(tmp_path, overlay))


def test_no_build_has_the_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    parse = Builder.parse

    def spied(self: Builder, output: bytes) -> State:
        sizes.append(len(output))
        return parse(self, output)

    monkeypatch.setattr(Builder, "parse", spied)
    monkeypatch.setattr(contents, "_WORTH_IT", 0)
    overlay = "namePrefix: a-\npatches: [{target: {kind: Deployment}, patch: '[{op: remove, path: /spec/selector}]'}]\n"
    (found,) = _judged(tmp_path, overlay).overlays
    left = [name for name, text in _TEXTS.items() if contents._plain_text(text.encode()) is None]
    assert len(left) == 6  # what a ConfigMap might not say just like that
    assert max(sizes) < 40_000 < sum(map(len, _TEXTS.values()))
    assert len(found.changed) >= len(_TEXTS) - 3
    assert {"data.file", "data[file]"} & {field.path for change in found.changed for field in change.fields}


_LOOKING = (
    "a key that is copied",
    "a text that is tested",
    "an operation in other letters",
    "an operation by its anchor",
    "a replacement",
)


@pytest.mark.parametrize(
    ("overlay", "looks"), [(text, name in _LOOKING) for name, text in _OVERLAYS.items()], ids=_OVERLAYS
)
def test_where_something_looks_into_the_texts_they_stay(overlay: str, looks: bool, tmp_path: Path) -> None:
    for path, text in _files(overlay, 1).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(text.encode())
    tree = Tree(tmp_path)
    texts = dict(contents._long_texts(tree, "overlay"))
    assert contents._may_look(tree, "overlay", texts) is looks
    assert ("base/plain" in texts) is ("secretGenerator" not in overlay)
