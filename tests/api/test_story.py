"""The story that GraphiQL tells: every step works on the sample shop, in order, with what the steps before taught."""

import re
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from functools import reduce
from typing import Any
from urllib.parse import urlsplit

from graphql import OperationDefinitionNode, parse

from app.kit.ids import new_id
from app.sample.loading import load_sample_shop
from app.web.story import Step, steps
from tests.client import Api
from tests.delivering import delivering
from tests.factories import account_mails, shop

PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


def filled(template: Any, values: dict[str, str]) -> Any:
    """The template with its placeholders replaced. Raises KeyError for one that no step before has taught."""
    if isinstance(template, dict):
        return {key: filled(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, values) for value in template]
    return PLACEHOLDER.sub(lambda found: values[found[1]], template) if isinstance(template, str) else template


def value_at(data: Any, path: str) -> Any:
    return reduce(lambda value, key: value[int(key) if key.isdigit() else key], path.split("."), data)


def learned(step: Step, data: dict[str, Any]) -> dict[str, str]:
    return {name: new_id().hex if path == "$new" else value_at(data, path) for name, path in step.captures.items()}


async def press_the_mailed_link(api: Api, drain: Callable[[], Awaitable[None]], account: dict[str, str]) -> None:
    """What the step asks of its reader: open the inbox, follow the link, type the password."""
    await drain()
    mail = await account_mails.last(account["email"], "account_verify_email")
    page = await api.http.post(urlsplit(mail.url).path, data={"password": account["password"]})
    assert page.status_code == 200


async def test_every_step_works_with_what_the_steps_before_taught(
    api: Api, drain: Callable[[], Awaitable[None]]
) -> None:
    await shop.shop()
    assert await load_sample_shop()
    values: dict[str, str] = {}
    answers: dict[str, Any] = {}
    for step in steps():
        await drain()
        async with delivering(drain) if step.operation == "PassTime" else nullcontext():
            data = await api.ok(step.document, filled(step.variables, values), headers=filled(step.headers, values))
        values |= learned(step, data)
        answers[step.operation] = data
        if step.operation == "CreateAccount":
            await press_the_mailed_link(api, drain, step.variables["input"])

    assert answers["Browse"]["products"]["totalCount"] >= 1
    assert answers["Track"]["orderTracking"]["number"] == answers["Order"]["checkoutComplete"]["order"]["number"]
    (shipment,) = answers["Deliver"]["trackingEventAdd"]["fulfillment"]["shipments"]
    assert shipment["status"] == "DELIVERED"
    subjects = [message["subject"] for message in answers["Inbox"]["devInbox"]]
    assert len(subjects) == 3, "confirmed, on its way, delivered"
    me = answers["Me"]["me"]
    assert me["emailVerified"]
    assert me["defaultShippingAddress"]["formatted"][0] == "Ada Guest"
    assert [order["number"] for order in me["orders"]["nodes"]] == [answers["Track"]["orderTracking"]["number"]]
    (reminder,) = answers["Reminder"]["devInbox"]
    assert (reminder["flowKey"], reminder["stepKey"]) == ("checkout_abandoned", "remind-1")
    (run,) = answers["Reminder"]["flow"]["runs"]["nodes"]
    assert [entry["text"] for entry in run["timeline"]][1] == "waited 4 h"
    # Two mugs at 16.95 less ten percent; 19/119 of what is left is inside.
    abroad = answers["Abroad"]["cartCreate"]["cart"]["cost"]
    assert (abroad["total"], abroad["taxIncluded"]) == ({"amount": "30.51", "currencyCode": "EUR"}, True)
    assert [(tax["name"], tax["amount"]["amount"]) for tax in abroad["taxLines"]] == [("VAT 19 %", "4.87")]
    gift = answers["Gift"]["cartGiftCardCodesUpdate"]["cart"]["cost"]
    assert [gift[name]["amount"] for name in ("giftWrap", "total", "giftCards", "amountDue")] == [
        "4.50",
        "35.01",
        "20.00",
        "15.01",
    ]
    assert answers["Refund"]["refundCreate"]["refund"]["amount"]["amount"] == "5.00"
    assert answers["Approve"]["orderApprovalApprove"]["orderApproval"]["state"] == "APPROVED"
    bought = answers["CompanyOrder"]["checkoutComplete"]["order"]
    assert bought["paymentStatus"] == "PENDING"
    assert "Within the budget" in [event["reason"] for event in bought["timeline"]]
    assert answers["SendDraft"]["draftOrderSend"]["draftOrder"]["state"] == "SENT"


def test_the_operations_are_called_as_the_steps_say() -> None:
    """The page knows a tab by the name of its operation."""
    for step in steps():
        (operation,) = parse(step.document).definitions
        assert isinstance(operation, OperationDefinitionNode)
        assert operation.name is not None
        assert operation.name.value == step.operation
    assert len({step.operation for step in steps()}) == len(steps())
