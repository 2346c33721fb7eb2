"""A result as one HTML page: ``values`` is what it shows, a module a command makes it, ``render`` writes it.

The page holds everything that it needs. It is built only where somebody asks for it: no other form of output
loads what is in here.
"""
