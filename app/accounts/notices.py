"""Reserving mail about an account in the open unit of work; it is sent after the commit."""

import uuid

from app.accounts.models import AccountTokenKind
from app.messaging import account_mails, ledger
from app.messaging.ledger import Origin
from app.messaging.models import MessageChannel, MessagePurpose

TEMPLATES = {
    AccountTokenKind.VERIFY_EMAIL: account_mails.VERIFY_EMAIL,
    AccountTokenKind.RESET_PASSWORD: account_mails.RESET_PASSWORD,
    AccountTokenKind.SIGN_IN: account_mails.SIGN_IN,
    AccountTokenKind.CHANGE_EMAIL: account_mails.CHANGE_EMAIL,
}


async def link(kind: AccountTokenKind, token_id: uuid.UUID, email: str, profile_id: uuid.UUID | None) -> None:
    await _reserve(TEMPLATES[kind], token_id.hex, email, profile_id, {"accountTokenId": str(token_id)})


async def account_exists(customer_id: uuid.UUID, email: str, profile_id: uuid.UUID | None, hour: str) -> None:
    """To the owner of an address that somebody signs up with, once an hour."""
    await _reserve(account_mails.ACCOUNT_EXISTS, f"{customer_id.hex}:{hour}", email, profile_id, {})


async def password_changed(email: str, profile_id: uuid.UUID | None, change_id: uuid.UUID) -> None:
    await _reserve(account_mails.PASSWORD_CHANGED, change_id.hex, email, profile_id, {})


async def email_changed(old_email: str, profile_id: uuid.UUID | None, change_id: uuid.UUID) -> None:
    """To the address that the account had until now."""
    await _reserve(account_mails.EMAIL_CHANGED, change_id.hex, old_email, profile_id, {})


async def _reserve(
    template: str, subject: str, email: str, profile_id: uuid.UUID | None, context: dict[str, str]
) -> None:
    await ledger.reserve(
        dedupe_key=f"{template}:{subject}",
        channel=MessageChannel.EMAIL,
        purpose=MessagePurpose.TRANSACTIONAL,
        template=template,
        recipient=email,
        order_id=None,
        context=context,
        origin=Origin(profile_id=profile_id),
    )
