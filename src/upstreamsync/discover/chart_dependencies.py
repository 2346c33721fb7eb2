"""Dependencies of the repository's own charts: ``dependencies`` of a Chart.yaml."""

from __future__ import annotations

from collections.abc import Iterator

from upstreamsync.discover.candidates import Candidate
from upstreamsync.discover.helm import chart_feed, chart_version_remarks
from upstreamsync.discover.scan import TextFile, Tree
from upstreamsync.discover.vendored import shown_chart_version
from upstreamsync.discover.yamls import mappings, raw_text, read_documents, text_at


def read_chart_dependencies(file: TextFile, tree: Tree) -> Iterator[Candidate]:
    """Each dependency with a repository of its own; its version is kept up to date where it stands."""
    if file.name not in ("Chart.yaml", "requirements.yaml"):
        return
    for document in read_documents(file):
        for number, dependency in mappings(document.value.get("dependencies")):
            name, repository = text_at(dependency, "name"), text_at(dependency, "repository")
            if not name or "://" not in repository or repository.startswith("file://"):
                continue  # a folder beside it, or an alias that nobody but the user's helm knows
            version = raw_text(document.node, "dependencies", number, "version")
            remarks, complete = chart_version_remarks(version)
            folder = f"{file.folder}/charts/{name}".lstrip("/")
            if not complete and (shown := shown_chart_version(tree, folder, name)):
                remarks = (f"`{version}` is a range, which an exact version will take the place of",)
                version, complete = shown, True
            path = document.edit_path(f"dependencies[{number}].version")
            yield Candidate(
                names=(name, f"{document.value.get('name', '')}-{name}"),
                found=document.place("dependencies", number),
                version=version or None,
                releases=chart_feed(repository, name),
                edits=({"file": file.path, "path": path, "value": "{version}"},),
                unsure=remarks,
                complete=complete,
            )
