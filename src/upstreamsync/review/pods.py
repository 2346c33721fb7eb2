"""Pod specs wherever an object holds them: workloads, templates of custom resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from upstreamsync.kit.foreign import mapping as mapping
from upstreamsync.kit.foreign import strings as strings

PodSpec = Mapping[str, Any]
CONTAINER_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")
#: Kinds whose content never runs as a pod; walking into them would only cost time.
_NO_PODS: Final = frozenset({"CustomResourceDefinition", "ConfigMap", "Secret"})


def pod_specs(obj: Mapping[str, Any]) -> Iterator[tuple[str, PodSpec]]:
    """Each pod spec of an object with its path, such as ``spec.template.spec``."""
    if obj.get("kind") not in _NO_PODS:
        yield from _walk(obj, ())


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, PodSpec]]:
    if isinstance(value, Mapping):
        listed = value.get("containers")
        if isinstance(listed, list) and listed and all(isinstance(item, Mapping) for item in listed):
            yield ".".join(path), value
            return
        for key, child in value.items():
            yield from _walk(child, (*path, str(key)))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _walk(child, (*path, f"[{index}]"))


def containers(spec: PodSpec) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All containers of a pod spec, by name; nameless ones by position."""
    for field in CONTAINER_LISTS:
        listed = spec.get(field)
        for index, item in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(item, Mapping):
                yield str(item.get("name", f"{field}[{index}]")), item


def mappings(value: Any) -> Sequence[Mapping[str, Any]]:
    """The mappings in a list; nothing when it is no list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else ()
