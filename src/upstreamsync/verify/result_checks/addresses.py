"""Addresses and networks in texts, as Kubernetes reads them."""

from __future__ import annotations

import ipaddress


def is_address(value: str) -> bool:
    """Whether it is an IP address, of either version."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def is_network(value: str) -> bool:
    """Whether it is a network with its length, such as 10.0.0.0/8; bits behind the length may be set."""
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return "/" in value
