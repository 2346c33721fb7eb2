"""Shapes 1 to 10 and 16 to 22: where content comes from, and what of it becomes the base."""

from __future__ import annotations

import sys

from shapes.harness import Team, config_map, own
from upstreamsync.model import Status
from upstreamsync.testing import tarball

V1, V2 = ("v1.0.0", "v1.1.0")


def test_01_one_url_becomes_one_file(team: Team):
    team.vendors("""
    - name: app     # a raw file
      version: v1.0.0
      source: {url: "WORLD/app/{version}/install.yaml"}
      releases: {github_tags: acme/app}
      base: app/base
    """)
    for tag in (V1, V2):
        team.world.file(f"app/{tag}/install.yaml", config_map("app", tag=tag))
    team.tags("acme/app", V1)
    team.arrives(
        {
            "app/base/install.yaml": config_map("app", tag=V1),
            "app/base/kustomization.yaml": own("install.yaml"),
        }
    )
    team.tags("acme/app", V2)
    team.moves({"app/base/install.yaml": config_map("app", tag=V2)}, to=V2)


def test_02_release_asset(team: Team):
    def publish(tag: str) -> None:
        team.world.github.repository("acme/app").release(tag, assets={"app.yaml": config_map("app", tag=tag)})
        team.world.file(f"acme/app/releases/download/{tag}/app.yaml", config_map("app", tag=tag))

    team.vendors("""
    - name: app
      version: v1.0.0
      source: {url: "WORLD/acme/app/releases/download/{version}/app.yaml"}
      releases: {github: acme/app}
      base: app/base/upstream
    """)
    publish(V1)
    team.arrives(
        {
            "app/base/upstream/app.yaml": config_map("app", tag=V1),
            "app/base/upstream/kustomization.yaml": own("app.yaml"),
        }
    )
    publish(V2)
    team.moves({"app/base/upstream/app.yaml": config_map("app", tag=V2)}, to=V2)


def test_03_url_with_major_and_minor_alone_drifts(team: Team):
    team.vendors("""
    - name: app
      version: v3.17.1
      source: {url: "WORLD/docs/v{major}.{minor}/policy.yaml"}
      releases: {github_tags: acme/app}
      base: app/base
    """)
    team.world.file("docs/v3.17/policy.yaml", config_map("app", patch="1"))
    team.tags("acme/app", "v3.17.1")
    team.arrives(
        {
            "app/base/policy.yaml": config_map("app", patch="1"),
            "app/base/kustomization.yaml": own("policy.yaml"),
        }
    )
    # A new patch level: the address stays, what is there is new.
    team.tags("acme/app", "v3.17.2")
    team.world.file("docs/v3.17/policy.yaml", config_map("app", patch="2"))
    team.moves({"app/base/policy.yaml": config_map("app", patch="2")}, to="v3.17.2")
    # New content under the same version is an alarm of its own, and taken over by the next update.
    team.world.file("docs/v3.17/policy.yaml", config_map("app", patch="2", hotfix="yes"))
    assert team.status() == {"app": Status.REPUBLISHED}
    team.arrives({"app/base/policy.yaml": config_map("app", patch="2", hotfix="yes")})
    # A new minor version has an address of its own.
    team.world.file("docs/v3.18/policy.yaml", config_map("app", minor="18"))
    team.tags("acme/app", "v3.18.0")
    team.moves({"app/base/policy.yaml": config_map("app", minor="18")}, to="v3.18.0")


def test_04_several_files_of_several_repositories_under_one_version(team: Team):
    team.vendors("""
    - name: app
      version: v1.0.0
      source:
        - {url: {serving.yaml: "WORLD/acme/serving/{version}/core.yaml", net.yaml: "WORLD/acme/net/{version}/net.yaml"}}
        - {git: {repository: WORLD/git/extra.git, paths: [config/extra.yaml]}}
        - {url: "WORLD/acme/jobs/{version}/post.yaml", base: app/jobs/base}
      releases: {github_tags: acme/serving}
      base: app/base
    """)

    def publish(tag: str) -> None:
        for path in ("serving/{}/core.yaml", "net/{}/net.yaml", "jobs/{}/post.yaml"):
            team.world.file(f"acme/{path.format(tag)}", config_map(path.partition("/")[0], tag=tag))
        team.world.git("extra").commit({"config/extra.yaml": config_map("extra", tag=tag)}, tag=tag)
        team.tags("acme/serving", tag)

    def content(tag: str) -> dict[str, str]:
        files = {
            "app/base/serving.yaml": "serving",
            "app/base/net.yaml": "net",
            "app/base/extra.yaml": "extra",
            "app/jobs/base/post.yaml": "jobs",
        }
        return {path: config_map(name, tag=tag) for path, name in files.items()}

    publish(V1)
    team.arrives(
        {
            **content(V1),
            "app/base/kustomization.yaml": own("extra.yaml", "net.yaml", "serving.yaml"),
            "app/jobs/base/kustomization.yaml": own("post.yaml"),
        }
    )
    publish(V2)
    team.moves(content(V2), to=V2)


def test_05_git_directory_is_mirrored_and_stale_files_go(team: Team):
    git = team.world.git("app")
    team.vendors("""
    - name: app
      version: v1.0.0
      source: {git: {repository: WORLD/git/app.git, paths: ["examples/app/*.yaml"]}}
      base: app/base
    """)
    git.commit(
        {
            "examples/app/a.yaml": config_map("a"),
            "examples/app/old.yaml": config_map("old"),
            "examples/app/README.md": "no\n",
            "examples/other.yaml": config_map("no"),
        },
        tag=V1,
    )
    team.arrives(
        {
            "app/base/a.yaml": config_map("a"),
            "app/base/old.yaml": config_map("old"),
            "app/base/kustomization.yaml": own("a.yaml", "old.yaml"),
        }
    )
    git.commit({"examples/app/old.yaml": None, "examples/app/new.yaml": config_map("new")}, tag=V2)
    team.moves(
        {
            "app/base/old.yaml": None,
            "app/base/new.yaml": config_map("new"),
            "app/base/kustomization.yaml": own("a.yaml", "new.yaml"),
        },
        to=V2,
    )


def test_06_several_paths_of_one_repository_in_one_base(team: Team):
    git = team.world.git("app")
    team.vendors("""
    - name: app
      version: v1.0.0
      source: {git: {repository: WORLD/git/app.git, paths: [deploy/crds, deploy/roles, "deploy/op/**", deploy/operator.yaml]}}
      base: app/base
    """)
    names = ("crds/crd.yaml", "roles/role.yaml", "op/x/deep.yaml", "operator.yaml")
    git.commit(
        {
            **{
                f"deploy/{name}": config_map(name.rpartition("/")[2].removesuffix(".yaml"), at=name)
                for name in names
            },
            "deploy/no.yaml": "a: 1\n",
        },
        tag=V1,
    )
    team.arrives(
        {
            **{
                f"app/base/{name}": config_map(name.rpartition("/")[2].removesuffix(".yaml"), at=name)
                for name in names
            },
            "app/base/kustomization.yaml": own(
                "crds/crd.yaml", "op/x/deep.yaml", "operator.yaml", "roles/role.yaml"
            ),
        }
    )
    git.commit({"deploy/roles/role.yaml": config_map("role", at="elsewhere")}, tag=V2)
    team.moves({"app/base/roles/role.yaml": config_map("role", at="elsewhere")}, to=V2)


def test_07_one_repository_feeds_many_bases(team: Team):
    git = team.world.git("app")
    team.vendors("""
    - name: app
      version: v1.0.0
      source:
        - {git: {repository: WORLD/git/app.git, paths: [components/jobs/config]}, base: jobs/upstream}
        - {git: {repository: WORLD/git/app.git, paths: [components/web/manifests]}, base: web/upstream}
    """)
    tree = {
        "base/kustomization.yaml": "resources: [a.yaml]  # upstream's own\n",
        "base/a.yaml": config_map("a"),
    }
    git.commit(
        {
            **{f"components/jobs/config/{path}": text for path, text in tree.items()},
            "components/web/manifests/web.yaml": config_map("web"),
        },
        tag=V1,
    )
    team.arrives(
        {
            **{f"jobs/upstream/{path}": text for path, text in tree.items()},
            "web/upstream/web.yaml": config_map("web"),
            "web/upstream/kustomization.yaml": own("web.yaml"),
        }
    )
    git.commit({"components/web/manifests/web.yaml": config_map("web", new="yes")}, tag=V2)
    team.moves({"web/upstream/web.yaml": config_map("web", new="yes")}, to=V2)


def test_08_path_that_contains_the_version(team: Team):
    git = team.world.git("app")
    team.vendors("""
    - name: app
      version: v1.0.0
      source: {git: {repository: WORLD/git/app.git, paths: ["install/{version}/*"]}}
      base: app/base
    """)
    git.commit({"install/v1.0.0/app.yaml": config_map("app", tag=V1)}, tag=V1)
    team.arrives(
        {"app/base/app.yaml": config_map("app", tag=V1), "app/base/kustomization.yaml": own("app.yaml")}
    )
    git.commit({"install/v1.1.0/app.yaml": config_map("app", tag=V2)}, tag=V2)
    team.moves({"app/base/app.yaml": config_map("app", tag=V2)}, to=V2)


def test_09_base_folder_that_is_shared_with_local_files(team: Team):
    git = team.world.git("app")
    local = {
        "app/kustomization.yaml": "resources: [app.yaml, ours.yaml]\n",
        "app/ours.yaml": config_map("ours"),
        "app/sub/ours.yaml": "x: 1\n",
    }
    team.write(local)
    team.vendors("""
    - name: app
      version: v1.0.0
      source: {git: {repository: WORLD/git/app.git, paths: ["install/{version}/*"]}}
      base: app
      lock: locks/app.lock.yaml
    """)
    git.commit(
        {"install/v1.0.0/app.yaml": config_map("app"), "install/v1.0.0/sub.yaml": config_map("sub")}, tag=V1
    )
    team.arrives({"app/app.yaml": config_map("app"), "app/sub.yaml": config_map("sub")})
    # Upstream drops one of its own: that goes; whatever is not in the lock's list stays.
    git.commit({"install/v1.1.0/app.yaml": config_map("app", new="yes")}, tag=V2)
    team.moves({"app/app.yaml": config_map("app", new="yes"), "app/sub.yaml": None}, to=V2)


def test_10_branch_followed_by_commit(team: Team):
    git = team.world.git("neco")
    first = git.commit({"etc/squid.yml": config_map("squid"), "README.md": "1\n"}, branch="release")
    team.vendors(f"""
    - name: app
      version: {first}
      source: {{git: {{repository: WORLD/git/neco.git, paths: [etc/squid.yml]}}}}
      releases: {{branch: {{repository: WORLD/git/neco.git, name: release, paths: [etc/squid.yml]}}}}
      base: app/base
    """)
    git.commit({"etc/squid.yml": "not: released\n"}, branch="main")
    team.arrives({"app/base/squid.yml": config_map("squid"), "app/base/kustomization.yaml": own("squid.yml")})
    git.commit({"README.md": "2\n"}, branch="release")
    team.rests()
    second = git.commit({"etc/squid.yml": config_map("squid", port="3128")}, branch="release")
    team.moves({"app/base/squid.yml": config_map("squid", port="3128")}, to=second)


def test_10_commit_pinned_by_hand_stays(team: Team):
    """A commit instead of a tag: the branch's content at one commit, whatever the branch does."""
    git = team.world.git("web")
    first = git.commit({"config/web.yaml": config_map("web")})
    second = git.commit({"config/web.yaml": config_map("web", new="yes")})
    team.vendors(f"""
    - name: app
      version: {first}
      source: {{git: {{repository: WORLD/git/web.git, paths: [config/*.yaml]}}}}
      releases: {{branch: {{repository: WORLD/git/web.git, name: main}}}}
      base: app/base
    """)
    team.update()
    assert (team.root / "app/base/web.yaml").read_text() == config_map("web")
    team.moves(
        {"app/base/web.yaml": config_map("web", new="yes"), "app/base/kustomization.yaml": own("web.yaml")},
        to=second,
    )


def test_16_archive(team: Team):
    team.vendors("""
    - name: app
      version: v1.0.0
      source: {archive: {url: "WORLD/app/{version}.tar.gz", paths: ["app-{semver}/config/**/*.yaml"], exclude: ["**/samples/**"]}}
      releases: {github_tags: acme/app}
      base: app/base
    """)
    for tag in (V1, V2):
        folder = f"app-{tag[1:]}"
        files = {
            f"{folder}/config/crd/a.yaml": config_map("a", tag=tag),
            f"{folder}/config/samples/b.yaml": config_map("b"),
            f"{folder}/README.md": "no\n",
        }
        team.world.file(f"app/{tag}.tar.gz", tarball(files))
    team.tags("acme/app", V1)
    team.arrives(
        {"app/base/crd/a.yaml": config_map("a", tag=V1), "app/base/kustomization.yaml": own("crd/a.yaml")}
    )
    team.tags("acme/app", V2)
    team.moves({"app/base/crd/a.yaml": config_map("a", tag=V2)}, to=V2)


GENERATOR = """\
import pathlib, sys
profile = pathlib.Path(sys.argv[2]).read_text().strip()
tool = pathlib.Path('release.tar.gz').parent.joinpath('release', 'words.txt').read_text().strip()
pathlib.Path('out').mkdir()
for name in ('crd', 'install'):
    text = f'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {{name: {name}}}\\ndata: {{v: "{sys.argv[1]}", p: {profile}, t: {tool}}}\\n'
    pathlib.Path('out', f'{name}.yaml').write_text(text)
"""


def test_17_generator_command(team: Team):
    team.allow_commands = True
    team.write({"profiles/minimal.txt": "minimal\n", "profiles/generate.py": GENERATOR})
    team.vendors(f"""
    - name: app
      version: v1.0.0
      source:
        - command: &generate
            fetch: {{release.tar.gz: "WORLD/app/{{version}}.tar.gz"}}
            inputs: [profiles/minimal.txt, profiles/generate.py]
            run: [{sys.executable}, profiles/generate.py, "{{semver}}", profiles/minimal.txt]
            outputs: [out/crd.yaml]
          base: crds/base
        - command: {{<<: *generate, outputs: [out/install.yaml]}}
          base: install/base
      releases: {{github_tags: acme/app}}
    """)

    def made(name: str, version: str) -> str:
        return (
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"
            f'data: {{v: "{version}", p: minimal, t: hello}}\n'
        )

    for tag in (V1, V2):
        team.world.file(f"app/{tag}.tar.gz", tarball({"release/words.txt": "hello\n"}))
    team.tags("acme/app", V1)
    team.arrives(
        {
            "crds/base/crd.yaml": made("crd", "1.0.0"),
            "crds/base/kustomization.yaml": own("crd.yaml"),
            "install/base/install.yaml": made("install", "1.0.0"),
            "install/base/kustomization.yaml": own("install.yaml"),
        }
    )
    team.tags("acme/app", V2)
    team.moves(
        {"crds/base/crd.yaml": made("crd", "1.1.0"), "install/base/install.yaml": made("install", "1.1.0")},
        to=V2,
    )


def test_18_kustomization_in_git_is_built(team: Team):
    git = team.world.git("app")
    team.vendors("""
    - name: app
      version: v1.0.0
      source: {kustomize: {repository: WORLD/git/app.git, path: config/default}, file: install.yaml}
      base: app/base
    """)

    def built(tag: str) -> str:
        return f"apiVersion: v1\ndata:\n  tag: {tag}\nkind: ConfigMap\nmetadata:\n  name: app-manager\n"

    for tag in (V1, V2):
        git.commit(
            {
                "config/default/kustomization.yaml": "namePrefix: app-\nresources: [../manager]\n",
                "config/manager/kustomization.yaml": "resources: [manager.yaml]\n",
                "config/manager/manager.yaml": config_map("manager", tag=tag),
            },
            tag=tag,
        )
        wrote = {"app/base/install.yaml": built(tag)}
        if tag == V1:
            team.arrives({**wrote, "app/base/kustomization.yaml": own("install.yaml")})
        else:
            team.moves(wrote, to=V2)


MARKDOWN = """\
# CoreDNS

## Manifest

- first:

  ```yaml
  {other}
  ```

```yaml
{text}```
"""


def test_19_markdown_page(team: Team):
    team.vendors("""
    - name: app
      version: v1.0.0
      source:
        docs:
          url: "WORLD/app/{version}/docs/coredns.md"
          blocks: [{file: tutorial.yaml, heading: Manifest, language: yaml, contains: "kind:  ConfigMap"}]
      releases: {github_tags: acme/app}
      base: app/base
    """)
    for tag in (V1, V2):
        page = MARKDOWN.format(other="a: 1", text=config_map("app", tag=tag))
        team.world.file(f"app/{tag}/docs/coredns.md", page)
    team.tags("acme/app", V1)
    team.arrives(
        {
            "app/base/tutorial.yaml": config_map("app", tag=V1),
            "app/base/kustomization.yaml": own("tutorial.yaml"),
        }
    )
    team.tags("acme/app", V2)
    team.moves({"app/base/tutorial.yaml": config_map("app", tag=V2)}, to=V2)


HTML = """<!doctype html><html><body><h1>App</h1><h2 id="i">Install<a href="#i">¶</a></h2>
<pre><code class="language-sh">kubectl apply -f x &amp;&amp; echo done</code></pre>
<div class="highlight-yaml"><pre>{text}</pre></div></body></html>
"""


def test_20_html_page(team: Team):
    team.vendors("""
    - name: app
      version: v1.0.0
      source:
        docs:
          url: "WORLD/docs/{version}/install.html"
          blocks:
            - {file: app.yaml, heading: Install, contains: ConfigMap}
            - {file: install.sh, language: sh}
      releases: {github_tags: acme/app}
      base: app/base
    """)

    def text(tag: str) -> str:
        return config_map("app", tag=tag, compare="a<b & c>d")

    for tag in (V1, V2):
        escaped = text(tag).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        team.world.file(f"docs/{tag}/install.html", HTML.format(text=escaped))
    team.tags("acme/app", V1)
    team.arrives(
        {
            "app/base/app.yaml": text(V1),
            "app/base/install.sh": "kubectl apply -f x && echo done\n",
            "app/base/kustomization.yaml": own("app.yaml"),
        }
    )
    team.tags("acme/app", V2)
    team.moves({"app/base/app.yaml": text(V2)}, to=V2)


SQUID = """\
# generated
apiVersion: v1
kind: ConfigMap
metadata: {{name: squid, namespace: internet-egress}}
data:
  squid.conf: |
    {{{{ range .Peers }}}}
    cache_peer {{{{ . }}}} port {port}
    {{{{ end }}}}
  nodePort: "30128"
"""


def test_21_content_that_is_not_yaml_with_textual_replacements(team: Team):
    git = team.world.git("neco")
    first = git.commit({"etc/squid.yml": SQUID.format(port=3128)}, branch="release")
    team.vendors(f"""
    - name: app
      version: {first}
      source:
        - git: &squid {{repository: WORLD/git/neco.git, paths: [etc/squid.yml]}}
          file: squid.yaml
          base: egress/neco
        - git: *squid
          file: squid.yaml
          base: egress/ours
          rewrite:
            - {{replace: internet-egress, with: customer-egress}}
            - {{replace: '\\{{\\{{ range \\.Peers \\}}\\}}', with: "# {{commit}}"}}
            - {{replace: 'port (\\d+)', with: 'port \\1 no-query'}}
            - {{drop_lines: nodePort}}
      releases: {{branch: {{repository: WORLD/git/neco.git, name: release}}}}
    """)

    def ours(commit: str, port: int) -> str:
        text = SQUID.format(port=port).replace("internet-egress", "customer-egress")
        text = text.replace("{{ range .Peers }}", f"# {commit}").replace(
            f"port {port}", f"port {port} no-query"
        )
        return text.replace('  nodePort: "30128"\n', "")

    listed = own("squid.yaml")  # by its text it is a manifest, braces and all
    team.arrives(
        {
            "egress/neco/squid.yaml": SQUID.format(port=3128),
            "egress/neco/kustomization.yaml": listed,
            "egress/ours/squid.yaml": ours(first, 3128),
            "egress/ours/kustomization.yaml": listed,
        }
    )
    second = git.commit({"etc/squid.yml": SQUID.format(port=8080)}, branch="release")
    team.moves(
        {"egress/neco/squid.yaml": SQUID.format(port=8080), "egress/ours/squid.yaml": ours(second, 8080)},
        to=second,
    )


RELEASE = """\
# Copyright of upstream
# on two lines
---
apiVersion: v1
kind: Namespace # kept
metadata:
  name: app
---
apiVersion: batch/v1
kind: Job
metadata:
  generateName: storage-migration-   # Knative does this
spec: {{backoffLimit: {limit}}} # why
---
# a document of comments
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: config}}
data:
  _example: |
    # this stays: it is text
    a: "#1"
"""


def test_22_documents_selected_and_renamed_and_comments_stripped(team: Team):
    team.vendors("""
    - name: app
      version: v1.0.0
      source:
        - url: "WORLD/app/{version}/post.yaml"
          file: job.yaml
          select: {include: [{kind: Job}]}
          strip_comments: true
          rewrite: [{replace: '^  generateName: storage-migration-', with: '  name: storage-migration-{version}'}]
          base: jobs/base
        - url: "WORLD/app/{version}/post.yaml"
          select: {exclude: [{kind: Namespace, name: app}, {kind: Job}]}
          strip_comments: true
          base: serving/base
      releases: {github_tags: acme/app}
    """)

    def job(tag: str, limit: int) -> str:
        return (
            f"---\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: storage-migration-{tag}\n"
            f"spec: {{backoffLimit: {limit}}}\n"
        )

    kept = (
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata:\n  _example: |\n"
        '    # this stays: it is text\n    a: "#1"\n'
    )
    for tag, limit in ((V1, 1), (V2, 2)):
        team.world.file(f"app/{tag}/post.yaml", RELEASE.format(limit=limit))
    team.tags("acme/app", V1)
    team.arrives(
        {
            "jobs/base/job.yaml": job(V1, 1),
            "jobs/base/kustomization.yaml": own("job.yaml"),
            "serving/base/post.yaml": kept,
            "serving/base/kustomization.yaml": own("post.yaml"),
        }
    )
    team.tags("acme/app", V2)
    team.moves({"jobs/base/job.yaml": job(V2, 2)}, to=V2)
