"""Small parts of overlays and of objects that several tables are made of."""

from __future__ import annotations

from verify.small import deployment


def bare(**fields: str) -> str:
    """A patch of the Deployment, without its image."""
    return deployment(image="", **fields).replace(', image: ""', "")


def listed(field: str, *entries: str, more: str = "") -> dict[str, str]:
    """The entries of one field of the kustomization."""
    text = "".join(f"- {entry}\n" for entry in entries)
    return {"kustomization.yaml": f"resources: [../base]\n{field}:\n{text}{more}"}


def merged(*texts: str) -> dict[str, str]:
    """Strategic merges, a file each."""
    names = [f"p{number}.yaml" for number, _ in enumerate(texts)]
    return {
        **listed("patches", *(f"{{path: {name}}}" for name in names)),
        **dict(zip(names, texts, strict=True)),
    }


def operations(target: str, *each: str) -> dict[str, str]:
    """JSON 6902 operations on a target."""
    return {
        **listed("patches", f"{{path: j.yaml, target: {{{target}}}}}"),
        "j.yaml": "".join(f"- {op}\n" for op in each),
    }


def inline(text: str, target: str = "") -> dict[str, str]:
    """A patch that is written into the kustomization itself."""
    body = "".join(f"    {line}\n" for line in text.splitlines())
    aim = f"  target: {{{target}}}\n" if target else ""
    return {"kustomization.yaml": f"resources: [../base]\npatches:\n- patch: |-\n{body}{aim}"}


def containers(*entries: str, pod: str = "") -> str:
    """A Deployment of these containers; ``name`` or ``name=image``, with further fields behind a comma."""
    listed_ = []
    for entry in entries:
        head, _, more = entry.partition(", ")
        name, _, image = head.partition("=")
        listed_.append(
            f"{{name: {name}" + (f', image: "{image}"' if image else "") + (f", {more}}}" if more else "}")
        )
    return deployment(pod=pod).replace('{name: web, image: "acme/web:1"}', ", ".join(listed_))


def config_map(name: str = "settings", **data: str) -> str:
    """A ConfigMap of one-line values."""
    values = "".join(f"  {key}: '{value}'\n" for key, value in data.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata:\n{values}"


def documents(*texts: str) -> str:
    """Several documents in one stream."""
    return "---\n".join(text if text.endswith("\n") else f"{text}\n" for text in texts)
