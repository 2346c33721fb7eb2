"""``update``: a release becomes the complete change of its vendor."""
