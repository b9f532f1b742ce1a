"""Fills in what `merge_data` describes, from ids, at the moment a message is written.

Nothing in it is an object: a template reaches no more than it is given, and only what it uses is looked up.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from babel import Locale

from app import db
from app.cart import restoring
from app.cart.costs import made_to_order, price_cart
from app.cart.snapshots import CartLineSnapshot, CartSnapshot
from app.customers import links as customer_links
from app.customers.vocabulary import EVENT_TYPES
from app.keys import keyring
from app.messaging import blocks, coupon_values, formats, order_context, product_values, recipients
from app.messaging.ledger import LedgerRow
from app.messaging.merge_data import OpenNames
from app.messaging.models import MessageChannel
from app.messaging.shop_values import shop_values
from app.pricing.results import PricedLine
from app.settings import Settings
from app.shop import queries as shop_queries
from app.shop.queries import ShopSettings
from app.surveys.links import survey_url

MAX_LINES = 60
"""More are counted, not listed: mail programs cut off messages of more than about 100 kB."""
SURVEY_SCORES = range(11)
VIEW_PATH = "/messages"
VIEW_PURPOSE = "message view"


class MergeDataError(Exception):
    """Something that the template prints is gone. The message names it, never a person."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a message is written to, and about what."""

    profile_id: uuid.UUID
    channel: MessageChannel
    address: str
    context: Mapping[str, Any]
    """The trigger's data, ids among it."""
    message_id: uuid.UUID | None = None
    """None where nothing is sent, as in a preview."""
    run_id: uuid.UUID | None = None
    cart_id: uuid.UUID | None = None
    order_id: uuid.UUID | None = None

    @classmethod
    def of(cls, row: LedgerRow) -> "Subject":
        if row.profile_id is None:
            raise MergeDataError("the message is for nobody")
        return cls(
            profile_id=row.profile_id,
            channel=row.channel,
            address=row.recipient,
            context=row.context,
            message_id=row.id,
            run_id=row.run_id,
            cart_id=row.cart_id or _id(row.context, "cartId"),
            order_id=row.order_id or _id(row.context, "orderId"),
        )


@dataclass(frozen=True, slots=True)
class _Shop:
    settings: Settings
    row: ShopSettings
    locale: Locale

    def money(self, amount_minor: int) -> str:
        return formats.money_text(amount_minor, self.row.currency_code, self.locale)

    def day(self, moment: datetime) -> str:
        return formats.day_text(moment, self.row.time_zone, self.locale)


def _id(context: Mapping[str, Any], name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(context[name]) if context.get(name) else None
    except (ValueError, TypeError, AttributeError):
        return None


async def build(
    subject: Subject, *, trigger: str | None, language: str, uses: frozenset[str], settings: Settings
) -> dict[str, object]:
    """The values of the names in `uses` (see `compiling.CompiledEmail`).

    Raises:
        MergeDataError: the template uses something that is not there (any more).
    """
    row = await shop_queries.current()
    shop = _Shop(settings, row, formats.text_locale(row.locale, language))
    wanted = {name.partition(".")[0] for name in uses}
    values: dict[str, object] = {
        "language": language,
        "shop": shop_values(row, settings),
        "links": _links(subject, settings),
    }
    if "event" in wanted:
        names = EVENT_TYPES[trigger].data if trigger else {}
        values["event"] = {**dict.fromkeys(names), **subject.context}
    if "customer" in wanted:
        values["customer"] = await _customer(subject, shop)
    if "coupon" in wanted:
        values["coupon"] = await _coupon(subject, shop)
    if "cart" in wanted:
        values["cart"] = await _cart(subject, shop)
    if "checkout" in wanted:
        values["checkout"] = await _checkout(subject, shop)
    if "order" in wanted or {"links.order", "links.review", "links"} & uses:
        await _add_order(subject, shop, values, needed="order" in wanted)
    if "survey" in wanted:
        values["survey"] = _survey(subject)
    if wanted & {"product", "alert", "collection", "blocks"}:
        reader = await recipients.reader(
            subject.profile_id, subject.context, cart_id=subject.cart_id, order_id=subject.order_id
        )
        values |= await product_values.about(subject.context, wanted, shop.locale, settings, reader)
    if "blocks" in wanted:
        names_of_blocks = {name.partition(".")[2] for name in uses if name.startswith("blocks")}
        values["blocks"] = await blocks.build(
            names_of_blocks,
            blocks.Around(
                profile_id=subject.profile_id,
                cart_id=subject.cart_id,
                order_id=subject.order_id,
                product_id=_id(subject.context, "productId"),
            ),
            shop.locale,
            settings,
            reader,
        )
    return values


def view_url(message_id: uuid.UUID, settings: Settings) -> str:
    return f"{settings.public_url}{VIEW_PATH}/{keyring().sign(VIEW_PURPOSE, message_id.hex)}"


def preview_links(settings: Settings) -> dict[str, str]:
    """Where links of a preview lead: nowhere that could change something for somebody."""
    shop = product_values.shop_url(settings)
    return {
        "shop": shop,
        "unsubscribe": f"{settings.public_url}{customer_links.UNSUBSCRIBE_PATH}/preview",
        "preferences": f"{settings.public_url}{customer_links.PREFERENCES_PATH}/preview",
        "view": f"{settings.public_url}{VIEW_PATH}/preview",
    }


def _links(subject: Subject, settings: Settings) -> dict[str, str]:
    links = preview_links(settings)
    links |= {"order": links["shop"], "review": links["shop"]}
    if subject.message_id is not None:
        about = (subject.profile_id, subject.channel, subject.address, subject.message_id)
        links["unsubscribe"] = customer_links.unsubscribe_url(*about)
        links["preferences"] = customer_links.preferences_url(*about)
        links["view"] = view_url(subject.message_id, settings)
    if subject.cart_id is not None:
        links["restore_cart"] = restoring.restore_url(subject.cart_id)
    return links


async def _customer(subject: Subject, shop: _Shop) -> dict[str, object]:
    row = await db.fetchrow(
        """
        SELECT first_name, last_name, email, phone, language, country_code, order_count, total_spent_minor, properties
        FROM profiles WHERE id = (SELECT coalesce(merged_into_id, id) FROM profiles WHERE id = $1)
        """,
        subject.profile_id,
    )
    if row is None:
        raise MergeDataError("the profile is gone")
    names = ("first_name", "last_name", "email", "phone", "language", "country_code", "order_count")
    return {
        **{name: row[name] for name in names},
        "total_spent": shop.money(row["total_spent_minor"]),
        "properties": OpenNames(orjson.loads(row["properties"])),
    }


async def _coupon(subject: Subject, shop: _Shop) -> dict[str, object]:
    coupon = await coupon_values.find(subject.context.get("couponCode") or subject.context.get("code"), subject.run_id)
    if coupon is None:
        raise MergeDataError("no coupon was issued")
    percentage = f"{coupon.percentage.normalize():f}" if coupon.percentage is not None else None
    amount = shop.money(coupon.amount_minor) if coupon.amount_minor is not None else None
    return {
        "code": coupon.code,
        "value": f"{percentage}%" if percentage is not None else amount or coupon.name,
        "percentage": percentage,
        "amount": amount,
        "ends_on": shop.day(coupon.ends_at) if coupon.ends_at else None,
        "ends_at": coupon.ends_at.isoformat() if coupon.ends_at else None,
    }


async def _cart(subject: Subject, shop: _Shop) -> dict[str, object]:
    cart = await restoring.open_cart(subject.cart_id) if subject.cart_id else None
    if cart is None:
        raise MergeDataError("the cart is gone")
    return await _shown(cart, shop)


async def show_cart(cart: CartSnapshot, settings: Settings) -> dict[str, object]:
    """A cart as templates print it, in the shop's own language."""
    row = await shop_queries.current()
    return await _shown(cart, _Shop(settings, row, formats.text_locale(row.locale)))


async def _shown(cart: CartSnapshot, shop: _Shop) -> dict[str, object]:
    """Amounts are in the cart's currency, whatever the shop's is."""
    cost = price_cart(cart)

    def money(amount_minor: int) -> str:
        return formats.money_text(amount_minor, cart.currency_code, shop.locale)

    slugs = await product_values.slugs([line.product_id for line in cart.lines])
    lines = [
        _cart_line(line, priced, [f"{one.label}: {one.shown}" for one in made_to_order(cart, line)], shop, money)
        | {"url": product_values.product_url(slugs.get(line.product_id, ""), shop.settings)}
        for line, priced in zip(cart.lines, cost.lines, strict=True)
    ]
    return {
        "lines": lines[:MAX_LINES],
        "more_lines": max(0, len(lines) - MAX_LINES),
        "has_images": any(line["image_url"] for line in lines),
        "item_count": cart.total_quantity,
        "subtotal": money(cost.subtotal_minor),
        "discount": money(-cost.discount_minor) if cost.discount_minor else None,
        "total": money(cost.total_minor),
        "restore_url": restoring.restore_url(cart.id),
    }


def _cart_line(
    line: CartLineSnapshot, priced: PricedLine, made: list[str], shop: _Shop, money: Callable[[int], str]
) -> dict[str, object]:
    """At what it costs as it is made to order, which `made` says."""
    options = " / ".join(option["value"] for option in line.selected_options)
    return {
        "name": line.product_name,
        "options": options or None,
        "notes": [*made, *(f"{a['key']}: {a['value']}" for a in line.attributes if not a["key"].startswith("_"))],
        "quantity": line.quantity,
        "unit_price": money(priced.unit_price_minor),
        "total": money(priced.subtotal_minor),
        "image_url": formats.web_url(line.image_url, shop.settings.public_url),
        "image_alt": ", ".join(filter(None, (line.product_name, options))),
    }


async def _checkout(subject: Subject, shop: _Shop) -> dict[str, object]:
    started_at: datetime | None = await db.fetchval(
        "SELECT coalesce(started_event_at, created_at) FROM checkouts WHERE cart_id = $1", subject.cart_id
    )
    if started_at is None:
        raise MergeDataError("the checkout is gone")
    return {"started_on": shop.day(started_at)}


async def _add_order(subject: Subject, shop: _Shop, values: dict[str, object], *, needed: bool) -> None:
    """The order, and where it is shown; without one, links to it lead to the shop."""
    order = await order_context.of_order(subject.order_id, shop.settings, shop.locale) if subject.order_id else None
    if order is None:
        if needed:
            raise MergeDataError("the order is gone")
        return
    values["order"] = order
    if order["url"]:
        values["links"] = {**_links(subject, shop.settings), "order": order["url"], "review": order["url"]}


def _survey(subject: Subject) -> dict[str, object]:
    if subject.order_id is None:
        raise MergeDataError("the order is gone")
    order_id, message_id = subject.order_id, subject.message_id
    return {
        "scores": [
            {"score": score, "url": survey_url(subject.profile_id, order_id, message_id, score)}
            for score in SURVEY_SCORES
        ]
    }
