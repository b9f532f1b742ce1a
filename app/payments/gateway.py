"""What a payment provider has to be able to do for the shop, and what it can answer.

The shop decides first, in its database, and then asks. Every question carries the payment's id as its idempotency key,
so that asking again is harmless: the answer is that of the first time, or of what has become of it since.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from app.payments.models import PaymentMethod


class GatewayState(Enum):
    AUTHORIZED = "AUTHORIZED"
    CAPTURED = "CAPTURED"
    DECLINED = "DECLINED"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    """The shopper has to do something first, see `GatewayPayment.action`."""
    PENDING = "PENDING"
    """The provider does not know yet, and will send a webhook."""
    VOIDED = "VOIDED"


class PaymentActionType(Enum):
    REDIRECT = "REDIRECT"


@dataclass(frozen=True, slots=True)
class Action:
    """What the shopper has to do."""

    type: PaymentActionType
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """What to ask for.

    Attributes:
        payment_id: the idempotency key.
        token: of the provider's own form in the client, good for one payment.
        saved_reference: `SavedCard.reference` of what was kept before, in the place of a token.
        save: keep what is paid with, where the payment succeeds; only with a token, and where the gateway `saves`.
        return_url: where the provider sends the shopper back to after an action.
    """

    payment_id: uuid.UUID
    amount_minor: int
    currency: str
    token: str
    saved_reference: str | None = None
    save: bool = False
    return_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCard:
    """What the provider keeps for later payments.

    Attributes:
        reference: the provider's own, good for any number of payments by this shop; nobody else is shown it.
        last_characters: of the number, at most four.
        expires_month: 1 to 12.
    """

    reference: str
    brand: str | None = None
    last_characters: str | None = None
    expires_month: int | None = None
    expires_year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPayment:
    """Where a payment stands at the provider.

    Attributes:
        reference: the provider's own id.
        failure_code: of a declined payment, in the provider's words.
        message: for the shopper, why it was declined; None for the shop's own wording.
        saved: what is kept of it, once the payment has succeeded that was asked to save.
    """

    state: GatewayState
    reference: str
    action: Action | None = None
    failure_code: str | None = None
    message: str | None = None
    saved: SavedCard | None = None


class GatewayUnavailableError(Exception):
    """No answer, or none that says what happened. The payment may or may not be authorised: ask again, never guess."""


class GatewayRefusedError(Exception):
    """The provider will not do it, now or later; a person has to look. The text is the provider's code."""


class InvalidWebhookError(Exception):
    """Not signed by the provider, or too long ago."""


class Gateway(Protocol):
    """A provider. Every method but `notified_payments` asks it over the network, outside any transaction.

    Raises:
        GatewayUnavailableError: from each of them.
    """

    name: str
    methods: frozenset[PaymentMethod]
    saves: bool
    """Whether it can keep what is paid with."""

    async def authorise(self, request: Authorisation) -> GatewayPayment:
        """Set the amount aside. A saved reference that it does not keep (any more) is declined."""
        ...

    async def retrieve(self, payment_id: uuid.UUID) -> GatewayPayment | None:
        """Where the payment stands; None when it was never asked for."""
        ...

    async def capture(self, payment_id: uuid.UUID, amount_minor: int) -> GatewayPayment:
        """Take what is authorised. Raises GatewayRefusedError when there is nothing to take."""
        ...

    async def void(self, payment_id: uuid.UUID) -> None:
        """Give back what is authorised.

        A payment that was never asked for is refused from then on, where the provider can do that: its request may
        still be on the way. Raises GatewayRefusedError for what has been captured.
        """
        ...

    async def forget(self, reference: str) -> None:
        """Keep a saved card no longer; one that is not kept is nothing new."""
        ...

    def notified_payments(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[uuid.UUID]:
        """The payments that a webhook speaks of.

        Args:
            headers: by lower-case name.
            now: real time; a webhook of another day is not believed.

        Raises:
            InvalidWebhookError.
        """
        ...
