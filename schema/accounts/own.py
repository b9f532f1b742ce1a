"""What customers read and change of their own account."""

from typing import Annotated, Any

import strawberry

from app.accounts import changing, closing
from app.accounts import sessions as own_sessions
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.sessions import service as sessions
from schema.access import CUSTOMER, PUBLIC, mutation, query
from schema.accounts.guards import signed_in
from schema.accounts.inputs import CustomerDeletePayload, CustomerPayload, CustomerUpdateInput, SessionsEndPayload
from schema.accounts.showing import SESSION_PREFIX, load_customers
from schema.accounts.types import Customer
from schema.context import Info
from schema.selection import Selection

OwnPassword = Annotated[
    str | None,
    strawberry.argument(
        description="The account's password. An account without one has to have signed in within 15 minutes."
    ),
]


@strawberry.type
class OwnAccountQueries:
    @query(access=PUBLIC, description="The signed-in customer; null when nobody is.")
    async def me(self, info: Info) -> Customer | None:
        own = info.context.customer
        return (await load_customers(info, [own.id], Selection.of(info))).get(own.id) if own else None


@strawberry.type
class OwnAccountMutations:
    @mutation(access=CUSTOMER, description="Change what the own account says of its owner.")
    async def customer_update(
        self, info: Info, input: Annotated[CustomerUpdateInput, strawberry.argument(description="What changes.")]
    ) -> CustomerPayload:
        own = signed_in(info)
        given: Any = {
            name: value
            for name in changing.AccountChange.__annotations__
            if (value := getattr(input, name)) is not strawberry.UNSET
        }
        await changing.update(own, given)
        return await own_payload(info)

    @mutation(
        access=CUSTOMER,
        description="Change the own password. Every other session ends, and so does every link that was mailed; the "
        "address is told.",
    )
    async def customer_password_update(
        self,
        info: Info,
        new_password: Annotated[str, strawberry.argument(description="10 to 256 characters, and not the address.")],
        current_password: OwnPassword = strawberry.UNSET,
    ) -> CustomerPayload:
        await changing.change_password(signed_in(info), current_password or None, new_password)
        return await own_payload(info)

    @mutation(access=CUSTOMER, description="End one session of the own account.")
    async def customer_session_revoke(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Id of the session.")]
    ) -> SessionsEndPayload:
        await own_sessions.end_one(signed_in(info).id, ids.decode(SESSION_PREFIX, id, ["id"]))
        return SessionsEndPayload(ended=1)

    @mutation(
        access=PUBLIC,
        description="End every session of whoever this request's access token belongs to, customer or staff, this one "
        "included.",
    )
    async def logout_everywhere(self, info: Info) -> SessionsEndPayload:
        own, staff = info.context.customer, info.context.staff
        if own is not None:
            kind, subject_id = sessions.CUSTOMER, own.id
        elif staff is not None and staff.session_id is not None:
            kind, subject_id = sessions.STAFF, staff.id
        else:
            raise DomainError(CommonErrorCode.UNAUTHENTICATED, "There is no session to end.")
        return SessionsEndPayload(ended=await sessions.revoke_all(kind, subject_id, "signed out everywhere"))

    @mutation(
        access=CUSTOMER,
        description="Delete the own account, for good. Of a verified one, what the shop keeps about its person is "
        "erased with it, but for what its books have to keep.",
    )
    async def customer_delete(self, info: Info, password: OwnPassword = strawberry.UNSET) -> CustomerDeletePayload:
        await closing.delete(signed_in(info), password or None)
        return CustomerDeletePayload(deleted=True)


async def own_payload(info: Info) -> CustomerPayload:
    own = signed_in(info)
    found = await load_customers(info, [own.id], Selection.of(info).below("customer"))
    return CustomerPayload(customer=found.get(own.id))
