"""git: running it, other people's repositories over the network, and the user's own repository."""
