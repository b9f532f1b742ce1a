"""Consent to marketing on the own account."""

import uuid
from collections.abc import Sequence
from typing import Annotated

import strawberry

import schema.consent  # noqa: F401 - describes ConsentAction, before a type names it
from app.accounts import consent
from app.customers.models import ConsentAction
from app.errors import DomainErrors
from schema.access import CUSTOMER, mutation
from schema.accounts.guards import client_of, signed_in
from schema.accounts.parts import Attributes, customer_part
from schema.channels import MessageChannel
from schema.consent_inputs import ConsentInput, given_consents, proof_of
from schema.context import Info
from schema.errors import UserError
from schema.selection import Selection


@strawberry.type(description="How things stand with marketing on one channel.")
class CustomerConsent:
    channel: MessageChannel = strawberry.field(description="The channel.")
    state: ConsentAction | None = strawberry.field(
        description="Null where nothing was ever decided, or the address or number was not shown to be the account's."
    )

    @classmethod
    def of(cls, standing: consent.Standing) -> "CustomerConsent":
        return cls(channel=standing.channel, state=standing.state)


@strawberry.type(description="Answer to `customerMarketingConsentUpdate`.")
class CustomerConsentPayload:
    consent: list[CustomerConsent] | None = strawberry.field(default=None, description="How things stand now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class CustomerConsents:
    marketing_consent: list[CustomerConsent] = strawberry.field(
        default_factory=list,
        description="Marketing by email and SMS. Empty for everybody but the account's owner; staff use `consents`.",
    )


@customer_part
async def _load(info: Info, customer_ids: Sequence[uuid.UUID], selection: Selection) -> Attributes:
    if "marketingConsent" not in selection or info.context.staff is not None:
        return {}
    return {
        customer_id: {"marketing_consent": [CustomerConsent.of(one) for one in await consent.standing(customer_id)]}
        for customer_id in customer_ids
    }


@strawberry.type
class CustomerConsentMutations:
    @mutation(
        access=CUSTOMER,
        description="Agree to marketing, or withdraw it. For the verified address of the own account it holds at once. "
        "A phone number, and an address that is not verified, are asked for a confirmation first.",
    )
    async def customer_marketing_consent_update(
        self,
        info: Info,
        consent: Annotated[list[ConsentInput], strawberry.argument(description="What changes, by channel.")],
    ) -> CustomerConsentPayload:
        return await _change(info, consent)


async def _change(info: Info, inputs: list[ConsentInput]) -> CustomerConsentPayload:
    own = signed_in(info)
    given = given_consents(inputs, "consent")
    try:
        await consent.change(own, given, proof_of(info.context), client_of(info))
    except DomainErrors as wrong:
        raise DomainErrors([error.under("consent") for error in wrong.errors]) from wrong
    return CustomerConsentPayload(consent=[CustomerConsent.of(one) for one in await consent.standing(own.id)])
