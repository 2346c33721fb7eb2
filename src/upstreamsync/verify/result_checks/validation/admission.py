"""Rules about webhooks, API services and the definitions of custom resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.verify.result_checks.finding import Manifest
from upstreamsync.verify.result_checks.index import at, elements, mapping, step, strings, text

from .wrong import Wrong, number

#: What the root of a schema may say where the status is a resource of its own: it is validated by itself then.
_AT_ROOT: Final = frozenset(
    ("description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
     "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "multipleOf", "required",
     "items", "properties", "externalDocs", "example", "x-kubernetes-preserve-unknown-fields",
     "x-kubernetes-validations")
)  # fmt: skip


def webhooks(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """Validating and mutating webhooks."""
    del old
    if _is_old(manifest):
        return
    names: set[str] = set()
    for path, hook in elements("webhooks", manifest.get("webhooks")):
        name = text(hook.get("name"))
        if name in names:
            yield Wrong(step(path, "name"), f"two webhooks are named {name}", "rename one of them")
        names.add(name)
        if name.count(".") < 2:
            yield Wrong(
                step(path, "name"), f"{name} is no name of a webhook", "use at least three parts: a.b.c"
            )
        client = mapping(hook.get("clientConfig"))
        if client.get("url") is None and client.get("service") is None:
            yield Wrong(
                step(path, "clientConfig"), "a webhook names neither url nor service", "set one of the two"
            )
        if text(hook.get("sideEffects")) not in ("None", "NoneOnDryRun"):
            yield Wrong(step(path, "sideEffects"), "sideEffects is not None", "set sideEffects: None")
        if not {"v1", "v1beta1"} & set(strings(hook.get("admissionReviewVersions"))):
            yield Wrong(
                step(path, "admissionReviewVersions"),
                "no known version of admission reviews is named",
                "add v1",
            )
        timeout = number(hook.get("timeoutSeconds"))
        if timeout is not None and not 1 <= timeout <= 30:
            yield Wrong(step(path, "timeoutSeconds"), f"timeoutSeconds is {timeout}", "use 1 to 30")
        if text(hook.get("failurePolicy")) not in ("", "Fail", "Ignore"):
            yield Wrong(step(path, "failurePolicy"), "failurePolicy is unknown", "use Fail or Ignore")


def api_service(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """An APIService is called by what it serves."""
    del old
    spec = mapping(manifest.get("spec"))
    wanted = f"{text(spec.get('version'))}.{text(spec.get('group'))}"
    name = text(at(manifest, "metadata", "name"))
    if name and spec.get("version") and name != wanted:
        yield Wrong("metadata.name", f"the APIService of {wanted} is called {name}", f"call it {wanted}")


def definition(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """A CustomResourceDefinition: its name, its versions, and the roots of its schemas."""
    del old
    if _is_old(manifest):
        return
    spec = mapping(manifest.get("spec"))
    wanted = f"{text(at(spec, 'names', 'plural'))}.{text(spec.get('group'))}"
    name = text(at(manifest, "metadata", "name"))
    if name and len(wanted) > 1 and name != wanted:
        yield Wrong("metadata.name", f"the definition of {wanted} is called {name}", f"call it {wanted}")
    versions = list(elements("spec.versions", spec.get("versions")))
    stored = [item.get("name") for _, item in versions if item.get("storage") is True]
    if versions and len(stored) != 1:
        yield Wrong(
            "spec.versions",
            f"{len(stored)} versions are the storage version",
            "set storage: true in exactly one",
        )
    names = [text(item.get("name")) for _, item in versions]
    if len(set(names)) != len(names):
        yield Wrong("spec.versions", "a version stands twice", "drop one of them")
    if text(spec.get("scope")) not in ("", "Namespaced", "Cluster"):
        yield Wrong("spec.scope", f"scope is {spec.get('scope')}", "use Namespaced or Cluster")
    conversion = mapping(spec.get("conversion"))
    if conversion.get("strategy") == "Webhook" and not mapping(conversion.get("webhook")).get("clientConfig"):
        yield Wrong(
            "spec.conversion.webhook", "strategy Webhook names no webhook", "set webhook.clientConfig"
        )
    for path, version in versions:
        root = at(version, "schema", "openAPIV3Schema")
        where = step(step(path, "schema"), "openAPIV3Schema")
        if isinstance(root, dict):
            yield from _root(where, root, has_status=at(version, "subresources", "status") is not None)


def _is_old(manifest: Manifest) -> bool:
    """Whether it is written in a version before v1, whose fields and defaults are others."""
    return text(manifest.get("apiVersion")).rpartition("/")[2] != "v1"


def _root(path: str, root: Mapping[str, Any], *, has_status: bool) -> Iterator[Wrong]:
    if has_status:
        for field in root:
            if field not in _AT_ROOT and root[field] not in (None, [], False):
                yield Wrong(
                    step(path, field), f"{field} stands at the root of a schema that has a status subresource",
                    "move it below a field, or drop it",
                )  # fmt: skip
    for field in ("apiVersion", "kind", "metadata"):
        kind = at(root, "properties", field, "type")
        wanted = "object" if field == "metadata" else "string"
        if kind is not None and kind != wanted:
            yield Wrong(step(step(path, "properties"), field), f"{field} is a {kind}", f"make it {wanted}")
