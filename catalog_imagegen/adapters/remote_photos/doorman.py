"""Stands between the client and the network: names are resolved once, and only judged addresses are connected to."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from catalog_imagegen.adapters.remote_photos.addresses import ForbiddenAddressError, Hosts, Resolve


class Doorman(AbstractResolver):
    """Resolves each name once and lets no socket be opened to an address that was not judged."""

    def __init__(self, hosts: Hosts, resolve: Resolve) -> None:
        self._hosts = hosts
        self._resolve = resolve
        self._judged: set[str] = set()

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - the base class names it
    ) -> list[ResolveResult]:
        """The addresses of a name. Raises ForbiddenAddressError if one of them must not be asked."""
        addresses = await asyncio.to_thread(self._resolve, host, port)
        for address in addresses:
            self._hosts.check(host, address)
        if not addresses:
            raise OSError(f"{host} has no address")
        self._judged.update(addresses)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    def admit_literal(self, host: str) -> None:
        """Judge a host that is an address itself. Raises ForbiddenAddressError."""
        if (address := self._hosts.check_literal(host)) is not None:
            self._judged.add(address)

    def opened(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """A socket for an address that was judged; whatever else led here."""
        family, kind, protocol, _, address = info
        if address[0] not in self._judged:
            raise ForbiddenAddressError(str(address[0]), str(address[0]))
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """Nothing is held."""
