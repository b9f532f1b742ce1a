"""Forgetting somebody's addresses: what was agreed to stays as hashes, and so does that they want nothing more."""

import uuid

from app import db
from app.customers import consent, suppressions
from app.customers.models import SuppressionReason
from app.messaging.models import MessageChannel

ADDRESSES = """
    SELECT DISTINCT channel, address FROM consents
    WHERE profile_id IN (SELECT id FROM profiles WHERE id = $1 OR merged_into_id = $1) AND address <> ''
    UNION SELECT 'EMAIL', email FROM profiles WHERE id = $1 AND email IS NOT NULL
    UNION SELECT 'SMS', phone FROM profiles WHERE id = $1 AND phone IS NOT NULL
    ORDER BY 1, 2
"""
# A household's number is somebody else's as well: their consent stands, and nothing more goes out to who was erased.
_IS_SHARED = """
    SELECT EXISTS (
        SELECT FROM profiles
        WHERE phone = $2 AND merged_into_id IS NULL AND erased_at IS NULL AND id <> $1
    )
"""
# The record of consent is append-only but for this: what names its person is emptied (`consents_are_kept`).
_EMPTY = """
    UPDATE consents SET address = '', ip = NULL, user_agent = NULL, detail = NULL
    WHERE profile_id IN (SELECT id FROM profiles WHERE id = $1 OR merged_into_id = $1) AND address <> ''
"""


async def erase_addresses(profile_id: uuid.UUID) -> None:
    """Suppress every address of a living profile by its hash alone, and empty the addresses in the record of consent.

    Inside a unit of work that holds the profile's lock. The profile's own row is the caller's to erase.
    """
    db.current_unit_of_work()
    for row in await db.fetch(ADDRESSES, profile_id):
        channel = MessageChannel(row["channel"])
        if channel is not MessageChannel.EMAIL and await db.fetchval(_IS_SHARED, profile_id, row["address"]):
            continue
        await consent.lock(channel, row["address"])
        await suppressions.add(channel, row["address"], SuppressionReason.ERASED)
        await suppressions.forget(channel, row["address"])
    await db.execute("SELECT set_config('tradewind.erasing', 'on', true)")
    await db.execute(_EMPTY, profile_id)
    await db.execute("SELECT set_config('tradewind.erasing', '', true)")
