"""What every resolver knows about the request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import strawberry
from starlette.requests import HTTPConnection

from app.accounts.identity import CustomerIdentity
from app.accounts.identity import identity_of as customer_of
from app.audit.recording import Origin
from app.markets.terms import BuyingContext, MarketTerms
from app.rate_limit import client_unit
from app.sessions.service import CUSTOMER_TOKEN_PREFIX
from app.settings import Settings
from app.staff import queries as staff_queries
from app.staff.permissions import StaffIdentity
from app.web.client import client_hop, client_ip
from app.web.robots import is_fetched_ahead
from schema.throttling import Throttle, throttle_for

COUNTRY_HEADER, CURRENCY_HEADER = "X-Country", "X-Currency"
PLACE_HEADERS = (COUNTRY_HEADER, CURRENCY_HEADER, "Accept-Language")
"""What says where a shopper is, beside `@inContext`."""


@dataclass(slots=True)
class Context:
    settings: Settings
    staff: StaffIdentity | None = None
    """A member of staff who is signed in, or an API key."""
    customer: CustomerIdentity | None = None
    """Never together with staff: a token is of one kind."""
    client_address: str = ""
    """Of the shopper, behind the proxies that the settings trust; a `client_unit` for rate limits, never for logs."""
    ip: str | None = None
    """The whole address: kept as a part of the proof of a consent and with what staff do, and for nothing else."""
    user_agent: str | None = None
    fetched_ahead: bool = False
    """Sent by a page that a browser loads before anybody asks to see it."""
    request_id: str = ""
    retry_after_seconds: int = 0
    """When to try again, after a refusal for too many attempts; 0 when there was none."""
    throttle: Throttle | None = None
    """Who pays for the request; None where nothing is counted."""
    token: str | None = field(default=None, repr=False)
    """That the request came with: what is watched for long asks again whether it still holds."""
    place_headers: Mapping[str, str] = field(default_factory=dict)
    """Those of `PLACE_HEADERS` that the request has, as they are."""
    buying: BuyingContext | None = None
    """Where the shopper is. Each operation gets it before it is executed; None only where there is no shop yet."""

    @property
    def market(self) -> MarketTerms:
        if self.buying is None:
            raise RuntimeError("there is no shop, and so no market")
        return self.buying.market


Info: TypeAlias = strawberry.Info[Context, None]


def origin_of(context: Context) -> Origin:
    return Origin(context.ip, context.user_agent, context.request_id)


def bearer_token(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def client_address(connection: HTTPConnection, settings: Settings) -> str:
    """For rate limits: what a client cannot change by itself."""
    return client_unit(client_hop(connection, settings))


async def build_context(connection: HTTPConnection, settings: Settings, authorization: str | None = None) -> Context:
    """`authorization` overrides the header: WebSocket clients of browsers send it in `connection_init`."""
    token = bearer_token(authorization or connection.headers.get("authorization"))
    staff, customer = await identify(token)
    client = client_address(connection, settings)
    return Context(
        settings=settings,
        staff=staff,
        customer=customer,
        client_address=client,
        ip=client_ip(connection, settings),
        user_agent=connection.headers.get("user-agent"),
        fetched_ahead=is_fetched_ahead(connection.headers),
        request_id=connection.scope.get("state", {}).get("request_id", ""),
        throttle=throttle_for(settings, client, staff, customer),
        token=token,
        place_headers={name: value for name in PLACE_HEADERS if (value := connection.headers.get(name))},
    )


async def identify(token: str | None) -> tuple[StaffIdentity | None, CustomerIdentity | None]:
    """Whose token it is now."""
    if token is None:
        return None, None
    if token.startswith(CUSTOMER_TOKEN_PREFIX):
        return None, await customer_of(token)
    return await staff_queries.identity_of(token), None
