"""What a user brings along: a source, a feed and a forge, each in a file of its own, typed strictly."""
