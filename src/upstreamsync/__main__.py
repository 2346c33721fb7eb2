"""``python -m upstreamsync``."""

from upstreamsync.cli import main

main()
