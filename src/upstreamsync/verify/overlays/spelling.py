"""The fields of a kustomization under the names that kustomize has for them.

kustomize reads its file with Go's JSON decoder, which takes the name of a field in any case
(``Resources``, ``NEWTAG``); of two spellings of one field the last in the order of bytes stands. Names
below free maps (labels, annotations, values of a chart) are the user's own and stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: What stands below a field: True for anything of the user's own, a mapping for further fields. Lists count
#: as their elements.
_Shape = Mapping[str, Any]

_SELECTOR: Final[_Shape] = dict.fromkeys(
    (
        "group", "version", "kind", "name", "namespace", "apiVersion", "labelSelector",
        "annotationSelector", "fieldPath",
    ),
    True,
)  # fmt: skip
_FIELD_SPEC: Final[_Shape] = dict.fromkeys(("group", "version", "kind", "path", "create"), True)
_OPTIONS: Final[_Shape] = dict.fromkeys(("labels", "annotations", "disableNameSuffixHash", "immutable"), True)
_PATCH_OPTIONS: Final[_Shape] = dict.fromkeys(("allowNameChange", "allowKindChange"), True)
_PATCH: Final[_Shape] = {"path": True, "patch": True, "target": _SELECTOR, "options": _PATCH_OPTIONS}
_IMAGE: Final[_Shape] = dict.fromkeys(("name", "newName", "newTag", "tagSuffix", "digest"), True)
_REPLICA: Final[_Shape] = {"name": True, "count": True}
_REPLACEMENT_OPTIONS: Final[_Shape] = dict.fromkeys(("delimiter", "index", "encoding", "create"), True)
_REPLACEMENT: Final[_Shape] = {
    "path": True,
    "source": {**_SELECTOR, "options": _REPLACEMENT_OPTIONS},
    "sourceValue": True,
    "targets": {
        "select": _SELECTOR,
        "reject": _SELECTOR,
        "fieldPaths": True,
        "options": _REPLACEMENT_OPTIONS,
    },
}
_GENERATOR: Final[_Shape] = {
    **dict.fromkeys(
        ("namespace", "name", "behavior", "type", "literals", "files", "envs", "env", "kvSources"), True
    ),
    "options": _OPTIONS,
}
_CHART: Final[_Shape] = dict.fromkeys(
    (
        "name", "version", "repo", "releaseName", "namespace", "nameTemplate", "additionalValuesFiles",
        "valuesFile", "valuesInline", "valuesMerge", "includeCRDs", "skipHooks", "skipTests",
        "apiVersions", "kubeVersion", "debug", "devel",
    ),
    True,
)  # fmt: skip
_METADATA: Final[_Shape] = dict.fromkeys(("name", "namespace", "labels", "annotations"), True)

#: The fields of a kustomization.
KUSTOMIZATION: Final[_Shape] = {
    **dict.fromkeys(
        (
            "apiVersion", "kind", "namePrefix", "nameSuffix", "namespace", "commonLabels",
            "commonAnnotations", "resources", "bases", "components", "crds", "patchesStrategicMerge",
            "configurations", "generators", "transformers", "validators", "buildMetadata",
        ),
        True,
    ),
    "metadata": _METADATA,
    "openapi": {"path": True, "version": True},
    "sortOptions": {"order": True, "legacySortOptions": {"orderFirst": True, "orderLast": True}},
    "labels": {"pairs": True, "includeSelectors": True, "includeTemplates": True, "fields": _FIELD_SPEC},
    "patches": _PATCH,
    "patchesJson6902": _PATCH,
    "images": _IMAGE,
    "imageTags": _IMAGE,
    "replicas": _REPLICA,
    "replacements": _REPLACEMENT,
    "vars": {"name": True, "objref": _SELECTOR, "fieldref": {"fieldPath": True}},
    "configMapGenerator": _GENERATOR,
    "secretGenerator": _GENERATOR,
    "generatorOptions": _OPTIONS,
    "helmGlobals": {"chartHome": True, "configHome": True},
    "helmCharts": _CHART,
    "helmChartInflationGenerator": {
        **_CHART,
        **dict.fromkeys(
            ("chartName", "chartVersion", "chartRepoUrl", "chartHome", "chartRepoName", "helmHome",
             "helmBin", "values", "releaseNamespace", "extraArgs"), True),
    },
}  # fmt: skip
#: The fields that the built-in transformers and generators have besides, all of them together.
BUILTIN: Final[_Shape] = {
    "apiVersion": True,
    "kind": True,
    "metadata": _METADATA,
    **_PATCH,
    **_GENERATOR,
    **_CHART,
    "paths": True,
    "patches": True,
    "jsonOp": True,
    "imageTag": _IMAGE,
    "replica": _REPLICA,
    "replacements": _REPLACEMENT,
    "prefix": True,
    "suffix": True,
    "labels": True,
    "annotations": True,
    "fieldSpecs": _FIELD_SPEC,
    "setRoleBindingSubjects": True,
    "unsetOnly": True,
    "value": True,
    "targets": True,
    "targetFilePath": True,
    "chartHome": True,
}


def canonical(value: Any, shape: Any = KUSTOMIZATION) -> Any:
    """``value`` with the names of kustomize's own fields as kustomize writes them; other names stay."""
    if isinstance(value, list):
        return [canonical(each, shape) for each in value]
    if not isinstance(value, Mapping) or shape is True:
        return value
    names = {name.casefold(): name for name in shape}
    found: dict[Any, Any] = {}
    given = {name: each for name, each in value.items() if isinstance(name, str)}
    usual = all(name in shape for name in given)  # as nearly everybody writes them: their order stays
    keys = list(given) if usual else sorted(given, key=str.encode)
    for name in keys:
        right = name if name in shape else names.get(name.casefold(), name)
        found[right] = canonical(given[name], shape.get(right, True))
    return found


def same_field(written: str, name: str) -> bool:
    """Whether ``written`` in a kustomization is the field ``name``."""
    return written == name or written.casefold() == name.casefold()
