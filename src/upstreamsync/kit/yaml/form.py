"""Whether a text is YAML that every tool reads alike."""

from __future__ import annotations

from upstreamsync.errors import TooLarge
from upstreamsync.kit.yaml.keys import bad_key
from upstreamsync.kit.yaml.manifests import is_yaml, refuse_bombs


def is_sound(data: bytes) -> bool:
    """Whether nothing is wrong with its form, its depth and its keys; what is, the checks behind this say."""
    try:
        refuse_bombs(data, "")
    except TooLarge:
        return False
    return is_yaml(data) and bad_key(data) is None
