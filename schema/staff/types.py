"""Staff, roles, invitations, keys and sessions, as staff see them."""

import datetime as dt
from collections.abc import Iterable
from typing import Self

import strawberry

from app.db import Record
from app.kit import ids
from app.sessions.service import TokenPair
from app.staff import listing
from app.staff.permissions import Permission
from schema.enums import describe_enum
from schema.errors import UserError
from schema.nodes import Node

STAFF_PREFIX, ROLE_PREFIX, INVITATION_PREFIX, KEY_PREFIX, SESSION_PREFIX = "staff", "role", "inv", "key", "sess"

describe_enum(
    Permission,
    "What a member of staff may do.",
    PRODUCTS_READ="See products that are not for sale, and exact stock.",
    PRODUCTS_WRITE="Create, change and import products and collections.",
    INVENTORY_WRITE="Change stock and warehouses.",
    ORDERS_READ="See orders with their customers.",
    ORDERS_WRITE="Cancel and fulfil orders, and record tracking events.",
    REFUNDS_WRITE="Give money back; with ORDERS_WRITE, cancel orders whose money has been taken.",
    SHIPPING_WRITE="Change shipping zones and methods.",
    SETTINGS_WRITE="Change the shop's settings and policies.",
    STAFF_WRITE="Invite staff and change their permissions. Not for API keys.",
    API_KEYS_WRITE="Make and revoke API keys, with permissions that one has oneself. Not for API keys.",
    AUDIT_READ="See who of the staff changed what.",
    PRIVACY_WRITE="Export and erase what is kept about a person, and set for how long data is kept.",
    CUSTOMERS_READ="See profiles, their timelines, their consent and the suppression list.",
    CUSTOMERS_WRITE="Change profiles, record consent, suppress addresses.",
    MARKETING_READ="See flows, campaigns, segments, templates and what they came to.",
    MARKETING_WRITE="Change and publish flows, campaigns, segments and templates.",
    DISCOUNTS_WRITE="Make and change discounts and codes.",
    GIFT_CARDS_READ="See gift cards and store credit with their ledgers; never a code.",
    GIFT_CARDS_WRITE="Issue gift cards and store credit, and change what they are worth.",
    MARKETS_WRITE="See and change markets, price lists and groups of customers.",
    TAXES_WRITE="See and change zones, classes and rates of tax, exemptions and how tax is computed.",
    DRAFT_ORDERS_WRITE="Write draft orders and quotations, at negotiated prices; send them, and settle them by hand.",
    COMPANIES_READ="See companies and who buys for them.",
    COMPANIES_WRITE="Change companies, their terms of payment and their members.",
    INTEGRATIONS_WRITE="Set up outgoing webhooks and connections to other systems.",
    OPERATIONS="See jobs, dead letters and sent messages; in development, move the clock.",
)


def shown(permissions: Iterable[Permission]) -> list[Permission]:
    return sorted(permissions)


@strawberry.type(description="What staff may do, under a name.")
class StaffRole:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    name: str = strawberry.field(description="For staff.")
    permissions: list[Permission] = strawberry.field(description="What everybody in it may do; none allows nothing.")
    is_owner: bool = strawberry.field(
        description="Whether it is the role of owners, which has every permission, also those of later releases."
    )

    @classmethod
    def of(cls, role: listing.Role) -> Self:
        return cls(
            id=strawberry.ID(ids.encode(ROLE_PREFIX, role.id)),
            name=role.name,
            permissions=shown(role.permissions),
            is_owner=role.is_owner,
        )


@strawberry.type(description="A member of staff.")
class StaffUser(Node):
    email: str = strawberry.field(description="What they sign in with.")
    name: str = strawberry.field(description="What colleagues call them.")
    role: StaffRole = strawberry.field(description="What they were given.")
    permissions: list[Permission] = strawberry.field(description="What they may do.")
    active: bool = strawberry.field(description="Whether they can sign in.")
    second_factor_enabled: bool = strawberry.field(description="Whether signing in asks for a code of their app.")
    last_login_at: dt.datetime | None = strawberry.field(description="When they last signed in.")
    created_at: dt.datetime = strawberry.field(description="When they joined.")

    @classmethod
    def of(cls, member: listing.Member) -> Self:
        return cls(
            id=strawberry.ID(ids.encode(STAFF_PREFIX, member.id)),
            email=member.email,
            name=member.name,
            role=StaffRole.of(member.role),
            permissions=shown(member.role.permissions),
            active=member.is_active,
            second_factor_enabled=member.has_second_factor,
            last_login_at=member.last_login_at,
            created_at=member.created_at,
        )


@strawberry.type(description="A mailed link by which somebody may join the staff, once.")
class StaffInvitation:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    email: str = strawberry.field(description="Whose link it is.")
    name: str = strawberry.field(description="What they are called until they say otherwise.")
    role: StaffRole = strawberry.field(description="What they will be.")
    created_at: dt.datetime = strawberry.field(description="When they were invited.")
    expires_at: dt.datetime = strawberry.field(description="Until when the link is good.")

    @classmethod
    def of(cls, invitation: listing.Invitation) -> Self:
        return cls(
            id=strawberry.ID(ids.encode(INVITATION_PREFIX, invitation.id)),
            email=invitation.email,
            name=invitation.name,
            role=StaffRole.of(invitation.role),
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
        )


@strawberry.type(
    description="A machine's way in. It may do what it was made for, as long as whoever made it may do that too; it "
    "ends when they leave."
)
class ApiKey:
    id: strawberry.ID = strawberry.field(description="Opaque and stable; not the key itself.")
    name: str = strawberry.field(description="What it is for.")
    last_characters: str = strawberry.field(description="The key's last four, to tell it by.")
    permissions: list[Permission] = strawberry.field(description="What it was made for.")
    created_by_id: strawberry.ID = strawberry.field(description="Who made it.")
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    expires_at: dt.datetime | None = strawberry.field(description="When it ends; null for never.")
    revoked_at: dt.datetime | None = strawberry.field(description="When it was ended by hand, or with its maker.")
    last_used_at: dt.datetime | None = strawberry.field(description="When it was last used, to the hour.")

    @classmethod
    def of(cls, key: listing.Key) -> Self:
        return cls(
            id=strawberry.ID(ids.encode(KEY_PREFIX, key.id)),
            name=key.name,
            last_characters=key.last_characters,
            permissions=shown(key.permissions),
            created_by_id=strawberry.ID(ids.encode(STAFF_PREFIX, key.made_by_id)),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
        )


@strawberry.type(description="A device or program that a member of staff is signed in with.")
class StaffSession:
    id: strawberry.ID = strawberry.field(description="To end it with `staffSessionRevoke`.")
    created_at: dt.datetime = strawberry.field(description="When it signed in.")
    expires_at: dt.datetime = strawberry.field(description="When it ends, however often its tokens are refreshed.")
    user_agent: str | None = strawberry.field(description="What it calls itself.")
    current: bool = strawberry.field(description="Whether it is the one that asks.")

    @classmethod
    def of(cls, row: Record, *, current: bool) -> Self:
        return cls(
            id=strawberry.ID(ids.encode(SESSION_PREFIX, row["id"])),
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            user_agent=row["user_agent"],
            current=current,
        )


@strawberry.type(description="Answer to what signs staff in. Send the access token as `Authorization: Bearer …`.")
class StaffAuthPayload:
    access_token: str | None = strawberry.field(default=None, description="Good for 30 minutes.")
    refresh_token: str | None = strawberry.field(default=None, description="Good for one `tokenRefresh`.")
    expires_at: dt.datetime | None = strawberry.field(default=None, description="When the access token ends.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")

    @classmethod
    def of(cls, pair: TokenPair) -> Self:
        return cls(access_token=pair.access_token, refresh_token=pair.refresh_token, expires_at=pair.expires_at)


@strawberry.type(description="Answer to changes of a member of staff.")
class StaffUserPayload:
    staff_user: StaffUser | None = strawberry.field(default=None, description="They, as they are now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to changes of a role.")
class StaffRolePayload:
    staff_role: StaffRole | None = strawberry.field(default=None, description="The role, as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `staffRoleDelete`.")
class StaffRoleDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="What is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `staffInvite`.")
class StaffInvitationPayload:
    staff_invitation: StaffInvitation | None = strawberry.field(default=None, description="What was mailed.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to what has nothing more to say than that it was done.")
class StaffDonePayload:
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `staffSecondFactorSetUp`.")
class SecondFactorPayload:
    secret: str | None = strawberry.field(default=None, description="To type into an authenticator app.")
    provisioning_uri: str | None = strawberry.field(
        default=None, description="`otpauth://…`, to show as a QR code that the app reads."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to what makes recovery codes.")
class RecoveryCodesPayload:
    recovery_codes: list[str] = strawberry.field(
        default_factory=list, description="Each stands in for the app once. They are shown now and never again."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `apiKeyCreate`.")
class ApiKeyCreatePayload:
    api_key: ApiKey | None = strawberry.field(default=None, description="What was made.")
    key: str | None = strawberry.field(
        default=None, description="The key itself, for `Authorization: Bearer …`. It is shown now and never again."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `apiKeyRevoke`.")
class ApiKeyPayload:
    api_key: ApiKey | None = strawberry.field(default=None, description="The key, as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")
