"""Somebody is written to at another address from now on."""

import uuid

from app import db
from app.customers import identification, merging

# Both at once and in the order of their ids, as everybody locks profiles.
_LOCK = """
    SELECT id, email FROM profiles
    WHERE merged_into_id IS NULL AND id = ANY(ARRAY(
        SELECT coalesce(merged_into_id, id) FROM profiles WHERE id = $1
        UNION SELECT id FROM profiles WHERE lower(email) = lower($2) AND email IS NOT NULL AND merged_into_id IS NULL
    ))
    ORDER BY id FOR UPDATE
"""


async def change_email(profile_id: uuid.UUID, email: str) -> None:
    """Give a profile the address that its person has shown to be theirs, in the open unit of work.

    A profile that has the address so far becomes part of this one: the account proves that both are one person, which
    nothing typed anywhere does. What was agreed to for the old address holds for that one alone.

    Raises:
        LookupError: there is no such profile, or not any more.
        asyncpg.UniqueViolationError: somebody became known by the address at this moment; begin again.
    """
    db.current_unit_of_work()
    rows = await db.fetch(_LOCK, profile_id, email)
    living = await identification.living(profile_id)
    if living not in {row["id"] for row in rows}:
        raise LookupError("the profile was merged meanwhile")
    for row in rows:
        if row["id"] != living:
            await merging.merge(row["id"], living)
    await db.execute("UPDATE profiles SET email = $2, updated_at = business_now() WHERE id = $1", living, email)
    await identification.updated(living, ["email"])
