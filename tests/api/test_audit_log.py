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
from tests.factories import accounts, api_keys, shop, staff

AUDITED = """
    SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'audited'
"""
# Tables that nobody of the shop changes by hand, or that only repeat what an audited one says.
NOT_AUDITED = {
    "the log itself": {"audit_entries", "audit_changes"},
    "machinery": {
        "events", "event_receipts", "timers", "job_problems", "upload_chunks", "checkout_attempts", "invariant_results",
        "upkeep", "download_links", "tortoise_migrations", "flow_catalogue", "flow_dates", "flow_run_steps",
        "campaign_recipients", "crm_contacts", "figure_counts", "segment_counts", "segment_memberships", "dev_messages",
        "test_gateway_payments", "test_gateway_operations", "gateway_watermarks", "payment_captures", "refund_parts",
        "configuration_versions", "price_list_products",
    },
    "secrets": {"session_tokens", "account_tokens"},
    "told by shoppers and providers": {
        "visitors", "profile_events", "product_reorders", "inbound_sms", "provider_notices", "message_links",
        "message_clicks", "attributions", "referrals", "tax_id_checks", "payment_disputes",
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
    async def broken() -> None:
        async with operators.command("break"), db.unit_of_work():
            await db.execute("UPDATE shop SET name = 'Broken'")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await broken()
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


LOG = """
query ($first: Int, $after: String, $action: String, $actor: ID, $subject: ID, $since: DateTime, $until: DateTime) {
  auditLog(first: $first, after: $after, action: $action, actorId: $actor, subjectId: $subject, since: $since,
           until: $until) {
    nodes { action outcome actorKind actorId actorName occurredAt changeCount
            changes { table operation before after } }
    totalCount pageInfo { endCursor hasNextPage }
  }
}
"""


async def test_the_log_is_read_page_by_page_and_by_what_one_looks_for(api: Api) -> None:
    reader = await staff.signed_in({Permission.AUDIT_READ})
    writer = await staff.signed_in({Permission.PRODUCTS_WRITE})
    hats = (await api.ok(CREATE % '"Hats"', token=writer))["collectionCreate"]["collection"]["id"]
    await api.refused(CREATE % '""', token=writer)
    update = 'mutation ($id: ID!) { collectionUpdate(id: $id, input: { name: "Caps" }) { userErrors { code } } }'
    await api.ok(update, {"id": hats}, token=writer)

    async def read(**given: Any) -> list[tuple[str, str]]:
        log = (await api.ok(LOG, given, token=reader))["auditLog"]
        return [(node["action"], node["outcome"]) for node in log["nodes"]]

    whole = [("collectionUpdate", "DONE"), ("collectionCreate", "REFUSED"), ("collectionCreate", "DONE")]
    assert await read() == whole
    first = (await api.ok(LOG, {"first": 2}, token=reader))["auditLog"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    assert await read(first=2, after=first["pageInfo"]["endCursor"]) == whole[2:]
    newest = first["nodes"][0]
    (change,) = newest["changes"]
    assert (newest["changeCount"], change["table"], change["operation"]) == (1, "collections", "UPDATE")
    assert (change["before"]["name"], change["after"]["name"]) == ("Hats", "Caps")
    assert await read(subject=hats) == [whole[0], whole[2]]
    assert await read(action="collectionUpdate") == whole[:1]
    assert await read(actor=newest["actorId"]) == whole
    assert await read(actor=f"staff_{'0' * 32}") == []
    assert await read(since=newest["occurredAt"]) == whole[:1]
    assert await read(until=newest["occurredAt"]) == whole[1:]
    assert (await api.query(LOG, {"subject": "nonsense"}, token=reader)).codes == ["INVALID_ID"]
    assert (await api.query(LOG, token=writer)).codes == ["FORBIDDEN"]


async def test_what_names_a_shopper_carries_whose_it_is_or_is_not_kept(api: Api, staff_token: str) -> None:
    ada = await accounts.signed_in(email="ada@example.com")
    suppress = """mutation ($address: String!) {
        suppressionAdd(input: { channel: EMAIL, address: $address }) { userErrors { code } } }"""
    for address in ("ada@example.com", "stranger@example.com"):
        await api.ok(suppress, {"address": address}, token=staff_token)
    known, unknown = (row for row in await changes() if row["table_name"] == "suppressions")
    assert (known["profile_id"], known["after"]["address"]) == (ada.profile_id, "ada@example.com")
    assert (unknown["profile_id"], unknown["after"]["address"]) == (None, "[personal]")
    async with operators.command("erase"), db.unit_of_work():
        await db.execute("SELECT set_config('tradewind.erasing', 'on', true)")
        await db.execute("UPDATE profiles SET first_name = 'Ada', email = 'erased@example.com'")
    erased = (await changes())[-1]
    assert erased["profile_id"] == ada.profile_id
    assert "example.com" not in json.dumps([erased["before"], erased["after"]])
