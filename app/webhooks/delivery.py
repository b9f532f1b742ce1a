"""One attempt to deliver, and what follows from its outcome.

An event carries one attempt. Its outcome and the event of the next attempt are written together, on the condition that
nobody has written this attempt's outcome before: an event that runs twice delivers twice at the most, with the same
`webhook-id`, and goes on once.
"""

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from app import db, events
from app.kit import http
from app.kit.ids import earliest_id, encode
from app.settings import get_settings
from app.webhooks.service import DELIVER, DELIVERY_PREFIX
from app.webhooks.signing import secrets_of, signed_headers

PAUSES_SECONDS = (5, 60, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 18 * 3600, 22 * 3600)
"""Between attempts: eleven attempts over three days, in real time."""
TIMEOUT_SECONDS = 15.0
FAILING_DAYS = 5
"""An endpoint that has answered nothing right for so long is switched off."""
KEPT_DAYS = 30
"""Bodies."""
KEPT_ROWS_DAYS = 365
USER_AGENT = "Tradewind-Webhooks/1"

GONE, FAILING = "GONE", "FAILING"
DISABLED, REPLACED = "ENDPOINT_DISABLED", "ENDPOINT_DELETED"

log = structlog.get_logger(__name__)

_LOAD = """
    SELECT d.id, d.endpoint_id, d.body, d.state, d.attempts, e.url, e.enabled, e.secret_generation,
           coalesce(e.secret_rotated_at > clock_timestamp() - interval '1 day', false) AS rotating
    FROM webhook_deliveries d LEFT JOIN webhook_endpoints e ON e.id = d.endpoint_id
    WHERE d.id = $1
"""


@dataclass(frozen=True, slots=True)
class _Outcome:
    delivered: bool
    status_code: int | None = None
    detail: str | None = None
    final: bool = False
    retry_after_seconds: int = 0


async def attempt(delivery_id: uuid.UUID, number: int) -> None:
    """Make attempt `number`, counted from 0; nothing happens when it has an outcome already."""
    row = await db.fetchrow(_LOAD, delivery_id)
    if row is None or row["state"] != "PENDING" or row["attempts"] != number:
        return
    if not row["enabled"]:
        outcome = _Outcome(False, detail=DISABLED if row["url"] else REPLACED, final=True)
        await _settle(row, number, outcome, asked=False)
        return
    await _settle(row, number, await _ask(row), asked=True)


async def _ask(row: db.Record) -> _Outcome:
    generations = [row["secret_generation"], *([row["secret_generation"] - 1] if row["rotating"] else [])]
    secrets = [secret for generation in generations for secret in secrets_of(row["endpoint_id"], generation)]
    headers = {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        **signed_headers(secrets, encode(DELIVERY_PREFIX, row["id"]), row["body"]),
    }
    try:
        answer = await http.post(
            row["url"],
            headers=headers,
            content=row["body"].encode(),
            timeout_seconds=TIMEOUT_SECONDS,
            allow_private=get_settings().allow_private_addresses,
        )
    except http.HttpError as error:
        return _Outcome(False, detail=error.detail[:200])
    if answer.is_success:
        return _Outcome(True, answer.status)
    return _Outcome(False, answer.status, final=answer.status == 410, retry_after_seconds=answer.retry_after_seconds)


async def _settle(row: db.Record, number: int, outcome: _Outcome, *, asked: bool) -> None:
    last = outcome.final or number >= len(PAUSES_SECONDS)
    state = "DELIVERED" if outcome.delivered else "FAILED" if last else "PENDING"
    async with db.unit_of_work():
        settled = await db.execute(
            """
            UPDATE webhook_deliveries
            SET state = $3::text, attempts = attempts + $6, status_code = $4, detail = $5,
                finished_at = CASE WHEN $3::text <> 'PENDING' THEN clock_timestamp() END
            WHERE id = $1 AND attempts = $2 AND state = 'PENDING'
            """,
            row["id"],
            number,
            state,
            outcome.status_code,
            outcome.detail,
            1 if asked else 0,
        )
        if not settled:
            return
        if state == "PENDING":
            pause = max(PAUSES_SECONDS[number] * random.uniform(1, 1.2), outcome.retry_after_seconds)  # noqa: S311
            payload: dict[str, Any] = {"attempt": number + 1}
            await events.record(DELIVER, subject_id=row["id"], payload=payload, delay_seconds=pause)
        if asked:
            await _judge(row["endpoint_id"], outcome)


async def _judge(endpoint_id: uuid.UUID, outcome: _Outcome) -> None:
    """Whether the endpoint is to be asked any more. A healthy endpoint's row is not written."""
    if outcome.delivered:
        await db.execute(
            "UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL", endpoint_id
        )
        return
    reason = GONE if outcome.final else FAILING
    disabled = await db.fetchval(
        """
        WITH judged AS (
            SELECT id, $3 OR coalesce(failing_since < clock_timestamp() - $2 * interval '1 day', false) AS over
            FROM webhook_endpoints WHERE id = $1 AND enabled FOR NO KEY UPDATE
        )
        UPDATE webhook_endpoints e
        SET failing_since = coalesce(failing_since, clock_timestamp()), enabled = NOT over,
            disabled_reason = CASE WHEN over THEN $4 END
        FROM judged WHERE e.id = judged.id
        RETURNING over
        """,
        endpoint_id,
        FAILING_DAYS,
        outcome.final,
        reason,
    )
    if disabled:
        log.warning("webhook endpoint switched off", endpoint=str(endpoint_id), reason=reason)


async def forget_old(*, body_days: int = KEPT_DAYS, row_days: int = KEPT_ROWS_DAYS) -> None:
    """Empty the bodies of deliveries, and later drop the rows; ids tell their age."""
    now = datetime.now(UTC)
    await db.execute(
        """
        UPDATE webhook_deliveries SET body = ''
        WHERE id IN (
            SELECT id FROM webhook_deliveries WHERE body <> '' AND id < $1 AND state <> 'PENDING'
            ORDER BY id LIMIT 10000
        )
        """,
        earliest_id(now - timedelta(days=body_days)),
    )
    await db.execute(
        """
        DELETE FROM webhook_deliveries WHERE id IN (
            SELECT id FROM webhook_deliveries WHERE id < $1 ORDER BY id LIMIT 10000
        )
        """,
        earliest_id(now - timedelta(days=row_days)),
    )
