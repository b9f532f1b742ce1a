"""What a payment provider has to be able to do for the shop, and what it can answer.

The shop decides first, in its database, and then asks. Every question carries an id of the shop's as its idempotency
key (the payment's, the capture's, the refund's), so that asking again is harmless: the answer is that of the first
time, or of what has become of it since. That holds for ever, and not only as long as a provider remembers keys: an
adapter looks for what it made before, where the provider has forgotten the key.

Amounts are minor units by ISO 4217 (JPY has none, KWD three digits); an adapter maps what its provider calls them.

A gateway is found by its entry point in the group `tradewind.payment_gateways`, see `app.payments.registry`.
"""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol, runtime_checkable

from app.addresses.postal import PostalAddress
from app.kit.money import Money
from app.payments.models import DisputeState, PaymentMethod


class GatewayState(Enum):
    AUTHORIZED = "AUTHORIZED"
    """Set aside, and all or some of it still to be captured; see `GatewayPayment.captured_minor`."""
    CAPTURED = "CAPTURED"
    """Taken, and nothing more can be taken; refunds leave it so."""
    DECLINED = "DECLINED"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    """The shopper has to do something first, see `GatewayPayment.action`."""
    APPROVED = "APPROVED"
    """The shopper has agreed at the provider's, and nothing is set aside before `Gateway.proceed`."""
    PENDING = "PENDING"
    """The provider does not know yet, and will send a webhook."""
    VOIDED = "VOIDED"
    """Nothing was or will be taken: called off, or let lapse."""


class GatewayRefundState(Enum):
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    """The buyer did not get it, and the shop has it again."""


class PaymentActionType(Enum):
    REDIRECT = "REDIRECT"
    CLIENT_SECRET = "CLIENT_SECRET"  # noqa: S105 - names a kind of action


@dataclass(frozen=True, slots=True)
class Action:
    """What the shopper has to do: open `url`, or confirm with `client_secret` in the provider's own form.

    A REDIRECT has a url; a CLIENT_SECRET has a secret, and a url as well where the provider has a page for it.
    """

    type: PaymentActionType
    url: str | None = None
    client_secret: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """Who pays, as far as it is known: for the provider's fraud checks, wallets, and its receipt."""

    customer_id: uuid.UUID | None = None
    """The account of who is signed in."""
    email: str | None = None
    phone: str | None = None
    """E.164."""
    billing_address: PostalAddress | None = None
    shipping_address: PostalAddress | None = None
    """None where nothing ships."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """What to ask for.

    Attributes:
        payment_id: the idempotency key.
        method: one of the gateway's `methods`.
        token: of the provider's own form in the client, good for one payment; None where the method needs none, or a
            saved one is charged.
        saved_reference: `SavedCard.reference` of what was kept before, in the place of a token.
        save: keep what is paid with, where the payment succeeds; only where the gateway `saves` the method.
        return_url: where the provider sends the shopper back to after an action.
        capture_now: take it at once, as nothing ships. A gateway that only sets aside may leave it at that.
        payer: never to be logged.
        metadata: short texts for the provider's dashboard, such as `order` (its number) or `cart` (its id); the adapter
            adds the payment's id.
    """

    payment_id: uuid.UUID
    amount_minor: int
    currency: str
    method: PaymentMethod = PaymentMethod.CARD
    token: str | None = None
    saved_reference: str | None = None
    save: bool = False
    return_url: str | None = None
    capture_now: bool = False
    payer: Payer = field(default_factory=Payer)
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPayment:
    """A payment as the shop has it, for asking about it.

    Attributes:
        reference: the provider's id; None while the shop was not told, as when the first answer was lost. The adapter
            then has to find the payment by its id, which it gave to the provider with it.
        begun_at: real time, no later than the first question about it.
    """

    id: uuid.UUID
    reference: str | None
    amount_minor: int
    currency: str
    method: PaymentMethod
    begun_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What to take of what is set aside.

    Attributes:
        id: the idempotency key; each part of a payment has its own.
        is_final: nothing more will be taken, so the provider may let go of the rest.
    """

    id: uuid.UUID
    payment: KnownPayment
    amount_minor: int
    is_final: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """What to give back of what was captured. `id` is the idempotency key."""

    id: uuid.UUID
    payment: KnownPayment
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCard:
    """What the provider keeps for later payments.

    Attributes:
        reference: the provider's own, good for any number of payments by this shop; nobody else is shown it.
        brand: of a card, or the name of the wallet.
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
        payment_id: the shop's id that it was asked for with; None for one that the shop did not ask for.
        captured_minor: taken so far, refunds not deducted.
        refunded_minor: given back so far, or on its way back.
        failure_code: of a declined payment, in the provider's words.
        message: for the shopper, why it was declined; None for the shop's own wording.
        saved: what is kept of it, once the payment has succeeded that was asked to save.
        authorized_until: when what is set aside lapses; None where the provider does not say.
    """

    state: GatewayState
    reference: str
    payment_id: uuid.UUID | None = None
    amount_minor: int = 0
    currency: str = ""
    captured_minor: int = 0
    refunded_minor: int = 0
    action: Action | None = None
    failure_code: str | None = None
    message: str | None = None
    saved: SavedCard | None = None
    authorized_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRefund:
    """Where a refund stands at the provider. `refund_id` is None for one that was made at the provider's dashboard."""

    state: GatewayRefundState
    reference: str
    amount_minor: int
    currency: str
    refund_id: uuid.UUID | None = None
    failure_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDispute:
    """Where a dispute over a payment stands at the provider.

    Attributes:
        reference: the provider's id of the dispute.
        payment_id, payment_reference: the shop's and the provider's id of the payment; one of them is enough.
        amount_minor: what is disputed; of one that is lost, what the buyer got.
        currency: of that amount; of the provider's account, where it says no other.
        reason: the provider's code.
        respond_by: real time; None where the shop has nothing to answer.
        fee: what the provider has charged for it so far, less what it gave back, in the account's currency; None where
            it does not say.
    """

    reference: str
    state: DisputeState
    amount_minor: int
    currency: str
    opened_at: datetime
    payment_id: uuid.UUID | None = None
    payment_reference: str | None = None
    reason: str | None = None
    respond_by: datetime | None = None
    fee: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a webhook speaks of: payments by the shop's id, by the provider's, or both. Refunds are their payment's.

    Attributes:
        event_id: the provider's id of the notice, the same when it is sent again.
        disputes: by the provider's id.
    """

    event_id: str
    payment_ids: frozenset[uuid.UUID] = frozenset()
    references: frozenset[str] = frozenset()
    disputes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Check:
    """What `tradewind doctor` tells about a gateway. `advice` is what to do where it is not well."""

    is_well: bool
    text: str
    advice: str = ""


class GatewayUnavailableError(Exception):
    """No answer, or none that says what happened. It may or may not have happened: ask again, never guess.

    Also for "too many requests", for the provider's errors of its own, and for a key that is being worked on.
    """


class GatewayRefusedError(Exception):
    """The provider will not do it, now or later; a person has to look. The text is the provider's code."""


class InvalidWebhookError(Exception):
    """Not signed by the provider, or too long ago."""


class Gateway(Protocol):
    """A provider. Every method asks it over the network, outside any transaction; `notified` may.

    Raises:
        GatewayUnavailableError: from each of them. A whole answer has to be there within 20 seconds, or it is taken
            for none.
    """

    name: str
    """Lower case, as in the webhook's path `/webhooks/payments/{name}`; kept with every payment."""
    methods: frozenset[PaymentMethod]
    tokenless: frozenset[PaymentMethod]
    """Methods that need no token: asked for without one, the answer is REQUIRES_ACTION."""
    redirects: frozenset[PaymentMethod]
    """Those of them that lead the shopper to a page of the provider's, given a `return_url`, and need no form or script
    in the client: what a page of the shop's own can offer. An adapter without this has none."""
    saves: frozenset[PaymentMethod]
    """Methods of which it can keep what is paid with."""
    captures_in_parts: bool
    """Whether what is left after a capture that is not final can be captured later."""
    client_key: str | None
    """The provider's public key for its form in the client; nothing secret."""

    async def authorise(self, request: Authorisation) -> GatewayPayment:
        """Set the amount aside. A saved reference that it does not keep (any more) is declined."""
        ...

    async def proceed(self, payment: KnownPayment, *, capture_now: bool) -> GatewayPayment:
        """Set aside what the shopper has agreed to, of a payment that is APPROVED; for any other, as `retrieve`.

        Raises GatewayRefusedError for what was never asked for.
        """
        ...

    async def retrieve(self, payment: KnownPayment) -> GatewayPayment | None:
        """Where the payment stands; None when it was never asked for. Changes nothing."""
        ...

    async def capture(self, request: Capture) -> GatewayPayment:
        """Take a part of what is authorised, or all. Raises GatewayRefusedError when there is so much no more."""
        ...

    async def void(self, payment: KnownPayment) -> None:
        """Let go of what is authorised, after a part was captured too.

        A payment that was never asked for is refused from then on, where the provider can do that: its request may
        still be on the way. Raises GatewayRefusedError for what has been captured to the end.
        """
        ...

    async def refund(self, request: RefundRequest) -> GatewayRefund:
        """Give back a part of what was captured, or all.

        Raises GatewayRefusedError where there is so much no more, or the provider does not refund the payment any more.
        """
        ...

    async def refunds_of(self, payment: KnownPayment) -> Sequence[GatewayRefund]:
        """All of a payment's, whoever asked for them; empty for one that it does not know."""
        ...

    async def forget(self, reference: str) -> None:
        """Keep a saved card no longer; one that is not kept is nothing new."""
        ...

    async def notified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        """The payments that a webhook speaks of. It is no more than a reason to ask how they stand.

        Args:
            headers: by lower-case name.
            body: as it was sent, to the byte.
            now: real time; a webhook of another day is not believed.

        Raises:
            InvalidWebhookError.
        """
        ...

    def payments_since(self, moment: datetime) -> AsyncIterator[GatewayPayment]:
        """What the provider has of payments that were begun since then (real time), and of those that changed where it
        can tell; in any order, a payment more than once if need be.
        """
        ...

    async def examine(self) -> Sequence[Check]:
        """Whether it is set up: keys are accepted, webhooks arrive. Told to operators; names no secret."""
        ...


@runtime_checkable
class TellsOfDisputes(Protocol):
    """What a gateway has beside `Gateway` where its provider can tell of disputes. Without it the shop's books have
    money that a bank has taken back; `app.payments.disputes` says what is done about it with it.
    """

    async def dispute(self, reference: str) -> GatewayDispute | None:
        """Where it stands; None for one that the provider does not know. Raises GatewayUnavailableError."""
        ...

    def disputes_since(self, moment: datetime) -> AsyncIterator[GatewayDispute]:
        """Those that were opened or have changed since then (real time), in any order."""
        ...
