"""Counting attempts in Redis, so that all processes count the same ones; see docs/decisions/rate-limits.md.

While Redis is away each process counts for itself, under the same limits: a shop that lets nobody in would be the worse
failure, and one without any limit an invitation.
"""

import asyncio
import hashlib
import ipaddress
import time
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

import structlog
from redis import RedisError

from app.cache import cache, named
from app.errors import CommonErrorCode, DomainError
from app.kit import gcra
from app.kit.gcra import Bucket, LocalBuckets, Rate
from app.metrics import instruments
from app.settings import get_settings

log = structlog.get_logger(__name__)

IPV6_CLIENT_BITS = 64
"""What an internet provider gives to one customer at least (RFC 6177): one client has all the addresses in it."""
ANSWER_SECONDS = 0.75
"""How long Redis may take. Whoever signs in does not wait for a limit."""
AWAY_SECONDS = 5.0
"""How long Redis is not asked again after it gave no answer."""


class RateLimitedError(DomainError):
    """Too many attempts; the next may be made in `retry_after_seconds`."""

    def __init__(self, wait_seconds: float, field: Sequence[str | int] | None = None) -> None:
        super().__init__(CommonErrorCode.RATE_LIMITED, "Too many attempts; try again later.", field)
        self.retry_after_seconds = gcra.whole_seconds(wait_seconds)


@lru_cache(maxsize=1_000)
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


@lru_cache(maxsize=10_000)
def is_within(client: str, networks: tuple[str, ...]) -> bool:
    """Whether a `client_unit` lies in one of the networks; no other text does."""
    try:
        given = ipaddress.ip_network(client)
    except ValueError:
        return False
    # Whoever names one IPv6 address means a server, and is told by the network that it is in.
    return any(given.overlaps(one) for one in map(ipaddress.ip_network, networks))


def _is_exempt(subject: str) -> bool:
    """A storefront's own server that does not say whom it asks for: all shoppers at once are not one client."""
    own = get_settings().rate_limit_exempt
    return bool(own) and is_within(subject, tuple(own))


async def allow(name: str, subject: str, *, limit: int, window_seconds: int, attempts: int = 1) -> None:
    """Count attempts of `subject` (an address, an email: stored as a digest).

    At most `limit` pass at once, and as many again over the window. More attempts than `limit` in one call never pass.
    What is refused is not counted. Nor is a client whom the settings exempt.

    Raises:
        RateLimitedError: none of the attempts is to be made.
    """
    if _is_exempt(subject):
        return
    rate = _rates[name] = Rate(limit, window_seconds)
    wait = await _take(name, Bucket(_key(name, subject), rate, attempts))
    if wait:
        instruments.rate_limited(name)
        raise RateLimitedError(min(wait, window_seconds))


async def give_back(name: str, subject: str, attempts: int) -> None:
    """These turned out not to be what is limited, such as sign-ins that were right. They were counted by `allow`."""
    if attempts and name in _rates:
        await _take(name, Bucket(_key(name, subject), _rates[name], -attempts))


async def is_used_up(name: str, subject: str, *, limit: int, window_seconds: int) -> bool:
    """Whether `allow` would refuse one attempt more. Counts nothing: for what is counted when it has failed."""
    if _is_exempt(subject):
        return False
    rate = _rates[name] = Rate(limit, window_seconds)
    return bool(await _take(name, Bucket(_key(name, subject), rate, 1), keep=False))


_rates: dict[str, Rate] = {}
"""The limits of this process's last calls, by name; the names are few and in the code."""
_here = LocalBuckets()
_away_until = 0.0
"""On `time.monotonic()`."""


async def _take(name: str, bucket: Bucket, *, keep: bool = True) -> float:
    global _away_until
    if time.monotonic() >= _away_until:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await gcra.take(cache(), [bucket], keep=keep)
        except (RedisError, OSError, TimeoutError) as error:
            _away_until = time.monotonic() + AWAY_SECONDS
            log.warning("rate limit counted in this process alone", limit=name, error=type(error).__name__)
    return _here.take([bucket], keep=keep)


def forget_local_state() -> None:
    """As a process that has just started: nothing counted here, and Redis not known to be away."""
    global _away_until
    _away_until = 0.0
    _here.clear()


def _key(name: str, subject: str) -> str:
    digest = hashlib.sha256(subject.encode()).hexdigest()[:32]
    return named(f"rate:{name}:{digest}")
