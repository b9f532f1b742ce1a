"""An account, as its owner and staff see it."""

import datetime as dt

import strawberry

from schema.accounts.addresses import CustomerAddresses
from schema.accounts.carts import CustomerCarts
from schema.accounts.consent import CustomerConsents
from schema.accounts.orders import CustomerOrders
from schema.accounts.payment_methods import CustomerPaymentMethods
from schema.accounts.store_credit import CustomerStoreCredit
from schema.errors import UserError
from schema.nodes import Node
from schema.warnings import WarningType


@strawberry.type(description="A device or program that is signed in to the account.")
class CustomerSession:
    id: strawberry.ID = strawberry.field(description="To end it with `customerSessionRevoke`.")
    created_at: dt.datetime = strawberry.field(description="When it signed in.")
    expires_at: dt.datetime = strawberry.field(description="When it ends, however often its tokens are refreshed.")
    user_agent: str | None = strawberry.field(description="What it calls itself.")
    current: bool = strawberry.field(description="Whether it is the one that asks.")


@strawberry.type
class CustomerSessions:
    sessions: list[CustomerSession] = strawberry.field(
        default_factory=list,
        description="Where the account is signed in, the newest first, up to 100. Empty for everybody but its owner.",
    )


@strawberry.type
class CustomerFacts:
    email: str = strawberry.field(description="Where it is written to.")
    email_verified: bool = strawberry.field(description="Whether its owner has shown that the address is theirs.")
    first_name: str | None = strawberry.field(description="Given name.")
    last_name: str | None = strawberry.field(description="Family name.")
    phone: str | None = strawberry.field(description="In international form (E.164); it is not verified.")
    language: str | None = strawberry.field(description="Language tag; null for the shop's.")
    has_password: bool = strawberry.field(description="False where its owner signs in by mailed links alone.")
    active: bool = strawberry.field(description="False when the shop has closed the account.")
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When its own data last changed.")
    last_login_at: dt.datetime | None = strawberry.field(description="When it last signed in.")


@strawberry.type(
    description="An account. Until its address is verified it is only a claim to that address: it sees what was done "
    "with it, and nothing else that belongs to the address."
)
class Customer(
    Node,
    CustomerFacts,
    CustomerSessions,
    CustomerConsents,
    CustomerCarts,
    CustomerAddresses,
    CustomerOrders,
    CustomerPaymentMethods,
    CustomerStoreCredit,
):
    pass


@strawberry.input(description="A new account.")
class CustomerCreateInput:
    email: str = strawberry.field(description="Its address; a link to verify it is mailed there.")
    password: str = strawberry.field(description="10 to 256 characters, and not the address.")
    first_name: str | None = strawberry.field(default=strawberry.UNSET, description="Given name.")
    last_name: str | None = strawberry.field(default=strawberry.UNSET, description="Family name.")
    phone: str | None = strawberry.field(default=strawberry.UNSET, description="In international form (E.164).")


@strawberry.type(
    description="Answer to what signs a customer in. Send the access token as `Authorization: Bearer …`, and exchange "
    "the refresh token with `tokenRefresh`."
)
class CustomerAuthPayload:
    customer: Customer | None = strawberry.field(default=None, description="Who is signed in.")
    access_token: str | None = strawberry.field(
        default=None, description="Good for 30 minutes. Null where the session that asked goes on."
    )
    refresh_token: str | None = strawberry.field(default=None, description="Good for one `tokenRefresh`.")
    expires_at: dt.datetime | None = strawberry.field(default=None, description="When the access token ends.")
    cart_id: strawberry.ID | None = strawberry.field(
        default=None, description="The cart to go on with, where a `cartId` was given: the account's from now on."
    )
    warnings: list[WarningType] = strawberry.field(
        default_factory=list, description="Where the given cart could not become the account's, or one with its own."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")
