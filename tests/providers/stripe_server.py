"""A stand-in for Stripe: PaymentIntents, Refunds, Customers, Events and signed webhooks, as far as a shop asks.

Written from the documentation (https://docs.stripe.com/api). What it takes for a card: `pm_card_visa`,
`pm_card_chargeDeclined`, `pm_card_threeDSecureRequired`, each also as a confirmation token (`ctoken_…`).
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
import stripe

from app.kit.ids import new_id
from tests.http_receiver import Received, Reply
from tests.providers.serving import ProviderServer
from tests.providers.stripe_forms import parsed, whole

SECRET, SIGNING_SECRET = "sk_test_51TradewindStandIn", "whsec_standin"
DECLINED, CHALLENGED = "chargeDeclined", "threeDSecureRequired"
Answer = tuple[int, dict[str, Any]]


class RefusalError(Exception):
    def __init__(self, status: int, type: str, code: str | None = None, **more: Any) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"error": {"type": type, "code": code, "message": "Said so by the stand-in.", **more}}


@dataclass
class StripeServer(ProviderServer):
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    disputes: dict[str, dict[str, Any]] = field(default_factory=dict)
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)
    """What is attached, with its customer."""
    asking: set[str] = field(default_factory=set)
    """Attached ones whose bank wants their holder to agree each time."""
    refused: dict[str, str] = field(default_factory=dict)
    """Attached ones that cannot be charged, with Stripe's code for why."""
    events: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, tuple[str, Answer]] = field(default_factory=dict)
    """What was asked under each idempotency key, and what was answered."""
    searchable: bool = True
    """Whether what was just made is found by searching; the real one takes a minute, or an hour."""
    has_search: bool = True
    """In India it has none."""
    endpoints: list[dict[str, Any]] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    # --- HTTP ---------------------------------------------------------------------------------------------------------

    def answer(self, request: Received) -> Reply:
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return Reply.of(RefusalError(401, "invalid_request_error").body, 401)
        key, asked = request.headers.get("idempotency-key"), f"{request.target} {request.body.decode()}"
        if request.method == "POST" and key in self.keys:
            before, answered = self.keys[key]
            if before != asked:
                return Reply.of(RefusalError(400, "idempotency_error").body, 400)
            return Reply.of(answered[1], answered[0], Idempotent_Replayed="true")
        given = parsed(request.body.decode() if request.method == "POST" else urlsplit(request.target).query)
        try:
            answered = 200, self._act(request.method, request.path.removeprefix("/v1/").split("/"), given)
        except RefusalError as refusal:
            answered = refusal.status, refusal.body
        if request.method == "POST" and key and answered[0] != 400:
            self.keys[key] = asked, answered
        return Reply.of(answered[1], answered[0], Request_Id="req_standin")

    def broken(self, request: Received) -> Reply:
        refusal = RefusalError(500, "api_error").body
        if key := request.headers.get("idempotency-key"):
            # Stripe keeps its errors under the key, too.
            self.keys[key] = f"{request.target} {request.body.decode()}", (500, refusal)
        return Reply.of(refusal, 500)

    def forget_keys(self) -> None:
        """A day has passed."""
        self.keys.clear()

    def _act(self, method: str, path: list[str], given: dict[str, Any]) -> dict[str, Any]:
        match method, *path:
            case "POST", "payment_intents":
                return self._create(given)
            case "GET", "payment_intents":
                return self._page(list(self.intents.values()), given, self._shown)
            case "GET", "payment_intents", "search":
                found = self._searched(self.intents, given["query"])
                return {"object": "search_result", "data": [self._shown(one) for one in found], "has_more": False}
            case "GET", "payment_intents", id:
                return self._shown(self._existing(self.intents, id))
            case "POST", "payment_intents", id, "capture":
                return self._capture(self._existing(self.intents, id), given)
            case "POST", "payment_intents", id, "cancel":
                return self._cancel(self._existing(self.intents, id))
            case "POST", "refunds":
                return self._refund(self._existing(self.intents, given["payment_intent"]), given)
            case "GET", "refunds":
                rows = [one for one in self.refunds.values() if one["payment_intent"] == given["payment_intent"]]
                return self._page(rows, given, dict)
            case "GET", "disputes", id:
                return self._existing(self.disputes, id)
            case "GET", "customers", "search":
                found = self._searched(self.customers, given["query"])
                return {"object": "search_result", "data": found, "has_more": False}
            case "POST", "customers":
                return self._keep(self.customers, "cus", {"object": "customer", "metadata": given["metadata"]})
            case "POST", "payment_methods", id, "detach":
                if self.methods.pop(id, None) is None:
                    raise RefusalError(400, "invalid_request_error")
                return {"id": id, "object": "payment_method"}
            case "GET", "events":
                rows = [event for event in self.events if event["type"] in given["types"].values()]
                return self._page(rows, given, dict)
            case "GET", "webhook_endpoints":
                return self._page(self.endpoints, {}, dict)
        raise RefusalError(404, "invalid_request_error", "resource_missing")

    # --- payments -----------------------------------------------------------------------------------------------------

    def _create(self, given: dict[str, Any]) -> dict[str, Any]:
        if whole(given["amount"]) < 1 or given["currency"] != given["currency"].lower():
            raise RefusalError(400, "invalid_request_error", "parameter_invalid_integer")
        token = given.get("payment_method") or given.get("confirmation_token")
        if token in self.methods and self.methods[token] != given.get("customer"):
            raise RefusalError(400, "invalid_request_error", "payment_method_customer_mismatch")
        if token and token not in self.methods and "_card_" not in token:
            raise RefusalError(400, "invalid_request_error", "resource_missing", param="payment_method")
        intent = self._keep(
            self.intents,
            "pi",
            {
                "object": "payment_intent",
                "amount": whole(given["amount"]),
                "amount_received": 0,
                "currency": given["currency"],
                "capture_method": given.get("capture_method", "automatic"),
                "customer": given.get("customer"),
                "setup_future_usage": given.get("setup_future_usage"),
                "metadata": given.get("metadata", {}),
                "status": "requires_payment_method",
                "last_payment_error": None,
                "next_action": None,
                "payment_method": token,
                "return_url": given.get("return_url"),
                "amount_refunded": 0,
            },
        )
        intent["client_secret"] = f"{intent['id']}_secret_standin"
        if given.get("confirm"):
            self._confirm(intent, token or "paypal", challenged=token is None, by_sdk="use_stripe_sdk" in given)
        return self._shown(intent)

    def _confirm(self, intent: dict[str, Any], token: str, *, challenged: bool = False, by_sdk: bool = False) -> None:
        if DECLINED in token or token in self.refused:
            self.decline(intent["id"], self.refused.get(token, "card_declined"))
            error = {**intent["last_payment_error"], "payment_intent": self._shown(intent)}
            raise RefusalError(402, error.pop("type"), error.pop("code"), **error)
        if challenged or CHALLENGED in token or token in self.asking:
            intent["status"] = "requires_action"
            page = {"url": f"https://hooks.stripe.example/{intent['id']}", "return_url": intent["return_url"]}
            redirect = {"type": "redirect_to_url", "redirect_to_url": page}
            intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {}} if by_sdk else redirect
            self._tell("payment_intent.requires_action", intent)
            return
        self.succeed(intent["id"])

    def succeed(self, intent_id: str) -> None:
        """What is to be paid is paid: at once, or once the shopper has confirmed it."""
        intent = self.intents[intent_id]
        intent |= {"next_action": None, "payment_method": intent["payment_method"] or "pm_card_visa"}
        if intent["setup_future_usage"]:
            intent["payment_method"] = f"pm_{next(self._numbers)}"
            self.methods[intent["payment_method"]] = intent["customer"]
        if intent["capture_method"] == "manual":
            intent["status"] = "requires_capture"
            self._tell("payment_intent.amount_capturable_updated", intent)
        else:
            intent |= {"status": "succeeded", "amount_received": intent["amount"]}
            self._tell("payment_intent.succeeded", intent)

    def decline(self, intent_id: str, code: str = "card_declined") -> None:
        intent = self.intents[intent_id]
        error = {"type": "card_error", "code": code, "message": "Your card was declined."}
        if code == "card_declined":
            error["decline_code"] = "generic_decline"
        intent |= {"status": "requires_payment_method", "next_action": None, "last_payment_error": error}
        self._tell("payment_intent.payment_failed", intent)

    def _capture(self, intent: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        if intent["status"] != "requires_capture":
            raise RefusalError(400, "invalid_request_error", "payment_intent_unexpected_state")
        amount = whole(given["amount_to_capture"])
        if amount > intent["amount"]:
            raise RefusalError(400, "invalid_request_error", "amount_too_large")
        intent["metadata"] |= given.get("metadata", {})
        intent |= {"status": "succeeded", "amount_received": amount}
        self._tell("payment_intent.succeeded", intent)
        return self._shown(intent)

    def _cancel(self, intent: dict[str, Any]) -> dict[str, Any]:
        if intent["status"] in ("succeeded", "canceled", "processing"):
            raise RefusalError(400, "invalid_request_error", "payment_intent_unexpected_state")
        intent["status"] = "canceled"
        self._tell("payment_intent.canceled", intent)
        return self._shown(intent)

    def _refund(self, intent: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        amount = whole(given["amount"])
        if amount > intent["amount_received"] - intent["amount_refunded"]:
            raise RefusalError(400, "invalid_request_error", "charge_already_refunded")
        disputed = [one for one in self.disputes.values() if one["payment_intent"] == intent["id"]]
        if any(not one["is_charge_refundable"] for one in disputed):
            raise RefusalError(400, "invalid_request_error", "charge_disputed")
        intent["amount_refunded"] += amount
        refund = {
            "object": "refund",
            "payment_intent": intent["id"],
            "amount": amount,
            "currency": intent["currency"],
            "status": "succeeded",
            "metadata": given.get("metadata", {}),
        }
        kept = self._keep(self.refunds, "re", refund)
        self._tell("charge.refunded", {"object": "charge", "id": "ch_x", "payment_intent": intent["id"]})
        return kept

    def refund_at_dashboard(self, intent_id: str, amount: int) -> None:
        self._refund(self.intents[intent_id], {"amount": amount})

    def dispute(self, intent_id: str, status: str = "needs_response", **more: Any) -> str:
        """The buyer's bank asks the money back; Stripe takes it at once, but for an inquiry."""
        intent = self.intents[intent_id]
        made = self._keep(
            self.disputes,
            "du",
            {
                "object": "dispute",
                "payment_intent": intent_id,
                "charge": f"ch_{intent_id}",
                "amount": intent["amount_received"],
                "currency": intent["currency"],
                "reason": "fraudulent",
                "evidence_details": {"due_by": int(time.time()) + 7 * 86_400},
                "balance_transactions": [],
                **more,
            },
        )
        self.decide(made["id"], status, told="created")
        return str(made["id"])

    def decide(self, dispute_id: str, status: str, *, told: str = "closed") -> None:
        dispute = self.disputes[dispute_id]
        dispute |= {"status": status, "is_charge_refundable": status.startswith("warning")}
        self._tell(f"charge.dispute.{told}", dispute)

    # --- what it shows ------------------------------------------------------------------------------------------------

    def _shown(self, intent: dict[str, Any]) -> dict[str, Any]:
        """With what the shop has expanded."""
        paid = intent["status"] in ("requires_capture", "succeeded")
        card = {"capture_before": intent["created"] + 7 * 86_400}
        charge = {
            "id": f"ch_{intent['id']}",
            "object": "charge",
            "amount_refunded": intent["amount_refunded"],
            "payment_method_details": {"type": "card", "card": card},
        }
        token = intent["payment_method"]
        card = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2031}
        method = {"id": token, "object": "payment_method", "type": "card", "card": card} if token else None
        return {**intent, "latest_charge": charge if paid else None, "payment_method": method}

    def _page(
        self, rows: list[dict[str, Any]], given: dict[str, Any], show: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> dict[str, Any]:
        since = whole(given.get("created", {}).get("gte"))
        newest = [row for row in reversed(rows) if row.get("created", since) >= since]
        if after := given.get("starting_after"):
            newest = newest[[row["id"] for row in newest].index(after) + 1 :]
        size = whole(given.get("limit")) or 10
        return {"object": "list", "data": [show(row) for row in newest[:size]], "has_more": len(newest) > size}

    def _searched(self, rows: dict[str, dict[str, Any]], query: str) -> list[dict[str, Any]]:
        if not self.has_search:
            raise RefusalError(400, "invalid_request_error")
        name, _, value = unquote(query).removeprefix('metadata["').partition('"]:"')
        found = [row for row in rows.values() if row["metadata"].get(name) == value.rstrip('"')]
        return found if self.searchable else []

    @staticmethod
    def _existing(rows: dict[str, dict[str, Any]], id: str) -> dict[str, Any]:
        if id not in rows:
            raise RefusalError(404, "invalid_request_error", "resource_missing")
        return rows[id]

    def _keep(self, rows: dict[str, dict[str, Any]], prefix: str, row: dict[str, Any]) -> dict[str, Any]:
        row = {"id": f"{prefix}_{next(self._numbers)}", "created": int(time.time()), **row}
        rows[row["id"]] = row
        return row

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def _tell(self, type: str, thing: dict[str, Any]) -> None:
        event = {"id": f"evt_{new_id().hex}", "object": "event", "type": type, "created": int(time.time())}
        self.events.append({**event, "data": {"object": {**thing, "metadata": dict(thing.get("metadata", {}))}}})


def signed(
    event: dict[str, Any], secret: str = SIGNING_SECRET, at: float | None = None
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a delivery."""
    body = orjson.dumps(event)
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(at or time.time()))
    return {"stripe-signature": header, "content-type": "application/json"}, body
