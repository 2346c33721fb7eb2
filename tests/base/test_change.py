"""The change as a value: what is written, what goes, what is said to people."""

import base64

import pytest

from upstreamsync.base.change import plan
from upstreamsync.base.edits import follow_up
from upstreamsync.base.locked import read_lock
from upstreamsync.base.origins import Watching
from upstreamsync.base.shape import make_bases
from upstreamsync.base.versionline import set_image_version, set_version
from upstreamsync.base.view import View, disk_view
from upstreamsync.base.write import write
from upstreamsync.config.spec import Source, Vendor
from upstreamsync.errors import ContentError, EditError, Refused, RepositoryError
from upstreamsync.lock import digest, parse, verify
from upstreamsync.model import Artifact, ContentFile, ImageFinding, Release, Resolved

CONFIG = """\
version: 1
vendors:
  # the first
  - name: v
    version: v1.0.0   # what runs
    source: {url: https://h/x}
    base: app/base
  - {name: w, version: "1.9", source: {url: https://h/y}, base: other/base}
"""


def obj(kind: str, name: str, text: str = "") -> bytes:
    return f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n{text}".encode()


def view_of(files: dict[str, bytes]) -> View:
    return View(
        read=files.get, listing=lambda folder: sorted(path for path in files if path.startswith(f"{folder}/"))
    )


def vendor_of(**options) -> Vendor:
    plain = {
        "name": "v",
        "version": "v1.0.0",
        "source": {"url": "https://h/x"},
        "base": "app/base",
        "kustomization": True,
    }
    return Vendor.model_validate({**plain, **options})


def artifact(files: dict[str, bytes], location: str = "https://h/x") -> Artifact:
    content = tuple(
        ContentFile(path=path, data=data, executable=path.endswith(".sh")) for path, data in files.items()
    )
    whole = digest(b"".join(files.values()))
    return Artifact(resolved=(Resolved(kind="url", location=location, digest=whole),), files=content)


def step(repository: dict[str, bytes], content: dict[str, bytes], version: str, **options):
    """One update of the repository (a dict that is changed), with ``plan``'s own options split off."""
    given = {key: options.pop(key) for key in ("images", "watched") if key in options}
    vendor = vendor_of(version=options.pop("current", "v1.0.0"), **options)
    release = Release(version=version, ref=version)
    view = view_of(repository)
    one = artifact(content)
    change = plan(
        vendor,
        release,
        make_bases(vendor, [(vendor.source[0], one)], release),
        [one],
        view=view,
        lock=read_lock(vendor, view),
        edits=follow_up(vendor, release, given.get("images", ()), view.read),
        **given,
    )
    for path, data in change.files.items():
        if data is None:
            del repository[path]
        else:
            repository[path] = data
    return change


def repository(**files: bytes) -> dict[str, bytes]:
    return {"vendors.yaml": CONFIG.encode(), **files}


# -- files, lock and version line -------------------------------------------------------------------


def test_a_first_update_writes_base_lock_and_version_line():
    repo = repository()
    change = step(repo, {"a.yaml": obj("A", "a"), "run.sh": b"#!"}, "v2.0.0")
    assert list(change.base_files) == [
        "app/base/a.yaml", "app/base/kustomization.yaml", "app/base/run.sh", "app/v.lock.yaml", "vendors.yaml",
    ]  # fmt: skip
    assert repo["vendors.yaml"].decode() == CONFIG.replace("v1.0.0   #", "v2.0.0   #")
    assert change.executable == {"app/base/run.sh"}
    assert (change.before, change.after, change.notes) == ("v1.0.0", "v2.0.0", ())
    lock = parse(repo["app/v.lock.yaml"], "x")
    assert lock.version == "v2.0.0"
    assert lock.sources == artifact({"a.yaml": obj("A", "a"), "run.sh": b"#!"}).resolved
    assert verify(lock, repo.get)[0].pristine


def test_a_second_update_changes_nothing():
    repo = repository()
    step(repo, {"a.yaml": obj("A", "a")}, "v2.0.0")
    change = step(repo, {"a.yaml": obj("A", "a")}, "v2.0.0", current="v2.0.0")
    assert change.empty
    assert change.notes == ()


def test_what_upstream_dropped_goes_and_what_is_not_ours_stays():
    repo = repository(**{"app/base/local.yaml": b"mine"})
    step(repo, {"a.yaml": obj("A", "a"), "b.yaml": obj("B", "b")}, "v2.0.0")
    change = step(repo, {"a.yaml": obj("A", "a"), "c.yaml": obj("C", "c")}, "v3.0.0")
    assert change.base_files["app/base/b.yaml"] is None
    assert change.base_files["app/base/c.yaml"] == obj("C", "c")
    assert "app/base/a.yaml" not in change.base_files
    assert "app/base/local.yaml" not in change.files


def test_a_base_that_moves_leaves_nothing_of_ours_behind():
    repo = repository()
    step(repo, {"a.yaml": obj("A", "a")}, "v2.0.0", lock="app/v.lock.yaml")
    repo["app/base/local.yaml"] = b"mine"
    step(repo, {"a.yaml": obj("A", "a")}, "v2.0.0", base="app/elsewhere", lock="app/v.lock.yaml")
    assert sorted(repo) == [
        "app/base/local.yaml", "app/elsewhere/a.yaml", "app/elsewhere/kustomization.yaml", "app/v.lock.yaml",
        "vendors.yaml",
    ]  # fmt: skip


def test_a_lock_does_not_reach_files_elsewhere_that_it_did_not_write():
    repo = repository()
    step(repo, {"a.yaml": obj("A", "a")}, "v2.0.0", lock="app/v.lock.yaml")
    repo["app/base/a.yaml"] = b"not what the lock says"
    step(repo, {"a.yaml": obj("A", "a")}, "v2.0.0", base="app/elsewhere", lock="app/v.lock.yaml")
    assert repo["app/base/a.yaml"] == b"not what the lock says"


def test_changes_made_by_hand_are_named_before_they_are_lost():
    repo = repository()
    step(repo, {"a.yaml": obj("A", "a"), "b.yaml": obj("B", "b"), "c.yaml": obj("C", "c")}, "v2.0.0")
    for name in ("a", "b", "c"):
        repo[f"app/base/{name}.yaml"] += b"# mine\n"
    change = step(repo, {"a.yaml": obj("A", "a2"), "b.yaml": obj("B", "b") + b"# mine\n"}, "v3.0.0")
    assert len(change.notes) == 1
    assert "`app/base/a.yaml`, `app/base/c.yaml` are replaced" in change.notes[0]


def test_adopting_a_folder_replaces_what_has_the_name_and_names_the_rest():
    repo = repository(**{"app/base/a.yaml": b"old", "app/base/old-name.yaml": b"old"})
    change = step(repo, {"a.yaml": obj("A", "a")}, "v2.0.0")
    assert repo["app/base/a.yaml"] == obj("A", "a")
    assert repo["app/base/old-name.yaml"] == b"old"
    assert change.notes == (
        "`app/base` had no lock yet; left alone are `app/base/old-name.yaml`: remove what came from upstream",
    )


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_a_kustomization_of_the_teams_is_never_replaced(name):
    repo = repository(**{f"app/base/{name}": b"resources: [a.yaml, local.yaml]\n"})
    for version in ("v2.0.0", "v3.0.0"):
        change = step(repo, {"a.yaml": obj("A", version)}, version)
        assert list(change.base_files) == ["app/base/a.yaml", "app/v.lock.yaml", "vendors.yaml"]
    assert repo[f"app/base/{name}"] == b"resources: [a.yaml, local.yaml]\n"


def test_a_kustomization_of_ours_gives_way_to_upstreams():
    repo = repository()
    step(repo, {"a.yaml": obj("A", "a")}, "v2.0.0")
    step(repo, {"a.yaml": obj("A", "a"), "kustomization.yaml": b"resources: [a.yaml]\n"}, "v3.0.0")
    assert repo["app/base/kustomization.yaml"] == b"resources: [a.yaml]\n"
    step(repo, {"a.yaml": obj("A", "a")}, "v4.0.0")
    assert repo["app/base/kustomization.yaml"].startswith(b"# upstreamsync owns")


def test_the_lock_of_another_vendor_is_not_used():
    repo = repository()
    step(repo, {"a.yaml": obj("A", "a")}, "v2.0.0", lock="locks.yaml")
    with pytest.raises(RepositoryError, match="the lock of `v`, not of `w`"):
        step(repo, {"a.yaml": obj("A", "a")}, "v2.0.0", name="w", lock="locks.yaml")


def test_upstream_can_not_replace_the_lock():
    with pytest.raises(ContentError, match="would replace the lock"):
        step(repository(), {"x.lock.yaml": obj("A", "a")}, "v2.0.0", lock="app/base/x.lock.yaml")


def test_changes_stand_upon_one_another_and_reach_the_disk(tmp_path):
    (tmp_path / "vendors.yaml").write_text(CONFIG)
    view = disk_view(tmp_path)
    changes = []
    for name, base in (("v", "app/base"), ("w", "other/base")):
        vendor = vendor_of(name=name, base=base)
        release = Release(version="1.10", ref="1.10")
        one = artifact({"a.yaml": obj("A", name)})
        bases = make_bases(vendor, [(vendor.source[0], one)], release)
        upon = view.with_changes(changes)
        changes.append(plan(vendor, release, bases, [one], view=upon, lock=read_lock(vendor, upon)))
    write(changes, tmp_path)
    assert (tmp_path / "vendors.yaml").read_text() == CONFIG.replace("v1.0.0", '"1.10"').replace(
        "1.9", "1.10"
    )
    after = disk_view(tmp_path)
    assert after.listing("other") == [
        "other/base/a.yaml",
        "other/base/kustomization.yaml",
        "other/w.lock.yaml",
    ]
    assert after.listing("other") == view.with_changes(changes).listing("other")
    assert after.listing("nowhere") == []


def test_a_link_in_the_repository_is_not_read_through(tmp_path):
    (tmp_path / "secret").write_text("secret")
    root = tmp_path / "repo"
    root.mkdir()
    (root / "vendors.yaml").symlink_to(tmp_path / "secret")
    with pytest.raises(Refused, match="symbolic link"):
        disk_view(root).read("vendors.yaml")


# -- the version line -------------------------------------------------------------------------------


def test_the_version_is_the_one_thing_that_changes():
    text = set_version(set_version(CONFIG, "v", "v1.1.0"), "w", "1.10")
    assert text == CONFIG.replace("v1.0.0", "v1.1.0").replace('"1.9"', '"1.10"')


def test_a_version_that_yaml_would_read_as_a_number_is_quoted():
    assert set_version(CONFIG, "v", "1.10") == CONFIG.replace("v1.0.0", '"1.10"')
    assert set_version(CONFIG, "v", "1e3") == CONFIG.replace("v1.0.0", '"1e3"')


def test_an_images_version_stands_in_its_entry():
    text = "vendors:\n- name: v\n  images:\n  - {image: h/a, version: 1.0.0}\n  - image: h/b\n    version: 1.0.0 # b\n"
    assert set_image_version(text, "v", 1, "1.0.1") == text.replace("1.0.0 # b", "1.0.1 # b")


def test_a_vendor_that_is_not_there():
    with pytest.raises(EditError, match="is there 0 times"):
        set_version(CONFIG, "x", "1")


# -- edits and images within a change ---------------------------------------------------------------


def test_edits_are_apart_from_the_base():
    repo = repository(**{"app/kustomization.yaml": b"images:\n- name: h/a\n  newTag: 1.0.0 # pin\n"})
    edits = [{"file": "app/kustomization.yaml", "image": "h/a", "tag": "{semver}"}]
    change = step(repo, {"a.yaml": obj("A", "a")}, "v2.0.0", edits=edits)
    assert change.edit_files == {"app/kustomization.yaml": b"images:\n- name: h/a\n  newTag: 2.0.0 # pin\n"}
    assert [(one.place.line, one.before, one.after) for one in change.edits] == [(3, "1.0.0", "2.0.0")]


@pytest.mark.parametrize("file", ["app/base/a.yaml", "app/v.lock.yaml"])
def test_an_edit_of_what_is_upstreams_is_refused(file):
    repo = repository(**{file: b"spec: 1\n"})
    if file.endswith("lock.yaml"):
        del repo[file]
        step(repo, {"a.yaml": obj("A", "a")}, "v1.0.0")
    edits = [{"file": file, "pattern": "(e)", "value": "E"}]
    with pytest.raises(EditError):
        step(repo, {"a.yaml": obj("A", "a") + b"spec: 1\n"}, "v2.0.0", edits=edits)


def test_images_move_without_a_base():
    config = b"version: 1\nvendors:\n- name: v\n  images:\n  - image: h/a\n    version: 1.0.0\n"
    repo = {"vendors.yaml": config, "env.yaml": b"image: h/a:1.0.0\n"}
    image = {
        "image": "h/a",
        "version": "1.0.0",
        "edits": [{"file": "env.yaml", "path": "image", "value": "h/a:{version}"}],
    }
    vendor = Vendor.model_validate({"name": "v", "images": [image]})
    found = ImageFinding(key=0, image="h/a", current="1.0.0", target=Release(version="1.0.1", ref="1.0.1"))
    view = view_of(repo)
    edits = follow_up(vendor, None, [found], view.read)
    change = plan(vendor, None, (), (), view=view, lock=read_lock(vendor, view), edits=edits, images=[found])
    assert change.base_files == {"vendors.yaml": config.replace(b"1.0.0", b"1.0.1")}
    assert change.edit_files == {"env.yaml": b"image: h/a:1.0.1\n"}
    assert (change.before, change.after, change.release) == ("1.0.0", "1.0.1", None)


# -- forks and watched sources ----------------------------------------------------------------------

FORK = [{"file": "app/mine.yaml", "of": "a.yaml#ConfigMap/conf"}]


def stream(*values: str) -> bytes:
    return b"---\n".join([obj("Other", values[0]), obj("ConfigMap", "conf", f"data:\n  key: {values[1]}\n")])


def test_a_fork_is_reported_when_its_origin_changes_and_not_otherwise():
    repo = repository()
    assert step(repo, {"a.yaml": stream("x", "1")}, "v1.0.0", forks=FORK).notes == ()
    assert step(repo, {"a.yaml": stream("other", "1")}, "v2.0.0", forks=FORK).notes == ()
    (note,) = step(repo, {"a.yaml": stream("other", "2")}, "v3.0.0", forks=FORK).notes
    assert note.startswith("`app/mine.yaml` derives from `a.yaml#ConfigMap/conf`, which has changed")
    assert note.endswith("\n data:\n-  key: 1\n+  key: 2")
    assert step(repo, {"a.yaml": stream("other", "2")}, "v3.0.0", forks=FORK).notes == ()
    (note,) = step(repo, {"a.yaml": obj("Other", "x")}, "v4.0.0", forks=FORK).notes
    assert note.endswith("which upstream has removed")
    (note,) = step(
        repo, {"a.yaml": obj("Other", "x")}, "v4.0.0", forks=[{"file": "m", "of": "typo.yaml"}]
    ).notes
    assert note.endswith("which is not in the base")


def test_a_fork_of_a_whole_file_and_of_an_object_that_moved_to_another_file():
    forks = [{"file": "one", "of": "a.yaml"}, {"file": "two", "of": "#ConfigMap/conf"}, *FORK]
    repo = repository()
    step(repo, {"a.yaml": stream("x", "1")}, "v1.0.0", forks=forks)
    notes = step(repo, {"b.yaml": stream("x", "2")}, "v2.0.0", forks=forks).notes
    assert [note.split(",")[0] for note in notes] == [
        "`one` derives from `a.yaml`", "`two` derives from `#ConfigMap/conf`",
        "`app/mine.yaml` derives from `a.yaml#ConfigMap/conf`",
    ]  # fmt: skip
    assert "+  key: 2" in notes[1]
    assert "+  key: 2" in notes[2]


def test_a_secret_is_shown_decoded():
    def secret(text: str) -> bytes:
        return obj("Secret", "loki", f"data:\n  loki.yaml: {base64.b64encode(text.encode()).decode()}\n")

    forks = [{"file": "conf.yaml", "of": "#Secret/loki"}]
    repo = repository()
    step(repo, {"a.yaml": secret("auth: true\nlimit: 5\n")}, "v1.0.0", forks=forks)
    (note,) = step(repo, {"a.yaml": secret("auth: true\nlimit: 9\n")}, "v2.0.0", forks=forks).notes
    assert "-    limit: 5\n+    limit: 9" in note


def test_a_long_difference_is_kept_short():
    repo = repository()
    many = "".join(f"  k{number}: 1\n" for number in range(100))
    step(repo, {"a.yaml": obj("ConfigMap", "conf", many)}, "v1.0.0", forks=FORK)
    (note,) = step(
        repo, {"a.yaml": obj("ConfigMap", "conf", many.replace("1\n", "2\n"))}, "v2.0.0", forks=FORK
    ).notes
    assert note.endswith(" more lines")
    assert len(note.splitlines()) < 40


def test_watched_sources_are_compared_with_the_lock_or_with_what_was_fetched():
    source = Source.model_validate({"url": "https://h/chart"})

    def watching(files: dict[str, bytes], before: dict[str, bytes] | None = None) -> list[Watching]:
        old = artifact(before) if before is not None else None
        return [Watching(source=source, now=artifact(files, "https://h/chart"), before=old)]

    first = {"values.yaml": b"1", "gone.yaml": b"1", "same.yaml": b"1"}
    then = {"values.yaml": b"2", "same.yaml": b"1", "new.yaml": b"1"}
    note = "watched https://h/chart: changed `values.yaml`; added `new.yaml`; removed `gone.yaml`"
    repo = repository()
    content = {"a.yaml": obj("A", "a")}
    assert step(repo, content, "v1.0.0", watched=watching(first)).notes == ()
    assert step(repo, content, "v1.0.0", watched=watching(first)).notes == ()
    assert step(repo, content, "v2.0.0", watched=watching(then)).notes == (note,)
    assert step(repo, content, "v2.0.0", watched=watching(then)).empty
    assert step(repository(), content, "v2.0.0", watched=watching(then, first)).notes == (note,)


# -- shapes that teams have -------------------------------------------------------------------------


def test_a_raw_template_beside_what_is_made_of_it_in_a_folder_shared_with_local_files():
    template = b"kind: Deployment\nspec:\n  image: {{ .Image }}\n  drop: me # {{ . }}\n"
    vendor = vendor_of(
        base="squid/base/neco",
        source=[
            {"url": "https://h/squid.yml", "file": "squid.yaml", "manifests": False},
            {
                "url": "https://h/squid.yml",
                "file": "squid.yaml",
                "base": "squid/base",
                "manifests": False,
                "rewrite": [
                    {"replace": r"\{\{ \.Image \}\}", "with": "h/squid:{semver}"},
                    {"drop_lines": "drop: me"},
                ],
            },
        ],
    )
    repo = repository(
        **{"squid/base/kustomization.yaml": b"resources: [squid.yaml]\n", "squid/base/local.yaml": b"x"}
    )
    view, release, got = (
        view_of(repo),
        Release(version="v2.0.0", ref="v2.0.0"),
        artifact({"squid.yml": template}),
    )
    bases = make_bases(vendor, [(source, got) for source in vendor.source], release)
    change = plan(vendor, release, bases, [got], view=view, lock=None)
    assert {path: data for path, data in change.base_files.items() if path.endswith("/squid.yaml")} == {
        "squid/base/neco/squid.yaml": template,
        "squid/base/squid.yaml": b"kind: Deployment\nspec:\n  image: h/squid:2.0.0\n",
    }
    assert "squid/base/kustomization.yaml" not in change.files
    lock = parse(change.base_files["squid/base/v.lock.yaml"], "x")
    assert [(state.path, state.pristine) for state in verify(lock, view.with_changes(change).read)] == [
        ("squid/base", True), ("squid/base/neco", True),
    ]  # fmt: skip


def test_a_folder_that_upstream_shares_with_local_files_loses_only_upstreams():
    repo = repository(
        **{
            "app/base/kustomization.yaml": b"resources: [a.yaml, crd/b.yaml, ours.yaml]\n",
            "app/base/ours.yaml": b"x",
        }
    )
    step(repo, {"a.yaml": obj("A", "a"), "crd/b.yaml": obj("B", "b")}, "v2.0.0")
    change = step(repo, {"a.yaml": obj("A", "a")}, "v3.0.0")
    assert change.base_files["app/base/crd/b.yaml"] is None
    assert [path for path in repo if path.startswith("app/base/")] == [
        "app/base/kustomization.yaml", "app/base/ours.yaml", "app/base/a.yaml",
    ]  # fmt: skip
    assert change.notes == ()


def test_one_version_feeds_many_bases_under_one_lock():
    vendor = vendor_of(
        base=None, source=[{"url": f"https://h/{name}", "base": f"{name}/base"} for name in "abc"]
    )
    repo = repository()
    view, release = view_of(repo), Release(version="v2.0.0", ref="v2.0.0")
    parts = [
        (source, artifact({"x.yaml": obj("A", source.base)}, f"https://h/{source.base}"))
        for source in vendor.source
    ]
    bases = make_bases(vendor, parts, release)
    change = plan(vendor, release, bases, [one for _, one in parts], view=view, lock=None)
    assert change.bases == ("a/base", "b/base", "c/base")
    assert sorted(change.base_files) == sorted(
        [f"{name}/base/{file}" for name in "abc" for file in ("kustomization.yaml", "x.yaml")]
        + ["a/v.lock.yaml", "vendors.yaml"]
    )
