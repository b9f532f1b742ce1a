"""Staff: signing in, mailed links, and what is about oneself."""

import datetime as dt
from typing import Annotated

import strawberry

from app.accounts.clients import Client
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit import ids
from app.sessions import service as sessions
from app.staff import invitations, listing, password_changes, second_factor
from app.staff import service as staff
from app.staff.permissions import StaffIdentity
from schema.access import ANY_MEMBER, PUBLIC, mutation
from schema.context import Info, origin_of
from schema.errors import UserError
from schema.staff.types import (
    SESSION_PREFIX,
    RecoveryCodesPayload,
    SecondFactorPayload,
    StaffAuthPayload,
    StaffDonePayload,
)

Code = Annotated[str, strawberry.argument(description="Six digits of the app, or a recovery code.")]


@strawberry.input(description="Who signs in.")
class LoginInput:
    email: str = strawberry.field(description="The address of the account; case does not matter.")
    password: str = strawberry.field(description="The account's password.")


@strawberry.input(description="Who joins the staff.")
class StaffInvitationAcceptInput:
    token: str = strawberry.field(description="From the mailed link.")
    password: str = strawberry.field(description="10 to 256 characters, and not the address.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="What colleagues shall call them; else as in the invitation."
    )


@strawberry.type(description="Answer to `tokenRefresh`.")
class TokenPayload:
    access_token: str | None = strawberry.field(default=None, description="Good for 30 minutes.")
    refresh_token: str | None = strawberry.field(default=None, description="Replaces the one that was sent.")
    expires_at: dt.datetime | None = strawberry.field(default=None, description="When the access token ends.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `logout`.")
class LogoutPayload:
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


def client_of(info: Info) -> Client:
    return Client(info.context.client_address, info.context.user_agent)


def oneself(info: Info) -> tuple[StaffIdentity, Client]:
    """For fields that only members of staff may use."""
    identity = info.context.staff
    if identity is None or identity.session_id is None:
        raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in as staff first.")
    return identity, client_of(info)


def session_of(identity: StaffIdentity) -> strawberry.ID | None:
    return None if identity.session_id is None else strawberry.ID(ids.encode(SESSION_PREFIX, identity.session_id))


@strawberry.type
class StaffSignInMutations:
    @mutation(
        access=PUBLIC,
        audited=False,
        description="Sign in as staff. Whoever has set up a second factor sends `otp` as well: without it the answer "
        "is SECOND_FACTOR_REQUIRED, and only after the right password.",
    )
    async def staff_login(
        self,
        info: Info,
        input: Annotated[LoginInput, strawberry.argument(description="Who signs in.")],
        otp: Annotated[
            str | None, strawberry.argument(description="Six digits of the authenticator app, or a recovery code.")
        ] = strawberry.UNSET,
    ) -> StaffAuthPayload:
        origin = origin_of(info.context)
        return StaffAuthPayload.of(
            await staff.sign_in(input.email, input.password, client_of(info), origin, otp=otp or None)
        )

    @mutation(
        access=PUBLIC,
        audited=False,
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

    @mutation(access=PUBLIC, audited=False, description="Join the staff by a mailed link, and sign in.")
    async def staff_invitation_accept(
        self,
        info: Info,
        input: Annotated[StaffInvitationAcceptInput, strawberry.argument(description="Who joins.")],
    ) -> StaffAuthPayload:
        pair = await invitations.accept(
            input.token,
            password=input.password,
            name=input.name or None,
            client=client_of(info),
            origin=origin_of(info.context),
        )
        return StaffAuthPayload.of(pair) if pair else StaffAuthPayload()

    @mutation(
        access=PUBLIC,
        audited=False,
        description="Mail a link to set a new password with. The answer is the same whether or not somebody on the "
        "staff has the address.",
    )
    async def staff_password_reset_send(
        self, info: Info, email: Annotated[str, strawberry.argument(description="Whose password.")]
    ) -> StaffDonePayload:
        await password_changes.ask_for_link(email, client_of(info))
        return StaffDonePayload()

    @mutation(
        access=PUBLIC,
        audited=False,
        description="Set the password that a mailed link is for. Every session ends; a second factor stays.",
    )
    async def staff_password_reset(
        self,
        info: Info,
        token: Annotated[str, strawberry.argument(description="From the mailed link; good once, for an hour.")],
        password: Annotated[str, strawberry.argument(description="10 to 256 characters, and not the address.")],
    ) -> StaffDonePayload:
        await password_changes.reset(token, password=password, client=client_of(info), origin=origin_of(info.context))
        return StaffDonePayload()


@strawberry.type
class StaffOwnMutations:
    @mutation(access=ANY_MEMBER, description="Staff: set another password. All other sessions end.")
    async def staff_password_update(
        self,
        info: Info,
        current_password: Annotated[str, strawberry.argument(description="The one that holds now.")],
        new_password: Annotated[str, strawberry.argument(description="10 to 256 characters, and not the address.")],
    ) -> StaffDonePayload:
        me, client = oneself(info)
        await password_changes.update(me.id, me.session_id, current=current_password, new=new_password, client=client)
        return StaffDonePayload()

    @mutation(access=ANY_MEMBER, description="Staff: end one of one's own sessions.")
    async def staff_session_revoke(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Of `staffSessions`.")]
    ) -> StaffDonePayload:
        me, _ = oneself(info)
        session_id = ids.decode(SESSION_PREFIX, id, ["id"])
        if session_id not in {row["id"] for row in await listing.sessions_of(me.id)}:
            raise not_found("session", ["id"])
        await sessions.revoke(session_id, "ended by its owner")
        return StaffDonePayload()

    @mutation(
        access=ANY_MEMBER,
        description="Staff: begin with a second factor. Nothing is asked for until `staffSecondFactorConfirm` has "
        "seen the app's first code.",
    )
    async def staff_second_factor_set_up(
        self, info: Info, password: Annotated[str, strawberry.argument(description="One's own.")]
    ) -> SecondFactorPayload:
        me, client = oneself(info)
        made = await second_factor.set_up(me.id, password, client)
        return SecondFactorPayload(secret=made.secret, provisioning_uri=made.provisioning_uri)

    @mutation(
        access=ANY_MEMBER,
        description="Staff: switch the second factor on with the app's first code. All other sessions end.",
    )
    async def staff_second_factor_confirm(
        self, info: Info, code: Annotated[str, strawberry.argument(description="Six digits of the app.")]
    ) -> RecoveryCodesPayload:
        me, client = oneself(info)
        return RecoveryCodesPayload(recovery_codes=await second_factor.confirm(me.id, me.session_id, code, client))

    @mutation(access=ANY_MEMBER, description="Staff: switch one's own second factor off.")
    async def staff_second_factor_disable(self, info: Info, code: Code) -> StaffDonePayload:
        me, client = oneself(info)
        await second_factor.switch_off(me.id, code, client)
        return StaffDonePayload()

    @mutation(access=ANY_MEMBER, description="Staff: new recovery codes instead of all old ones.")
    async def staff_recovery_codes_renew(self, info: Info, code: Code) -> RecoveryCodesPayload:
        me, client = oneself(info)
        return RecoveryCodesPayload(recovery_codes=await second_factor.renew_codes(me.id, code, client))
