"""Canaries: a secret in every channel, and everything that was printed, written, cached and sent is searched."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from trust.matrix import manifest
from upstreamsync.testing import Fault, GitOps, World

pytestmark = pytest.mark.slow

CANARIES = {
    "token of the environment": "canary-env-token-3141592653",
    "password in an address": "canary-url/pass:word-271828",
    "password in a git address": "canary-git-password-161803",
    "password in netrc": "canary-netrc-password-141421",
    "password of a registry": "canary-docker-password-173205",
    "password in the remote": "canary-remote-password-223606",
    "webhook": "canary-webhook-path-244948",
}


def written(secret: str) -> set[bytes]:
    """The ways in which a secret may be written."""
    forms = {secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1]}
    found = {form.encode() for form in forms}
    for padding in range(3):  # wherever in base64 it begins
        packed = base64.b64encode(b"x" * padding + secret.encode())
        found.add(packed[4 if padding else 0 : -4])
    return found


@pytest.fixture
def team(tmp_path: Path, world: World) -> GitOps:
    """Vendors that need each of the secrets."""
    at = world.url.removeprefix("http://")
    for version in ("v1.0.0", "v1.1.0"):
        world.file(f"private/{version}/install.yaml", manifest(version, "private"))
        world.oci_chart("org/acme", version[1:], user="robot", password=CANARIES["password of a registry"])
        world.git("up").commit({"deploy/all.yaml": manifest(version, "up")}, tag=version)
    world.file("private/index.html", "<a>release v1.0.0</a><a>release v1.1.0</a>")
    world.protect("/private/", "ann", CANARIES["password in an address"])
    owner = f"http://ann:{quote(CANARIES['password in an address'], safe='')}@{at}"
    git_owner = f"http://bob:{CANARIES['password in a git address']}@{at}"
    page = {"url": f"{owner}/private/index.html", "pattern": "release (?P<version>v[0-9.]+)"}
    gitops = GitOps(tmp_path / "gitops", world)
    gitops.vendors(
        {"name": "private", "version": "v1.0.0", "base": "private/base", "releases": {"page": page},
         "source": {"url": f"{owner}/private/{{version}}/install.yaml"}},
        {"name": "chart", "version": "1.0.0", "base": "chart/base",
         "source": {"helm": {"repository": f"{world.oci_url}/org", "chart": "acme"}}},
        {"name": "up", "version": "v1.0.0", "base": "up/base",
         "source": {"git": {"repository": f"{git_owner}/git/up.git", "paths": ["deploy/*"]}}},
        forge={"webhook_env": "HOOK"},
    )  # fmt: skip
    gitops.write({"up/overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: our-\n"})
    remote = gitops.origin.url.replace("http://", f"http://carl:{CANARIES['password in the remote']}@")
    gitops.git("remote", "set-url", "origin", remote)
    gitops.commit()
    return gitops


def spoken(sent: list[tuple[str, str]]) -> str:
    """What the requests said, with passwords as they were before base64."""
    words = []
    for path, value in sent:
        scheme, _, rest = value.partition(" ")
        words += [path, base64.b64decode(rest).decode() if scheme == "Basic" else rest]
    return " ".join(words)


def surroundings(home: Path, world: World) -> dict[str, str]:
    at = world.url.removeprefix("http://")
    (home / ".docker").mkdir(parents=True)
    pair = base64.b64encode(f"robot:{CANARIES['password of a registry']}".encode()).decode()
    (home / ".docker/config.json").write_text(json.dumps({"auths": {at: {"auth": pair}}}))
    netrc = home / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login dora password {CANARIES['password in netrc']}\n")
    netrc.chmod(0o600)
    return {
        **{name: os.environ[name] for name in ("PATH", "HELM", "KUSTOMIZE") if name in os.environ},
        "HOME": str(home),
        "GITHUB_TOKEN": CANARIES["token of the environment"],
        "GITHUB_API_URL": f"{world.url}/api/v3",
        "GITHUB_REPOSITORY": "acme/gitops",
        "HOOK": f"{world.url}/hooks/{CANARIES['webhook']}",
        "GITHUB_STEP_SUMMARY": str(home / "summary"),
        "UPSTREAMSYNC_CACHE": str(home / "cache"),
        "NO_COLOR": "1",
    }


def test_no_secret_is_printed_written_cached_or_sent_elsewhere(team: GitOps, tmp_path: Path, world: World):
    home = tmp_path / "home"
    environment = surroundings(home, world)
    printed: dict[str, bytes] = {}

    def run(*words: str) -> int:
        done = subprocess.run(
            [sys.executable, "-m", "upstreamsync", *words, "-v"],
            cwd=team.path, env=environment, capture_output=True, check=False,
        )  # fmt: skip
        printed[f"{len(printed)} {' '.join(words)}"] = done.stdout + done.stderr
        return done.returncode

    forms = ("text", "json", "markdown", "github")
    for form in forms:
        assert run("check", "--format", form) == 0, printed
        assert run("update", "--dry-run", "--format", form) == 0, printed
    assert run("pr", "--format", "json") == 0, printed
    assert run("doctor", "--format", "json") == 0
    assert run("update") == 0, printed
    for form in forms:
        assert run("verify", "--format", form) == 0
    assert world.count("/hooks/") >= 0
    faults = (Fault.status(403), Fault.redirect(), Fault.body(b"<html>no</html>"))
    for fault in faults:
        for path in ("/private/*", "/v2/*", "/token", "/git/*"):
            world.fault(path, fault, times=None if fault.kind != "redirect" else 1)
        run("check", "--no-cache", "--format", "json")
        run("update", "--no-cache", "--locked")
        run("pr", "--no-cache", "--format", "github")
        world.heal()
    planted = {team.path / "vendors.yaml", team.path / ".git/config"}
    places = {f"printed by {words}": text for words, text in printed.items()}
    for folder in (team.path, home / "cache", team.origin.path):
        places.update(
            {
                str(file): file.read_bytes()
                for file in folder.rglob("*")
                if file.is_file() and file not in planted
            }
        )
    places["summary"] = (home / "summary").read_bytes()
    places["pull requests"] = "".join(
        f"{pull.title}{pull.body}" for pull in team.github.pulls("open")
    ).encode()  # type: ignore[union-attr]
    elsewhere = [one for one in world.requests if one.host.startswith("localhost")]
    places["sent to another host"] = repr(
        [(one.path, dict(one.query), dict(one.headers)) for one in elsewhere]
    ).encode()
    assert elsewhere
    assert len(places) > 50
    found = [
        f"{what} in {place}"
        for what, secret in CANARIES.items()
        for place, data in places.items()
        if any(form in data for form in written(secret))
    ]
    assert found == [], "\n".join(found)
    sent = [(one.path, one.headers.get("authorization", "")) for one in world.requests]
    unused = [what for what, secret in CANARIES.items() if secret not in spoken(sent)]
    # The token of the environment is for the same host here, and comes before these two: they are read alone.
    assert unused == ["password in netrc", "password in the remote"]
