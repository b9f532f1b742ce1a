"""From orders as they were read to the types that a request selects of them."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import strawberry

from app.addresses.postal import PostalAddress
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.pagination import MAX_PAGE, PageRequest, encode_cursor, page_of, page_request
from app.orders import queries
from app.orders.queries import OrderRow
from app.payments import later
from app.payments.models import PaymentMethod, PaymentState
from app.payments.registry import ASKED_NOBODY
from app.pricing.amounts import DiscountTarget
from app.staff.permissions import Permission
from schema.addresses import Address
from schema.cart import AppliedDiscount, Attribute, CartCost
from schema.catalogue import load_variants
from schema.connections import Connection
from schema.context import Info
from schema.dates import DateRange
from schema.disputes import PaymentDispute
from schema.fulfillments import Fulfillment, load_fulfillments
from schema.gifting import GiftOptions
from schema.invoices import Invoice, load_invoices
from schema.money import Money
from schema.order_lines import LineView, OrderLine, Variants
from schema.order_status import FulfillmentStatus, OrderHold, OrderStatus, PaymentStatus
from schema.orders.timeline import OrderEvent, load_timelines
from schema.orders.types import Order, OrderShipping, PageArguments, Payment
from schema.payments import BankTransfer, load_transfers
from schema.refunds import Refund, load_refunds
from schema.selection import Selection
from schema.shipping.pickup import OrderPickup

ORDER_PREFIX = "ord"
_CURSOR_ORDER = "order_lines"


def sees_all(info: Info) -> bool:
    """Whether any order may be read: staff with the permission."""
    staff = info.context.staff
    return staff is not None and staff.may(Permission.ORDERS_READ)


def owner_of(info: Info) -> uuid.UUID | None:
    """The account whose orders may be read, where it is not all of them."""
    customer = info.context.customer
    return customer.id if customer else None


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is read of an order from other tables, where it is asked for."""

    fulfillments: list[Fulfillment]
    timeline: list[OrderEvent]
    refunds: list[Refund]
    invoices: list[Invoice]
    bank_transfer: BankTransfer | None
    outstanding_minor: int


@dataclass(frozen=True, slots=True)
class OrderView:
    """What is wanted of orders, checked before anything is read or changed.

    Args:
        variant: what is wanted of the lines' variants; None when they are not asked for.
        fulfillments: what is wanted of them; None likewise.
        payments: wanted, and theirs to see.
        timeline, refunds, invoices, bank_transfer, outstanding: whether they are asked for.
    """

    pages: Mapping[PageArguments, PageRequest]
    variant: Selection | None
    fulfillments: Selection | None
    payments: bool
    timeline: bool
    refunds: bool
    invoices: bool
    bank_transfer: bool
    outstanding: bool

    @classmethod
    def of(cls, info: Info, selection: Selection) -> "OrderView":
        """`selection` is below an Order. Raises DomainError(OUT_OF_RANGE | INVALID) for a page that cannot be had."""
        pages = pages_of_lines(selection)
        lines = selection.below("lines").nodes()
        return cls(
            pages,
            lines.below("variant") if "variant" in lines else None,
            selection.below("fulfillments") if "fulfillments" in selection else None,
            "payments" in selection and sees_all(info),
            "timeline" in selection,
            "refunds" in selection,
            "invoices" in selection,
            "bankTransfer" in selection,
            "outstanding" in selection,
        )

    async def load_own(self, info: Info, order_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Order]:
        """Those that the request may see without a token: all for staff with the permission, a customer's own."""
        owner = owner_of(info)
        if owner is None and not sees_all(info):
            return {}
        rows = await queries.by_ids(order_ids, lines=bool(self.pages), payments=self.payments)
        seen = [row for row in rows.values() if sees_all(info) or row["customer_id"] == owner]
        return {row["id"]: order for row, order in zip(seen, await self.show_all(info, seen), strict=True)}

    async def read(self, order_id: uuid.UUID) -> OrderRow:
        """An order that is known to exist. Raises KeyError when it does not."""
        return (await queries.by_ids([order_id], lines=bool(self.pages), payments=self.payments))[order_id]

    async def show(self, info: Info, row: OrderRow) -> Order:
        return (await self.show_all(info, [row]))[0]

    async def show_all(self, info: Info, rows: Sequence[OrderRow]) -> list[Order]:
        """The same number of statements for any number of orders: more only for what else is asked for."""
        variants: Variants = {}
        if self.variant is not None and rows:
            wanted = {uuid.UUID(line["variant_id"]) for row in rows for line in row["lines"]}
            variants = await load_variants(info, list(wanted), self.variant)
        fulfillments: dict[uuid.UUID, list[Fulfillment]] = {}
        if self.fulfillments is not None and rows:
            fulfillments = await load_fulfillments(info, [row["id"] for row in rows], self.fulfillments)
        order_ids = [row["id"] for row in rows]
        timelines = await load_timelines(order_ids, for_staff=sees_all(info)) if self.timeline and rows else {}
        refunds = await load_refunds(order_ids, for_staff=sees_all(info)) if self.refunds and rows else {}
        invoices = await load_invoices(order_ids) if self.invoices and rows else {}
        transfers = await load_transfers(rows) if self.bank_transfer and rows else {}
        owed = await later.owed_of(order_ids) if self.outstanding and rows else {}
        return [
            self._order(
                info,
                row,
                variants,
                _Beside(
                    fulfillments.get(row["id"], []),
                    timelines.get(row["id"], []),
                    refunds.get(row["id"], []),
                    invoices.get(row["id"], []),
                    transfers.get(row["id"]),
                    owed.get(row["id"], 0),
                ),
            )
            for row in rows
        ]

    def _order(self, info: Info, row: OrderRow, variants: Variants, beside: "_Beside") -> Order:
        currency = row["currency_code"]
        lines = LineView(currency, variants, info.context.settings.public_url)
        return Order(
            id=strawberry.ID(ids.encode(ORDER_PREFIX, row["id"])),
            number=str(row["number"]),
            placed_at=row["placed_at"],
            updated_at=row["updated_at"],
            email=row["email"],
            phone=row["phone"],
            status=OrderStatus(row["status"]),
            payment_status=PaymentStatus(row["payment_status"]),
            fulfillment_status=FulfillmentStatus(row["fulfillment_status"]),
            payment_method=PaymentMethod(row["payment_method"]) if row["payment_method"] else None,
            cost=CartCost.of_order(row),
            discounts=AppliedDiscount.all_of(
                (
                    (off["name"], off["code"], off["amount_minor"], DiscountTarget(off.get("target", "MERCHANDISE")))
                    for off in row["discounts"]
                ),
                currency,
            ),
            shipping_address=_address(row["shipping_address"]),
            billing_address=_address(row["billing_address"]),
            tax_id=row["tax_id"],
            reverse_charge=row["reverse_charge"],
            shipping=_shipping(row["shipping_quote"]),
            pickup=OrderPickup.of(row, row["shipping_quote"]),
            note=row["note"],
            gift_options=GiftOptions.of(row["gift_options"]),
            attributes=Attribute.all_of(row["attributes"]),
            cancelled_at=row["cancelled_at"],
            cancel_reason=row["cancel_reason"],
            fulfillments=beside.fulfillments,
            payments=[_payment(payment, currency) for payment in row["payments"]] if self.payments else None,
            timeline=beside.timeline,
            refunds=beside.refunds,
            invoices=beside.invoices,
            bank_transfer=beside.bank_transfer,
            outstanding=Money.of(beside.outstanding_minor, currency),
            purchase_order_number=row["purchase_order_number"],
            payment_due_at=row["payment_due_at"],
            holds=[OrderHold(hold) for hold in row["holds"]],
            is_payment_overdue=bool(row.get("is_payment_overdue")),
            pages={arguments: _lines_page(row["lines"], lines, request) for arguments, request in self.pages.items()},
        )


def pages_of_lines(selection: Selection) -> dict[PageArguments, PageRequest]:
    """Those that are selected below an Order. Raises DomainError(OUT_OF_RANGE | INVALID)."""
    wanted = [(field.arguments.get("first"), field.arguments.get("after")) for field in selection.fields("lines")]
    return {arguments: _page(*arguments) for arguments in wanted}


def _lines_page(lines: Sequence[dict[str, Any]], view: LineView, request: PageRequest) -> Connection[OrderLine]:
    first = int(request.cursor[0] or 0) + 1 if request.cursor else 0
    rows = [line for line in lines if line["position"] >= first][: request.fetch_limit]
    cursors = [encode_cursor([line["position"]], _CURSOR_ORDER) for line in rows]
    page = page_of(rows, cursors, request, len(lines))
    return Connection[OrderLine].of(page, [view.show(line) for line in page.items])


def _address(stored: dict[str, str] | None) -> Address | None:
    return Address.of(PostalAddress.from_json(stored)) if stored else None


def _shipping(promised: dict[str, Any] | None) -> OrderShipping | None:
    if promised is None:
        return None
    dates = promised.get("estimatedDelivery") or {}
    return OrderShipping(
        carrier=promised["carrier"],
        service=promised["service"],
        price=Money.of(promised["priceMinor"], promised["currencyCode"]),
        estimated_delivery=DateRange.of(dates.get("from"), dates.get("to")),
    )


def _payment(stored: dict[str, Any], currency: str) -> Payment:
    return Payment(
        id=strawberry.ID(ids.encode("pay", uuid.UUID(stored["id"]))),
        method=PaymentMethod(stored["method"]),
        gateway=None if stored["gateway"] in ASKED_NOBODY else stored["gateway"],
        state=PaymentState(stored["state"]),
        amount=Money.of(stored["amount_minor"], currency),
        captured_amount=Money.of(stored["captured_minor"], currency),
        refunded_amount=Money.of(stored["refunded_minor"], currency),
        reference=stored["reference"],
        created_at=dt.datetime.fromisoformat(stored["created_at"]),
        disputes=[PaymentDispute.of(dispute) for dispute in stored["disputes"] or ()],
    )


def _page(first: int | None, after: str | None) -> PageRequest:
    page = page_request(first, after, order=_CURSOR_ORDER, default=MAX_PAGE)
    if page.cursor is not None and not isinstance(page.cursor[0], int):
        raise DomainError(CommonErrorCode.INVALID, "The cursor does not belong to this list and order.", ["after"])
    return page
