"""People, made the way they become known; what they did before is written as rows."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from app import clock, db
from app.customers import identification, lifecycle, timeline
from app.customers.addresses import address_hashes
from app.customers.models import ConsentAction, ConsentSource
from app.kit.ids import new_id
from app.messaging.models import MessageChannel


async def profile(
    *,
    email: str | None = None,
    phone: str | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    language: str | None = None,
    country_code: str | None = None,
    postal_code: str | None = None,
    consents: Sequence[MessageChannel] = (),
    source: str = "NEWSLETTER",
    announced: bool = True,
) -> uuid.UUID:
    """Somebody known; without email and phone, somebody with an address of their own.

    Args:
        consents: channels that they agreed to marketing on.
        announced: False leaves no events, as if it had been long ago.
    """
    if email is None and phone is None:
        email = f"{new_id().hex}@customers.example"
    async with db.unit_of_work():
        profile_id = await identification.identify(
            email=email,
            phone=phone,
            first_name=first_name,
            last_name=last_name,
            language=language,
            country_code=country_code,
            postal_code=postal_code,
            source=source,
        )
    if not announced:
        await db.execute("DELETE FROM events WHERE payload->>'profileId' = $1", str(profile_id))
        await db.execute("DELETE FROM profile_events WHERE profile_id = $1", profile_id)
    for channel in consents:
        address = email if channel is MessageChannel.EMAIL else phone
        assert address, f"nothing to reach them by: {channel}"
        await consent(profile_id, channel, address)
    return profile_id


async def visitor() -> tuple[uuid.UUID, uuid.UUID]:
    """A visitor that has done something; the ids of the visitor and of its anonymous profile."""
    visitor_id = new_id()
    async with db.unit_of_work():
        return visitor_id, await identification.anonymous(visitor_id)


async def consent(
    profile_id: uuid.UUID,
    channel: MessageChannel,
    address: str,
    action: ConsentAction = ConsentAction.GRANTED,
    source: ConsentSource = ConsentSource.NEWSLETTER,
) -> uuid.UUID:
    """A row of the record of consent, under a wording of its channel; returns its id. No event tells of it."""
    consent_id = new_id()
    await db.execute(
        """
        INSERT INTO consents (id, profile_id, channel, address, address_hash, action, purpose, source, text_id,
                              recorded_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'MARKETING', $7, $8, business_now())
        """,
        consent_id,
        profile_id,
        channel.value,
        address,
        address_hashes(channel, address)[0],
        action.value,
        source.value,
        await consent_text(channel),
    )
    return consent_id


async def consent_text(channel: MessageChannel, language: str = "en") -> uuid.UUID:
    """The wording in force, made when there is none."""
    found: uuid.UUID = await db.fetchval(
        """
        WITH made AS (
            INSERT INTO consent_texts (id, channel, language, version, text, created_at)
            VALUES ($1, $2, $3, 1, 'Send me news and offers. I can opt out at any time.', business_now())
            ON CONFLICT (channel, language, version) DO NOTHING RETURNING id
        )
        SELECT id FROM made
        UNION ALL
        (SELECT id FROM consent_texts WHERE channel = $2 AND language = $3 ORDER BY version DESC LIMIT 1)
        LIMIT 1
        """,
        new_id(),
        channel.value,
        language,
    )
    return found


async def viewed(profile_id: uuid.UUID, product_id: uuid.UUID) -> uuid.UUID:
    """They look at a product now; returns the event's id."""
    async with db.unit_of_work():
        return await timeline.record("product.viewed", profile_id=profile_id, product_id=product_id)


async def past_order(
    profile_id: uuid.UUID,
    *lines: tuple[uuid.UUID, int],
    ago: timedelta = timedelta(0),
    at: datetime | None = None,
    price_minor: int = 1999,
    email: str | None = None,
    announced: bool = False,
    market_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """An order of the past, paid and shipped, with its cart; returns its id.

    Args:
        lines: variants and their quantities, each at `price_minor`.
        announced: whether `order.placed` is recorded, at the present. The profile's figures follow in any case.
    """
    moment = at or await clock.now() - ago
    order_id, cart_id, attempt_id = new_id(), new_id(), new_id()
    total = sum(quantity for _, quantity in lines) * price_minor
    await db.execute(
        """
        INSERT INTO carts (id, secret_hash, state, currency_code, attributes, profile_id, created_at, updated_at)
        VALUES ($1, '\\x00', 'COMPLETED', 'USD', '[]', $2, $3, $3)
        """,
        cart_id,
        profile_id,
        moment,
    )
    await db.execute(
        """
        INSERT INTO checkout_attempts (id, cart_id, idempotency_key, fingerprint, state, order_id, created_at,
                                       finished_at)
        VALUES ($1, $2, 'past', '\\x00', 'SUCCEEDED', $3, $4, $4)
        """,
        attempt_id,
        cart_id,
        order_id,
        moment,
    )
    await db.execute(
        """
        INSERT INTO orders (id, number, attempt_id, cart_id, token_hash, email, phone, status, payment_status,
                            fulfillment_status, currency_code, subtotal_minor, discount_minor, shipping_minor,
                            tax_minor, tax_included, total_minor, attributes, profile_id, placed_at, updated_at,
                            market_id)
        SELECT $1::uuid, nextval('order_numbers'), $2, $3, sha256(convert_to(($1::uuid)::text, 'UTF8')),
               coalesce($7, p.email), p.phone, 'COMPLETED', 'PAID', 'FULFILLED', 'USD', $4, 0, 0, 0, false, $4, '[]',
               p.id, $5, $5, $8::uuid
        FROM profiles p WHERE p.id = $6
        """,
        order_id,
        attempt_id,
        cart_id,
        total,
        moment,
        profile_id,
        email,
        market_id,
    )
    await db.execute(
        """
        INSERT INTO order_lines (id, order_id, position, product_id, variant_id, product_name, variant_name, quantity,
                                 selected_options, attributes, unit_price_minor, subtotal_minor, discount_minor,
                                 tax_minor, total_minor, weight_grams, requires_shipping, fulfilled_quantity)
        SELECT gen_random_uuid(), $1, n.place - 1, v.product_id, v.id, p.name, v.name, n.quantity, '[]', '[]',
               $4::bigint, $4::bigint * n.quantity, 0, 0, $4::bigint * n.quantity, 0, true, n.quantity
        FROM unnest($2::uuid[], $3::int[]) WITH ORDINALITY AS n (variant_id, quantity, place)
        JOIN product_variants v ON v.id = n.variant_id JOIN products p ON p.id = v.product_id
        """,
        order_id,
        [variant_id for variant_id, _ in lines],
        [quantity for _, quantity in lines],
        price_minor,
    )
    async with db.unit_of_work():
        await lifecycle.refresh(profile_id)
        if announced:
            await timeline.record(
                "order.placed",
                subject_id=order_id,
                profile_id=profile_id,
                order_id=order_id,
                cart_id=cart_id,
                data={"totalMinor": total, "currencyCode": "USD"},
            )
    return order_id
