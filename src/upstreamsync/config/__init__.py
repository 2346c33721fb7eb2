"""vendors.yaml → Vendor: the declarations (spec), and reading them with the place of every problem (load)."""

from upstreamsync.config.load import Configuration, find_configuration, load_configuration
from upstreamsync.config.spec import Edit, Follow, ImageFollow, Releases, Source, Vendor

__all__ = [
    "Configuration",
    "Edit",
    "Follow",
    "ImageFollow",
    "Releases",
    "Source",
    "Vendor",
    "find_configuration",
    "load_configuration",
]
