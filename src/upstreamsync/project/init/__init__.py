"""``init``: what was found in a repository, held against its upstreams."""
