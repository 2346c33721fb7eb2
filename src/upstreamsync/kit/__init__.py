"""Tools that know nothing of the job: processes, HTTP, git, YAML, the cache.

Each foreign library is imported by one adapter module alone.
"""
