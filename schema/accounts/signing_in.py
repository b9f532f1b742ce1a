"""Making an account and signing in to it."""

from typing import Annotated

import strawberry

from app.accounts import signing_in, signing_up
from app.accounts.signing_in import SignedIn
from app.cart import merging
from app.cart.service import CartKey
from app.kit import ids
from schema.access import PUBLIC, mutation
from schema.accounts.guards import client_of
from schema.accounts.showing import load_customers
from schema.accounts.types import CustomerAuthPayload, CustomerCreateInput
from schema.cart.inputs import CART_PREFIX, cart_key
from schema.context import Info
from schema.selection import Selection
from schema.staff import LoginInput
from schema.warnings import WarningType

CartId = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description="The cart that was filled before. It becomes the account's, or part of the cart that the account "
        "has; nothing in either is lost."
    ),
]


def kept_cart(cart_id: strawberry.ID | None) -> CartKey | None:
    """Raises DomainError(INVALID_ID), before anybody is signed in."""
    return cart_key(cart_id) if cart_id else None


async def auth_payload(info: Info, signed_in: SignedIn, cart: CartKey | None = None) -> CustomerAuthPayload:
    kept = await merging.keep_for_customer(cart, signed_in.customer_id) if cart else None
    found = await load_customers(info, [signed_in.customer_id], Selection.of(info).below("customer"))
    tokens = signed_in.tokens
    key = kept.key if kept else None
    return CustomerAuthPayload(
        customer=found.get(signed_in.customer_id),
        access_token=tokens.access_token if tokens else None,
        refresh_token=tokens.refresh_token if tokens else None,
        expires_at=tokens.expires_at if tokens else None,
        cart_id=strawberry.ID(ids.encode_with_secret(CART_PREFIX, key.id, key.secret)) if key else None,
        warnings=[WarningType.of(warning) for warning in kept.warnings] if kept else [],
    )


@strawberry.type
class SignInMutations:
    @mutation(
        access=PUBLIC,
        description="Make an account and sign in to it. The answer is the same whether or not somebody has the "
        "address: the new account is a claim to it until the link in the mail is used. An address that has an account "
        "is told so by mail instead.",
    )
    async def customer_create(
        self,
        info: Info,
        input: Annotated[CustomerCreateInput, strawberry.argument(description="The account.")],
        cart_id: CartId = strawberry.UNSET,
    ) -> CustomerAuthPayload:
        cart = kept_cart(cart_id)
        given = signing_up.Applicant(
            email=input.email,
            password=input.password,
            first_name=input.first_name or None,
            last_name=input.last_name or None,
            phone=input.phone or None,
        )
        return await auth_payload(info, await signing_up.create(given, client_of(info)), cart)

    @mutation(
        access=PUBLIC,
        description="Sign in. Unknown addresses and wrong passwords are answered alike, and after the same work.",
    )
    async def customer_login(
        self,
        info: Info,
        input: Annotated[LoginInput, strawberry.argument(description="Who signs in.")],
        cart_id: CartId = strawberry.UNSET,
    ) -> CustomerAuthPayload:
        cart = kept_cart(cart_id)
        return await auth_payload(info, await signing_in.sign_in(input.email, input.password, client_of(info)), cart)
