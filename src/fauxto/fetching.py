"""Fetches a picture by its address, where that is switched on: only from public hosts, within limits; needs httpx.

A host is resolved once per hop, all its addresses must be public, and the connection goes to the checked address, which
prevents DNS rebinding.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from fauxto.errors import ImageError, MissingExtraError
from fauxto.limits import Limits
from fauxto.report import Status

try:
    import httpx
except ModuleNotFoundError as error:
    raise MissingExtraError("serve", "fetching a picture by its address") from error

Resolve = Callable[[str, int], Awaitable[list[str]]]

_MAX_REDIRECTS = 3
_MAX_ADDRESS = 2_000
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NAME = re.compile(r"(?=.{1,253}\Z)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE)
# All global unicast addresses; IPv4 in IPv6 (mapped, compatible, NAT64) is outside.
_GLOBAL = ipaddress.IPv6Network("2000::/3")
# Addresses in it that stand for IPv4 (Teredo, 6to4) or for nothing (documentation).
_NOT_HOSTS = tuple(map(ipaddress.IPv6Network, ("2001::/32", "2002::/16", "3fff::/20")))


@dataclass(frozen=True, slots=True)
class _Hop:
    """One URL to request, with the resolved address of its host."""

    scheme: str
    host: str
    target: str
    ip: str

    @property
    def url(self) -> httpx.URL:
        return httpx.URL(scheme=self.scheme, host=self.ip, raw_path=self.target.encode("ascii"))


async def resolve(host: str, port: int) -> list[str]:
    """Return all addresses of a host, as text."""
    addresses = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in addresses]


def read(address: str, limits: Limits) -> bytes:
    """Fetch the bytes of a picture; arguments and errors are those of `fetch`, `limits` has its bytes and seconds."""
    return asyncio.run(fetch(address, limits.max_bytes, limits.max_seconds))


async def fetch(
    address: str,
    max_bytes: int,
    seconds: float,
    take: Callable[[int], None] = lambda count: None,
    *,
    resolve: Resolve = resolve,
    transport: httpx.AsyncBaseTransport | None = None,
) -> bytes:
    """Fetch the bytes of a picture.

    Args:
        address: An http or https address.
        max_bytes: Maximum number of bytes.
        seconds: Timeout for all hops together.
        take: Called with the number of bytes before they are kept; what it raises ends the fetch.
        resolve: Resolves a host's addresses.
        transport: An HTTP transport; None for the network.

    Raises:
        ImageError: `too_large`, or `unreadable` for whatever else. The server's response isn't repeated.
    """
    client = httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, verify=True)
    try:
        async with asyncio.timeout(seconds), client:
            for _ in range(_MAX_REDIRECTS + 1):
                hop = await _check(address, resolve)
                request = client.build_request(
                    "GET",
                    hop.url,
                    headers={
                        "Host": hop.host,
                        "Accept": "image/*",
                        "Accept-Encoding": "identity",
                        "User-Agent": "fauxto",
                    },
                    extensions={"sni_hostname": hop.host},
                )
                response = await client.send(request, stream=True)
                try:
                    if response.status_code not in _REDIRECTS:
                        return await _read(response, max_bytes, take)
                    address = urljoin(f"{hop.scheme}://{hop.host}{hop.target}", response.headers.get("location", ""))
                finally:
                    await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise _refusal("nothing could be fetched from it in time") from error
    raise _refusal(f"it leads on more than {_MAX_REDIRECTS} times")


async def _check(address: str, resolve: Resolve) -> _Hop:
    if len(address) > _MAX_ADDRESS or not address.isascii() or not address.isprintable() or " " in address:
        raise _refusal("it is too long or holds characters that must be escaped")
    parts = urlsplit(address)
    port = _PORTS.get(parts.scheme)
    if port is None:
        raise _refusal("only http and https are fetched")
    if "@" in parts.netloc or "\\" in address or parts.port not in (None, port):
        raise _refusal("it names a user or an unusual port")
    host = parts.hostname or ""
    is_name = "[" not in parts.netloc and _NAME.fullmatch(host) and not _is_number(host.rpartition(".")[2])
    if not _is_literal(host) and not is_name:
        raise _refusal("its host is neither a full name nor an address in the usual form")
    try:
        addresses = [host] if _is_literal(host) else await resolve(host, port)
    except OSError as error:
        raise _refusal("its host has no address") from error
    if not addresses or not all(map(is_public, addresses)):
        raise _refusal("its host isn't on the public internet")
    shown = f"[{host}]" if ":" in host else host
    return _Hop(parts.scheme, shown, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), addresses[0])


def is_public(address: str) -> bool:
    """Tell whether an IP address is public and doesn't embed another address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_unspecified:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return True
    return ip in _GLOBAL and not any(ip in network for network in _NOT_HOSTS)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def _is_number(label: str) -> bool:
    """Tell whether the last label makes a host a number to some resolvers: decimal, octal or hexadecimal."""
    return label.isdigit() or label.lower().startswith("0x")


async def _read(response: httpx.Response, max_bytes: int, take: Callable[[int], None]) -> bytes:
    if response.status_code != 200:
        raise _refusal("its host gave no picture")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind != "application/octet-stream":
        raise _refusal("what lies there isn't called a picture")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise _refusal("what lies there is compressed as a whole")
    parts, size = [], 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > max_bytes:
            raise ImageError(Status.TOO_LARGE, f"the picture has more than {max_bytes} bytes; save it smaller")
        take(len(part))
        parts.append(part)
    return b"".join(parts)


def _refusal(why: str) -> ImageError:
    return ImageError(Status.UNREADABLE, f"the address isn't fetched: {why}")
