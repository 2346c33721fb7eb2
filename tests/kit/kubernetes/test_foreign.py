"""The one rule for kustomizations that are not the user's own: every spelling of what it must not name."""

from __future__ import annotations

import pytest

from upstreamsync.errors import Refused
from upstreamsync.kit.kubernetes import foreign
from upstreamsync.kit.kubernetes.kustomizations import Role, is_address, references

URL = "http://127.0.0.1:1/x.yaml"
GENERATOR = "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nname: g\nfiles: ['m=%s']\n"
PATCH = "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npath: '%s'\n"


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def said(text: str, **more: str) -> list[str]:
    files = {"d/kustomization.yaml": text, **{f"d/{name}": data for name, data in more.items()}}
    return [str(one) for one in foreign.breaches({path: data.encode() for path, data in files.items()})]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("resources", f"['{URL}']"),
        ("bases", f"['{URL}']"),
        ("components", "['github.com/acme/parts//part?ref=v1']"),
        ("crds", f"['{URL}']"),
        ("configurations", f"['{URL}']"),
        ("patchesStrategicMerge", f"['{URL}']"),
        ("patches", f"['{URL}']"),
        ("patches", f"[{{path: '{URL}', target: {{kind: Deployment}}}}]"),
        ("patchesJson6902", f"[{{path: '{URL}', target: {{kind: Deployment}}}}]"),
        ("replacements", f"[{{path: '{URL}'}}]"),
        ("openapi", f"{{path: '{URL}'}}"),
        ("configMapGenerator", f"[{{name: g, files: ['{URL}']}}]"),
        ("configMapGenerator", f"[{{name: g, files: ['key={URL}']}}]"),
        ("secretGenerator", f"[{{name: g, envs: ['{URL}']}}]"),
        ("secretGenerator", f"[{{name: g, env: '{URL}'}}]"),
        ("generators", f"['{URL}']"),
        ("transformers", f"['{URL}']"),
        ("validators", "['git@host.example:acme/parts']"),
        ("helmCharts", "[{name: chart}]"),
        ("helmChartInflationGenerator", "[{chartName: chart}]"),
    ],
)
def test_a_field_that_leads_elsewhere_is_refused_in_every_spelling(field: str, value: str) -> None:
    spellings = {
        field: f"{field}: {value}\n",
        "upper case": f"{field.upper()}: {value}\n",
        "first letter": f"{field[0].upper()}{field[1:]}: {value}\n",
        "folded letters": f"{field.replace('s', 'ſ').replace('k', chr(0x212A))}: {value}\n",
        "quoted": f'"{field}": {value}\n',
        "merged": f"metadata: {{annotations: &a {{{field}: {value}}}}}\n<<: *a\n",
        "merged over what is there": f"{field}: []\n<<: {{{field}: {value}}}\n",
        "said twice": f"{field}: {value}\n{field}: []\n",
        "as JSON": f'{{"{field}": {value}}}\n',
    }
    for spelling, text in spellings.items():
        found = said(f"# a comment\n{text}")
        assert found, spelling
        assert found[0].startswith("d/kustomization.yaml:"), spelling


@pytest.mark.parametrize("field", ["generators", "transformers", "validators", "Generators"])
@pytest.mark.parametrize("body", [GENERATOR, PATCH])
@pytest.mark.parametrize("target", [URL, "../../../etc/passwd", "/etc/hostname"])
def test_what_plugins_load_is_looked_at_wherever_they_stand(field: str, body: str, target: str) -> None:
    text = body % target
    flow = f"{{apiVersion: builtin, kind: PatchTransformer, Path: '{target}'}}"
    assert said(f"{field}:\n- |-\n{indented(text)}")[0].startswith("d/kustomization.yaml:")
    assert said(f'{field}: ["--- {flow}"]\n')
    assert said(f'{field}: ["{flow}"]\n')
    assert said(f"{field}: [g.yaml]\n", **{"g.yaml": f"---\n---\n{text}"})[0].startswith("d/g.yaml:")
    folder = {"g/kustomization.yaml": "resources: [one.yaml]\n", "g/one.yaml": text}
    assert said(f"{field}: [g]\n", **folder)[0].startswith("d/g/one.yaml:")
    listed = f"apiVersion: v1\nkind: List\nitems:\n-\n{indented(text)}"
    assert said(f"{field}: [g.yaml]\n", **{"g.yaml": listed})


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: acme/v1\nkind: Made\nmetadata: {name: t}\n",
        "apiVersion: builtin\nkind: Made\nmetadata: {name: t}\n",
        (
            "{apiVersion: builtin, kind: LabelTransformer,"
            " metadata: {name: t, annotations: {config.kubernetes.io/function: 'exec: {path: ./run.sh}'}}}\n"
        ),
    ],
)
def test_a_plugin_that_is_a_program_is_refused(text: str) -> None:
    assert "a program" in said("transformers: [t.yaml]\n", **{"t.yaml": text})[0]
    assert "a program" in said(f"transformers:\n- |-\n{indented(text)}")[0]


def test_configurations_that_are_made_while_building_are_refused() -> None:
    made = {
        "g/kustomization.yaml": "resources: [one.yaml]\nreplacements: []\n",
        "g/one.yaml": GENERATOR % "a",
    }
    assert "made by `replacements`" in said("generators: [g]\n", **made)[0]


@pytest.mark.parametrize(
    "text",
    ["resources: [", "resources: [a]\n---\nresources: [b]\n", "resources: [!!binary aHR0cDovL2V2aWw=]\n"],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    assert "can't be read" in said(text)[0]


@pytest.mark.parametrize("target", ["..", "../other", "../../other", "/etc/passwd", "a/../../../b"])
def test_paths_that_lead_out_are_refused(target: str) -> None:
    files = {"kustomization.yaml": f"resources: ['{target}']\n".encode()}
    with pytest.raises(Refused, match=r"^from v1: kustomization\.yaml:1: ") as caught:
        foreign.check(files, where="from v1")
    assert "allow: [remote]" in str(caught.value.hint)


def test_what_stays_in_the_tree_is_fine() -> None:
    text = """\
resources: [a.yaml, ../other, "./b", foo@1.2.yaml]
components: [../part]
namespace: here
commonAnnotations: {home: "https://acme.example"}
labels: [{pairs: {a: b}, fields: [{path: spec/x, create: true}]}]
images: [{name: "ghcr.io/acme/app", newName: "registry.example:5000/app"}]
configMapGenerator: [{name: c, files: [x.ini, y=z.ini], literals: ["url=https://acme.example"]}]
patches:
- path: p.yaml
- patch: |-
    - op: add
      path: /metadata/annotations/url
      value: https://acme.example
  target: {kind: Deployment}
patchesStrategicMerge:
- |
  kind: ConfigMap
  metadata: {name: a}
  data: {url: "https://acme.example"}
transformers:
- |-
  apiVersion: builtin
  kind: AnnotationsTransformer
  metadata: {name: t}
  annotations: {path: "https://acme.example"}
  fieldSpecs: [{path: metadata/annotations, create: true}]
"""
    assert said(text, **{"p.yaml": "kind: X\n"}) == []


def test_what_is_allowed_by_name_passes() -> None:
    files = {"kustomization.yaml": f"resources: ['{URL}', ../x]\nhelmCharts: [{{name: c}}]\n".encode()}
    assert len(list(foreign.breaches(files))) == 3
    assert len(list(foreign.breaches(files, allow=["remote"]))) == 1
    assert len(list(foreign.breaches(files, allow=["helm"]))) == 2
    foreign.check(files, allow=["remote", "helm"])


def test_a_secret_in_an_address_is_not_said() -> None:
    assert "hunter2hunter2" not in "".join(said("resources: ['https://u:hunter2hunter2@host.example/x']\n"))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://host/x", True), ("HTTP://host", True), ("ssh://git@h/x", True), ("file:///etc", True),
        ("git::https://h/x", True), ("git@github.com:a/b", True), ("github.com/a/b", True), ("gh:a/b", True),
        ("GitHub.com/a/b", True), ("org-1@github.com:a/b", True), (" https://h", True), ("http:x", True),
        ("v1.2/base", False), ("foo@1.2.yaml", False), ("github.com.yaml", False), ("a/b.git", False),
    ],
)  # fmt: skip
def test_what_is_taken_for_an_address(text: str, address: bool) -> None:
    assert is_address(text) is address


def test_references_say_their_line() -> None:
    text = b"resources:\n- a.yaml\n- b\npatches:\n- path: p.yaml\n"
    found = [(one.text, one.role, one.line) for one in references(text, "kustomization.yaml")]
    assert found == [("a.yaml", Role.OBJECTS, 2), ("b", Role.OBJECTS, 3), ("p.yaml", Role.FILE, 5)]
