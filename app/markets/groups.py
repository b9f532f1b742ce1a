"""Staff put accounts into groups, which may have price lists."""

import uuid
from collections.abc import Sequence
from typing import TypedDict

import asyncpg

from app import db
from app.alerts import watching
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id
from app.kit.problems import Problems

MAX_GROUPS = 500
MAX_NAME_CHARS = 120
MAX_LISTS = 50
MAX_BATCH = 250


class GroupGiven(TypedDict, total=False):
    """What is left out stays as it is."""

    name: str | None
    price_list_ids: Sequence[uuid.UUID] | None
    """Each buys in the markets of its currency; of several, the lowest price wins."""


async def create_group(given: GroupGiven) -> uuid.UUID:
    """Raises DomainErrors: REQUIRED, TOO_LONG, CONFLICT for the name, NOT_FOUND for price lists, TOO_MANY."""
    problems, group_id = Problems(), new_id()
    name = problems.required_line(given.get("name"), "A name", "name", max_chars=MAX_NAME_CHARS)
    problems.raise_if_any()
    try:
        async with db.unit_of_work():
            if await db.fetchval("SELECT count(*) FROM customer_groups") >= MAX_GROUPS:
                raise DomainError(CommonErrorCode.TOO_MANY, f"A shop has at most {MAX_GROUPS} groups.", ["input"])
            await db.execute(
                """
                INSERT INTO customer_groups (id, name, created_at, updated_at)
                VALUES ($1, $2, business_now(), business_now())
                """,
                group_id,
                name,
            )
            await _set_lists(group_id, given.get("price_list_ids") or [])
    except asyncpg.UniqueViolationError:
        raise _name_taken() from None
    return group_id


async def update_group(group_id: uuid.UUID, given: GroupGiven) -> None:
    """As `create_group`; and NOT_FOUND at `id`."""
    problems = Problems()
    name = None
    if "name" in given:
        name = problems.required_line(given["name"], "A name", "name", max_chars=MAX_NAME_CHARS)
    problems.raise_if_any()
    try:
        async with db.unit_of_work():
            changed = await db.execute(
                "UPDATE customer_groups SET name = coalesce($2, name), updated_at = business_now() WHERE id = $1",
                group_id,
                name,
            )
            if not changed:
                raise not_found("customer group", ["id"])
            if given.get("price_list_ids") is not None:
                await _set_lists(group_id, given["price_list_ids"] or [])
    except asyncpg.UniqueViolationError:
        raise _name_taken() from None


async def delete_group(group_id: uuid.UUID) -> None:
    """Its members stay as they are otherwise. Raises DomainError(NOT_FOUND)."""
    if not await db.execute("DELETE FROM customer_groups WHERE id = $1", group_id):
        raise not_found("customer group", ["id"])


async def add_members(group_id: uuid.UUID, customer_ids: Sequence[uuid.UUID]) -> None:
    """Who is in it already stays. Raises DomainErrors: TOO_MANY, NOT_FOUND for the group (`id`) or accounts."""
    _limit(customer_ids)
    async with db.unit_of_work():
        if not await db.fetchval("SELECT EXISTS (SELECT FROM customer_groups WHERE id = $1 FOR SHARE)", group_id):
            raise not_found("customer group", ["id"])
        await _check_accounts(customer_ids)
        await db.execute(
            """
            INSERT INTO customer_group_members (group_id, customer_id, added_at)
            SELECT $1, customer_id, business_now() FROM unnest($2::uuid[]) AS customer_id ORDER BY customer_id
            ON CONFLICT DO NOTHING
            """,
            group_id,
            list(customer_ids),
        )
        await watching.regrouped(customer_ids)


async def remove_members(group_id: uuid.UUID, customer_ids: Sequence[uuid.UUID]) -> None:
    """Who is not in it is left aside. Raises DomainErrors: TOO_MANY, NOT_FOUND for the group (`id`) or accounts."""
    _limit(customer_ids)
    async with db.unit_of_work():
        if not await db.fetchval("SELECT EXISTS (SELECT FROM customer_groups WHERE id = $1 FOR SHARE)", group_id):
            raise not_found("customer group", ["id"])
        await _check_accounts(customer_ids)
        await db.execute(
            "DELETE FROM customer_group_members WHERE group_id = $1 AND customer_id = ANY($2::uuid[])",
            group_id,
            list(customer_ids),
        )


async def _check_accounts(customer_ids: Sequence[uuid.UUID]) -> None:
    rows = await db.fetch("SELECT id FROM customers WHERE id = ANY($1::uuid[]) FOR KEY SHARE", list(customer_ids))
    known, problems = {row["id"] for row in rows}, Problems()
    for place, customer_id in enumerate(customer_ids):
        if customer_id not in known:
            problems.note(not_found("customer", ["customerIds", place]))
    problems.raise_if_any()


def _limit(customer_ids: Sequence[uuid.UUID]) -> None:
    if len(customer_ids) > MAX_BATCH:
        raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_BATCH} accounts at once.", ["customerIds"])


def _name_taken() -> DomainError:
    return DomainError(CommonErrorCode.CONFLICT, "Another group has this name.", ["input", "name"])


async def _set_lists(group_id: uuid.UUID, list_ids: Sequence[uuid.UUID]) -> None:
    if len(list_ids) > MAX_LISTS:
        raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_LISTS} price lists.", ["input", "priceListIds"])
    rows = await db.fetch("SELECT id FROM price_lists WHERE id = ANY($1::uuid[]) FOR KEY SHARE", list(list_ids))
    known, problems = {row["id"] for row in rows}, Problems()
    for place, list_id in enumerate(list_ids):
        if list_id not in known:
            problems.note(not_found("price list", ["input", "priceListIds", place]))
    problems.raise_if_any()
    await db.execute(
        "DELETE FROM customer_group_price_lists WHERE group_id = $1 AND price_list_id <> ALL($2::uuid[])",
        group_id,
        list(list_ids),
    )
    added = await db.fetch(
        """
        INSERT INTO customer_group_price_lists (group_id, price_list_id)
        SELECT DISTINCT $1::uuid, list_id FROM unnest($2::uuid[]) AS list_id ON CONFLICT ON CONSTRAINT
            customer_group_price_lists_once DO NOTHING
        RETURNING price_list_id
        """,
        group_id,
        list(list_ids),
    )
    for row in added:
        await watching.repriced(row["price_list_id"])
