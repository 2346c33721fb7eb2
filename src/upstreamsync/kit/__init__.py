"""Tools that know nothing of the job: processes, HTTP, git, YAML, the cache.

Each foreign library has its one door here.
"""
