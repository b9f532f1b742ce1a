"""Carts of companies, and approvals of them, through the API."""

import uuid
from dataclasses import dataclass
from typing import Any

from app.kit import ids
from tests.client import Api
from tests.factories import accounts, catalogue, checkout, companies
from tests.factories.accounts import Account

FIELDS = """
    id state requestedBy decidedBy decidedByStaff comment message expiresAt orderId companyName
    total { amount } maximumTotal { amount currencyCode } lines { name quantity total { amount } }
"""
ON_ACCOUNT = {"method": "PURCHASE_ORDER", "purchaseOrderNumber": "PO-7"}
_CHOOSE = """mutation ($cart: ID!, $company: ID) { cartCompanyUpdate(cartId: $cart, companyId: $company) {
    userErrors { code }
} }"""


@dataclass(frozen=True, slots=True)
class Team:
    """A company above whose threshold of 50.00 somebody has to approve, its buyer and its approver."""

    company_id: uuid.UUID
    buyer: Account
    approver: Account

    @property
    def gid(self) -> str:
        return ids.encode("comp", self.company_id)


async def team(name: str = "acme", *, spending_limit_minor: int | None = None, **company: Any) -> Team:
    company_id = await companies.company(name.title(), **{"approval_threshold_minor": 5_000, **company})
    buyer = await accounts.signed_in(f"buyer@{name}.example")
    approver = await accounts.signed_in(f"boss@{name}.example")
    await companies.member(company_id, buyer.id, spending_limit_minor=spending_limit_minor)
    await companies.member(company_id, approver.id, role="APPROVER")
    return Team(company_id, buyer, approver)


async def order_input(
    api: Api, company: str, buyer: Account, quantity: int = 3, payment: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A checkout of goods for 20.00 each, without tax or shipping, for the company."""
    product = await catalogue.product(price_minor=2000, stock=100, requires_shipping=False)
    given = await checkout.ready_input(
        api, (product, quantity), shippingQuoteId=None, shippingAddress=None, payment=payment or ON_ACCOUNT
    )
    await choose_company(api, given["cartId"], company, buyer.token)
    return given


async def choose_company(api: Api, cart: str, company: str, token: str) -> None:
    await api.ok(_CHOOSE, {"cart": cart, "company": company}, token=token)


async def request(api: Api, cart: str, token: str | None, **given: Any) -> dict[str, Any]:
    text = f"""mutation ($input: OrderApprovalRequestInput!) {{ orderApprovalRequest(input: $input) {{
        orderApproval {{ {FIELDS} }} userErrors {{ code message field }}
    }} }}"""
    result = await api.query(text, {"input": {"cartId": cart, **given}}, token=token)
    assert result.data, result.errors
    payload: dict[str, Any] = result.data["orderApprovalRequest"]
    return payload


async def requested(api: Api, cart: str, token: str | None, **given: Any) -> str:
    payload = await request(api, cart, token, **given)
    assert payload["userErrors"] == []
    return str(payload["orderApproval"]["id"])


async def decide(api: Api, approval: str, token: str | None, how: str = "Approve", **given: Any) -> dict[str, Any]:
    """`how`: Approve or Reject."""
    text = f"""mutation ($id: ID!, $comment: String) {{ orderApproval{how}(id: $id, comment: $comment) {{
        orderApproval {{ {FIELDS} }} userErrors {{ code message field }}
    }} }}"""
    result = await api.query(text, {"id": approval, **given}, token=token)
    assert result.data, result.errors
    payload: dict[str, Any] = result.data[f"orderApproval{how}"]
    return payload


async def approved(api: Api, approval: str, token: str | None, **given: Any) -> None:
    assert (await decide(api, approval, token, **given))["userErrors"] == []


async def cancel(api: Api, approval: str, token: str | None) -> list[str]:
    text = "mutation ($id: ID!) { orderApprovalCancel(id: $id) { orderApproval { state } userErrors { code } } }"
    result = await api.query(text, {"id": approval}, token=token)
    assert result.data, result.errors
    return [error["code"] for error in result.data["orderApprovalCancel"]["userErrors"]]


async def listed(api: Api, token: str | None, field: str = "myOrderApprovals", **given: Any) -> list[dict[str, Any]]:
    text = f"""query ($company: ID, $state: ApprovalState) {{ {field}(companyId: $company, state: $state) {{
        totalCount nodes {{ {FIELDS} }}
    }} }}"""
    found = (await api.ok(text, given, token=token))[field]
    assert found["totalCount"] == len(found["nodes"])
    nodes: list[dict[str, Any]] = found["nodes"]
    return nodes


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]
