"""Which hosts somebody named, and which addresses lie inside: on this machine or in its network.

An index, a redirect, a link to a next page, a token's realm or a list of assets is upstream's word. Were it followed
wherever it leads, upstream could have this machine ask services that only this machine can reach: a database on
loopback, the cloud's metadata service. So a host that the user did not name has to have an address of the public
internet. That is judged on the address to which a connection is opened, not on what the host is called: names
resolve to anything, and an address has many spellings. What the user wrote in vendors.yaml may lie inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:  # loaded where addresses are judged: most runs judge none
    from ipaddress import IPv4Address, IPv6Address

#: Ports that a scheme means without naming one. A host that is named with one of the web's is named with both.
_PORTS = {"http": 80, "https": 443, "oci": 443}
_WEB = frozenset((80, 443))
_HOST = r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}))"
_URL = re.compile(
    rf"\b([a-z][a-z0-9+]{{1,9}})://(?:[^\s/?#@\"']{{0,500}}@)?({_HOST})(?::(\d{{1,5}}))?(?=[/?#\s\"',}}\])]|\Z)"
)
#: A host without a scheme, as in the name of an image: it has a dot, a port, or is localhost.
_BARE = re.compile(rf"(?<![\w./:@\[-])({_HOST})(?::(\d{{1,5}}))?(?=/)")

#: Addresses of services for virtual machines that lie outside of the reserved blocks or in public ones
#: (Azure's wire server, Oracle's metadata).
_SERVICES = frozenset(("168.63.129.16", "192.0.0.192"))
#: What stands before an IPv4 address in the last 32 bits of an IPv6 one: NAT64, and the old compatible form.
_BEFORE_IPV4 = frozenset((0x0064FF9B << 96, 0))


class Inside(Exception):
    """A host that nobody named is inside; ``address`` is where it is and ``reason`` what that means."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address}, {reason}")
        self.address = address
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The hosts that the user named: with a port, or (None) whatever the port; ``patterns`` as ``*.example.com``.

    ``anywhere`` names all of them, for who asks nothing but what the user typed.
    """

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    patterns: tuple[str, ...] = ()
    anywhere: bool = False

    def __or__(self, other: Named) -> Named:
        return Named(
            hosts=self.hosts | other.hosts,
            patterns=tuple(dict.fromkeys((*self.patterns, *other.patterns))),
            anywhere=self.anywhere or other.anywhere,
        )

    def has(self, host: str, port: int) -> bool:
        """Whether the user named this host and port."""
        if self.anywhere:
            return True
        host = _canonical(host)
        if (host, None) in self.hosts or (host, port) in self.hosts:
            return True
        if port in _WEB and any((host, other) in self.hosts for other in _WEB):
            return True
        return any(fnmatchcase(host, pattern) for pattern in self.patterns)

    def has_url(self, url: str) -> bool:
        """As ``has``, for the host of an http(s) URL."""
        parts = urlsplit(url)
        return self.has(parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0))


NOBODY = Named()
ANYWHERE = Named(anywhere=True)


def named_in(text: str) -> Named:
    """The hosts that are written in a text: in URLs, and at the beginning of names of images."""
    found: set[tuple[str, int | None]] = set()
    for scheme, host, port in set(_URL.findall(text)):  # a thousand addresses have few hosts
        found.add((_canonical(host), int(port) if port else _PORTS.get(scheme)))
    for host, port in set(_BARE.findall(text)):
        if port or "." in host or host == "localhost":
            found.add((_canonical(host), int(port) if port else None))
    return Named(hosts=frozenset(found))


def named(entries: Iterable[str]) -> Named:
    """Hosts as ``allow_hosts`` lists them: ``host``, ``host:port``, ``[::1]:port``, ``*.example.com``, or a URL.

    Raises ValueError for what is none of these.
    """
    hosts: set[tuple[str, int | None]] = set()
    patterns: list[str] = []
    for entry in entries:
        if "://" in entry:
            found = named_in(entry)
            if not found.hosts:
                raise ValueError(f"`{entry}` names no host")
            hosts |= found.hosts
            continue
        match = re.fullmatch(rf"(\*\.)?({_HOST})(?::(\d{{1,5}}))?", entry)
        if match is None or (match[1] and match[3]):
            raise ValueError(f"`{entry}` is no host: write `host`, `host:port` or `*.example.com`")
        if match[1]:
            patterns.append(f"*.{_plain(match[2])}")
        else:
            hosts.add((_canonical(match[2]), int(match[3]) if match[3] else None))
    return Named(hosts=frozenset(hosts), patterns=tuple(patterns))


def check_spelling(url: str, named: Named) -> None:
    """Raise Inside for a URL that spells out an address inside, or localhost, unless the user named it.

    Without asking anybody: also for who connects through a proxy, which resolves names itself.
    """
    host = urlsplit(url).hostname or ""
    if named.has_url(url):
        return
    if _plain(host) == "localhost" or _plain(host).endswith(".localhost"):
        raise Inside(host, "this machine")
    address = _spelled(host)
    if address is not None and (reason := why_inside(address)):
        raise Inside(str(address), reason)


def why_inside(address: IPv4Address | IPv6Address) -> str | None:
    """What makes an address one of the inside; None for one of the public internet.

    Source: IANA's registries of special-purpose addresses, as ``ipaddress`` has them. An IPv6 address that
    stands for an IPv4 one (mapped, 6to4, Teredo, NAT64) is what that one is.
    """
    if address.is_loopback or address.is_unspecified:
        return "this machine"
    if address.is_link_local:
        return "a link-local address, where clouds keep their metadata"
    if str(address) in _SERVICES:
        return "an address of the cloud's own services"
    for embedded in _embedded(address):
        if reason := why_inside(embedded):
            return reason
    if address.is_multicast or not address.is_global:
        return "an address of a private or reserved network"
    return None


def public_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host that nobody named, as far as they are public.

    Raises Inside when there are none but inside, OSError when the host can't be found.
    """
    import socket
    from ipaddress import ip_address

    refused: Inside | None = None
    found: dict[str, None] = {}
    for *_, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        text = str(where[0])
        if reason := why_inside(ip_address(text.partition("%")[0])):
            refused = refused or Inside(text, reason)
        else:
            found[text] = None
    if not found and refused is not None:
        raise refused
    return list(found)


def _canonical(host: str) -> str:
    """One name for all spellings of an address: who wrote 127.0.0.1 has named localhost, too."""
    plain = _plain(host)
    if plain == "localhost":
        return "127.0.0.1"
    address = _spelled(plain)
    return str(next(iter(_embedded(address)), address)) if address is not None else plain


def _plain(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _spelled(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is in itself, however it is written: ``127.1``, ``2130706433``, ``0x7f.1``."""
    plain = _plain(host).partition("%")[0]
    if not plain or not (plain[0].isdigit() or ":" in plain):
        return None  # a name
    import socket
    from ipaddress import IPv4Address, ip_address

    try:
        return ip_address(plain)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(plain))
    except (OSError, ValueError):
        return None


def _embedded(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 address stands for."""
    from ipaddress import IPv4Address, IPv6Address

    if not isinstance(address, IPv6Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if int(address) >> 32 << 32 in _BEFORE_IPV4:
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in found if one is not None]


__all__ = [
    "ANYWHERE",
    "NOBODY",
    "Inside",
    "Named",
    "check_spelling",
    "named",
    "named_in",
    "public_addresses",
    "why_inside",
]
