"""Unmistakable values in every personal field and every secret go through a shop of real processes: API, worker and
scheduler in production, a mail server, a collector of traces. Nothing that machines write has one of them."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from email import message_from_bytes, policy
from os import environ
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app import db
from app.dev.ports import free_port
from app.staff import service as staff
from tests.factories import cart as carts
from tests.factories import catalogue, checkout
from tests.http_receiver import Receiver, Reply, http_receiver
from tests.live_server import LiveServer
from tests.patience import patience
from tests.security.test_privacy_erased import found, in_redis
from tests.smtp_server import Mailbox, smtp_server

MARK = "canary6613"
EMAIL, OTHER, STRANGER = f"{MARK}.ada@customer.example", f"{MARK}.new@customer.example", f"{MARK}.eve@customer.example"
OWNER, INVITED = f"{MARK}.owner@shop.example", f"{MARK}.invited@shop.example"
PHONE = "+14155550136"
ADDRESS = {
    **checkout.ADDRESS, "firstName": f"{MARK}First", "lastName": f"{MARK}Last", "company": f"{MARK}Company",
    "address1": f"6613 {MARK} Street", "address2": f"{MARK} Flat",
}  # fmt: skip
PASSWORD, STAFF_PASSWORD, SMTP_PASSWORD = f"{MARK}-customer-pass", f"{MARK}-staff-pass", f"{MARK}-smtp-pass"
CRM_KEY, CARD, NOTE, IDEMPOTENCY = f"{MARK}-crm-key", f"{MARK}-card-token", f"{MARK} note", f"{MARK}-idempotency"

PERSONAL = [
    EMAIL,
    OTHER,
    STRANGER,
    OWNER,
    INVITED,
    PHONE,
    NOTE,
    *(str(ADDRESS[name]) for name in ("lastName", "address1")),
]
SECRETS = [PASSWORD, STAFF_PASSWORD, SMTP_PASSWORD, CRM_KEY, CARD]

FAULT = """
CREATE FUNCTION refuse_seeded() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'refused: %', NEW USING DETAIL = NEW::text;
END $$;
CREATE TRIGGER refuse_seeded BEFORE INSERT ON carts FOR EACH ROW WHEN (NEW.note LIKE '%fail%')
    EXECUTE FUNCTION refuse_seeded();
CREATE TRIGGER refuse_seeded BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.template = 'order_cancelled')
    EXECUTE FUNCTION refuse_seeded();
"""
ERRORS = "userErrors { code message }"
LOGIN = f"mutation ($i: LoginInput!) {{ staffLogin(input: $i) {{ accessToken refreshToken {ERRORS} }} }}"
CREATE = f"mutation ($i: CustomerCreateInput!) {{ customerCreate(input: $i) {{ accessToken refreshToken {ERRORS} }} }}"
SIGN_IN = f"mutation ($i: LoginInput!) {{ customerLogin(input: $i) {{ accessToken {ERRORS} }} }}"
VERIFY = f"mutation ($t: String!) {{ customerEmailVerify(token: $t) {{ accessToken {ERRORS} }} }}"
RESET = f"mutation ($e: String!) {{ customerPasswordResetSend(email: $e) {{ accepted {ERRORS} }} }}"
CHANGE = f"mutation ($e: String!, $p: String) {{ customerEmailUpdate(newEmail: $e, password: $p) {{ {ERRORS} }} }}"
KEEP = f"mutation ($a: AddressInput!) {{ customerAddressCreate(address: $a) {{ {ERRORS} }} }}"
CART = f"mutation ($i: CartInput!) {{ cartCreate(input: $i) {{ cart {{ id }} {ERRORS} }} }}"
QUOTES = "query ($input: ShippingQuotesInput!) { shippingQuotes(input: $input) { quotes { id } } }"
INVITE = f"mutation ($i: StaffInviteInput!) {{ staffInvite(input: $i) {{ {ERRORS} }} }}"
KEY = f"mutation ($i: ApiKeyCreateInput!) {{ apiKeyCreate(input: $i) {{ key {ERRORS} }} }}"
HOOK = f"mutation ($i: WebhookEndpointInput!) {{ webhookEndpointCreate(input: $i) {{ secret {ERRORS} }} }}"
CRM = f"mutation ($i: CrmConnectionInput!) {{ crmConnectionCreate(input: $i) {{ {ERRORS} }} }}"
SUBSCRIBE = f"mutation ($i: NewsletterSubscribeInput!) {{ newsletterSubscribe(input: $i) {{ {ERRORS} }} }}"
CANCEL = f"mutation ($id: ID!) {{ orderCancel(orderId: $id) {{ {ERRORS} }} }}"
EXPORT = f"mutation ($p: String) {{ customerDataExport(password: $p) {{ privacyRequest {{ id }} {ERRORS} }} }}"
LINK = re.compile(r"https?://\S+?/([\w.=-]{20,})(?=\s|$)", re.MULTILINE)

pytestmark = [pytest.mark.long, pytest.mark.faults]


@contextmanager
def process(*arguments: str, log: Path, **environment: str) -> Iterator[None]:
    with log.open("wb") as file:
        running = subprocess.Popen(
            [sys.executable, "-m", "app.cli", *arguments], env={**environ, **environment}, stdout=file, stderr=file
        )
    try:
        yield
    finally:
        running.terminate()
        running.wait(patience(20))


class Shop:
    def __init__(self, client: httpx2.AsyncClient, mailbox: Mailbox) -> None:
        self.client = client
        self.mailbox = mailbox
        self.answers: list[tuple[str, str]] = []
        """What was asked and refused, or failed, with the answer."""

    async def ask(self, document: str, token: str | None = None, **variables: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await self.client.post("/graphql", json={"query": document, "variables": variables}, headers=headers)
        body = answer.json()
        data = next(iter((body.get("data") or {}).values()), None) or {}
        if body.get("errors") or data.get("userErrors"):
            self.answers.append((str(variables), answer.text))
        return data

    async def mail_to(self, address: str, about: str) -> str:
        """The text of the newest mail to somebody that says this."""
        for _ in range(int(patience(20) / 0.2)):
            for envelope in reversed(self.mailbox.received):
                content = envelope.content
                assert isinstance(content, bytes)
                parsed: Any = message_from_bytes(content, policy=policy.default)
                text: str = parsed.get_body(("plain",)).get_content()
                if address in envelope.rcpt_tos and about in f"{parsed['subject']} {text}":
                    return text
            await asyncio.sleep(0.2)
        raise AssertionError(f"no mail that says {about}")


@asynccontextmanager
async def running_shop(logs: Path, collector: Receiver, mailbox: Mailbox) -> AsyncIterator[Shop]:
    settings = {
        "TRADEWIND_ENV": "production", "LOG_LEVEL": "DEBUG", "TRUSTED_PROXIES": "1", "EMAIL_FROM": "shop@shop.example",
        "SMTP_URL": f"smtp://shop:{SMTP_PASSWORD}@127.0.0.1:{mailbox.port}?starttls=off",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url("").rstrip("/"), "OTEL_BSP_SCHEDULE_DELAY": "200",
    }  # fmt: skip
    ports = {part: str(free_port()) for part in ("worker", "scheduler")}
    with ExitStack() as stack:
        server = stack.enter_context(LiveServer(log=logs / "api.log", **settings))
        settings["PUBLIC_URL"] = server.url
        for part, port in ports.items():
            stack.enter_context(process(part, log=logs / f"{part}.log", METRICS_PORT=port, **settings))
        headers = {"X-Forwarded-For": "203.0.113.61", "User-Agent": f"{MARK}-browser"}
        async with httpx2.AsyncClient(base_url=server.url, headers=headers, timeout=patience(30)) as client:
            yield Shop(client, mailbox)
            for part, port in ports.items():
                shown = await client.get(f"http://127.0.0.1:{port}/metrics")
                (logs / f"{part}.metrics").write_text(shown.text)
            (logs / "api.metrics").write_text((await client.get("/metrics")).text)


async def journey(shop: Shop, receiver: Receiver) -> list[str]:
    """Everything that people and staff give to a shop; the secrets that it gave them."""
    signed_in = await shop.ask(LOGIN, i={"email": OWNER, "password": STAFF_PASSWORD})
    owner = signed_in["accessToken"]
    await shop.ask(LOGIN, i={"email": OWNER, "password": f"{STAFF_PASSWORD}-wrong"})
    role = await db.fetchval("SELECT id FROM staff_roles LIMIT 1")
    await shop.ask(INVITE, owner, i={"email": INVITED, "name": f"{MARK} Invited", "roleId": f"role_{role.hex}"})
    key = (await shop.ask(KEY, owner, i={"name": "Server", "permissions": ["ORDERS_READ"]}))["key"]
    hook = (await shop.ask(HOOK, owner, i={"name": "Other", "url": "https://webhooks.invalid/hook"}))["secret"]
    crm = {"adapter": "klaviyo", "name": "CRM", "apiKey": CRM_KEY, "configuration": {"apiUrl": "https://crm.invalid"}}
    await shop.ask(CRM, owner, i=crm)

    made = await shop.ask(CREATE, i={"email": EMAIL, "password": PASSWORD, "firstName": MARK, "phone": PHONE})
    token = made["accessToken"]
    verifying = LINK.findall(await shop.mail_to(EMAIL, "verify"))
    for link in verifying:
        await shop.ask(VERIFY, token, t=link)
    await shop.ask(SIGN_IN, i={"email": EMAIL, "password": f"{PASSWORD}-wrong"})
    token = (await shop.ask(SIGN_IN, i={"email": EMAIL, "password": PASSWORD}))["accessToken"] or token
    await shop.ask(RESET, e=EMAIL)
    await shop.ask(CHANGE, token, e=OTHER, p=PASSWORD)
    await shop.ask(KEEP, token, a=ADDRESS)
    await shop.ask(KEEP, token, a={**ADDRESS, "postalCode": f"{MARK}-postal"})
    await shop.ask(SUBSCRIBE, i={"email": STRANGER, "consent": [{"channel": "EMAIL", "granted": True}]})
    await shop.ask(SUBSCRIBE, i={"email": f"{MARK} no address", "consent": []})

    await shop.ask(CART, i={"note": f"{NOTE} fail"})
    product = await catalogue.product()
    order = None
    card = {"method": "CARD", "gateway": "test", "token": CARD, "returnUrl": f"https://shop.example/{MARK}"}
    for payment in (card, checkout.CASH):  # production has no test gateway: the card's token is refused
        cart = await carts.cart((product.variant_id, 1))
        quotes = await shop.ask(QUOTES, input={"cartId": cart.gid, "address": checkout.DESTINATION})
        bought = await shop.ask(checkout.COMPLETE, token, input={
            "cartId": cart.gid, "idempotencyKey": f"{IDEMPOTENCY}-{payment['method']}", "email": EMAIL, "phone": PHONE,
            "shippingAddress": ADDRESS, "shippingQuoteId": quotes["quotes"][0]["id"],
            "payment": payment,
        })  # fmt: skip
        order = bought.get("order") or order
    assert order, shop.answers
    await shop.mail_to(EMAIL, order["number"])
    await shop.ask(EXPORT, token, p=PASSWORD)
    await shop.ask(CANCEL, owner, id=order["id"])
    await fail_for_good()
    return [owner, signed_in["refreshToken"], key, hook, token, made["refreshToken"], *verifying, bought["orderToken"]]


async def fail_for_good() -> None:
    """The event whose handler the database refuses is at its last attempt: a dead letter."""
    for _ in range(int(patience(20) / 0.2)):
        await db.execute(
            """
            UPDATE events SET attempts = 11, visible_at = clock_timestamp(), publications = 0
            WHERE type = 'order.cancelled' AND acknowledged_at IS NULL AND leased_until IS NULL AND attempts < 11
            """
        )
        if await db.fetchval("SELECT count(*) FROM dead_letters"):
            return
        await asyncio.sleep(0.2)
    raise AssertionError("nothing was given up")


async def test_what_machines_write_names_nobody_and_opens_nothing(clean_database: None, tmp_path: Path) -> None:
    await checkout.shop_that_ships()
    await staff.create_owner(OWNER, f"{MARK} Owner", STAFF_PASSWORD)
    await db.execute(FAULT)
    mailbox = Mailbox()
    try:
        async with smtp_server(mailbox, login=("shop", SMTP_PASSWORD)), http_receiver(lambda _: Reply(200)) as receiver:
            async with running_shop(tmp_path, receiver, mailbox) as shop:
                secrets = await journey(shop, receiver)
                broker = await in_redis()
            traces = b"".join(request.body for request in receiver.received).decode("utf-8", "replace").lower()
    finally:
        await db.execute("DROP FUNCTION refuse_seeded CASCADE")

    looked_for = [MARK, PHONE, PHONE.lstrip("+"), "203.0.113.61", *(secret for secret in secrets if secret)]
    assert len([secret for secret in secrets if secret]) >= 7
    written = {file.name: file.read_text(errors="replace").lower() for file in tmp_path.iterdir()}
    for part in ("api.log", "worker.log", "scheduler.log", "worker.metrics", "scheduler.metrics"):
        assert written[part], part
    assert "event handler failed" in written["worker.log"]
    assert "message sent" in written["worker.log"]
    assert "tradewind" in written["worker.metrics"]
    assert "graphql" in traces, "it was traced"
    assert len(shop.answers) >= 6, "something was refused"
    written |= {"traces": traces, "redis": broker}
    for table in ("events", "timers", "dead_letters", "event_receipts", "jobs", "job_problems", "webhook_deliveries"):
        rows = await db.fetch(f'SELECT t::text AS text FROM "{table}" t')
        written[table] = "\n".join(row["text"] for row in rows).lower()
    assert "order.cancelled" in written["dead_letters"]
    assert found(written, looked_for) == []
    for number, (asked, answer) in enumerate(shop.answers):
        # An answer may quote to somebody what they have just sent, but no secret and nothing of anybody else.
        others = [value for value in PERSONAL if value not in asked]
        assert found({f"answer {number}": answer.lower()}, [*others, *SECRETS, *filter(None, secrets)]) == []
