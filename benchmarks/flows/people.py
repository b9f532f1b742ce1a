"""People with carts who agreed to mail, and runs that stand before their first reminder: rows, as if written live."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from app import db
from app.cart import restoring
from app.customers.addresses import address_hashes
from app.flows import recipes
from app.keys import keyring
from app.kit.crypto import hash_token
from app.kit.ids import new_id
from app.messaging.models import MessageChannel

FLOW, STEP = "checkout_abandoned", "wait-4h"
"""The recipe that is measured, and where its runs stand: what is due is `remind-1`, a mail with the cart in it."""

_ADD = """
    WITH given AS (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[], $5::text[])
            AS g (profile_id, cart_id, secret_hash, address_hash, email)
    ), people AS (
        INSERT INTO profiles (id, email, first_name, language, country_code, properties, stage, order_count,
                              total_spent_minor, created_at, updated_at)
        SELECT profile_id, email, 'Ada', 'en', 'US', '{}', 'LEAD', 0, 0, now(), now() FROM given
    ), agreed AS (
        INSERT INTO consents (id, profile_id, channel, address, address_hash, action, purpose, source, text_id,
                              recorded_at)
        SELECT uuidv7(), profile_id, 'EMAIL', email, address_hash, 'GRANTED', 'MARKETING', 'NEWSLETTER', $6, now()
        FROM given
    ), carts AS (
        INSERT INTO carts (id, secret_hash, state, revision, currency_code, email, country_code, attributes,
                           discount_codes, profile_id, created_at, updated_at)
        SELECT cart_id, secret_hash, 'OPEN', 1, 'USD', email, 'US', '[]', '[]', profile_id, now() - interval '5 hours',
               now() - interval '5 hours'
        FROM given RETURNING id
    ), checkouts AS (
        INSERT INTO checkouts (id, cart_id, email, started_event_at, created_at, updated_at)
        SELECT uuidv7(), id, 'ada@example.com', now() - interval '5 hours', now(), now() FROM carts
    )
    INSERT INTO cart_lines (id, cart_id, variant_id, quantity, attributes, attributes_key, created_at)
    SELECT uuidv7(), c.id, v.id, 1, '[]', '', now() FROM carts c
    CROSS JOIN LATERAL (SELECT id FROM product_variants WHERE id >= $7 ORDER BY id LIMIT 2) v
"""
_SLEEP = """
    WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS g (run_id, profile_id, cart_id)),
    runs AS (
        INSERT INTO flow_runs (id, flow_id, version_id, profile_id, key, status, step_key, revision, due_at, in_holdout,
                               trigger_type, trigger_event_id, trigger, triggered_at, state, entered_at)
        SELECT run_id, f.id, f.published_version_id, profile_id, cart_id::text, 'ACTIVE', $4::text, 0, now() + $5,
               false,
               'checkout.started', uuidv7(),
               jsonb_build_object('cartId', cart_id, 'checkoutId', uuidv7(), 'startedAt', now() - interval '4 hours'),
               now() - interval '4 hours', jsonb_build_object('wait', jsonb_build_object('step', $4::text)),
               now() - interval '4 hours'
        FROM given CROSS JOIN flows f WHERE f.key = $6 RETURNING id, due_at
    )
    INSERT INTO timers (id, kind, subject_id, payload, due_at, created_at)
    SELECT uuidv7(), 'flow.run_due', id, '{"revision": 0}', due_at, now() FROM runs
"""


@dataclass(frozen=True, slots=True)
class Person:
    profile_id: uuid.UUID
    cart_id: uuid.UUID
    email: str


async def add(count: int) -> list[Person]:
    """So many people, each with a checkout of a cart with two lines that they left."""
    people = [Person(new_id(), new_id(), f"{new_id().hex}@customer.example") for _ in range(count)]
    await db.execute(
        _ADD,
        [person.profile_id for person in people],
        [person.cart_id for person in people],
        [hash_token(keyring().derive_token("cart", person.cart_id)) for person in people],
        [address_hashes(MessageChannel.EMAIL, person.email)[0] for person in people],
        [person.email for person in people],
        await db.fetchval("SELECT id FROM consent_texts LIMIT 1"),
        await db.fetchval("SELECT id FROM product_variants ORDER BY random() LIMIT 1 OFFSET 2"),
    )
    return people


async def begin_runs(people: list[Person], due_in: timedelta) -> None:
    """Each stands in the flow, and goes on at that time."""
    await db.execute(
        _SLEEP,
        [new_id() for _ in people],
        [person.profile_id for person in people],
        [person.cart_id for person in people],
        STEP,
        due_in,
        FLOW,
    )


async def prepare_shop() -> None:
    """The shop that `benchmarks.shop` filled, with its recipes published and what marketing by law needs."""
    await db.execute("UPDATE shop SET name = 'Benchmark', postal_address = '1 Market Street, San Francisco CA 94103'")
    await db.execute(
        """
        INSERT INTO consent_texts (id, channel, language, version, text, created_at)
        VALUES ($1, 'EMAIL', 'en', 1, 'Send me news.', now())
        """,
        new_id(),
    )
    await recipes.install(publish=True)


async def has_cart(person: Person) -> bool:
    return await restoring.open_cart(person.cart_id) is not None
