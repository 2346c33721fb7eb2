from __future__ import annotations

import hashlib

import pytest

from upstreamsync import sources
from upstreamsync.errors import DigestMismatch, Malformed, NotFound, Refused, SelectionError, UsageError
from upstreamsync.model import Artifact, Release

BYTES = b"apiVersion: v1\r\nkind: Namespace\nmetadata: {name: a}"
DIGEST = hashlib.sha256(BYTES).hexdigest()


def contents(artifact: Artifact) -> dict[str, bytes]:
    return {file.path: file.data for file in artifact.files}


def test_one_url_becomes_a_file_named_after_it_byte_for_byte(world, fetch):
    world.file("/raw/v1.2.3/install.yaml", BYTES)
    artifact = fetch({"url": f"{world.url}/raw/{{version}}/install.yaml"})
    assert contents(artifact) == {"install.yaml": BYTES}
    assert artifact.resolved[0].location == f"{world.url}/raw/v1.2.3/install.yaml"
    assert artifact.resolved[0].digest == f"sha256:{DIGEST}"


def test_the_file_may_have_a_name_of_its_own(world, fetch):
    world.file("/x", BYTES)
    assert contents(fetch({"url": f"{world.url}/x?raw=1", "file": "{semver}.yaml"})) == {"1.2.3.yaml": BYTES}


def test_several_urls_by_file_name(world, fetch):
    world.file("/a/1.2.yaml", b"a: 1\n")
    world.file("/b/1.2.3.yaml", b"b: 1\n")
    mapping = {
        "z/b.yaml": f"{world.url}/b/{{semver}}.yaml",
        "a.yaml": f"{world.url}/a/{{major}}.{{minor}}.yaml",
    }
    artifact = fetch({"url": mapping})
    assert [file.path for file in artifact.files] == ["a.yaml", "z/b.yaml"]
    assert contents(artifact)["z/b.yaml"] == b"b: 1\n"
    assert len(artifact.resolved) == 2


def test_groups_and_app_version_fill_placeholders(world, fetch):
    world.file("/2.0/rc1/i.yaml", BYTES)
    release = Release(version="x-1", ref="x", app_version="2.0", groups={"extra": "rc1"})
    assert contents(fetch({"url": f"{world.url}/{{app_version}}/{{extra}}/i.yaml"}, release))


def test_a_placeholder_that_the_release_does_not_fill_is_named(world, fetch):
    with pytest.raises(SelectionError, match=r"\{app_version\}"):
        fetch({"url": f"{world.url}/{{app_version}}/i.yaml"})


@pytest.mark.parametrize("version", ["../../evil", "1?x=", "1#", "a b", "%2e%2e", "x/.."])
def test_a_version_that_would_bend_the_url_is_refused(world, fetch, version):
    with pytest.raises(Refused, match=r"can't stand in"):
        fetch({"url": f"{world.url}/raw/{{version}}/install.yaml"}, version)
    assert world.requests == []


@pytest.mark.parametrize("version", ["1.0.0\u202e", "1.0.0\u2066", "1.0.0\x1b[2J", "1.0.0\u200b"])
def test_a_version_that_does_not_look_as_it_is_is_refused(world, fetch, version):
    with pytest.raises(Refused, match="can't be seen"):
        fetch({"url": f"{world.url}/fixed.yaml"}, Release(version=version, ref=version))


@pytest.mark.parametrize("name", ["../x.yaml", "/etc/x", ".git/config", "a/../../b"])
def test_a_file_name_that_leaves_the_base_is_refused(world, fetch, name):
    world.file("/x", BYTES)
    with pytest.raises(Refused):
        fetch({"url": {name: f"{world.url}/x"}})


def test_an_address_without_a_file_name_asks_for_one(world, fetch):
    with pytest.raises(SelectionError) as caught:
        fetch({"url": f"{world.url}/"})
    assert "`file`" in (caught.value.hint or "")


def test_what_is_missing_is_not_found_by_fetch_and_probe(world, fetch, probe):
    source = {"url": f"{world.url}/missing.yaml"}
    with pytest.raises(NotFound):
        fetch(source)
    with pytest.raises(NotFound):
        probe(source)


def test_a_probe_is_not_paid_twice(world, fetch, probe):
    world.file("/install.yaml", BYTES)
    source = {"url": f"{world.url}/install.yaml"}
    probe(source)
    fetch(source)
    assert world.count("/install.yaml") == 1


@pytest.mark.parametrize(
    "listing",
    [
        f"{DIGEST}  install.yaml\n{'0' * 64}  other.yaml\n",
        f"{DIGEST.upper()} *./install.yaml\n",
        f"SHA256 (dist/install.yaml) = {DIGEST}\n",
        f"{DIGEST}\n",
        f"{hashlib.sha512(BYTES).hexdigest()}  install.yaml\n",
    ],
)
def test_checksums_files_of_every_kind(world, fetch, listing):
    world.file("/v1.2.3/install.yaml", BYTES)
    world.file("/v1.2.3/SUMS", listing)
    source = {
        "url": f"{world.url}/{{version}}/install.yaml",
        "checksum": f"{world.url}/{{version}}/SUMS",
    }
    assert contents(fetch(source)) == {"install.yaml": BYTES}


@pytest.mark.parametrize(
    ("listing", "error"),
    [
        (f"{'0' * 64}  install.yaml\n", DigestMismatch),
        (f"{DIGEST}  other.yaml\n", SelectionError),
        (f"{DIGEST}  a/install.yaml\n{'0' * 64}  b/install.yaml\n", SelectionError),
        ("<html>not found</html>", Malformed),
    ],
)
def test_checksums_that_do_not_hold(world, fetch, listing, error):
    world.file("/install.yaml", BYTES)
    world.file("/SUMS", listing)
    with pytest.raises(error):
        fetch({"url": f"{world.url}/install.yaml", "checksum": f"{world.url}/SUMS"})


def test_a_literal_checksum(world, fetch):
    world.file("/install.yaml", BYTES)
    url = f"{world.url}/install.yaml"
    assert fetch({"url": url, "checksum": f"sha256:{DIGEST}"}).files
    with pytest.raises(DigestMismatch, match=DIGEST):
        fetch({"url": url, "checksum": f"sha256:{'0' * 64}"})
    with pytest.raises(SelectionError, match="2 files"):
        fetch({"url": {"a": url, "b": url}, "checksum": f"sha256:{DIGEST}"})


def test_a_release_asset_is_held_against_the_digest_of_its_release(world, fetch):
    world.file("/acme/thing/releases/download/v1.2.3/install.yaml", BYTES)
    world.file("/acme/other/releases/download/v1.2.3/install.yaml", BYTES)
    release = Release(version="v1.2.3", ref="v1.2.3", assets={"install.yaml": f"sha256:{'0' * 64}"})
    releases = {"github": "acme/thing"}
    own = {"url": f"{world.url}/acme/thing/releases/download/{{version}}/install.yaml"}
    with pytest.raises(DigestMismatch):
        fetch(own, release, releases=releases)
    # The same name in another repository is another file.
    other = {"url": f"{world.url}/acme/other/releases/download/{{version}}/install.yaml"}
    assert fetch(other, release, releases=releases).files


def test_secrets_in_addresses_stay_out_of_facts_and_errors(world, fetch):
    world.file("/install.yaml", BYTES)
    host = world.url.removeprefix("http://")
    artifact = fetch({"url": f"http://me:hunter2secret@{host}/install.yaml"})
    assert "hunter2secret" not in repr(artifact)
    with pytest.raises(NotFound) as caught:
        fetch({"url": f"http://me:hunter2secret@{host}/missing.yaml"})
    assert "hunter2secret" not in str(caught.value)


def test_a_kind_of_the_users_own_can_be_registered(world, tools):
    from upstreamsync.config.spec import Vendor

    class Own:
        def fetch(self, job):
            return Artifact(resolved=(), files=())

        def probe(self, job):
            raise NotFound("never there")

    vendor = Vendor(name="x", version="1", base="b", source=({"url": f"{world.url}/x"},))  # type: ignore[arg-type]
    release = Release(version="1", ref="1")
    registry = {"url": Own()}
    assert sources.fetch(vendor.source[0], release, vendor, tools, registry=registry).files == ()
    with pytest.raises(NotFound):
        sources.probe(vendor.source[0], release, vendor, tools, registry=registry)
    with pytest.raises(UsageError, match="nothing is registered"):
        sources.fetch(vendor.source[0], release, vendor, tools, registry={})
