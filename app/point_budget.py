"""What one client, or one account, may ask for in all: cost points that come back at a steady rate.

Asked at every request, so nobody waits for Redis here. Each process counts at once for itself; once a second it
adds what was spent to Redis and takes over what other processes have counted. So no process ever lets through more than
the budget, and all of them together exceed it by what they can answer in a second. While Redis is away
each process counts alone. See docs/decisions/rate-limits.md.
"""

import asyncio
import contextvars
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache as remembered
from itertools import islice

import structlog
from redis import RedisError
from redis.exceptions import NoScriptError

from app.cache import cache, named

log = structlog.get_logger(__name__)

SHARE_EVERY_SECONDS = 1.0
SHARE_AT_ONCE = 500
ANSWER_SECONDS = 1.0
WINDOW_SECONDS = 60.0
MAX_DEBT_WINDOWS = 2
"""However much one operation cost, two windows later there is something to spend again."""
MAX_SUBJECTS = 50_000

# Unlike attempts, points are added although there may be none left: they were spent.
_ADD = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, furthest, ahead = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
for i, key in ipairs(KEYS) do
  local full = math.max(tonumber(redis.call('GET', key) or now), now) + interval * tonumber(ARGV[i + 2])
  full = math.min(full, now + furthest)
  redis.call('SET', key, string.format('%.0f', full), 'PX', math.max(math.ceil((full - now) / 1000), 1))
  ahead[i] = string.format('%.0f', math.max(full - now, 0))
end
return ahead
"""
_ADD_NAME = hashlib.sha1(_ADD.encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class _Subject:
    full_at: float
    """When all points are there again, on the budget's clock."""
    unshared: int = 0
    """Points that Redis does not know of yet."""


class PointBudget:
    """Of every subject of one kind. One in each process and event loop."""

    def __init__(
        self,
        kind: str,
        points: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        window_seconds: float = WINDOW_SECONDS,
    ) -> None:
        self.kind = kind
        self.maximum = points
        self.per_second = points / window_seconds
        self._furthest_seconds = MAX_DEBT_WINDOWS * window_seconds
        self._clock = clock
        self._subjects: OrderedDict[str, _Subject] = OrderedDict()
        self._unshared: dict[str, None] = {}
        self._sharing: asyncio.Task[None] | None = None

    def available(self, subject: str) -> int:
        """Points that are left; 0 or less: none."""
        known = self._subjects.get(subject)
        if known is None:
            return self.maximum
        return self.maximum - round(max(known.full_at - self._clock(), 0.0) * self.per_second)

    def wait_seconds(self, subject: str) -> float:
        """Until there is a point to spend; 0 when there is."""
        return max(0.0, (1 - self.available(subject)) / self.per_second)

    def spend(self, subject: str, points: int) -> None:
        """Count points, also beyond what is left; negative ones are given back. Needs a running event loop."""
        now = self._clock()
        known = self._subjects.get(subject)
        if known is None:
            known = self._subjects[subject] = _Subject(now)
            if len(self._subjects) > MAX_SUBJECTS:
                forgotten, _ = self._subjects.popitem(last=False)
                self._unshared.pop(forgotten, None)
        else:
            self._subjects.move_to_end(subject)
        known.full_at = min(max(known.full_at, now) + points / self.per_second, now + self._furthest_seconds)
        known.unshared += points
        self._unshared[subject] = None
        if self._sharing is None or self._sharing.done():
            # A context of its own: this task outlives the request, and its transaction.
            self._sharing = asyncio.get_running_loop().create_task(self._share(), context=contextvars.Context())

    async def _share(self) -> None:
        while self._unshared:
            await asyncio.sleep(SHARE_EVERY_SECONDS)
            while subjects := list(islice(self._unshared, SHARE_AT_ONCE)):
                await self.share(subjects)

    async def share(self, subjects: Sequence[str]) -> None:
        """Tell Redis what these have spent here, and take over what they have spent in all."""
        points = []
        for subject in subjects:
            self._unshared.pop(subject, None)
            known = self._subjects[subject]
            points.append(known.unshared)
            known.unshared = 0
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                ahead = await self._add([self._key(subject) for subject in subjects], points)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("points counted in this process alone", kind=self.kind, error=type(error).__name__)
            return
        now = self._clock()
        for subject, microseconds in zip(subjects, ahead, strict=True):
            if known_now := self._subjects.get(subject):
                shared = now + int(microseconds) / 1e6 + known_now.unshared / self.per_second
                known_now.full_at = max(known_now.full_at, shared)

    async def _add(self, keys: Sequence[str], points: Sequence[int]) -> list[bytes]:
        arguments: list[str | float] = [*keys, 1e6 / self.per_second, self._furthest_seconds * 1e6, *points]
        added: list[bytes]
        try:
            added = await cache().evalsha(_ADD_NAME, len(keys), *arguments)
        except NoScriptError:
            added = await cache().eval(_ADD, len(keys), *arguments)
        return added

    def _key(self, subject: str) -> str:
        return named(f"points:{self.kind}:{hashlib.sha256(subject.encode()).hexdigest()[:32]}")


@remembered
def budget(kind: str, points: int, window_seconds: float = WINDOW_SECONDS) -> PointBudget:
    """This process's."""
    return PointBudget(kind, points, window_seconds=window_seconds)
