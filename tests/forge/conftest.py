"""A story: a user's repository with vendors, a GitHub, and runs of the forge layer on it, one after another.

Base layers here are small files of our own making, so that each story is about manners alone. After every
run the user's checkout, index, HEAD, branches, worktrees and git folder have to be what they were.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import yaml

from upstreamsync.config.load import parse_configuration
from upstreamsync.errors import RepositoryError
from upstreamsync.forge import Outcome, build_proposal, group_changes, open_forge, reader, submit
from upstreamsync.kit.git.repository import Repository
from upstreamsync.model import (
    Build,
    Change,
    Edited,
    Judgement,
    OverlayVerification,
    Place,
    Proposal,
    PullRequest,
    Release,
    Review,
    Severity,
    Verdict,
    Verification,
)

BOT = "upstreamsync@users.noreply.github.com"


def judgement(
    verdict: str = "ok", severity: str = "none", item: str = "apps/prod: patches[0]", **fields: Any
):
    """One verdict."""
    given = {
        "item": item,
        "kustomization": "apps/prod",
        "field": "patches",
        "key": "0",
        "file": "apps/prod/kustomization.yaml",
        "line": 7,
        "verdict": Verdict(verdict),
        "severity": Severity(severity),
        "reason": None,
        **fields,
    }
    return Judgement(**given)


def verification(*items: Judgement) -> Verification:
    """A verification of one overlay that builds."""
    overlay = OverlayVerification(path="apps/prod", before=Build(ok=True), after=Build(ok=True), items=items)
    return Verification(overlays=(overlay,), engine="kustomize 5.7.1")


GOOD = verification(judgement())
BAD = verification(
    judgement(
        "lost", "silent-break", why="its target is gone", hint="aim it at `new-name`", reason="target_gone"
    )
)


@dataclass
class Story:
    """One repository over several runs."""

    gitops: Any
    world: Any
    monkeypatch: Any
    environment: dict[str, str] = field(default_factory=dict)
    vendor_fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    forge_fields: dict[str, Any] = field(default_factory=dict)
    kind: str = "github"
    wrap: Any = None

    # -- the user's side

    def begin(self, *names: str, **fields: dict[str, Any]) -> None:
        """The first commit: vendors.yaml, and a base at v1.0.0 for each vendor."""
        self.vendor_fields = {name: fields.get(name, {}) for name in names}
        files: dict[str, Any] = {"vendors.yaml": self.document(dict.fromkeys(names, "v1.0.0"))}
        for name in names:
            files[f"{name}/upstream/install.yaml"] = self.content(name, "v1.0.0")
            files[f"{name}/{name}.lock.yaml"] = f"vendor: {name}\nversion: v1.0.0\n"
            files[f"{name}/kustomization.yaml"] = f"images:\n- name: {name}\n  newTag: v1.0.0\n"
        self.gitops.write(files)
        self.gitops.commit("Vendor things")

    def document(self, versions: dict[str, str]) -> str:
        vendors = [
            {
                "name": name,
                "version": version,
                "source": {"url": f"https://example.com/{name}/{{version}}/install.yaml"},
                "releases": {"github": f"up/{name}"},
                "base": f"{name}/upstream",
                **self.vendor_fields.get(name, {}),
            }
            for name, version in versions.items()
        ]
        top = {"version": 1, **({"forge": self.forge_fields} if self.forge_fields else {})}
        return yaml.safe_dump({**top, "vendors": vendors}, sort_keys=False)

    @staticmethod
    def content(name: str, version: str) -> str:
        return (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n"
            f"  name: {name}\nspec:\n  template:\n    spec:\n      containers:\n"
            f"      - name: {name}\n        image: example.com/{name}:{version}\n"
        )

    # -- what the layers below would compute

    def tip(self) -> str:
        return self.gitops.origin.sha("main")

    def read(self, path: str) -> bytes | None:
        return self.repository.read(self.base_commit(), path)

    @property
    def repository(self) -> Repository:
        return Repository.open(self.gitops.path)

    def base_commit(self) -> str:
        if self.kind == "local":
            return self.repository.head()
        try:
            return self.repository.resolve(self.tip())
        except RepositoryError:
            return self.repository.fetch("origin", "main")

    def configuration(self):
        text = self.read("vendors.yaml") or b""
        return parse_configuration(text, path=self.gitops.path / "vendors.yaml")

    def version_of(self, name: str) -> str:
        return self.configuration().vendor(name).version

    def change(self, name: str, to: str, *, content: str | None = None, edits: bool = False) -> Change:
        before = self.version_of(name)
        text = (self.read("vendors.yaml") or b"").decode()
        line = re.compile(rf"(name: {name}\n\s+version: )\S+")
        kustomization = (self.read(f"{name}/kustomization.yaml") or b"").decode()
        edited = re.sub(r"newTag: \S+", f"newTag: {to}", kustomization).encode()
        place = Place(file=f"{name}/kustomization.yaml", line=3)
        return Change(
            vendor=name,
            before=before,
            after=to,
            release=Release(version=to, ref=to, page=f"https://github.com/up/{name}/releases/tag/{to}"),
            base_files={
                f"{name}/upstream/install.yaml": (content or self.content(name, to)).encode(),
                f"{name}/{name}.lock.yaml": f"vendor: {name}\nversion: {to}\n".encode(),
                "vendors.yaml": line.sub(rf"\g<1>{to}", text).encode(),
            },
            edit_files={f"{name}/kustomization.yaml": edited} if edits else {},
            edits=(Edited(place=place, what="images[0].newTag", before=before, after=to),) if edits else (),
            bases=(f"{name}/upstream",),
        )

    def proposal(self, *changes: Change, judged: Verification = GOOD, key: str | None = None) -> Proposal:
        base, repository = self.base_commit(), self.repository
        return build_proposal(
            changes,
            judged,
            Review(),
            configuration=self.configuration(),
            base_commit=base,
            read=reader(repository, base, changes),
            key=key,
        )

    # -- runs

    def forge(self):
        environment = {"GITHUB_TOKEN": "any", "GITHUB_API_URL": self.world.github.url, **self.environment}
        environment.setdefault("GITHUB_REPOSITORY", "acme/gitops")
        forge = open_forge(
            self.kind,
            repository=self.repository,
            configuration=self.configuration(),
            environment=environment,
            pace=0,
        )
        return self.wrap(forge) if self.wrap else forge

    def run(
        self,
        wanted: dict[str, str] | None = None,
        *,
        judged: Verification = GOOD,
        settled: dict[str, str] | None = None,
        edits: bool = False,
        content: str | None = None,
        page: str = "",
        **options: Any,
    ) -> Outcome:
        """Propose ``wanted`` (vendor → version), with everything else settled at its version."""
        before = self.footprint()
        forge = self.forge()
        if self.kind == "github":
            assert forge.base(None).commit == self.tip()
        changes = [self.change(name, to, edits=edits, content=content) for name, to in (wanted or {}).items()]
        configuration = self.configuration()
        proposals = [
            replace(self.proposal(*members, judged=judged, key=key), page=page)
            for key, members in group_changes(changes, configuration)
        ]
        if settled is None:
            settled = {vendor.name: str(vendor.version) for vendor in configuration.vendors}
        try:
            return submit(
                proposals,
                forge=forge,
                repository=self.repository,
                configuration=configuration,
                settled=settled,
                **options,
            )
        finally:
            assert self.footprint() == before

    def one(self, wanted: dict[str, str], **options: Any) -> PullRequest:
        """The one result of a run."""
        (result,) = self.run(wanted, **options).pull_requests
        return result

    def footprint(self) -> dict[str, Any]:
        """Everything of the user's that a run must leave alone, and traces that it must not leave."""
        folder = self.gitops.path / ".git"
        # The texts of --forge local and the branches beside them are what that forge is for.
        ours = ("upstreamsync",) if self.kind == "local" else ()
        refs = self.gitops.git("for-each-ref").splitlines()
        return {
            "head": (folder / "HEAD").read_bytes(),
            "index": (folder / "index").read_bytes(),
            "files": self.gitops.files(),
            "status": self.gitops.status(),
            "refs": [ref for ref in refs if not (ours and "refs/heads/upstreamsync/" in ref)],
            "worktrees": self.gitops.git("worktree", "list"),
            "git folder": sorted(
                path.name
                for path in folder.iterdir()
                if path.name not in (*ours, "objects", "upstreamsync.lock", "logs", "packed-refs")
            ),
        }

    # -- the forge's side

    @property
    def hub(self):
        return self.gitops.github

    @property
    def pull(self):
        """The only open pull request."""
        (found,) = self.hub.pulls("open")
        return found

    def head(self, branch: str = "upstreamsync/app") -> str | None:
        return self.gitops.origin.branches().get(branch)

    def human_commit(self, branch: str = "upstreamsync/app") -> str:
        return self.hub.push_commit_as_human(branch, {"app/fix.yaml": "fixed: true\n"})

    def writes(self) -> list[str]:
        """Requests that change something at GitHub, and pushes, since the last look."""
        found = [
            f"{each.method} {each.path}"
            for each in self.world.requests
            if each.method != "GET" and not each.path.endswith("git-upload-pack")
        ]
        self.world.requests.clear()
        return found


@pytest.fixture
def story(gitops, world, monkeypatch):
    """A story on GitHub, with the vendor ``app`` at v1.0.0."""
    made = Story(gitops=gitops, world=world, monkeypatch=monkeypatch)
    made.begin("app")
    made.writes()
    return made


@pytest.fixture
def make_story(gitops, world, monkeypatch):
    """A story that begins as the test says."""

    def make(*names: str, kind: str = "github", forge: dict[str, Any] | None = None, **fields: Any) -> Story:
        made = Story(gitops=gitops, world=world, monkeypatch=monkeypatch, kind=kind, forge_fields=forge or {})
        made.begin(*names, **fields)
        made.writes()
        return made

    return make


@pytest.fixture
def judged():
    """Builders of verdicts: ``judged.good``, ``judged.bad``, ``judged.of(item, ...)``, ``judged.item(...)``."""

    class Judged:
        good, bad = GOOD, BAD
        of = staticmethod(verification)
        item = staticmethod(judgement)

    return Judged
