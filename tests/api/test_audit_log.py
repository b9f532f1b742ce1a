"""The audit log: who of the staff, which key and which operator did what, with what it changed."""

import json
from typing import Any

import asyncpg
import pytest

from app import db
from app.audit import operators
from app.staff import service
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import api_keys, shop, staff

AUDITED = """
    SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'audited'
"""
# Tables that nobody of the shop changes by hand, or that only repeat what an audited one says.
NOT_AUDITED = {
    "the log itself": {"audit_entries", "audit_changes"},
    "machinery": {
        "events", "event_receipts", "timers", "job_problems", "upload_chunks", "checkout_attempts", "invariant_results",
        "upkeep", "download_links", "tortoise_migrations", "flow_catalogue", "flow_dates", "flow_run_steps", "campaign_recipients",
        "crm_contacts", "figure_counts", "segment_counts", "segment_memberships", "dev_messages",
        "test_gateway_payments",
    },
    "secrets": {"session_tokens", "account_tokens"},
    "told by shoppers and providers": {
        "visitors", "profile_events", "product_reorders", "inbound_sms", "provider_notices", "message_links",
        "message_clicks", "attributions", "referrals",
    },
}  # fmt: skip
CREATE = "mutation { collectionCreate(input: { name: %s }) { collection { id } userErrors { code } } }"


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop.shop()


async def entries() -> list[dict[str, Any]]:
    rows = await db.fetch("SELECT * FROM audit_entries ORDER BY id")
    return [{**row, "error_codes": json.loads(row["error_codes"])} for row in rows]


async def changes() -> list[dict[str, Any]]:
    rows = await db.fetch("SELECT * FROM audit_changes ORDER BY id")
    return [
        {**row, **{name: json.loads(row[name]) if row[name] else None for name in ("before", "after")}} for row in rows
    ]


async def test_every_table_is_audited_or_says_why_not(api: Api) -> None:
    tables = {row["tablename"] for row in await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    audited = {row["tgrelid"] for row in await db.fetch(AUDITED)}
    exempt = set().union(*NOT_AUDITED.values())
    assert audited | exempt == tables, "SELECT audit_table(…) in the migration, or say here why not"
    assert not audited & exempt


async def test_a_change_is_there_with_who_made_it_and_from_where(api: Api) -> None:
    token = await staff.signed_in({Permission.PRODUCTS_WRITE})
    headers = {"User-Agent": "Back office 1.0", "X-Request-ID": "request-17"}
    await api.ok(CREATE % '"Hats"', token=token, headers=headers)
    (entry,) = await entries()
    me = await db.fetchrow("SELECT id, name FROM staff_users")
    assert me is not None
    assert (entry["actor_kind"], entry["actor_id"], entry["actor_name"]) == ("STAFF", me["id"], me["name"])
    assert (entry["action"], entry["outcome"], entry["error_codes"]) == ("collectionCreate", "DONE", [])
    assert (entry["ip"], entry["user_agent"]) == ("127.0.0.1", "Back office 1.0")
    assert entry["request_id"]
    (change,) = await changes()
    assert (change["entry_id"], change["table_name"], change["operation"]) == (entry["id"], "collections", "INSERT")
    assert change["before"] is None
    assert change["after"]["name"] == "Hats"


async def test_an_api_key_is_named_as_itself(api: Api) -> None:
    await api.ok(CREATE % '"Hats"', token=await api_keys.key({Permission.PRODUCTS_WRITE}))
    (entry,) = await entries()
    assert (entry["actor_kind"], entry["actor_name"]) == ("API_KEY", "Back office")
    assert entry["actor_id"] == await db.fetchval("SELECT id FROM api_keys")


async def test_an_operator_is_named_by_the_account_of_the_machine(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "olive")
    async with operators.command("staff create"):
        await service.create_owner("owner@example.com", "Olive", "a-long-password")
    (entry,) = await entries()
    assert (entry["actor_kind"], entry["actor_name"], entry["action"]) == ("OPERATOR", "olive", "staff create")
    role, user = await changes()
    assert role["after"]["is_owner"] is True
    assert user["after"]["email"] == "owner@example.com"
    assert user["after"]["password_hash"] == "[redacted]"


async def test_a_refused_attempt_is_there_with_its_codes_and_nothing_changed(api: Api) -> None:
    token = await staff.signed_in({Permission.PRODUCTS_WRITE})
    await api.refused(CREATE % '""', token=token)
    (entry,) = await entries()
    assert (entry["outcome"], entry["error_codes"]) == ("REFUSED", ["REQUIRED"])
    assert await changes() == []


async def test_an_entry_is_there_exactly_when_its_change_is(api: Api) -> None:
    with pytest.raises(RuntimeError):
        async with operators.command("break"), db.unit_of_work():
            await db.execute("UPDATE shop SET name = 'Broken'")
            raise RuntimeError
    assert await entries() == []
    assert await changes() == []


@pytest.mark.parametrize("table", ["audit_entries", "audit_changes"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET id = id"])
async def test_the_log_cannot_be_changed(api: Api, table: str, change: str) -> None:
    await api.ok(CREATE % '"Hats"', token=await staff.signed_in({Permission.PRODUCTS_WRITE}))
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await db.execute(change.format(table))
    assert len(await entries()) == len(await changes()) == 1


async def test_reading_and_what_shoppers_do_leave_nothing(api: Api, staff_token: str) -> None:
    await api.ok("{ collections { nodes { id } } staffMe { name } }", token=staff_token)
    with db.counted_statements() as statements:
        await api.ok("mutation { cartCreate { cart { id } userErrors { code } } }")
    assert not [text for text in statements if "audit" in text]
    assert await entries() == []
