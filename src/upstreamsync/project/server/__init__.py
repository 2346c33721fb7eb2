"""What a real API server says of the new result: a dry run through kubectl (``--server``)."""

from .ask import ask_server

__all__ = ["ask_server"]
