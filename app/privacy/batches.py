"""One batch of a step: a short transaction that locks its rows first and then looks at them again."""

from app import db
from app.privacy.steps import Step
from app.privacy.tables import Subject, bound

SIZE = 500


async def one(step: Step, subject: Subject, *, forgetting: bool = False) -> int:
    """How many rows were changed; 0 when there is nothing (more) to do.

    Rows are locked by one statement and looked at by the next, so that what somebody did to them, or beside them, while
    we waited for the lock is seen.

    Args:
        forgetting: it is their age and not their person: rows that somebody else holds are left for another time, and
            append-only logs let go of what is old.
    """
    key, table = step.described.key, step.table
    ready = f"{step.condition} AND ({step.ready or 'true'})"
    # Nobody waits for a lock who skips what is held, so the rows may come as they are found.
    in_order, skipping = ("", "SKIP LOCKED") if forgetting else (f'ORDER BY t."{key}"', "")
    async with db.unit_of_work():
        # Some records are append-only but for this (`consents_are_kept`, `audit_is_kept`).
        await db.execute("SELECT set_config($1, 'on', true)", f"tradewind.{'forgetting' if forgetting else 'erasing'}")
        sql, arguments = bound(
            f'SELECT t."{key}" AS key FROM "{table}" t WHERE {ready} {in_order} '
            f"LIMIT {SIZE} FOR UPDATE OF t {skipping}",
            subject,
        )
        locked = [row["key"] for row in await db.fetch(sql, *arguments)]
        if not locked:
            return 0
        sql, arguments = bound(
            f'SELECT t."{key}" AS key FROM "{table}" t WHERE t."{key}" = ANY($1) AND {ready}', subject, locked
        )
        keys = [row["key"] for row in await db.fetch(sql, *arguments)]
        if keys and step.before is not None:
            await step.before(keys)
        if keys:
            await db.execute(step.change, keys)
    return len(keys)
