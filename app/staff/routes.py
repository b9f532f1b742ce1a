"""The pages behind the links that are mailed to staff, in every environment.

The token in the path is the proof, so another site cannot forge a request without it. GET and HEAD change nothing:
mail scanners open every link. A dashboard of one's own can take their place (STAFF_URL).
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.accounts.clients import Client
from app.audit.actors import origin_of_request
from app.audit.recording import Origin
from app.customers.page import page
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.rate_limit import client_unit
from app.sessions.passwords import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS
from app.settings import Settings
from app.staff import invitations, links, password_changes
from app.web.body import read_fields
from app.web.client import client_hop

MAX_BODY_BYTES = 10_000


def routes() -> list[BaseRoute]:
    """What is added to the API's own routes."""
    return [
        Route(f"{links.PATH}/invitation/{{token}}", _invitation, methods=["GET", "POST"]),
        Route(f"{links.PATH}/password-reset/{{token}}", _password_reset, methods=["GET", "POST"]),
    ]


async def _invitation(request: Request) -> Response:
    token = request.path_params["token"]
    found = await invitations.open_one(token)
    if found is None:
        return await _broken()
    problem, status = None, 200
    if request.method == "POST":
        form = await read_fields(request, MAX_BODY_BYTES)
        try:
            await invitations.accept(
                token,
                password=form.get("password", ""),
                name=form.get("name") or None,
                client=_client(request),
                origin=_origin(request),
                signs_in=False,
            )
        except (DomainError, DomainErrors) as error:
            problem, status = _told(error)
        else:
            return await _done("You have joined", "Your password is set. You can sign in with it now.")
    return await page(
        "staff_invitation",
        "Join the staff",
        status=status,
        problem=problem,
        email=found["email"],
        called=found["name"],
        role=found["role_name"],
        min_chars=MIN_PASSWORD_CHARS,
        max_chars=MAX_PASSWORD_CHARS,
    )


async def _password_reset(request: Request) -> Response:
    token = request.path_params["token"]
    if await password_changes.member_of(token) is None:
        return await _broken()
    problem, status = None, 200
    if request.method == "POST":
        form = await read_fields(request, MAX_BODY_BYTES)
        try:
            await password_changes.reset(
                token, password=form.get("password", ""), client=_client(request), origin=_origin(request)
            )
        except (DomainError, DomainErrors) as error:
            problem, status = _told(error)
        else:
            return await _done("Your password is set", "You were signed out everywhere. Sign in with the new password.")
    return await page(
        "staff_password_reset",
        "A new password",
        status=status,
        problem=problem,
        min_chars=MIN_PASSWORD_CHARS,
        max_chars=MAX_PASSWORD_CHARS,
    )


def _told(error: DomainError | DomainErrors) -> tuple[str, int]:
    limited = any(one.code is CommonErrorCode.RATE_LIMITED for one in error.errors)
    return " ".join(one.message for one in error.errors), 429 if limited else 422


def _client(request: Request) -> Client:
    settings: Settings = request.app.state.settings
    return Client(client_unit(client_hop(request, settings)), request.headers.get("user-agent"))


def _origin(request: Request) -> Origin:
    settings: Settings = request.app.state.settings
    return origin_of_request(request, settings)


async def _done(heading: str, text: str) -> Response:
    return await page("message", heading, heading=heading, text=text)


async def _broken() -> Response:
    """The same for a link that was cut off, altered, used, replaced or has expired."""
    return await page(
        "message",
        "Link",
        status=404,
        heading="This link does not work",
        text="It was used, has expired or was cut off. Ask for another one.",
    )
