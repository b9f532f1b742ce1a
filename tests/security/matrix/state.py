"""What a refusal leaves as it is, and a way to try what is no refusal."""

import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any

from redis import asyncio as aioredis

from app import db
from app.cache import cache
from app.settings import get_settings
from tests.client import Api, Result

_ID = re.compile(r"\b[a-z]+_[0-9a-f]{32}(_[A-Za-z0-9_-]+)?|quote_[A-Za-z0-9_.-]+|twc_[A-Za-z0-9_-]+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+]00:00)")


async def everything() -> dict[str, str]:
    """A digest of each table, but the log of who was refused."""
    tables = await db.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'audit_entries' ORDER BY 1"
    )
    parts = [
        f"SELECT '{row['tablename']}' AS name, md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) AS digest "
        f'FROM "{row["tablename"]}" t'
        for row in tables
    ]
    return {row["name"]: row["digest"] for row in await db.fetch(" UNION ALL ".join(parts))}


async def state() -> dict[str, Any]:
    """A digest of every table (events, timers and messages among them) and how much waits in the broker's queues.

    But for what tells of the asking itself: entries of the audit log, and the hour in which a key was last used."""
    broker = aioredis.from_url(get_settings().redis_url)
    try:
        queued = {key: await broker.type(key) for key in await broker.keys(f"{get_settings().broker_namespace}:*")}
        sizes = {
            key: await {b"list": broker.llen, b"hash": broker.hlen, b"zset": broker.zcard}[kind](key)
            for key, kind in queued.items()
            if kind in (b"list", b"hash", b"zset") and b"heartbeats" not in key
        }
    finally:
        await broker.aclose()
    keys = await db.fetchval(
        "SELECT md5(string_agg((to_jsonb(k) - 'last_used_at')::text, ',' ORDER BY id)) FROM api_keys k"
    )
    return {**await everything(), "api_keys": keys, "queues": sizes}


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [table for table in before if before[table] != after[table]]


class _TakenBackError(Exception):
    pass


@contextlib.asynccontextmanager
async def taken_back() -> AsyncIterator[None]:
    """Whatever is done here is undone at its end: the request runs in this task, and joins its transaction."""
    with contextlib.suppress(_TakenBackError):
        async with db.unit_of_work():
            yield
            raise _TakenBackError


async def ask(api: Api, document: str, variables: dict[str, Any], token: str | None) -> Result:
    """Without what is left of earlier attempts: limits are not what this is about."""
    await cache().flushdb()
    return await api.query(document, variables, token=token)


def answer(result: Result) -> str:
    """What somebody is told, but for the ids, tokens and moments in it."""
    told = {"data": result.data, "errors": [{**error, "locations": None} for error in result.errors]}
    return _MOMENT.sub("«moment»", _ID.sub("«id»", json.dumps(told, sort_keys=True)))


def codes(result: Result) -> list[str]:
    payloads = [payload for payload in (result.data or {}).values() if isinstance(payload, dict)]
    return [*result.codes, *(error["code"] for payload in payloads for error in payload.get("userErrors") or ())]
