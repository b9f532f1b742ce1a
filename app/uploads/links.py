"""Addresses that hand out one file once: a browser can follow them, as they need no header.

The address is signed, so that guesses cost no look into the database. It was made for somebody, and ends with what they
may do: whoever has left, or lost the permission, fetches nothing with an old address.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from app import db
from app.keys import keyring
from app.kit.ids import new_id
from app.settings import get_settings
from app.staff import queries as staff
from app.staff.permissions import Permission
from app.uploads import generated
from app.uploads.generated import GeneratedFile

PATH = "/downloads"
LINK_MINUTES = 5
MAX_TOKEN_CHARS = 200
_PURPOSE = "download"


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    expires_at: datetime


async def create(file_id: uuid.UUID, *, actor_id: uuid.UUID, permission: Permission) -> Link:
    """A link to a generated file, for real time of five minutes and for one use.

    Args:
        actor_id: the member of staff, or the key, that asks.
        permission: what they may do now, and still have to be allowed when they use it.
    """
    link_id = new_id()
    expires_at: datetime = await db.fetchval(
        """
        INSERT INTO download_links (id, upload_id, actor_id, permission, created_at, expires_at)
        VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp() + $5 * interval '1 minute')
        RETURNING expires_at
        """,
        link_id,
        file_id,
        actor_id,
        permission.value,
        LINK_MINUTES,
    )
    token = keyring().sign(_PURPOSE, link_id.hex)
    return Link(f"{get_settings().public_url}{PATH}/{token}", expires_at)


async def redeem(token: str) -> GeneratedFile | None:
    """The file, for the first who asks in time; None for everybody else."""
    payload = keyring().unsign(_PURPOSE, token) if len(token) <= MAX_TOKEN_CHARS else None
    if not isinstance(payload, str):
        return None
    row = await db.fetchrow(
        """
        UPDATE download_links SET used_at = clock_timestamp()
        WHERE id = $1 AND used_at IS NULL AND expires_at > clock_timestamp()
        RETURNING upload_id, actor_id, permission
        """,
        uuid.UUID(hex=payload),
    )
    if row is None or not await staff.may_still(row["actor_id"], Permission(row["permission"])):
        return None
    return await generated.find(row["upload_id"])
