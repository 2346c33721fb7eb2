"""The lock: the same facts give the same bytes, and a damaged one is not believed."""

import re
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upstreamsync.errors import RepositoryError
from upstreamsync.kit.yaml import manifests
from upstreamsync.lock import (
    Lock,
    WatchedSource,
    changed_files,
    differences,
    digest,
    parse,
    render,
    republished,
    verify,
)
from upstreamsync.model import BaseState, Resolved

FILES = {"a/base/install.yaml": b"kind: A\n", "a/base/deep/x.yaml": b"", "b/other/y.yaml": b"kind: B\n"}
LOCK = Lock(
    vendor="v",
    version="v1.2.3",
    config=digest(b"config"),
    sources=(
        Resolved(kind="url", location="https://h/a.yaml", digest=digest(b"1")),
        Resolved(kind="helm", location="https://h/c-1.tgz", digest=digest(b"2"), tool="helm 4.1.4"),
    ),
    bases=("a/base", "b/other"),
    files={path: digest(FILES[path]) for path in sorted(FILES)},
    forks={"a/mine.yaml": digest(b"3")},
    watch=(WatchedSource(source=digest(b"4"), location="https://h@v1", files={"x": digest(b"5")}),),
)
TEXT = f"""\
# Written by upstreamsync: what was vendored, and what it looked like. Not for editing.
bases:
- a/base
- b/other
config: {digest(b"config")}
files:
  a/base/deep/x.yaml: {digest(b"")}
  a/base/install.yaml: {digest(FILES["a/base/install.yaml"])}
  b/other/y.yaml: {digest(FILES["b/other/y.yaml"])}
forks:
  a/mine.yaml: {digest(b"3")}
lock: 1
sources:
- digest: {digest(b"1")}
  kind: url
  location: https://h/a.yaml
- digest: {digest(b"2")}
  kind: helm
  location: https://h/c-1.tgz
  tool: helm 4.1.4
tree: {LOCK.tree}
vendor: v
version: v1.2.3
watch:
- files:
    x: {digest(b"5")}
  location: https://h@v1
  source: {digest(b"4")}
"""


def test_what_it_looks_like():
    assert render(LOCK).decode() == TEXT
    assert parse(TEXT.encode(), "v.lock.yaml") == LOCK


def test_what_is_not_there_is_not_written():
    bare = Lock(vendor="v", version="1", config=digest(b""))
    keys = manifests.load(render(bare)).keys()
    assert keys == {"bases", "config", "files", "lock", "sources", "tree", "vendor", "version"}
    assert parse(render(bare), "x") == bare


words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cn")), min_size=1).filter(
    str.strip
)
tricky = st.sampled_from(
    [
        "1e3",
        "12e45",
        "1.10",
        "0x1f",
        "no",
        "n",
        "~",
        "null",
        "1:30",
        "=",
        "<<",
        "2020-01-01",
        "0o17",
        "-",
        "#",
    ]
)


@settings(deadline=None)
@given(version=words | tricky, vendor=tricky, location=words | tricky, tool=st.none() | words)
def test_every_text_survives(version, vendor, location, tool):
    lock = Lock(
        vendor=vendor,
        version=version,
        config="c",
        sources=(Resolved(kind="url", location=location, digest=digest(b""), tool=tool),),
    )
    assert parse(render(lock), "x") == lock


@settings(deadline=None)
@given(files=st.dictionaries(st.from_regex(r"[a-zé 0-9#:'-]+", fullmatch=True), st.binary(), max_size=5))
def test_the_order_of_facts_says_nothing(files):
    pairs = [(f"b/{path}", digest(data)) for path, data in files.items()]
    locks = [
        Lock(vendor="v", version="1", config="c", bases=("b",), files=dict(order))
        for order in (pairs, pairs[::-1])
    ]
    assert render(locks[0]) == render(locks[1])
    assert parse(render(locks[0]), "x").files == dict(pairs)


@pytest.mark.parametrize(
    ("old", "new", "words_"),
    [
        ("lock: 1", "lock: 2", "its format is 2; this upstreamsync reads 1"),
        ("lock: 1", "lock: '1'", "`lock` has to be a number"),
        ("vendor: v", "vendor: 5", "`vendor` has to be text"),
        ("vendor: v\n", "", "`vendor` has to be text"),
        ("vendor: v", "vendor: v\nmore: 1", "`more` is not a known key"),
        ("  kind: url", "  kind: url\n  x: 1", "`sources.x` is not a known key"),
        ("- a/base\n", "- /etc\n", "folders inside the repository"),
        ("- a/base\n", "", "lies in none of the `bases`"),
        ("a/base/install.yaml", "a/base/../../out", "not a path inside"),
        ("a/base/install.yaml", "a/base/.GIT/config", "not a path inside"),
        ("a/base/install.yaml", "/etc/passwd", "not a path inside"),
        (digest(b""), "sha256:0", "`a/base/deep/x.yaml` has no digest"),
        (digest(b""), digest(b"else"), "`tree` does not fit `files`"),
        ("\nfiles:", "\n<<<<<<< HEAD\nfiles:", "not valid YAML"),
        ("vendor: v\n", "vendor: v\nvendor: w\n", "given twice"),
        (TEXT, "", "not a mapping"),
        (TEXT, "- 1\n", "not a mapping"),
        (TEXT, "[" * 1000, "nested"),
    ],
)
def test_a_damaged_lock_is_not_believed(old, new, words_):
    assert old in TEXT
    with pytest.raises(RepositoryError) as caught:
        parse(TEXT.replace(old, new).encode(), "a/v.lock.yaml")
    assert words_ in caught.value.message
    assert re.match(r"a/v\.lock\.yaml:\d+:\d+: the lock can't be used: (?!a/v)", str(caught.value))
    assert "git checkout -- a/v.lock.yaml" in (caught.value.hint or "")


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_anything_else_is_a_typed_error(data):
    with pytest.raises(RepositoryError):
        parse(data, "x")


def test_verify_says_which_files_of_which_base_changed():
    assert verify(LOCK, FILES.get) == (
        BaseState(vendor="v", path="a/base", pristine=True),
        BaseState(vendor="v", path="b/other", pristine=True),
    )
    now = {**FILES, "a/base/install.yaml": b"edited", "a/base/more.yaml": b"is not ours"}
    del now["a/base/deep/x.yaml"]
    assert verify(LOCK, now.get)[0] == BaseState(
        vendor="v", path="a/base", pristine=False, changed_files=("a/base/deep/x.yaml", "a/base/install.yaml")
    )
    assert changed_files(LOCK, now.get) == ("a/base/deep/x.yaml", "a/base/install.yaml")


def test_a_file_belongs_to_the_innermost_base():
    lock = Lock(
        vendor="v",
        version="1",
        config="c",
        bases=("a", "a/b"),
        files={"a/b/x": digest(b""), "a/y": digest(b"")},
    )
    states = verify(lock, lambda path: None)
    assert [(state.path, state.changed_files) for state in states] == [("a", ("a/y",)), ("a/b", ("a/b/x",))]


def test_republished_content_is_named_and_other_places_are_not():
    same, other = LOCK.sources
    changed = Resolved(kind="url", location=same.location, digest=digest(b"new"))
    assert republished(LOCK, LOCK.sources) == ()
    assert republished(LOCK, [changed, other]) == (
        f"{same.location} is {digest(b'new')} now; it was {same.digest}",
    )
    moved = Resolved(kind="url", location="https://elsewhere", digest=digest(b"new"))
    upgraded = Resolved(kind="helm", location=other.location, digest=digest(b"x"), tool="helm 5")
    assert republished(LOCK, [moved, upgraded]) == ()


def test_differences_are_sentences():
    assert differences(LOCK, LOCK) == ()
    files = {**LOCK.files, "a/base/new.yaml": digest(b""), "a/base/install.yaml": digest(b"x")}
    del files["b/other/y.yaml"]
    new = Lock(
        vendor="v", version="v2", config=LOCK.config, sources=LOCK.sources[:1], bases=LOCK.bases, files=files
    )
    assert differences(LOCK, new) == (
        "version is `v2`, the lock says `v1.2.3`",
        "the sources are not those of the lock",
        "a/base/install.yaml has other content",
        "a/base/new.yaml is not in the lock",
        "b/other/y.yaml is missing",
    )


def test_digests_are_those_of_sha256sum(tmp_path):
    (tmp_path / "x").write_bytes(b"some bytes\n")
    printed = subprocess.run(["sha256sum", tmp_path / "x"], capture_output=True, check=True, text=True).stdout
    assert digest(b"some bytes\n") == f"sha256:{printed.split()[0]}"
