"""Endpoints of other systems as staff keep them, and what is to be delivered to them."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

import orjson

from app import clock, db, events
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit import http
from app.kit.ids import encode, new_id
from app.kit.problems import Problems
from app.settings import get_settings
from app.webhooks import signing
from app.webhooks.errors import WebhookErrorCode
from app.webhooks.event_types import PUBLIC_EVENTS, TEST

DELIVER = "webhook.deliver"
ENDPOINT_PREFIX, DELIVERY_PREFIX = "whe", "whd"
MAX_ENDPOINTS = 50
MAX_NAME_CHARS = 120
MAX_BODY_BYTES = 65_536
MAX_REPLAYED = 1_000
_OWN_NAMES = ("localhost", ".localhost", ".local", ".internal", ".home.arpa")


class EndpointChange(TypedDict, total=False):
    """What is given changes. No event types: all of them."""

    name: str
    url: str
    event_types: Sequence[str]
    enabled: bool


async def create_endpoint(change: EndpointChange) -> tuple[uuid.UUID, str]:
    """Returns the endpoint's id and its signing secret, which is shown this once.

    Raises:
        DomainErrors: REQUIRED, TOO_LONG, URL_REFUSED, INVALID for unknown event types, TOO_MANY endpoints.
    """
    checked = _checked({"event_types": [], "name": "", "url": "", **change})
    endpoint_id = new_id()
    made = await db.execute(
        """
        INSERT INTO webhook_endpoints (id, name, url, event_types, secret_generation, enabled, created_at, updated_at)
        SELECT $1, $2, $3, $4::jsonb, 1, $5, business_now(), business_now()
        WHERE (SELECT count(*) FROM webhook_endpoints) < $6
        """,
        endpoint_id,
        checked["name"],
        checked["url"],
        orjson.dumps(checked["event_types"]).decode(),
        change.get("enabled", True),
        MAX_ENDPOINTS,
    )
    if not made:
        raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_ENDPOINTS} endpoints.", ["input"])
    return endpoint_id, signing.secrets_of(endpoint_id, 1)[0]


async def update_endpoint(endpoint_id: uuid.UUID, change: EndpointChange) -> None:
    """Switching it on again forgets that it had failed. Raises DomainErrors as `create_endpoint`, and NOT_FOUND."""
    checked = _checked(change)
    event_types = checked.get("event_types")
    changed = await db.execute(
        """
        UPDATE webhook_endpoints
        SET name = coalesce($2, name), url = coalesce($3, url), event_types = coalesce($4::jsonb, event_types),
            enabled = coalesce($5, enabled),
            failing_since = CASE WHEN $5 THEN NULL ELSE failing_since END,
            disabled_reason = CASE WHEN $5 THEN NULL ELSE disabled_reason END,
            updated_at = business_now()
        WHERE id = $1
        """,
        endpoint_id,
        checked.get("name"),
        checked.get("url"),
        None if event_types is None else orjson.dumps(event_types).decode(),
        checked.get("enabled"),
    )
    if not changed:
        raise not_found("webhook endpoint", ["id"])


def _checked(change: Mapping[str, Any]) -> dict[str, Any]:
    problems = Problems()
    checked = dict(change)
    if "name" in change:
        checked["name"] = problems.required_line(change["name"], "A name", "name", max_chars=MAX_NAME_CHARS)
    if "url" in change:
        checked["url"] = _checked_url(change["url"], problems)
    if "event_types" in change:
        checked["event_types"] = list(dict.fromkeys(change["event_types"]))
        for place, name in enumerate(change["event_types"]):
            if name not in PUBLIC_EVENTS:
                message = "There is no such event; `webhookEventTypes` lists them."
                problems.add(CommonErrorCode.INVALID, message, "eventTypes", place)
    problems.raise_if_any()
    return checked


def _checked_url(url: str, problems: Problems) -> str:
    """What can be said without asking a name server; each delivery asks and checks again."""
    allowed = get_settings().allow_private_addresses
    try:
        parsed = http.check_url(url.strip(), allow_private=allowed)
    except http.RefusedUrlError as refused:
        problems.add(WebhookErrorCode.URL_REFUSED, f"{refused.detail[:1].upper()}{refused.detail[1:]}.", "url")
        return ""
    host = parsed.host.rstrip(".").lower()
    if not allowed and any(host == name.lstrip(".") or host.endswith(name) for name in _OWN_NAMES):
        problems.add(WebhookErrorCode.URL_REFUSED, "This name is not on the public internet.", "url")
    return str(parsed)


async def rotate_secret(endpoint_id: uuid.UUID) -> str:
    """A new secret, shown this once; deliveries carry signatures with the old one, too, for a day.

    Raises:
        DomainError: NOT_FOUND.
    """
    generation: int | None = await db.fetchval(
        """
        UPDATE webhook_endpoints
        SET secret_generation = secret_generation + 1, secret_rotated_at = clock_timestamp(),
            updated_at = business_now()
        WHERE id = $1 RETURNING secret_generation
        """,
        endpoint_id,
    )
    if generation is None:
        raise not_found("webhook endpoint", ["id"])
    return signing.secrets_of(endpoint_id, generation)[0]


async def delete_endpoint(endpoint_id: uuid.UUID) -> None:
    """With its deliveries. Raises DomainError(NOT_FOUND)."""
    async with db.unit_of_work():
        if not await db.execute("DELETE FROM webhook_endpoints WHERE id = $1", endpoint_id):
            raise not_found("webhook endpoint", ["id"])
        await db.execute("DELETE FROM webhook_deliveries WHERE endpoint_id = $1", endpoint_id)


async def enqueue(
    *,
    endpoint_id: uuid.UUID,
    event_type: str,
    payload: Mapping[str, Any],
    dedupe_key: str,
    run_id: uuid.UUID | None = None,
    event_id: uuid.UUID | None = None,
    occurred_at: datetime | None = None,
) -> uuid.UUID:
    """Note in the open unit of work that this is to be delivered; once for each `dedupe_key`.

    The body is `{"type", "timestamp", "data"}`, as Standard Webhooks has it, with `payload` as its data and business
    time. A delivery to an endpoint that is switched off, or gone by then, fails when it is due.

    Args:
        payload: JSON; what it says is the caller's to answer for.
        run_id: the flow's run that asked for it.
        event_id, occurred_at: of the event that it tells of, where there is one.

    Returns:
        The delivery's id, which is its `webhook-id`, too.

    Raises:
        ValueError: for more than 64 KB.
    """
    moment = (occurred_at or await clock.now()).isoformat()
    body = orjson.dumps({"type": event_type, "timestamp": moment, "data": payload}, default=str).decode()
    return await _enqueue(endpoint_id, event_type, body, dedupe_key, event_id or new_id(), run_id, None)


async def _enqueue(  # noqa: PLR0917 - one for each column
    endpoint_id: uuid.UUID,
    event_type: str,
    body: str,
    dedupe_key: str,
    event_id: uuid.UUID,
    run_id: uuid.UUID | None,
    replay_of: uuid.UUID | None,
) -> uuid.UUID:
    db.current_unit_of_work()
    if len(body.encode()) > MAX_BODY_BYTES:
        raise ValueError(f"a webhook's body has {MAX_BODY_BYTES:,} bytes at most")
    delivery_id = new_id()
    written = await db.execute(
        """
        INSERT INTO webhook_deliveries (id, endpoint_id, event_id, event_type, dedupe_key, body, state, attempts,
                                        run_id, replay_of, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'PENDING', 0, $7, $8, clock_timestamp())
        ON CONFLICT (dedupe_key) DO NOTHING
        """,
        delivery_id,
        endpoint_id,
        event_id,
        event_type,
        dedupe_key,
        body,
        run_id,
        replay_of,
    )
    if not written:
        known: uuid.UUID = await db.fetchval("SELECT id FROM webhook_deliveries WHERE dedupe_key = $1", dedupe_key)
        return known
    await events.record(DELIVER, subject_id=delivery_id, payload={"attempt": 0})
    return delivery_id


async def send_test(endpoint_id: uuid.UUID) -> uuid.UUID:
    """Deliver a `webhook.test` to it. Returns the delivery's id. Raises DomainError(NOT_FOUND)."""
    async with db.unit_of_work():
        if not await db.fetchval("SELECT true FROM webhook_endpoints WHERE id = $1 FOR KEY SHARE", endpoint_id):
            raise not_found("webhook endpoint", ["id"])
        data = {"endpointId": encode(ENDPOINT_PREFIX, endpoint_id)}
        key = f"test:{new_id()}"
        return await enqueue(endpoint_id=endpoint_id, event_type=TEST, payload=data, dedupe_key=key)


async def replay(delivery_id: uuid.UUID) -> uuid.UUID:
    """Deliver the same body once more, as a delivery of its own. Returns its id.

    Raises:
        DomainError: NOT_FOUND; WEBHOOK_BODY_GONE for one whose body is no longer kept.
    """
    async with db.unit_of_work():
        row = await db.fetchrow("SELECT * FROM webhook_deliveries WHERE id = $1", delivery_id)
        if row is None:
            raise not_found("delivery", ["deliveryId"])
        if not row["body"]:
            message = "This delivery is too old to be replayed."
            raise DomainError(WebhookErrorCode.WEBHOOK_BODY_GONE, message, ["deliveryId"])
        return await _replay(row)


async def replay_failed(endpoint_id: uuid.UUID, since: datetime) -> int:
    """Replay what has failed since, the oldest first and up to 1,000, each once. Returns how many there were.

    Raises:
        DomainError: NOT_FOUND.
    """
    async with db.unit_of_work():
        if not await db.fetchval("SELECT true FROM webhook_endpoints WHERE id = $1 FOR UPDATE", endpoint_id):
            raise not_found("webhook endpoint", ["endpointId"])
        rows = await db.fetch(
            """
            SELECT * FROM webhook_deliveries d
            WHERE endpoint_id = $1 AND state = 'FAILED' AND created_at >= $2 AND body <> ''
              AND NOT EXISTS (SELECT FROM webhook_deliveries r WHERE r.endpoint_id = $1 AND r.replay_of = d.id)
            ORDER BY id LIMIT $3
            """,
            endpoint_id,
            since,
            MAX_REPLAYED,
        )
        for row in rows:
            await _replay(row)
    return len(rows)


async def _replay(row: db.Record) -> uuid.UUID:
    key = f"replay:{new_id()}"
    return await _enqueue(
        row["endpoint_id"], row["event_type"], row["body"], key, row["event_id"], row["run_id"], row["id"]
    )
