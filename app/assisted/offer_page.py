"""What the page behind a link shows: the offer, a payment that waits for its buyer, the order and what it owes."""

import secrets
from dataclasses import asdict
from urllib.parse import urlsplit

from starlette.responses import Response

from app import db
from app.addresses.lines import address_lines
from app.addresses.postal import PostalAddress
from app.assisted import ways
from app.assisted.queries import Draft
from app.assisted.shipping import store_lines
from app.assisted.waiting import KEY_PREFIX, Waiting
from app.checkout.payment_methods import terms_for
from app.configuration import VERSIONS, versions_of
from app.customers.page import page
from app.messaging import formats, payment_values
from app.orders.draft import OrderDraft, OrderLineDraft
from app.payments import later
from app.payments.models import PaymentMethod
from app.shop import queries as shop_queries


def new_key() -> str:
    """For one attempt to pay; a form that is sent twice has it twice."""
    return KEY_PREFIX + secrets.token_urlsafe(12)


async def offered_ways(order: OrderDraft) -> list[ways.Way]:
    versions = versions_of(await db.fetchval(f"SELECT {VERSIONS}"))
    return ways.for_offer(order, await terms_for(versions, order.company_id))


async def offer(draft: Draft, problem: str | None) -> Response:
    order = draft.offer
    if order is None or draft.expires_at is None:
        raise AssertionError("what was sent has both")
    shop = await shop_queries.current()
    locale = formats.text_locale(shop.locale)
    offered = await offered_ways(order)

    def money(amount_minor: int) -> str:
        return formats.money_text(amount_minor, order.currency_code, locale)

    def line_values(line: OrderLineDraft) -> dict[str, object]:
        made = [{"label": str(one["label"]), "shown": str(one["shown"])} for one in line.customizations]
        named = ", ".join(filter(None, (line.product_name, line.variant_name)))
        return {"name": named, "made": made, "quantity": line.quantity, "total": money(line.total_minor)}

    store = store_lines(draft.content)
    in_full = order.first_payment_minor == order.due_minor
    return await page(
        "offer",
        "Your offer",
        status=200 if problem is None else 422,
        problem=problem,
        lines=[line_values(line) for line in order.lines],
        discount=money(-order.discount_minor) if order.discount_minor else None,
        gift_wrap=money(order.gift_wrap_minor) if order.gift_wrap_minor else None,
        shipping=money(order.shipping_minor) if order.ships and not store else None,
        store=store,
        goes_to=address_lines(PostalAddress.from_json(order.shipping_address))
        if order.ships and order.shipping_address
        else [],
        tax=money(order.tax_minor) if order.tax_minor else None,
        tax_included=order.tax_included,
        total=money(order.total_minor),
        deposit=None if in_full else money(order.first_payment_minor),
        days_to_pay=draft.content.days_to_pay,
        rest=None if in_full else money(order.due_minor - order.first_payment_minor),
        expires_on=formats.day_text(draft.expires_at, shop.time_zone, locale),
        message=draft.reply,
        is_free=order.due_minor == 0,
        on_account=any(way.method is PaymentMethod.PURCHASE_ORDER for way in offered),
        ways=[asdict(way) for way in offered if way.method is not PaymentMethod.PURCHASE_ORDER],
        key=new_key(),
        seen=str(order.total_minor),
    )


async def placed(draft: Draft, problem: str | None = None) -> Response:
    """The order, and what is left of it to pay."""
    if draft.order_id is None:
        raise AssertionError("what is complete has its order")
    row = await db.fetchrow(
        "SELECT id, number, status, currency_code, payment_method FROM orders WHERE id = $1", draft.order_id
    )
    owed = (await later.owed_of([draft.order_id]))[draft.order_id]
    shop = await shop_queries.current()
    locale = formats.text_locale(shop.locale)
    if row is None:
        raise LookupError("a draft's order is gone")
    return await page(
        "offer_placed",
        "Your order",
        status=200 if problem is None else 422,
        problem=problem,
        number=str(row["number"]),
        is_cancelled=row["status"] == "CANCELLED",
        owed=formats.money_text(owed, row["currency_code"], locale) if owed else None,
        transfer=await payment_values.transfer(row, locale, shop.time_zone),
        ways=[asdict(way) for way in ways.at_providers()] if owed else [],
        key=new_key(),
    )


async def waits(waiting: Waiting, problem: str | None = None) -> Response:
    """Somebody has begun to pay. Looking at the page asks the provider nothing: scanners of mail look, too."""
    shop = await shop_queries.current()
    until = waiting.until
    return await page(
        "offer_waiting",
        "Your payment",
        problem=problem,
        url=waiting.url if _is_web_url(waiting.url) else None,
        is_ours=waiting.is_ours,
        until=formats.moment_text(until, shop.time_zone, formats.text_locale(shop.locale)) if until else None,
        key=waiting.key,
        method=waiting.method,
        gateway=waiting.gateway,
    )


async def leaving(url: str) -> Response:
    """To the provider's page. Not by a redirect of the form: the page's policy lets forms go nowhere else."""
    if not _is_web_url(url):
        raise ValueError("a gateway leads to no web page")
    answer = await page("offer_leaving", "Your payment", url=url)
    if url.isascii():
        answer.headers["Refresh"] = f"0; url={url}"
    return answer


def _is_web_url(url: str | None) -> bool:
    if url is None or any(character.isspace() for character in url):
        return False
    return urlsplit(url).scheme in ("http", "https")
