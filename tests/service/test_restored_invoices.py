"""After a restore from a backup no invoice number is given that was given after the backup, however often."""

import re
import uuid
from datetime import UTC, datetime, timedelta

from app import db, invariants
from app.invoices import issuing, restoring
from app.invoices.models import IssueInvoices
from app.kit import ids
from tests.client import Api
from tests.factories import catalogue, checkout
from tests.service.test_backup_payments import after_restore

SERIES = """mutation ($input: InvoiceSeriesInput!) {
    invoiceSeriesUpdate(input: $input) { series { prefix } userErrors { code field } } }"""


class LostError(Exception):
    """What happened since the backup is gone."""


async def issue(*order_ids: uuid.UUID) -> None:
    for order_id in order_ids:
        await issuing.issue_when(order_id, IssueInvoices.WHEN_PLACED)


async def numbers() -> list[str]:
    return [row["number"] for row in await db.fetch("SELECT number FROM invoices ORDER BY issued_at, id")]


async def lost(*order_ids: uuid.UUID, credited: uuid.UUID) -> set[str]:
    """Numbers that were given out after the backup, to buyers who have them."""
    before, given = set(await numbers()), set[str]()
    try:
        async with db.unit_of_work():
            await issue(*order_ids)
            await issuing.credit_cancelled(credited)
            given = set(await numbers()) - before
            raise LostError
    except LostError:
        return given


async def test_no_number_is_given_twice_after_two_restores_of_one_backup(api: Api, staff_token: str) -> None:
    await checkout.shop_that_ships()
    product = await catalogue.product(stock=10)
    placed = [await checkout.placed(api, (product, 1)) for _ in range(5)]
    first, second, third, fourth, fifth = [ids.decode("ord", each["order"]["id"]) for each in placed]
    await issue(first, second)
    # The backup is of this moment. No credit note has been given yet.
    given = await lost(third, fourth, credited=first)
    assert given == {"INV-000003", "INV-000004", "CN-000001"}
    code, said = after_restore()
    assert code == 0, said
    assert re.search(r"INV-… go on as INV-R\d{10}-…", said)
    # Its first restore is given up as well, with what it has issued; the second one is a minute later.
    given |= await lost(third, fourth, credited=second)
    async with db.unit_of_work():
        ((before, after),) = await restoring.begin_anew(datetime.now(UTC) + timedelta(minutes=1))
    assert re.fullmatch(r"INV-R\d{10}-", after)
    assert before != after
    await issue(third, fourth, fifth)
    await issuing.credit_cancelled(first)
    after_all = await numbers()
    assert after_all == [
        "INV-000001", "INV-000002", f"{after}000003", f"{after}000004", f"{after}000005",
        after.replace("INV", "CN") + "000001",
    ]  # fmt: skip
    assert given.isdisjoint(after_all)
    assert len(given) == 6
    # Nobody goes back to a prefix with which numbers are out that the shop does not know.
    for prefix in ("INV-", before):
        refused = await api.query(SERIES, {"input": {"kind": "INVOICE", "prefix": prefix}}, token=staff_token)
        assert refused.data is not None
        assert refused.data["invoiceSeriesUpdate"]["userErrors"][0]["code"] == "INVOICE_PREFIX_TAKEN"
    assert await invariants.check() == []
