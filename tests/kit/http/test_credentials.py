"""Which credentials go where."""

import base64
import json
import stat
from pathlib import Path

import pytest

from upstreamsync.kit.http.credentials import Credentials, is_loopback, upstream_github


def written(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def encoded(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def test_an_enterprise_server_is_the_forge_while_upstreams_are_at_github() -> None:
    environment = {
        "GITHUB_TOKEN": "enterprise-1",
        "GITHUB_API_URL": "https://git.corp.example/api/v3",
        "UPSTREAMSYNC_GITHUB_TOKEN": "public-22",
        "HOME": "/nonexistent",
    }
    credentials = Credentials.from_environment(environment)
    assert upstream_github(environment) == "https://api.github.com"
    assert credentials.for_url("https://git.corp.example/api/v3/x") == {
        "authorization": "Bearer enterprise-1"
    }
    assert credentials.for_url("https://api.github.com/x") == {"authorization": "Bearer public-22"}
    del environment["UPSTREAMSYNC_GITHUB_TOKEN"]
    assert Credentials.from_environment(environment).for_url("https://api.github.com/x") == {}


_CORP = "https://git.corp.example/api/v3"


@pytest.mark.parametrize(
    ("api", "url", "token"),
    [
        (_CORP, "https://GIT.corp.example/o/r", "enterprise-1"),
        ("https://GIT.CORP.example/api/v3/", "https://git.corp.example/o/r", "enterprise-1"),
        (_CORP, "https://git.corp.example:443/o/r", "enterprise-1"),
        ("https://git.corp.example:8443/api/v3", "https://git.corp.example:8443/o/r", "enterprise-1"),
        ("https://git.corp.example:8443/api/v3", "https://git.corp.example/o/r", None),
        ("https://api.corp.ghe.com", "https://api.corp.ghe.com/repos/o/r", "enterprise-1"),
        ("https://api.corp.ghe.com", "https://corp.ghe.com/o/r", "enterprise-1"),
        ("https://api.corp.ghe.com", "https://other.ghe.com/o/r", None),
        ("https://api.corp.ghe.com", "https://ghe.com/o/r", None),
        (_CORP, "https://evil-git.corp.example/o/r", None),
        (_CORP, "https://git.corp.example.evil.example/o/r", None),
        (_CORP, "http://git.corp.example/o/r", None),
        (_CORP, "https://raw.githubusercontent.com/o/r/v1/x.yaml", "public-22"),
        (_CORP, "https://github.com/o/r", "public-22"),
    ],
)
def test_each_server_gets_its_own_token(api: str, url: str, token: str | None) -> None:
    environment = {
        "GITHUB_TOKEN": "enterprise-1",
        "GITHUB_API_URL": api,
        "UPSTREAMSYNC_GITHUB_TOKEN": "public-22",
        "HOME": "/nonexistent",
    }
    headers = Credentials.from_environment(environment).for_url(url)
    assert token is None or headers["authorization"].split()[0] in ("Bearer", "Basic")
    assert _token(headers.get("authorization")) == token


def _token(header: str | None) -> str | None:
    kind, _, word = (header or "").partition(" ")
    if kind == "Basic":
        return base64.b64decode(word).decode().rpartition(":")[2]
    return word or None


@pytest.mark.parametrize(
    ("forge", "named", "expected"),
    [
        ("", "", "https://api.github.com"),
        ("https://api.github.com", "", "https://api.github.com"),
        ("https://git.corp.example/api/v3", "", "https://api.github.com"),
        (
            "https://git.corp.example/api/v3",
            "https://git.corp.example/api/v3/",
            "https://git.corp.example/api/v3",
        ),
        ("http://127.0.0.1:8080/api/v3", "", "http://127.0.0.1:8080/api/v3"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:9090", "http://127.0.0.1:9090"),
    ],
)
def test_where_upstreams_are(forge: str, named: str, expected: str) -> None:
    assert upstream_github({"GITHUB_API_URL": forge, "UPSTREAMSYNC_GITHUB_API_URL": named}) == expected


def test_githubs_token_goes_to_githubs_hosts_and_nowhere_else() -> None:
    credentials = Credentials.from_environment({"GITHUB_TOKEN": "tok-123456", "HOME": "/nonexistent"})
    for host in (
        "api.github.com",
        "github.com",
        "uploads.github.com",
        "codeload.github.com",
        "raw.githubusercontent.com",
    ):
        assert credentials.for_url(f"https://{host}/x") == {"authorization": "Bearer tok-123456"}
        assert credentials.for_url(f"https://{host}:8443/x") == {}
        assert credentials.for_url(f"http://{host}/x") == {}
    for host in ("example.org", "github.com.example.org", "xgithub.com", "gist.github.com", "127.0.0.1"):
        assert credentials.for_url(f"https://{host}/x") == {}
    assert credentials.for_url("https://api.github.com@evil.example/x") == {}
    assert "tok-123456" not in repr(credentials)


def test_on_another_server_the_token_is_that_servers_alone() -> None:
    env = {
        "UPSTREAMSYNC_TOKEN": "mine-1234",
        "GITHUB_TOKEN": "other",
        "GITHUB_API_URL": "http://127.0.0.1:8081/api/v3",
        "HOME": "/x",
    }
    credentials = Credentials.from_environment(env)
    assert credentials.for_url("http://127.0.0.1:8081/repos") == {"authorization": "Bearer mine-1234"}
    assert credentials.for_url("http://127.0.0.1:8082/repos") == {}
    assert credentials.for_url("https://api.github.com/x") == {}


def test_netrc(tmp_path: Path) -> None:
    file = tmp_path / ".netrc"
    file.write_text("machine charts.example.org login me password hidden-word\ndefault login x password y\n")
    file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    credentials = Credentials(netrc=file)
    assert credentials.for_url("https://charts.example.org/x") == {
        "authorization": f"Basic {encoded('me', 'hidden-word')}"
    }
    assert credentials.for_url("http://charts.example.org/x") == {}
    assert credentials.for_url("https://example.org/x") == {}
    broken = tmp_path / "broken"
    broken.write_text("machine")
    for path in (broken, tmp_path / "absent", tmp_path):
        assert Credentials(netrc=path).for_url("https://charts.example.org/x") == {}


def test_registry_files_of_docker_and_helm(tmp_path: Path) -> None:
    docker = written(
        tmp_path / "docker.json",
        {
            "auths": {
                "https://index.docker.io/v1/": {"auth": encoded("hub", "hub-password")},
                "ghcr.io": {"auth": encoded("me", "pass:with:colons")},
                "plain.example.org": {"username": "u", "password": "plain-password"},
                "azure.example.org": {"auth": encoded("00000000", "x"), "identitytoken": "refresh-token"},
                "127.0.0.1:5000": {"auth": encoded("local", "local-password")},
                "bad.example.org": {"auth": "%%%"},
                "odd.example.org": 7,
            }
        },
    )
    helm = written(tmp_path / "helm.json", {"auths": {"ghcr.io": {"auth": encoded("helm", "helm-password")}}})
    one = Credentials(registries=(docker,))
    assert one.for_registry("registry-1.docker.io") == ("hub", "hub-password")
    assert one.for_registry("ghcr.io") == ("me", "pass:with:colons")
    assert one.for_registry("plain.example.org") == ("u", "plain-password")
    assert one.for_registry("azure.example.org") == ("<token>", "refresh-token")
    assert one.for_registry("127.0.0.1:5000") == ("local", "local-password")
    for host in ("127.0.0.1:5001", "bad.example.org", "odd.example.org", "absent.example.org"):
        assert one.for_registry(host) is None
    assert Credentials(registries=(helm, docker)).for_registry("ghcr.io") == ("helm", "helm-password")
    assert Credentials(registries=(tmp_path / "absent",)).for_registry("ghcr.io") is None


def test_credential_helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "bin" / "docker-credential-mine"
    helper.parent.mkdir()
    helper.write_text('#!/bin/sh\nread -r host\n[ "$host" = known.example.org ] || exit 1\n'
                      'echo "{\\"Username\\": \\"u\\", \\"Secret\\": \\"for-$host\\"}"\n')  # fmt: skip
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(helper.parent), prepend=":")
    by_host = written(
        tmp_path / "a.json", {"credHelpers": {"known.example.org": "mine", "x.example.org": "absent"}}
    )
    store = written(tmp_path / "b.json", {"credsStore": "mine"})
    evil = written(tmp_path / "c.json", {"credsStore": "../../bin/sh"})
    for file in (by_host, store):
        assert Credentials(registries=(file,)).for_registry("known.example.org") == (
            "u",
            "for-known.example.org",
        )
        assert Credentials(registries=(file,)).for_registry("x.example.org") is None
    assert Credentials(registries=(evil,)).for_registry("known.example.org") is None


def test_the_usual_places(tmp_path: Path) -> None:
    credentials = Credentials.from_environment({"HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path / "d")})
    assert credentials.netrc == tmp_path / ".netrc"
    assert credentials.registries == (
        tmp_path / ".config" / "helm" / "registry" / "config.json",
        tmp_path / "d" / "config.json",
    )
    assert credentials.tokens == {}


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("localhost.example.org", False),
        ("127.0.0.1.nip.io", False),
        ("10.0.0.1", False),
        ("", False),
        (None, False),
    ],
)
def test_loopback(host: str | None, loopback: bool) -> None:
    assert is_loopback(host) is loopback
