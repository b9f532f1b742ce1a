"""The pages behind mailed links, for shops whose front end has none of its own (STOREFRONT_ACCOUNT_URL).

The token in the path is the proof, so another site cannot forge a request without it. GET and HEAD change nothing: mail
scanners open every link. A page carries no session, so it asks for the password where a mutation would take either.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.accounts import changing, links, verifying
from app.accounts.clients import Client
from app.accounts.models import AccountTokenKind
from app.accounts.signing_in import SignedIn
from app.customers.page import page
from app.errors import CommonErrorCode, DomainError
from app.rate_limit import client_unit
from app.sessions import service as sessions
from app.settings import Settings
from app.web.body import read_fields
from app.web.client import client_hop

MAX_BODY_BYTES = 10_000
_KINDS = {action: kind for kind, action in links.ACTIONS.items()}
_TITLES = {
    AccountTokenKind.VERIFY_EMAIL: "Your address",
    AccountTokenKind.RESET_PASSWORD: "A new password",
    AccountTokenKind.SIGN_IN: "Sign in",
    AccountTokenKind.CHANGE_EMAIL: "Your new address",
}


def routes() -> list[BaseRoute]:
    """What is added to the API's own routes."""
    return [
        Route(f"{links.PATH}/{action}/{{token}}", _page, methods=["GET", "POST"], name=f"account {action}")
        for action in _KINDS
    ]


async def _page(request: Request) -> Response:
    kind = _KINDS[request.url.path.split("/")[-2]]
    token: str = request.path_params["token"]
    problem = None
    try:
        await links.find(kind, token)
        if request.method == "POST":
            form = await read_fields(request, MAX_BODY_BYTES)
            signed_in = await _act(kind, token, form.get("password", ""), _client(request))
            return await _done(kind, signed_in)
    except DomainError as error:
        if error.field == ["token"]:
            return await _broken()
        problem = _told(error)
    return await page(
        "account",
        _TITLES[kind],
        status=200 if problem is None else 422,
        kind=kind.value,
        problem=problem,
    )


async def _act(kind: AccountTokenKind, token: str, password: str, client: Client) -> SignedIn | None:
    """Raises DomainError."""
    match kind:
        case AccountTokenKind.VERIFY_EMAIL:
            return await verifying.verify_email(token, password or None, own=None, client=client)
        case AccountTokenKind.RESET_PASSWORD:
            return await verifying.reset_password(token, password, client)
        case AccountTokenKind.SIGN_IN:
            return await verifying.sign_in_with_link(token, client)
        case AccountTokenKind.CHANGE_EMAIL:
            await changing.confirm_email_change(token, password or None, own=None)
            return None


async def _done(kind: AccountTokenKind, signed_in: SignedIn | None) -> Response:
    """A page keeps no session; whoever signs in by it is given what a front end would keep."""
    tokens = signed_in.tokens if signed_in else None
    if tokens is not None and kind is not AccountTokenKind.SIGN_IN:
        await sessions.revoke(tokens.session_id, "opened by a page")
    return await page(
        "account_done", _TITLES[kind], kind=kind.value, access_token=tokens.access_token if tokens else None
    )


def _told(error: DomainError) -> str:
    if error.code is CommonErrorCode.REQUIRED:
        return "Enter the password."
    return error.message


async def _broken() -> Response:
    """The same for a link that was used, has expired, was replaced, cut off or never made."""
    return await page(
        "message",
        "Link",
        status=404,
        heading="This link does not work",
        text="It works once and for a while, and only the newest one does. Please ask for another.",
    )


def _client(request: Request) -> Client:
    settings: Settings = request.app.state.settings
    return Client(client_unit(client_hop(request, settings)), request.headers.get("user-agent"))
