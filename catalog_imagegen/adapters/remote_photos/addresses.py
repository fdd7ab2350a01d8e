"""Which web addresses may be asked at all: a catalog comes from anywhere, and nobody's own network is its business."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection, Sequence
from urllib.parse import quote, urlsplit

from yarl import URL

from catalog_imagegen.adapters.remote_photos import errors

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""Host, port → its addresses. Raises OSError for a name that is not known."""

SCHEMES = {"http": 80, "https": 443}
FIRST_FREE_PORT = 1024
"""Picture servers listen on 80, 443 or above this (8080, MinIO's 9000, Synology's 5000); below lie mail, SSH and the
like, which no catalog has to talk to."""
_UNESCAPED = "!$%&'()*+,;=:@/?~[]"
"""What stays as it is written in a path or a query: a signed address is valid only word by word."""
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NOT_PUBLIC: tuple[Network, ...] = (
    ipaddress.ip_network("192.0.0.0/24"),  # of protocols; the metadata of Oracle's cloud
    ipaddress.ip_network("192.88.99.0/24"),  # relays of 6to4
    ipaddress.ip_network("168.63.129.16/32"),  # the metadata of Azure
    ipaddress.ip_network("2001::/23"),  # of protocols: Teredo, ORCHID
    ipaddress.ip_network("3fff::/20"),  # of documentation; Python 3.11 does not know
)
"""Beside what ``is_global`` denies: private, loopback, link-local, shared (100.64/10), reserved, of documentation."""


class ForbiddenAddressError(Exception):
    """A host whose address must not be asked."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(host, address)
        self.host = host
        self.address = address


class Hosts:
    """Public addresses, and what a shop allows beside them: names of hosts, single addresses, networks."""

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self._names: set[str] = set()
        self._networks: list[Network] = []
        for text in allowed:
            try:
                self._networks.append(ipaddress.ip_network(text.strip("[]"), strict=False))
            except ValueError:
                self._names.add(_plain(URL.build(scheme="http", host=text).raw_host or text))

    def check(self, host: str, address: str) -> None:
        """Raises ForbiddenAddressError unless *address*, to which *host* leads, may be asked."""
        try:
            real = _unwrapped(ipaddress.ip_address(address))
        except ValueError as error:
            raise ForbiddenAddressError(host, address) from error
        is_allowed = _plain(host) in self._names or any(real in network for network in self._networks)
        if not (is_allowed or _is_public(real)):
            raise ForbiddenAddressError(host, address)

    def check_literal(self, host: str) -> str | None:
        """The address that *host* is, if it is none to be resolved. Raises ForbiddenAddressError."""
        if ":" not in host and not host.replace(".", "").isdigit():
            return None
        self.check(host, host)  # 2130706433 and 127.1 are addresses for some and none for others
        return host


def target(location: str, text: str = "") -> URL:
    """The address to ask for what a catalog calls *location*, or for *text*, to which that was redirected.

    Raises PhotoError.
    """
    text = text or location
    try:
        url = URL(text)
        host, port, has_login = url.raw_host, url.port, url.raw_user is not None or bool(url.raw_password)
        parts = urlsplit(text)
        place, query = (quote(part, safe=_UNESCAPED) for part in (parts.path or "/", parts.query))
    except ValueError as error:
        raise errors.wrong_address(location) from error
    if url.scheme not in SCHEMES:
        raise errors.wrong_scheme(location, url.scheme)
    if has_login:
        raise errors.has_login(location)
    if not host or port is None or any(character.isspace() for character in host):
        raise errors.wrong_address(location)
    if port not in SCHEMES.values() and port < FIRST_FREE_PORT:
        raise errors.wrong_port(location, port)
    return URL.build(
        scheme=url.scheme, authority=url.raw_authority, path=place, query_string=query, encoded=True
    )


def system_addresses(host: str, port: int) -> list[str]:
    """Ask the system's resolver, once. Raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is empty or too long for a name
        raise OSError(str(error)) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _plain(host: str) -> str:
    return host.rstrip(".").lower()


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _NOT_PUBLIC)
        and (address.version == 4 or address in _GLOBAL_UNICAST)  # noqa: PLR2004 - of the protocol
    )
