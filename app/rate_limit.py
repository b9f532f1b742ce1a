"""Counting attempts in Redis, in fixed windows.

While Redis is away nothing is limited: a shop that lets nobody in would be the worse failure, and what is limited here
(sign-in, order look-up) is slow or poor in information by itself.
"""

import hashlib
import ipaddress
from urllib.parse import urlsplit

import structlog
from redis import RedisError

from app.cache import cache, named
from app.errors import CommonErrorCode, DomainError

log = structlog.get_logger(__name__)

IPV6_CLIENT_BITS = 64
"""What an internet provider gives to one customer at least (RFC 6177): one client has all the addresses in it."""


def client_unit(address: str) -> str:
    """What a client cannot change by itself: the IPv4 address, or the network of the IPv6 one.

    Args:
        address: as a socket or a proxy tells it, with or without a port; other text stays as it is.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        try:
            parsed = ipaddress.ip_address(urlsplit(f"//{address}").hostname or "")
        except ValueError:
            return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), IPV6_CLIENT_BITS), strict=False))


async def allow(name: str, subject: str, *, limit: int, window_seconds: int, attempts: int = 1) -> None:
    """Count attempts of `subject` (an address, an email: stored as a digest).

    Raises:
        DomainError: RATE_LIMITED when they are more than `limit` in the window.
    """
    key = _key(name, subject)
    try:
        async with cache().pipeline(transaction=True) as pipeline:
            pipeline.incrby(key, attempts)
            pipeline.expire(key, window_seconds, nx=True)
            count = (await pipeline.execute())[0]
    except (RedisError, OSError):
        log.warning("rate limit not counted: Redis is unavailable", limit=name)
        return
    if count > limit:
        raise DomainError(CommonErrorCode.RATE_LIMITED, "Too many attempts; try again later.")


async def give_back(name: str, subject: str, attempts: int) -> None:
    """These turned out not to be what is limited, such as sign-ins that were right."""
    key = _key(name, subject)
    try:
        # Only a counter that is still there: a new one would have no end.
        if attempts and await cache().exists(key):
            await cache().decrby(key, attempts)
    except (RedisError, OSError):
        log.warning("rate limit not counted: Redis is unavailable", limit=name)


def _key(name: str, subject: str) -> str:
    digest = hashlib.sha256(subject.encode()).hexdigest()[:32]
    return named(f"limit:{name}:{digest}")
