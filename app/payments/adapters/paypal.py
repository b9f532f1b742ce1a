"""PayPal: Orders v2. The payer agrees at PayPal's, then the shop sets the amount aside, and captures what it ships.

The order is made from what the shop keeps of a payment, under the payment's id as its key; so asking for it again, even
by somebody who does not know how it began, is answered with the same order. Where the payer comes back to, and where
the goods go, is told to PayPal afterwards. Money moves with `proceed` and `capture` only.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from app.payments.adapters import paypal_disputes, paypal_examining, paypal_history
from app.payments.adapters.paypal_client import PayPalClient, PayPalError
from app.payments.adapters.paypal_reading import (
    Document,
    NotPayableError,
    amount,
    capture_named_by,
    order_named_by,
    part,
    payment_of,
    refundable,
    refunds_of,
    unit_of,
    uuid_of,
)
from app.payments.adapters.paypal_webhooks import WebhookProofs
from app.payments.gateway import (
    Authorisation,
    Capture,
    Check,
    GatewayDispute,
    GatewayPayment,
    GatewayRefund,
    GatewayRefundState,
    GatewayRefusedError,
    GatewayState,
    GatewayUnavailableError,
    KnownPayment,
    Notice,
    Payer,
    RefundRequest,
)
from app.payments.known import begun_at
from app.payments.models import PaymentMethod
from app.settings import Settings

NAME = "paypal"
KEYS_ARE_KEPT = timedelta(hours=5)
"""PayPal keeps those of orders for six."""
_NOT_BEGUN = "CREATED"
_DECLINES = frozenset(
    {
        "INSTRUMENT_DECLINED",
        "PAYER_ACCOUNT_RESTRICTED",
        "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
        "PAYER_CANNOT_PAY",
        "TRANSACTION_REFUSED",
        "TRANSACTION_BLOCKED_BY_PAYEE",
        "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING",
        "COMPLIANCE_VIOLATION",
        "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
    }
)
_CANNOT_VOID = frozenset({"AUTHORIZATION_ALREADY_CAPTURED", "PREVIOUSLY_CAPTURED"})


class PayPalGateway:
    name = NAME
    methods = frozenset({PaymentMethod.PAYPAL})
    tokenless = methods
    redirects = methods
    saves: frozenset[PaymentMethod] = frozenset()
    captures_in_parts = True

    def __init__(self, settings: Settings) -> None:
        if settings.paypal_client_id is None or settings.paypal_secret is None:
            raise ValueError("PAYPAL_CLIENT_ID and PAYPAL_SECRET go together")
        self._settings = settings
        self.client_key: str | None = settings.paypal_client_id
        self._client = PayPalClient(
            settings.paypal_api_url,
            settings.paypal_client_id,
            settings.paypal_secret,
            allow_private=settings.allow_private_addresses,
        )
        self._proofs = WebhookProofs(self._client, settings.paypal_webhook_id)

    async def authorise(self, request: Authorisation) -> GatewayPayment:
        payment = KnownPayment(
            id=request.payment_id,
            reference=None,
            amount_minor=request.amount_minor,
            currency=request.currency,
            method=request.method,
            begun_at=begun_at(request.payment_id),
        )
        try:
            if _is_old(payment):
                order = await self._find(payment)
                if order is None:
                    return _declined(payment, "ORDER_EXPIRED")
            else:
                order = await self._create(payment)
            if order.get("status") == _NOT_BEGUN and request.return_url:
                order = await self._lead(order, request.return_url, request.payer)
        except NotPayableError as error:
            return _declined(payment, str(error), "This amount cannot be paid with PayPal.")
        except PayPalError as error:
            return _declined(payment, error.issue)
        return payment_of(order)

    async def _create(self, payment: KnownPayment) -> Document:
        """The order of this payment, made now or before. Its document is as it stands."""
        unit = {"custom_id": str(payment.id), "amount": amount(payment.amount_minor, payment.currency)}
        asked = {"intent": "AUTHORIZE", "purchase_units": [unit]}
        made, is_new = await self._client.make("/v2/checkout/orders", asked, key=f"order-{payment.id}")
        return made if is_new else await self._order(made["id"])

    async def _lead(self, order: Document, return_url: str, payer: Payer) -> Document:
        """Where the payer comes back to; PayPal answers where to send them."""
        ships = await self._tell_address(order["id"], payer)
        context = {
            "return_url": return_url,
            "cancel_url": return_url,
            "user_action": "PAY_NOW",
            "shipping_preference": "SET_PROVIDED_ADDRESS" if ships else "NO_SHIPPING",
        }
        path = f"/v2/checkout/orders/{order['id']}/confirm-payment-source"
        led = await self._client.ask("POST", path, {"payment_source": {"paypal": {"experience_context": context}}})
        return {**order, "status": led.get("status") or order["status"], "links": led.get("links") or order["links"]}

    async def _tell_address(self, order_id: str, payer: Payer) -> bool:
        """PayPal protects sellers who ship to the address that it knows. Whether it took the address."""
        address = payer.shipping_address
        if address is None:
            return False
        name = " ".join(filter(None, (address.first_name, address.last_name)))
        lines = {
            "address_line_1": address.address1,
            "address_line_2": address.address2,
            "admin_area_2": address.city,
            "admin_area_1": address.province_code,
            "postal_code": address.postal_code,
            "country_code": address.country_code,
        }
        shipping = {
            "name": {"full_name": name},
            "address": {key: text for key, text in lines.items() if text},
        }
        patch = [{"op": "add", "path": "/purchase_units/@reference_id=='default'/shipping", "value": shipping}]
        try:
            await self._client.ask("PATCH", f"/v2/checkout/orders/{order_id}", patch)
        except PayPalError:
            return False  # an address that PayPal finds wrong is no reason not to sell
        return True

    async def proceed(self, payment: KnownPayment, *, capture_now: bool) -> GatewayPayment:
        """What was agreed to is set aside, and captured when the shop captures."""
        order = await self._find(payment)
        if order is None:
            raise GatewayRefusedError("no_such_payment")
        if payment_of(order).state is not GatewayState.APPROVED:
            return payment_of(order)
        path = f"/v2/checkout/orders/{order['id']}/authorize"
        try:
            await self._client.ask("POST", path, {}, key=f"authorize-{payment.id}")
        except PayPalError as error:
            if error.issue in _DECLINES:
                return _declined(payment, error.issue, None, order["id"])
            word = payment_of(await self._order(order["id"]))
            if word.state is GatewayState.APPROVED:
                raise GatewayUnavailableError(error.issue) from None
            return word
        return payment_of(await self._order(order["id"]))

    async def retrieve(self, payment: KnownPayment) -> GatewayPayment | None:
        order = await self._find(payment)
        return None if order is None else payment_of(order)

    async def _find(self, payment: KnownPayment) -> Document | None:
        """By its reference; else by asking for it again, which costs nobody anything: an order that was not asked for
        before is one that nobody can agree to, and that PayPal forgets in some hours.
        """
        try:
            if payment.reference:
                return await self._order(payment.reference)
            if _is_old(payment):
                return await paypal_history.find(self._client, payment)
            order = await self._create(payment)
        except NotPayableError:
            return None
        except PayPalError as error:
            if error.status == 404:
                return None
            raise GatewayUnavailableError(error.issue) from None
        return None if order.get("status") == _NOT_BEGUN else order

    async def _order(self, order_id: str) -> Document:
        return await self._client.ask("GET", f"/v2/checkout/orders/{order_id}")

    async def capture(self, request: Capture) -> GatewayPayment:
        order = await self._known(request.payment)
        before = payment_of(order)
        made = next((one for one in part(order, "captures") if one.get("invoice_id") == str(request.id)), None)
        if made is None:
            # PayPal would take up to 15 % more than was set aside.
            if before.captured_minor + request.amount_minor > before.amount_minor:
                raise GatewayRefusedError("amount_too_large")
            asked = {
                "amount": _said(request.amount_minor, request.payment.currency),
                "invoice_id": str(request.id),
                "final_capture": request.is_final or _is_all(before, request.amount_minor),
            }
            path = f"/v2/payments/authorizations/{_authorisation(order)}/capture"
            made = await self._refusable("POST", path, asked, key=f"capture-{request.id}")
        if made.get("status") in ("DECLINED", "FAILED"):
            raise GatewayRefusedError("capture_declined")
        if made.get("status") == "PENDING":
            raise GatewayUnavailableError("PayPal is looking at the capture")
        return payment_of(await self._order(order["id"]))

    async def void(self, payment: KnownPayment) -> None:
        """An order that nothing was set aside for is left to lapse: money moves with `proceed` alone."""
        order = await self._find(payment)
        if order is None or not part(order, "authorizations"):
            return
        state = payment_of(order).state
        if state in (GatewayState.VOIDED, GatewayState.DECLINED):
            return
        if state is GatewayState.CAPTURED:
            raise GatewayRefusedError("already_captured")
        try:
            await self._client.ask("POST", f"/v2/payments/authorizations/{_authorisation(order)}/void")
        except PayPalError as error:
            if error.issue in _CANNOT_VOID:
                raise GatewayRefusedError("already_captured") from None
            if payment_of(await self._order(order["id"])).state is not GatewayState.VOIDED:
                raise GatewayUnavailableError(error.issue) from None

    async def refund(self, request: RefundRequest) -> GatewayRefund:
        """Of one capture after the other, as PayPal refunds captures; what was given back before is counted."""
        order = await self._known(request.payment)
        before = next((made for made in refunds_of(order) if made.refund_id == request.id), None)
        if before is not None and before.state is GatewayRefundState.FAILED:
            return before
        left = request.amount_minor - (before.amount_minor if before else 0)
        captures = refundable(order)
        if left > sum(room for _, room in captures):
            raise GatewayRefusedError("amount_too_large")
        for capture_id, room in captures:
            if min(left, room) <= 0:
                continue
            asked = {"amount": _said(min(left, room), request.payment.currency), "custom_id": str(request.id)}
            path = f"/v2/payments/captures/{capture_id}/refund"
            await self._refusable("POST", path, asked, key=f"refund-{request.id}-{capture_id}")
            left -= min(left, room)
        for made in await self.refunds_of(request.payment):
            if made.refund_id == request.id:
                return made
        raise GatewayUnavailableError("the refund is being written")

    async def refunds_of(self, payment: KnownPayment) -> Sequence[GatewayRefund]:
        order = await self._find(payment)
        return [] if order is None else refunds_of(order)

    async def forget(self, reference: str) -> None:
        """Nothing is kept."""

    async def notified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        event = await self._proofs.event(headers, body, now)
        if (dispute := paypal_disputes.reference_in(event)) is not None:
            return Notice(event_id=str(event["id"]), disputes=frozenset({dispute}))
        thing: Document = event["resource"]
        if not order_named_by(thing) and (capture := capture_named_by(thing)):
            # A refund names its capture alone.
            try:
                thing = await self._client.ask("GET", f"/v2/payments/captures/{capture}")
            except PayPalError:
                thing = {}
        is_order = str(event.get("resource_type", "")).startswith("checkout-order")
        reference = thing.get("id") if is_order else order_named_by(thing)
        named = uuid_of((unit_of(thing) if is_order else thing).get("custom_id"))
        return Notice(
            event_id=str(event["id"]),
            payment_ids=frozenset({named} if named else ()),
            references=frozenset({reference} if isinstance(reference, str) else ()),
        )

    async def payments_since(self, moment: datetime) -> AsyncIterator[GatewayPayment]:
        async for order in paypal_history.orders_since(self._client, moment):
            yield payment_of(order)

    async def dispute(self, reference: str) -> GatewayDispute | None:
        return await paypal_disputes.retrieve(self._client, reference)

    async def disputes_since(self, moment: datetime) -> AsyncIterator[GatewayDispute]:
        async for found in paypal_disputes.since(self._client, moment):
            yield found

    async def examine(self) -> Sequence[Check]:
        return await paypal_examining.examine(self._client, self._settings)

    async def _known(self, payment: KnownPayment) -> Document:
        order = await self._find(payment)
        if order is None:
            raise GatewayRefusedError("no_such_payment")
        return order

    async def _refusable(self, method: str, path: str, body: object, *, key: str) -> Document:
        try:
            return await self._client.ask(method, path, body, key=key)
        except PayPalError as error:
            raise GatewayRefusedError(error.issue) from None


def _is_old(payment: KnownPayment) -> bool:
    return datetime.now(UTC) - payment.begun_at > KEYS_ARE_KEPT


def _is_all(before: GatewayPayment, amount_minor: int) -> bool:
    return before.captured_minor + amount_minor == before.amount_minor


def _authorisation(order: Document) -> str:
    """Raises GatewayRefusedError."""
    for one in part(order, "authorizations"):
        return str(one["id"])
    raise GatewayRefusedError("not_authorized")


def _said(amount_minor: int, currency: str) -> dict[str, str]:
    """Raises GatewayRefusedError."""
    try:
        return amount(amount_minor, currency)
    except NotPayableError as error:
        raise GatewayRefusedError(str(error)) from None


def _declined(payment: KnownPayment, code: str, message: str | None = None, reference: str = "") -> GatewayPayment:
    return GatewayPayment(
        state=GatewayState.DECLINED,
        reference=reference,
        payment_id=payment.id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        failure_code=code,
        message=message,
    )
