"""The version, in the one place that the package's metadata and the command line both read."""

__version__ = "0.1.0"
