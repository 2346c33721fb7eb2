"""Archives that a script unpacks into the repository; and what content is called that no repository names."""

from __future__ import annotations

import pytest

from discover.proposals import MAP, found, only, source

URL = "https://github.com/acme/widget/archive/refs/tags/v1.2.3.tar.gz"
ZIP = URL.replace(".tar.gz", ".zip")
WANTED = URL.replace("v1.2.3", "{version}")


@pytest.mark.parametrize(
    ("commands", "paths", "strip"),
    [
        (f"curl -sL {URL} | tar xz --strip-components=2 -C base widget-1.2.3/deploy", ["widget-{semver}/deploy"], 2),
        (f"curl -sL {URL} | tar -xzf - -C base/ --strip 1", ["**/*.yaml"], 1),
        (f"cd base && wget -qO- {URL} | tar zxf -", ["**/*.yaml"], 0),
        (f"curl -Lo /tmp/w.tgz {URL}\n\ttar -C base -xf /tmp/w.tgz ./crds/", ["crds"], 0),
        (f"wget {URL} -O w.tar.gz; mkdir -p base; tar --extract --file=w.tar.gz --directory base", ["**/*.yaml"], 0),
        (f"curl -sL {URL} | bsdtar -x -f - -C base --exclude README.md", ["**/*.yaml"], 0),
    ],
)  # fmt: skip
def test_what_tar_puts_into_the_repository_is_content(tmp_path, commands, paths, strip):
    proposal = only(tmp_path, {"app/Makefile": f"get:\n\t{commands}\n", "app/base/all.yaml": MAP})
    assert (proposal.name, proposal.version, proposal.base) == ("widget", "v1.2.3", "app/base")
    assert source(proposal) == {"archive": {"url": WANTED, "paths": paths, "strip": strip}}
    assert (proposal.complete, proposal.unsure) == (True, ())


def test_unzip_and_patterns_to_leave_out(tmp_path):
    script = f"#!/bin/sh\ncurl -sLo w.zip {ZIP}\nunzip -o w.zip 'm/*' -d app/base\n"
    proposal = only(tmp_path, {"get.sh": script, "app/base/all.yaml": MAP})
    assert source(proposal)["archive"]["paths"] == ["m/*"]
    script = f"#!/bin/sh\ncurl -sL {URL} | tar xz -C app/base --exclude '*_test.yaml' --exclude '*.md'\n"
    proposal = only(tmp_path, {"get.sh": script, "app/base/all.yaml": MAP})
    assert source(proposal)["archive"]["exclude"] == ["**/*_test.yaml"]


@pytest.mark.parametrize(
    "commands",
    [
        f"curl -sL {URL} | tar xz -C /usr/local/bin widget",
        f"curl -sL {URL} | tar xz -C bin widget",
        f"curl -sL {URL} | tar tz",
        f"curl -sL {URL} | gunzip > base/widget",
    ],
)
def test_a_program_is_no_content(tmp_path, commands):
    proposal = only(tmp_path, {"app/Makefile": f"get:\n\t{commands}\n", "app/base/all.yaml": MAP})
    assert proposal.sources == ()
    assert proposal.edits


def test_what_the_script_does_to_it_afterwards_is_said(tmp_path):
    makefile = f"get:\n\tcurl -sL {URL} | tar xz -C base\n\tsed -i 's/a/b/' base/all.yaml\n"
    proposal = only(tmp_path, {"app/Makefile": makefile, "app/base/all.yaml": MAP})
    assert any("sed -i" in one for one in proposal.unsure)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:8080/v1.2.3/install.yaml", "gateway"),
        ("http://localhost:8080/1.2.3/install.yaml", "gateway"),
        ("http://[::1]/v1.2.3/install.yaml", "gateway"),
        ("https://get.example.com/v1.2.3/install.yaml", "gateway"),
        ("https://get.example.com/proxy/v1.2.3/install.yaml", "proxy"),
        ("https://github.com/acme/widget/releases/download/v1.2.3/install.yaml", "widget"),
    ],
)
def test_content_is_named_for_its_origin_or_else_for_its_folder(tmp_path, url, name):
    files = {
        "Makefile": f"get:\n\tcurl -sLo apps/gateway/base/install.yaml {url}\n",
        "apps/gateway/base/install.yaml": MAP,
    }
    assert list(found(tmp_path, files)) == [name]


def test_an_address_without_a_folder_is_named_for_its_file(tmp_path):
    files = {"get.sh": "#!/bin/sh\ncurl -sL http://10.1.2.3/v1.2.3/gateway.yaml | kubectl apply -f -\n"}
    assert list(found(tmp_path, files)) == ["gateway"]
