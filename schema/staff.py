"""Staff: sign-in, tokens, and who is signed in."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.sessions import service as sessions
from app.staff import queries
from app.staff import service as staff
from app.staff.permissions import Permission, StaffMember
from schema.access import ANY_MEMBER, PUBLIC, mutation, query
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.nodes import Node, node_loader
from schema.selection import Selection

describe_enum(
    Permission,
    "What a member of staff may do.",
    PRODUCTS_READ="See products that are not for sale, and exact stock.",
    PRODUCTS_WRITE="Create, change and import products and collections.",
    INVENTORY_WRITE="Change stock and warehouses.",
    ORDERS_READ="See orders with their customers.",
    ORDERS_WRITE="Cancel and fulfil orders, and record tracking events.",
    SHIPPING_WRITE="Change shipping zones and methods.",
    SETTINGS_WRITE="Change the shop's settings and policies.",
    STAFF_WRITE="Invite staff and change their permissions.",
    API_KEYS_WRITE="Make and revoke API keys, with permissions that one has oneself.",
    AUDIT_READ="See who of the staff changed what.",
    PRIVACY_WRITE="Export and erase what is kept about a person, and set for how long data is kept.",
    CUSTOMERS_READ="See profiles, their timelines, their consent and the suppression list.",
    CUSTOMERS_WRITE="Change profiles, record consent, suppress addresses.",
    MARKETING_READ="See flows, campaigns, segments, templates and what they came to.",
    MARKETING_WRITE="Change and publish flows, campaigns, segments and templates.",
    DISCOUNTS_WRITE="Make and change discounts and codes.",
    INTEGRATIONS_WRITE="Set up outgoing webhooks and connections to other systems.",
    OPERATIONS="See jobs, dead letters and sent messages; in development, move the clock.",
)


@strawberry.type(description="A member of staff.")
class StaffUser(Node):
    name: str = strawberry.field(description="What colleagues call them.")
    permissions: list[Permission] = strawberry.field(description="What they may do.")


@strawberry.input(description="Who signs in.")
class LoginInput:
    email: str = strawberry.field(description="The address of the account; case does not matter.")
    password: str = strawberry.field(description="The account's password.")


@strawberry.type(description="Answer to `staffLogin`. Send the access token as `Authorization: Bearer …`.")
class StaffAuthPayload:
    access_token: str | None = strawberry.field(default=None, description="Good for 30 minutes.")
    refresh_token: str | None = strawberry.field(default=None, description="Good for one `tokenRefresh`.")
    expires_at: dt.datetime | None = strawberry.field(default=None, description="When the access token ends.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `tokenRefresh`.")
class TokenPayload:
    access_token: str | None = strawberry.field(default=None, description="Good for 30 minutes.")
    refresh_token: str | None = strawberry.field(default=None, description="Replaces the one that was sent.")
    expires_at: dt.datetime | None = strawberry.field(default=None, description="When the access token ends.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `logout`.")
class LogoutPayload:
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


_PREFIX = "staff"


@node_loader(_PREFIX)
async def _load_staff(info: Info, texts: Sequence[str], selection: Selection) -> list[StaffUser | None]:
    """Oneself, and for those who may change the staff, everybody."""
    viewer = info.context.staff
    wanted = [ids.decode(_PREFIX, text, ["id"]) for text in texts]
    seen = [key for key in wanted if viewer and (key == viewer.id or viewer.may(Permission.STAFF_WRITE))]
    found = {user.id: _shown(user) for user in (await queries.by_ids(seen) if seen else ())}
    return [found.get(key) for key in wanted]


def _shown(user: StaffMember) -> StaffUser:
    return StaffUser(
        id=strawberry.ID(ids.encode(_PREFIX, user.id)), name=user.name, permissions=sorted(user.permissions)
    )


@strawberry.type
class StaffQueries:
    @query(access=ANY_MEMBER, description="Staff: whose access token this is.")
    async def staff_me(self, info: Info) -> StaffUser:
        identity = info.context.staff
        if identity is None:
            raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in as staff first.")
        return _shown(identity)


@strawberry.type
class StaffMutations:
    @mutation(access=PUBLIC, description="Sign in as staff.")
    async def staff_login(
        self, info: Info, input: Annotated[LoginInput, strawberry.argument(description="Who signs in.")]
    ) -> StaffAuthPayload:
        pair = await staff.sign_in(input.email, input.password, info.context.client_address)
        return StaffAuthPayload(
            access_token=pair.access_token, refresh_token=pair.refresh_token, expires_at=pair.expires_at
        )

    @mutation(
        access=PUBLIC,
        description="Exchange a refresh token for new tokens. One that was exchanged before ends the whole session.",
    )
    async def token_refresh(
        self,
        info: Info,
        refresh_token: Annotated[str, strawberry.argument(description="From sign-in or the last exchange.")],
    ) -> TokenPayload:
        pair = await sessions.refresh(refresh_token)
        return TokenPayload(
            access_token=pair.access_token, refresh_token=pair.refresh_token, expires_at=pair.expires_at
        )

    @mutation(access=PUBLIC, description="End the session of the access token that this request carries.")
    async def logout(self, info: Info) -> LogoutPayload:
        identity = info.context.staff or info.context.customer
        if identity is None or identity.session_id is None:
            raise DomainError(CommonErrorCode.UNAUTHENTICATED, "There is no session to end.")
        await sessions.revoke(identity.session_id, "signed out")
        return LogoutPayload()
