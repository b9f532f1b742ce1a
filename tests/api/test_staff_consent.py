"""Consent that staff write down for somebody."""

import uuid
from typing import Any

import pytest

from app import db
from app.customers import permission
from app.customers.models import ConsentAction, ConsentSource
from app.kit.ids import new_id
from app.messaging.models import MessageChannel, MessageReason
from tests.client import Api
from tests.factories import customers, shop

EMAIL = MessageChannel.EMAIL
ADA = "ada@customer.example"
RECORD = """mutation ($input: ConsentRecordInput!) {
    consentRecord(input: $input) { recorded userErrors { code field message } } }"""


@pytest.fixture
async def ada(clean_database: None) -> uuid.UUID:
    await shop.shop()
    return await customers.profile(email=ADA)


def given(profile_id: uuid.UUID, **more: Any) -> dict[str, Any]:
    return {"input": {"profileId": f"prof_{profile_id.hex}", "channel": "EMAIL", "granted": True, **more}}


async def rows() -> list[dict[str, Any]]:
    return [dict(row) for row in await db.fetch("SELECT * FROM consents ORDER BY id")]


async def test_consent_on_paper_holds_at_once_with_wording_and_who_wrote_it_down(
    api: Api, staff_token: str, ada: uuid.UUID
) -> None:
    # Whoever types an address in a cart could not bring this back.
    await customers.consent(ada, EMAIL, ADA, ConsentAction.REVOKED, ConsentSource.ONE_CLICK)
    text_id = await customers.consent_text(EMAIL)
    signed = given(ada, textId=f"ctext_{text_id.hex}", note="form at the counter")
    assert (await api.ok(RECORD, signed, token=staff_token))["consentRecord"]["recorded"] is True
    assert (await api.ok(RECORD, signed, token=staff_token))["consentRecord"]["recorded"] is False
    _, row = await rows()
    staff_id = await db.fetchval("SELECT id FROM staff_users")
    assert (row["action"], row["source"], row["text_id"], row["profile_id"]) == ("GRANTED", "STAFF", text_id, ada)
    assert row["detail"] == f"staff:{staff_id.hex} form at the counter"
    assert await permission.marketing(EMAIL, ADA) is None

    await api.ok(RECORD, given(ada, granted=False), token=staff_token)
    assert await permission.marketing(EMAIL, ADA) is MessageReason.CONSENT_REVOKED
    assert (await rows())[-1]["detail"] == f"staff:{staff_id.hex}"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"channel": "SMS"}, "CONSENT_ADDRESS_MISSING", "channel"),
        ({"channel": "VOICE"}, "INVALID", "channel"),
        ({"textId": f"ctext_{new_id().hex}"}, "CONSENT_TEXT_UNKNOWN", "textId"),
        ({"profileId": f"prof_{new_id().hex}"}, "NOT_FOUND", "profileId"),
        ({"note": "x" * 121}, "TOO_LONG", "note"),
    ],
)
async def test_what_cannot_be_written_down(
    api: Api, staff_token: str, ada: uuid.UUID, change: dict[str, Any], code: str, field: str
) -> None:
    (error,) = await api.refused(RECORD, given(ada, **change), token=staff_token)
    assert (error["code"], error["field"]) == (code, ["input", field])
    assert await rows() == []
