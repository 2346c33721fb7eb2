"""The bodies of three real updates, as people would read them: built, judged and reviewed for real.

Set UPDATE_GOLDEN=1 to write the files anew, and read the difference before committing it.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from upstreamsync.config.load import parse_configuration
from upstreamsync.errors import ToolMissing
from upstreamsync.forge import build_proposal
from upstreamsync.kit.run.engines import Engines
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Change, Edited, Place, Release, Review
from upstreamsync.review import find_readers, reading, review
from upstreamsync.testing import kustomization, write_files
from upstreamsync.verify import verify_trees

HERE = Path(__file__).parent
WORLD = Path(os.environ.get("UPSTREAM_WORLD") or HERE.parents[2] / "shared" / "upstream-world")
ASSETS = WORLD / "data" / "base" / "assets"
NOTES = """\
## Breaking changes
* The old flag is gone, see https://github.com/example/project/pull/7 by @somebody (fixes #6).

<details><summary>All changes</summary>

```
a fence that is left open
"""

pytestmark = [
    pytest.mark.world,
    pytest.mark.slow,
    pytest.mark.skipif(
        not ASSETS.is_dir(), reason=f"no real upstream content at {ASSETS} (set UPSTREAM_WORLD)"
    ),
]

ARGOCD = {
    "argocd/base/kustomization.yaml": kustomization(
        namespace="argocd",
        resources=["upstream"],
        images=[{"name": "quay.io/argoproj/argocd", "newTag": "v3.2.7"}],
        patches=[
            {"path": "server-resources.yaml"},
            {
                "target": {"kind": "Deployment", "name": "argocd-repo-server"},
                "patch": "- op: replace\n  path: /spec/template/spec/initContainers/0/command/1\n  value: -f\n",
            },
        ],
    ),
    "argocd/base/server-resources.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: argocd-server
spec:
  template:
    spec:
      containers:
      - name: argocd-server
        resources:
          limits: {memory: 512Mi}
""",
    "argocd/overlays/prod/kustomization.yaml": kustomization(
        resources=["../../base"], replicas=[{"name": "argocd-server", "count": 3}]
    ),
    "argocd/overlays/stage/kustomization.yaml": kustomization(resources=["../../base"]),
    "apps/argocd.yaml": """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: argocd, namespace: argocd}
spec:
  project: default
  source: {repoURL: https://git.example.com/gitops, path: argocd/overlays/prod, targetRevision: main}
  destination: {namespace: argocd, server: https://kubernetes.default.svc}
""",
}
CERT_MANAGER = {
    "cert-manager/base/kustomization.yaml": kustomization(
        resources=["upstream"],
        patches=[
            {
                "patch": "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n"
                "  name: cert-manager-cert-manager-tokenrequest\n  namespace: cert-manager\n"
                "  labels: {team: platform}\n"
            },
            {
                "target": {"kind": "Deployment"},
                "patch": "- op: add\n  path: /spec/template/spec/priorityClassName\n  value: system-cluster-critical\n",
            },
        ],
    ),
    "cert-manager/overlays/prod/kustomization.yaml": kustomization(resources=["../../base"]),
}
METALLB = {
    "metallb/base/kustomization.yaml": kustomization(
        resources=["upstream"],
        patches=[
            {
                "target": {"kind": "Secret", "name": "webhook-server-cert"},
                "patch": "- op: add\n  path: /metadata/annotations\n  value: {example.com/keep: 'true'}\n",
            },
            {
                "target": {"kind": "DaemonSet", "name": "speaker"},
                "patch": "- op: add\n  path: /spec/template/spec/priorityClassName\n  value: system-node-critical\n",
            },
        ],
    ),
    "metallb/overlays/prod/kustomization.yaml": kustomization(resources=["../../base"]),
}
CASES = {
    "argocd": ("argoproj/argo-cd", "install.yaml", "v3.2.7", "v3.4.7", ARGOCD),
    "cert-manager": ("cert-manager/cert-manager", "cert-manager.yaml", "v1.17.4", "v1.20.2", CERT_MANAGER),
    "metallb": ("metallb/metallb", "metallb-native.yaml", "v0.14.0", "v0.15.3", METALLB),
}


@pytest.fixture(scope="module")
def kustomize():
    try:
        return Engines().kustomize()
    except ToolMissing as error:
        pytest.fail(f"{error}: {error.hint}")


def proposal_of(name: str, tmp_path: Path, kustomize):
    repository, file, before, after, local = CASES[name]
    upstream = f"{name}/base/upstream/{file}"
    document = yaml.safe_dump(
        {
            "version": 1,
            "vendors": [
                {
                    "name": name,
                    "version": before,
                    "source": {
                        "url": f"https://github.com/{repository}/releases/download/{{version}}/{file}"
                    },
                    "releases": {"github": repository},
                    "base": f"{name}/base/upstream",
                }
            ],
        },
        sort_keys=False,
    )
    common = {
        **local,
        "vendors.yaml": document,
        f"{name}/base/upstream/kustomization.yaml": kustomization(resources=[file]),
    }
    edits = ()
    follow = {}
    if name == "argocd":
        path = "argocd/base/kustomization.yaml"
        follow = {path: local[path].replace("v3.2.7", "v3.4.7").encode()}
        what = "images[quay.io/argoproj/argocd].newTag"
        edits = (Edited(place=Place(file=path, line=8), what=what, before=before, after=after),)
    content = {version: (ASSETS / repository / version / file).read_bytes() for version in (before, after)}
    old, new = tmp_path / "old", tmp_path / "new"
    write_files(old, {**common, upstream: content[before]})
    write_files(new, {**common, upstream: content[after], **follow})
    verification = verify_trees(old, new, kustomize=kustomize)
    # The words depend on what is built, not on which kustomize is found here.
    verification = replace(verification, engine="kustomize")
    readers = find_readers((path, data.encode()) for path, data in local.items())
    reviews = []
    for overlay in verification.overlays:
        path, builds = overlay.path, overlay.before.ok and overlay.after.ok
        if builds:
            sides = [kustomize.build(side / path, root=side) for side in (old, new)]
        else:
            # What an overlay that does not build would do is unknown; what upstream changed is not.
            path, sides = f"{name}/base/upstream", [content[before], content[after]]
        objects = [manifests.objects(side) for side in sides]
        reviews.append(review(path, *objects, applications=reading(readers, overlay.path)))
    change = Change(
        vendor=name,
        before=before,
        after=after,
        release=Release(
            version=after,
            ref=after,
            page=f"https://github.com/{repository}/releases/tag/{after}",
            notes=NOTES,
        ),
        base_files={upstream: content[after], "vendors.yaml": document.replace(before, after).encode()},
        edit_files=follow,
        edits=edits,
        bases=(f"{name}/base/upstream",),
    )
    return build_proposal(
        [change],
        verification,
        Review(overlays=tuple(reviews)),
        configuration=parse_configuration(document.encode(), path=old / "vendors.yaml"),
        base_commit="0" * 40,
        read=lambda path: (old / path).read_bytes() if (old / path).is_file() else None,
    )


def unfolded_words(body: str) -> int:
    """How many words a reader sees before opening anything."""
    text = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    while (shorter := re.sub(r"<details>(?:(?!<details>).)*?</details>", "", text, flags=re.DOTALL)) != text:
        text = shorter
    return len(re.findall(r"\w[\w./:@-]*", re.sub(r"\(https?://[^)]*\)", "", text)))


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_body_of_a_real_update(name, tmp_path, kustomize):
    proposal = proposal_of(name, tmp_path, kustomize)
    golden = HERE / "golden" / f"{name}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(proposal.body, encoding="utf-8")
    assert proposal.body == golden.read_text(encoding="utf-8")
    # Read in a minute, and small: facts about the difference, not upstream's text.
    assert unfolded_words(proposal.body) < 260
    assert len(proposal.body) < 24_000
