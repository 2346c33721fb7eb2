"""No input makes a run hang: every parser and every text filter takes time in proportion to its input.

Measured is the CPU time of this thread, which no other process makes longer, for inputs of the same shape of which one
is eight times as long. In proportion is a factor of eight; a function that looks again at all that it has seen takes
64. The limit lies between, and what exceeds it is measured again: only what does so each time is a finding. Shapes are
repetitions of what the parsers stumble over, alone and behind one another. New ones are tried by `make fuzz`.
"""

from __future__ import annotations

import contextlib
import gzip
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from upstreamsync.base.validate import check_content
from upstreamsync.config.load import parse_configuration
from upstreamsync.config.spec import Follow
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.forge.text import markdown
from upstreamsync.kit import defuse, globs, sanitize, templates, versions
from upstreamsync.kit.archives import read_archive
from upstreamsync.kit.constraints import parse_constraint
from upstreamsync.kit.git.command import blobs, records, tree
from upstreamsync.kit.http.gunzip import Damaged, Inflater, Oversized
from upstreamsync.kit.http.inside import named_in
from upstreamsync.kit.kubernetes.chart_index import HelmIndex
from upstreamsync.kit.kubernetes.charts import index_entry
from upstreamsync.kit.redact import redact
from upstreamsync.kit.yaml import edit, manifests, path
from upstreamsync.kit.yaml.keys import bad_key
from upstreamsync.lock import parse as parse_lock
from upstreamsync.model import ContentFile, Release
from upstreamsync.releases.policy import choose
from upstreamsync.sources.html_blocks import html_blocks
from upstreamsync.sources.markdown_blocks import markdown_blocks

#: Seconds: what takes less is not measured any further, however it grows.
FLOOR = 0.02
FACTOR = 8
LIMIT = 28.0
#: Bytes of the longest input.
LONGEST = 1 << 19


def cut(data: bytes) -> None:
    index = HelmIndex(data)
    for chart in (*index.charts[:2], "acme"):
        index.entries(chart)


def inflate(data: bytes) -> None:
    with contextlib.suppress(Damaged, Oversized):
        for _ in Inflater(1 << 24).feed(data):
            pass


def policy(data: bytes) -> None:
    offered = [Release(version=line[:200], ref="x") for line in text(data).split("\n")]
    for scheme in ("semver", "loose", "calver", "pep440"):
        choose(releases=offered, current="1.0.0", follow=Follow(range=">=1", ignore=("1.x",)), now=datetime(2024, 1, 1, tzinfo=UTC), scheme=scheme)  # fmt: skip


def fetched(data: bytes) -> None:
    """As a text in a block, which is YAML whatever is in it, and as it is."""
    head = b"apiVersion: v1\nkind: X\nmetadata: {name: a}\nx: |\n  "
    for one in (head + data.replace(b"\n", b"\n  "), data):
        with contextlib.suppress(UpstreamsyncError):
            check_content([ContentFile(path="a.yaml", data=one)], tree=False)


def keys(data: bytes) -> None:
    with contextlib.suppress(yaml.YAMLError):
        bad_key(data)


def text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def of_text(function: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: function(text(data))


GENERAL = [
    b"a.", b"a", b"a://", b"://", b":", b"-", b"eyJaaaaaaaaa.", b"-eyJaaaaaaaa", b"authorization: ", b"?token=", b"@", b"#1", b"](", b"[", b"]", b"[a]: ",
    b"`", b"``", b"<", b"<!--", b"<a ", b"&", b"&amp;", b"!", b"*", b"_", b"|", b"\\", b"> ", b"- ", b"  ", b"\t", b"\n", b"\r\n", b"\r", b"```\n", b"~~~\n",
    b"<div>", b"<pre>", b"</pre>", b"http://a ", b"https://github.com/", b"::", b"##[", b"\x1b[", b"\xe2\x80\xae", b"1.", b"1.1\n", b"v1.0.0-", b"0", b"9",
    b"{", b"}", b"{a}", b"${a}", b"a: b\n", b"- a\n", b"? ", b"'", b'"', b"|\n ", b"---\n", b"# x\n", b"a: &a [*a]\n", b"%", b",", b"(", b")", b"=", b"+", b"~",
    b"entries:\n", b"  acme:\n", b"  - name: acme\n    version: 1.0.0\n    urls: [x]\n", b"**/", b"*a", b"GH-1 ", b"0123456789abcdef", b"ghp_aaaa", b"\x00",
    b"100644 blob aaaa\ta\x00", b"a 3\n", gzip.compress(b""), gzip.compress(b"a"),
]  # fmt: skip

TARGETS: dict[str, Callable[[bytes], object]] = {
    "redact": of_text(redact),
    "sanitize": of_text(sanitize.sanitized),
    "sanitize JSON": of_text(sanitize.json_text),
    "defuse": of_text(defuse.inert),
    "release notes": of_text(lambda one: defuse.quoted_notes(one, limit=3000)),
    "prose": of_text(lambda one: markdown.prose(one, cell=True)),
    "code": of_text(lambda one: markdown.code(one, cell=True)),
    "fence": of_text(markdown.fence),
    "summary": of_text(markdown.summary_text),
    "archive": lambda data: read_archive(data, name="x"),
    "gunzip": inflate,
    "Markdown": of_text(markdown_blocks),
    "HTML": of_text(html_blocks),
    "index cut": cut,
    "index entry": lambda data: index_entry(data, "acme", ("9.9.9",), "x"),
    "what was fetched": fetched,
    "keys": keys,
    "documents": lambda data: b"".join(manifests.split(data)),
    "YAML": lambda data: manifests.load(data, name="x"),
    "YAML edit": of_text(lambda one: edit.replace(one, "spec.image", "x")),
    "YAML path": of_text(path.parse),
    "vendors.yaml": lambda data: parse_configuration(data[: 1 << 16], path=Path("/nowhere/vendors.yaml")),
    "lock": lambda data: parse_lock(data, "a.lock.yaml"),
    "policy": policy,
    "version": of_text(lambda one: [versions.parse(one[: 1 << 16], scheme) for scheme in ("semver", "loose", "calver", "pep440")]),
    "constraint": of_text(lambda one: parse_constraint(one[: 1 << 14])),
    "glob": of_text(lambda one: globs.matches(one[:2000], one)),
    "globs of folders": of_text(lambda one: globs.matches("**/" + "a/**/*a*a/" * 20 + "x", one)),
    "template": of_text(templates.placeholders),
    "hosts": of_text(named_in),
    "git tree": tree,
    "git records": records,
    "git blobs": lambda data: blobs(data, ["a"] * data.count(b"\n")),
}  # fmt: skip


def seconds(function: Callable[[bytes], object], data: bytes) -> float:
    started = time.thread_time()
    with contextlib.suppress(UpstreamsyncError, ValueError, IndexError, RecursionError):
        function(data)
    return time.thread_time() - started


def growth(function: Callable[[bytes], object], shape: Callable[[int], bytes]) -> float:
    """How many times as long an input takes that is FACTOR times as long; 0 for what takes no time worth a word."""
    size = 256
    while size * FACTOR <= LONGEST and seconds(function, shape(size * FACTOR)) < FLOOR:
        size *= 2
    if size * FACTOR > LONGEST:
        return 0.0
    found = []
    for _ in range(5):
        short, long = seconds(function, shape(size)), seconds(function, shape(size * FACTOR))
        found.append(long / max(short, FLOOR / 64))
        if found[-1] < LIMIT:
            break
    return min(found)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@given(
    units=st.lists(st.sampled_from(GENERAL), min_size=1, max_size=3),
    before=st.sampled_from([b"", b"a: ", b"[", b"a://", b"<pre>"]),
)
@example(units=[b"a."], before=b"")
@example(units=[b":"], before=b"a://")
@example(units=[b"-eyJaaaaaaaa"], before=b"")
@example(units=[gzip.compress(b"")], before=b"")
@example(units=[b"1.1\n", b"1."], before=b"")
@example(units=[b"- "], before=b"")
@example(units=[b":", b"a", b": "], before=b"")
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_time_grows_with_the_input_and_no_faster(target: str, units: list[bytes], before: bytes):
    unit = b"".join(units)
    assert growth(TARGETS[target], lambda size: before + unit * max(1, size // len(unit))) < LIMIT, (
        target,
        before,
        unit,
    )


@pytest.mark.slow
def test_what_grows_faster_is_noticed():
    def quadratic(data: bytes) -> None:
        for start in range(len(data)):
            data[start:].count(b"b")

    assert growth(quadratic, lambda size: b"a" * size) >= LIMIT
    assert growth(lambda data: data.count(b"b"), lambda size: b"a" * size) < LIMIT
    assert growth(lambda data: sorted(data * 4), lambda size: b"ab" * (size // 2)) < LIMIT


@pytest.mark.slow
def test_many_short_tags_are_chosen_from_in_time():
    """Each says less than a fuller one, perhaps: all of them were compared with all of them."""
    assert growth(policy, lambda size: b"\n".join(b"%d.%d" % divmod(n, 50) for n in range(size // 8))) < LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("target", ["archive", "gunzip"])
def test_many_members_of_gzip_cost_no_more_than_their_size(target: str):
    """What zlib hands back unused is a copy: a large input shows what a small one hides behind the cost of a member."""
    member = gzip.compress(b"")

    def ratio() -> float:
        short, long = (
            seconds(TARGETS[target], member * (size // len(member))) for size in (1 << 17, 1 << 20)
        )
        return long / max(short, FLOOR / 64)

    assert min(ratio() for _ in range(3)) < LIMIT
