"""What is sent to change an account, and what is answered."""

import strawberry

from schema.accounts.types import Customer
from schema.errors import UserError


@strawberry.input(description="What is left out stays as it is; null takes it away.")
class CustomerUpdateInput:
    first_name: str | None = strawberry.field(default=strawberry.UNSET, description="Given name.")
    last_name: str | None = strawberry.field(default=strawberry.UNSET, description="Family name.")
    phone: str | None = strawberry.field(default=strawberry.UNSET, description="In international form (E.164).")
    language: str | None = strawberry.field(default=strawberry.UNSET, description="A language tag such as `en`.")


@strawberry.type(description="Answer to a change of an account.")
class CustomerPayload:
    customer: Customer | None = strawberry.field(
        default=None, description="The account as it is now; null for staff without the permission CUSTOMERS_READ."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(
    description="Answer to what asks for mail. It is the same for known and unknown addresses; what is mailed differs."
)
class AccountMailPayload:
    accepted: bool = strawberry.field(default=False, description="Whether it was taken.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `customerSessionRevoke` and `logoutEverywhere`.")
class SessionsEndPayload:
    ended: int = strawberry.field(default=0, description="How many sessions were ended.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `customerDelete`.")
class CustomerDeletePayload:
    deleted: bool = strawberry.field(default=False, description="Whether the account is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")
