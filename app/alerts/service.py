"""Asking to be told when a variant can be had again or costs less. Each request is good for one alert.

What an answer says does not depend on whether somebody has asked before: anybody can type anybody's address.
"""

import uuid
from dataclasses import dataclass

from app import db, events
from app.addresses.contact import normalise_email
from app.alerts.errors import AlertErrorCode
from app.alerts.models import AlertKind
from app.alerts.pricing import sql_of_price
from app.alerts.watching import CHANGED
from app.customers import identification
from app.errors import CommonErrorCode, DomainError, not_found
from app.keys import keyring
from app.kit import ids
from app.kit.crypto import hash_token, token_matches
from app.kit.ids import new_id
from app.markets import current as markets
from app.markets.prices import sql_of_hidden
from app.markets.terms import MarketTerms
from app.rate_limit import allow

PREFIX = "alert"
SOURCE = "ALERT"
MAX_OPEN_ALERTS = 50
"""That one person can have at a time."""
PER_CLIENT, PER_ADDRESS, WINDOW_SECONDS = 30, 10, 3600

# Units that can be sold now; null where selling does not depend on stock.
SQL_TO_SELL = """
    CASE WHEN v.track_inventory AND v.inventory_policy <> 'CONTINUE' THEN (
        SELECT coalesce(sum(s.available - s.backordered), 0) FROM stock_levels s WHERE s.variant_id = v.id
    ) END
"""
_VARIANT = f"""
    SELECT {SQL_TO_SELL} AS to_sell
    FROM product_variants v JOIN products p ON p.id = v.product_id
    WHERE v.id = $1 AND v.removed_at IS NULL AND p.status = 'ACTIVE' AND NOT {sql_of_hidden("p.id", "$2")}
"""
_INSERT = f"""
    INSERT INTO product_alerts (id, kind, profile_id, variant_id, price_minor, market_id, currency_code, company_id,
                                created_at)
    SELECT $1, $2, $3::uuid, v.id, {sql_of_price("v", market="$6::uuid", profile="$3::uuid", company="$8::uuid")},
           $6::uuid, $7, $8::uuid, business_now()
    FROM product_variants v
    WHERE v.id = $4 AND (
        SELECT count(*) FROM product_alerts WHERE profile_id = $3 AND triggered_at IS NULL AND cancelled_at IS NULL
    ) < $5
    ON CONFLICT (kind, profile_id, variant_id) WHERE triggered_at IS NULL AND cancelled_at IS NULL DO NOTHING
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks: by an email as typed, or as the person of a visitor or of a cart."""

    email: str | None = None
    visitor_id: uuid.UUID | None = None
    cart_id: uuid.UUID | None = None
    cart_secret: str = ""


async def subscribe(
    kind: AlertKind, variant_id: uuid.UUID, person: Person, *, client: str, market: MarketTerms | None = None
) -> str:
    """Note the wish; asking again changes nothing. Returns an id that `cancel` takes.

    Args:
        market: where they are; watched is what they pay there, see `app.alerts.pricing`.
        client: where the request comes from, for the limit.

    Raises:
        DomainError: NOT_FOUND for the variant or the cart, ALERT_NOT_NEEDED for one that can be bought (back in stock),
            ALERT_CONTACT_MISSING, INVALID_EMAIL, RATE_LIMITED.
    """
    await allow("alerts-client", client, limit=PER_CLIENT, window_seconds=WINDOW_SECONDS)
    email = normalise_email(person.email, ["input", "email"]) if person.email else None
    if email:
        await allow("alerts-address", email.lower(), limit=PER_ADDRESS, window_seconds=WINDOW_SECONDS)
    market = market or (await markets.now()).default
    variant = await db.fetchrow(_VARIANT, variant_id, market.id)
    if variant is None:
        raise not_found("variant", ["input", "variantId"])
    if kind is AlertKind.BACK_IN_STOCK and (variant["to_sell"] is None or variant["to_sell"] > 0):
        raise DomainError(AlertErrorCode.ALERT_NOT_NEEDED, "It can be bought now.", ["input", "variantId"])
    alert_id = new_id()
    async with db.unit_of_work():
        profile_id, company_id = await _profile(person, email)
        written = await db.execute(
            _INSERT,
            alert_id,
            kind.value,
            profile_id,
            variant_id,
            MAX_OPEN_ALERTS,
            market.id,
            market.currency_code,
            company_id,
        )
        if written:
            # Whatever changed between the look at the variant and this commit is looked at again after it.
            await events.record(CHANGED, subject_id=variant_id)
    return ids.encode_with_secret(PREFIX, alert_id, keyring().derive_token(PREFIX, alert_id))


async def _profile(person: Person, email: str | None) -> tuple[uuid.UUID, uuid.UUID | None]:
    """Whose alert it is, and the company that their cart is for; the profile is locked."""
    if email is not None:
        return await identification.identify(email=email, visitor_id=person.visitor_id, source=SOURCE), None
    known = await db.fetchrow(
        """
        SELECT c.secret_hash, c.company_id, coalesce(
                   c.profile_id, (SELECT v.profile_id FROM visitors v WHERE v.id = $2)
               ) AS profile_id
        FROM (SELECT 1) one LEFT JOIN carts c ON c.id = $1
        """,
        person.cart_id,
        person.visitor_id,
    )
    if known is None or (person.cart_id and not _opens(person.cart_secret, known["secret_hash"])):
        raise not_found("cart", ["input", "cartId"])
    if known["profile_id"] is not None:
        profile_id = await identification.lock(known["profile_id"])
        if await db.fetchval("SELECT coalesce(email, phone) IS NOT NULL FROM profiles WHERE id = $1", profile_id):
            return profile_id, known["company_id"]
    raise DomainError(AlertErrorCode.ALERT_CONTACT_MISSING, "Give an email to write to.", ["input", "email"])


def _opens(secret: str, secret_hash: bytes | None) -> bool:
    return secret_hash is not None and token_matches(secret, secret_hash)


async def cancel(alert_gid: str) -> None:
    """Take a wish back. One that is over, or that was somebody's before, is left as it is.

    Raises:
        DomainError: INVALID_ID for anything that `subscribe` did not give out.
    """
    alert_id, secret = ids.decode_with_secret(PREFIX, alert_gid, ["alertId"])
    if not any(token_matches(secret, hash_token(one)) for one in keyring().derivations(PREFIX, alert_id)):
        raise DomainError(CommonErrorCode.INVALID_ID, "This is no id of an alert.", ["alertId"])
    await db.execute(
        """
        UPDATE product_alerts SET cancelled_at = business_now()
        WHERE id = $1 AND triggered_at IS NULL AND cancelled_at IS NULL
        """,
        alert_id,
    )
