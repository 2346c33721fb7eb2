"""The example GitOps repository: a vendors.yaml, and a team's own overlays over ten bases."""

from __future__ import annotations

import sys

_KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


def repository_files(world_url: str, oci_url: str, *, generators: bool = True) -> dict[str, str]:
    """Path → text of the repository's files, before anything is vendored.

    ``generators``: with the vendor that needs ``--allow-commands``.
    """
    vendors = _vendors(world_url, oci_url) + (_generator(world_url) if generators else "")
    files = {"vendors.yaml": vendors, "README.md": "# An example GitOps repository\n"}
    for name in ("beacon", "weir", "signpost", "millrace", "pier", "almanac"):
        files[f"{name}/overlay/kustomization.yaml"] = (
            f"{_KUSTOMIZATION}namespace: apps\nresources:\n  - ../base\n"
        )
    files |= {
        "lantern/overlay/kustomization.yaml": _overlay("patches:\n  - path: memory.yaml\n"),
        "lantern/overlay/memory.yaml": _memory_patch("lantern", "lantern", "256Mi"),
        "courier/overlay/kustomization.yaml": _overlay("replicas:\n  - name: courier\n    count: 3\n"),
        "courier/values.yaml": "service:\n  port: 8443\n",
        "turnstile/overlay/kustomization.yaml": _overlay(
            "images:\n"
            "  - name: quay.io/example/turnstile  # our mirror, scanned\n"
            "    newName: registry.example.com/mirror/turnstile\n"
            "    newTag: v2.3.0\n"
        ),
        "orchard/overlay/kustomization.yaml": _overlay(
            "patches:\n"
            "  - target: {kind: Deployment, name: orchard}\n"
            "    patch: |-\n"
            "      - op: replace\n"
            "        path: /spec/template/spec/containers/0/resources/limits/memory\n"
            "        value: 512Mi\n"
        ),
        "granary/overlay/kustomization.yaml": _overlay("patches:\n  - path: memory.yaml\n"),
        "granary/overlay/memory.yaml": _memory_patch("granary", "granary", "128Mi"),
    }
    return files


def _overlay(rest: str) -> str:
    return f"{_KUSTOMIZATION}namespace: apps\nresources:\n  - ../base\n{rest}"


def _memory_patch(name: str, container: str, memory: str) -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  template:
    spec:
      containers:
        - name: {container}
          resources:
            limits:
              memory: {memory}
"""


def _vendors(world: str, oci: str) -> str:
    return _charts_and_assets(world, oci) + _pages_and_repositories(world)


def _charts_and_assets(world: str, oci: str) -> str:
    return f"""\
# Off-the-shelf configuration of this repository. Each vendor owns its `base` folder.
version: 1
tools: {{helm: 4.1.4, kustomize: 5.7.1}}
vendors:
  - name: lantern          # a chart from an HTTP repository
    version: 1.4.0
    source:
      helm: {{repository: {world}/charts, chart: lantern, namespace: apps}}
    base: lantern/base

  - name: courier          # a chart from an OCI registry, with our values
    version: 0.9.0
    source:
      helm: {{repository: {oci}/charts, chart: courier, values: [courier/values.yaml]}}
    base: courier/base
    layout: per-resource

  - name: beacon           # a chart in a git repository
    version: v3.1.0
    source:
      helm: {{git: {world}/git/beacon.git, path: deploy/chart}}
    base: beacon/base

  - name: turnstile        # an asset of a GitHub release
    version: v2.3.0
    source:
      url: {world}/example/turnstile/releases/download/{{version}}/install.yaml
    releases: {{github: example/turnstile}}
    base: turnstile/base
    edits:                 # our mirror's tag follows
      - {{file: turnstile/overlay/kustomization.yaml, image: quay.io/example/turnstile, tag: "{{version}}"}}

  - name: weir             # two raw files, versions from GitHub tags
    version: v1.0.0
    source:
      url:
        deployment.yaml: {world}/raw/weir/{{version}}/deployment.yaml
        settings.yaml: {world}/raw/weir/{{version}}/settings.yaml
    releases: {{github_tags: example/weir}}
    base: weir/base

"""


def _pages_and_repositories(world: str) -> str:
    return f"""\
  - name: orchard          # a code block of an HTML page, versions from git tags
    version: v0.4.0
    source:
      docs:
        url: {world}/docs/orchard/{{version}}/install.html
        blocks: [{{file: orchard.yaml, heading: Installation, language: yaml}}]
    releases: {{git: {world}/git/orchard.git}}
    base: orchard/base

  - name: signpost         # a code block of a Markdown page, versions from a page
    version: v1.1.0
    source:
      docs:
        url: {world}/docs/signpost/{{version}}/install.md
        blocks: [{{file: signpost.yaml, contains: "kind: Deployment"}}]
    releases:
      page: {{url: {world}/docs/signpost/releases.html, pattern: 'signpost (?P<version>v[0-9.]+)'}}
    base: signpost/base

  - name: granary          # a folder of a git repository
    version: v5.0.0
    source:
      git: {{repository: {world}/git/granary.git, paths: [manifests/*.yaml]}}
    base: granary/base

  - name: millrace         # files of an archive
    version: v0.2.0
    source:
      archive:
        url: {world}/example/millrace/archive/{{version}}.tar.gz
        paths: ["millrace-*/deploy/*.yaml"]
    releases: {{github: example/millrace}}
    base: millrace/base

  - name: pier             # a kustomization in a git repository, built
    version: v1.7.0
    source:
      kustomize: {{repository: {world}/git/pier.git, path: config/default}}
    base: pier/base
"""


def _generator(world: str) -> str:
    return f"""
  - name: almanac          # a generator (runs only with --allow-commands), versions from JSON
    version: "2024.10"
    source:
      command:
        run: [{sys.executable}, -c, "{_GENERATOR}", "{{version}}"]
      file: almanac.yaml
    releases:
      json: {{url: {world}/almanac/versions.json, path: "versions[*].name"}}
      scheme: calver
    base: almanac/base
"""


_GENERATOR = (
    "import sys; print('apiVersion: v1\\\\nkind: ConfigMap\\\\n"
    "metadata:\\\\n  name: almanac\\\\ndata:\\\\n  edition: ' + repr(sys.argv[1]))"
)
