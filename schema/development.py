"""What only a development shop has: its clock can be moved, and its text messages answered from here."""

import datetime as dt
from typing import Annotated

import strawberry
from pydantic import TypeAdapter, ValidationError

from app.addresses.contact import normalise_phone
from app.audit import recording
from app.errors import CommonErrorCode, DomainError
from app.events import ticking
from app.events.recording import publish
from app.kit.ids import new_id
from app.messaging import inbound
from app.messaging.inbound import InboundText
from app.staff.permissions import Permission
from schema.access import STAFF, mutation
from schema.channels import SmsKeyword
from schema.context import Info
from schema.errors import UserError

_PERIOD = TypeAdapter(dt.timedelta)


@strawberry.type(description="Answer to `clockAdvance`.")
class ClockPayload:
    now: dt.datetime | None = strawberry.field(default=None, description="Business time after it.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


def parse_period(text: str) -> dt.timedelta:
    """ISO 8601, `PT4H` or `P3D`. Raises DomainError(INVALID | OUT_OF_RANGE)."""
    try:
        period = _PERIOD.validate_python(text) if text.startswith("P") else None
    except ValidationError:
        period = None
    if period is None:
        raise DomainError(CommonErrorCode.INVALID, "A period is ISO 8601, such as PT4H or P3D.", ["by"])
    if not dt.timedelta() < period <= ticking.MAX_ADVANCE:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, "The clock moves forward, by 400 days at the most.", ["by"])
    return period


@strawberry.type(description="Answer to `devSmsReply`.")
class DevSmsReplyPayload:
    keyword: SmsKeyword | None = strawberry.field(
        default=None, description="What it was taken for; null for a message that people read."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class DevelopmentMutations:
    @mutation(
        access=STAFF(Permission.OPERATIONS),
        description="Development only: moves business time forward, through everything that becomes due on the way. "
        "Answers when the workers are done with it.",
    )
    async def clock_advance(
        self, info: Info, by: Annotated[str, strawberry.argument(description="ISO 8601, such as `PT4H` or `P3D`.")]
    ) -> ClockPayload:
        async def drain() -> None:
            with recording.unrecorded():
                await ticking.wait_for_workers(publish)

        return ClockPayload(now=await ticking.advance(parse_period(by), drain))

    @mutation(
        access=STAFF(Permission.OPERATIONS),
        description="Development only: a text message to the shop, as if its receiver had answered it. The provider's "
        "webhook does the same.",
    )
    async def dev_sms_reply(
        self,
        info: Info,
        sender: Annotated[
            str, strawberry.argument(name="from", description="The number that answers, in international form.")
        ],
        text: Annotated[str, strawberry.argument(description="Such as `stop please`, `HELP` or `YES`.")],
    ) -> DevSmsReplyPayload:
        phone = normalise_phone(sender, None, ["from"])
        return DevSmsReplyPayload(keyword=await inbound.receive(InboundText("development", new_id().hex, phone, text)))
