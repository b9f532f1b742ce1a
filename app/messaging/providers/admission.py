"""Whether a provider may be asked now: its circuit breaker and its rate limit, shared by all workers through Redis.

The breaker opens after some failures in a row that were the provider's own. While it is open nobody asks; then one
message at a time tries, and its success closes it. The rate limit gives every message that comes too early a turn of
its own, so that it comes back once and not again and again; mail about orders stands in a line of its own and so never
waits behind a campaign, whose line moves on by as much.

Nothing here is the only copy of anything: without Redis each process keeps both by itself (`local`), which lets through
up to as many times the rate as there are processes. A provider answers what is too much with "later", and it is.
"""

import time
import uuid

import structlog
from redis import RedisError
from redis.commands.core import AsyncScript

from app.cache import cache, named
from app.messaging.providers import local
from app.messaging.providers.local import BURST_SECONDS, FAILURES_THAT_OPEN, OPEN_SECONDS
from app.messaging.transports import NotYetError, TemporarySendError

PROBE_SECONDS = 60.0
"""Longer than a send's deadline: a probe whose process died does not count for ever."""
FORGET_SECONDS = 600.0
TICKET_GRACE_SECONDS = 3600.0
REDIS_PAUSE_SECONDS = 5.0
"""After Redis failed, nobody waits for it for so long."""

_GO, _OPEN, _LATER = 0, 1, 2

_ADMIT = """
local moment = redis.call('TIME')
local now = moment[1] * 1000 + math.floor(moment[2] / 1000)
local breaker, lines, ticket = KEYS[1], KEYS[2], KEYS[3]
local per_second, burst, urgent = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'
local probe, grace = tonumber(ARGV[4]), tonumber(ARGV[5])

local state = redis.call('HMGET', breaker, 'open_until', 'probe_until', 'failures')
local open_until, probe_until = tonumber(state[1] or 0), tonumber(state[2] or 0)
if open_until > now then return {1, open_until - now, 0} end
if open_until > 0 and probe_until > now then return {1, probe_until - now, 0} end

if per_second > 0 and redis.call('DEL', ticket) == 0 then
    local interval = 1000 / per_second
    local times = redis.call('HMGET', lines, 'urgent', 'ordinary')
    local of_urgent = math.max(now, tonumber(times[1] or 0))
    local of_ordinary = math.max(now, tonumber(times[2] or 0))
    local mine = urgent and of_urgent or of_ordinary
    if urgent then redis.call('HSET', lines, 'urgent', of_urgent + interval) end
    redis.call('HSET', lines, 'ordinary', of_ordinary + interval)
    redis.call('PEXPIRE', lines, math.ceil(math.max(of_urgent, of_ordinary) - now + grace))
    local wait = math.ceil(mine - now - burst)
    if wait > 0 then
        redis.call('SET', ticket, 1, 'PX', math.ceil(wait + grace))
        return {2, wait, 0}
    end
end
if open_until > 0 then redis.call('HSET', breaker, 'probe_until', now + probe) end
return {0, 0, (open_until > 0 or state[3]) and 1 or 0}
"""

_FAILED = """
local moment = redis.call('TIME')
local now = moment[1] * 1000 + math.floor(moment[2] / 1000)
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
if failures >= tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], 'open_until', now + tonumber(ARGV[2]))
    redis.call('HDEL', KEYS[1], 'probe_until')
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return failures
"""

log = structlog.get_logger(__name__)

_scripts: dict[int, tuple[AsyncScript, AsyncScript]] = {}
_redis_away_until = 0.0


async def admit(name: str, message_id: uuid.UUID, *, per_second: float | None, urgent: bool) -> bool:
    """Returns whether the provider has failed lately, so that a success is worth noting.

    Raises:
        TemporarySendError: its breaker is open.
        NotYetError: its rate is used up; the message has its turn then.
    """
    code, milliseconds, troubled = await _ask(name, message_id, per_second or 0.0, urgent)
    if code == _OPEN:
        raise TemporarySendError(f"{name} has failed too often and is left alone", about_receiver=True)
    if code == _LATER:
        raise NotYetError(f"the rate limit of {name}", milliseconds / 1000)
    return troubled


async def failed(name: str) -> None:
    """The provider itself failed: no connection, no sign-in, no answer."""
    local.breaker(name).failed()
    try:
        if _redis_is_away():
            return
        failures = await _script(1)(
            keys=[_keys(name)[0]], args=[FAILURES_THAT_OPEN, int(OPEN_SECONDS * 1000), int(FORGET_SECONDS * 1000)]
        )
    except (RedisError, OSError) as error:
        _note_absence(error)
        return
    if failures == FAILURES_THAT_OPEN:
        log.error("provider is left alone for a while", provider=name, failures=failures)


async def succeeded(name: str) -> None:
    """It answered, whatever it said about the receiver."""
    local.breaker(name).succeeded()
    try:
        if not _redis_is_away() and await cache().delete(_keys(name)[0]):
            log.info("provider answers again", provider=name)
    except (RedisError, OSError) as error:
        _note_absence(error)


async def _ask(name: str, message_id: uuid.UUID, per_second: float, urgent: bool) -> tuple[int, float, bool]:
    if not _redis_is_away():
        breaker, lines = _keys(name)
        ticket = named(f"provider:{{{name}}}:ticket:{message_id.hex}")
        arguments = [
            per_second,
            int(BURST_SECONDS * 1000),
            int(urgent),
            int(PROBE_SECONDS * 1000),
            int(TICKET_GRACE_SECONDS * 1000),
        ]
        try:
            code, milliseconds, troubled = await _script(0)(keys=[breaker, lines, ticket], args=arguments)
        except (RedisError, OSError) as error:
            _note_absence(error)
        else:
            return code, milliseconds, bool(troubled)
    if (seconds := local.breaker(name).closed_for_seconds()) > 0:
        return _OPEN, seconds * 1000, True
    if (seconds := local.line(name, urgent).wait_seconds(per_second)) > 0:
        return _LATER, seconds * 1000, True
    return _GO, 0, True


def _keys(name: str) -> tuple[str, str]:
    """One hash slot for all of a provider's keys, where Redis is a cluster."""
    return named(f"provider:{{{name}}}:breaker"), named(f"provider:{{{name}}}:lines")


def _script(index: int) -> AsyncScript:
    client = cache()
    if id(client) not in _scripts:
        _scripts.clear()
        _scripts[id(client)] = client.register_script(_ADMIT), client.register_script(_FAILED)
    return _scripts[id(client)][index]


def _redis_is_away() -> bool:
    return time.monotonic() < _redis_away_until


def _note_absence(error: Exception) -> None:
    global _redis_away_until
    _redis_away_until = time.monotonic() + REDIS_PAUSE_SECONDS
    log.warning("providers are limited by each process alone: Redis is unavailable", error=type(error).__name__)
