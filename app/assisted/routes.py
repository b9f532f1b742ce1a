"""The page behind a draft order's link, for shops whose front end has none of its own (STOREFRONT_ACCOUNT_URL).

The token in the path is the proof, so another site cannot forge a request without it. GET and HEAD change nothing: mail
scanners open every link. Cards are typed into a gateway's own form, which is a front end's to show; here the order is
placed by the ways to pay for which no gateway is asked.
"""

import hashlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app import db
from app.assisted import completing, links, queries, service
from app.assisted.completing import DraftCompletion
from app.assisted.models import DraftState
from app.assisted.queries import Draft
from app.checkout.answers import Placed
from app.checkout.payment_methods import offered_methods, terms_for
from app.checkout.requests import PaymentChoice
from app.configuration import VERSIONS, versions_of
from app.customers.page import page
from app.errors import DomainError, DomainErrors
from app.messaging import formats
from app.payments.models import PaymentMethod
from app.rate_limit import client_unit
from app.shop import queries as shop_queries
from app.web.body import read_form
from app.web.client import client_hop

MAX_BODY_BYTES = 10_000
_LABELS = {
    PaymentMethod.BANK_TRANSFER: "Order, and pay by bank transfer",
    PaymentMethod.CASH_ON_DELIVERY: "Order, and pay on delivery",
    PaymentMethod.PURCHASE_ORDER: "Order on the company's account",
}


def routes() -> list[BaseRoute]:
    """What is added to the API's own routes."""
    return [Route(f"{links.PATH}/{{token}}", _offer, methods=["GET", "POST"])]


async def _offer(request: Request) -> Response:
    token: str = request.path_params["token"]
    draft = await queries.by_token(token)
    if draft is None or draft.offer is None:
        return await _said("This link does not work", "Ask the shop for a new one.", status=404)
    if draft.standing is DraftState.COMPLETED:
        return await _said("Thank you", "The order is placed; a confirmation is on its way to you.")
    if draft.standing is not DraftState.SENT:
        return await _said("This offer is over", "Ask the shop for a new one.", status=410)
    problem = None
    if request.method == "POST":
        form = {name: values[-1] for name, values in (await read_form(request, MAX_BODY_BYTES)).items()}
        try:
            if "decline" in form:
                await service.decline(draft, None, ["token"])
                return await _said("You have declined", "The shop has been told. Nothing was ordered.")
            await _place(token, form, client_unit(client_hop(request, request.app.state.settings)))
            return await _said("Thank you", "The order is placed; a confirmation is on its way to you.")
        except (DomainError, DomainErrors) as wrong:
            problem = wrong.errors[0].message
    return await _shown(draft, problem)


async def _place(token: str, form: dict[str, str], client: str) -> None:
    """Raises DomainError, DomainErrors."""
    method, number = form.get("method", ""), form.get("number", "").strip()
    known = method in {one.value for one in _LABELS}
    choice = PaymentChoice(method=PaymentMethod(method), purchase_order_number=number or None) if known else None
    sent = hashlib.sha256(f"{method}\n{number}".encode())
    answer = await completing.complete_by_link(
        token,
        DraftCompletion(
            idempotency_key=f"page-{sent.hexdigest()}", fingerprint=sent.digest(), payment=choice, client=client
        ),
    )
    if not isinstance(answer, Placed):
        raise AssertionError("nobody is asked for what this page offers")


async def _shown(draft: Draft, problem: str | None) -> Response:
    order = draft.offer
    if order is None or draft.expires_at is None:
        raise AssertionError("what was sent has both")
    shop = await shop_queries.current()
    locale = formats.text_locale(shop.locale)
    versions = versions_of(await db.fetchval(f"SELECT {VERSIONS}"))
    terms = await terms_for(versions, order.company_id)
    offered = [one.method for one in offered_methods(due_minor=order.due_minor, ships=order.ships, terms=terms)]

    def money(amount_minor: int) -> str:
        return formats.money_text(amount_minor, order.currency_code, locale)

    return await page(
        "offer",
        "Your offer",
        status=200 if problem is None else 422,
        problem=problem,
        lines=[
            {"name": line.product_name, "quantity": line.quantity, "total": money(line.total_minor)}
            for line in order.lines
        ],
        shipping=money(order.shipping_minor),
        tax=money(order.tax_minor),
        total=money(order.total_minor),
        expires_on=formats.day_text(draft.expires_at, shop.time_zone, locale),
        message=draft.reply,
        is_free=order.due_minor == 0,
        on_account=PaymentMethod.PURCHASE_ORDER in offered,
        methods=[
            {"value": method.value, "label": _LABELS[method]}
            for method in offered
            if method in _LABELS and method is not PaymentMethod.PURCHASE_ORDER
        ],
    )


async def _said(heading: str, text: str, *, status: int = 200) -> Response:
    return await page("message", "Offer", status=status, heading=heading, text=text)
