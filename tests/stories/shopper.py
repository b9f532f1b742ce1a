"""One shopper, the shop around them, and the clock: everything through the API that a storefront uses."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app import clock, db
from tests.client import Api
from tests.factories import checkout as buying
from tests.factories.catalogue import MadeProduct

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]

_CART = (
    """mutation ($input: CartInput!) { cartCreate(input: $input) { cart { id } userErrors { code message field } } }"""
)
_ADD = """mutation ($id: ID!, $lines: [CartLineInput!]!) {
    cartLinesAdd(cartId: $id, lines: $lines) { cart { id } userErrors { code message field } }
}"""
_CHECKOUT = """mutation ($input: CheckoutCreateInput!) {
    checkoutCreate(input: $input) { checkout { id } userErrors { code message field } }
}"""
_SUBSCRIBE = """mutation ($input: NewsletterSubscribeInput!) {
    newsletterSubscribe(input: $input) { accepted userErrors { code message field } }
}"""
_TRACK = """mutation ($input: EventsTrackInput!) {
    eventsTrack(input: $input) { userErrors { code message field } }
}"""
_VISITOR = "mutation { visitorCreate { visitorId userErrors { code } } }"
_INBOX = """query ($to: String!) { devInbox(to: $to, first: 100) {
    channel subject html text headers purpose flowKey stepKey sentAt
} }"""
_RUNS = """query ($key: String!) { flow(key: $key) { runs(first: 50) { nodes {
    id status stepKey exitReason inHoldout timeline { stepKey kind text reason }
} } } }"""
_CODES = """mutation ($id: ID!, $codes: [String!]!) {
    cartDiscountCodesUpdate(cartId: $id, codes: $codes) {
        cart { discountCodes { code applicable reason } cost { subtotal { amount } discount { amount } } }
        userErrors { code message field }
    }
}"""
_CLEAR = "mutation ($id: ID!) { cartClear(cartId: $id) { userErrors { code message field } } }"
_PROFILE = "query ($email: String!) { profiles(query: $email, first: 1) { nodes { id stage orderCount } } }"
_REPLY = """mutation ($from: String!, $text: String!) {
    devSmsReply(from: $from, text: $text) { userErrors { code message field } }
}"""


@dataclass
class Story:
    """Somebody with an email, and a number for those who text."""

    api: Api
    staff: str
    drain: Drain
    advance_by: Advance
    email: str = "ada@example.com"
    phone: str = "+15035550142"
    visitor_id: str | None = None
    began: datetime | None = None
    carts: list[str] = field(default_factory=list)

    async def pass_time(self, by: str) -> None:
        await self.drain()
        await self.advance_by(by)

    async def until_hour(self, hour: int) -> None:
        """On to the next full hour of that number, UTC, so that quiet hours are where the story wants them."""
        now = await clock.now()
        target = now.replace(hour=hour, minute=0, second=0, microsecond=0)
        if target <= now:
            target += timedelta(days=1)
        seconds = int((target - now).total_seconds())
        await self.pass_time(f"PT{seconds}S")

    # --- what a shopper does ------------------------------------------------------------------------------------------

    async def subscribe(self, *, sms: bool = False) -> None:
        """To the newsletter; the confirmation is asked for, and nothing else is sent until it is given."""
        consent = [{"channel": "EMAIL", "granted": True}]
        given: dict[str, Any] = {"email": self.email, "firstName": "Ada", "consent": consent}
        if sms:
            given["phone"] = self.phone
            consent.append({"channel": "SMS", "granted": True})
        await self.api.ok(_SUBSCRIBE, {"input": given})
        await self.drain()

    async def confirm(self) -> None:
        """Open the link in the newest mail, and press its button; answer YES to the newest text, if there is one."""
        mails = await self.inbox()
        link = re.search(r"https?://[^/\s]+(/confirm/\S+)", mails[-1]["text"])
        assert link, mails[-1]["text"]
        page = await self.api.http.get(link[1])
        assert page.status_code == 200
        done = await self.api.http.post(link[1])
        assert done.status_code < 400, done.text
        await self.drain()

    async def visit(self) -> None:
        made = await self.api.ok(_VISITOR)
        self.visitor_id = made["visitorCreate"]["visitorId"]

    async def look_at(self, product: MadeProduct, *, cart_id: str | None = None) -> None:
        if self.visitor_id is None:
            await self.visit()
        given: dict[str, Any] = {
            "visitorId": self.visitor_id,
            "events": [{"type": "PRODUCT_VIEWED", "productId": product.gid}],
        }
        if cart_id:
            given["cartId"] = cart_id
        await self.api.ok(_TRACK, {"input": given})
        await self.drain()

    async def cart(
        self, product: MadeProduct, quantity: int = 1, *, consent: bool = True, sms: bool = False, known: bool = True
    ) -> str:
        given: dict[str, Any] = {"lines": [{"variantId": product.variant_gid, "quantity": quantity}]}
        if known:
            consents = [{"channel": "EMAIL", "granted": True}] if consent else []
            identity: dict[str, Any] = {"email": self.email, "marketingConsent": consents}
            if sms:
                identity["phone"] = self.phone
                consents.append({"channel": "SMS", "granted": True})
            given["buyerIdentity"] = identity
        made = await self.api.ok(_CART, {"input": given})
        cart_id: str = made["cartCreate"]["cart"]["id"]
        self.carts.append(cart_id)
        await self.drain()
        return cart_id

    async def put_in(self, cart_id: str, product: MadeProduct) -> None:
        await self.api.ok(_ADD, {"id": cart_id, "lines": [{"variantId": product.variant_gid, "quantity": 1}]})
        await self.drain()

    async def start_checkout(self, cart_id: str) -> None:
        await self.api.ok(_CHECKOUT, {"input": {"cartId": cart_id, "email": self.email}})
        await self.drain()

    async def buy_at_once(self, cart_id: str, token: str) -> dict[str, Any]:
        """Everything in one request, with the box ticked; the payload."""
        given = {
            "cartId": cart_id,
            "idempotencyKey": buying.new_key(),
            "email": self.email,
            "shippingAddress": buying.ADDRESS,
            "shippingQuoteId": await buying.quote_for(self.api, cart_id),
            "payment": {**buying.CARD, "token": token},
            "marketingConsent": [{"channel": "EMAIL", "granted": True}],
        }
        payload = await buying.complete(self.api, given)
        await self.drain()
        return payload

    async def order(self, cart_id: str, **changed: Any) -> dict[str, Any]:
        """Buy the cart by card; the order."""
        given = {
            "cartId": cart_id,
            "idempotencyKey": buying.new_key(),
            "email": self.email,
            "shippingAddress": buying.ADDRESS,
            "shippingQuoteId": await buying.quote_for(self.api, cart_id),
            "payment": buying.CARD,
            **changed,
        }
        payload = await buying.complete(self.api, given)
        assert payload["order"], payload["userErrors"]
        await self.drain()
        placed: dict[str, Any] = payload["order"]
        return placed

    async def enter_code(self, cart_id: str, code: str) -> dict[str, Any]:
        done = await self.api.ok(_CODES, {"id": cart_id, "codes": [code]})
        cart: dict[str, Any] = done["cartDiscountCodesUpdate"]["cart"]
        return cart

    async def follow(self, mail: Mapping[str, Any], words: str) -> Any:
        """Click the link under these words in a mail, as a person with a browser; the answer at its end."""
        anchor = re.search(rf'<a[^>]*href="([^"]+)"[^>]*>(?:\s|<[^>]+>)*{re.escape(words)}', mail["html"])
        assert anchor, f"no link {words!r}"
        return await self.click(anchor[1].replace("&amp;", "&"))

    async def click(self, url: str) -> Any:
        path = re.sub(r"^https?://[^/]+", "", url)
        answer = await self.api.http.get(path, headers={"User-Agent": BROWSER}, follow_redirects=False)
        await self.drain()
        return answer

    async def one_click(self, url: str) -> Any:
        """What a mail program does when its unsubscribe button is pressed (RFC 8058)."""
        path = re.sub(r"^https?://[^/]+", "", url)
        answer = await self.api.http.post(path, data={"List-Unsubscribe": "One-Click"}, follow_redirects=False)
        await self.drain()
        return answer

    async def clear(self, cart_id: str) -> None:
        await self.api.ok(_CLEAR, {"id": cart_id})
        await self.drain()

    async def answer_survey(self, page: Any, *, score: int, comment: str) -> None:
        """Send the form of the survey's page."""
        answer = await self.api.http.post(page.url.raw_path.decode(), data={"score": str(score), "comment": comment})
        assert answer.status_code < 400, answer.text
        await self.drain()

    async def reply(self, text: str) -> None:
        """Answer the shop's text message."""
        await self.api.ok(_REPLY, {"from": self.phone, "text": text}, token=self.staff)
        await self.drain()

    # --- what came of it ----------------------------------------------------------------------------------------------

    async def inbox(self, to: str | None = None) -> list[dict[str, Any]]:
        """Mails to the shopper, oldest first."""
        found = await self.api.ok(_INBOX, {"to": to or self.email}, token=self.staff)
        return list(reversed(found["devInbox"]))

    async def texts(self, flow_key: str | None = None) -> list[dict[str, Any]]:
        """All of them, or those of a flow."""
        return [one for one in await self.inbox(self.phone) if flow_key in (None, one["flowKey"])]

    async def steps_sent(self) -> list[tuple[str, str]]:
        """Flow and step of every marketing message, by mail and text, in the order in which they were sent."""
        received = [*await self.inbox(), *await self.texts()]
        marketing = sorted((one for one in received if one["flowKey"]), key=lambda one: one["sentAt"])
        return [(one["flowKey"], one["stepKey"]) for one in marketing]

    async def newest_code(self) -> str:
        """The code in the newest mail that has one."""
        for mail in reversed(await self.inbox()):
            if mail["flowKey"] and (found := re.search(r"Your code for .+ off: (\S+)", mail["text"])):
                return found[1]
        raise AssertionError("no mail with a code")

    async def profile(self) -> dict[str, Any]:
        found = await self.api.ok(_PROFILE, {"email": self.email}, token=self.staff)
        (profile,) = found["profiles"]["nodes"]
        return dict(profile)

    async def publish(self, flow_key: str) -> None:
        await self._with_flow(flow_key, "mutation ($id: ID!) { flowPublish(id: $id) { userErrors { code message } } }")
        await self.drain()

    async def _with_flow(self, flow_key: str, mutation: str) -> None:
        found = await self.api.ok(
            "query ($key: String!) { flow(key: $key) { id } }", {"key": flow_key}, token=self.staff
        )
        await self.api.ok(mutation, {"id": found["flow"]["id"]}, token=self.staff)

    async def steps_of(self, flow_key: str) -> list[str]:
        """The steps of one flow that have written, by mail and text."""
        return [step for flow, step in await self.steps_sent() if flow == flow_key]

    async def runs(self, flow_key: str) -> list[dict[str, Any]]:
        """Newest first."""
        found = await self.api.ok(_RUNS, {"key": flow_key}, token=self.staff)
        nodes: list[dict[str, Any]] = found["flow"]["runs"]["nodes"]
        return nodes

    async def sent_at(self, flow_key: str) -> dict[str, timedelta]:
        """How long after the story's beginning each step's message was sent; see `begin`."""
        assert self.began is not None
        received = [*await self.inbox(), *await self.texts()]
        return {
            one["stepKey"]: datetime.fromisoformat(one["sentAt"]) - self.began
            for one in received
            if one["flowKey"] == flow_key
        }

    async def begin(self) -> None:
        """From now on times are told by `sent_at`."""
        self.began = await clock.now()


BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


async def skipped(flow_key: str) -> list[tuple[str, str]]:
    """Step and reason of every message that the ledger says was skipped."""
    rows = await db.fetch(
        """
        SELECT m.step_key, m.reason FROM messages m JOIN flows f ON f.id = m.flow_id
        WHERE f.key = $1 AND m.state = 'SKIPPED' ORDER BY m.created_at
        """,
        flow_key,
    )
    return [(row["step_key"], row["reason"]) for row in rows]
