"""The test world, looked at with real clients: helm, git, httpx."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

from upstreamsync import testing
from upstreamsync.testing import Fault, World


@pytest.fixture
def helm(tmp_path):
    binary = os.environ.get("HELM") or shutil.which("helm")
    if not binary:
        pytest.fail("helm is missing: set HELM to it, as `make test` does")
    home = {name: str(tmp_path / name) for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")}
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **home}

    def run(*words):
        done = subprocess.run([binary, *words], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def run_git(*words, cwd):
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    done = subprocess.run(["git", *who, *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_is_exact_and_sorted():
    assert list(testing.__all__) == sorted(testing.__all__, key=str)
    assert all(hasattr(testing, name) for name in testing.__all__)


def test_helm_renders_a_chart_from_the_repository(world, helm, tmp_path):
    world.chart("charts/acme", "acme", "1.2.0")
    world.chart("charts/acme", "acme", "1.10.0", app_version="v9")
    out = helm("template", "x", "acme", "--repo", f"{world.url}/charts/acme")
    (document,) = [one for one in yaml.safe_load_all(out) if one]
    assert document["metadata"]["labels"] == {"app.kubernetes.io/version": "v9"}
    helm("pull", "acme", "--repo", f"{world.url}/charts/acme", "--version", "1.2.0", "-d", str(tmp_path))
    assert (tmp_path / "acme-1.2.0.tgz").is_file()


@pytest.mark.parametrize("auth", [False, True])
def test_helm_renders_a_chart_from_the_registry(world, helm, auth):
    world.oci_chart("org/acme", "1.2.0+build.1", auth=auth)
    words = ("template", "x", f"{world.oci_url}/org/acme", "--version", "1.2.0+build.1", "--plain-http")
    assert 'greeting: "hello"' in helm(*words)
    assert bool(world.registry.tokens) == auth


def test_a_chart_is_the_same_whenever_it_is_packed(world):
    one = world.chart("a", "acme", "1.0.0", files={"templates/x.yaml": "a: 1\n"})
    two = world.chart("b", "acme", "1.0.0", files={"templates/x.yaml": "a: 1\n"})
    assert one.digest == two.digest


def test_an_index_can_lie_and_be_raw(world):
    world.chart("charts/acme", "acme", "1.0.0", digest="0" * 64, deprecated=True)
    (entry,) = yaml.safe_load(httpx.get(f"{world.url}/charts/acme/index.yaml").text)["entries"]["acme"]
    assert entry["digest"] == "0" * 64
    assert entry["deprecated"] is True
    world.raw_index("charts/acme", b"entries: [")
    assert httpx.get(f"{world.url}/charts/acme/index.yaml").content == b"entries: ["


def test_a_withdrawn_version_is_gone(world):
    world.chart("charts/acme", "acme", "1.0.0")
    world.chart("charts/acme", "acme", "1.1.0")
    world.charts("charts/acme").remove("acme", "1.1.0")
    index = yaml.safe_load(httpx.get(f"{world.url}/charts/acme/index.yaml").text)
    assert [entry["version"] for entry in index["entries"]["acme"]] == ["1.0.0"]
    assert httpx.get(f"{world.url}/charts/acme/acme-1.1.0.tgz").status_code == 404


def test_tags_are_paged(world):
    world.oci_image("org/app", [f"1.{minor}.0" for minor in range(25)])
    world.registry.page_size = 10
    seen, url = [], "/v2/org/app/tags/list?n=1000"
    while url:
        answer = httpx.get(world.url + url)
        seen += answer.json()["tags"]
        url = answer.links.get("next", {}).get("url")
    assert len(seen) == len(set(seen)) == 25
    assert world.count("/v2/org/app/tags/list") == 3


def test_a_password_opens_the_token_service(world):
    digest = world.oci_chart("org/acme", "1.0.0", user="ann", password="secret")
    manifest = f"{world.url}/v2/org/acme/manifests/1.0.0"
    challenge = httpx.get(manifest)
    assert challenge.status_code == 401
    assert 'scope="repository:org/acme:pull"' in challenge.headers["www-authenticate"]
    ask = {"service": "test-world", "scope": "repository:org/acme:pull"}
    assert httpx.get(f"{world.url}/token", params=ask, auth=("ann", "wrong")).status_code == 401
    nobody = httpx.get(f"{world.url}/token", params=ask).json()["token"]
    assert httpx.get(manifest, headers={"Authorization": f"Bearer {nobody}"}).status_code == 401
    token = httpx.get(f"{world.url}/token", params=ask, auth=("ann", "secret")).json()["token"]
    answer = httpx.get(manifest, headers={"Authorization": f"Bearer {token}"})
    assert answer.headers["docker-content-digest"] == digest
    assert world.registry.tokens == {"repository:org/acme:pull": 2}


def test_files_revalidate_and_are_compressed(world):
    url = world.file("docs/page.html", "<p>hello</p>" * 500)
    first = httpx.get(url)
    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert first.text == "<p>hello</p>" * 500
    again = httpx.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    dated = httpx.get(url, headers={"If-Modified-Since": first.headers["last-modified"]})
    assert dated.status_code == 304
    assert [(one.status, one.bytes) for one in world.requests][1:] == [(304, 0), (304, 0)]
    assert world.requests[0].bytes == len(gzip.compress(b"<p>hello</p>" * 500, 5, mtime=0))
    world.file("docs/page.html", "changed")
    assert httpx.get(url, headers={"If-None-Match": first.headers["etag"]}).text == "changed"


def test_git_clones_and_pushes_over_http(world, tmp_path):
    remote = world.git("org/gitops")
    first = remote.commit({"a.txt": "one\n", "b/c.txt": "two\n"}, "First", tag="v1.0.0")
    remote.commit({"a.txt": None, "b/c.txt": "three\n"}, "Second")
    run_git("clone", "-q", remote.url, "work", cwd=tmp_path)
    work = tmp_path / "work"
    assert (work / "b/c.txt").read_text() == "three\n"
    assert not (work / "a.txt").exists()
    assert run_git("rev-parse", "v1.0.0^{commit}", cwd=work).strip() == first
    # Beyond a megabyte git sends the pack in chunks.
    (work / "big.bin").write_bytes(os.urandom(1_500_000))
    run_git("add", ".", cwd=work)
    run_git("commit", "-qm", "Big", cwd=work)
    run_git("push", "-q", "origin", "HEAD:refs/heads/topic", cwd=work)
    assert remote.log("topic") == ["Big", "Second", "First"]
    assert remote.branches().keys() == {"main", "topic"}


def test_commits_do_not_depend_on_the_clock():
    shas = set()
    for _ in range(2):
        with World() as world:
            shas.add(world.git("x").commit({"a": "1"}, "One"))
    assert len(shas) == 1


def test_protected_paths_ask_for_the_password(world):
    url = world.file("private/x.yaml", "a: 1\n")
    world.protect("/private/", "ann", "secret")
    assert httpx.get(url).status_code == 401
    assert httpx.get(url, auth=("ann", "secret")).text == "a: 1\n"


def test_tls_has_a_certificate_of_its_own():
    if not shutil.which("openssl"):
        pytest.fail("openssl is missing: the test world makes its certificate with it")
    import ssl

    with World(tls=True) as world:
        url = world.file("x", "hello")
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
        trusted = ssl.create_default_context(cafile=str(world.ca_file))
        assert httpx.get(url, verify=trusted).text == "hello"


def test_more_hosts_answer_with_the_same_content():
    with World(hosts=3) as world:
        world.file("x", "hello")
        assert [httpx.get(f"{host}/x").text for host in world.hosts] == ["hello"] * 3
        assert len({request.host for request in world.requests}) == 3


def test_status_with_retry_after_happens_as_often_as_asked(world):
    url = world.file("x.yaml", "a: 1\n")
    world.fault("/x.*", Fault.status(429, retry_after=2), times=2, skip=1)
    answers = [httpx.get(url) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert answers[1].headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.reset(), httpx.ReadError),
        (Fault.reset(after=10), httpx.ReadError),
        (Fault.truncate(), httpx.RemoteProtocolError),
        (Fault.hang(), httpx.ReadTimeout),
        (Fault.redirect_loop(), httpx.TooManyRedirects),
    ],
)
def test_faults_that_clients_notice(world, fault, error):
    url = world.file("x.bin", os.urandom(5000))
    world.fault("/x.bin", fault)
    with pytest.raises(error):
        httpx.get(url, timeout=0.5 if fault.kind == "hang" else 30, follow_redirects=True)
    world.heal()
    assert httpx.get(url).status_code == 200


def test_faults_that_clients_must_look_for(world):
    data = os.urandom(4000)
    url = world.file("x.bin", data)
    world.fault("/x.bin", Fault.flipped_byte(), times=1)
    world.fault("/x.bin", Fault.wrong_length(), times=1)
    world.fault("/x.bin", Fault.body(b"<html>log in</html>"), times=1)
    world.fault("/x.bin", Fault.redirect(), times=1)
    flipped, short, portal = (httpx.get(url).content for _ in range(3))
    assert len(flipped) == len(data)
    assert sum(one != two for one, two in zip(flipped, data, strict=True)) == 1
    assert short == data[:2000]
    assert portal == b"<html>log in</html>"
    moved = httpx.get(url, follow_redirects=True)
    assert moved.content == data
    assert str(moved.url) == f"{world.elsewhere}/x.bin"


def test_endless_bodies_and_bombs(world):
    url = world.file("x.yaml", "a: 1\n")
    world.fault("/x.yaml", Fault.endless(), times=1)
    with httpx.stream("GET", url) as answer:
        for _ in answer.iter_bytes():
            if answer.num_bytes_downloaded > 3_000_000:
                break
    world.fault("/x.yaml", Fault.gzip_bomb(50_000_001), times=1)
    answer = httpx.get(url)
    assert len(answer.content) == 50_000_001
    assert answer.num_bytes_downloaded < 100_000


def test_slow_takes_its_time(world):
    url = world.file("x.bin", os.urandom(2000))
    world.fault("/x.bin", Fault.slow(10_000))
    answer = httpx.get(url)
    assert len(answer.content) == 2000
    assert answer.elapsed.total_seconds() >= 0.18


def test_latency_delays_and_requests_overlap(world):
    import concurrent.futures

    url = world.file("x", "hello")
    world.latency = 0.1
    with httpx.Client() as client, concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(client.get, [url] * 8))
    assert min(answer.elapsed.total_seconds() for answer in answers) >= 0.1
    assert world.most_in_flight > 1


def test_reset_forgets_requests(world):
    url = world.file("x", "hello")
    httpx.get(url)
    world.reset()
    assert world.count() == 0
    httpx.get(url)
    assert world.count("/x", method="GET", status=200) == 1


def test_nothing_is_left_behind():
    with World() as world:
        world.git("x").commit({"a": "1"}, "One")
        folder = world.folder
        assert Path(folder).is_dir()
    assert not Path(folder).exists()


def test_a_fault_keeps_the_deed_undone_unless_asked(world, gitops):
    gitops.origin.commit({"a": "1"}, "First")
    url = f"{world.github.url}/repos/acme/gitops/issues"
    auth = {"Authorization": "Bearer any"}
    world.fault("*/issues", Fault.status(502, message="Server Error"), times=1, method="POST")
    world.fault("*/issues", Fault.reset(), times=1, method="POST", done=True)
    refused = httpx.post(url, json={"title": "one"}, headers=auth)
    assert (refused.status_code, refused.json()) == (502, {"message": "Server Error"})
    assert gitops.github.notes() == []
    with pytest.raises(httpx.ReadError):
        httpx.post(url, json={"title": "two"}, headers=auth)
    assert [issue.title for issue in gitops.github.notes()] == ["two"]


def test_a_folder_is_served_as_it_is(world, tmp_path):
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "install.yaml").write_text("a: 1\n")
    url = world.tree("/raw/acme/", tmp_path)
    assert httpx.get(f"{url}/v1/install.yaml").text == "a: 1\n"


def test_archives_are_what_their_names_say(world):
    import io
    import tarfile
    import zipfile

    files = {"acme-1.0/deploy/a.yaml": "a: 1\n", "acme-1.0/b.txt": b"\x00"}
    with tarfile.open(fileobj=io.BytesIO(testing.tarball(files))) as archive:
        assert archive.getnames() == sorted(files)
    with zipfile.ZipFile(io.BytesIO(testing.zipball(files))) as archive:
        assert archive.read("acme-1.0/deploy/a.yaml") == b"a: 1\n"
    assert testing.zipball(files) == testing.zipball(dict(reversed(files.items())))


def test_importing_the_world_loads_no_heavy_library():
    code = "import sys, upstreamsync.testing; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"jsonschema", "github", "httpx", "git", "deepdiff", "rich"} & set(loaded.split())
