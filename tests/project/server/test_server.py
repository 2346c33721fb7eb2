"""``--server``: the real kubectl against a stand-in on loopback, each trap of a dry run; and a real API server.

The last test takes a real one where KUBE_APISERVER and ETCD name its binaries.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.project.server.standin import Refusal, StandIn, serving

from upstreamsync.errors import Unreachable
from upstreamsync.model import Build, Judgement, OverlayVerification, Severity, Verdict, Verification
from upstreamsync.project.server import ask_server
from upstreamsync.project.server.kubectl import Said, read

Ask = Callable[..., list[Judgement]]


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture
def ask(stand_in: StandIn, tmp_path: Path) -> Iterator[Ask]:
    """Asks about two results; gives what is added to the verdicts."""
    with serving(stand_in, tmp_path) as config:

        def asked(
            before: list[Any], after: list[Any], *, tool: str | None = None, items: tuple[Judgement, ...] = ()
        ) -> list[Judgement]:
            overlay = OverlayVerification(path="o", before=Build(ok=True), after=Build(ok=True), items=items)
            verification = ask_server(
                Verification(overlays=(overlay,)), {"o": (before, after)}, context="test",
                environment={**os.environ, "KUBECONFIG": str(config)}, tools={"o": tool},
            )  # fmt: skip
            return list(verification.items[len(items) :])

        yield asked


def obj(kind: str, name: str = "x", api: str = "v1", **more: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **more}


def told(items: list[Judgement]) -> list[tuple[str, str, str]]:
    return [(item.verdict.value, str(item.reason), str(item.severity)) for item in items]


REFUSED = [("rejected", "server_refused", "silent-break")]
UNASKED = [("rejected", "server_refused", "info")]
INVALID = 'ConfigMap "x" is invalid: data[a]: Invalid value: "secret stuff": must be something else'


def test_a_refusal_is_told_in_the_servers_words_cut_to_the_field(ask: Ask, stand_in: StandIn) -> None:
    stand_in.decide = lambda sent: (
        Refusal(422, "Invalid", INVALID) if sent.get("data") == {"a": "2"} else None
    )
    (item,) = ask([obj("ConfigMap", data={"a": "1"})], [obj("ConfigMap", data={"a": "2"})])
    assert told([item]) == REFUSED
    assert (item.item, item.resources) == ("o: (result)", ("v1 ConfigMap x",))
    assert item.why == "the API server refuses it: data[a]: Invalid value: must be something else"


def test_only_what_changed_is_sent_strictly_forced_and_dry(ask: Ask, stand_in: StandIn) -> None:
    same = obj("ConfigMap", "same")
    assert ask([same, obj("ConfigMap")], [same, obj("ConfigMap", data={"a": "2"})], tool="flux") == []
    (sent,) = stand_in.asked
    assert (sent.method, sent.path.rpartition("/")[2]) == ("PATCH", "x")
    wanted = {
        "dryRun": ["All"],
        "fieldValidation": ["Strict"],
        "force": ["true"],
        "fieldManager": ["kustomize-controller"],
    }
    assert sent.query == wanted


def test_what_the_old_result_meets_with_too_is_not_new(ask: Ask, stand_in: StandIn) -> None:
    stand_in.decide = lambda sent: Refusal(422, "Invalid", INVALID)
    assert ask([obj("ConfigMap", data={"a": "1"})], [obj("ConfigMap", data={"a": "2"})]) == []
    assert told(ask([], [obj("ConfigMap")])) == REFUSED


def test_warnings_are_for_review_where_they_are_new(ask: Ask, stand_in: StandIn) -> None:
    stand_in.warn = lambda sent: (
        ["old"] if sent["metadata"].get("labels") is None else ["old", "unknown field"]
    )
    labelled = {**obj("ConfigMap"), "metadata": {"name": "x", "labels": {"a": "b"}}}
    items = ask([obj("ConfigMap")], [labelled])
    assert told(items) == [("rejected", "server_refused", "review")]
    assert "unknown field" in items[0].why


def test_what_a_rule_has_said_is_not_said_twice(ask: Ask, stand_in: StandIn) -> None:
    stand_in.decide = lambda sent: Refusal(422, "Invalid", INVALID)
    said = Judgement(
        item="o: patches[0]", kustomization="o", field="patches", key="0", file="o", line=1, verdict=Verdict.REJECTED,
        severity=Severity.SILENT_BREAK, reason="schema_violation", resources=("v1 ConfigMap x",), paths=("data.a",),
    )  # fmt: skip
    assert ask([], [obj("ConfigMap")], items=(said,)) == []
    assert told(ask([], [obj("ConfigMap", "y")], items=(said,))) == REFUSED


def test_a_new_namespace_is_not_there_in_a_dry_run(ask: Ask, stand_in: StandIn) -> None:
    inside = obj("ConfigMap")
    inside["metadata"]["namespace"] = "shop"
    items = ask([], [obj("Namespace", "shop"), inside])
    assert told(items) == UNASKED
    assert "1 object: their namespace is new in the same result" in items[0].why
    assert [sent.object["kind"] for sent in stand_in.asked] == ["Namespace"]


def crd(field: str) -> dict[str, Any]:
    spec = {"group": "shop.io", "names": {"kind": "Kiln"}, "x": field}
    return obj("CustomResourceDefinition", "kilns.shop.io", "apiextensions.k8s.io/v1", spec=spec)


def test_a_definition_that_moves_does_not_move_in_a_dry_run(ask: Ask, stand_in: StandIn) -> None:
    before, after = obj("Kiln", api="shop.io/v1"), obj("Kiln", api="shop.io/v1", spec={"new": 1})
    items = ask([crd("a"), before], [crd("b"), after])
    assert told(items) == UNASKED
    assert "which a dry run does not do" in items[0].why
    items = ask([], [obj("Kiln", api="shop.io/v1")])
    assert told(items) == UNASKED
    assert "not known to this cluster" in items[0].why


def test_a_generated_name_is_created_not_applied(ask: Ask, stand_in: StandIn) -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"generateName": "run-"},
        "spec": {"template": {}},
    }
    assert ask([], [job]) == []
    assert [sent.method for sent in stand_in.asked] == ["POST"]


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (Refusal(403, "Forbidden", 'configmaps "x" is forbidden: User "u" cannot patch resource "configmaps" in API group ""'), "may not patch"),
        (Refusal(403, "Forbidden", 'configmaps "x" is forbidden: exceeded quota: q, requested: configmaps=1'), "a quota is used up"),
        (Refusal(400, "BadRequest", 'admission webhook "a.b.c" does not support dry run'), "side effects"),
        (Refusal(422, "Invalid", 'Service "x" is invalid: spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated'), "is taken"),
        (Refusal(404, "NotFound", 'namespaces "shop" not found'), "not in this cluster"),
        (Refusal(500, "InternalError", 'failed calling webhook "a.b.c": connection refused'), "did not answer"),
        (Refusal(503, "ServiceUnavailable", "the server is currently unable to handle the request"), "server did not answer"),
        (Refusal(429, "TooManyRequests", "too many requests, please try again later"), "server did not answer"),
        (Refusal(500, "InternalError", "an error on the server (etcdserver: leader changed) has prevented the request from succeeding"), "did not answer"),
    ],
)  # fmt: skip
def test_what_a_dry_run_can_not_tell_is_said_and_not_refused(
    ask: Ask, stand_in: StandIn, refusal: Refusal, reason: str
) -> None:
    stand_in.decide = lambda sent: refusal
    items = ask([], [obj("ConfigMap"), obj("ConfigMap", "y")])
    assert told(items) == UNASKED
    assert "2 objects: " in items[0].why
    assert reason in items[0].why


def test_the_value_of_a_secret_is_not_repeated(ask: Ask, stand_in: StandIn) -> None:
    message = 'Secret "x" is invalid: data[a]: Invalid value: "hunter2": no'
    stand_in.decide = lambda sent: Refusal(422, "Invalid", message)
    (item,) = ask([], [obj("Secret")])
    assert "hunter2" not in item.why
    assert "data[a]" in item.why


def test_where_nobody_answers_nothing_is_called_well(tmp_path: Path, stand_in: StandIn) -> None:
    with serving(stand_in, tmp_path) as config:
        pass
    overlay = OverlayVerification(path="o", before=Build(ok=True), after=Build(ok=True))
    for context in ("test", "other"):
        with pytest.raises(Unreachable):
            ask_server(
                Verification(overlays=(overlay,)), {"o": ([], [obj("ConfigMap")])}, context=context,
                environment={**os.environ, "KUBECONFIG": str(config)}, tools={},
            )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "text", "field"),
    [
        ('The Deployment "x" is invalid: spec.template.spec.containers[0].resources.requests: Invalid value: "1": must be less than or equal to cpu limit of 500m',
         "spec.template.spec.containers[0].resources.requests: Invalid value: must be less than or equal to cpu limit of 500m",
         "spec.template.spec.containers[0].resources.requests"),
        ('Error from server (BadRequest): Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica"',
         'strict decoding error: unknown field "spec.replica"', "spec.replica"),
        ('Error from server: failed to create typed patch object (/x; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string',
         ".spec.replicas: expected numeric (int or float), got string", "spec.replicas"),
    ],
)  # fmt: skip
def test_the_servers_words(words: str, text: str, field: str) -> None:
    answer = read(1, words + "\n")
    assert (answer.said, answer.text, answer.field) == (Said.REFUSED, text, field)


@pytest.mark.parametrize(
    "words",
    [
        'error validating "STDIN": error validating data: failed to download openapi: the server has asked for the client to provide credentials; if you choose to ignore these errors, turn validation off with --validate=false',
        'error: You must be logged in to the server (the server has asked for the client to provide credentials)',
        "Error from server (Unauthorized): Unauthorized",
        "Unable to connect to the server: dial tcp 10.0.0.1:443: connect: no route to host",
        'E1 memcache.go:265] "Unhandled Error" err="couldn\'t get current server API group list: the server has asked for the client to provide credentials"',
        'error: context "x" does not exist',
    ],
)  # fmt: skip
def test_who_was_not_let_in_has_asked_nothing(words: str) -> None:
    """Both results meet with it alike, and neither was looked at."""
    with pytest.raises(Unreachable):
        read(1, words + "\n")


def test_verify_asks_when_it_is_told_to(tmp_path: Path, stand_in: StandIn) -> None:
    for side, value in (("old", "1"), ("new", "2")):
        (tmp_path / side / "base").mkdir(parents=True)
        (tmp_path / side / "overlay").mkdir()
        (tmp_path / side / "base/a.yaml").write_text(yaml.safe_dump(obj("ConfigMap", data={"a": value})))
        (tmp_path / side / "base/kustomization.yaml").write_text("resources: [a.yaml]\n")
        (tmp_path / side / "overlay/kustomization.yaml").write_text("resources: [../base]\nnamePrefix: my-\n")
    stand_in.decide = lambda sent: (
        Refusal(422, "Invalid", INVALID) if sent.get("data") == {"a": "2"} else None
    )
    with serving(stand_in, tmp_path) as config:
        words = [
            "verify",
            "overlay",
            "--before",
            tmp_path / "old",
            "--after",
            tmp_path / "new",
            "--server",
            "test",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "upstreamsync", *words], capture_output=True, text=True,
            env={**os.environ, "KUBECONFIG": str(config), "UPSTREAMSYNC_CACHE": str(tmp_path / "cache")},
        )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "the API server refuses it: data[a]" in " ".join(done.stdout.split())
    assert [sent.object["metadata"]["name"] for sent in stand_in.asked] == ["my-x", "my-x"]


@pytest.mark.skipif(
    not (os.environ.get("KUBE_APISERVER") and os.environ.get("ETCD")),
    reason="a real API server is asked where KUBE_APISERVER and ETCD name the binaries",
)
def test_a_real_api_server(tmp_path: Path) -> None:
    with real_server(tmp_path) as config:
        limits = {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}}
        pod = {"containers": [{"name": "a", "image": "a:1", **limits}]}
        template = {"metadata": {"labels": {"a": "b"}}, "spec": pod}
        web = obj(
            "Deployment", api="apps/v1", spec={"selector": {"matchLabels": {"a": "b"}}, "template": template}
        )
        overlay = OverlayVerification(path="o", before=Build(ok=True), after=Build(ok=True))
        verification = ask_server(
            Verification(overlays=(overlay,)), {"o": ([], [web, obj("ConfigMap", data={"a": "b"})])}, context="test",
            environment={**os.environ, "KUBECONFIG": str(config)}, tools={},
        )  # fmt: skip
    assert told(list(verification.items)) == REFUSED
    assert "memory limit" in verification.items[0].why


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class real_server:
    """etcd and kube-apiserver on loopback, with one user who may do everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Path:
        store, peer, port = _free_port(), _free_port(), _free_port()
        keys = self.folder / "sa.key"
        openssl = shutil.which("openssl")
        assert openssl, "openssl makes the key that service accounts are signed with"
        subprocess.run([openssl, "genrsa", "-out", keys, "2048"], check=True, capture_output=True)
        (self.folder / "tokens.csv").write_text("token,admin,admin,system:masters\n")
        self._start(
            os.environ["ETCD"], f"--data-dir={self.folder / 'etcd'}", f"--listen-client-urls=http://127.0.0.1:{store}",
            f"--advertise-client-urls=http://127.0.0.1:{store}", f"--listen-peer-urls=http://127.0.0.1:{peer}",
        )  # fmt: skip
        self._start(
            os.environ["KUBE_APISERVER"], f"--etcd-servers=http://127.0.0.1:{store}", "--bind-address=127.0.0.1",
            f"--secure-port={port}", f"--cert-dir={self.folder / 'certs'}", "--service-cluster-ip-range=10.96.0.0/16",
            f"--service-account-key-file={keys}", f"--service-account-signing-key-file={keys}",
            "--service-account-issuer=https://test", f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
        )  # fmt: skip
        config = self.folder / "kubeconfig"
        config.write_text(
            "apiVersion: v1\nkind: Config\n"
            f"clusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:{port}', insecure-skip-tls-verify: true}}}}]\n"
            "contexts: [{name: test, context: {cluster: c, user: u, namespace: default}}]\nusers: [{name: u, user: {token: token}}]\n"
        )
        words = ["kubectl", f"--kubeconfig={config}", "--context=test", "get", "namespace", "default"]
        for _ in range(240):
            if subprocess.run(words, capture_output=True).returncode == 0:
                return config
            time.sleep(0.5)
        raise AssertionError("the API server did not become ready")

    def __exit__(self, *_: object) -> None:
        for child in reversed(self.children):
            child.terminate()
            child.wait(30)

    def _start(self, *words: object) -> None:
        with (self.folder / "log").open("ab") as log:
            self.children.append(subprocess.Popen([str(word) for word in words], stdout=log, stderr=log))
