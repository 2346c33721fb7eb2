"""How large an answer may be."""

#: The largest body in bytes, where nothing else is said.
MAX_BODY = 256 * 1024 * 1024
