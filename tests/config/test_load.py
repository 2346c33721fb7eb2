"""vendors.yaml: what is accepted, and how every mistake is reported."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from upstreamsync.config import find_configuration, load_configuration
from upstreamsync.config.load import content_digest, json_schema
from upstreamsync.errors import ConfigError, UsageError
from upstreamsync.kit.yaml import manifests

MINIMAL = """\
version: 1
vendors:
  - name: argocd
    version: v2.8.4
    source: {url: "https://host/{version}/install.yaml"}
    releases: {github: argoproj/argo-cd}
    base: argocd/base
"""


@pytest.fixture
def parse(tmp_path: Path):
    def parse(text: str):
        path = tmp_path / "vendors.yaml"
        path.write_text(text)
        return load_configuration(path)

    return parse


@pytest.fixture
def problems(parse):
    """(line, column, message) of every problem of a text, and the hints."""

    def problems(text: str):
        with pytest.raises(ConfigError) as caught:
            parse(text)
        return [(one.place.line, one.place.column, one.message, one.hint) for one in caught.value.problems]

    return problems


def test_a_minimal_file_is_read(parse):
    (vendor,) = parse(MINIMAL).vendors
    assert vendor.source[0].url == "https://host/{version}/install.yaml"
    assert vendor.bases == ("argocd/base",)
    assert vendor.lock_path == "argocd/argocd.lock.yaml"


def test_the_contract_s_example_is_accepted(parse):
    configuration = parse("""\
version: 1
tools: {helm: 4.1.4, kustomize: 5.7.1}
defaults:
  cooldown: 3d
vendors:
  - name: argocd
    version: v2.8.4
    source:
      url: https://host/argo-cd/{version}/manifests/install.yaml
    releases:
      github: argoproj/argo-cd
    follow: {range: ">=2.8 <3", prereleases: false, cooldown: 3d, ignore: [v2.9.1], max: minor}
    base: argocd/base/upstream
    overlays: [argocd/overlays/*]
    edits:
      - {file: argocd/base/kustomization.yaml, image: quay.io/cybozu/argocd, tag: "{semver}"}
""")
    assert configuration.tools.helm == "4.1.4"
    assert configuration.vendors[0].follow.max == "minor"


def test_all_problems_are_reported_at_once_with_their_places(problems):
    found = problems("""\
version: 1
vendors:
  - name: One
    version: 1.10
    sorce: {}
    base: ../x
    source: {url: "ftp://x"}
    releases: {github: nobody}
  - name: two
    version: v1
    base: two/base
    releases: {github: a/b, git: "https://c/d"}
    source: {helm: {chart: x}}
""")
    assert [(line, column) for line, column, _, _ in found] == [
        (3, 11), (4, 14), (5, 5), (6, 11), (7, 19), (8, 24), (12, 15), (13, 20),
    ]  # fmt: skip
    messages = [message for _, _, message, _ in found]
    assert "put it in quotes" in messages[1]
    assert messages[2] == "`sorce` is not a known key"
    assert found[2][3] == "did you mean `source`?"
    assert "inside the repository" in messages[3]
    assert "`github`, `git`" in messages[6]


def test_a_mistake_in_one_vendor_hides_no_conflict_between_the_others(problems):
    found = problems("""\
version: 1
vendors:
  - {name: broken, nonsense: 1}
  - name: outer
    version: v1
    base: apps
    source: {git: {repository: "https://h/r", paths: ["*"]}}
  - name: inner
    version: v1
    base: apps/inner
    source: {git: {repository: "https://h/r", paths: ["*"]}}
  - name: outer
    version: v1
    base: elsewhere
    source: {git: {repository: "https://h/r", paths: ["*"]}}
""")
    assert [(line, message) for line, _, message, _ in found] == [
        (3, "`nonsense` is not a known key"),
        (10, "`inner` has a base nested with that of `outer` (apps)"),
        (12, "a vendor `outer` exists already"),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("releases: {github: argoproj/argo-cd}", ""), "does not say where versions come from"),
        (("version: v2.8.4", ""), "has no `version`"),
        (("base: argocd/base", ""), "has a source but no `base`"),
        (("{version}/install", "{nope}/install"), "nothing fills the placeholder {nope}"),
        (("base: argocd/base", "base: argocd/base\n    follow: {range: '>>1'}"), "`range`"),
        (("base: argocd/base", "base: argocd/base\n    follow: {cooldown: 3 days}"), "a duration is"),
        (("{github: argoproj/argo-cd}", "{github: a/b, tag: '(?P<version>['}"), "not a regular expression"),
        (
            ("{github: argoproj/argo-cd}", "{github: a/b, tag: '(?P<version>[[:digit:]]+)'}"),
            "not a plain regular expression",
        ),
        (("base: argocd/base", "base: argocd/base\n    apart_from: [rook]"), "there is no vendor `rook`"),
        (("base: argocd/base", "base: .git/hooks"), "can't be inside .git"),
        (("base: argocd/base", "base: /etc"), "inside the repository"),
        (("version: 1\n", "version: 2\n"), "`version`: `2` is not one of 1"),
        (("{version}/install", "v2.8.4/install"), "is the address of v2.8.4 alone"),
        (("{version}/install", "2.8.4/install"), "is the address of 2.8.4 alone"),
        (("{version}/install", "v9.9.9/install"), "is the address of v9.9.9 alone"),
        (("version: 1\n", "version: 1\nforge: {max_new: -1}\n"), "`max_new`: has to be 1 or more, not `-1`"),
        (("version: 1\n", "version: 1\nforge: {max_new: 1.5}\n"), "`max_new`: has to be a whole number"),
        (("base: argocd/base", "base: argocd/base\n    forks: [{file: a.yaml, of: 3}]"),
         "`of`: has to be text or a list, not a number"),
        (("base: argocd/base", "base: argocd/base\n    base: other"), "`base` is given twice"),
        (("name: argocd", "name: [argocd"), "is not valid YAML"),
        (("releases: {github: argoproj/argo-cd}", "releases: {page: {url: 'https://h', pattern: 'v(.+)'}}"),
         "needs a group named `version`"),
        (("base: argocd/base", "base: argocd/base\n    edits: [{file: a, pattern: 'x', value: z}]"), "exactly one group"),
        (("base: argocd/base", "base: argocd/base\n    edits: [{file: a, image: x, value: z}]"), "`image` goes with"),
    ],
)  # fmt: skip
def test_each_kind_of_mistake_is_named(problems, change, message):
    assert change[0] in MINIMAL
    found = problems(MINIMAL.replace(*change))
    assert len(found) == 1
    assert message in found[0][2]


def test_a_base_behind_a_link_out_of_the_repository_is_refused(problems, tmp_path):
    (tmp_path / "argocd").symlink_to("/tmp")
    (found,) = problems(MINIMAL)
    assert "leaves the repository" in found[2]


def test_defaults_are_completed_key_by_key(parse):
    configuration = parse(
        MINIMAL.replace(
            "vendors:", "defaults:\n  cooldown: 3d\n  follow: {prereleases: true}\nvendors:"
        ).replace("base: argocd/base", "base: argocd/base\n    follow: {max: minor}")
    )
    vendor = configuration.vendors[0]
    assert vendor.follow.prereleases
    assert vendor.follow.max == "minor"
    assert vendor.cooldown_period == timedelta(days=3)


@pytest.mark.parametrize("own", ["cooldown: 1d", "follow: {cooldown: 1d}"])
def test_a_vendor_s_own_cooldown_wins_over_the_default(parse, own):
    configuration = parse(
        MINIMAL.replace("vendors:", "defaults: {cooldown: 3d}\nvendors:").replace(
            "base: argocd/base", f"base: argocd/base\n    {own}"
        )
    )
    assert configuration.vendors[0].cooldown_period == timedelta(days=1)


@pytest.mark.parametrize(
    "version",
    [
        "1/../../../../../../acme/own/raw/main/x",
        "../helm-4.1.4",
        "4.1.4?x=",
        "4.1.4%2F..",
        "--version",
        "4.1",
        "4.1.4 ",
        "4.1.4\\n",
    ],
)
def test_a_version_of_a_tool_is_nothing_but_a_version(version, problems):
    """It is part of the address that `doctor --install` asks, and of the folder that a tool is taken from."""
    for tool in ("helm", "kustomize"):
        ((_, _, message, _),) = problems(
            MINIMAL.replace("vendors:", f'tools: {{{tool}: "{version}"}}\nvendors:')
        )
        assert "three numbers" in message


def test_yaml_bombs_and_binary_files_are_refused(problems):
    bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{name}: &{name} [{','.join(['*' + previous] * 10)}]\n"
        for previous, name in zip("abcdefg", "bcdefgh", strict=True)
    )
    assert "expand" in problems(bomb)[0][2]
    assert "nested" in problems("a: " + "[" * 5000)[0][2]
    assert "inside what it names" in problems("version: 1\nvendors: &a [*a]\n")[0][2]


def test_the_file_is_found_in_the_nearest_folder_above(tmp_path):
    (tmp_path / "vendors.yaml").write_text(MINIMAL)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_configuration(inner) == tmp_path / "vendors.yaml"


def test_an_unknown_vendor_is_answered_with_the_nearest_names(parse):
    with pytest.raises(UsageError) as caught:
        parse(MINIMAL).vendor("argodc")
    assert caught.value.hint == "did you mean argocd?"


def test_the_digest_of_the_content_ignores_what_does_not_shape_it(parse):
    plain = content_digest(parse(MINIMAL).vendors[0])
    follow = MINIMAL.replace("base: argocd/base", "base: argocd/base\n    follow: {max: minor}")
    assert content_digest(parse(follow).vendors[0]) == plain
    assert content_digest(parse(MINIMAL.replace("install", "core")).vendors[0]) != plain


def test_the_schema_accepts_what_the_reader_accepts():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    root = Path(__file__).resolve().parents[2]
    for text in (MINIMAL, (root / "vendors.yaml").read_text()):
        assert not list(validator.iter_errors(json.loads(json.dumps(manifests.load(text)))))
    assert list(validator.iter_errors({"version": 1, "vendors": [{"name": "x", "nonsense": 1}]}))


def test_the_project_s_own_vendors_yaml_has_every_kind_of_source():
    configuration = load_configuration(Path(__file__).resolve().parents[2] / "vendors.yaml")
    kinds = {source.kind for vendor in configuration.vendors for source in vendor.source}
    assert kinds == {"helm", "url", "docs", "git", "archive", "kustomize", "command"}
    assert len(configuration.vendors) >= 10


@pytest.mark.parametrize(
    "address",
    [
        "https://host/main/install.yaml",
        "https://host/releases/latest/download/install.yaml",
        "https://10.2.8.4/api/v2/install.yaml",
        "https://host/v1.0.0/of/{version}.yaml",
    ],
)
def test_an_address_that_names_no_version_may_be_meant(parse, address):
    parse(MINIMAL.replace("https://host/{version}/install.yaml", address))
