#!/usr/bin/env python3
"""Make the compact descriptions of Kubernetes' own kinds from the published package kubernetes-validate.

One file per minor version, ``kubernetes-1.34.json.gz``, in the package's folder of schemas: the fields of each
type, what is required, and the keys of lists. Descriptions, statuses and what no object is made of stay out.
Run it when a new minor version is out: raise VERSION, and commit what it writes. ``--check`` writes nothing
and exits with 1 when a file would change.

The form of a type is {"f": {field: NODE}, "r": [required field]}. A NODE is a letter (s string, i integer, n number,
b boolean, q quantity, x integer or string, t time, y base64, * anything, o any object), a number (that type), or a
list: ["l", NODE] list, ["set", NODE], ["m", NODE, KEY…] list whose elements these fields name, ["d", NODE] map.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

VERSION = "1.37.0"
TARGET = Path(__file__).resolve().parents[1] / "src/upstreamsync/verify/result_checks/schema/data"
DEFINITIONS = re.compile(
    r"kubernetes_validate/kubernetes-json-schema/v(\d+\.\d+)\.\d+-local/_definitions\.json"
)
#: Types that are written otherwise than their definition says, or that say nothing.
SPECIAL = {
    "resource.Quantity": "q", "intstr.IntOrString": "x", "meta.v1.Time": "t", "meta.v1.MicroTime": "t",
    "meta.v1.FieldsV1": "o", "runtime.RawExtension": "o", "apiextensions.v1.JSON": "*",
    "JSONSchemaPropsOrArray": "*", "JSONSchemaPropsOrBool": "*", "JSONSchemaPropsOrStringArray": "*",
}  # fmt: skip
LETTERS = {"string": "s", "integer": "i", "number": "n", "boolean": "b"}
#: Written by the server alone.
LEFT_OUT = frozenset(("status",))
#: Said to be required, and accepted without: what then holds is a valid value, or is filled in.
NOT_ASKED = {
    "rbac.v1.RoleRef": ("apiGroup",), "rbac.v1.Role": ("rules",), "rbac.v1.ClusterRole": ("rules",),
    "apps.v1.StatefulSetSpec": ("serviceName",), "scheduling.v1.PriorityClass": ("value",),
    "networking.v1.NetworkPolicySpec": ("podSelector",), "discovery.v1.EndpointSlice": ("endpoints",),
    "storage.v1.CSINodeSpec": ("drivers",), "storage.v1.TokenRequest": ("audience",),
    "core.v1.ISCSIVolumeSource": ("lun",), "core.v1.ISCSIPersistentVolumeSource": ("lun",),
    "core.v1.SleepAction": ("seconds",),
    "apiextensions.v1.CustomResourceDefinitionVersion": ("served", "storage"),
}  # fmt: skip


class Writer:
    """The types of one version that objects consist of, numbered as they are first met."""

    def __init__(self, definitions: dict[str, Any]) -> None:
        self.definitions = definitions
        self.numbers: dict[str, int] = {}
        self.types: list[Any] = []

    def document(self) -> dict[str, Any]:
        """The whole file."""
        kinds: dict[str, int] = {}
        for name in sorted(self.definitions):
            if name.endswith("List") or "properties" not in self.definitions[name]:
                continue
            if "metadata" not in self.definitions[name]["properties"]:
                continue
            for kind in self.definitions[name].get("x-kubernetes-group-version-kind", ()):
                group = f"{kind['group']}/" if kind["group"] else ""
                kinds[f"{group}{kind['version']} {kind['kind']}"] = self.number(name, top=True)
        return {"kinds": kinds, "types": self.types}

    def number(self, name: str, *, top: bool = False) -> int:
        """The number of a type."""
        if name not in self.numbers:
            self.numbers[name] = len(self.types)
            self.types.append(None)
            spec = self.definitions[name]
            fields = {
                field: "*" if top and field in LEFT_OUT else self.node(value)
                for field, value in sorted(spec.get("properties", {}).items())
            }
            free = next((names for ending, names in NOT_ASKED.items() if name.endswith(ending)), ())
            required = sorted(set(spec.get("required", ())) - set(free))
            self.types[self.numbers[name]] = {"f": fields, "r": required} if required else {"f": fields}
        return self.numbers[name]

    def node(self, spec: dict[str, Any]) -> Any:
        """What is written for one field."""
        if "$ref" in spec:
            name = spec["$ref"].rpartition("/")[2]
            for ending, letter in SPECIAL.items():
                if name.endswith(ending):
                    return letter
            has_fields = "properties" in self.definitions[name]
            return self.number(name) if has_fields else "o"
        kind = spec.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "array":
            return self.array(spec)
        if kind == "object":
            below = spec.get("additionalProperties")
            return ["d", self.node(below)] if isinstance(below, dict) else "o"
        if spec.get("format") == "byte":
            return "y"
        return LETTERS.get(kind, "*")

    def array(self, spec: dict[str, Any]) -> list[Any]:
        """A list; where it does not say what names its elements, the key that patches merge by does."""
        item = self.node(spec.get("items", {}))
        sort = spec.get("x-kubernetes-list-type")
        keys = spec.get("x-kubernetes-list-map-keys", [])
        if (
            sort is None
            and "merge" in spec.get("x-kubernetes-patch-strategy", "")
            and not isinstance(item, str)
        ):
            keys = [spec["x-kubernetes-patch-merge-key"]] if "x-kubernetes-patch-merge-key" in spec else []
            sort = "map" if keys else None
        if sort == "map":
            return ["m", item, *keys]
        return ["set" if sort == "set" else "l", item]


def files(wheel: Path) -> dict[str, bytes]:
    """Every file to be written, by name."""
    found: dict[str, bytes] = {}
    with zipfile.ZipFile(wheel) as archive:
        for member in sorted(archive.namelist()):
            if match := DEFINITIONS.fullmatch(member):
                document = Writer(json.loads(archive.read(member))["$defs"]).document()
                text = json.dumps(document, separators=(",", ":"), sort_keys=True)
                found[f"kubernetes-{match[1]}.json.gz"] = gzip.compress(text.encode(), 9, mtime=0)
    return found


def main() -> int:
    """Fetch the package with pip, and write or compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; 1 when something would change")
    parser.add_argument("--wheel", type=Path, help="the package, where it is here already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = options.wheel
        if wheel is None:
            words = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder]
            subprocess.run([*words, f"kubernetes-validate=={VERSION}"], check=True)
            (wheel,) = Path(folder).glob("*.whl")
        new = files(wheel)
    old = {path.name: path.read_bytes() for path in TARGET.glob("kubernetes-*.json.gz")}
    changed = sorted(
        name for name in new.keys() | old.keys()
        if gzip.decompress(new.get(name, gzip.compress(b""))) != gzip.decompress(old.get(name, gzip.compress(b"")))
    )  # fmt: skip
    for name in changed:
        print(name)
        if options.check:
            continue
        if name in new:
            (TARGET / name).write_bytes(new[name])
        else:
            (TARGET / name).unlink()
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
