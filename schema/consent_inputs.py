"""Consent to marketing as storefronts send it."""

from collections.abc import Sequence

import strawberry

from app.customers.consent import Proof
from app.customers.consenting import ConsentGiven
from app.errors import DomainError, DomainErrors
from app.kit import ids
from schema.channels import MessageChannel
from schema.context import Context

TEXT_PREFIX = "ctext"


@strawberry.input(description="Consent to marketing on one channel, or its withdrawal.")
class ConsentInput:
    channel: MessageChannel = strawberry.field(description="EMAIL or SMS; calls go with SMS.")
    granted: bool = strawberry.field(description="Whether the box was ticked.")
    text_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The wording that was shown, from `Shop.consentTexts`; without it, the shop's current one.",
    )


def given_consents(inputs: Sequence[ConsentInput] | None, *at: str) -> list[ConsentGiven]:
    """Raises DomainErrors with INVALID_ID, below `at`."""
    given: list[ConsentGiven] = []
    errors: list[DomainError] = []
    for index, one in enumerate(inputs or []):
        try:
            text_id = ids.decode(TEXT_PREFIX, one.text_id, [*at, index, "textId"]) if one.text_id else None
            given.append(ConsentGiven(one.channel, one.granted, text_id))
        except DomainError as error:
            errors.append(error)
    if errors:
        raise DomainErrors(errors)
    return given


def proof_of(context: Context) -> Proof:
    """What is stored with a consent about the request that gave it."""
    return Proof(context.ip, context.user_agent)
