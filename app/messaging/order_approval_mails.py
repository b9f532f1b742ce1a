"""The mails of a company's approvals: to its approvers, and to whoever asked.

| template | beside `language` and `shop` |
|---|---|
| approval_requested | `company`; `asked_by`; `total`; `maximum`; `expires_on`; `message`, `url` or nil; `lines`; |
| | `delivery`: lines of text; `is_fetched`; `is_delivery_open` |
| approval_decided | the same; `is_approved`; `comment` or nil |
"""

import uuid
from collections.abc import Mapping
from types import MappingProxyType

import orjson

from app.companies import approval_links, approval_queries, delivery
from app.companies.models import ApprovalState
from app.messaging import checks, formats, ledger
from app.messaging.ledger import LedgerRow
from app.messaging.models import MessageChannel, MessagePurpose, MessageReason
from app.messaging.rendering import LANGUAGE
from app.messaging.shop_values import shop_values
from app.settings import Settings
from app.shop import queries as shop_queries

REQUESTED, DECIDED = "approval_requested", "approval_decided"
TEMPLATES = frozenset({REQUESTED, DECIDED})


class ApprovalNotFoundError(Exception):
    """There is nothing to send: whoever asked has no account any more."""


async def reserve_request(approval_id: uuid.UUID) -> bool:
    """Inside a unit of work, to everybody who can decide; False where there is nobody."""
    approvers = await approval_queries.approvers_of(approval_id)
    for approver in approvers:
        await _reserve(
            REQUESTED, approver["email"], approval_id, approver["id"], {"companyMemberId": str(approver["id"])}
        )
    return bool(approvers)


async def reserve_decision(approval_id: uuid.UUID) -> None:
    """Inside a unit of work; nothing for somebody who has left the company meanwhile."""
    approval = (await approval_queries.by_ids([approval_id])).get(approval_id)
    if approval is not None and approval["asked_by"] is not None:
        await _reserve(DECIDED, approval["asked_by"], approval_id, approval["customer_id"])


async def _reserve(
    template: str, email: str, approval_id: uuid.UUID, to: uuid.UUID, more: Mapping[str, str] = MappingProxyType({})
) -> None:
    await ledger.reserve(
        dedupe_key=f"{template}:{approval_id.hex}:{to.hex}",
        channel=MessageChannel.EMAIL,
        purpose=MessagePurpose.TRANSACTIONAL,
        template=template,
        recipient=email,
        order_id=None,
        context={"orderApprovalId": str(approval_id), **more},
    )


@checks.before_sending("order_approvals.mails")
async def pointless(row: LedgerRow) -> MessageReason | None:
    """Nobody is asked for what somebody else has decided on, or what was taken back, while the mail waited."""
    if row.template != REQUESTED:
        return None
    approval_id = uuid.UUID(row.context["orderApprovalId"])
    approval = (await approval_queries.by_ids([approval_id])).get(approval_id)
    pending = approval is not None and approval["state"] == ApprovalState.PENDING
    return None if pending else MessageReason.SUPERSEDED


async def build(context: Mapping[str, object], settings: Settings) -> dict[str, object]:
    """The values of either template. Raises ApprovalNotFoundError."""
    approval_id = uuid.UUID(str(context["orderApprovalId"]))
    approval = (await approval_queries.by_ids([approval_id])).get(approval_id)
    if approval is None:
        raise ApprovalNotFoundError("there is no such approval")
    shop = await shop_queries.current()
    locale, currency = formats.text_locale(shop.locale or LANGUAGE), approval["currency_code"]
    goes = orjson.loads(approval["delivery"]) if approval["delivery"] else None
    return {
        "language": LANGUAGE,
        "shop": shop_values(shop, settings),
        "company": approval["company_name"],
        "asked_by": approval["asked_by"],
        "total": formats.money_text(approval["total_minor"], currency, locale),
        "maximum": formats.money_text(approval["maximum_minor"], currency, locale),
        "expires_on": formats.day_text(approval["expires_at"], shop.time_zone or "UTC", locale),
        "message": approval["message"],
        "comment": approval["comment"],
        "is_approved": approval["state"] != ApprovalState.REJECTED,
        "url": approval_links.url_for(approval_id, uuid.UUID(str(member_id)))
        if (member_id := context.get("companyMemberId"))
        else approval_links.storefront_page(approval_id),
        "delivery": delivery.lines_of(goes),
        "is_fetched": goes is not None and goes["kind"] == delivery.PICKUP,
        "is_delivery_open": goes is None,
        "lines": [
            {**line, "total": formats.money_text(line["total_minor"], currency, locale)}
            for line in orjson.loads(approval["lines"])
        ],
    }
