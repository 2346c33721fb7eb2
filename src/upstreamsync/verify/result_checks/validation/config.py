"""Rules about Secrets, ConfigMaps, roles, and what every object has."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.verify.result_checks.finding import Manifest
from upstreamsync.verify.result_checks.index import at, elements, mapping, step, text
from upstreamsync.verify.result_checks.placeholders import is_name_to_fill_in

from .wrong import Wrong, is_label, is_label_value, is_qualified, is_subdomain

_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_MOST: Final = 1024 * 1024
_KEYS_OF_TYPE: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"), "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",), "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}  # fmt: skip
#: Kinds whose name is part of another name, or a value of a label: how long it may be.
_SHORT: Final[Mapping[tuple[str, str], int]] = {
    ("", "Namespace"): 63, ("", "Service"): 63, ("batch", "CronJob"): 52, ("batch", "Job"): 63,
}  # fmt: skip
#: Kinds whose name is a label of the DNS, not a name with dots.
_LABELS: Final = frozenset((("", "Namespace"), ("", "Service")))
_ANY_NAME: Final = ("rbac.authorization.k8s.io",)


def secret(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """Its keys, and what its type asks for."""
    del old
    data, plain = mapping(manifest.get("data")), mapping(manifest.get("stringData"))
    yield from _keys(manifest, ("data", "stringData"))
    kind = text(manifest.get("type")) or "Opaque"
    for key in _KEYS_OF_TYPE.get(kind, ()):
        if key not in data and key not in plain:
            yield Wrong(
                step("data", key),
                f"{key} is missing in a Secret of type {kind}",
                f"add {key}, or drop the type",
            )
        elif key.startswith(".docker") and not _is_json(plain.get(key), data.get(key)):
            yield Wrong(step("data", key), f"{key} is not JSON", "write it as JSON, in base64")
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & (data.keys() | plain.keys()):
        yield Wrong(
            "data", "username and password are missing in a Secret of type basic-auth", "add one of them"
        )
    account = at(manifest, "metadata", "annotations", "kubernetes.io/service-account.name")
    if kind == "kubernetes.io/service-account-token" and not account:
        yield Wrong(
            "metadata.annotations[kubernetes.io/service-account.name]",
            "the token names no service account", "add the annotation",
        )  # fmt: skip
    size = sum(len(text(value)) * 3 // 4 for value in data.values()) + sum(
        len(text(v)) for v in plain.values()
    )
    if size > _MOST:
        yield Wrong("data", f"the Secret holds about {size} bytes", f"keep it below {_MOST}")


def _is_json(plain: Any, encoded: Any) -> bool:
    try:
        raw = text(plain) if plain is not None else base64.b64decode(text(encoded))
        json.loads(raw)
    except (binascii.Error, ValueError):
        return False
    return True


def config_map(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """Its keys and its size."""
    del old
    yield from _keys(manifest, ("data", "binaryData"))
    size = sum(len(text(value).encode()) for value in mapping(manifest.get("data")).values())
    size += sum(len(text(value)) * 3 // 4 for value in mapping(manifest.get("binaryData")).values())
    if size > _MOST:
        yield Wrong("data", f"the ConfigMap holds {size} bytes", f"keep it below {_MOST}")


def _keys(manifest: Manifest, fields: tuple[str, ...]) -> Iterator[Wrong]:
    for field in fields:
        for key in mapping(manifest.get(field)):
            if not _KEY.fullmatch(key) or key in (".", ".."):
                yield Wrong(
                    step(field, key), f"{key} is no key of data", "use letters, digits, and any of -._"
                )


def role(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """The rules of a Role or a ClusterRole."""
    del old
    for path, rule in elements("rules", manifest.get("rules")):
        urls = rule.get("nonResourceURLs")
        if not rule.get("verbs"):
            yield Wrong(step(path, "verbs"), "a rule names no verbs", "name at least one")
        if urls and manifest.get("kind") == "Role":
            yield Wrong(step(path, "nonResourceURLs"), "a Role names URLs", "use a ClusterRole")
        if urls and (rule.get("apiGroups") or rule.get("resources")):
            yield Wrong(path, "a rule names resources and URLs", "make it two rules", "exclusive_fields")
        if not urls and not rule.get("apiGroups"):
            yield Wrong(
                step(path, "apiGroups"), "a rule names no API group", 'name at least one ("" is the core)'
            )
        if not urls and not rule.get("resources"):
            yield Wrong(step(path, "resources"), "a rule names no resources", "name at least one")


def binding(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """What a binding binds to whom."""
    del old
    reference = mapping(manifest.get("roleRef"))
    kinds = ("ClusterRole",) if manifest.get("kind") == "ClusterRoleBinding" else ("Role", "ClusterRole")
    if text(reference.get("kind")) not in kinds:
        yield Wrong("roleRef.kind", f"roleRef names a {reference.get('kind')}", f"use {' or '.join(kinds)}")
    if not text(reference.get("name")):
        yield Wrong("roleRef.name", "roleRef has no name", "name the role")
    for path, subject in elements("subjects", manifest.get("subjects")):
        kind = text(subject.get("kind"))
        if kind not in ("ServiceAccount", "User", "Group"):
            yield Wrong(step(path, "kind"), f"a subject is a {kind}", "use ServiceAccount, User or Group")
        account = kind == "ServiceAccount" and manifest.get("kind") == "ClusterRoleBinding"
        if account and not subject.get("namespace"):
            yield Wrong(
                step(path, "namespace"), "a ServiceAccount stands without namespace", "set its namespace"
            )


def _is_name(group: str, kind: str, name: str) -> bool:
    if not name or group in _ANY_NAME or kind in _FREE_NAMES or is_name_to_fill_in(name):
        return True
    return is_label(name) if (group, kind) in _LABELS else is_subdomain(name)


def metadata(group: str, kind: str, manifest: Manifest) -> Iterator[Wrong]:
    """Names, labels and keys of annotations, which hold for every object."""
    found = mapping(manifest.get("metadata"))
    name = text(found.get("name"))
    most = _SHORT.get((group, kind), 253)
    if len(name) > most:
        yield Wrong(
            "metadata.name", f"the name has {len(name)} signs, of {most} that a {kind} may have", "shorten it"
        )
    elif not _is_name(group, kind, name):
        yield Wrong(
            "metadata.name",
            f"{name} is no name of a {kind}",
            "use lower-case letters, digits and hyphens",
        )
    for key, value in mapping(found.get("labels")).items():
        if not is_qualified(key):
            yield Wrong(step("metadata.labels", key), f"{key} is no name of a label", "use prefix/name")
        elif isinstance(value, str) and not is_label_value(value):
            yield Wrong(
                step("metadata.labels", key), f'"{value}" is no value of a label',
                "use at most 63 letters, digits, hyphens, dots and underscores",
            )  # fmt: skip
    for key in mapping(found.get("annotations")):
        if not is_qualified(key.lower()):
            yield Wrong(
                step("metadata.annotations", key), f"{key} is no name of an annotation", "use prefix/name"
            )


#: Kinds of Kubernetes' own whose names are not those of the DNS.
_FREE_NAMES: Final = frozenset(
    ("ComponentStatus", "PriorityLevelConfiguration", "FlowSchema", "IPAddress", "CertificateSigningRequest")
)
