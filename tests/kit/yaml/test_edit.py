"""Edits that change one value and nothing else."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from upstreamsync.errors import EditError
from upstreamsync.kit.yaml import manifests
from upstreamsync.kit.yaml.edit import replace, replace_pattern, set_env, set_image, yaml_value

DEPLOYMENT = """\
# leading comment
apiVersion: apps/v1   # odd   spacing
kind: Deployment
metadata: {name: web, labels: {"app.kubernetes.io/version": 'v1.2.3', x: y}}
spec:
  template:
    spec:
      containers:
      - name: app
        image: "quay.io/x/app:v1.2.3"  # keep me
        env:
        - {name: LEVEL, value: "3"}
        - name: HELPER
          value: quay.io/x/helper:1.0
      - name: side
        env:
          - name: HELPER
            value: quay.io/x/helper:1.0
          - name: FROM
            valueFrom: {fieldRef: {fieldPath: x}}
---
kind: Service
metadata:
  name: web
  annotations:
    a.b/c: old
spec:
  number: 3
  float: 1.9
  empty:
  nothing: ~   # nothing here
  flag: true
"""

APPLICATION = """\
kind: Application
spec:
  source:
    targetRevision: 1.0.0
    helm:
      values: |
        image:
          tag: v1.0.0   # inner comment

          # another
          repo: x
        more: "1.0"
      parameters: '{"image": {"tag": "v1.0.0"}, "n": 1}'
"""


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    pairs = list(zip(before.split("\n"), after.split("\n"), strict=True))
    return [(one, other) for one, other in pairs if one != other]


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("(kind=Deployment).apiVersion", "apps/v2", "apiVersion: apps/v2   # odd   spacing"),
        (
            'metadata.labels["app.kubernetes.io/version"]',
            "v1.3.0",
            """metadata: {name: web, labels: {"app.kubernetes.io/version": 'v1.3.0', x: y}}""",
        ),
        (
            "metadata.labels.[app.kubernetes.io/version]",
            "it's",
            """metadata: {name: web, labels: {"app.kubernetes.io/version": 'it''s', x: y}}""",
        ),
        (
            "metadata.labels.x",
            "a, b",
            """metadata: {name: web, labels: {"app.kubernetes.io/version": 'v1.2.3', x: "a, b"}}""",
        ),
        ("spec.template.spec.containers[0].image", "a:2", '        image: "a:2"  # keep me'),
        ("spec.template.spec.containers[name=app].image", 'q"\\', '        image: "q\\"\\\\"  # keep me'),
        ("spec.template.spec.containers[-1].env[name=HELPER].value", "h:2", "            value: h:2"),
        ("spec.template.spec.containers.0.env.1.value", "1.10", '          value: "1.10"'),
        ('(kind=Service).metadata.annotations["a.b/c"]', "2024-01-01", '    a.b/c: "2024-01-01"'),
        ("(kind=Service,name=web).metadata.annotations['a.b/c']", "yes", '    a.b/c: "yes"'),
        ("spec.number", "4", "  number: 4"),
        ("spec.number", "4.1.0", "  number: 4.1.0"),
        ("spec.float", "1.10", "  float: 1.10"),
        ("spec.empty", "v1", "  empty: v1"),
        ("spec.empty", "1.10", '  empty: "1.10"'),
        ("spec.nothing", "v1", "  nothing: v1   # nothing here"),
        ("spec.flag", "false", '  flag: "false"'),
        ("spec.number", "a: b", '  number: "a: b"'),
        ("spec.number", "a #b", '  number: "a #b"'),
        ("spec.number", "", '  number: ""'),
        ("spec.number", "- x", '  number: "- x"'),
        ("spec.number", "a\nb", '  number: "a\\nb"'),
        ("spec.number", "\x07", '  number: "\\u0007"'),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_one_line_changes(path: str, value: str, line: str, ending: str, bom: str) -> None:
    before = bom + DEPLOYMENT.replace("\n", ending)
    after, old, place = replace(before, path, value, file="x.yaml")
    ((was, now),) = changed_lines(before, after)
    assert now.rstrip("\r") == line
    assert place.file == "x.yaml"
    assert before.split("\n")[place.line - 1] == was
    assert old in was or old == ""


def test_a_span_is_where_the_value_is() -> None:
    span = yaml_value(DEPLOYMENT, "spec.template.spec.containers[0].image", file="d.yaml")
    assert DEPLOYMENT[span.start : span.end] == '"quay.io/x/app:v1.2.3"'
    assert span.value == "quay.io/x/app:v1.2.3"
    assert str(span.place) == "d.yaml:10:16"
    inner = yaml_value(APPLICATION, "spec.source.helm.values|image.tag", file="a.yaml")
    assert inner.value == "v1.0.0"
    assert str(inner.place) == "a.yaml:8:16"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_into_a_text_in_the_text(ending: str) -> None:
    before = APPLICATION.replace("\n", ending)
    after, old, place = replace(before, "spec.source.helm.values|image.tag", "v1.10.0", file="a.yaml")
    assert changed_lines(before, after) == [
        (
            f"          tag: v1.0.0   # inner comment{ending[:-1]}",
            f"          tag: v1.10.0   # inner comment{ending[:-1]}",
        )
    ]
    assert (old, str(place)) == ("v1.0.0", "a.yaml:8:16")
    after, _, _ = replace(before, "spec.source.helm.values|more", "1.10")
    assert '        more: "1.10"' in after
    after, _, _ = replace(before, "spec.source.helm.parameters|image.tag", "v2")
    assert """parameters: '{"image": {"tag": "v2"}, "n": 1}'""" in after


def test_three_levels_deep() -> None:
    text = 'a: |\n  b: |\n    c: {"d": "1"}\n    e: \'{"f": "2"}\'\n  z: 1\n'
    after, before, place = replace(text, "a|b|c.d", "9", file="x")
    assert after == text.replace('"1"', '"9"')
    assert str(place) == "x:3:14"
    after, before, _ = replace(text, "a|b|e|f", "9")
    assert after == text.replace('"2"', '"9"')
    assert before == "2"


def test_a_block_of_one_line_is_a_value_too() -> None:
    text = "data:\n  version: |\n    v1.0.0\n  next: 1\n"
    assert replace(text, "data.version", "v1.1.0")[0] == text.replace("v1.0.0", "v1.1.0")
    assert replace(text, "data.version", "v1.1.0")[1] == "v1.0.0"


def test_the_last_line_without_an_end() -> None:
    assert replace("a: 1", "a", "2")[0] == "a: 2"
    assert replace("a:", "a", "2.0")[0] == 'a: "2.0"'
    assert replace("a: |-\n  b: 1", "a|b", "2")[0] == "a: |-\n  b: 2"


def test_setting_what_is_there_changes_nothing() -> None:
    assert replace(DEPLOYMENT, "spec.number", "3")[0] == DEPLOYMENT


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("spec.absent", "absent"),
        ("spec.template.spec.containers[7].image", "[7]"),
        ("spec.template.spec.containers[name=x].image", "name=x"),
        ("spec.template.spec.containers", "list"),
        ("metadata.labels", "mapping"),
        ("metadata.name", "2 documents"),
        ("(kind=Ingress).spec", "no document"),
        ("(kind=Service", "can't be read"),
        ("", "no value"),
        (".a", "dot"),
        ("a[", "can't be read"),
        ("a]b", "can't be read"),
        ("(kind=Service).spec.flag|x", "x"),
    ],
)
def test_what_is_not_found_is_an_error_that_helps(path: str, said: str) -> None:
    with pytest.raises(EditError) as caught:
        replace(DEPLOYMENT, path, "v", file="d.yaml")
    assert said in str(caught.value)


def test_shared_values_and_folded_texts_are_refused() -> None:
    for text, path in [
        ("a: &x v1\nb: *x\n", "a"),
        ("a: &x v1\nb: *x\n", "b"),
        ("a: >\n  b: 1\n", "a|b"),
        ("a: 1\na: 2\n", "a"),
        ("a: {b: &m {c: 1}, d: *m}\n", "a.d.c"),
        ("a: 'x", "a"),
        ("[" * 500, "a"),
    ]:
        with pytest.raises(EditError):
            replace(text, path, "v2")


KUSTOMIZATION = """\
# images
resources: [base]
images:
- name: quay.io/x/app
  newTag: v1.0.0 # tag
- name: quay.io/x/bare   # no tag yet
- {name: flow}
-   newName: other
    name: quay.io/x/digest
    digest: sha256:aa
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_images(ending: str) -> None:
    text = KUSTOMIZATION.replace("\n", ending)
    after, before, place = set_image(text, "quay.io/x/app", tag="v1.10.0", file="k.yaml")
    assert after == text.replace("v1.0.0", "v1.10.0")
    assert (before, place.line) == ("v1.0.0", 5)
    after, before, _ = set_image(text, "quay.io/x/digest", digest="sha256:bb")
    assert after == text.replace("sha256:aa", "sha256:bb")
    assert set_image(text, "quay.io/x/digest", name="third")[0] == text.replace("other", "third")
    after, before, _ = set_image(text, "quay.io/x/bare", tag="1.10")
    assert after == text.replace(f"# no tag yet{ending}", f'# no tag yet{ending}  newTag: "1.10"{ending}')
    assert before == ""
    assert set_image(text, "flow", tag="v2")[0] == text.replace("{name: flow}", "{name: flow, newTag: v2}")
    after, _, _ = set_image(text, "quay.io/x/digest", tag="v3")
    assert after == text.replace(f"digest{ending}", f"digest{ending}    newTag: v3{ending}", 1)


def test_an_image_at_the_very_end() -> None:
    assert set_image("images:\n- name: x", "x", tag="v1")[0] == "images:\n- name: x\n  newTag: v1"


@pytest.mark.parametrize(
    ("image", "change"),
    [
        ("absent", {"tag": "1"}),
        ("quay.io/x/app", {"digest": "sha256:a"}),
        ("quay.io/x/app", {"name": "x"}),
        ("flow", {}),
    ],
)
def test_images_that_can_not_be_set(image: str, change: dict[str, str]) -> None:
    with pytest.raises(EditError):
        set_image(KUSTOMIZATION, image, **change)
    with pytest.raises(EditError, match="more than once"):
        set_image("images: [{name: x}, {name: x}]", "x", tag="1")


def test_environment_variables() -> None:
    after, before, place = set_env(DEPLOYMENT, "HELPER", "quay.io/x/helper:1.1")
    assert after == DEPLOYMENT.replace("helper:1.0", "helper:1.1")
    assert (before, place.line) == ("quay.io/x/helper:1.0", 14)
    assert set_env(DEPLOYMENT, "LEVEL", "4")[0] == DEPLOYMENT.replace('"3"', '"4"')
    for name in ("ABSENT", "FROM"):
        with pytest.raises(EditError):
            set_env(DEPLOYMENT, name, "x")
    with pytest.raises(EditError, match="different"):
        set_env(DEPLOYMENT.replace("helper:1.0", "helper:0.9", 1), "HELPER", "x")


def test_patterns() -> None:
    text = "ARG VERSION=v1.0.0\r\n# v1.0.0\r\nFROM x:v1.0.0\r\n"
    after, before, place = replace_pattern(text, r"^FROM x:(.*)$", "v2", file="Dockerfile")
    assert after == "ARG VERSION=v1.0.0\r\n# v1.0.0\r\nFROM x:v2\r\n"
    assert (before, str(place)) == ("v1.0.0", "Dockerfile:3:8")
    assert replace_pattern(text, r"(v1\.0\.0)", r"\1")[0] == text.replace("v1.0.0", "\\1")
    for pattern in ("absent(x)", "v1", "(v)(1)", "(", "=(v1)|:(v1)"):
        with pytest.raises(EditError):
            replace_pattern(text, pattern, "v2")
    with pytest.raises(EditError, match="different"):
        replace_pattern("a=1 a=2", r"a=(\d)", "3")


# -- for any document: only the one value changes ---------------------------------------------------

plain = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\u2028\u2029")
traps = ["1.10", "yes", "null", "~", "0x1f", "1e3", "2024-01-01", "a: b", "a #b", "-", "v1.2.3", "", "12:30"]
scalars = st.text(plain, max_size=12) | st.sampled_from([*traps, "=", "'", '"'])
keys = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
documents = st.recursive(
    scalars | st.integers(-5, 5) | st.booleans() | st.none() | st.floats(-9, 9, width=16),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


def leaves(value: object, path: str = "") -> list[str]:
    if isinstance(value, dict):
        return [
            leaf for key, below in value.items() for leaf in leaves(below, f"{path}.{key}" if path else key)
        ]
    if isinstance(value, list):
        return [leaf for number, below in enumerate(value) for leaf in leaves(below, f"{path}[{number}]")]
    return [path]


def strings(value: object) -> object:
    if isinstance(value, dict):
        return {key: strings(below) for key, below in value.items()}
    return [strings(below) for below in value] if isinstance(value, list) else str(value)


def value_at(value: object, path: str) -> object:
    for name in path.replace("[", ".[").strip(".").split("."):
        value = value[int(name[1:-1])] if name.startswith("[") else value[name]  # type: ignore[index]
    return value


def without(value: object, path: str) -> str:
    copied = json.loads(json.dumps(value))
    names = path.replace("[", ".[").strip(".").split(".")
    target = copied
    for name in names[:-1]:
        target = target[int(name[1:-1])] if name.startswith("[") else target[name]
    last = names[-1]
    target[int(last[1:-1]) if last.startswith("[") else last] = "<here>"
    return json.dumps(copied)


@given(
    st.dictionaries(keys, documents, min_size=1, max_size=4),
    scalars,
    st.data(),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_everything_else_stays_byte_for_byte(
    document: dict[str, object], value: str, draw: st.DataObject, flow: bool, ending: str
) -> None:
    style = draw.draw(st.sampled_from([None, "'", '"']))
    if style:  # or PyYAML would write !!int '0', of which no text can be made
        document = {key: strings(below) for key, below in document.items()}
    text = yaml.safe_dump(
        document, default_flow_style=flow, allow_unicode=True, default_style=style, width=10_000
    )
    text = text.replace("\n", ending)
    old = manifests.load(text)
    paths = [path for path in leaves(old) if path]
    if not paths:
        return
    path = draw.draw(st.sampled_from(paths))
    span = yaml_value(text, path)
    after, _, _ = replace(text, path, value)
    new = manifests.load(after)
    written = value_at(new, path)
    assert written == value or (
        str(manifests.scalar(value)) == str(written) and not isinstance(value_at(old, path), str)
    )
    assert without(new, path) == without(old, path)
    assert after.startswith(text[: span.start])
    assert after.endswith(text[span.end :])


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=10))
def test_no_text_ends_in_anything_but_our_errors(text: str, path: str, value: str) -> None:
    for edit in (
        lambda: replace(text, path, value),
        lambda: set_image(f"images:\n- name: x\n{text}", "x", tag=value),
        lambda: set_env(f"env:\n- name: x\n  value: y\n{text}", "x", value),
        lambda: replace(f"a: |\n  {text}\nb: 1\n", "a|b", value),
    ):
        try:
            edit()
        except EditError:
            continue
