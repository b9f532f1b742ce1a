"""Erasing a person: what is at once."""

import uuid

import pytest

from app import db
from app.errors import DomainError
from app.kit.ids import new_id
from app.privacy import erasure
from tests.factories import accounts


async def ask(**whom: uuid.UUID) -> uuid.UUID:
    async with db.unit_of_work():
        return await erasure.request_erasure(**whom)


async def test_whoever_asks_is_signed_out_and_unknown_at_once(clean_database: None) -> None:
    account = await accounts.signed_in("anna@shopper.example")
    claim = await accounts.signed_in("anna@shopper.example", verified=False)
    other = await accounts.signed_in("berta@shopper.example")
    request = await ask(customer_id=account.id)

    assert [row["id"] for row in await db.fetch("SELECT id FROM customers")] == [other.id]
    left = await db.fetch("SELECT subject_id FROM sessions")
    assert [row["subject_id"] for row in left] == [other.id], claim.id
    row = await db.fetchrow("SELECT email, erased_at FROM profiles WHERE id = $1", account.profile_id)
    assert row is not None
    assert row["email"] is None
    assert row["erased_at"] is not None
    assert (
        await db.fetchval("SELECT count(*) FROM events WHERE type = $1 AND subject_id = $2", erasure.REQUESTED, request)
        == 1
    )
    assert account.profile_id is not None
    assert await ask(profile_id=account.profile_id) == request, "asked twice it is one erasure"


async def test_a_claim_erases_only_itself(clean_database: None) -> None:
    owner = await accounts.signed_in("anna@shopper.example")
    claim = await accounts.signed_in("anna@shopper.example", verified=False)
    await ask(customer_id=claim.id)
    assert [row["id"] for row in await db.fetch("SELECT id FROM customers")] == [owner.id]
    assert await db.fetchval("SELECT erased_at FROM profiles WHERE id = $1", owner.profile_id) is None


async def test_nobody_is_nobody(clean_database: None) -> None:
    for whom in ({"customer_id": new_id()}, {"profile_id": new_id()}):
        with pytest.raises(DomainError, match="is no"):
            await ask(**whom)
