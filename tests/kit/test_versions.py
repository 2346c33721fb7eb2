"""Versions and constraints; Helm itself is the oracle where one is there."""

import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstreamsync.kit.constraints import parse_constraint
from upstreamsync.kit.versions import Version, parse


def version(text: str, scheme: str = "semver") -> Version:
    found = parse(text, scheme)
    assert found is not None, f"{text} should be a version of the scheme {scheme}"
    return found


# -- order -------------------------------------------------------------------------------------------

ASCENDING = {
    "semver": [
        "0.0.1", "0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
        "1.0.0-beta.11", "1.0.0-rc.1", "v1.0.0", "1.0.1", "v1.2", "1.10.0", "2", "10.0.0",
    ],
    "pep440": ["1.0.dev1", "1.0a1", "1.0b1", "1.0rc1", "1.0", "1.0.post1", "1.1.dev2", "1.1", "1!0.1"],
    "calver": [
        "RELEASE.2023-12-31T23-59-59Z", "2024.01.02-rc1", "2024.01.02", "2024-1-3",
        "RELEASE.2024-01-16T16-07-38Z", "2024.10.1", "v2025.1",
    ],
    "loose": [
        "v1.2-rc1", "v1.2", "1.2-ubuntu4", "1.2-ubuntu10", "1.2.0.1", "1.2.1b", "1.2.3", "1.8.3.3",
        "1.8.3.10", "controller-v1.11.5", "1.12",
    ],
}  # fmt: skip


@pytest.mark.parametrize("scheme", ASCENDING)
def test_versions_ascend(scheme):
    versions = [version(text, scheme) for text in ASCENDING[scheme]]
    for earlier, later in itertools.combinations(versions, 2):
        assert later.newer_than(earlier), f"{later} is newer than {earlier}"
        assert not earlier.newer_than(later)
        assert earlier < later


@pytest.mark.parametrize(
    ("scheme", "one", "other"),
    [
        ("semver", "v1.2.3", "1.2.3"),
        ("semver", "1.2", "1.2.0"),
        ("semver", "1.2.3+one", "1.2.3+two"),
        ("pep440", "1.0", "1.0.0"),
        ("loose", "v1.2", "1.2.0"),
        ("loose", "controller-v1.2.0", "1.2.0"),
        ("calver", "2024.01.02", "2024-1-2"),
    ],
)
def test_another_spelling_is_not_newer(scheme, one, other):
    left, right = version(one, scheme), version(other, scheme)
    assert left.same_as(right)
    assert not left.newer_than(right)
    assert not right.newer_than(left)
    assert (left < right) != (right < left), "sorting still decides between them"
    assert left.level_of_step(right) is None


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ("semver", "latest"),
        ("semver", "1.2.3.4"),
        ("semver", "1.2.3-01"),
        ("semver", "1.2.3-"),
        ("semver", "controller-v1.2.3"),
        ("semver", ""),
        ("semver", "1." + "0" * 300),
        ("semver", "١.٢.٣"),
        ("pep440", "1.2.3-ubuntu4"),
        ("calver", "latest"),
        ("calver", "7"),
        ("loose", "main"),
        ("loose", ""),
    ],
)
def test_what_is_no_version(scheme, text):
    assert parse(text, scheme) is None


@pytest.mark.parametrize(
    ("text", "scheme", "early"),
    [
        ("1.2.3-rc1", "semver", True),
        ("1.2.3+rc1", "semver", False),
        ("1.0.dev1", "pep440", True),
        ("1.0.post1", "pep440", False),
        ("2.0b2", "loose", True),
        ("1.0.2b", "loose", False),
        ("1.2.3-ubuntu4", "loose", False),
        ("24.04-beta", "calver", True),
    ],
)
def test_prereleases(text, scheme, early):
    assert version(text, scheme).is_prerelease is early


@pytest.mark.parametrize(
    ("scheme", "before", "after", "level"),
    [
        ("semver", "1.2.3", "2.0.0", "major"),
        ("semver", "1.2.3", "1.3.0", "minor"),
        ("semver", "1.2.3", "1.2.4", "patch"),
        ("semver", "1.2.3-rc.1", "1.2.3", "patch"),
        ("loose", "1.8.3.3", "1.8.3.4", "patch"),
        ("calver", "2024.1.1", "2025.1.1", "major"),
        ("pep440", "1.0", "1!1.0", "major"),
    ],
)
def test_level_of_a_step(scheme, before, after, level):
    assert version(before, scheme).level_of_step(version(after, scheme)) == level


def test_families_tell_mixed_tags_apart():
    families = {
        text: version(text, "loose").family
        for text in (
            "controller-v1.11.5",
            "helm-chart-4.0.1",
            "v1.2",
            "1.2",
            "dev2.0",
            "metrics-server-helm-chart-3.1",
        )
    }
    assert families == {
        "controller-v1.11.5": "controller",
        "helm-chart-4.0.1": "helm-chart",
        "v1.2": "",
        "1.2": "",
        "dev2.0": "dev",
        "metrics-server-helm-chart-3.1": "metrics-server-helm-chart",
    }


_parts = st.integers(0, 12).map(str)
_identifier = st.one_of(_parts, st.sampled_from(["a", "alpha", "rc", "rc1", "X", "z-9", "0a"]))
_semver = st.builds(
    lambda v, numbers, pre, build: v + ".".join(numbers) + ("-" + ".".join(pre) if pre else "") + build,
    st.sampled_from(["", "v"]),
    st.lists(_parts, min_size=1, max_size=3),
    st.lists(_identifier, max_size=3),
    st.sampled_from(["", "+b1", "+b2"]),
)
_free = st.text(alphabet="0123v.-_rcabT:Z+", min_size=1, max_size=14)
_texts = {
    "semver": _semver,
    "pep440": st.one_of(_semver, _free),
    "calver": _free,
    "loose": st.one_of(_semver, _free),
}


@pytest.mark.parametrize("scheme", _texts)
@given(data=st.data())
def test_the_order_is_total(scheme, data):
    texts = data.draw(st.lists(_texts[scheme], min_size=3, max_size=3, unique=True))
    found = [parsed for text in texts if (parsed := parse(text, scheme)) is not None]
    for left, right in itertools.combinations(found, 2):
        assert (left < right) + (right < left) == 1, "exactly one of two different texts comes first"
        assert not (left.newer_than(right) and right.newer_than(left))
        assert left.same_as(right) == (not left.newer_than(right) and not right.newer_than(left))
    if len(found) == 3:
        orders = {tuple(map(str, sorted(order))) for order in itertools.permutations(found)}
        assert len(orders) == 1, "the order does not depend on where sorting began"


@given(_semver, _semver)
def test_newer_is_what_a_range_calls_greater(one, other):
    left, right = version(one), version(other)
    limit = "".join(one.partition("+")[:1])
    if left.numbers != left.triple:
        return  # `>1.2` means something else than newer than 1.2.0
    assert parse_constraint(f">{limit}").matches(right, prereleases=True) == right.newer_than(left)
    assert parse_constraint(f"={limit}").matches(right, prereleases=True) == right.same_as(left)


# -- constraints -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a constraint can't be empty"),
        ("  ", "a constraint can't be empty"),
        ("newest", "`newest` is not a comparison with a version"),
        (">=1 <", "`<` is not a comparison with a version"),
        (">=1<2", "`<2` does not belong behind `>=1`"),
        ("^1 ||", "`||` has an empty side in `^1 ||`"),
        (">=1.2.3-01", "`>=1.2.3-01`: a number in a prerelease can't begin with 0"),
        ("1.2.3.4", "`.4` does not belong behind `1.2.3`"),
        (">1 " * 600, "this constraint is too long"),
    ],
)
def test_what_is_no_constraint(text, sentence):
    with pytest.raises(ValueError) as caught:
        parse_constraint(text)
    assert str(caught.value) == sentence


def test_a_prerelease_needs_a_range_that_names_one():
    early = version("1.3.0-rc.1")
    assert not parse_constraint(">=1.2").matches(early)
    assert parse_constraint(">=1.2-0").matches(early)
    assert parse_constraint(">=1.2-0 <2").matches(early)
    assert parse_constraint(">=1.2").matches(early, prereleases=True)
    assert not parse_constraint(">=1.4").matches(early, prereleases=True)


@pytest.mark.parametrize(
    ("text", "scheme", "admitted"),
    [
        ("1.8.3.3", "loose", True),
        ("controller-v1.11.5", "loose", True),
        ("2.0", "loose", False),
        ("1.9-rc1", "loose", False),
        ("1.9.post1", "pep440", True),
        ("1.7", "pep440", False),
    ],
)
def test_ranges_look_at_three_numbers_in_every_scheme(text, scheme, admitted):
    assert parse_constraint(">=1.8 <2").matches(version(text, scheme)) is admitted


def test_ranges_read_dates():
    assert parse_constraint(">=2024.01 <2024.02").matches(version("RELEASE.2024-01-16T16-07-38Z", "calver"))


# -- the oracle --------------------------------------------------------------------------------------

CONSTRAINTS = [
    "*", "x", "1", "1.2", "1.2.3", "v1.2.3", "1.x", "1.2.x", "1.2.X", "=1.2", "= 1.2.3", "!=1.2.3",
    "!=1.2", "!=1", "!=*", "!=1.2.x-beta.2", ">1", ">1.2", ">1.2.3", ">*", ">1.x", "<1", "<1.2",
    "<1.2.3", "<*", ">=1", ">=1.2", ">=1.2.3", ">=*", "=>1.2.3", "<=1", "<=1.2", "<=1.2.3", "<=*",
    "=<1.2", "~1", "~1.2", "~1.2.3", "~>1.2", "~*", "~0", "~0.0", "~0.0.0", "~0.2.3", "^1", "^1.2",
    "^1.2.3", "^0", "^0.0", "^0.0.3", "^0.2", "^0.2.3", "^*", "^0.0.0", "1.2 - 2", "1.2.0 - 1.2.5",
    "1.2.3-beta.2 - 2.0.0", ">=1.2 <2", ">=1.2, <2", ">=1.2,<2", ">= 1.2 , < 2", "^1 || ^2", "^1||^2",
    "<1 || >=2", ">=1.2-0", ">=1.2.3-0 <2", ">=1.2.3-beta.2", "~1.2.3-beta", "^1.2.3-beta.11",
    "<1.2.3-rc", "<=1.2-0", "=1.2.3-beta.2", "1.2.3-beta.2", "*-0", ">0.0.0-0", "^0.2.3-beta",
    "1.2.3+build", ">=1.2.3+build", "~1.2-0", "!=1.2.3-rc", ">1.2-0", ">1-0", "1.2 1.2.3", ">=1.02.3",
]  # fmt: skip
REFUSED = [
    "",
    " ",
    "foo",
    ">=1<2",
    ">=1 <",
    "^1 ||",
    "|| ^1",
    ">>1",
    "1.2.3.4",
    "== 1",
    ">=1.2.3-01",
    "1.2,",
    "1..2",
]
VERSIONS = [
    "0.0.0", "0.0.3", "0.0.4", "0.2.0", "0.2.3", "0.2.4", "0.3.0", "1", "1.0.0", "1.1.9", "1.2",
    "1.2.0", "1.2.3", "v1.2.3", "1.2.3+build", "1.2.4", "1.3.0", "1.10.0", "2.0.0", "2.1.0", "3.0.0",
    "0.0.0-alpha", "0.2.3-beta", "1.2.3-0", "1.2.3-beta.2", "1.2.3-beta.11", "1.2.3-beta", "1.2.3-rc",
    "1.2.4-rc.1", "1.2.0-alpha", "1.3.0-rc.1", "2.0.0-alpha", "3.0.0-0", "1.2.3-alpha.1.x", "1.02.3",
]  # fmt: skip


@pytest.fixture(scope="module")
def helm() -> str:
    found = os.environ.get("HELM") or shutil.which("helm")
    if found is None:
        pytest.fail("helm is missing: set HELM to it, as `make test` does")
    return found


def ask_helm(helm: str, folder: Path, template: str, values: dict) -> subprocess.CompletedProcess:
    chart = folder / "oracle"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: oracle, version: 1.0.0}")
    (chart / "templates" / "answer.yaml").write_text(template)
    (chart / "values.yaml").write_text(json.dumps(values))
    command = [helm, "template", "oracle", str(chart)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def answers(result: subprocess.CompletedProcess) -> list:
    assert result.returncode == 0, result.stderr
    line = next(line for line in result.stdout.splitlines() if line.startswith("answer: "))
    return json.loads(line.removeprefix("answer: "))


def asks_for_prereleases_once(helm: str, folder: Path) -> bool:
    """Since Masterminds/semver 3.4 (Helm 4) one prerelease admits prereleases for all terms beside it."""
    asked = ask_helm(
        helm, folder, 'answer: {{ list (semverCompare ">=1.2-0 <2" "1.3.0-rc.1") | toJson }}\n', {}
    )
    return answers(asked) == [True]


def asks_of_each(constraint: str) -> bool:
    """Whether both readings agree: all terms of an alternative name a prerelease, or none does.

    Before 3.4 `!=` admitted every prerelease.
    """
    return "!=" not in constraint and all(
        len({bool(term.prerelease) for term in terms}) == 1
        for terms in parse_constraint(constraint).alternatives
    )


@pytest.mark.slow
def test_constraints_mean_what_helm_means(helm, tmp_path):
    template = (
        "{{- $all := list }}{{- range $c := .Values.constraints }}{{- range $v := $.Values.versions }}"
        "{{- $all = append $all (semverCompare $c $v) }}{{- end }}{{- end }}\nanswer: {{ toJson $all }}\n"
    )
    constraints = (
        CONSTRAINTS if asks_for_prereleases_once(helm, tmp_path) else [*filter(asks_of_each, CONSTRAINTS)]
    )
    asked = ask_helm(helm, tmp_path, template, {"constraints": constraints, "versions": VERSIONS})
    pairs = list(itertools.product(constraints, VERSIONS))
    expected = answers(asked)
    assert len(expected) == len(pairs)
    ours = [parse_constraint(constraint).matches(version(text)) for constraint, text in pairs]
    wrong = [(pair, want) for pair, want, got in zip(pairs, expected, ours, strict=True) if want != got]
    assert not wrong


@pytest.mark.slow
def test_precedence_is_helms(helm, tmp_path):
    template = (
        "{{- $all := list }}{{- range $a := .Values.versions }}{{- range $b := $.Values.versions }}"
        "{{- $all = append $all ((semver $a).Compare (semver $b)) }}{{- end }}{{- end }}"
        "\nanswer: {{ toJson $all }}\n"
    )
    expected = answers(ask_helm(helm, tmp_path, template, {"versions": VERSIONS}))
    pairs = [(version(a), version(b)) for a, b in itertools.product(VERSIONS, repeat=2)]
    assert [left.newer_than(right) - right.newer_than(left) for left, right in pairs] == expected


@pytest.mark.slow
@pytest.mark.parametrize("text", REFUSED)
def test_helm_refuses_what_we_refuse(helm, tmp_path, text):
    asked = ask_helm(helm, tmp_path, "answer: {{ semverCompare .Values.text `1.2.3` }}\n", {"text": text})
    assert asked.returncode != 0, f"helm takes `{text}`: {asked.stdout}"
    with pytest.raises(ValueError):
        parse_constraint(text)
