"""Objects in which labels and images alone have moved are not looked at again, and nothing is missed by that."""

from __future__ import annotations

import copy
import importlib
import marshal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstreamsync.verify.result_checks import ResultContext, check_result, size, validation
from upstreamsync.verify.result_checks.alike import is_alike


def _deployment():
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "app", "labels": {"app": "app", "release": "1"}, "annotations": {"a": "b"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "app"}},
            "template": {
                "metadata": {"labels": {"app": "app"}},
                "spec": {
                    "containers": [
                        {"name": "main", "image": "h/app:1", "ports": [{"containerPort": 80}]},
                        {"name": "side", "image": "h/side:1"},
                    ],
                    "initContainers": [{"name": "init", "image": "h/init:1"}],
                    "volumes": [{"name": "v", "emptyDir": {}}],
                },
            },
        },
    }


def _set(manifest, path, value):
    changed = copy.deepcopy(manifest)
    here = changed
    *way, last = path
    for key in way:
        here = here[key]
    if value is None:
        del here[last]
    else:
        here[last] = value
    return changed


POD = ("spec", "template", "spec")
MAIN = (*POD, "containers", 0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("metadata", "labels", "release"), "2"),
        (("metadata", "labels", "new"), "2"),
        (("metadata", "labels", "release"), None),
        ((*MAIN, "image"), "h/app:2"),
        ((*POD, "containers", 1, "image"), "h/side:2"),
        ((*POD, "initContainers", 0, "image"), "h/init:2"),
        (("metadata", "name"), "app"),
    ],
)
def test_labels_and_images_are_what_a_release_moves(path, value):
    assert is_alike(_deployment(), _set(_deployment(), path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("apiVersion",), "apps/v1beta1"),
        (("metadata", "labels", "release"), 2),
        (("metadata", "labels"), None),
        (("metadata", "annotations", "a"), "c"),
        (("metadata", "finalizers"), ["x"]),
        (("spec", "replicas"), 2),
        (("spec", "selector", "matchLabels", "app"), "other"),
        (("spec", "template", "metadata", "labels", "app"), "other"),
        (("spec", "template", "metadata", "annotations"), {"a": "b"}),
        ((*POD, "volumes"), None),
        ((*POD, "hostNetwork"), True),
        ((*MAIN, "image"), ""),
        ((*MAIN, "image"), None),
        ((*MAIN, "image"), 1),
        ((*MAIN, "name"), "other"),
        ((*MAIN, "ports", 0, "containerPort"), 81),
        ((*POD, "containers", 1), None),
        ((*POD, "containers"), {}),
        (POD, None),
        (("spec", "template"), []),
        (("status",), {}),
    ],
)
def test_all_else_is_more(path, value):
    assert not is_alike(_deployment(), _set(_deployment(), path, value))


@pytest.mark.parametrize(
    ("kind", "wrap"),
    [
        ("CronJob", lambda pod: {"jobTemplate": {"spec": {"template": pod}}}),
        ("StatefulSet", lambda pod: {"template": pod}),
    ],
)
def test_images_stand_where_the_kind_has_its_template(kind, wrap):
    def made(image):
        pod = {"spec": {"containers": [{"name": "main", "image": image}]}}
        return {"kind": kind, "metadata": {"name": "app"}, "spec": wrap(pod)}

    assert is_alike(made("h/app:1"), made("h/app:2"))
    other = {**made("h/app:2"), "kind": "Database"}
    assert not is_alike({**made("h/app:1"), "kind": "Database"}, other)


_wrong = st.sampled_from(
    [
        (("metadata", "labels", "release"), "not a value!"),
        (("metadata", "labels", "not a key!"), "x"),
        (("metadata", "labels", "release"), 1),
        ((*MAIN, "image"), ""),
        ((*MAIN, "image"), "h/app:2"),
        ((*MAIN, "imagePullPolicy"), "Never mind"),
        ((*MAIN, "ports", 0, "containerPort"), 99999),
        ((*MAIN, "resources"), {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}),
        ((*POD, "restartPolicy"), "Never"),
        ((*POD, "volumes", 0, "hostPath"), {"path": "/x"}),
        (("spec", "selector", "matchLabels", "app"), "other"),
        (("spec", "template", "metadata", "labels", "app"), "x y"),
        (("spec", "unknown"), True),
        (("metadata", "labels", "release"), "2"),
        (("metadata", "annotations", "a"), "c"),
    ]
)


@given(st.lists(_wrong, max_size=3), st.lists(_wrong, max_size=3))
def test_nothing_is_missed(before, after):
    """Whatever was wrong before, and is now: the same is found with every object looked at in full."""
    sides = []
    for changes in (before, after):
        one = _deployment()
        for path, value in changes:
            one = _set(one, path, value)
        sides.append([one])
    told = check_result(before=sides[0], after=sides[1], context=ResultContext())
    schema = importlib.import_module("upstreamsync.verify.result_checks.schema.compare")
    with pytest.MonkeyPatch.context() as patch:
        for place in (validation, schema):
            patch.setattr(place, "alike", lambda *_: frozenset())
        assert told == check_result(before=sides[0], after=sides[1], context=ResultContext())


_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(codec="utf-8")),
        st.text('<>&"\\\n'),
    ),
    lambda below: st.one_of(st.lists(below), st.dictionaries(st.text("ab<\n"), below)),
    max_leaves=40,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=3), _json))
def test_what_is_told_to_be_small_is(manifest):
    assert size.json_size(manifest) <= 6 * len(marshal.dumps(manifest, 2))
