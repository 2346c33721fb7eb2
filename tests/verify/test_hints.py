"""A correction is offered when it cures: each is made here, and judged again as a stranger would."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from upstreamsync.model import ItemFinding, Judgement, Severity, Verification
from upstreamsync.project.verify.fixes import fixed_files
from upstreamsync.verify import Store, verify_trees
from upstreamsync.verify.overlays.graph import deduce_upstream
from upstreamsync.verify.overlays.tree import Tree
from verify.small import all_findings, deployment, engine, item, judged

_HERE = Path(__file__).parent
_SHARED = Path(os.environ.get("PATCH_CASES") or _HERE.parents[2] / "shared" / "patch-cases")


def _cases() -> list[Path]:
    return [
        folder.parent
        for home in (_HERE / "cases", _SHARED)
        if home.is_dir()
        for folder in sorted(home.glob("*/expected.yaml"))
    ]


def _offers(verification: Verification) -> list[tuple[Judgement, ItemFinding]]:
    return [(each, found) for each in verification.items for found in each.told if found.fix is not None]


def _made(case: Path, folder: Path, found: ItemFinding) -> Path:
    """The new tree of a case with a correction written into it."""
    assert found.fix is not None
    target = folder / "fixed"
    shutil.copytree(case, target)
    place = target / found.fix.file
    assert place.read_text("utf-8") == found.fix.before
    place.unlink()
    place.write_text(found.fix.after, "utf-8")
    return target


def _is_gone(before: ItemFinding, after: Judgement) -> bool:
    return all(
        (each.verdict, each.reason) != (before.verdict, before.reason)
        for each in after.told
        if each.severity.rank <= Severity.REVIEW.rank
    )


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case.name)
def test_every_correction_that_is_offered_cures(case: Path, tmp_path: Path, kept: Store) -> None:
    overlays = yaml.safe_load((case / "expected.yaml").read_text("utf-8"))["overlays"]
    # What is vendored can't be told from what differs once a correction differs, too.
    upstream = deduce_upstream(Tree(case / "old"), Tree(case / "new"))
    first = verify_trees(case / "old", case / "new", overlays, kustomize=engine(), cache=kept)
    for number, (offered, found) in enumerate(_offers(first)):
        assert found.proven
        assert found.hint
        fixed = _made(case / "new", tmp_path / str(number), found)
        again = verify_trees(case / "old", fixed, overlays, kustomize=engine(), upstream=upstream, cache=kept)
        assert _is_gone(found, item(again, offered.item)), found


_MERGE = "resources: [../base]\npatches: [{path: p.yaml}]\n"


def _judged(folder: Path, kept: Store, overlay: dict[str, str], old: str, new: str) -> Verification:
    before = {"base/kustomization.yaml": "resources: [up.yaml]\n", "base/up.yaml": old,
              **{f"overlay/{name}": text for name, text in overlay.items()}}  # fmt: skip
    return judged(folder, before, {"base/up.yaml": new}, cache=kept)


def test_a_port_that_the_patch_does_not_name_is_no_advice(tmp_path: Path, kept: Store) -> None:
    old = deployment(more="ports: [{containerPort: 9876, name: hook}]")
    new = deployment(more="ports: [{containerPort: 9443, name: hook}]")
    patch = "- {op: replace, path: /spec/template/spec/containers/0/ports/0/name, value: mine}\n"
    overlay = {"kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n",
               "p.yaml": patch}  # fmt: skip
    found = _judged(tmp_path, kept, overlay, old, new)
    assert not any("9443 in place" in (each.hint or "") for each in all_findings(found))


def test_a_volume_of_the_patch_is_no_successor(tmp_path: Path, kept: Store) -> None:
    mount = "volumeMounts: [{name: certs, mountPath: /c}]"
    old = deployment(pod="volumes: [{name: certs, secret: {secretName: tls}}]")
    patch = deployment(
        more=f"{mount[:-1]}, {{name: mine, mountPath: /m}}]", pod="volumes: [{name: mine, emptyDir: {}}]"
    )
    overlay = {"kustomization.yaml": _MERGE, "p.yaml": patch.replace('image: "acme/web:1", ', "")}
    found = _judged(tmp_path, kept, overlay, old, deployment())
    hints = [each.hint or "" for each in all_findings(found)]
    assert any("certs" in each for each in hints)
    assert not any("to mine" in each for each in hints)


def test_a_variable_is_renamed_to_the_one_that_has_its_value(tmp_path: Path, kept: Store) -> None:
    old = deployment(more="env: [{name: HOST, value: h}, {name: PORT, value: p}]")
    new = deployment(more="env: [{name: SERVER, value: h}, {name: PORT, value: p}]")
    patch = deployment(args='"--to=$(HOST)"').replace('image: "acme/web:1", ', "")
    found = _judged(tmp_path, kept, {"kustomization.yaml": _MERGE, "p.yaml": patch}, old, new)
    hints = " ".join(each.hint or "" for each in all_findings(found))
    assert "SERVER" in hints
    assert "PORT" not in hints


def test_a_name_in_an_object_of_ones_own_is_corrected(tmp_path: Path, kept: Store) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\nspec: {ports: [{port: 80}]}\n"
    own = "kind: Thing   # mine\napiVersion: x.io/v1\nmetadata: {name: t}\nspec:\n  url: http://web:80/x\n"
    overlay = {"kustomization.yaml": "resources: [../base, own.yaml]\n", "own.yaml": own}
    found = _judged(
        tmp_path, kept, overlay, service.replace("NAME", "web"), service.replace("NAME", "web-server")
    )
    finding = item(found, "overlay: resources[own.yaml]").told[0]
    assert finding.proven
    assert finding.fix is not None
    assert finding.fix.after == own.replace("//web:", "//web-server:")


def _two(first: str, second: str = "side") -> str:
    return deployment().replace(
        '{name: web, image: "acme/web:1"}',
        f'{{name: {first}, image: "acme/web:1"}}, {{name: {second}, image: "acme/side:1"}}',
    )


_SIDE = "- {op: add, path: /spec/template/spec/containers/1/args, value: [--quiet]}\n"
_LIMITED = deployment(more="resources: {limits: {memory: 1Gi}}").replace('image: "acme/web:1", ', "")
_BOTH = "resources: [../base]\npatches: [{path: p.yaml}, {path: j.yaml, target: {kind: Deployment}}]\n"


@pytest.mark.parametrize(
    ("overlay", "new", "corrected"),
    [
        # The container under its old name is put in front, which shifts the index; its new name undoes that.
        ({"kustomization.yaml": _BOTH, "p.yaml": _LIMITED, "j.yaml": _SIDE}, _two("server"), ["patches[0]"]),
        ({"kustomization.yaml": _BOTH, "p.yaml": _LIMITED, "j.yaml": _SIDE},
         _two("server").replace("[{name: server", '[{name: log, image: "acme/log:1"}, {name: server'),
         ["patches[0]"]),
        ({"kustomization.yaml": _MERGE, "p.yaml": _LIMITED}, _two("server"), ["patches[0]"]),
    ],
)  # fmt: skip
def test_corrections_are_good_together(
    overlay: dict[str, str], new: str, corrected: list[str], tmp_path: Path, kept: Store
) -> None:
    found = _judged(tmp_path, kept, overlay, _two("web"), new)
    assert [each.item for each, _ in _offers(found)] == [f"overlay: {each}" for each in corrected]
    files = fixed_files(found, lambda path: (tmp_path / "new" / path).read_bytes())
    for path, data in files.items():
        (tmp_path / "new" / path).write_bytes(data)
    again = verify_trees(
        tmp_path / "old", tmp_path / "new", ["overlay"], kustomize=engine(), upstream=["base"], cache=kept
    )
    assert again.overlays[0].after.ok
    assert all(item(again, f"overlay: {each}").severity.rank > Severity.REVIEW.rank for each in corrected)


def _entry(field: str, entry: str) -> dict[str, str]:
    return {"kustomization.yaml": f"resources: [../base]\n{field}: [{entry}]\n"}


def _merge(text: str) -> dict[str, str]:
    return {"kustomization.yaml": _MERGE, "p.yaml": text.replace('image: "acme/web:1", ', "")}


def _json(operation: str) -> dict[str, str]:
    return {"kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml, target: {kind: Deployment, name: web}}]\n",
            "p.yaml": f"- {operation}\n"}  # fmt: skip


_ARGS = deployment(args='"--a=1"')
_TTY = "{op: add, path: /spec/template/spec/containers/1/tty, value: true}"

#: The overlay, upstream before and after, and what the correction writes (None: none is offered).
VARIANTS: Mapping[str, tuple[dict[str, str], str, str, str | None]] = {
    "a container's new name": (_merge(_LIMITED), _two("web"), _two("server"), "name: server"),
    "a variable's new name": (
        _merge(deployment(more="env: [{name: E, value: mine}]")), deployment(more="env: [{name: E, value: a}]"),
        deployment(more="env: [{name: F, value: a}]"), "name: F",
    ),
    "an object's new name": (_merge(_LIMITED), deployment(), deployment("server"), "name: server"),
    "a target's new name": (_json(_TTY), _two("web"), _two("web").replace("{name: web}\n", "{name: server}\n", 1), "name: server"),
    "an image's new name": (
        _entry("images", '{name: acme/web, newTag: "7"}'), deployment(), deployment(image="ghcr.io/acme/web:2"),
        "name: ghcr.io/acme/web",
    ),
    "a workload's new name": (
        _entry("replicas", "{name: web, count: 2}"), deployment(), deployment("server"), "name: server",
    ),
    "an index that moved": (
        _json(_TTY), _two("web"), _two("web").replace("[{name: web", "[{name: log, image: l}, {name: web"),
        "/containers/2/tty",
    ),
    "an argument that upstream added": (
        _merge(deployment(args='"--a=2"')), _ARGS, deployment(args='"--a=1", "--b"'), "--b",
    ),
    "an image that nobody took over": (
        _entry("images", '{name: acme/web, newTag: "7"}'), _two("web").replace("acme/side:1", "acme/side:2"),
        deployment(container="side", image="acme/side:2"), None,
    ),
    "a container that is gone": (_json(_TTY), _two("web"), deployment(), None),
    "a value that upstream changed, too": (
        _merge(deployment(more="env: [{name: E, value: mine}]")), deployment(more="env: [{name: E, value: a}]"),
        deployment(more="env: [{name: E, value: b}]"), None,
    ),
    "an object that is gone": (_json(_TTY), _two("web"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n", None),
    "another container in its place": (_merge(_LIMITED), deployment(), deployment(container="db", image="acme/db:1"), None),
    "two that it might be": (
        _entry("images", '{name: acme/web, newTag: "7"}'), deployment(),
        _two("one", "two").replace("acme/web:1", "other/one:1").replace("acme/side:1", "other/two:1"), None,
    ),
    "nothing to correct": (_merge(_LIMITED), deployment(), deployment(image="acme/web:2"), None),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_a_correction_is_offered_where_it_is_mechanical(name: str, tmp_path: Path, kept: Store) -> None:
    overlay, old, new, word = VARIANTS[name]
    found = _judged(tmp_path, kept, overlay, old, new)
    fixes = [finding.fix for _, finding in _offers(found) if finding.fix]
    assert [word in fix.after and word not in fix.before for fix in fixes if word] == [True] * (
        word is not None
    )
    assert word is not None or not fixes
