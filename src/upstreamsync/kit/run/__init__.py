"""Running things: other programs, the engines and their installation, threads, processes, locks."""
