"""The developer's inbox and the send ledger, through the API."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app import db
from app.kit import ids
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import orders, shop, staff
from tests.factories.messages import happens, ledger, placed_order

Drain = Callable[[], Awaitable[None]]

INBOX = """
query ($to: String, $first: Int) {
  devInbox(to: $to, first: $first) {
    id channel to subject html text headers purpose flowKey stepKey sentAt template deliveries smsSegments
  }
}
"""
MESSAGES = """
query ($first: Int, $after: String, $orderId: ID, $state: MessageState) {
  messages(first: $first, after: $after, orderId: $orderId, state: $state) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id channel purpose template recipient orderId state reason detail attempts resendOf createdAt sentAt }
  }
}
"""
RESEND = """
mutation ($id: ID!) {
  messageResend(id: $id) { message { id state template recipient resendOf } userErrors { code field message } }
}
"""


@pytest.fixture
async def confirmed(api: Api, drain: Drain) -> str:
    """An order whose confirmation was sent by email and SMS; its id."""
    await shop.shop()
    order_id = await placed_order(phone="+14155550188")
    await happens("order.placed", order_id)
    await drain()
    return ids.encode("ord", order_id)


async def test_the_inbox_shows_mail_as_its_receiver_got_it(api: Api, staff_token: str, confirmed: str) -> None:
    (mail,) = (await api.ok(INBOX, {"to": "ADA@customer.example"}, token=staff_token))["devInbox"]
    assert mail["channel"] == "EMAIL"
    assert mail["to"] == "ada@customer.example"
    assert mail["purpose"] == "TRANSACTIONAL"
    assert mail["subject"] == "Order 1001 confirmed"
    assert "Harbour sweater" in mail["html"]
    assert "1 Engine Way" in mail["text"]
    assert "$144.90" in mail["text"]
    headers = mail["headers"]
    assert headers["To"] == "ada@customer.example"
    assert headers["Subject"] == "Order 1001 confirmed"
    assert headers["Message-ID"].startswith("<")
    assert headers["From"] == "Tradewind Supply <shop@localhost.localdomain>"
    assert headers["Reply-To"] == "Tradewind Supply <hello@tradewind.example>", "the shop's contact address"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert (mail["flowKey"], mail["stepKey"], mail["deliveries"], mail["smsSegments"]) == (None, None, 1, None)

    (text,) = (await api.ok(INBOX, {"to": "+14155550188"}, token=staff_token))["devInbox"]
    assert (text["channel"], text["subject"], text["html"], text["headers"]) == ("SMS", None, None, {})
    assert text["smsSegments"] == 1
    assert len((await api.ok(INBOX, {"first": 1}, token=staff_token))["devInbox"]) == 1


async def test_the_inbox_and_the_ledger_are_for_staff_with_the_permission(api: Api, confirmed: str) -> None:
    other = await staff.signed_in(set(Permission) - {Permission.OPERATIONS})
    message_id = ids.encode("msg", (await ledger())[0]["id"])
    for document in (INBOX, MESSAGES):
        assert (await api.query(document)).codes == ["UNAUTHENTICATED"]
        assert (await api.query(document, token=other)).codes == ["FORBIDDEN"]
    assert (await api.refused(RESEND, {"id": message_id}))[0]["code"] == "UNAUTHENTICATED"
    assert (await api.refused(RESEND, {"id": message_id}, token=other))[0]["code"] == "FORBIDDEN"
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await api.ok(node, {"id": message_id}, token=other))["node"] is None
    assert len(await ledger()) == 2


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_the_inbox_has_a_limit(api: Api, staff_token: str, first: int) -> None:
    assert (await api.query(INBOX, {"first": first}, token=staff_token)).codes == ["OUT_OF_RANGE"]


async def test_the_ledger_is_listed_newest_first_and_filtered(api: Api, staff_token: str, confirmed: str) -> None:
    page = (await api.ok(MESSAGES, {"first": 1, "orderId": confirmed}, token=staff_token))["messages"]
    assert page["totalCount"] == 2
    assert page["pageInfo"]["hasNextPage"] is True
    (newest,) = page["nodes"]
    assert (newest["channel"], newest["state"], newest["orderId"]) == ("SMS", "SENT", confirmed)
    assert newest["attempts"] == 1
    assert newest["sentAt"] is not None
    after = page["pageInfo"]["endCursor"]
    page = (await api.ok(MESSAGES, {"after": after, "state": "SENT"}, token=staff_token))["messages"]
    assert [node["channel"] for node in page["nodes"]] == ["EMAIL"]
    assert (await api.ok(MESSAGES, {"state": "FAILED"}, token=staff_token))["messages"]["nodes"] == []
    other = ids.encode("ord", await placed_order())
    assert (await api.ok(MESSAGES, {"orderId": other}, token=staff_token))["messages"]["totalCount"] == 0
    node = "query ($id: ID!) { node(id: $id) { ... on Message { template recipient } } }"
    found = (await api.ok(node, {"id": newest["id"]}, token=staff_token))["node"]
    assert found == {"template": "order_confirmation", "recipient": "+14155550188"}


async def test_staff_send_a_message_again_as_a_new_one(
    api: Api, staff_token: str, drain: Drain, confirmed: str
) -> None:
    first = ids.encode("msg", (await ledger())[0]["id"])
    again = (await api.ok(RESEND, {"id": first}, token=staff_token))["messageResend"]["message"]
    assert (again["state"], again["resendOf"]) == ("RESERVED", first)
    refused = await api.refused(RESEND, {"id": first}, token=staff_token)
    assert refused[0]["code"] == "MESSAGE_PENDING"
    assert refused[0]["field"] == ["id"]
    assert len(await ledger()) == 3

    await drain()
    mails = (await api.ok(INBOX, {"to": "ada@customer.example"}, token=staff_token))["devInbox"]
    assert [mail["subject"] for mail in mails] == ["Order 1001 confirmed"] * 2
    assert len({mail["headers"]["Message-ID"] for mail in mails}) == 2, "a mail program would hide the second one"


async def test_two_clicks_send_a_message_again_once(api: Api, staff_token: str, confirmed: str) -> None:
    first = ids.encode("msg", (await ledger())[0]["id"])
    answers = await asyncio.gather(*(api.query(RESEND, {"id": first}, token=staff_token) for _ in range(8)))
    payloads = [answer.data["messageResend"] for answer in answers if answer.data]
    assert sorted(error["code"] for payload in payloads for error in payload["userErrors"]) == ["MESSAGE_PENDING"] * 7
    assert len(await ledger()) == 3


async def test_what_is_no_longer_true_is_not_repeated(api: Api, staff_token: str, drain: Drain, confirmed: str) -> None:
    email = ids.encode("msg", (await ledger())[0]["id"])
    await orders.rewrite("UPDATE orders SET status = 'CANCELLED'")
    assert (await api.refused(RESEND, {"id": email}, token=staff_token))[0]["code"] == "MESSAGE_OBSOLETE"
    await orders.rewrite("UPDATE orders SET status = 'OPEN'")
    await db.execute("UPDATE messages SET purpose = 'MARKETING'")
    assert (await api.refused(RESEND, {"id": email}, token=staff_token))[0]["code"] == "MESSAGE_OBSOLETE"
    unknown = ids.encode("msg", ids.new_id())
    assert (await api.refused(RESEND, {"id": unknown}, token=staff_token))[0]["code"] == "NOT_FOUND"
    assert (await api.refused(RESEND, {"id": confirmed}, token=staff_token))[0]["code"] == "INVALID_ID"
    await drain()
    assert len(await ledger()) == 2
