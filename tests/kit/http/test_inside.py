"""Where upstream may send us: to the public internet, and to what the user named; judged on the address."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest

from upstreamsync.errors import Refused, Unreachable
from upstreamsync.kit.http import addresses
from upstreamsync.kit.http.client import Http
from upstreamsync.kit.http.inside import ANYWHERE, NOBODY, named, named_in, why_inside
from upstreamsync.kit.store.cache import Cache
from upstreamsync.testing import Fault, World

SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "0177.1", "localhost", "LOCALHOST", "localhost.",
    "a.localhost", "0.0.0.0", "0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "127.0.0.1.", "10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "100.100.100.200", "169.254.169.254",
    "0xa9fea9fe", "2852039166", "[fe80::1]", "[fe80::1%25eth0]", "[fd00:ec2::254]", "[fc00::1]", "168.63.129.16", "192.0.0.192", "224.0.0.1",
    "[ff02::1]", "255.255.255.255", "198.18.0.1", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
@pytest.mark.parametrize("port", ["", ":8443"])
def test_no_spelling_of_an_inside_address_is_asked(host, port):
    url = f"https://{host}{port}/latest/meta-data/"
    with pytest.raises(Refused, match=r"vendors\.yaml does not name that host") as caught:
        addresses.checked(url, allow_http=True)
    assert f"--allow-host {host}{port}" in (caught.value.hint or "")
    with pytest.raises(Refused):
        addresses.checked_redirect("https://charts.example/i", url, allow_http=True)
    if "%" not in host:  # which interface of this machine is meant is nothing that a file names
        assert addresses.checked(url, allow_http=True, named=named_in(url))[0] == url


@pytest.mark.parametrize(
    "url",
    [
        "https://charts.example/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://1e100.net/",
        "https://10.example/",
    ],
)
def test_what_is_public_is_asked(url):
    assert addresses.checked(url, allow_http=False)[0] == url


@pytest.mark.parametrize(("address", "inside"), [("93.184.216.34", False), ("::ffff:93.184.216.34", False), ("64:ff9b::5db8:d822", False), ("2002:5db8:d822::1", False), ("::ffff:10.0.0.1", True), ("2001::1", True)])  # fmt: skip
def test_what_an_address_stands_for(address, inside):
    assert (why_inside(ip_address(address)) is not None) == inside


def test_who_is_named():
    text = """\
# https://in.a.comment/x
a: https://charts.example:8443/stable
b: oci://registry.corp/charts/x
c: "http://user:pw@10.1.2.3:5000/{version}/x"
d: registry.local:5000/team/app
e: quay.io/org/app
f: https://{version}.example.org/x
g: https://10.0.0.{patch}/x
h: folder/file.yaml
i: http://[::1]:8080/y
"""
    found = named_in(text)
    for host, port in (
        ("charts.example", 8443),
        ("registry.corp", 443),
        ("10.1.2.3", 5000),
        ("registry.local", 5000),
        ("quay.io", 443),
        ("::1", 8080),
        ("CHARTS.example.", 8443),
    ):
        assert found.has(host, port), (host, port)
    for host, port in (
        ("charts.example", 443),
        ("10.1.2.3", 80),
        ("10.0.0.1", 443),
        ("evil.example.org", 443),
        ("localhost", 80),
        ("folder", 80),
    ):
        assert not found.has(host, port), (host, port)
    assert named_in("https://a.example/x").has("a.example", 80)  # both of the web's ports


@pytest.mark.parametrize(
    ("entry", "yes", "no"),
    [
        ("minio.corp", [("minio.corp", 9000), ("MINIO.corp", 443)], [("x.minio.corp", 443)]),
        ("minio.corp:9000", [("minio.corp", 9000)], [("minio.corp", 9001)]),
        ("*.corp", [("a.corp", 1), ("a.b.corp", 1)], [("corp", 1), ("acorp", 1)]),
        ("https://minio.corp/x", [("minio.corp", 443)], [("minio.corp", 9000)]),
        ("[fd00::5]:80", [("fd00::5", 80)], [("fd00::6", 80)]),
        ("10.0.0.7", [("10.0.0.7", 80)], [("10.0.0.8", 80)]),
    ],
)  # fmt: skip
def test_what_may_be_allowed(entry, yes, no):
    found = named([entry])
    assert [found.has(*one) for one in yes] == [True] * len(yes)
    assert [found.has(*one) for one in no] == [False] * len(no)


@pytest.mark.parametrize("entry", ["", "a b", "*", "*.x:80", "https://", "a/b", "-x"])
def test_what_is_no_host_is_a_mistake(entry):
    with pytest.raises(ValueError, match="host"):
        named([entry])


@pytest.fixture
def names(monkeypatch) -> dict[str, list[str]]:
    """What the resolver says: host → addresses; everything else as always."""
    table: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def asked(host, port, *args, **options):
        if host not in table:
            return real(host, port, *args, **options)
        found = [real(address, port, *args, **options) for address in table[host]]
        if len(table[host]) > 1 and not asked.first:
            found = found[1:]
        asked.first = False
        return [info for infos in found for info in infos]

    asked.first = True
    monkeypatch.setattr(socket, "getaddrinfo", asked)
    return table


def http(named=NOBODY) -> Http:
    return Http(cache=Cache(None), attempts=1, timeout=5, named=named)


@pytest.mark.parametrize("addresses_", [["127.0.0.1"], ["::ffff:127.0.0.1"]])
def test_a_name_that_leads_inside_gets_no_connection(world: World, names, addresses_):
    world.file("x", "SECRET")
    port = int(world.url.rsplit(":", 1)[1])
    names["rebound.example"] = addresses_
    url = f"http://rebound.example:{port}/x"
    with http() as web, pytest.raises(Refused, match=r"rebound\.example.*this machine"):
        web.get(url, allow_http=True)
    assert world.requests == []
    with http(named_in(url)) as web:
        assert web.get(url, allow_http=True).body == b"SECRET"
    with http(ANYWHERE) as web:
        assert web.get(url, allow_http=True).body == b"SECRET"


def test_a_name_is_resolved_once(names, monkeypatch):
    """The first answer is a public address, the next one would be this machine: rebinding."""
    names["rebound.example"] = ["93.184.216.34", "127.0.0.1"]
    tried = []

    def connect(address, *_args, **_options):
        tried.append(socket.getaddrinfo(*address)[0][4][0])
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(socket, "create_connection", connect)
    with http() as web, pytest.raises(Unreachable):
        web.get("http://rebound.example:8080/x", allow_http=True)
    assert tried == ["93.184.216.34"]


def test_a_redirect_to_an_own_port_of_this_machine_is_refused(world: World):
    with World() as other:
        other.file("secret", "SECRET")
        world.fault("/x", Fault.redirect(f"{other.url}/secret"))
        with http(named_in(world.url)) as web, pytest.raises(Refused, match="this machine"):
            web.get(f"{world.url}/x")
        assert other.requests == []
        with http(named_in(world.url) | named([other.url])) as web:
            assert web.get(f"{world.url}/x").body == b"SECRET"
