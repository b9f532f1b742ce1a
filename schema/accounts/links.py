"""Mailed links: asking for them, and using them."""

from typing import Annotated

import strawberry

from app.accounts import changing, mailing, verifying
from app.accounts.models import AccountTokenKind
from schema.access import CUSTOMER, PUBLIC, mutation
from schema.accounts.guards import client_of, signed_in
from schema.accounts.inputs import AccountMailPayload, CustomerPayload
from schema.accounts.showing import load_customers
from schema.accounts.signing_in import CartId, auth_payload, kept_cart
from schema.accounts.types import CustomerAuthPayload
from schema.context import Info
from schema.selection import Selection

Token = Annotated[str, strawberry.argument(description="From the link: what takes the place of `{token}`.")]
Email = Annotated[str, strawberry.argument(description="The address of the account.")]


@strawberry.type
class LinkMutations:
    @mutation(access=CUSTOMER, description="Mail the link once more that verifies the address of the own account.")
    async def customer_email_verification_send(self, info: Info) -> AccountMailPayload:
        await mailing.want_verification(signed_in(info), client_of(info))
        return AccountMailPayload(accepted=True)

    @mutation(
        access=PUBLIC,
        description="Verify an address with the link that was mailed to it. The account is the address's from then on: "
        "other accounts that claimed it are gone, and orders placed as a guest with it belong to the account. Send the "
        "access token of the account along, or a password.",
    )
    async def customer_email_verify(
        self,
        info: Info,
        token: Token,
        password: Annotated[
            str | None,
            strawberry.argument(
                description="Needed without an access token of the account, since somebody else may have made it: its "
                "password; or another one, of a new account that takes its place, without what it kept. Signs in."
            ),
        ] = strawberry.UNSET,
    ) -> CustomerAuthPayload:
        done = await verifying.verify_email(token, password or None, own=info.context.customer, client=client_of(info))
        return await auth_payload(info, done)

    @mutation(
        access=PUBLIC,
        description="Mail a link for choosing a new password to the address, if it has an account.",
    )
    async def customer_password_reset_send(self, info: Info, email: Email) -> AccountMailPayload:
        await mailing.want_link(AccountTokenKind.RESET_PASSWORD, email, client_of(info))
        return AccountMailPayload(accepted=True)

    @mutation(
        access=PUBLIC,
        description="Choose a new password with the link that was mailed, and sign in. Every other session ends, and "
        "so does every other link. An account that was not verified is replaced by a new one that is, without what it "
        "kept.",
    )
    async def customer_password_reset(
        self,
        info: Info,
        token: Token,
        password: Annotated[
            str, strawberry.argument(description="The new password: 10 to 256 characters, and not the address.")
        ],
    ) -> CustomerAuthPayload:
        return await auth_payload(info, await verifying.reset_password(token, password, client_of(info)))

    @mutation(access=PUBLIC, description="Mail a link for signing in to the address, if it has an account.")
    async def customer_sign_in_link_send(self, info: Info, email: Email) -> AccountMailPayload:
        await mailing.want_link(AccountTokenKind.SIGN_IN, email, client_of(info))
        return AccountMailPayload(accepted=True)

    @mutation(
        access=PUBLIC,
        description="Sign in with the link that was mailed. An account that was not verified is replaced by a new one "
        "that is, without its password and what it kept, as somebody else may have made it.",
    )
    async def customer_sign_in_with_link(
        self, info: Info, token: Token, cart_id: CartId = strawberry.UNSET
    ) -> CustomerAuthPayload:
        cart = kept_cart(cart_id)
        return await auth_payload(info, await verifying.sign_in_with_link(token, client_of(info)), cart)

    @mutation(
        access=CUSTOMER,
        description="Have a link mailed to a new address. The account keeps the old one until the link is used; the "
        "answer is the same for addresses that have an account.",
    )
    async def customer_email_update(
        self,
        info: Info,
        new_email: Annotated[str, strawberry.argument(description="The new address.")],
        password: Annotated[
            str | None,
            strawberry.argument(
                description="The account's password. An account without one has to have signed in within 15 minutes."
            ),
        ] = strawberry.UNSET,
    ) -> AccountMailPayload:
        await changing.want_email_change(signed_in(info), new_email, password or None)
        return AccountMailPayload(accepted=True)

    @mutation(
        access=PUBLIC,
        description="Use the new address, with the link that was mailed there. The old address is told. Send the "
        "access token of the account along, or its password.",
    )
    async def customer_email_update_confirm(
        self,
        info: Info,
        token: Token,
        password: Annotated[
            str | None,
            strawberry.argument(description="Needed without an access token of the account: its password."),
        ] = strawberry.UNSET,
    ) -> CustomerPayload:
        customer_id = await changing.confirm_email_change(token, password or None, own=info.context.customer)
        found = await load_customers(info, [customer_id], Selection.of(info).below("customer"))
        return CustomerPayload(customer=found.get(customer_id))
