"""Invoices and credit notes: numbered without gaps, frozen, read by their buyer and by staff."""

import asyncio
import email
import email.policy
import re
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from typing import Any

import asyncpg
import orjson
import pytest

from app import db
from app.invoices import issuing
from app.invoices.models import IssueInvoices
from app.kit import ids
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, orders

Drain = Callable[[], Awaitable[None]]

FIELDS = "id number kind orderId correctsId total { amount currencyCode } tax { amount } url"
ORDER = f"query ($id: ID!, $token: String) {{ order(id: $id, token: $token) {{ invoices {{ {FIELDS} }} }} }}"
LIST = f"""query ($kind: InvoiceKind, $after: String) {{
    invoices(first: 2, kind: $kind, after: $after) {{ totalCount nodes {{ {FIELDS} }} pageInfo {{ endCursor }} }}
}}"""
CANCEL = "mutation ($id: ID!) { orderCancel(orderId: $id) { userErrors { code } } }"
SETTINGS = """mutation ($input: InvoiceSettingsInput!) {
    invoiceSettingsUpdate(input: $input) {
        settings { issue attached vatNumber registration footer } userErrors { code field }
    }
}"""
SERIES = """mutation ($input: InvoiceSeriesInput!) {
    invoiceSeriesUpdate(input: $input) { series { kind prefix issuedCount marketId } userErrors { code field } }
}"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await checkout.shop_that_ships()


async def invoices_of(api: Api, placed: dict[str, Any]) -> list[dict[str, Any]]:
    found = await api.ok(ORDER, {"id": placed["order"]["id"], "token": placed["orderToken"]})
    invoices: list[dict[str, Any]] = found["order"]["invoices"]
    return invoices


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


async def test_an_order_has_its_invoice_in_the_confirmation_and_by_link(api: Api, drain: Drain) -> None:
    placed = await checkout.placed(api)
    await drain()
    (invoice,) = await invoices_of(api, placed)
    assert (invoice["number"], invoice["kind"], invoice["correctsId"]) == ("INV-000001", "INVOICE", None)
    assert invoice["total"]["amount"] == placed["order"]["cost"]["total"]["amount"]

    answer = await api.http.get(path_of(invoice["url"]))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["Cache-Control"] == "private, no-store"
    at_once = await asyncio.gather(*(api.http.get(path_of(invoice["url"])) for _ in range(10)))
    assert {again.content for again in at_once} == {answer.content}, "printed alike every time"

    raw = await db.fetchval("SELECT content FROM dev_messages WHERE template = 'order_confirmation'")
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert invoice["url"] in body.get_content()
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("INV-000001.pdf", "application/pdf")
    assert attached.get_content() == answer.content


async def test_a_link_that_was_altered_opens_nothing(api: Api, drain: Drain) -> None:
    placed = await checkout.placed(api)
    await drain()
    (invoice,) = await invoices_of(api, placed)
    path = path_of(invoice["url"])
    for other in (
        path.replace(".pdf", "x.pdf"),
        "/invoices/x.pdf",
        f"/invoices/{'a' * 500}.pdf",
        f"/invoices/{invoice['id']}.pdf",
    ):
        assert (await api.http.get(other)).status_code == 404
    # Whoever is forgotten takes the links along.
    await db.execute(r"UPDATE orders SET token_hash = '\x'")
    assert (await api.http.get(path)).status_code == 404


async def test_numbers_have_no_gaps_whatever_happens_at_once(api: Api, drain: Drain) -> None:
    product = await catalogue.product(stock=50)
    order_ids = [ids.decode("ord", (await checkout.placed(api, (product, 1)))["order"]["id"]) for _ in range(6)]
    moment = IssueInvoices.WHEN_PLACED

    async def broken(order_id: Any) -> None:
        async with db.unit_of_work():
            await issuing.issue_when(order_id, moment)
            raise RuntimeError("taken back")

    failed = await asyncio.gather(*(broken(order_id) for order_id in order_ids), return_exceptions=True)
    assert {type(error) for error in failed} == {RuntimeError}
    await asyncio.gather(*(issuing.issue_when(order_id, moment) for order_id in [*order_ids, *order_ids]))
    await drain()
    numbers = [row["number"] for row in await db.fetch("SELECT number FROM invoices ORDER BY sequence")]
    assert numbers == [f"INV-{number:06}" for number in range(1, 7)]


async def test_a_cancelled_order_is_credited_once_and_in_full(api: Api, staff_token: str, drain: Drain) -> None:
    placed = await checkout.placed(api)
    await drain()
    await api.ok(CANCEL, {"id": placed["order"]["id"]}, token=staff_token)
    await drain()
    await issuing.credit_cancelled(ids.decode("ord", placed["order"]["id"]))
    invoice, credit = await invoices_of(api, placed)
    assert (credit["number"], credit["kind"], credit["correctsId"]) == ("CN-000001", "CREDIT_NOTE", invoice["id"])
    assert credit["total"] == invoice["total"]
    assert (await api.http.get(path_of(credit["url"]))).content.startswith(b"%PDF-")


async def test_what_was_taken_back_before_the_invoice_is_credited_with_it(
    api: Api, staff_token: str, drain: Drain
) -> None:
    refunded, cancelled = await checkout.placed(api), await checkout.placed(api)
    await api.ok(CANCEL, {"id": cancelled["order"]["id"]}, token=staff_token)
    refund_id = new_id()
    await db.execute(
        """
        INSERT INTO refunds (id, order_id, source, target, state, amount_minor, shipping_minor, currency_code, lines,
                             notify_customer, created_at, updated_at)
        VALUES ($1, $2, 'STAFF', 'ORIGINAL', 'SUCCEEDED', 100, 0, 'USD', '[]', false, now(), now())
        """,
        refund_id,
        ids.decode("ord", refunded["order"]["id"]),
    )
    # Workers take events in any order: here the last ones first.
    await issuing.credit_refund(ids.decode("ord", refunded["order"]["id"]), refund_id)
    await issuing.credit_cancelled(ids.decode("ord", cancelled["order"]["id"]))
    for placed in (refunded, cancelled):
        assert await invoices_of(api, placed) == []
        await issuing.issue_when(ids.decode("ord", placed["order"]["id"]), IssueInvoices.WHEN_PLACED)
    await drain()
    invoice, credit = await invoices_of(api, refunded)
    assert (credit["total"]["amount"], credit["correctsId"]) == ("1.00", invoice["id"])
    invoice, credit = await invoices_of(api, cancelled)
    assert (credit["total"], credit["correctsId"]) == (invoice["total"], invoice["id"])


async def test_a_refund_is_credited_with_the_taxes_of_what_comes_back(api: Api, drain: Drain) -> None:
    product = await catalogue.product(price_minor=11_900, stock=5)
    placed = await checkout.placed(api, (product, 2))
    await drain()
    order_id, refund_id = ids.decode("ord", placed["order"]["id"]), new_id()
    line_id = await db.fetchval("SELECT id FROM order_lines")
    tax = [{"name": "VAT", "rate": "0.19", "base_minor": 20_000, "amount_minor": 3_800}]
    await orders.rewrite(
        "UPDATE orders SET tax_included = true, tax_minor = 3800, tax_lines = $1::jsonb", orjson.dumps(tax).decode()
    )
    await orders.rewrite("UPDATE order_lines SET tax_minor = 3800, tax_lines = $1::jsonb", orjson.dumps(tax).decode())
    lines = [{"order_line_id": str(line_id), "quantity": 1, "restock": False, "amount_minor": 11_900}]
    await db.execute(
        """
        INSERT INTO refunds (id, order_id, source, target, state, amount_minor, shipping_minor, currency_code, lines,
                             notify_customer, created_at, updated_at)
        VALUES ($1, $2, 'STAFF', 'ORIGINAL', 'SUCCEEDED', 12200, 300, 'USD', $3::jsonb, false, now(), now())
        """,
        refund_id,
        order_id,
        orjson.dumps(lines).decode(),
    )
    await issuing.credit_refund(order_id, refund_id)
    await issuing.credit_refund(order_id, refund_id)
    _, credit = await invoices_of(api, placed)
    # 119.00 of 238.00 came back, so half of the 38.00 of VAT in it; shipping had none.
    assert (credit["kind"], credit["total"]["amount"], credit["tax"]["amount"]) == ("CREDIT_NOTE", "122.00", "19.00")


async def test_what_was_issued_stays_as_it_was(api: Api, drain: Drain) -> None:
    await checkout.placed(api)
    await drain()
    for statement in ("UPDATE invoices SET total_minor = 1", "DELETE FROM invoices"):
        with pytest.raises(asyncpg.PostgresError, match="invoices are not changed"):
            await db.execute(statement)
    before = await db.fetchval("SELECT document FROM invoices")
    await db.execute("UPDATE shop SET legal_name = 'Another Ltd'")
    await orders.rewrite("UPDATE order_lines SET product_name = 'Another'")
    assert await db.fetchval("SELECT document FROM invoices") == before


async def test_the_shop_says_when_and_what_is_printed(api: Api, staff_token: str, drain: Drain) -> None:
    given = {"issue": "WHEN_PAID", "attached": False, "vatNumber": " DE136695976 ", "footer": "Thank you"}
    changed = await api.ok(SETTINGS, {"input": given}, token=staff_token)
    expected = {**given, "vatNumber": "DE136695976", "registration": None}
    assert changed["invoiceSettingsUpdate"]["settings"] == expected
    again = await api.ok(SETTINGS, {"input": {"registration": "HRB 1", "footer": None}}, token=staff_token)
    assert again["invoiceSettingsUpdate"]["settings"] == {**expected, "registration": "HRB 1", "footer": None}

    placed = await checkout.placed(api, payment=checkout.CASH)
    await drain()
    assert await invoices_of(api, placed) == []
    pay = "mutation ($id: ID!) { orderMarkAsPaid(orderId: $id) { userErrors { code } } }"
    await api.ok(pay, {"id": placed["order"]["id"]}, token=staff_token)
    await drain()
    assert len(await invoices_of(api, placed)) == 1
    document = orjson.loads(await db.fetchval("SELECT document FROM invoices"))
    assert document["seller"]["tax_id"] == "DE136695976"

    refused = (
        await api.query(SETTINGS, {"input": {"footer": "a" * 1_001, "vatNumber": "a\x07"}}, token=staff_token)
    ).data
    assert refused is not None
    assert refused["invoiceSettingsUpdate"]["userErrors"] == [
        {"code": "INVALID", "field": ["input", "vatNumber"]},
        {"code": "TOO_LONG", "field": ["input", "footer"]},
    ]


async def test_a_series_keeps_counting_under_another_prefix(api: Api, staff_token: str, drain: Drain) -> None:
    product = await catalogue.product(stock=5)
    await checkout.placed(api, (product, 1))
    await drain()
    named = {"kind": "INVOICE", "prefix": "RE-2026-"}
    changed = await api.ok(SERIES, {"input": named}, token=staff_token)
    market = ids.encode("mkt", await db.fetchval("SELECT id FROM markets WHERE is_default"))
    assert changed["invoiceSeriesUpdate"]["series"] == {**named, "issuedCount": 1, "marketId": market}
    await checkout.placed(api, (product, 1))
    await drain()
    numbers = await db.fetch("SELECT number FROM invoices ORDER BY sequence")
    assert [row["number"] for row in numbers] == ["INV-000001", "RE-2026-000002"]

    for given, code in (
        ({"kind": "CREDIT_NOTE", "prefix": "RE-2026-"}, "INVOICE_PREFIX_TAKEN"),
        ({"kind": "CREDIT_NOTE", "prefix": "INV-"}, "INVOICE_PREFIX_TAKEN"),  # numbers of before begin with it
        ({"kind": "INVOICE", "prefix": "2026"}, "INVALID"),
        ({"kind": "INVOICE", "prefix": "re-"}, "INVALID"),
    ):
        refused = (await api.query(SERIES, {"input": given}, token=staff_token)).data
        assert refused is not None
        assert refused["invoiceSeriesUpdate"]["userErrors"] == [{"code": code, "field": ["input", "prefix"]}]


async def test_staff_page_through_them(api: Api, staff_token: str, drain: Drain) -> None:
    product = await catalogue.product(stock=5)
    for _ in range(3):
        await checkout.placed(api, (product, 1))
    await drain()
    first = (await api.ok(LIST, {"kind": "INVOICE"}, token=staff_token))["invoices"]
    rest = (await api.ok(LIST, {"after": first["pageInfo"]["endCursor"]}, token=staff_token))["invoices"]
    assert first["totalCount"] == 3
    numbers = [node["number"] for node in first["nodes"] + rest["nodes"]]
    assert numbers == ["INV-000003", "INV-000002", "INV-000001"]
    assert (await api.ok(LIST, {"kind": "CREDIT_NOTE"}, token=staff_token))["invoices"]["nodes"] == []


async def test_an_invoice_is_its_buyers_and_nobody_elses(api: Api, drain: Drain) -> None:
    mine = await accounts.signed_in(email="ada@example.com", verified=True)
    other = await accounts.signed_in(email="eve@example.com", verified=True)
    placed = await checkout.placed(api, token=mine.token)
    await drain()
    (invoice,) = await invoices_of(api, placed)
    node = "query ($id: ID!) { node(id: $id) { ... on Invoice { number } } }"
    assert (await api.ok(node, {"id": invoice["id"]}, token=mine.token))["node"] == {"number": "INV-000001"}
    assert (await api.ok(node, {"id": invoice["id"]}, token=other.token))["node"] is None
    assert (await api.ok(node, {"id": invoice["id"]}))["node"] is None
    assert re.fullmatch(r"invc_[0-9a-f]{32}", invoice["id"])
