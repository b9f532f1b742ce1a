"""Rates that are kept by one number each: the generic cell rate algorithm.

A bucket remembers when it would be full again (the "theoretical arrival time"). An attempt puts that moment off by the
time that one unit takes to come back, and is refused where it would lie further ahead than the whole bucket. Nothing is
counted in windows, so there is no border at which twice as much passes, and a refused attempt costs nothing.

Source: ITU-T I.371, annex A (virtual scheduling); https://brandur.org/rate-limiting for its use in Redis.
"""

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from redis import asyncio as aioredis
from redis.exceptions import NoScriptError

MAX_LOCAL_BUCKETS = 50_000
"""Some ten megabytes. Whoever has more addresses than that to forget them with needs no second attempt from one."""
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`limit` at once, and as many again over `window_seconds`."""

    limit: int
    window_seconds: float

    @property
    def interval_seconds(self) -> float:
        """Until one unit has come back."""
        return self.window_seconds / self.limit


@dataclass(frozen=True, slots=True)
class Bucket:
    key: str
    rate: Rate
    units: int = 1
    """That are taken; negative ones are given back."""


# One clock for all processes, that of Redis. Numbers are written out: Lua would make 1.7e+15 of a time.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full, wait = {}, 0
for i, key in ipairs(KEYS) do
  local interval, limit, units = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  full[i] = math.max(tonumber(redis.call('GET', key) or now), now) + interval * units
  wait = math.max(wait, units > 0 and full[i] - now - interval * limit or 0)
end
if wait > 0.5 then return string.format('%.0f', wait) end
if ARGV[3 * #KEYS + 1] == '0' then return '0' end
for i, key in ipairs(KEYS) do
  if full[i] > now then
    redis.call('SET', key, string.format('%.0f', full[i]), 'PX', math.ceil((full[i] - now) / 1000))
  else
    redis.call('DEL', key)
  end
end
return '0'
"""
_TAKE_NAME = hashlib.sha1(_TAKE.encode(), usedforsecurity=False).hexdigest()


async def take(redis: aioredis.Redis, buckets: Sequence[Bucket], *, keep: bool = True) -> float:
    """Take from all the buckets, or from none: one script, one round trip, nothing in between.

    Args:
        keep: False only asks.

    Returns:
        0 when it was done; otherwise the seconds until it could be.

    Raises:
        RedisError: and nothing is known of the buckets.
    """
    arguments: list[str | float] = [bucket.key for bucket in buckets]
    for bucket in buckets:
        arguments += [bucket.rate.interval_seconds * _MICROSECONDS, bucket.rate.limit, bucket.units]
    arguments.append(int(keep))
    try:
        wait = await redis.evalsha(_TAKE_NAME, len(buckets), *arguments)
    except NoScriptError:  # a new server, or one that was told to forget its scripts
        wait = await redis.eval(_TAKE, len(buckets), *arguments)
    return int(wait) / _MICROSECONDS


class LocalBuckets:
    """The same for one process, in its memory; the buckets that were asked for longest ago are forgotten."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_buckets: int = MAX_LOCAL_BUCKETS) -> None:
        self._clock = clock
        self._max_buckets = max_buckets
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, buckets: Sequence[Bucket], *, keep: bool = True) -> float:
        """As the function of this name."""
        now = self._clock()
        full: list[float] = []
        wait = 0.0
        for bucket in buckets:
            interval = bucket.rate.interval_seconds
            full.append(max(self._full_at.get(bucket.key, now), now) + interval * bucket.units)
            if bucket.units > 0:
                wait = max(wait, full[-1] - now - interval * bucket.rate.limit)
        if wait > 1e-6:
            return wait
        for bucket, moment in zip(buckets, full, strict=True) if keep else ():
            self._full_at[bucket.key] = moment
            self._full_at.move_to_end(bucket.key)
        while len(self._full_at) > self._max_buckets:
            self._full_at.popitem(last=False)
        return 0.0

    def clear(self) -> None:
        self._full_at.clear()


def whole_seconds(wait: float) -> int:
    """For people and for `Retry-After`: rounded up, a second at least."""
    return max(1, math.ceil(wait))
