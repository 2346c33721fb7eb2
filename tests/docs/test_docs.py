"""The documentation keeps its promises: every YAML block is valid, every command is one, every link leads somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from upstreamsync.cli.app import app
from upstreamsync.config.load import parse_configuration
from upstreamsync.config.spec import Document, Vendor
from upstreamsync.model import (
    Action,
    BaseState,
    Build,
    Edited,
    FieldChange,
    Finding,
    Hold,
    HoldKind,
    ImageFinding,
    Judgement,
    Move,
    OverlayVerification,
    PassedOver,
    Place,
    Promoted,
    PromotionStep,
    PullRequest,
    Release,
    ResourceChange,
    Severity,
    Status,
    VendorUpdate,
    Verdict,
    Verification,
)
from upstreamsync.report import document, promotions

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "SECURITY.md"])
BLOCK = re.compile(r"^(?P<indent> *)```(?P<kind>[a-z]*)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE)
#: Pages whose blocks are made from what is tested elsewhere.
GENERATED = ("verdicts.md",)


def blocks(*kinds: str) -> Iterator[Any]:
    for page in PAGES:
        if page.name in GENERATED:
            continue
        text = page.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            if match["kind"] in kinds:
                line = text[: match.start()].count("\n") + 1
                yield pytest.param(match["text"], id=f"{page.relative_to(ROOT)}:{line}")


@pytest.mark.parametrize("text", list(blocks("yaml")))
def test_every_yaml_block_is_valid(text, tmp_path):
    """As a whole vendors.yaml, as a part of one, or as what its tool takes."""
    for part in yaml.safe_load_all(text):
        assert part is not None
        if isinstance(part, dict) and "vendors" in part:
            text = text if "version" in part else f"version: 1\n{text}"
            parse_configuration(text.encode(), path=tmp_path / "vendors.yaml")
        elif (
            isinstance(part, dict)
            and not {"apiVersion", "jobs", "steps", "script", "on", "repos"} & part.keys()
        ):
            nested = [value for value in part.values() if isinstance(value, dict)]
            if any("script" in one or "apiVersion" in one for one in nested):
                continue  # a job of GitLab's
            known = {
                info.alias or name
                for model in (Document, Vendor)
                for name, info in model.model_fields.items()
            }
            assert part.keys() <= known | {"resources", "patches", "images", "namespace", "expect"}, (
                part.keys()
            )


def commands() -> Iterator[Any]:
    for param in blocks("sh", "yaml", "shell", "bash"):
        (text,) = param.values
        for line in re.sub(r"\\\n", " ", text).splitlines():
            line = re.sub(r"(^|\s)#.*", "", line)
            found = re.search(r"(?:^|[\s/])upstreamsync +(?=[a-z-])(?P<words>[^#|>;&]*)", line.strip(" -$"))
            if found and not re.match(r"(?:pip|uses|name|run:? *pip)|.*pip install", line.strip(" -$")):
                yield pytest.param(found["words"].strip(), id=f"{param.id} {found['words'].strip()[:40]}")


@pytest.mark.parametrize("words", list(commands()))
def test_every_command_is_one_that_the_program_takes(words):
    group: Any = typer.main.get_command(app)
    verb, *rest = shlex.split(words)
    if verb.startswith("--"):
        assert verb in ("--version", "--help", "--install-completion")
        return
    command = group.commands.get(verb)
    assert command is not None, verb
    options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}
    for word in rest:
        if word == "--":
            break
        if re.match(r"--?[a-z]", word):
            assert word.partition("=")[0] in options, word


def test_every_link_leads_somewhere():
    done = subprocess.run(
        [sys.executable, "scripts/site.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_page_has_its_place_in_the_site():
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    missing = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert [name for name in missing if f": {name}" not in nav] == []


def test_the_page_of_json_documents_names_every_field():
    """Of a document made from values of ours, down to the last key."""
    place = Place(file="vendors.yaml")
    release = Release(version="2", ref="2", app_version="3")
    passed = PassedOver(version="3", reason="young", until=datetime(2026, 1, 1, tzinfo=UTC))
    finding = Finding(
        images=(ImageFinding(key=0, image="i", current="1", target=release),),
        vendor="a",
        status=Status.OUTDATED,
        current="1",
        target=release,
        passed_over=(passed,),
        remarks=("x",),
    )
    item = Judgement(
        item="o: patches[0]", kustomization="o", field="patches", key="0", file="o/k.yaml", line=1,
        verdict=Verdict.OK, severity=Severity.NONE, reason=None,
    )  # fmt: skip
    field = FieldChange(path="p", op="changed", before=1, after=2)
    overlay = OverlayVerification(
        path="o", before=Build(ok=True), after=Build(ok=True), items=(item,),
        changed=(ResourceChange(resource="v1 ConfigMap a", fields=(field,)),),
    )  # fmt: skip
    verification = Verification(bases=(BaseState(vendor="a", path="b", pristine=True),), overlays=(overlay,))
    edited = Edited(place=place, what="tag", before="1", after="2")
    update = VendorUpdate(vendor="a", status="updated", before="1", after="2", edits=(edited,))
    pull = PullRequest(vendor="a", before="1", after="2", branch="b", title="t", action=Action.OPENED)
    step = PromotionStep(commit="c", subject="s", author="x", arrived=datetime(2026, 1, 1, tzinfo=UTC))
    promoted = Promoted(
        source="main", target="stage", action=Action.OPENED, hold=Hold(by=HoldKind.AGE, reason="r"),
        moves=(Move(vendor="a", before="1", after="2"),), waiting=(step,),
    )  # fmt: skip
    told = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    for made in (
        document.check_document([finding]),
        document.explain_document(finding, [(release, "taken")]),
        document.verify_document(verification),
        document.update_document([update], verification),
        document.pr_document([pull]),
        promotions.promote_document([promoted]),
    ):
        assert made["schema"] in told
        assert sorted(key for key in _keys(made) if not re.search(rf"`{key}(?:\[\])?`", told)) == [], made[
            "schema"
        ]


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for one in value.values() for key in _keys(one)}
    return {key for one in value for key in _keys(one)} if isinstance(value, (list, tuple)) else set()
