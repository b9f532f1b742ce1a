"""How long each kind of data is kept: what the shop has set, or else what stands here, each with its reason.

Privacy law gives no numbers, but asks for as little as the purpose needs (GDPR, Art. 5 (1) c and e). Tax law does give
some. docs/privacy.md says the same to merchants.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app import db
from app.errors import CommonErrorCode, DomainError

MAX_DAYS = 36_500


class RetentionKind(StrEnum):
    ABANDONED_CARTS = "ABANDONED_CARTS"
    COMPLETED_CARTS = "COMPLETED_CARTS"
    ORDERS = "ORDERS"
    ERASED_ORDERS = "ERASED_ORDERS"
    ANONYMOUS_PROFILES = "ANONYMOUS_PROFILES"
    TIMELINE_EVENTS = "TIMELINE_EVENTS"
    FLOW_RUNS = "FLOW_RUNS"
    MESSAGE_CONTENT = "MESSAGE_CONTENT"
    MESSAGES = "MESSAGES"
    CLICKS = "CLICKS"
    INBOUND_SMS = "INBOUND_SMS"
    GIFT_CARD_RECIPIENTS = "GIFT_CARD_RECIPIENTS"
    SURVEY_COMMENTS = "SURVEY_COMMENTS"
    UNVERIFIED_ACCOUNTS = "UNVERIFIED_ACCOUNTS"
    ACCOUNT_TOKENS = "ACCOUNT_TOKENS"
    SESSIONS = "SESSIONS"
    STAFF_INVITATIONS = "STAFF_INVITATIONS"
    PRIVACY_EXPORTS = "PRIVACY_EXPORTS"
    PRIVACY_REQUESTS = "PRIVACY_REQUESTS"
    AUDIT_LOG = "AUDIT_LOG"
    WEBHOOK_BODIES = "WEBHOOK_BODIES"
    WEBHOOK_DELIVERIES = "WEBHOOK_DELIVERIES"
    DEAD_LETTERS = "DEAD_LETTERS"
    JOBS = "JOBS"
    UPLOADS = "UPLOADS"
    EVENTS = "EVENTS"


ERASED_ORDERS = RetentionKind.ERASED_ORDERS


@dataclass(frozen=True, slots=True)
class Period:
    """
    Attributes:
        days: unless the shop says otherwise.
        least: below which something else would break.
        what: what goes then.
        why: why so long.
    """

    days: int
    least: int
    what: str
    why: str


_K = RetentionKind
PERIODS: dict[RetentionKind, Period] = {
    _K.ABANDONED_CARTS: Period(
        90, 14, "Carts that became no order, since their last change.",
        "Reminders and links back to a cart are over by then; people do come back to a list after weeks.",
    ),
    _K.COMPLETED_CARTS: Period(
        30, 1, "What was entered in carts that became orders. The order has its own record.",
        "A storefront may still show the cart that was just bought.",
    ),
    _K.ORDERS: Period(
        3650, 30, "Names, addresses, contact, notes and parcel numbers of closed orders, since they were placed. "
        "Amounts, goods, dates, country and state stay.",
        "Records of sales that fall under the EU's one-stop shop are kept for ten years (Directive 2006/112/EC, "
        "Art. 369k); German invoices for eight (§ 14b UStG). Shops elsewhere may need less.",
    ),
    _K.ERASED_ORDERS: Period(
        30, 0, "The same of orders of somebody who was erased, since the order's last change after it was closed.",
        "Fulfilment needs it until the order is closed; then 14 days to withdraw (Directive 2011/83/EU, Art. 9), "
        "and time for a parcel that comes back.",
    ),
    _K.ANONYMOUS_PROFILES: Period(
        400, 1, "Visitors whom nobody knows, since they were last seen, with what they did.",
        "As long as browsers keep a visitor's id at most.",
    ),
    _K.TIMELINE_EVENTS: Period(
        1095, 90, "What people looked at, searched for and got: lines of the timeline.",
        "Segments and flows look back; beyond three years it says nothing about what somebody wants now.",
    ),
    _K.FLOW_RUNS: Period(
        730, 30, "What flows knew of people, since the run's end. That there was a run stays.",
        "For questions about why somebody got a message.",
    ),
    _K.MESSAGE_CONTENT: Period(
        395, 30, "Recipient and content of messages. That one was sent stays.",
        "A year of complaints and questions, and the month in which they are answered.",
    ),
    _K.MESSAGES: Period(1825, 90, "Rows of the send ledger.", "Figures of flows and campaigns over five years."),
    _K.CLICKS: Period(
        730, 30, "Links of messages and who followed them. A link that is gone leads nowhere.",
        "People look for a link in last year's mail.",
    ),
    _K.INBOUND_SMS: Period(
        730, 30, "Texts that people sent.",
        "Proof of STOP and START beyond a year; the record of consent has it without the words.",
    ),
    _K.GIFT_CARD_RECIPIENTS: Period(
        395, 30, "Whom a gift card was mailed to, and with which words, since it was. The card stays good.",
        "Time in which somebody asks for the mail once more.",
    ),
    _K.SURVEY_COMMENTS: Period(1095, 30, "What people wrote in surveys. The score stays.", "Comparing the years."),
    _K.UNVERIFIED_ACCOUNTS: Period(
        30, 8, "Accounts whose address nobody has verified, since they were made.",
        "Links to verify last seven days, and can be asked for again.",
    ),
    _K.ACCOUNT_TOKENS: Period(7, 1, "Mailed links, since they ended.", "To tell an old link from a wrong one."),
    _K.SESSIONS: Period(7, 1, "Sessions and their tokens, since they ended.", "To notice a token that is used again."),
    _K.STAFF_INVITATIONS: Period(90, 1, "Invitations of staff, since they ended.", "To see who was invited."),
    _K.PRIVACY_EXPORTS: Period(
        7, 1, "Documents of exports; counted from when they are made.", "Time to fetch it; then it is only a risk."
    ),
    _K.PRIVACY_REQUESTS: Period(
        1095, 30, "That somebody asked for an export or an erasure, since it was done.",
        "Proof that it was answered, for as long as claims can be made (three years in most of Europe).",
    ),
    _K.AUDIT_LOG: Period(
        730, 30, "What staff, keys and operators did.",
        "Misuse is often found late; works councils seldom agree to more."
    ),
    _K.WEBHOOK_BODIES: Period(30, 4, "What was sent to webhooks: ids and facts.", "To send it again."),
    _K.WEBHOOK_DELIVERIES: Period(365, 30, "That something was sent to a webhook.", "To see how an endpoint has done."),
    _K.DEAD_LETTERS: Period(180, 30, "What could not be done, and why.", "To let it run again."),
    _K.JOBS: Period(365, 7, "Imports and the like that are over.", "To see what an import left out."),
    _K.UPLOADS: Period(7, 1, "Files for and from jobs, unless one says otherwise.", "To import one again."),
    _K.EVENTS: Period(
        30, 21, "The outbox's events that are done with.", "The checks of the books look back twenty days."
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """A kind with the period that holds."""

    kind: RetentionKind
    days: int
    period: Period
    updated_at: datetime | None
    """When the shop set it; None where it has not."""


async def periods() -> list[Kept]:
    """All kinds, in the order in which they stand here."""
    rows = {row["kind"]: row for row in await db.fetch("SELECT kind, days, updated_at FROM retention_periods")}
    return [
        Kept(
            kind,
            max(rows[kind]["days"], period.least) if kind in rows else period.days,
            period,
            rows[kind]["updated_at"] if kind in rows else None,
        )
        for kind, period in PERIODS.items()
    ]


async def days_of(kind: RetentionKind) -> int:
    days: int | None = await db.fetchval("SELECT days FROM retention_periods WHERE kind = $1", kind.value)
    return PERIODS[kind].days if days is None else max(days, PERIODS[kind].least)


async def set_period(kind: RetentionKind, days: int | None) -> Kept:
    """Set a kind's period, or with None take the built-in one again.

    Raises:
        DomainError: INVALID for fewer days than the kind needs, or more than a hundred years.
    """
    period = PERIODS[kind]
    if days is None:
        await db.execute("DELETE FROM retention_periods WHERE kind = $1", kind.value)
    elif not max(period.least, 1) <= days <= MAX_DAYS:
        message = f"Between {max(period.least, 1)} and {MAX_DAYS} days."
        raise DomainError(CommonErrorCode.INVALID, message, ["days"])
    else:
        await db.execute(
            """
            INSERT INTO retention_periods (kind, days, updated_at) VALUES ($1, $2, clock_timestamp())
            ON CONFLICT (kind) DO UPDATE SET days = EXCLUDED.days, updated_at = EXCLUDED.updated_at
            """,
            kind.value,
            days,
        )
    return next(kept for kept in await periods() if kept.kind is kind)
