"""Limits of attempts: how many pass, that all processes count together, and what holds while Redis is away."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis import asyncio as aioredis

from app import cache, rate_limit
from app.errors import DomainError
from app.kit.gcra import Bucket, LocalBuckets, Rate, take
from app.settings import Settings
from tests.client import Api
from tests.patience import patience

LOOK_UP = '{ orderTracking(number: "1001", email: "ada@example.com") { number } }'
SIGN_IN = """mutation { staffLogin(input: { email: "ada@shop.example", password: "a wrong password" }) {
    userErrors { __typename code ... on RateLimitedError { retryAfterSeconds } }
} }"""


async def attempt(subject: str = "203.0.113.7", *, limit: int = 3, attempts: int = 1) -> int:
    """0 when it passed, else when to try again."""
    try:
        await rate_limit.allow("test", subject, limit=limit, window_seconds=60, attempts=attempts)
    except rate_limit.RateLimitedError as refused:
        return refused.retry_after_seconds
    return 0


@asynccontextmanager
async def redis_away(settings: Settings, url: str = "redis://127.0.0.1:1/0") -> AsyncIterator[None]:
    before = cache._client
    cache.open_cache(settings.model_copy(update={"redis_url": url}))
    try:
        yield
    finally:
        await cache.close_cache()
        cache._client = before
        rate_limit.forget_local_state()


# --- the algorithm ----------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_units_come_back_one_by_one_and_no_border_lets_twice_as_many_pass() -> None:
    clock = Clock()
    buckets = LocalBuckets(clock)
    one = [Bucket("a", Rate(4, 60))]
    assert [buckets.take(one) for _ in range(5)] == [0, 0, 0, 0, 15]
    clock.now += 14
    assert buckets.take(one) == pytest.approx(1), "the refused ones cost nothing"
    clock.now += 1
    assert [buckets.take(one), buckets.take(one)] == [0, 15]
    clock.now += 600
    assert [buckets.take(one) for _ in range(5)] == [0, 0, 0, 0, 15], "a rest is not saved up"


def test_of_several_buckets_all_are_taken_from_or_none() -> None:
    buckets = LocalBuckets(Clock())
    wide, narrow = Bucket("wide", Rate(2, 60)), Bucket("narrow", Rate(1, 60))
    assert buckets.take([wide, narrow]) == 0
    assert buckets.take([wide, narrow]) > 0
    assert buckets.take([wide]) == 0


def test_memory_is_bounded() -> None:
    buckets = LocalBuckets(Clock(), max_buckets=10)
    for number in range(100):
        buckets.take([Bucket(str(number), Rate(1, 60))])
    assert len(buckets._full_at) == 10


async def test_redis_decides_as_memory_does(clean_database: None) -> None:
    """All or none, several units, giving back, asking: against the simple one, at a rate that gives nothing back."""
    here = LocalBuckets(Clock())
    day = 86_400 * 365
    steps = [
        ([Bucket("a", Rate(3, day)), Bucket("b", Rate(2, day))], True),
        ([Bucket("a", Rate(3, day)), Bucket("b", Rate(2, day), 2)], True),
        ([Bucket("a", Rate(3, day), 2)], False),
        ([Bucket("a", Rate(3, day), 2)], True),
        ([Bucket("a", Rate(3, day))], True),
        ([Bucket("a", Rate(3, day), -2)], True),
        ([Bucket("a", Rate(3, day), 2)], True),
        ([Bucket("a", Rate(3, day), 2)], True),
        ([Bucket("c", Rate(5, day), 6)], True),
        ([Bucket("c", Rate(5, day), -9)], True),
        ([Bucket("c", Rate(5, day), 5)], True),
    ]
    for buckets, keep in steps:
        passed = await take(cache.cache(), buckets, keep=keep) == 0
        assert passed == (here.take(buckets, keep=keep) == 0), buckets


# --- in Redis ---------------------------------------------------------------------------------------------------------


async def test_attempts_at_the_same_time_pass_no_gap(clean_database: None) -> None:
    started = time.monotonic()
    waits = await asyncio.gather(*(attempt() for _ in range(20)))
    elapsed = time.monotonic() - started
    assert sum(wait == 0 for wait in waits) == 3
    assert all(20 - elapsed <= wait <= 20 for wait in waits if wait), "a third of the window until one more may pass"


async def test_more_at_once_than_the_limit_never_pass_and_cost_nothing(clean_database: None) -> None:
    assert await attempt(attempts=4) > 0
    assert await attempt(attempts=3) == 0


async def test_what_was_no_attempt_is_given_back(clean_database: None) -> None:
    assert await attempt(attempts=3) == 0
    await rate_limit.give_back("test", "203.0.113.7", 2)
    assert [await attempt() == 0 for _ in range(3)] == [True, True, False]


async def test_giving_back_more_than_was_taken_saves_nothing_up(clean_database: None) -> None:
    assert await attempt() == 0
    await rate_limit.give_back("test", "203.0.113.7", 50)
    assert [await attempt() == 0 for _ in range(4)] == [True, True, True, False]


async def test_redis_may_forget_its_scripts(clean_database: None) -> None:
    assert [await attempt() == 0 for _ in range(3)] == [True] * 3
    await cache.cache().script_flush()
    assert await attempt() > 0


async def test_a_bucket_is_forgotten_when_it_is_full_again(clean_database: None) -> None:
    await attempt(limit=60)
    (key,) = await cache.cache().keys("*")
    assert 0 < await cache.cache().pttl(key) <= 1_000
    assert b"203.0.113.7" not in key


async def test_one_round_trip(clean_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    await attempt()
    sent: list[str] = []
    send: Any = aioredis.Redis.execute_command

    async def counted(self: aioredis.Redis, *arguments: object, **options: object) -> object:
        sent.append(str(arguments[0]))
        return await send(self, *arguments, **options)

    monkeypatch.setattr(aioredis.Redis, "execute_command", counted)
    await attempt()
    assert sent == ["EVALSHA"]


# --- while Redis is away ----------------------------------------------------------------------------------------------


async def test_without_redis_each_process_still_limits(clean_database: None, settings: Settings) -> None:
    async with redis_away(settings):
        assert [await attempt() == 0 for _ in range(4)] == [True, True, True, False]
        assert await attempt("198.51.100.1") == 0
        await rate_limit.give_back("test", "203.0.113.7", 1)
        assert await attempt() == 0
    assert await attempt() == 0, "Redis knows nothing of it"


async def test_a_silent_redis_is_asked_once_and_then_left_alone(
    clean_database: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    async def take_noted(*arguments: Any, **options: Any) -> float:
        asked.append(arguments)
        return await take(*arguments, **options)

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr("app.kit.gcra.take", take_noted)
    monkeypatch.setattr(rate_limit, "ANSWER_SECONDS", 0.75)
    monkeypatch.setattr(rate_limit, "AWAY_SECONDS", patience(5))
    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, redis_away(settings, f"redis://127.0.0.1:{port}/0"):
        assert [await attempt() == 0 for _ in range(4)] == [True, True, True, False]
    assert len(asked) == 1


# --- what a client sees -----------------------------------------------------------------------------------------------


async def test_a_refused_query_says_when_to_come_back(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schema.fulfillments.tracking.LOOK_UPS_PER_ADDRESS", 1)
    assert "retry-after" not in (await api.http.post("/graphql", json={"query": LOOK_UP})).headers
    refused = await api.http.post("/graphql", json={"query": LOOK_UP})
    (error,) = refused.json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert refused.headers["retry-after"] == str(error["extensions"]["retryAfterSeconds"])
    assert error["extensions"]["retryAfterSeconds"] > 0


async def test_attempts_count_each_also_aliased_in_one_request(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.staff.limits.LOGINS_PER_EMAIL", 2)
    aliased = SIGN_IN.replace("mutation { staffLogin", "mutation { a: staffLogin")
    field = aliased.removeprefix("mutation { a: ").removesuffix(" }")
    document = "mutation {" + " ".join(f"{name}: {field}" for name in "abcd") + "}"
    response = await api.http.post("/graphql", json={"query": document})
    codes = [response.json()["data"][name]["userErrors"][0]["code"] for name in "abcd"]
    assert codes == ["INVALID_CREDENTIALS"] * 2 + ["RATE_LIMITED"] * 2
    refused = response.json()["data"]["d"]["userErrors"][0]
    assert refused["__typename"] == "RateLimitedError"
    assert response.headers["retry-after"] == str(refused["retryAfterSeconds"])


async def test_domains_see_an_ordinary_error(clean_database: None) -> None:
    for _ in range(3):
        await attempt()
    with pytest.raises(DomainError, match="Too many attempts"):
        await rate_limit.allow("test", "203.0.113.7", limit=3, window_seconds=60)
