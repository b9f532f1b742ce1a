"""Which client sent a request, behind the proxies that the settings trust."""

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from app.rate_limit import client_unit, is_within
from app.settings import Settings


def client_hop(connection: HTTPConnection, settings: Settings) -> str:
    """What the outermost trusted proxy saw. Anything further left in the header was the client's to forge.

    Where that is a server of the storefront's own (`RATE_LIMIT_EXEMPT`), it is the shopper whom the server forwarded.
    """
    direct = connection.client.host if connection.client else ""
    trusted, own = settings.trusted_proxies, tuple(settings.rate_limit_exempt)
    if not trusted and not own:
        return direct
    # A proxy may add a line of its own instead of adding to the client's: all of them together are the header.
    lines = ",".join(connection.headers.getlist("x-forwarded-for"))
    hops = [hop.strip() for hop in lines.split(",") if hop.strip()]
    if len(hops) < trusted:
        return direct
    hops.append(direct)
    seen = len(hops) - 1 - trusted
    while own and seen > 0 and is_within(client_unit(hops[seen]), own):
        seen -= 1
    return hops[seen]


def client_ip(connection: HTTPConnection, settings: Settings) -> str | None:
    """The whole address, for what has to be proved later (a consent); None when there is none. Never for logs."""
    return _whole(client_hop(connection, settings))


@lru_cache(maxsize=1_000)
def _whole(seen: str) -> str | None:
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
