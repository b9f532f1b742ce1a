"""The page behind an invitation's link, for shops whose front end has none of its own (STOREFRONT_ACCOUNT_URL).

The token in the path is the proof of the invitation, and the password that of the account that joins. GET and HEAD
change nothing: mail scanners open every link.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.accounts.clients import Client
from app.accounts.signing_in import sign_in
from app.accounts.signing_up import create
from app.companies import approval_page, invitations
from app.customers.page import page
from app.errors import DomainError, DomainErrors
from app.rate_limit import client_unit
from app.sessions import passwords
from app.sessions import service as sessions
from app.web.body import read_fields
from app.web.client import client_hop

MAX_BODY_BYTES = 10_000


def routes() -> list[BaseRoute]:
    """What is added to the API's own routes."""
    return [
        Route(f"{invitations.PATH}/{{token}}", _invitation, methods=["GET", "POST"]),
        *approval_page.routes(),
    ]


async def _invitation(request: Request) -> Response:
    token: str = request.path_params["token"]
    invited = await invitations.find(token)
    if invited is None:
        return await _broken()
    email, problem = invited.email, None
    if request.method == "POST":
        form = await read_fields(request, MAX_BODY_BYTES)
        email = form.get("email", "").strip()
        client = Client(client_unit(client_hop(request, request.app.state.settings)), request.headers.get("user-agent"))
        try:
            await _join(token, email, form.get("password", ""), client, is_new="create" in form)
            return await page(
                "message",
                invited.company_name,
                heading=f"You buy for {invited.company_name} now",
                text="Sign in with this account, and choose the company for your cart.",
            )
        except (DomainError, DomainErrors) as wrong:
            first = wrong.errors[0]
            if first.field == ["token"] and await invitations.find(token) is None:
                return await _broken()
            problem = first.message
    return await page(
        "company_invitation",
        invited.company_name,
        status=200 if problem is None else 422,
        company=invited.company_name,
        email=email,
        problem=problem,
        min_chars=passwords.MIN_PASSWORD_CHARS,
        max_chars=passwords.MAX_PASSWORD_CHARS,
    )


async def _join(token: str, email: str, password: str, client: Client, *, is_new: bool) -> None:
    """Raises DomainError, DomainErrors. A page keeps no session: who joined signs in with the storefront."""
    if is_new:
        signed_in = await create(
            {"email": email, "password": password, "first_name": None, "last_name": None, "phone": None}, client
        )
    else:
        signed_in = await sign_in(email, password, client)
    try:
        await invitations.accept(token, signed_in.customer_id)
    finally:
        if signed_in.tokens is not None:
            await sessions.revoke(signed_in.tokens.session_id, "opened by a page")


async def _broken() -> Response:
    """The same for an invitation that was used, taken back, is over or never was."""
    return await page(
        "message",
        "Invitation",
        status=404,
        heading="This invitation is not good any more",
        text="It works once, for a week, and only the newest one does. Ask the shop for another.",
    )
