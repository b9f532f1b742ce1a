"""What every resolver knows about the request."""

from dataclasses import dataclass
from typing import TypeAlias

import strawberry
from starlette.requests import HTTPConnection

from app.rate_limit import client_unit
from app.settings import Settings
from app.staff import queries as staff_queries
from app.staff.permissions import StaffIdentity


@dataclass(slots=True)
class Context:
    settings: Settings
    staff: StaffIdentity | None = None
    client_address: str = ""
    """Of the shopper, behind the proxies that the settings trust; a `client_unit` for rate limits, never for logs."""
    request_id: str = ""


Info: TypeAlias = strawberry.Info[Context, None]


def bearer_token(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def client_address(connection: HTTPConnection, trusted_proxies: int) -> str:
    """What the outermost trusted proxy saw. Anything further left in the header was the client's to forge."""
    direct = client_unit(connection.client.host if connection.client else "")
    if not trusted_proxies:
        return direct
    # A proxy may add a line of its own instead of adding to the client's: all of them together are the header.
    lines = ",".join(connection.headers.getlist("x-forwarded-for"))
    hops = [hop.strip() for hop in lines.split(",") if hop.strip()]
    return client_unit(hops[-trusted_proxies]) if len(hops) >= trusted_proxies else direct


async def build_context(connection: HTTPConnection, settings: Settings, authorization: str | None = None) -> Context:
    """`authorization` overrides the header: WebSocket clients of browsers send it in `connection_init`."""
    token = bearer_token(authorization or connection.headers.get("authorization"))
    return Context(
        settings=settings,
        staff=await staff_queries.identity_of(token) if token else None,
        client_address=client_address(connection, settings.trusted_proxies),
        request_id=connection.scope.get("state", {}).get("request_id", ""),
    )
