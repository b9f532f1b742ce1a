"""A stand-in for PayPal: Orders v2, Payments v2, its transaction search and signed webhooks, as far as a shop asks.

Written from the documentation (https://developer.paypal.com/docs/api/orders/v2/, …/payments/v2/).
"""

import base64
import itertools
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from app.kit.ids import new_id
from tests.http_receiver import Received, Reply
from tests.providers.serving import ProviderServer

CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID = "AY-standin", "EL-standin", "8PT597110X687430LKGECATA"
CERTIFICATE = "/v1/notifications/certs/CERT-360caa42-standin"


class RefusalError(Exception):
    def __init__(self, issue: str, status: int = 422) -> None:
        super().__init__(issue)
        self.status = status
        self.body = {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": issue}], "debug_id": "x"}


def usd(minor: int) -> dict[str, str]:
    return {"currency_code": "USD", "value": f"{Decimal(minor).scaleb(-2):.2f}"}


def _value(thing: dict[str, Any]) -> Decimal:
    return Decimal(thing["amount"]["value"])


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class PayPalServer(ProviderServer):
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    authorisations: dict[str, dict[str, Any]] = field(default_factory=dict)
    captures: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    disputes: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """The path that was asked for under each PayPal-Request-Id, with the id of what was made."""
    tokens: set[str] = field(default_factory=set)
    events: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    declining: set[str] = field(default_factory=set)
    """Orders whose payers' banks will refuse."""
    may_search: bool = True
    may_see_disputes: bool = True
    wrong_address: bool = False
    webhook: dict[str, Any] | None = None
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    # --- HTTP ---------------------------------------------------------------------------------------------------------

    def answer(self, request: Received) -> Reply:
        if request.path == CERTIFICATE:
            return Reply(200, _signer()[1])
        if request.path == "/v1/oauth2/token":
            return self._sign_in(request)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Reply.of({"name": "AUTHENTICATION_FAILURE"}, 401)
        key, given = request.headers.get("paypal-request-id"), request.json if request.body else {}
        path = request.path.strip("/").split("/")[1:]
        try:
            if key in self.keys:
                was, made = self.keys[key].split(" ")
                assert was == request.path, "a key is of one operation"
                return Reply.of(self._shown(made))
            acted = self._act(request, path, given)
        except RefusalError as refusal:
            return Reply.of(refusal.body, refusal.status)
        if isinstance(acted, dict):
            return Reply.of(acted)
        if key and acted:
            self.keys[key] = f"{request.path} {acted}"
        created = request.path.endswith(("/orders", "/capture", "/refund", "/authorize"))
        return Reply.of(self._shown(acted), 201 if created else 200) if acted else Reply(204)

    def _sign_in(self, request: Received) -> Reply:
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return Reply.of({"error": "invalid_client"}, 401)
        token = f"A21AA{next(self._numbers)}"
        self.tokens.add(token)
        return Reply.of({"access_token": token, "token_type": "Bearer", "expires_in": 32_400})

    def _act(self, request: Received, path: list[str], given: Any) -> str | dict[str, Any] | None:
        """The id of what it is about, or a document."""
        match request.method, *path:
            case "POST", "checkout", "orders":
                return self._create(given)
            case "PATCH", "checkout", "orders", id:
                if self.wrong_address:
                    raise RefusalError("INVALID_PARAMETER_VALUE")
                self._of(self.orders, id)["purchase_units"][0]["shipping"] = given[0]["value"]
                return None
            case "POST", "checkout", "orders", id, "confirm-payment-source":
                order = self._of(self.orders, id)
                order["status"] = "PAYER_ACTION_REQUIRED"
                order["context"] = given["payment_source"]["paypal"]["experience_context"]
                return id
            case "POST", "checkout", "orders", id, "authorize":
                return self._authorize(self._of(self.orders, id))
            case "POST", "payments", "authorizations", id, "capture":
                return self._capture(self._of(self.authorisations, id), given)
            case "POST", "payments", "authorizations", id, "void":
                self._void(self._of(self.authorisations, id))
                return None
            case "POST", "payments", "captures", id, "refund":
                return self._refund(self._of(self.captures, id), given)
            case "GET", "checkout", "orders", id:
                return str(self._of(self.orders, id)["id"])
            case "GET", "payments", "authorizations", id:
                return str(self._of(self.authorisations, id)["id"])
            case "GET", "payments", "captures", id:
                return str(self._of(self.captures, id)["id"])
            case "GET", "reporting", "transactions":
                return self._search(request)
            case "GET", "customer", "disputes":
                if not self.may_see_disputes:
                    raise RefusalError("NOT_AUTHORIZED", 403)
                since = request.query.get("update_time_after", [""])[0]
                rows = [row for row in self.disputes.values() if row["update_time"] >= since[:19]]
                return {"items": [{"dispute_id": row["dispute_id"]} for row in rows], "links": []}
            case "GET", "customer", "disputes", id:
                return self._of(self.disputes, id)
            case "GET", "notifications", "webhooks", _ if self.webhook is not None:
                return self.webhook
        raise RefusalError("RESOURCE_NOT_FOUND", 404)

    # --- payments -----------------------------------------------------------------------------------------------------

    def _create(self, given: dict[str, Any]) -> str:
        unit = given["purchase_units"][0]
        if unit["amount"]["currency_code"] in ("JPY", "HUF", "TWD") and "." in unit["amount"]["value"]:
            raise RefusalError("DECIMALS_NOT_SUPPORTED")
        order = {
            "intent": given["intent"],
            "status": "CREATED",
            "purchase_units": [{"reference_id": "default", **unit}],
        }
        return self._keep(self.orders, "ORDER", order)

    def approve(self, order_id: str) -> None:
        """The payer agrees."""
        self.orders[order_id]["status"] = "APPROVED"
        self._tell("CHECKOUT.ORDER.APPROVED", "checkout-order", self._shown(order_id))

    def _authorize(self, order: dict[str, Any]) -> str:
        if order["status"] != "APPROVED":
            raise RefusalError("ORDER_ALREADY_AUTHORIZED" if order["status"] == "COMPLETED" else "ORDER_NOT_APPROVED")
        if order["id"] in self.declining:
            raise RefusalError("INSTRUMENT_DECLINED")
        order["status"] = "COMPLETED"
        lapses = (datetime.now(UTC) + timedelta(days=29)).isoformat()
        row = {"status": "CREATED", "amount": order["purchase_units"][0]["amount"], "expiration_time": lapses}
        made = self._keep(self.authorisations, "AUTH", {**row, **self._names(order)})
        self._log("T1300", made, order["purchase_units"][0]["custom_id"])
        self._tell("PAYMENT.AUTHORIZATION.CREATED", "authorization", self.authorisations[made])
        return str(order["id"])

    def _capture(self, authorisation: dict[str, Any], given: dict[str, Any]) -> str:
        if authorisation["status"] not in ("CREATED", "PARTIALLY_CAPTURED"):
            raise RefusalError(
                f"AUTHORIZATION_{'VOIDED' if authorisation['status'] == 'VOIDED' else 'ALREADY_CAPTURED'}"
            )
        row = {"status": "COMPLETED", "amount": given["amount"], "invoice_id": given["invoice_id"]}
        named = {"custom_id": authorisation["custom_id"], "supplementary_data": authorisation["supplementary_data"]}
        made = self._keep(self.captures, "CAP", {**row, "final_capture": given["final_capture"], **named})
        authorisation["status"] = "CAPTURED" if given["final_capture"] else "PARTIALLY_CAPTURED"
        self._log("T0006", made, authorisation["custom_id"])
        self._tell("PAYMENT.CAPTURE.COMPLETED", "capture", self.captures[made])
        return made

    def _void(self, authorisation: dict[str, Any]) -> None:
        if authorisation["status"] == "CAPTURED":
            raise RefusalError("PREVIOUSLY_CAPTURED")
        if authorisation["status"] == "VOIDED":
            raise RefusalError("PREVIOUSLY_VOIDED")
        authorisation["status"] = "VOIDED"
        self._tell("PAYMENT.AUTHORIZATION.VOIDED", "authorization", authorisation)

    def _refund(self, capture: dict[str, Any], given: dict[str, Any]) -> str:
        ups = f"{self.url}/v2/payments/captures/{capture['id']}"
        before = sum(_value(refund) for refund in self.refunds.values() if refund["links"][0]["href"] == ups)
        if before + _value(given) > _value(capture):
            raise RefusalError("REFUND_AMOUNT_EXCEEDED")
        row = {"status": "COMPLETED", **given, "links": [{"rel": "up", "href": ups}]}
        order = capture["supplementary_data"]["related_ids"]["order_id"]
        made = self._keep(self.refunds, "REF", {**row, "order": order})
        capture["status"] = "REFUNDED" if before + _value(given) == _value(capture) else "PARTIALLY_REFUNDED"
        self._log("T1107", made, given.get("custom_id") or capture["custom_id"], capture["id"])
        self._tell("PAYMENT.CAPTURE.REFUNDED", "refund", self._shown(made))
        return made

    def refund_at_dashboard(self, order_id: str, minor: int) -> None:
        capture = next(row for row in self.captures.values() if self._order(row) == order_id)
        self._refund(capture, {"amount": usd(minor), "custom_id": capture["custom_id"]})

    def dispute(self, order_id: str, minor: int, *, stage: str = "CHARGEBACK") -> str:
        """The buyer disputes what was captured."""
        capture = next(row for row in self.captures.values() if self._order(row) == order_id)
        due = (datetime.now(UTC) + timedelta(days=10)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        row = {
            "disputed_transactions": [{"seller_transaction_id": capture["id"], "gross_amount": capture["amount"]}],
            "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
            "dispute_amount": usd(minor),
            "status": "WAITING_FOR_SELLER_RESPONSE",
            "dispute_life_cycle_stage": stage,
            "seller_response_due_date": due,
        }
        made = self._keep(self.disputes, "PP-D-", row)
        self.disputes[made]["dispute_id"] = made
        self._tell("CUSTOMER.DISPUTE.CREATED", "dispute", self.disputes[made])
        return made

    def decide(self, dispute_id: str, outcome: str, refunded: int | None = None) -> None:
        said = {"outcome_code": outcome} | ({} if refunded is None else {"amount_refunded": usd(refunded)})
        self.disputes[dispute_id] |= {"status": "RESOLVED", "dispute_outcome": said}
        self._tell("CUSTOMER.DISPUTE.RESOLVED", "dispute", self.disputes[dispute_id])

    # --- what it shows ------------------------------------------------------------------------------------------------

    def _shown(self, id: str) -> dict[str, Any]:
        if id not in self.orders:
            kept = {**self.authorisations, **self.captures, **self.refunds}[id]
            return {name: value for name, value in kept.items() if name != "order"}
        order = {**self.orders[id]}
        rel = "payer-action" if order["status"] == "PAYER_ACTION_REQUIRED" else "approve"
        order["links"] = [{"rel": rel, "href": f"https://www.paypal.example/checkoutnow?token={id}"}]
        rows = {"authorizations": self.authorisations, "captures": self.captures, "refunds": self.refunds}
        mine = {name: [row for row in kept.values() if self._order(row) == id] for name, kept in rows.items()}
        payments = {name: found for name, found in mine.items() if found}
        if payments:
            order["purchase_units"] = [{**order["purchase_units"][0], "payments": payments}]
        return order

    @staticmethod
    def _order(row: dict[str, Any]) -> str:
        return str(row.get("order") or row["supplementary_data"]["related_ids"]["order_id"])

    @staticmethod
    def _names(order: dict[str, Any]) -> dict[str, Any]:
        related = {"related_ids": {"order_id": order["id"]}}
        return {"custom_id": order["purchase_units"][0]["custom_id"], "supplementary_data": related}

    def _search(self, request: Received) -> dict[str, Any]:
        if not self.may_search:
            raise RefusalError("NOT_AUTHORIZED", 403)
        query = {name: values[0] for name, values in request.query.items()}
        assert query["balance_affecting_records_only"] == "N"
        begin, end = (datetime.fromisoformat(query[name]) for name in ("start_date", "end_date"))
        found = [row for row in self.history if begin <= row["at"] <= end + timedelta(seconds=1)]
        size, page = int(query["page_size"]), int(query["page"])
        details = [{"transaction_info": row["info"]} for row in found[(page - 1) * size : page * size]]
        return {"transaction_details": details, "page": page, "total_pages": -(-len(found) // size)}

    def _log(self, code: str, id: str, custom: str, reference: str | None = None) -> None:
        info = {"transaction_id": id, "transaction_event_code": code, "custom_field": custom}
        self.history.append({"at": datetime.now(UTC), "info": {**info, "paypal_reference_id": reference}})

    @staticmethod
    def _of(rows: dict[str, dict[str, Any]], id: str) -> dict[str, Any]:
        if id not in rows:
            raise RefusalError("RESOURCE_NOT_FOUND", 404)
        return rows[id]

    def _keep(self, rows: dict[str, dict[str, Any]], prefix: str, row: dict[str, Any]) -> str:
        made = f"{prefix}{next(self._numbers)}"
        rows[made] = {"id": made, "create_time": _now(), "update_time": _now(), **row}
        return made

    # --- webhooks -----------------------------------------------------------------------------------------------------

    def _tell(self, type: str, of: str, thing: dict[str, Any]) -> None:
        resource = orjson.loads(orjson.dumps(thing))
        self.events.append({"id": f"WH-{new_id().hex}", "event_type": type, "resource_type": of, "resource": resource})

    def signed(
        self, event: dict[str, Any], *, at: datetime | None = None, certificate: str | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of a delivery."""
        body, sent_id = orjson.dumps(event), new_id().hex
        moment = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = f"{sent_id}|{moment}|{WEBHOOK_ID}|{zlib.crc32(body)}"
        signature = _signer()[0](text.encode())
        headers = {
            "paypal-transmission-id": sent_id,
            "paypal-transmission-time": moment,
            "paypal-transmission-sig": base64.b64encode(signature).decode(),
            "paypal-auth-algo": "SHA256withRSA",
            "paypal-cert-url": certificate or f"{self.url}{CERTIFICATE}",
        }
        return headers, body


@cache
def _signer() -> tuple[Callable[[bytes], bytes], bytes]:
    """Signs, and the certificate that says so."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.paypal.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return lambda text: key.sign(text, padding.PKCS1v15(), hashes.SHA256()), pem
