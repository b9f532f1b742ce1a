"""The five-minute proof of the flows, over HTTP against a real `tradewind dev`.

A cart is left and its reminder brings it back, an order ends the reminders and begins the thanks, a worker that is
killed while it sends costs nothing and doubles nothing, and who answers "stop please" is left alone.
"""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx2
import pytest

from app.kit.ids import new_id
from tests.faults.dev_shop import DevShop
from tests.faults.processes import until
from tests.faults.test_tour import ADDRESS, Client
from tests.patience import patience
from tests.stories.shopper import BROWSER

pytestmark = [pytest.mark.long, pytest.mark.faults]

REST_SECONDS = 20.0
HOLD_ID = 7_462
_HOLD_MAILS = f"""
    CREATE FUNCTION hold_mail() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared({HOLD_ID}); RETURN NEW; END $$;
    CREATE TRIGGER hold_mail BEFORE INSERT ON dev_messages FOR EACH ROW EXECUTE FUNCTION hold_mail()
"""
RUNS = """query ($key: String!) { flow(key: $key) { runs(first: 10) { nodes {
    status stepKey exitReason timeline { text reason }
} } } }"""
MESSAGES = "{ messages(first: 50) { nodes { recipient state flowKey stepKey } } }"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevShop]:
    dev_shop = DevShop(tmp_path_factory.mktemp("flow-tour") / "shop", None)
    try:
        dev_shop.open()
        yield dev_shop
    finally:
        dev_shop.end_by_force()


class Developer:
    """Somebody at the shop's pages and GraphiQL: shopper, staff and receiver of the mails in one."""

    def __init__(self, shop: DevShop) -> None:
        self.shop = shop
        self.shopper = Client(shop)
        self.staff = Client(shop)

    async def sign_in(self) -> None:
        signed_in = await self.staff(
            """mutation { staffLogin(input: { email: "owner@example.com", password: "tradewind-dev" }) {
                accessToken userErrors { code }
            } }"""
        )
        self.staff.token = signed_in["accessToken"]

    async def get(self, path: str) -> httpx2.Response:
        """A page, as a browser gets it; redirects are not followed."""
        async with httpx2.AsyncClient(timeout=patience(30)) as http:
            return await http.get(f"http://127.0.0.1:{self.shop.port}{path}", headers={"User-Agent": BROWSER})

    async def begin_checkout(self, email: str, phone: str | None = None) -> str:
        """A cart with email and consent, and a checkout of it; the cart's id."""
        products = await self.shopper("""{ products(first: 20) { nodes { variants(first: 1) { nodes {
            id availableForSale requiresShipping
        } } } } }""")
        variants = [one for product in products["nodes"] for one in product["variants"]["nodes"]]
        variant = next(one for one in variants if one["availableForSale"] and one["requiresShipping"])
        identity: dict[str, Any] = {"email": email, "marketingConsent": [{"channel": "EMAIL", "granted": True}]}
        if phone:
            identity["phone"] = phone
            identity["marketingConsent"].append({"channel": "SMS", "granted": True})
        cart = (await self.shopper(
            "mutation ($input: CartInput!) { cartCreate(input: $input) { cart { id } userErrors { code message } } }",
            input={"lines": [{"variantId": variant["id"], "quantity": 2}], "buyerIdentity": identity},
        ))["cart"]  # fmt: skip
        await self.shopper(
            """mutation ($input: CheckoutCreateInput!) { checkoutCreate(input: $input) {
                checkout { id } userErrors { code message }
            } }""",
            input={"cartId": cart["id"], "email": email},
        )
        cart_id: str = cart["id"]
        return cart_id

    async def order(self, cart_id: str, email: str) -> None:
        quotes = (await self.shopper(
            """query ($input: ShippingQuotesInput!) { shippingQuotes(input: $input) {
                quotes { id } userErrors { code message }
            } }""",
            input={"cartId": cart_id, "address": {"countryCode": "US", "provinceCode": "CA", "postalCode": "94158"}},
        ))["quotes"]  # fmt: skip
        await self.shopper(
            """mutation ($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) {
                order { id } userErrors { code message field }
            } }""",
            input={
                "cartId": cart_id,
                "idempotencyKey": new_id().hex,
                "email": email,
                "shippingAddress": ADDRESS,
                "shippingQuoteId": quotes[0]["id"],
                "payment": {"method": "CARD", "gateway": "test", "token": "tok_success"},
            },
        )

    async def advance(self, by: str) -> None:
        """Let time pass for the shop."""
        await self.staff("mutation ($by: String!) { clockAdvance(by: $by) { now userErrors { code message } } }", by=by)

    async def inbox(self, to: str) -> list[dict[str, Any]]:
        """Messages of flows, oldest first."""
        found = await self.staff(
            "query ($to: String) { devInbox(to: $to) { subject html text headers flowKey stepKey } }", to=to
        )
        return [mail for mail in reversed(found) if mail["flowKey"]]

    async def steps_sent(self, to: str) -> list[str]:
        return [mail["stepKey"] for mail in await self.inbox(to) if mail["flowKey"] == "checkout_abandoned"]

    async def ledger(self, recipient: str) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = (await self.staff(MESSAGES))["nodes"]
        return [row for row in nodes if (row["recipient"], row["flowKey"]) == (recipient, "checkout_abandoned")]

    async def newest_run(self, flow_key: str) -> dict[str, Any]:
        run: dict[str, Any] = (await self.staff(RUNS, key=flow_key))["runs"]["nodes"][0]
        return run

    async def waiting(self, step: str) -> int:
        """How many stand at a step of the abandonment, as the flow's picture tells it."""
        picture = (await self.get("/flows/checkout_abandoned/picture")).json()
        (node,) = [node for node in picture["picture"]["nodes"] if node["key"] == step]
        return int(node["waiting"])


@pytest.fixture
async def developer(shop: DevShop) -> Developer:
    developer = Developer(shop)
    await developer.sign_in()
    return developer


async def test_a_reminder_brings_the_cart_back_and_an_order_ends_the_flow(developer: Developer) -> None:
    email = "ada@example.com"
    cart = await developer.begin_checkout(email)

    # The picture
    async def stands_there() -> bool:
        return await developer.waiting("wait-4h") == 1

    await until(stands_there, REST_SECONDS, "one waits in the picture")
    page = await developer.get("/flows/checkout_abandoned")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    overview = {flow["key"]: flow for flow in (await developer.get("/flows/-/overview")).json()}
    assert len(overview) == 7
    assert {flow["status"] for flow in overview.values()} == {"PUBLISHED"}
    assert (overview["checkout_abandoned"]["name"], overview["checkout_abandoned"]["living"]) == (
        "Checkout abandoned",
        1,
    )

    # The mail
    await developer.advance("PT4H")
    (mail,) = await developer.inbox(email)
    assert (mail["flowKey"], mail["stepKey"]) == ("checkout_abandoned", "remind-1")
    assert "Finish my order" in mail["html"]
    assert "{{" not in mail["html"] + mail["text"]
    headers = mail["headers"]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<https?://\S+/unsubscribe/\S+>", headers["List-Unsubscribe"])

    # Its link
    link = re.search(r"Finish my order: \S+?(/l/\S+)", mail["text"])
    assert link, mail["text"]
    followed = await developer.get(link[1])
    assert followed.status_code == 302
    restore = re.search(r"/cart/restore/([^?]+)", followed.headers["location"])
    assert restore, followed.headers["location"]
    restored = await developer.get(restore[0])
    assert restored.status_code == 200
    assert cart in restored.text
    by_token = await developer.shopper(
        "query ($token: String!) { cartRestore(token: $token) { id totalQuantity } }", token=restore[1]
    )
    assert by_token == {"id": cart, "totalQuantity": 2}

    # The order
    await developer.order(cart, email)
    await developer.advance("P3D")
    assert await developer.steps_sent(email) == ["remind-1"]
    run = await developer.newest_run("checkout_abandoned")
    assert (run["status"], run["exitReason"]) == ("EXITED", "ORDER_PLACED")
    assert run["timeline"][-1]["text"] == "left: ORDER_PLACED"
    assert (await developer.newest_run("post_purchase"))["status"] == "ACTIVE"
    assert [(row["state"], row["stepKey"]) for row in await developer.ledger(email)] == [("SENT", "remind-1")]


@asynccontextmanager
async def _mails_held(shop: DevShop) -> AsyncIterator[asyncpg.Connection]:
    """While it lasts, whoever hands a mail over waits for the answer: the middle of a send."""
    connection = await asyncpg.connect(shop.settings()["DATABASE_URL"])
    try:
        await connection.execute(_HOLD_MAILS)
        await connection.execute("SELECT pg_advisory_lock($1)", HOLD_ID)
        yield connection
    finally:
        await connection.close()  # and lets the lock go


async def test_a_worker_killed_in_the_middle_of_a_send_leaves_one_row_and_one_mail(developer: Developer) -> None:
    shop, email = developer.shop, "grace@example.com"
    await developer.begin_checkout(email)
    worker = shop.part("app.cli worker")
    assert worker is not None
    async with _mails_held(shop) as connection:
        passing = asyncio.create_task(developer.advance("PT4H"))

        async def is_handing_over() -> bool:
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted"
            return bool(await connection.fetchval(waiting, HOLD_ID))

        await until(is_handing_over, REST_SECONDS, "the worker hands the mail over")
        assert [row["state"] for row in await developer.ledger(email)] == ["SENDING"]
        os.kill(worker, signal.SIGKILL)

        async def is_replaced() -> bool:
            return shop.part("app.cli worker") not in (worker, None)

        await until(is_replaced, REST_SECONDS, "the shop starts another worker")
    await passing

    # The mail was taken, and nobody heard: what may have gone out is not sent again.
    async def is_settled() -> bool:
        return [(row["state"], row["stepKey"]) for row in await developer.ledger(email)] == [("UNKNOWN", "remind-1")]

    await until(is_settled, REST_SECONDS, "the ledger says what became of the mail")
    assert await developer.steps_sent(email) == ["remind-1"]


async def test_who_answers_stop_please_gets_no_text(developer: Developer) -> None:
    email, phone = "linus@example.com", "+15035550142"
    await developer.begin_checkout(email, phone)
    answer = await developer.staff(
        """mutation ($from: String!, $text: String!) {
            devSmsReply(from: $from, text: $text) { keyword userErrors { code message } }
        }""",
        **{"from": phone, "text": "stop please"},
    )
    assert answer["keyword"] == "STOP"
    await developer.advance("P3D")
    assert await developer.inbox(phone) == []
    assert await developer.steps_sent(email) == ["remind-1", "remind-2", "remind-3"]
    run = await developer.newest_run("checkout_abandoned")
    assert [entry["reason"] for entry in run["timeline"] if entry["text"].startswith("skipped SMS")] == [
        "CONSENT_REVOKED"
    ]
