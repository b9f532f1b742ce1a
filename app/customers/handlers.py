"""What orders, time and merges do to profiles."""

import uuid

from app import db, events
from app.customers import earlier_orders, identification, lifecycle, merging
from app.events import Event


@events.on("order.placed", name="customers.lifecycle")
async def on_order_placed(event: Event) -> None:
    if (profile_id := _profile(event)) is not None:
        await lifecycle.note_reorders(_subject(event))
        await lifecycle.refresh(profile_id)


@events.on(earlier_orders.WANTED, name="customers.earlier_orders", transactional=False)
async def on_buyers_wanted(event: Event) -> None:
    after = event.payload.get("after")
    looked = await earlier_orders.look(uuid.UUID(after) if after else None)
    await earlier_orders.ask_on(looked, event.payload.get("adopted", 0))


@events.on("order.cancelled", name="customers.lifecycle")
async def on_order_cancelled(event: Event) -> None:
    if (profile_id := _profile(event)) is not None:
        await lifecycle.forget_reorders(_subject(event))
        await lifecycle.refresh(profile_id)


@events.on("order.edited", name="customers.lifecycle")
async def on_order_edited(event: Event) -> None:
    if (profile_id := _profile(event)) is not None:
        await lifecycle.forget_reorders(_subject(event))
        await lifecycle.note_reorders(_subject(event))
        await lifecycle.refresh(profile_id)


@events.on("order.paid", name="customers.contact")
async def on_order_paid(event: Event) -> None:
    """Who pays for an order has shown more than typing: its phone and address take the place of older ones."""
    profile_id = _profile(event)
    if profile_id is None:
        return
    try:
        profile_id = await identification.lock(profile_id)
    except LookupError:
        return
    row = await db.fetchrow(_CONTACT, profile_id, _subject(event))
    changed = [name for name in ("phone", "countryCode", "postalCode") if row and row[name]]
    if changed:
        await identification.updated(profile_id, changed)


# A profile without an email is known by its number: that one stays.
_CONTACT = """
    WITH given AS (
        SELECT p.id, o.email IS NOT NULL AND o.phone IS NOT NULL AND o.phone IS DISTINCT FROM p.phone AS "phone",
               a.country IS NOT NULL AND a.country IS DISTINCT FROM p.country_code AS "countryCode",
               a.postal IS NOT NULL AND a.postal IS DISTINCT FROM p.postal_code AS "postalCode",
               o.phone AS new_phone, a.country, a.postal
        FROM profiles p, orders o,
             LATERAL (SELECT o.shipping_address ->> 'country_code' AS country,
                             o.shipping_address ->> 'postal_code' AS postal) a
        WHERE p.id = $1 AND o.id = $2
    )
    UPDATE profiles p
    SET phone = CASE WHEN g."phone" THEN g.new_phone ELSE p.phone END,
        country_code = coalesce(g.country, p.country_code), postal_code = coalesce(g.postal, p.postal_code),
        updated_at = business_now()
    FROM given g WHERE p.id = g.id AND (g."phone" OR g."countryCode" OR g."postalCode")
    RETURNING g."phone", g."countryCode", g."postalCode"
"""


@events.on(merging.STAGE_DUE, name="customers.lifecycle")
async def on_stage_due(event: Event) -> None:
    await lifecycle.refresh(_subject(event))


@events.on(merging.MERGED, name="customers.lifecycle")
async def on_merged(event: Event) -> None:
    gone_id = uuid.UUID(event.payload["mergedId"])
    living_id = await identification.living(gone_id, or_erased=True)
    await merging.move_the_rest(gone_id, living_id)
    await lifecycle.forget_merged(gone_id)
    await lifecycle.refresh(living_id)


def _profile(event: Event) -> uuid.UUID | None:
    """Orders of before there were profiles, and without any contact, have none."""
    text = event.payload.get("profileId")
    return uuid.UUID(text) if text else None


def _subject(event: Event) -> uuid.UUID:
    if event.subject_id is None:
        raise ValueError(f"{event.type} {event.id} has no subject")
    return event.subject_id
