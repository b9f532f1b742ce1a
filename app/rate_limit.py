"""Counting attempts in Redis, in fixed windows.

While Redis is away nothing is limited: a shop that lets nobody in would be the worse failure, and what is limited here
(sign-in, order look-up) is slow or poor in information by itself.
"""

import hashlib

import structlog
from redis import RedisError

from app.cache import cache
from app.errors import CommonErrorCode, DomainError

log = structlog.get_logger(__name__)


async def allow(name: str, subject: str, *, limit: int, window_seconds: int) -> None:
    """Count one attempt of `subject` (an address, an email: stored as a digest).

    Raises:
        DomainError: RATE_LIMITED when it is more than `limit` in the window.
    """
    digest = hashlib.sha256(subject.encode()).hexdigest()[:32]
    key = f"tradewind:limit:{name}:{digest}"
    try:
        async with cache().pipeline(transaction=True) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, window_seconds, nx=True)
            count = (await pipeline.execute())[0]
    except (RedisError, OSError):
        log.warning("rate limit not counted: Redis is unavailable", limit=name)
        return
    if count > limit:
        raise DomainError(CommonErrorCode.RATE_LIMITED, "Too many attempts; try again later.")
