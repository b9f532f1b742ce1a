"""The page behind the link that is mailed to an approver, for shops whose front end has none of its own.

The token in the path says who is asked about what, so another site cannot forge a request without it. GET and HEAD
change nothing: mail scanners open every link. Mails are forwarded, and quoted in answers to whoever asks; so deciding
takes the approver's password, too, unless their account has none and is opened by mailed links alone.
"""

import uuid
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from app import db
from app.accounts import limits
from app.companies import approval_links, approval_queries, approvals, delivery
from app.companies.approvals import MAX_WORDS_CHARS, Decider
from app.companies.errors import CompanyErrorCode
from app.companies.models import ApprovalState, MemberRole
from app.customers.page import page
from app.errors import CommonErrorCode, DomainError
from app.messaging import formats
from app.sessions import passwords
from app.sessions.errors import SessionErrorCode
from app.shop import queries as shop_queries
from app.web.body import read_fields

MAX_BODY_BYTES = 40_000
"""The longest answer and the longest password, at twelve bytes for what is no letter of ASCII."""
_TITLE = "Order approval"


def routes() -> list[BaseRoute]:
    """What is added to the API's own routes."""
    return [Route(f"{approval_links.PATH}/{{token}}", _approval, methods=["GET", "POST"])]


async def _approval(request: Request) -> Response:
    asked = approval_links.read_token(request.path_params["token"])
    if asked is None:
        return await _said("This link does not work", "It may have been cut off. Open it from the mail again.", 404)
    if asked.is_over:
        return await _said("This link is over", "It was good for two weeks. Whoever needs the order asks again.", 410)
    approval = (await approval_queries.by_ids([asked.approval_id])).get(asked.approval_id)
    if approval is None:
        return await _said("Nobody asks for this any more", "The account of whoever asked is gone.", 410)
    approver = await approval_queries.approver(asked.member_id, approval["company_id"])
    if approver is None or approver["role"] != MemberRole.APPROVER:
        text = f"You do not decide on orders of {approval['company_name']} any more."
        return await _said("This is not yours to decide", text, 403)
    if approval["state"] != ApprovalState.PENDING:
        return await _decided(approval, approver["email"], status=409 if request.method == "POST" else 200)
    if request.method != "POST":
        return await _shown(approval, approver)
    form = await read_fields(request, MAX_BODY_BYTES)
    try:
        await _decide(asked.approval_id, approver, form)
    except DomainError as wrong:
        if wrong.code in (CompanyErrorCode.APPROVAL_NOT_PENDING, CommonErrorCode.NOT_FOUND):
            return _again(request)
        return await _shown(approval, approver, wrong, form.get("comment", ""))
    return _again(request)


def _again(request: Request) -> Response:
    """To what became of it, by this decision or by whoever was quicker."""
    return RedirectResponse(request.url.path, 303, headers={"Cache-Control": "no-store"})


async def _decide(approval_id: uuid.UUID, approver: db.Record, form: dict[str, str]) -> None:
    """Raises DomainError: of `approvals.decide`; INVALID_CREDENTIALS, RATE_LIMITED."""
    decision = ApprovalState.APPROVED if "approve" in form else ApprovalState.REJECTED if "reject" in form else None
    if decision is None:
        raise DomainError(CommonErrorCode.REQUIRED, "Approve or reject it.", ["decision"])
    if (stored := approver["password_hash"]) is not None:
        await limits.password_check(approver["customer_id"])
        if not await passwords.password_matches(stored, form.get("password", "")):
            raise DomainError(SessionErrorCode.INVALID_CREDENTIALS, "The password is wrong.", ["password"])
    decider = Decider(approver["customer_id"])
    await approvals.decide(approval_id, decider, decision, form.get("comment"))


async def _shown(
    approval: db.Record, approver: db.Record, wrong: DomainError | None = None, comment: str = ""
) -> Response:
    shop = await shop_queries.current()
    locale, currency = formats.text_locale(shop.locale), approval["currency_code"]

    def money(amount_minor: int) -> str:
        return formats.money_text(amount_minor, currency, locale)

    goes = orjson.loads(approval["delivery"]) if approval["delivery"] else None
    limited = wrong is not None and wrong.code is CommonErrorCode.RATE_LIMITED
    return await page(
        "order_approval",
        _TITLE,
        status=200 if wrong is None else 429 if limited else 422,
        problem=wrong.message if wrong else None,
        company=approval["company_name"],
        asked_by=approval["asked_by"] or "Somebody who has left the company",
        message=approval["message"],
        lines=[_line(line, money(line["total_minor"])) for line in orjson.loads(approval["lines"])],
        total=money(approval["total_minor"]),
        maximum=money(approval["maximum_minor"]) if approval["maximum_minor"] != approval["total_minor"] else None,
        delivery=delivery.lines_of(goes),
        is_fetched=goes is not None and goes["kind"] == delivery.PICKUP,
        is_delivery_open=goes is None,
        expires_on=formats.day_text(approval["expires_at"], shop.time_zone, locale),
        comment=comment,
        max_chars=MAX_WORDS_CHARS,
        email=approver["email"],
        has_password=approver["password_hash"] is not None,
        max_password_chars=passwords.MAX_PASSWORD_CHARS,
    )


def _line(line: dict[str, Any], total: str) -> dict[str, object]:
    return {"name": line["name"], "sku": line["sku"], "quantity": line["quantity"], "total": total}


async def _decided(approval: db.Record, viewer: str, *, status: int) -> Response:
    """What became of it, whoever did that."""
    shop = await shop_queries.current()
    by = "the shop" if approval["staff_id"] else "you" if approval["decided_by"] == viewer else approval["decided_by"]
    day = (
        formats.day_text(approval["decided_at"], shop.time_zone, formats.text_locale(shop.locale))
        if approval["decided_at"]
        else ""
    )
    said = f"Decided by {by or 'somebody who has left the company'} on {day}."
    asker = approval["asked_by"] or "Whoever asked"
    match ApprovalState(approval["state"]):
        case ApprovalState.APPROVED:
            return await _said("This order is approved", f"{said} {asker} can place it now.", status)
        case ApprovalState.USED:
            return await _said("This order is approved", f"{said} {asker} has placed it.", status)
        case ApprovalState.REJECTED:
            return await _said("This order is rejected", f"{said} Nothing was ordered; {asker} has been told.", status)
        case ApprovalState.CANCELLED if await approval_queries.was_asked_anew(approval["id"]):
            return await _said("This has changed since", f"{asker} has asked anew. Decide by the newer mail.", status)
        case ApprovalState.CANCELLED:
            return await _said("Nothing is left to decide", f"{asker} has taken it back, or ordered without.", status)
        case _:
            return await _said(
                "Its time is over", f"Nobody decided in time, or nothing was ordered. {asker} can ask again.", status
            )


async def _said(heading: str, text: str, status: int) -> Response:
    return await page("message", _TITLE, status=status, heading=heading, text=text)
