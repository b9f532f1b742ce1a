"""Mails to staff about their own way in.

| template | beside `language` and `shop` |
|---|---|
| staff_invitation | `url`, `role` |
| staff_password_reset | `url` |
"""

import uuid
from collections.abc import Mapping

from app import db
from app.messaging import checks, ledger
from app.messaging.ledger import LedgerRow
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason
from app.messaging.rendering import LANGUAGE
from app.messaging.shop_values import shop_values
from app.settings import Settings
from app.shop import queries as shop_queries
from app.staff import invitations, links, password_changes

INVITATION = "staff_invitation"
PASSWORD_RESET = "staff_password_reset"  # noqa: S105 - a template
TEMPLATES = frozenset({INVITATION, PASSWORD_RESET})


class StaffLinkNotFoundError(Exception):
    """There is nothing to send: the invitation is gone, its key has left the ring, or the member has left."""


async def reserve_invitation(invitation_id: uuid.UUID) -> None:
    """Inside a unit of work."""
    email = await db.fetchval("SELECT email FROM staff_invitations WHERE id = $1", invitation_id)
    if email is not None:
        await _reserve(INVITATION, email, invitation_id, {"invitationId": str(invitation_id)})


async def reserve_password_reset(member_id: uuid.UUID, asked: uuid.UUID) -> None:
    """Inside a unit of work; nothing when nobody on the staff has this id.

    Args:
        asked: the event, so that every request is one mail.
    """
    email = await db.fetchval("SELECT email FROM staff_users WHERE id = $1 AND is_active", member_id)
    if email is not None:
        await _reserve(PASSWORD_RESET, email, asked, {"staffId": str(member_id)})


async def _reserve(template: str, recipient: str, subject_id: uuid.UUID, context: dict[str, str]) -> None:
    await ledger.reserve(
        dedupe_key=f"{template}:{subject_id.hex}",
        channel=MessageChannel.EMAIL,
        purpose=MessagePurpose.TRANSACTIONAL,
        template=template,
        recipient=recipient,
        order_id=None,
        context=context,
        skipped=None,
    )


@checks.before_sending("staff.invitations")
async def pointless(row: LedgerRow) -> MessageReason | None:
    """An invitation that was used, ended or replaced meanwhile is not sent any more."""
    if row.template != INVITATION:
        return None
    still_open = await db.fetchval(
        """
        SELECT EXISTS (SELECT FROM staff_invitations WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL
                       AND expires_at > clock_timestamp())
        """,
        uuid.UUID(row.context["invitationId"]),
    )
    return None if still_open else MessageReason.SUPERSEDED


async def build(template: str, ids: Mapping[str, object], settings: Settings) -> dict[str, object]:
    """The values of a template.

    Args:
        template: one of `TEMPLATES`.
        ids: `invitationId` or `staffId`.

    Raises:
        StaffLinkNotFoundError
    """
    values: dict[str, object] = {"language": LANGUAGE, "shop": shop_values(await shop_queries.current(), settings)}
    if template == INVITATION:
        row = await db.fetchrow(
            """
            SELECT i.id, i.token_hash, r.name FROM staff_invitations i JOIN staff_roles r ON r.id = i.role_id
            WHERE i.id = $1
            """,
            uuid.UUID(str(ids["invitationId"])),
        )
        token = invitations.token_of(row["id"], row["token_hash"]) if row else None
        if row is None or token is None:
            raise StaffLinkNotFoundError("there is no such invitation")
        return values | {"url": links.url("invitation", token), "role": row["name"]}
    token = await password_changes.token_for(uuid.UUID(str(ids["staffId"])))
    if token is None:
        raise StaffLinkNotFoundError("there is no such member of staff")
    return values | {"url": links.url("password-reset", token)}
