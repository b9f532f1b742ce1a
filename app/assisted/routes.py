"""The page behind a draft order's link, for shops whose front end has none of its own (STOREFRONT_ACCOUNT_URL).

The token in the path is the proof, so another site cannot forge a request without it. GET and HEAD change nothing: mail
scanners open every link. Cards are typed into a gateway's own form, which is a front end's to show, with the gateway's
script; here the buyer is led to a page of the provider's, or pays by the ways for which no gateway is asked.
"""

import hashlib

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from app.assisted import completing, links, offer_page, queries, service, waiting, ways
from app.assisted.completing import DraftCompletion
from app.assisted.models import DraftState
from app.assisted.queries import Draft
from app.checkout.answers import ActionRequired, Answer
from app.checkout.errors import CheckoutErrorCode
from app.checkout.requests import PaymentChoice, check_key
from app.customers.page import page
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.kit.money import MAX_AMOUNT_MINOR, Money
from app.payments import later
from app.payments.later import OrderPaymentRequest
from app.rate_limit import client_unit
from app.settings import get_settings
from app.web.body import read_fields
from app.web.client import client_hop

MAX_BODY_BYTES = 10_000


def routes() -> list[BaseRoute]:
    """What is added to the API's own routes."""
    return [Route(f"{links.PATH}/{{token}}", _offer, methods=["GET", "POST"])]


async def _offer(request: Request) -> Response:
    token: str = request.path_params["token"]
    draft = await queries.by_token(token)
    if draft is None or draft.offer is None:
        return await _said("This link does not work", "Ask the shop for a new one.", status=404)
    if draft.standing not in (DraftState.SENT, DraftState.COMPLETED) and await _waits(draft) is None:
        return await _said("This offer is over", "Ask the shop for a new one.", status=410)
    if request.method != "POST":
        return await _shown(draft)
    form = await read_fields(request, MAX_BODY_BYTES)
    try:
        if "decline" in form:
            await service.decline(draft, None, ["token"])
            return await _said("You have declined", "The shop has been told. Nothing was ordered.")
        if draft.order_id and "seen" in form:
            return _to_page(token)  # a page from before the order: what it showed as due is not what is left to pay
        client = client_unit(client_hop(request, request.app.state.settings))
        answer = await (_pay_rest if draft.order_id else _place)(draft, token, form, client)
    except (DomainError, DomainErrors) as wrong:
        return await _refused(token, wrong.errors[0])
    if isinstance(answer, ActionRequired) and answer.action.url:
        return await offer_page.leaving(answer.action.url)
    return _to_page(token)


def _to_page(token: str) -> Response:
    return RedirectResponse(f"{links.PATH}/{token}", 303, headers={"Cache-Control": "no-store"})


async def _waits(draft: Draft) -> waiting.Waiting | None:
    return await waiting.find(draft.id, draft.order_id)


async def _shown(draft: Draft, problem: str | None = None) -> Response:
    if (begun := await _waits(draft)) is not None:
        return await offer_page.waits(begun, problem)
    return await (offer_page.placed if draft.order_id else offer_page.offer)(draft, problem)


async def _refused(token: str, wrong: DomainError) -> Response:
    """As it stands after that: a payment may be waiting, or somebody else was quicker."""
    draft = await queries.by_token(token)
    if draft is None or draft.standing not in (DraftState.SENT, DraftState.COMPLETED):
        return await _said("This offer is over", "Ask the shop for a new one.", status=410)
    pending = wrong.code is CheckoutErrorCode.IN_PROGRESS
    return await _shown(draft, "Your payment is not confirmed yet." if pending else wrong.message)


async def _place(draft: Draft, token: str, form: dict[str, str], client: str) -> Answer:
    """Raises DomainError, DomainErrors."""
    order = draft.offer
    if order is None:
        raise AssertionError("what a link opens has an offer")
    choice = _choice(form, token, await offer_page.offered_ways(order)) if order.due_minor else None
    seen = form.get("seen", "")
    # What is asked for again has been agreed to, and has its price.
    shown = int(seen) if seen.isascii() and seen.isdigit() and len(seen) <= len(str(MAX_AMOUNT_MINOR)) else None
    return await completing.complete_by_link(
        token,
        DraftCompletion(
            idempotency_key=_key(form),
            fingerprint=_fingerprint(choice),
            payment=choice,
            expected_total=Money(shown, order.currency_code) if shown is not None else None,
            client=client,
        ),
    )


async def _pay_rest(draft: Draft, token: str, form: dict[str, str], client: str) -> Answer:
    """Raises DomainError, DomainErrors."""
    if draft.order_id is None:
        raise AssertionError("what is complete has its order")
    choice = _choice(form, token, ways.at_providers())
    return await later.pay(
        OrderPaymentRequest(
            order_id=draft.order_id,
            payment=choice,
            idempotency_key=_key(form),
            fingerprint=_fingerprint(choice),
            client=client,
        )
    )


def _choice(form: dict[str, str], token: str, offered: list[ways.Way]) -> PaymentChoice:
    """Raises DomainError for what the page does not offer."""
    method, gateway = form.get("method", ""), form.get("gateway", "")
    for way in offered:
        if (way.method.value, way.gateway) == (method, gateway):
            return PaymentChoice(
                method=way.method,
                gateway=way.gateway or None,
                return_url=f"{get_settings().public_url}{links.PATH}/{token}" if way.gateway else None,
                purchase_order_number=form.get("number", "").strip() or None,
            )
    raise DomainError(CommonErrorCode.INVALID, "Choose how to pay.", ["method"])


def _key(form: dict[str, str]) -> str:
    """Raises DomainError for one that is not the page's: then another cannot be guessed at either."""
    key = form.get("key", "")
    check_key(key)
    if not key.startswith(waiting.KEY_PREFIX):
        raise DomainError(CommonErrorCode.INVALID, "Open the page again.", ["key"])
    return key


def _fingerprint(choice: PaymentChoice | None) -> bytes:
    said = "" if choice is None else f"{choice.method}\n{choice.gateway or ''}\n{choice.purchase_order_number or ''}"
    return hashlib.sha256(said.encode()).digest()


async def _said(heading: str, text: str, *, status: int = 200) -> Response:
    return await page("message", "Offer", status=status, heading=heading, text=text)
