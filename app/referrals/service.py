"""Refer a friend: the program, people's own codes, and the reward for a friend's first paid order."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from app import db
from app.customers import identification
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id
from app.kit.money import Money
from app.kit.problems import Problems
from app.promotions.coupons import MAX_TRIES, new_code
from app.promotions.service import PERCENTAGE_PLACES
from app.referrals.errors import ReferralErrorCode
from app.shop import queries as shop

MAX_VALID_DAYS = 3_650
FRIEND_NAME = "A friend's recommendation"
"""What the friend sees beside the amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """A percentage (of 100) or an amount in minor units of the shop's currency, one of the two."""

    percentage: Decimal | None = None
    amount_minor: int | None = None

    def __str__(self) -> str:
        return f"{self.percentage.normalize():f}%" if self.percentage is not None else f"{self.amount_minor}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """`friend` and `reward` are there whenever it is enabled."""

    enabled: bool
    friend: Worth | None
    reward: Worth | None
    reward_valid_days: int


async def program(*, locked: bool = False) -> Program:
    """As it is set; off where it never was. `locked` keeps it so until the unit of work ends."""
    row = await db.fetchrow(f"SELECT * FROM referral_program WHERE id = 1{' FOR SHARE' if locked else ''}")
    if row is None:
        return Program(enabled=False, friend=None, reward=None, reward_valid_days=90)
    return Program(
        enabled=row["enabled"],
        friend=_worth(row["friend_percentage"], row["friend_amount_minor"]),
        reward=_worth(row["reward_percentage"], row["reward_amount_minor"]),
        reward_valid_days=row["reward_valid_days"],
    )


def _worth(percentage: Decimal | None, amount_minor: int | None) -> Worth | None:
    if percentage is None and amount_minor is None:
        return None
    return Worth(percentage=percentage, amount_minor=amount_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramChange:
    """All of it at once; a worth is a percentage, an amount, or nothing yet."""

    enabled: bool
    friend: Decimal | Money | None
    reward: Decimal | Money | None
    reward_valid_days: int


async def update_program(change: ProgramChange) -> None:
    """Set the program. Codes that people have keep working, with the friend's new discount.

    Raises:
        DomainErrors: REQUIRED for what an enabled program lacks, OUT_OF_RANGE, INVALID; below `input`.
    """
    async with db.unit_of_work():
        currency = (await shop.current(locked=True)).currency_code
        problems = Problems()
        friend = _checked(change.friend, currency, problems, "friend")
        reward = _checked(change.reward, currency, problems, "reward")
        for worth, field in ((change.friend, "friendPercentage"), (change.reward, "rewardPercentage")):
            if change.enabled and worth is None:
                problems.add(CommonErrorCode.REQUIRED, "A running program needs a percentage or an amount.", field)
        if not 1 <= change.reward_valid_days <= MAX_VALID_DAYS:
            message = f"A reward is good for 1 to {MAX_VALID_DAYS:,} days."
            problems.add(CommonErrorCode.OUT_OF_RANGE, message, "rewardValidDays")
        problems.raise_if_any()
        await db.execute(
            """
            INSERT INTO referral_program (id, enabled, friend_percentage, friend_amount_minor, reward_percentage,
                                          reward_amount_minor, reward_valid_days, updated_at)
            VALUES (1, $1, $2, $3, $4, $5, $6, business_now())
            ON CONFLICT (id) DO UPDATE SET
                enabled = EXCLUDED.enabled, friend_percentage = EXCLUDED.friend_percentage,
                friend_amount_minor = EXCLUDED.friend_amount_minor, reward_percentage = EXCLUDED.reward_percentage,
                reward_amount_minor = EXCLUDED.reward_amount_minor, reward_valid_days = EXCLUDED.reward_valid_days,
                updated_at = EXCLUDED.updated_at
            """,
            change.enabled,
            friend.percentage if friend else None,
            friend.amount_minor if friend else None,
            reward.percentage if reward else None,
            reward.amount_minor if reward else None,
            change.reward_valid_days,
        )
        if friend is not None:
            await db.execute(
                """
                UPDATE discount_codes SET discount_id = $1
                WHERE id IN (SELECT discount_code_id FROM referral_codes) AND discount_id <> $1
                """,
                await _friends_discount(friend),
            )


def _checked(given: Decimal | Money | None, currency: str, problems: Problems, field: str) -> Worth | None:
    if given is None:
        return None
    if isinstance(given, Money):
        if given.currency != currency:
            problems.add(CommonErrorCode.INVALID, f"The shop sells in {currency}.", f"{field}Amount")
        elif given.amount_minor == 0:
            problems.add(CommonErrorCode.OUT_OF_RANGE, "The amount has to be above zero.", f"{field}Amount")
        return Worth(amount_minor=given.amount_minor)
    if not 0 < given <= 100:
        problems.add(CommonErrorCode.OUT_OF_RANGE, "A percentage is above 0 and at most 100.", f"{field}Percentage")
    elif given != round(given, PERCENTAGE_PLACES):
        message = f"A percentage has {PERCENTAGE_PLACES} digits after the point at most."
        problems.add(CommonErrorCode.INVALID, message, f"{field}Percentage")
    return Worth(percentage=given)


async def _friends_discount(worth: Worth) -> uuid.UUID:
    """One for each worth that the program ever had; every friend may use it once."""
    key = f"referral|{worth}"
    await db.execute(
        """
        INSERT INTO discounts (id, name, status, automatic, percentage, amount_minor, currency_code,
                               usage_limit_per_customer, used_count, source_key, created_at, updated_at)
        SELECT $1, $2, 'ACTIVE', false, $3, $4, CASE WHEN $4::bigint IS NOT NULL THEN shop.currency_code END, 1, 0, $5,
               business_now(), business_now()
        FROM shop WHERE shop.id = 1
        ON CONFLICT (source_key) DO NOTHING
        """,
        new_id(),
        FRIEND_NAME,
        worth.percentage,
        worth.amount_minor,
        key,
    )
    discount_id: uuid.UUID = await db.fetchval("SELECT id FROM discounts WHERE source_key = $1", key)
    return discount_id


async def code_of(profile_id: uuid.UUID) -> str:
    """A person's own code, made when they have none: their friends' discount, and how we know whose friends they are.

    Raises:
        DomainError: REFERRALS_OFF while the program does not run, NOT_FOUND for no such person.
    """
    async with db.unit_of_work():
        try:
            living = await identification.lock(profile_id)
        except LookupError:
            raise not_found("profile") from None
        running = await program(locked=True)
        if not running.enabled or running.friend is None:
            raise DomainError(ReferralErrorCode.REFERRALS_OFF, "There is no refer-a-friend program at the moment.")
        known: str | None = await db.fetchval(
            """
            SELECT k.code FROM referral_codes r JOIN discount_codes k ON k.id = r.discount_code_id
            WHERE r.profile_id = $1
            """,
            living,
        )
        return known or await _new_code(living, await _friends_discount(running.friend))


async def _new_code(profile_id: uuid.UUID, discount_id: uuid.UUID) -> str:
    for _ in range(MAX_TRIES):
        code, code_id = new_code(), new_id()
        made = await db.execute(
            """
            INSERT INTO discount_codes (id, discount_id, code, used_count, issued_by, created_at)
            VALUES ($1, $2, $3, 0, $4, business_now()) ON CONFLICT DO NOTHING
            """,
            code_id,
            discount_id,
            code,
            f"referrer:{profile_id}",
        )
        if made:
            await db.execute(
                """
                INSERT INTO referral_codes (id, profile_id, discount_code_id, created_at)
                VALUES ($1, $2, $3, business_now())
                """,
                new_id(),
                profile_id,
                code_id,
            )
            return code
    raise RuntimeError("no free code was found")


def reward_validity(running: Program) -> timedelta:
    return timedelta(days=running.reward_valid_days)
