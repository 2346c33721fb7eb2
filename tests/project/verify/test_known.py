"""A change is judged by what git has of it: what else lies in a runner's workspace is not read."""

from __future__ import annotations

import json
import logging
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from upstreamsync import open as open_project
from upstreamsync.kit.run.engines import Engines
from upstreamsync.model import Inspection, Verification
from upstreamsync.project.settings import Settings
from upstreamsync.project.verify.inspect import Inspector
from upstreamsync.project.verify.verification import (
    verify_revision_without_configuration,
    verify_working_tree,
)
from upstreamsync.testing import write_files

CANARY = "canary-of-the-runner"
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: '1'}\n"
PATCH = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: {CANARY}}}\n"
PLAIN = {
    "base/kustomization.yaml": "resources: [a.yaml]\n",
    "base/a.yaml": OBJECT,
    "app/kustomization.yaml": "resources: [../base]\nnamePrefix: x-\n",
    "charts/chart/Chart.yaml": "{apiVersion: v2, name: chart, version: 1.0.0}\n",
    "charts/chart/templates/a.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
        'data: {a: {{ .Values.token | quote }}, b: {{ .Files.Get "gha-creds-1.json" | quote }}}\n'
    ),
}
#: What an earlier step left beside the checkout; git was told of none of it, and to ignore some.
LEFT = {
    "gha-creds-1.json": PATCH,
    "charts/chart/gha-creds-1.json": CANARY,
    "app/left.yaml": PATCH.replace("name: a", "name: b"),
    "app/left.env": f"TOKEN={CANARY}\n",
    "app/left-values.yaml": f"token: {CANARY}\n",
    "app/values.yaml": f"token: {CANARY}\n",
    "app/replacement.yaml": f"source: {{kind: ConfigMap, name: a}}\ntargets: [{{select: {{name: {CANARY}}}}}]\n",
    "app/component/kustomization.yaml": (
        f"kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\ncommonAnnotations: {{a: {CANARY}}}\n"
    ),
    "whole/kustomization.yaml": "resources: [a.yaml]\n",
    "whole/a.yaml": PATCH.replace("name: a", "name: w"),
    "ignored/a.yaml": PATCH.replace("name: a", "name: i"),
}


def names(*lines: str) -> dict[str, str]:
    return {"app/kustomization.yaml": "\n".join(("resources: [../base]", "namePrefix: x-", *lines)) + "\n"}


def generator(kind: str, entry: str) -> dict[str, str]:
    return names(f"{kind}: [{{name: g, {entry}}}]")


#: What a stranger's commit says; `-> ` makes a link.
HOSTILE: Mapping[str, Mapping[str, str]] = {
    "a file of a generator": generator("configMapGenerator", "files: [m=../gha-creds-1.json]"),
    "a file of a generator of Secrets": generator("secretGenerator", "files: [left.yaml]"),
    "an environment": generator("configMapGenerator", "envs: [left.env]"),
    "one environment": generator("configMapGenerator", "env: left.env"),
    "in another case": {"app/kustomization.yaml": "Resources: [../base, left.yaml]\n"},
    "a resource": {"app/kustomization.yaml": "resources: [../base, left.yaml]\n"},
    "a resource that is ignored": {"app/kustomization.yaml": "resources: [../base, ../ignored/a.yaml]\n"},
    "a folder": {"app/kustomization.yaml": "resources: [../base, ../whole]\n"},
    "a patch": names("patches: [{path: ../gha-creds-1.json}]"),
    "an old patch": names("patchesStrategicMerge: [../gha-creds-1.json]"),
    "a replacement": names("replacements: [{path: replacement.yaml}]"),
    "a component": names("components: [component]"),
    "values of a chart": names("helmGlobals: {chartHome: ../charts}", "helmCharts: [{name: chart, valuesFile: left-values.yaml}]"),
    "values that are a chart's by default": names("helmGlobals: {chartHome: ../charts}", "helmCharts: [{name: chart}]"),
    "further values": names(
        "helmGlobals: {chartHome: ../charts}", "helmCharts: [{name: chart, additionalValuesFiles: [left-values.yaml]}]"
    ),
    "a link to a file": {**generator("configMapGenerator", "files: [m]"), "app/m": "-> ../gha-creds-1.json"},
    "a link to a folder": {**generator("configMapGenerator", "files: [l/a.yaml]"), "app/l": "-> ../ignored"},
    "a link to links": {
        **generator("configMapGenerator", "files: [m]"), "app/m": "-> ../n", "n": "-> ./gha-creds-1.json",
    },
    "a generator in a file": {**names("generators: [g.yaml]"), "app/g.yaml": (
        "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nfiles: [left.yaml, left.env]\n"
    )},
    "a .gitignore of its own": {
        **generator("configMapGenerator", "files: [m=../ignored/a.yaml]"), ".gitignore": "!ignored\n",
    },
    "an Application": {"apps/a.yaml": (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
        "spec: {source: {repoURL: 'https://example.com/r', path: ignored, targetRevision: HEAD}}\n"
    )},
    "a base of its own": {
        "vendors.yaml": "version: 1\nvendors:\n- name: x\n  source: {url: 'https://example.com/{version}.yaml'}\n"
        "  releases: {github: a/a}\n  version: v1\n  base: ignored\n",
        "app/kustomization.yaml": "resources: [../base, ../ignored/a.yaml]\n",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clone:
    """A checkout that judges its last commit, and everything that a run says of it."""

    root: Path
    cache: Path

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always")
        done = subprocess.run(
            ["git", *identity, *words], cwd=self.root, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            place = self.root / path
            place.unlink(missing_ok=True)
            if text.startswith("-> "):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(text.removeprefix("-> "))
            else:
                write_files(self.root, {path: text})

    def commit(self, files: Mapping[str, str]) -> None:
        """As its author did, elsewhere: with nothing that lies beside it."""
        self.write(files)
        self.git("add", "--force", *files)
        self.git("commit", "-q", "-m", "change")

    def judged(self, since: str = "HEAD~1") -> tuple[Verification, str]:
        """The verification, and all that a page would show besides, as one text."""
        settings, seen = Settings(cache_folder=self.cache, jobs=2), list[Inspection]()

        def look(before: Path, after: Path, verification: Verification) -> None:
            seen.append(Inspector(settings, Engines()).inspect(before, after, verification))

        if (self.root / "vendors.yaml").exists():
            with open_project(self.root, settings=settings) as project:
                found = verify_working_tree(project.session, since=since, overlays=(), look=look)
        else:
            found, _ = verify_revision_without_configuration(
                self.root, settings, since=since, overlays=lambda _: (), look=look
            )
        return found, repr((found, seen))


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "clone", tmp_path / "cache")
    made.root.mkdir()
    made.git("init", "-q", "-b", "main")
    (made.root / ".git/info/exclude").write_text("/ignored\n*.env\n")
    made.commit(PLAIN)
    return made


def moved(files: Mapping[str, str], number: int) -> dict[str, str]:
    return {path.replace("app/", f"app{number}/", 1): text for path, text in files.items()}


def test_what_lies_beside_a_checkout_is_not_read(clone: Clone) -> None:
    """Each form in an overlay of its own."""
    alone = [form for form in HOSTILE.values() if all(path.startswith(("app/", "n")) for path in form)]
    plain = {path: text for number in range(len(alone)) for path, text in moved(PLAIN, number).items()}
    hostile = {path: text for number, form in enumerate(alone) for path, text in moved(form, number).items()}
    clone.commit(plain)
    clone.commit({**hostile, "base/a.yaml": OBJECT.replace("'1'", "'2'")})
    for number in range(len(alone)):
        clone.write(moved(LEFT, number))
    found, everything = clone.judged()
    assert len(found.overlays) == len(alone) + 1
    assert told_of(everything) == []


@pytest.mark.parametrize("form", ["a .gitignore of its own", "an Application", "a base of its own"])
def test_nor_by_what_else_a_change_says(form: str, clone: Clone) -> None:
    clone.commit({**HOSTILE[form], "base/a.yaml": OBJECT.replace("'1'", "'2'")})
    clone.write(LEFT)
    assert told_of(clone.judged()[1]) == []


def told_of(everything: str) -> list[str]:
    """What stands around each place where it was read."""
    return [everything[max(0, at.start() - 200) : at.end()] for at in re.finditer(CANARY, everything)]


@pytest.mark.parametrize("form", ["a file of a generator", "a patch", "a resource that is ignored"])
def test_it_is_judged_as_in_a_clean_clone(form: str, clone: Clone) -> None:
    clone.commit({**HOSTILE[form], "base/a.yaml": OBJECT.replace("'1'", "'2'")})
    clean = said(clone.judged()[0])
    clone.write(LEFT)
    assert said(clone.judged()[0]) == clean
    assert any(verdict in ("fails", "unjudged") for verdict, _ in clean.values())


def said(found: Verification) -> dict[str, tuple[str, str]]:
    return {item.item: (item.verdict.value, item.why) for item in found.items}


# -- what somebody is about to add ---------------------------------------------------------------------------

MINE = OBJECT.replace("'1'", "mine")


@pytest.mark.parametrize(
    "added",
    [
        {**names("patches: [{path: mine.yaml}]"), "app/mine.yaml": MINE},
        {**names("patches: [{path: ../shared/mine.yaml}]"), "shared/mine.yaml": MINE},
        {"new/kustomization.yaml": "resources: [../base]\npatches: [{path: mine.yaml}]\n", "new/mine.yaml": MINE},
        {**names("components: [c]"), "app/c/mine.yaml": MINE, "app/c/kustomization.yaml": (
            "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\npatches: [{path: mine.yaml}]\n"
        )},
        {**names("transformers: [t.yaml]"), "app/mine.yaml": MINE, "app/t.yaml": (
            "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npath: mine.yaml\n"
        )},
        {**names("helmGlobals: {chartHome: ../charts}", "helmCharts: [{name: other}]"),
         "charts/other/Chart.yaml": "{apiVersion: v2, name: other, version: 1.0.0}\n",
         "charts/other/templates/a.yaml": MINE.replace("name: a", "name: o")},
    ],
)  # fmt: skip
def test_what_is_not_added_yet_counts(added: Mapping[str, str], clone: Clone) -> None:
    """Both by itself and with the files of a runner beside it."""
    clone.commit({"base/a.yaml": OBJECT.replace("'1'", "'2'")})
    clone.write({**LEFT, **added})
    found, everything = clone.judged()
    assert "mine" in everything
    assert CANARY not in everything
    assert not [item.why for item in found.items if item.verdict in ("fails", "unjudged")]


def test_a_new_version_of_a_chart_brings_its_files(clone: Clone) -> None:
    clone.commit(names("helmGlobals: {chartHome: ../charts}", "helmCharts: [{name: chart}]"))
    clone.write({
        **LEFT,
        "charts/chart/Chart.yaml": "{apiVersion: v2, name: chart, version: 1.1.0}\n",
        "charts/chart/templates/b.yaml": MINE.replace("name: a", "name: b"),
    })  # fmt: skip
    assert "v1 ConfigMap x-b" in clone.judged("HEAD")[1]


def test_what_was_committed_without_its_file_is_told(clone: Clone, caplog: pytest.LogCaptureFixture) -> None:
    clone.commit({**names("patches: [{path: mine.yaml}]"), "base/a.yaml": OBJECT.replace("'1'", "'2'")})
    clone.write({"app/mine.yaml": MINE})
    with caplog.at_level(logging.WARNING, logger="upstreamsync"):
        found, _ = clone.judged()
    assert found.needs_person
    assert "app/mine.yaml took no part" in caplog.text
    clone.git("add", "app/mine.yaml")
    assert said(clone.judged()[0])["app: patches[0]"] != "fails"


def test_what_a_build_generates_takes_no_part_on_either_side(clone: Clone) -> None:
    clone.commit(generator("configMapGenerator", "files: [m=../ignored/a.yaml]"))
    clone.commit({"base/a.yaml": OBJECT.replace("'1'", "'2'")})
    clean = said(clone.judged()[0])
    clone.write(LEFT)
    assert said(clone.judged()[0]) == clean


# -- other repositories in it ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "declared", ["", '[submodule "private"]\n\tpath = private\n\turl = https://example.com/p\n']
)
def test_another_checkout_is_no_submodule_because_a_change_says_so(declared: str, clone: Clone) -> None:
    private = Clone(clone.root / "private", clone.cache)
    private.root.mkdir()
    private.git("init", "-q")
    private.commit({"a.yaml": PATCH, "kustomization.yaml": "resources: [a.yaml]\n"})
    clone.write({
        **names("patches: [{path: ../private/a.yaml}]"), ".gitmodules": declared,
        "base/a.yaml": OBJECT.replace("'1'", "'2'"), "other/kustomization.yaml": "resources: [../private]\n",
    })  # fmt: skip
    clone.git("add", "app", "base", "other", ".gitmodules")
    clone.git("update-index", "--add", "--cacheinfo", f"160000,{private.git('rev-parse', 'HEAD')},private")
    clone.git("commit", "-q", "-m", "change")
    assert CANARY not in clone.judged()[1]


def test_a_submodule_of_the_base_revision_counts_and_what_lies_in_it_does_not(
    clone: Clone, tmp_path: Path
) -> None:
    origin = Clone(tmp_path / "origin", clone.cache)
    origin.root.mkdir()
    origin.git("init", "-q")
    origin.commit({"a.yaml": OBJECT, "kustomization.yaml": "resources: [a.yaml]\n"})
    clone.git("submodule", "add", "-q", str(origin.root), "sub")
    clone.commit({**generator("configMapGenerator", "files: [m=../sub/a.yaml]")})
    clone.commit({
        **generator("configMapGenerator", "files: [m=../sub/a.yaml, n=../sub/left.yaml]"),
        "base/a.yaml": OBJECT.replace("'1'", "'2'"),
    })  # fmt: skip
    clone.write({"sub/left.yaml": PATCH, "app/left.yaml": PATCH})
    found, everything = clone.judged()
    assert CANARY not in everything
    assert "sub/left.yaml is not in the repository" in everything
    assert "sub/a.yaml" not in "".join(why for _, why in said(found).values())


# -- what a change's vendors.yaml says -------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["**/a*/" * 16 + "x", "../**", "/etc", "[z-a]", ""])
def test_no_glob_of_overlays_hangs_or_leads_out(pattern: str, clone: Clone) -> None:
    deep = "/".join(["a" * number for number in range(1, 20)])
    vendors = HOSTILE["a base of its own"]["vendors.yaml"].replace("base: ignored", "base: base")
    clone.commit({
        "vendors.yaml": f"{vendors}  overlays: ['app', '.', {json.dumps(pattern)}]\n", f"{deep}/a.yaml": OBJECT,
        "kustomization.yaml": "resources: [app]\n", "base/a.yaml": OBJECT.replace("'1'", "'2'"),
    })  # fmt: skip
    assert {overlay.path for overlay in clone.judged()[0].overlays} >= {".", "app"}
