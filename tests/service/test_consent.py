"""The record of consent: what each way of giving and withdrawing it leaves behind."""

import asyncio
import uuid

import asyncpg
import pytest

from app import db
from app.customers import consent, permission, suppressions
from app.customers.models import ConsentAction, ConsentSource, SuppressionReason
from app.errors import DomainError
from app.kit.ids import new_id
from app.messaging.models import MessageChannel, MessageReason
from tests.factories import shop

EMAIL = MessageChannel.EMAIL
ADA = "ada@customer.example"


async def given(source: ConsentSource, address: str = ADA, **more: object) -> ConsentAction:
    async with db.unit_of_work():
        return await consent.request_or_grant(
            profile_id=uuid.UUID(int=1), channel=EMAIL, address=address, source=source, **more  # type: ignore[arg-type]
        )


async def withdrawn(source: ConsentSource = ConsentSource.ONE_CLICK, **more: object) -> bool:
    async with db.unit_of_work():
        return await consent.revoke(
            profile_id=uuid.UUID(int=1), channel=EMAIL, address=ADA, source=source, **more  # type: ignore[arg-type]
        )


@pytest.fixture(autouse=True)
async def a_shop(clean_database: None) -> None:
    await shop.shop()


async def test_consent_in_a_cart_holds_at_once() -> None:
    assert await permission.marketing(EMAIL, ADA) is MessageReason.NO_CONSENT
    assert await given(ConsentSource.CART) is ConsentAction.GRANTED
    assert await permission.marketing(EMAIL, "ADA@customer.example") is None
    assert await given(ConsentSource.CART) is ConsentAction.GRANTED
    assert await db.fetchval("SELECT count(*) FROM consents") == 1
    assert await db.fetchval("SELECT count(*) FROM profile_events WHERE type = 'consent.granted'") == 1
