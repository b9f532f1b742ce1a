"""Consent as storefronts send it: checked as a whole, then taken for the addresses that go with it."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.customers import consent
from app.customers.consent import Proof
from app.customers.errors import CustomerErrorCode
from app.customers.models import ConsentSource
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.messaging.models import MessageChannel

MAX_GIVEN = 10


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    channel: MessageChannel
    granted: bool
    text_id: uuid.UUID | None = None
    """The wording that was shown; None for the shop's current one."""


@dataclass(frozen=True, slots=True)
class Reachable:
    """The addresses that consent can be given for."""

    email: str | None
    phone: str | None

    def address(self, channel: MessageChannel) -> str | None:
        return self.email if channel is MessageChannel.EMAIL else self.phone


def check(given: Sequence[ConsentGiven], reachable: Reachable) -> None:
    """Raises DomainErrors: CONSENT_ADDRESS_MISSING, INVALID, TOO_MANY; their fields begin with the position."""
    if len(given) > MAX_GIVEN:
        raise DomainErrors([DomainError(CommonErrorCode.TOO_MANY, "Each channel needs to be named once.", [])])
    errors: list[DomainError] = []
    seen: set[MessageChannel] = set()
    for index, one in enumerate(given):
        field: list[str | int] = [index, "channel"]
        if one.channel is MessageChannel.VOICE:
            message = "Calls are consented to with text messages; choose SMS."
            errors.append(DomainError(CommonErrorCode.INVALID, message, field))
        elif one.channel in seen:
            errors.append(DomainError(CommonErrorCode.INVALID, "This channel is named twice.", field))
        elif one.granted and reachable.address(one.channel) is None:
            what = "An email address" if one.channel is MessageChannel.EMAIL else "A phone number"
            message = f"{what} is needed to agree to this."
            errors.append(DomainError(CustomerErrorCode.CONSENT_ADDRESS_MISSING, message, field))
        seen.add(one.channel)
    if errors:
        raise DomainErrors(errors)


async def take(
    given: Sequence[ConsentGiven],
    reachable: Reachable,
    *,
    profile_id: uuid.UUID,
    source: ConsentSource,
    proof: Proof,
    given_in: str | None = None,
    to_confirm: Collection[MessageChannel] = (),
) -> None:
    """Record all of it in the open unit of work, whose holder has the profile's lock.

    Args:
        to_confirm: channels where the receiver is asked for a confirmation whatever the settings say.
        given_in: `cart:…`: only what was given in this cart is taken back where `granted` is false.

    Raises:
        DomainErrors: see `check`; CONSENT_TEXT_UNKNOWN, CONSENT_TEXT_OF_ANOTHER_CHANNEL.
    """
    check(given, reachable)
    # By channel, so that two of these at once take the addresses' locks in one order.
    for index, one in sorted(enumerate(given), key=lambda pair: pair[1].channel):
        address = reachable.address(one.channel)
        if address is None:
            continue
        if not one.granted:
            await consent.revoke(
                profile_id=profile_id,
                channel=one.channel,
                address=address,
                source=source,
                ip=proof.ip,
                user_agent=proof.user_agent,
                given_in=given_in,
            )
            continue
        try:
            await consent.request_or_grant(
                profile_id=profile_id,
                channel=one.channel,
                address=address,
                source=source,
                text_id=one.text_id,
                ip=proof.ip,
                user_agent=proof.user_agent,
                given_in=given_in,
                confirm=one.channel in to_confirm,
            )
        except DomainError as error:
            raise DomainErrors([error.under(index)]) from error
