"""What is kept between runs: the cache on disk, records of dependencies, and how values are serialized."""
