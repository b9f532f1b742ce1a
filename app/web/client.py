"""Which client sent a request, behind the proxies that the settings trust."""

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


def client_hop(connection: HTTPConnection, trusted_proxies: int) -> str:
    """What the outermost trusted proxy saw. Anything further left in the header was the client's to forge."""
    direct = connection.client.host if connection.client else ""
    if not trusted_proxies:
        return direct
    # A proxy may add a line of its own instead of adding to the client's: all of them together are the header.
    lines = ",".join(connection.headers.getlist("x-forwarded-for"))
    hops = [hop.strip() for hop in lines.split(",") if hop.strip()]
    return hops[-trusted_proxies] if len(hops) >= trusted_proxies else direct


def client_ip(connection: HTTPConnection, trusted_proxies: int) -> str | None:
    """The whole address, for what has to be proved later (a consent); None when there is none. Never for logs."""
    seen = client_hop(connection, trusted_proxies)
    for text in (seen, urlsplit(f"//{seen}").hostname if _may_have_port(seen) else None):
        try:
            return str(ipaddress.ip_address(text or ""))
        except ValueError:
            continue
    return None


def _may_have_port(seen: str) -> bool:
    try:
        return urlsplit(f"//{seen}").hostname is not None
    except ValueError:
        return False
