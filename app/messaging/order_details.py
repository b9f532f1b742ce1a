"""What only some orders have, as mails say it: a store to fetch them from, gifts, and notes beside their lines."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from itertools import groupby
from typing import Any

from babel import Locale
from babel.dates import format_time, get_day_names

from app.addresses.lines import address_lines
from app.addresses.postal import PostalAddress
from app.gifting.options import GiftOptions
from app.messaging import formats
from app.messaging.order_values import GiftValues, PickupValues
from app.shipping.quotes import QuoteKind


def is_pickup(quote: Mapping[str, Any] | None) -> bool:
    """Whether an order with this frozen quote is fetched from a store."""
    return quote is not None and quote.get("kind") == QuoteKind.PICKUP


def pickup(quote: Mapping[str, Any] | None, time_zone: str, locale: Locale) -> PickupValues | None:
    """Where and when it can be fetched, as it was promised; None for what is shipped.

    Args:
        quote: the order's frozen one.
        time_zone: of the shop.
    """
    if quote is None or not is_pickup(quote):
        return None
    store, ready = quote["location"], quote["readyAt"]
    return PickupValues(
        store=store["name"],
        address=address_lines(PostalAddress.from_json(store["address"])),
        hours=_hours(store.get("openingHours") or [], locale),
        instructions=store.get("instructions") or None,
        ready=formats.moment_text(datetime.fromisoformat(ready), time_zone, locale) if ready else None,
    )


def _hours(stored: Sequence[Mapping[str, Any]], locale: Locale) -> list[str]:
    """`Monday to Friday: 9:00 AM to 6:00 PM`: days that follow each other with the same hours are one line."""
    by_day: dict[int, list[str]] = {}
    for one in sorted(stored, key=lambda one: (one["weekday"], one["opens"])):
        opens, closes = (format_time(time.fromisoformat(one[at]), "short", locale=locale) for at in ("opens", "closes"))
        by_day.setdefault(one["weekday"], []).append(f"{opens} to {closes}")
    names = get_day_names("wide", locale=locale)
    lines = []
    # The place less the weekday is the same as long as no day is left out.
    for (_, hours), days in groupby(enumerate(by_day.items()), lambda at: (at[1][0] - at[0], " and ".join(at[1][1]))):
        open_on = [weekday for _, (weekday, _) in days]
        ends = dict.fromkeys(names[weekday - 1] for weekday in (open_on[0], open_on[-1]))
        lines.append(f"{' to '.join(ends)}: {hours}")
    return lines


def gift(options: Mapping[str, Any] | None) -> GiftValues | None:
    """What the whole order was wished to be as a gift; None where nothing was."""
    wished = GiftOptions.of(dict(options) if options else None)
    if not wished.to_json():
        return None
    return GiftValues(is_wrapped=wished.wrap, message=wished.message, hides_prices=wished.hide_prices)


def line_notes(line: Mapping[str, Any], time_zone: str, locale: Locale) -> list[str]:
    """What is made to order, when it is expected, how it is a gift, and what the storefront attached."""
    notes = [f"{one['label']}: {one['shown']}" for one in line["customizations"] or ()]
    if line["expected_at"]:
        day = formats.day_text(datetime.fromisoformat(line["expected_at"]), time_zone, locale)
        notes.append(f"Expected on {day}")
    wished = GiftOptions.of(line["gift_options"])
    if wished.wrap:
        notes.append("Wrapped as a gift")
    if wished.message:
        notes.append(f"Greeting: {wished.message}")
    return notes + [f"{a['key']}: {a['value']}" for a in line["attributes"] if not a["key"].startswith("_")]
