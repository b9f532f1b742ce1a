"""Telling connected systems to forget somebody who was erased: by the id that they gave; the address is gone."""

import uuid

import structlog

from app import db, events
from app.crm import service
from app.crm.adapter import CrmError

FORGET = "crm.forget"
PAUSES_SECONDS = (15, 60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
"""Between attempts, in real time; then it is given up until somebody asks again."""
UNSETTLED_SECONDS = 120.0
"""Longer than sending takes: whoever is just being sent there gets their id first."""
GAVE_UP = "not forgotten: "
"""How the failure begins of who has to be deleted there by hand, should asking again not help."""
MAX_FAILURE_CHARS = 200

log = structlog.get_logger(__name__)

_LOAD = """
    SELECT c.id, c.remote_id, k.id AS connection_id, k.adapter, k.configuration, k.credentials
    FROM crm_contacts c JOIN crm_connections k ON k.id = c.connection_id
    WHERE c.profile_id = $1 AND coalesce(c.failure, '') NOT LIKE $2 || '%' ORDER BY c.id
"""


async def begin(profile_id: uuid.UUID) -> None:
    """Ask every system that knows this profile, after the commit. In the open unit of work, which has it locked."""
    rows = await db.fetch(
        """
        UPDATE crm_contacts SET failure = NULL WHERE profile_id = $1
        RETURNING remote_id IS NULL OR synced_revision < wanted_revision AS unsettled
        """,
        profile_id,
    )
    if rows:
        await _ask(profile_id, 0, UNSETTLED_SECONDS if any(row["unsettled"] for row in rows) else None)


async def left(profile_id: uuid.UUID) -> int:
    """How many systems still know an erased person; those that were given up on are asked again."""
    async with db.unit_of_work():
        asked_again = await db.execute(
            "UPDATE crm_contacts SET failure = NULL WHERE profile_id = $1 AND failure LIKE $2 || '%'",
            profile_id,
            GAVE_UP,
        )
        if asked_again:
            await _ask(profile_id, 0)
    count: int = await db.fetchval("SELECT count(*) FROM crm_contacts WHERE profile_id = $1", profile_id)
    return count


async def forget(profile_id: uuid.UUID, attempt: int) -> None:
    """Ask each system once; a contact that is gone there is gone here."""
    again, pause = False, 0
    for row in await db.fetch(_LOAD, profile_id, GAVE_UP):
        try:
            if row["remote_id"] is not None:
                await _tell(row, row["remote_id"])
        except CrmError as error:
            if error.temporary and attempt < len(PAUSES_SECONDS):
                again, pause = True, max(pause, PAUSES_SECONDS[attempt], error.retry_after_seconds)
            else:
                await _give_up(row, error.detail)
        else:
            await db.execute("DELETE FROM crm_contacts WHERE id = $1", row["id"])
    if again:
        async with db.unit_of_work():
            await _ask(profile_id, attempt + 1, pause)


async def _tell(row: db.Record, remote_id: str) -> None:
    adapter = service.open_adapter(row)
    # An adapter of somebody else's may be older than this.
    if not hasattr(adapter, "forget"):
        raise CrmError("its adapter cannot; delete them there", temporary=False)
    await adapter.forget(remote_id)


async def _ask(profile_id: uuid.UUID, attempt: int, delay_seconds: float | None = None) -> None:
    payload = {"profileId": str(profile_id), "attempt": attempt}
    await events.record(FORGET, subject_id=profile_id, payload=payload, delay_seconds=delay_seconds)


async def _give_up(row: db.Record, detail: str) -> None:
    log.warning("contact not forgotten", connection=str(row["connection_id"]), detail=detail)
    await db.execute(
        "UPDATE crm_contacts SET failure = $2 WHERE id = $1", row["id"], f"{GAVE_UP}{detail}"[:MAX_FAILURE_CHARS]
    )
