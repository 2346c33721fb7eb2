"""Kustomizations of strangers: by every kind of source, in every spelling, inline and in files.

Nothing of what they name is fetched, read or run: not when a vendor is updated, not when a pull request is made,
and not when a stranger's pull request is verified.
"""

from __future__ import annotations

import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path

import pytest

from upstreamsync.model import Verdict
from upstreamsync.project import Settings, open_project
from upstreamsync.testing import GitOps, World, tarball, write_files
from upstreamsync.verify import verify_trees

pytestmark = pytest.mark.slow

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\ndata: {v: '1'}\n"
FETCHED = "SECRET-OF-AN-INTERNAL-SERVICE"
GENERATOR = (
    "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nname: g\nfiles: ['m=URL/latest']\n"
)
PATCH = "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npath: 'URL/x.yaml'\n"


def block(field: str, text: str) -> str:
    return f"resources: [a.yaml]\n{field}:\n- |-\n" + "".join(f"    {line}\n" for line in text.splitlines())


#: URL is a service inside, MARK a file that a program would make.
FORMS: dict[str, tuple[str, Mapping[str, str]]] = {
    "resource": ("resources: [a.yaml, 'URL/x.yaml']\n", {}),
    "another case": ("Resources: [a.yaml, 'URL/x.yaml']\n", {}),
    "both cases": ("RESOURCES: ['URL/x.yaml']\nresources: [a.yaml]\n", {}),
    "merged": ("resources: [a.yaml]\n<<: {resources: ['URL/x.yaml']}\n", {}),
    "component": ("resources: [a.yaml]\ncomponents: ['URL/up.git//part?ref=v1']\n", {}),
    "patch": ("resources: [a.yaml]\nPatches: [{Path: 'URL/x.yaml', target: {kind: ConfigMap}}]\n", {}),
    "generator's file": ("resources: [a.yaml]\nconfigMapGenerator: [{name: g, files: ['m=URL/x']}]\n", {}),
    "inline generator": (block("generators", GENERATOR), {}),
    "inline transformer": (block("transformers", PATCH), {}),
    "a file outside": (block("generators", GENERATOR.replace("URL/latest", "../../../../etc/passwd")), {}),
    "an absolute path": (block("generators", GENERATOR.replace("URL/latest", "/etc/passwd")), {}),
    "generator in a file": ("resources: [a.yaml]\ngenerators: [g.yaml]\n", {"g.yaml": GENERATOR}),
    "generator in a folder": (
        "resources: [a.yaml]\ngenerators: [g]\n",
        {"g/kustomization.yaml": "resources: [one.yaml]\n", "g/one.yaml": GENERATOR},
    ),
    "transformer in a file": ("resources: [a.yaml]\ntransformers: [t.yaml]\n", {"t.yaml": PATCH}),
    "function": (
        block(
            "transformers",
            "apiVersion: x/v1\nkind: T\nmetadata:\n  name: t\n  annotations:\n"
            "    config.kubernetes.io/function: 'exec: {path: ./run.sh}'\n",
        ),
        {"run.sh": "#!/bin/sh\ntouch MARK\n"},
    ),
    "a chart that is fetched": (
        "resources: [a.yaml]\nhelmCharts: [{name: x, repo: 'URL', version: 1.0.0, releaseName: r}]\n",
        {},
    ),
    "an option that runs": (
        "resources: [a.yaml]\nHelmCharts: [{name: x, releaseName: '--post-renderer=/bin/sh'}]\n",
        {
            "charts/x/Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\n",
            "charts/x/values.yaml": "a: 1\n",
            "charts/x/templates/a.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: $(touch MARK)}\n",
        },
    ),
    "an option that reads": (
        "resources: [a.yaml]\nhelmCharts: [{name: x, releaseName: '--set-file=s=/etc/passwd'}]\n",
        {
            "charts/x/Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\n",
            "charts/x/values.yaml": "a: 1\n",
            "charts/x/templates/a.yaml": "{{ fail (.Values.s | b64enc) }}\n",
        },
    ),
    "a plugin that inflates": (
        block(
            "generators",
            "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: h}\n"
            "name: x\nrepo: URL\nversion: 1.0.0\n",
        ),
        {},
    ),
}


class Inside:
    """Stands for a service that only the runner can reach; records who asks."""

    def __init__(self) -> None:
        hits = self.hits = []  # type: list[str]

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hits.append(self.path)
                body = GOOD.replace("'1'", FETCHED).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def inside() -> Iterator[Inside]:
    made = Inside()
    yield made
    made.server.shutdown()
    made.server.server_close()


# -- kinds of sources: how files come to a base ------------------------------------------------------

Files = Mapping[str, str]
Publish = Callable[[World, str, Files], Mapping[str, object]]


def by_git(world: World, version: str, files: Files) -> Mapping[str, object]:
    repository = world.git("up")
    repository.commit({f"deploy/{path}": text for path, text in files.items()}, tag=version)
    return {"source": {"git": {"repository": repository.url, "paths": ["deploy/**"], "strip": 1}}}


def by_kustomize(world: World, version: str, files: Files) -> Mapping[str, object]:
    by_git(world, version, files)
    url = world.git("up").url
    return {"source": {"kustomize": {"repository": url, "path": "deploy"}}, "releases": {"git": url}}


def _page(world: World, version: str) -> Mapping[str, object]:
    versions = ["v1.0.0", version]
    page = world.file("index.html", "".join(f"<a>up {one}</a>" for one in versions))
    return {"releases": {"page": {"url": page, "pattern": "up (?P<version>v[0-9.]+)"}}}


def by_archive(world: World, version: str, files: Files) -> Mapping[str, object]:
    data = tarball({f"deploy/{path}": text for path, text in files.items()})
    world.file(f"{version}/all.tar.gz", data)
    source = {"archive": {"url": f"{world.url}/{{version}}/all.tar.gz", "paths": ["deploy/**"], "strip": 1}}
    return {"source": source, **_page(world, version)}


def by_url(world: World, version: str, files: Files) -> Mapping[str, object]:
    for path, text in files.items():
        world.file(f"{version}/{path}", text)
    source = {"url": {path: f"{world.url}/{{version}}/{path}" for path in files}}
    return {"source": source, **_page(world, version)}


def by_docs(world: World, version: str, files: Files) -> Mapping[str, object]:
    parts = (f"<h2>{path}</h2><pre><code>{escape(text)}</code></pre>" for path, text in files.items())
    world.file(f"{version}/docs.html", f"<html><body>{''.join(parts)}</body></html>")
    blocks = [{"file": path, "heading": path} for path in files]
    source = {"docs": {"url": f"{world.url}/{{version}}/docs.html", "blocks": blocks}}
    return {"source": source, **_page(world, version)}


def by_command(world: World, version: str, files: Files) -> Mapping[str, object]:
    world.file(f"{version}/all.tar.gz", tarball({f"out/{path}": text for path, text in files.items()}))
    fetch = {"all.tar.gz": f"{world.url}/{{version}}/all.tar.gz"}
    source = {"command": {"run": ["true"], "fetch": fetch, "outputs": ["out/**"]}}
    return {"source": source, **_page(world, version)}


def by_helm(world: World, version: str, files: Files) -> Mapping[str, object]:
    """A chart whose output is a kustomization: of the others only what stands in that file."""
    text = files["kustomization.yaml"]
    world.chart("charts", "up", version.removeprefix("v"), files={"templates/a.yaml": text})
    source = {"helm": {"repository": f"{world.url}/charts", "chart": "up"}, "file": "kustomization.yaml"}
    return {"source": source}


KINDS: dict[str, Publish] = {
    "git": by_git, "archive": by_archive, "url": by_url, "docs": by_docs, "command": by_command,
    "helm": by_helm, "kustomize": by_kustomize,
}  # fmt: skip
#: Forms that helm does not let through, as its output has to be YAML without repeated keys.
NOT_BY_HELM = ("merged",)


def hostile(form: str, inside: Inside, mark: Path) -> dict[str, str]:
    text, more = FORMS[form]
    files = {"kustomization.yaml": text, "a.yaml": GOOD, **more}
    return {path: data.replace("URL", inside.url).replace("MARK", str(mark)) for path, data in files.items()}


def repository(root: Path, world: World, publish: Publish, files: Files) -> GitOps:
    """A repository that vendors a harmless version, where a hostile one has come out since."""
    publish(world, "v1.0.0", dict.fromkeys(files, GOOD) | {"kustomization.yaml": "resources: [a.yaml]\n"})
    vendor = publish(world, "v1.1.0", files)
    gitops = GitOps(root, world)
    helm = "helm" in vendor["source"]  # type: ignore[operator]
    gitops.vendors({"name": "up", "version": "1.0.0" if helm else "v1.0.0", "base": "up/base", **vendor})
    gitops.write(
        {
            "up/base/kustomization.yaml": "resources: [a.yaml]\n",
            "up/base/a.yaml": GOOD,
            "up/base/up.yaml": GOOD.replace("good", "built"),
            "up/overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: our-\n",
        }
    )
    gitops.commit()
    return gitops


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_an_update_refuses_it_and_says_where(
    form: str, kind: str, tmp_path: Path, world: World, inside: Inside
) -> None:
    if kind == "helm" and (FORMS[form][1] or form in NOT_BY_HELM):
        form = "resource"
    mark = tmp_path / "mark"
    inside.hits.clear()
    gitops = repository(tmp_path / "repo", world, KINDS[kind], hostile(form, inside, mark))
    before = gitops.files()
    settings = Settings(cache_folder=tmp_path / "cache", allow_commands=True)
    with open_project(gitops.path, settings=settings) as project:
        update = project.update().updates[0]
    error = update.error
    assert error is not None, update
    assert error.kind == "refused", error
    assert re.search(r"(kustomization|g|t|one)\.yaml:\d+: ", error.message), error.message
    assert error.hint
    assert inside.hits == []
    assert not mark.exists()
    assert gitops.files() == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["inline generator", "an option that runs"])
def test_a_pull_request_is_not_made_of_it(
    form: str, kind: str, tmp_path: Path, world: World, inside: Inside
) -> None:
    if kind == "helm":
        form = "inline generator"
    mark = tmp_path / "mark"
    inside.hits.clear()
    gitops = repository(tmp_path / "repo", world, KINDS[kind], hostile(form, inside, mark))
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HELM", "KUSTOMIZE") if name in os.environ},
        "HOME": str(tmp_path),
        "UPSTREAMSYNC_CACHE": str(tmp_path / "cache"),
        "GITHUB_TOKEN": "ghs_CANARY0123456789abcdefghij",
        "GITHUB_API_URL": world.github.url,
        "GITHUB_REPOSITORY": "acme/gitops",
    }
    done = subprocess.run(
        [sys.executable, "-m", "upstreamsync", "pr", "--allow-commands"],
        cwd=gitops.path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "kustomization.yaml:" in done.stdout + done.stderr
    assert "CANARY" not in done.stdout + done.stderr
    assert gitops.github.pulls("open") == []
    assert inside.hits == []
    assert not mark.exists()


@pytest.mark.parametrize("place", ["overlay", "base"])
@pytest.mark.parametrize("form", FORMS)
def test_verifying_a_stranger_s_change_asks_and_runs_nothing(
    form: str, place: str, tmp_path: Path, inside: Inside
) -> None:
    """``verify`` as CI runs it on forks: the change may be to the base, or to an overlay."""
    mark = tmp_path / "mark"
    inside.hits.clear()
    plain = {
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "base/a.yaml": GOOD,
        "overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: our-\n",
    }
    changed = {f"{place}/{path}": text for path, text in hostile(form, inside, mark).items()}
    if place == "overlay":
        name = "overlay/kustomization.yaml"
        changed[name] = changed[name].replace("[a.yaml", "[a.yaml, ../base")
        changed["overlay/a.yaml"] = GOOD.replace("good", "own")
    write_files(tmp_path / "before", plain)
    write_files(tmp_path / "after", {**plain, **changed})
    found = verify_trees(tmp_path / "before", tmp_path / "after", ["overlay"], upstream=["base"])
    said = repr(found)
    assert inside.hits == []
    assert not mark.exists()
    assert FETCHED not in said
    assert "root:" not in said
    worst = {item.verdict for item in found.items}
    assert worst & {Verdict.UNJUDGED, Verdict.FAILS}, found.items


def test_what_is_allowed_by_name_is_vendored_and_still_not_fetched(
    tmp_path: Path, world: World, inside: Inside
) -> None:
    inside.hits.clear()
    files = hostile("resource", inside, tmp_path / "mark")

    def publish(world: World, version: str, files: Files) -> Mapping[str, object]:
        vendor = by_git(world, version, files)
        return {"source": {**vendor["source"], "allow": ["remote"]}}  # type: ignore[dict-item]

    gitops = repository(tmp_path / "repo", world, publish, files)
    settings = Settings(cache_folder=tmp_path / "cache")
    with open_project(gitops.path, settings=settings) as project:
        changes = project.update()
        assert changes.updates[0].error is None
        changes.write()
    assert inside.url.encode() in gitops.files("up/base")["kustomization.yaml"]
    assert inside.hits == []
