"""Packing slips as PDFs, behind links that are signed for somebody of the staff."""

import time
import uuid
from pathlib import Path

from app.gifting import slips
from app.gifting.options import GiftOptions
from app.gifting.slips import PackingSlip, SlipLine
from app.keys import keyring
from app.kit import typesetting
from app.messaging.formats import day_text, money_text, text_locale
from app.settings import get_settings
from app.staff import queries as staff
from app.staff.permissions import Permission

TEMPLATE = Path(__file__).with_name("slip.typ")
PATH = "/packing-slips"
LINK_SECONDS = 15 * 60
"""Of real time: long enough to print it, as it has somebody's address."""
MAX_TOKEN_CHARS = 300
OF_FULFILLMENT, OF_ORDER = "f", "o"
_PURPOSE = "packing-slip"


def slip_url(kind: str, subject_id: uuid.UUID, actor_id: uuid.UUID) -> str:
    """
    Args:
        kind: OF_FULFILLMENT or OF_ORDER, whose id the next one is.
        actor_id: the member of staff, or the key, that asks: it ends with what they may do.
    """
    claim = [kind, subject_id.hex, actor_id.hex, int(time.time()) + LINK_SECONDS]
    return f"{get_settings().public_url}{PATH}/{keyring().sign(_PURPOSE, claim)}.pdf"


async def redeem(token: str) -> tuple[PackingSlip, bytes] | None:
    """The slip and its PDF, as they are now; None for whoever may not, or not any more."""
    claim = keyring().unsign(_PURPOSE, token) if len(token) <= MAX_TOKEN_CHARS else None
    if not isinstance(claim, list):
        return None
    kind, subject, actor, expires_at = claim
    if expires_at < time.time() or not await staff.may_still(uuid.UUID(hex=actor), Permission.ORDERS_READ):
        return None
    read = slips.of_fulfillment if kind == OF_FULFILLMENT else slips.of_order
    slip = await read(uuid.UUID(hex=subject))
    return (slip, await typesetting.pdf(TEMPLATE, printed(slip))) if slip else None


def printed(slip: PackingSlip) -> dict[str, object]:
    """Everything as text, as the template prints it."""
    locale = text_locale(slip.locale)

    def line_of(line: SlipLine) -> dict[str, object]:
        price = line.unit_price
        return {
            "name": line.product_name,
            "details": [
                *([line.variant_name] if line.variant_name else []),
                *(f"{label}: {value}" for label, value in line.made_to_order),
                *([f"SKU {line.sku}"] if line.sku else []),
            ],
            "gift": _gift(line.options, "Wrap each of them"),
            "quantity": str(line.quantity),
            "unit_price": money_text(price.amount_minor, price.currency, locale) if price else "",
        }

    return {
        "title": f"Packing slip {slip.order_number}",
        "paper": typesetting.paper_of(locale.territory),
        "shop": slip.shop_lines,
        "recipient": slip.recipient,
        "pickup": slip.pickup,
        "facts": [
            ("Order", slip.order_number),
            ("Ordered on", day_text(slip.placed_at, slip.time_zone, locale)),
            ("Items", str(sum(line.quantity for line in slip.lines))),
        ],
        "gift": _gift(slip.options, "Wrap the whole order"),
        "columns": ["Item", "Quantity", *([] if slip.hides_prices else ["Unit price"])],
        "lines": [line_of(line) for line in slip.lines],
        "labels": {"page": "Page", "pickup": "To be picked up at", "card": "Card"},
    }


def _gift(options: GiftOptions, wrap: str) -> dict[str, str]:
    return {"wrap": wrap if options.wrap else "", "message": options.message or ""}
