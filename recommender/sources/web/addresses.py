"""Which addresses untrusted input may make this program visit: the public internet over http(s), no other."""

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from recommender.errors import ForbiddenAddress, SourceUnavailable
from recommender.sources.web.answers import Retry

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# Answered by nobody, or by the machine's own provider, who hands out its secrets there.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "100.100.100.200/32", "169.254.0.0/16"),
        *("3fff::/20", "fd00:ec2::/32", "fd20:ce::/32", "fe80::/10"),
    )
)
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7"),
    )
)


def split_url(url: str) -> SplitResult:
    """The parts of an http(s) URL with a host.

    Raises
    ------
    ForbiddenAddress
        It is of another kind, or cannot be taken apart.
    """
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ForbiddenAddress("only http:// and https:// addresses with a host can be visited")
    return parts


def name_place(url: str) -> str:
    """Whom a URL addresses, for messages: no path, query or password, because each may hold a secret."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address"
    return f"{host}{port}"[:200]


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet; addresses that carry another are judged by that."""
    carried = _carried(address)
    if carried is not None:
        return is_public(carried)
    if address.is_multicast or not address.is_global or any(address in net for net in _NEVER):
        return False
    return address.version == 4 or address in _GLOBAL_UNICAST


def is_private(address: Address) -> bool:
    """Whether an address belongs to this machine or to a network at home, and to no provider's service."""
    carried = _carried(address)
    if carried is not None:
        return is_private(carried)
    return any(address in net for net in _PRIVATE) and not any(address in net for net in _NEVER)


def check_addresses(addresses: list[str], *, place: str, allow_private: bool = False) -> None:
    """Refuse a host of which any address is not public, or with ``allow_private`` at least private.

    Raises
    ------
    ForbiddenAddress
        One of them is private, of this machine, of a link, or of a provider's metadata service.
    """
    parsed = [ipaddress.ip_address(text.partition("%")[0]) for text in addresses]
    if all(is_public(address) or (allow_private and is_private(address)) for address in parsed):
        return
    if all(is_public(address) or is_private(address) for address in parsed):
        raise ForbiddenAddress(
            f"{place} is an address of a private network or of this machine, where links may not lead;"
            " WHICHLIST_ALLOW_PRIVATE_ADDRESSES=on allows it"
        )
    raise ForbiddenAddress(f"{place} is an address where no audio and no feed can be")


def require_private(addresses: list[str], *, place: str) -> None:
    """Refuse a host of which any address is not of this machine or of a private network.

    Raises
    ------
    ForbiddenAddress
        One of them is not.
    """
    if not all(is_private(ipaddress.ip_address(text.partition("%")[0])) for text in addresses):
        raise ForbiddenAddress(
            f"{place} is not in a private network, and a password or key is not sent there over http"
        )


def resolve_host(host: str, port: int) -> list[str]:
    """The addresses of a host, in the system's order.

    Raises
    ------
    Retry
        The name is not known, or not now.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Retry(SourceUnavailable(f"the host {host} is not known here")) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside an IPv6 one that only leads there."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
