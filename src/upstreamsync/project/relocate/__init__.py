"""``mv`` and ``remove``: a base goes elsewhere, or away, and everything that names it is kept in step or told."""
