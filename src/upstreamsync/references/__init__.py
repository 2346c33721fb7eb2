"""What a repository's manifests name outside of it.

It is found, compared between two revisions, fetched by our own clients, and laid into both trees in place
of the reference, so that building them needs no network.
"""
