"""Where a request comes from: the client's address, as far as it can be trusted."""

import ipaddress
from functools import lru_cache


def client_ip(peer: str, forwarded_for: bytes | None, hops: int) -> str:
    """Return the address of the client.

    Args:
        peer: the address at the other end of the connection.
        forwarded_for: the X-Forwarded-For header.
        hops: how many proxies of our own stand before us. Each of them adds the address it sees to the
            header's end; what stands further to the left was written by the client and says anything.

    Returns:
        The entry that the outermost of our proxies wrote; `peer` where there is none, or it is no address.
    """
    if hops == 0 or forwarded_for is None:
        return peer
    entries = forwarded_for.split(b",")
    return (_address(entries[-hops].strip()) if len(entries) >= hops else None) or peer


@lru_cache(maxsize=4096)
def _address(entry: bytes) -> str | None:
    text = entry.decode("latin-1")
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # a load balancer may be told to keep the client's port
        text = text.partition(":")[0]
    return _plain(text) if "%" not in text else None


def peer_address(peername: object) -> str:
    """Return the address of a socket's peer name; empty where it has none, as a Unix socket."""
    if not isinstance(peername, tuple):
        return ""
    return _plain(peername[0].partition("%")[0]) or ""


def _plain(text: str) -> str | None:
    """Return an address as people write it; an IPv4 address that a socket for both shows as IPv6, as IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
