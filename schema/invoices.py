"""Invoices and credit notes, for buyers and staff."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast

import strawberry

from app.invoices import links, queries, settings
from app.invoices.models import InvoiceKind, IssueInvoices
from app.invoices.settings import SettingsGiven
from app.kit import ids
from app.kit.pagination import page_request
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.connections import Connection
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.inputs import given_fields
from schema.money import Money
from schema.nodes import Node, node_loader
from schema.selection import Selection

INVOICE_PREFIX, MARKET_PREFIX, ORDER_PREFIX = "invc", "mkt", "ord"

describe_enum(
    InvoiceKind,
    "What a document of the books is.",
    INVOICE="What was sold, and what it costs.",
    CREDIT_NOTE="Takes an invoice back, in whole or in part.",
)
describe_enum(
    IssueInvoices,
    "When an order gets its invoice.",
    WHEN_PLACED="As soon as it is placed; cancelling it makes a credit note.",
    WHEN_PAID="Once all of it is paid.",
    NEVER="Another system does it.",
)


@strawberry.type(
    description="An invoice or a credit note. Its number follows the one before it in its market without a gap, and it "
    "never changes."
)
class Invoice(Node):
    number: str = strawberry.field(description="As printed.")
    kind: InvoiceKind = strawberry.field(description="What it is.")
    order_id: strawberry.ID = strawberry.field(description="The order that it is of.")
    corrects_id: strawberry.ID | None = strawberry.field(description="The invoice that a credit note takes back.")
    issued_at: dt.datetime = strawberry.field(description="When it was issued.")
    total: Money = strawberry.field(description="Tax included; a credit note gives it back.")
    tax: Money = strawberry.field(description="The tax in it.")
    url: str = strawberry.field(description="The document as a PDF. Whoever has the address can read it.")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Invoice":
        corrects = row["corrects_id"]
        return cls(
            id=strawberry.ID(ids.encode(INVOICE_PREFIX, row["id"])),
            number=row["number"],
            kind=InvoiceKind(row["kind"]),
            order_id=strawberry.ID(ids.encode(ORDER_PREFIX, row["order_id"])),
            corrects_id=strawberry.ID(ids.encode(INVOICE_PREFIX, corrects)) if corrects else None,
            issued_at=row["issued_at"],
            total=Money.of(row["total_minor"], row["currency_code"]),
            tax=Money.of(row["tax_minor"], row["currency_code"]),
            url=links.invoice_url(row["id"]),
        )


@strawberry.type(description="What the shop prints on its invoices beside its legal name and address.")
class InvoiceSettings:
    issue: IssueInvoices = strawberry.field(description="When an order gets its invoice.")
    attached: bool = strawberry.field(
        description="Whether the confirmation mail carries the invoice; it links to it in any case."
    )
    vat_number: str | None = strawberry.field(description="The shop's own.")
    registration: str | None = strawberry.field(description="Such as the court and number of a commercial register.")
    footer: str | None = strawberry.field(description="At the foot of every page.")

    @classmethod
    def of(cls, stored: settings.Settings) -> "InvoiceSettings":
        return cls(
            issue=stored.issue,
            attached=stored.attached,
            vat_number=stored.vat_number,
            registration=stored.registration,
            footer=stored.footer,
        )


@strawberry.type(description="How the invoices or credit notes of a market are numbered.")
class InvoiceSeries:
    market_id: strawberry.ID | None = strawberry.field(description="The market; null for orders of none.")
    kind: InvoiceKind = strawberry.field(description="Of which documents.")
    prefix: str = strawberry.field(description="What their numbers begin with.")
    issued_count: int = strawberry.field(description="How many there are; the next one's number is one higher.")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "InvoiceSeries":
        return cls(
            market_id=strawberry.ID(ids.encode(MARKET_PREFIX, row["market_id"])) if row["market_id"] else None,
            kind=InvoiceKind(row["kind"]),
            prefix=row["prefix"],
            issued_count=row["next_number"] - 1,
        )


@strawberry.input(description="What is left out stays as it is; null empties what can be empty.")
class InvoiceSettingsInput:
    issue: IssueInvoices | None = strawberry.field(
        default=strawberry.UNSET, description="When orders get their invoice from now on."
    )
    attached: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether the confirmation mail carries the invoice."
    )
    vat_number: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 32 characters.")
    registration: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 200 characters.")
    footer: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 1,000 characters.")


@strawberry.input(description="How documents of one kind are numbered in one market, from the next one on.")
class InvoiceSeriesInput:
    kind: InvoiceKind = strawberry.field(description="Of which documents.")
    prefix: str = strawberry.field(
        description="What their numbers begin with: 2 to 20 capital letters, digits, hyphens and slashes, with no "
        "digit at the end."
    )
    market_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The market; left out, the default one."
    )


@strawberry.type(description="Answer to `invoiceSettingsUpdate`.")
class InvoiceSettingsPayload:
    settings: InvoiceSettings | None = strawberry.field(default=None, description="As they are now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `invoiceSeriesUpdate`.")
class InvoiceSeriesPayload:
    series: InvoiceSeries | None = strawberry.field(default=None, description="As it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


async def load_invoices(order_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Invoice]]:
    """Each order's, oldest first; one statement for any number of orders."""
    found = await queries.of_orders(order_ids)
    return {order_id: [Invoice.of(row) for row in rows] for order_id, rows in found.items()}


@strawberry.type
class InvoiceQueries:
    @query(access=STAFF(Permission.ORDERS_READ), description="Invoices and credit notes, newest first.")
    async def invoices(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
        kind: Annotated[
            InvoiceKind | None, strawberry.argument(description="Only documents of this kind.")
        ] = strawberry.UNSET,
    ) -> Connection[Invoice]:
        page = await queries.listed(
            page_request(None if first is strawberry.UNSET else first, after or None, order=queries.CURSOR),
            kind=kind or None,
            count="totalCount" in Selection.of(info),
        )
        return Connection[Invoice].of(page, [Invoice.of(row) for row in page.items])

    @query(access=STAFF(Permission.SETTINGS_WRITE), description="What the shop prints on its invoices.")
    async def invoice_settings(self, info: Info) -> InvoiceSettings:
        return InvoiceSettings.of(await settings.current())

    @query(
        access=STAFF(Permission.SETTINGS_WRITE),
        description="How invoices and credit notes are numbered, for each market that has any or a prefix of its own.",
    )
    async def invoice_series(self, info: Info) -> list[InvoiceSeries]:
        return [InvoiceSeries.of(row) for row in await settings.series()]


@strawberry.type
class InvoiceMutations:
    @mutation(
        access=STAFF(Permission.SETTINGS_WRITE),
        description="Choose what the shop prints on its invoices and when it issues them. Those that were issued stay "
        "as they are.",
    )
    async def invoice_settings_update(
        self,
        info: Info,
        input: Annotated[InvoiceSettingsInput, strawberry.argument(description="What is to change.")],
    ) -> InvoiceSettingsPayload:
        after = await settings.update(cast(SettingsGiven, given_fields(input)))
        return InvoiceSettingsPayload(settings=InvoiceSettings.of(after))

    @mutation(
        access=STAFF(Permission.SETTINGS_WRITE),
        description="Choose what the numbers of a market's invoices or credit notes begin with. Counting goes on.",
    )
    async def invoice_series_update(
        self,
        info: Info,
        input: Annotated[InvoiceSeriesInput, strawberry.argument(description="Which series, and its prefix.")],
    ) -> InvoiceSeriesPayload:
        market = input.market_id
        market_id = ids.decode(MARKET_PREFIX, market, ["input", "marketId"]) if market else None
        row = await settings.update_series(market_id, input.kind, input.prefix)
        return InvoiceSeriesPayload(series=InvoiceSeries.of(row))


@node_loader(INVOICE_PREFIX)
async def _invoice_nodes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    """For staff who read orders, and for the account whose order it is of."""
    wanted = [ids.decode(INVOICE_PREFIX, text, ["id"]) for text in texts]
    staff, customer = info.context.staff, info.context.customer
    sees_all = staff is not None and staff.may(Permission.ORDERS_READ)
    if not sees_all and customer is None:
        return [None] * len(texts)
    found = await queries.by_ids(wanted)
    seen = {
        invoice_id: Invoice.of(row)
        for invoice_id, row in found.items()
        if sees_all or (customer is not None and row["customer_id"] == customer.id)
    }
    return [seen.get(invoice_id) for invoice_id in wanted]
