"""Draft orders, written and sent through the API."""

import itertools
from typing import Any

from tests.client import Api
from tests.factories import checkout

FIELDS = """
    id kind state url reply message expiresAt orderId
    lines { title quantity isNegotiated cost { unitPrice { amount } total { amount } } }
    cost { discount { amount } tax { amount } total { amount currencyCode } }
"""
PAYLOAD = f"draftOrder {{ {FIELDS} }} userErrors {{ code message field }}"
COMPLETE = """mutation ($input: DraftOrderCompleteInput!) { draftOrderComplete(input: $input) {
    order { id number status paymentStatus cost { total { amount } } } orderToken paymentAction { type url }
    userErrors { code message field }
} }"""

_keys = itertools.count(1)


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": "USD"}


def custom(price: str = "50", **more: Any) -> dict[str, Any]:
    return {"title": "Workshop", "quantity": 1, "unitPrice": usd(price), **more}


def content(**changed: Any) -> dict[str, Any]:
    """An hour of work for 50.00; `changed` replaces parts, None leaves them out."""
    given = {"lines": [custom()], "email": checkout.EMAIL, "shippingAddress": checkout.ADDRESS, **changed}
    return {name: value for name, value in given.items() if value is not None}


async def ok(api: Api, document: str, variables: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The data, whatever `userErrors` say."""
    result = await api.query(document, variables, **more)
    assert not result.errors, result.errors
    assert result.data is not None
    return result.data


async def create(api: Api, token: str, **changed: Any) -> dict[str, Any]:
    text = f"mutation ($input: DraftOrderInput!) {{ draftOrderCreate(input: $input) {{ {PAYLOAD} }} }}"
    payload: dict[str, Any] = (await ok(api, text, {"input": content(**changed)}, token=token))["draftOrderCreate"]
    return payload


async def created(api: Api, token: str, **changed: Any) -> dict[str, Any]:
    payload = await create(api, token, **changed)
    assert payload["userErrors"] == []
    draft: dict[str, Any] = payload["draftOrder"]
    return draft


async def update(api: Api, token: str, draft_id: str, **changed: Any) -> dict[str, Any]:
    text = (
        f"mutation ($id: ID!, $input: DraftOrderInput!) {{ draftOrderUpdate(id: $id, input: $input) {{ {PAYLOAD} }} }}"
    )
    variables = {"id": draft_id, "input": content(**changed)}
    payload: dict[str, Any] = (await ok(api, text, variables, token=token))["draftOrderUpdate"]
    return payload


async def updated(api: Api, token: str, draft_id: str, **changed: Any) -> dict[str, Any]:
    payload = await update(api, token, draft_id, **changed)
    assert payload["userErrors"] == []
    draft: dict[str, Any] = payload["draftOrder"]
    return draft


async def send(api: Api, token: str, draft_id: str, **given: Any) -> dict[str, Any]:
    text = f"mutation ($input: DraftOrderSendInput!) {{ draftOrderSend(input: $input) {{ {PAYLOAD} }} }}"
    answer = await ok(api, text, {"input": {"id": draft_id, **given}}, token=token)
    payload: dict[str, Any] = answer["draftOrderSend"]
    return payload


async def sent(api: Api, token: str, draft_id: str, **given: Any) -> str:
    """The token of the link."""
    payload = await send(api, token, draft_id, **given)
    assert payload["userErrors"] == []
    return str(payload["draftOrder"]["url"]).rsplit("/", 1)[-1]


async def opened(api: Api, link: str) -> dict[str, Any] | None:
    text = f"query ($token: String!) {{ draftOrder(token: $token) {{ {FIELDS} }} }}"
    shown: dict[str, Any] | None = (await ok(api, text, {"token": link}))["draftOrder"]
    return shown


async def complete(api: Api, link: str, *, key: str | None = None, **given: Any) -> dict[str, Any]:
    given = {"token": link, "idempotencyKey": key or f"draft-{next(_keys)}", **given}
    payload: dict[str, Any] = (await ok(api, COMPLETE, {"input": given}))["draftOrderComplete"]
    return payload


async def marked_complete(api: Api, token: str, draft_id: str, **given: Any) -> dict[str, Any]:
    text = (
        f"mutation ($input: DraftOrderMarkCompleteInput!) {{ draftOrderMarkComplete(input: $input) {{ {PAYLOAD} }} }}"
    )
    answer = await ok(api, text, {"input": {"id": draft_id, **given}}, token=token)
    payload: dict[str, Any] = answer["draftOrderMarkComplete"]
    return payload


async def deleted(api: Api, token: str, draft_id: str) -> dict[str, Any]:
    text = "mutation ($id: ID!) { draftOrderDelete(id: $id) { deletedId userErrors { code field } } }"
    payload: dict[str, Any] = (await ok(api, text, {"id": draft_id}, token=token))["draftOrderDelete"]
    return payload


async def declined(api: Api, link: str, reason: str) -> dict[str, Any]:
    text = (
        "mutation ($token: String!, $reason: String) "
        f"{{ draftOrderDecline(token: $token, reason: $reason) {{ {PAYLOAD} }} }}"
    )
    payload: dict[str, Any] = (await ok(api, text, {"token": link, "reason": reason}))["draftOrderDecline"]
    return payload


async def holds(api: Api, token: str, order_id: str) -> list[str]:
    found = await api.ok("query ($id: ID!) { order(id: $id) { holds } }", {"id": order_id}, token=token)
    return list(found["order"]["holds"])


async def ship(api: Api, token: str, order_id: str) -> list[dict[str, Any]]:
    """The errors."""
    text = "mutation ($input: FulfillmentCreateInput!) { fulfillmentCreate(input: $input) { userErrors { code } } }"
    answer = await ok(api, text, {"input": {"orderId": order_id}}, token=token)
    errors: list[dict[str, Any]] = answer["fulfillmentCreate"]["userErrors"]
    return errors
