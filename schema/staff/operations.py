"""Staff: colleagues, roles, invitations and keys."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.pagination import page_request
from app.staff import api_keys, invitations, listing, members, roles
from app.staff.permissions import Permission
from schema.access import ANY_MEMBER, STAFF, mutation, query
from schema.connections import Connection
from schema.context import Info
from schema.nodes import node_loader
from schema.selection import Selection
from schema.staff.signing_in import oneself
from schema.staff.types import (
    INVITATION_PREFIX,
    KEY_PREFIX,
    ROLE_PREFIX,
    STAFF_PREFIX,
    ApiKey,
    ApiKeyCreatePayload,
    ApiKeyPayload,
    StaffDonePayload,
    StaffInvitation,
    StaffInvitationPayload,
    StaffRole,
    StaffRoleDeletePayload,
    StaffRolePayload,
    StaffSession,
    StaffUser,
    StaffUserPayload,
)

_STAFF, _KEYS = STAFF(Permission.STAFF_WRITE), STAFF(Permission.API_KEYS_WRITE)
StaffId = Annotated[strawberry.ID, strawberry.argument(description="Whom it is about.")]
RoleId = Annotated[strawberry.ID, strawberry.argument(description="Which role.")]


@strawberry.input(description="A new role.")
class StaffRoleCreateInput:
    name: str = strawberry.field(description="For staff; no two roles share one.")
    permissions: list[Permission] = strawberry.field(
        description="What everybody in it may do: at most what you may do yourself. None allows nothing."
    )


@strawberry.input(description="What changes about a role; what is left out stays.")
class StaffRoleUpdateInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="For staff; no two roles share one.")
    permissions: list[Permission] | None = strawberry.field(
        default=strawberry.UNSET, description="All that everybody in it may do from their next request on."
    )


@strawberry.input(description="Whom to invite.")
class StaffInviteInput:
    email: str = strawberry.field(description="Where the link goes; they sign in with it later.")
    name: str = strawberry.field(description="What colleagues call them.")
    role_id: strawberry.ID = strawberry.field(description="What they will be: at most what you are yourself.")


@strawberry.input(description="What changes about a colleague; what is left out stays.")
class StaffUpdateInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="What colleagues call them.")
    role_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="What they are from now on.")


@strawberry.input(description="A new API key.")
class ApiKeyCreateInput:
    name: str = strawberry.field(description="What it is for.")
    permissions: list[Permission] = strawberry.field(
        description="What it may do: at least one, at most what you may do yourself, and neither keys nor staff."
    )
    expires_at: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it ends; left out for never."
    )


@node_loader(STAFF_PREFIX)
async def _load_staff(info: Info, texts: Sequence[str], selection: Selection) -> list[StaffUser | None]:
    """Oneself, and for those who may change the staff, everybody."""
    viewer = info.context.staff
    wanted = [ids.decode(STAFF_PREFIX, text, ["id"]) for text in texts]
    seen = [key for key in wanted if viewer and (key == viewer.id or viewer.may(Permission.STAFF_WRITE))]
    found = await listing.members_by_ids(seen) if seen else {}
    return [StaffUser.of(found[key]) if key in found else None for key in wanted]


async def _member(member_id: uuid.UUID) -> StaffUser:
    return StaffUser.of((await listing.members_by_ids([member_id]))[member_id])


@strawberry.type
class StaffQueries:
    @query(access=ANY_MEMBER, description="Staff: whose access token this is.")
    async def staff_me(self, info: Info) -> StaffUser:
        return await _member(oneself(info)[0].id)

    @query(access=ANY_MEMBER, description="Staff: where one is signed in oneself, the newest first.")
    async def staff_sessions(self, info: Info) -> list[StaffSession]:
        me, _ = oneself(info)
        return [StaffSession.of(row, current=row["id"] == me.session_id) for row in await listing.sessions_of(me.id)]

    @query(access=_STAFF, description="Everybody on the staff, in the order in which they joined.")
    async def staff_users(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="How many, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Begin behind this cursor.")] = strawberry.UNSET,
    ) -> Connection[StaffUser]:
        request = page_request(None if first is strawberry.UNSET else first, after or None, order=listing.ORDER)
        page = await listing.members(request, counted="totalCount" in Selection.of(info))
        return Connection.of(page, [StaffUser.of(member) for member in page.items])

    @query(access=_STAFF, description="All roles, that of owners first.")
    async def staff_roles(self, info: Info) -> list[StaffRole]:
        return [StaffRole.of(role) for role in await listing.roles()]

    @query(access=_STAFF, description="Invitations that can still be accepted.")
    async def staff_invitations(self, info: Info) -> list[StaffInvitation]:
        return [StaffInvitation.of(invitation) for invitation in await listing.open_invitations()]

    @query(access=_KEYS, description="The shop's API keys with those that have ended, the newest first, up to 1,000.")
    async def api_keys(self, info: Info) -> list[ApiKey]:
        return [ApiKey.of(key) for key in await listing.keys()]


@strawberry.type
class StaffMutations:
    @mutation(access=_STAFF, description="Make a role, with at most what you may do yourself.")
    async def staff_role_create(
        self, info: Info, input: Annotated[StaffRoleCreateInput, strawberry.argument(description="The role.")]
    ) -> StaffRolePayload:
        me, _ = oneself(info)
        return await _role_payload(await roles.create(me.id, input.name, input.permissions))

    @mutation(
        access=_STAFF,
        description="Change a role, for everybody in it at once. Neither your own one, nor one that may do more than "
        "you, nor that of owners.",
    )
    async def staff_role_update(
        self,
        info: Info,
        id: RoleId,
        input: Annotated[StaffRoleUpdateInput, strawberry.argument(description="What changes.")],
    ) -> StaffRolePayload:
        me, _ = oneself(info)
        role_id = ids.decode(ROLE_PREFIX, id, ["id"])
        await roles.update(me.id, role_id, name=_given(input.name, "name"), permissions=_listed(input.permissions))
        return await _role_payload(role_id)

    @mutation(access=_STAFF, description="Delete a role that nobody has and nobody is invited to.")
    async def staff_role_delete(self, info: Info, id: RoleId) -> StaffRoleDeletePayload:
        me, _ = oneself(info)
        await roles.delete(me.id, ids.decode(ROLE_PREFIX, id, ["id"]))
        return StaffRoleDeletePayload(deleted_id=id)

    @mutation(
        access=_STAFF,
        description="Mail somebody a link by which they join the staff. It is good once, for a week; an earlier one "
        "of the address ends.",
    )
    async def staff_invite(
        self, info: Info, input: Annotated[StaffInviteInput, strawberry.argument(description="Whom, and as what.")]
    ) -> StaffInvitationPayload:
        me, _ = oneself(info)
        role_id = ids.decode(ROLE_PREFIX, input.role_id, ["input", "roleId"])
        made = await invitations.invite(me.id, email=input.email, name=input.name, role_id=role_id)
        (shown,) = await listing.open_invitations(made)
        return StaffInvitationPayload(staff_invitation=StaffInvitation.of(shown))

    @mutation(access=_STAFF, description="End an invitation: its link is worthless from now on.")
    async def staff_invitation_revoke(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Which invitation.")]
    ) -> StaffDonePayload:
        me, _ = oneself(info)
        await invitations.revoke(me.id, ids.decode(INVITATION_PREFIX, id, ["id"]))
        return StaffDonePayload()

    @mutation(
        access=_STAFF,
        description="Give a colleague another name or role. Nobody changes their own role, or somebody who may do more "
        "than themselves; one owner always stays.",
    )
    async def staff_update(
        self,
        info: Info,
        id: StaffId,
        input: Annotated[StaffUpdateInput, strawberry.argument(description="What changes.")],
    ) -> StaffUserPayload:
        me, _ = oneself(info)
        member_id = ids.decode(STAFF_PREFIX, id, ["id"])
        role_id = ids.decode(ROLE_PREFIX, input.role_id, ["input", "roleId"]) if input.role_id else None
        await members.update(me.id, member_id, name=_given(input.name, "name"), role_id=role_id)
        return StaffUserPayload(staff_user=await _member(member_id))

    @mutation(
        access=_STAFF,
        description="Shut a colleague out: their sessions, API keys and invitations end at once.",
    )
    async def staff_deactivate(self, info: Info, id: StaffId) -> StaffUserPayload:
        me, _ = oneself(info)
        member_id = ids.decode(STAFF_PREFIX, id, ["id"])
        await members.deactivate(me.id, member_id)
        return StaffUserPayload(staff_user=await _member(member_id))

    @mutation(access=_STAFF, description="Let a colleague sign in again. What had ended stays ended.")
    async def staff_reactivate(self, info: Info, id: StaffId) -> StaffUserPayload:
        me, _ = oneself(info)
        member_id = ids.decode(STAFF_PREFIX, id, ["id"])
        await members.reactivate(me.id, member_id)
        return StaffUserPayload(staff_user=await _member(member_id))

    @mutation(
        access=_STAFF,
        description="Owners: switch off the second factor of a colleague who lost it. Their sessions end.",
    )
    async def staff_second_factor_reset(self, info: Info, id: StaffId) -> StaffUserPayload:
        me, _ = oneself(info)
        member_id = ids.decode(STAFF_PREFIX, id, ["id"])
        await members.reset_second_factor(me.id, member_id)
        return StaffUserPayload(staff_user=await _member(member_id))


@strawberry.type
class ApiKeyMutations:
    @mutation(access=_KEYS, description="Make an API key, with at most what you may do yourself.")
    async def api_key_create(
        self, info: Info, input: Annotated[ApiKeyCreateInput, strawberry.argument(description="The key.")]
    ) -> ApiKeyCreatePayload:
        me, _ = oneself(info)
        made = await api_keys.create(
            me.id, name=input.name, permissions=input.permissions, expires_at=input.expires_at or None
        )
        (shown,) = await listing.keys(made.id)
        return ApiKeyCreatePayload(api_key=ApiKey.of(shown), key=made.key)

    @mutation(access=_KEYS, description="End a key at once and for ever.")
    async def api_key_revoke(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Which key.")]
    ) -> ApiKeyPayload:
        key_id = ids.decode(KEY_PREFIX, id, ["id"])
        await api_keys.revoke(key_id)
        (shown,) = await listing.keys(key_id)
        return ApiKeyPayload(api_key=ApiKey.of(shown))


async def _role_payload(role_id: uuid.UUID) -> StaffRolePayload:
    (role,) = await listing.roles([role_id])
    return StaffRolePayload(staff_role=StaffRole.of(role))


def _given(value: str | None, name: str) -> str | None:
    """None for what was left out. Raises DomainError(REQUIRED) for null."""
    if value is strawberry.UNSET:
        return None
    if value is None:
        raise DomainError(CommonErrorCode.REQUIRED, "A name is needed.", ["input", name])
    return value


def _listed(value: list[Permission] | None) -> list[Permission] | None:
    """None for what was left out. Raises DomainError(REQUIRED) for null."""
    if value is strawberry.UNSET:
        return None
    if value is None:
        raise DomainError(
            CommonErrorCode.REQUIRED, "Say which; an empty list allows nothing.", ["input", "permissions"]
        )
    return value
