"""What advisories about texts, prices and files say, each tried against the running production profile.

The worker is in this process: it writes the mails that requests to the production server cause. CSV formulas are in
test_products_export.py, limits that are raced for in tests/races.
"""

from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from app import db
from app.accounts import links
from app.accounts.models import AccountTokenKind
from app.staff.permissions import Permission
from tests.api.account_operations import CREATE, PASSWORD
from tests.client import Api
from tests.factories import account_mails, accounts, catalogue, checkout, staff
from tests.factories import cart as carts
from tests.factories import shop as shops

Drain = Callable[[], Awaitable[None]]
SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
LIQUID = "{{ 8642 | times: 9137 }}{% for i in (1..9) %}x{% endfor %}{{ shop.name }}{{ settings }}"
PRODUCT = """mutation ($input: ProductInput!) {
    productCreate(input: $input) { product { id descriptionHtml name } userErrors { code field } }
}"""
CART = """mutation ($input: CartInput) {
    cartCreate(input: $input) { cart { id note cost { total { amount } } } userErrors { code } }
}"""
INPUT = (
    "mutation ($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) { order { id } userErrors { code } } }"
)


class Tags(HTMLParser):
    """Every tag and attribute of a page, as a browser would read it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def runs_nothing(self) -> bool:
        links = [value for name, value in self.attributes if name in ("href", "src", "action")]
        return (
            "script" not in self.tags
            and not [name for name, _ in self.attributes if name.startswith("on")]
            and not [link for link in links if link.strip().lower().startswith(("javascript:", "data:", "vbscript:"))]
        )


# --- what is shown ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "html",
    [
        SCRIPT, "<svg onload=alert(1)>",
        '<a href="javascript:alert(1)">a</a>', '<a href="JaVaScRiPt&colon;alert(1)">a</a>',
        '<a href=" \x01javascript:alert(1)">a</a>', '<a href="data:text/html;base64,PHNjcmlwdD4=">a</a>',
        '<iframe srcdoc="<script>alert(1)</script>">', '<p style="background:url(javascript:alert(1))">a</p>',
        "<math><mtext></p><style><img src=x onerror=alert(1)>",
        '<form action="https://evil.example"><input name=password>',
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<object data=x><embed src=x><base href=//evil>",
    ],
)  # fmt: skip
async def test_scripts_in_texts_of_products(outside: Api, html: str) -> None:
    """Stored XSS in rich text that staff write (Saleor, CVE-2026-22849): cleaned before it is stored."""
    await shops.shop()
    token = await staff.signed_in({Permission.PRODUCTS_WRITE, Permission.PRODUCTS_READ})
    given = {"name": "Mug", "descriptionHtml": html, "variants": [{"price": "5"}], "status": "ACTIVE"}
    result = await outside.query(PRODUCT, {"input": given}, token=token)
    made = (result.data or {})["productCreate"]
    if made["userErrors"]:
        assert "\x01" in html, "a control character is refused; all else is cleaned"
        return
    found = Tags(made["product"]["descriptionHtml"])
    assert found.runs_nothing(), made
    assert not {"form", "input", "iframe", "object", "embed", "base", "style", "svg", "math"} & set(found.tags)
    assert "evil" not in str(found.attributes)


async def test_scripts_on_the_shops_own_pages(outside: Api) -> None:
    """Stored XSS on pages of the shop: names of people and of the shop itself come out as text, under a policy that
    runs nothing; the pages of development are not there."""
    await shops.shop()
    await db.execute("UPDATE shop SET name = $1", SCRIPT)
    owner = await staff.signed_in(set(Permission))
    await outside.ok(PRODUCT, {"input": {"name": SCRIPT, "variants": [{"price": "5"}]}}, token=owner)
    ada = await accounts.signed_in("ada@example.com")
    await db.execute("UPDATE customers SET first_name = $1", SCRIPT)
    pages = []
    for kind in (AccountTokenKind.RESET_PASSWORD, AccountTokenKind.SIGN_IN, AccountTokenKind.CHANGE_EMAIL):
        async with db.unit_of_work():
            issued = await links.issue(kind, ada.id, ada.email)
        pages.append("/account/" + (await links.url_of(issued) or "").split("/account/")[1])
    product = await catalogue.product(name=SCRIPT)
    await carts.cart((product.variant_id, 1))
    for path in [
        *pages,
        "/account/reset-password/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/staff/invitation/%22%3E%3Cscript%3E",
    ]:
        answer = await outside.http.get(path)
        assert answer.status_code in (200, 404), path
        assert Tags(answer.text).runs_nothing(), path
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
    for path in ("/", "/inbox", "/inbox/messages", "/flows", "/flows/welcome", "/dev/payments/x", "/schema.graphql"):
        assert (await outside.http.get(path, headers={"Accept": "text/html"})).status_code in (404, 406), path


@pytest.mark.parametrize(
    "text", [LIQUID, SCRIPT, "{% include '/etc/passwd' %}", "{{ ''.__class__.__mro__ }}", "{%", "{{"]
)
async def test_templates_in_what_people_write(outside: Api, drain: Drain, text: str) -> None:
    """Template injection: names and addresses are values of templates, never templates, in mails that they cause."""
    await shops.shop()
    given = {"email": "ada@example.com", "password": PASSWORD, "firstName": text[:50], "lastName": "Lovelace"}
    await outside.ok(CREATE, {"input": given})
    await drain()
    mail = await account_mails.last("ada@example.com", "account_verify_email")
    html = mail.message.get_body(("html",))
    assert html is not None
    assert Tags(html.get_content()).runs_nothing()
    assert str(8642 * 9137) not in mail.text
    assert "xxxxxxxxx" not in mail.text


# --- mails ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["Ada\r\nBcc: eve@example.com", "Ada\nTo: eve@example.com", "=?utf-8?q?Ada=0D=0ABcc:_eve@example.com?=",
     "Ada\u2028Bcc: eve@example.com", "Ada\x85Bcc: eve@example.com", '"Ada" <eve@example.com>, x',
     "Ada\r\n\r\n<script>"],
)  # fmt: skip
async def test_headers_in_what_people_write(outside: Api, drain: Drain, text: str) -> None:
    """Header injection in mail by CR, LF, other line ends and encoded words, in names and in the shop's own name."""
    await shops.shop()
    token = await staff.signed_in(set(Permission))
    rename = "mutation ($input: ShopInput!) { shopUpdate(input: $input) { shop { name } userErrors { code } } }"
    await outside.query(rename, {"input": {"name": text}}, token=token)
    await outside.query(rename, {"input": {"contactEmail": f"a@example.com{text}"}}, token=token)
    given = {"email": "ada@example.com", "password": PASSWORD, "firstName": text}
    await outside.query(CREATE, {"input": given})
    await outside.query(CREATE, {"input": {**given, "firstName": "Ada"}})
    await drain()
    sent = await account_mails.mails("ada@example.com")
    assert sent
    for mail in sent:
        names = [name.lower() for name in mail.message]
        assert "bcc" not in names
        assert names.count("to") == 1
        assert names.count("subject") == 1
        assert [address.addr_spec for address in mail.message["To"].addresses] == ["ada@example.com"]
        reply_to = mail.message["Reply-To"]
        assert reply_to is None or not [one for one in reply_to.addresses if "eve" in one.addr_spec]


# --- prices -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", [-1, 0, 1.5, "1", 2**31, -(2**31), 1e400, True, None, [1]])
async def test_strange_quantities(outside: Api, quantity: object) -> None:
    """Negative, fractional and overflowing quantities."""
    await shops.shop()
    variant = (await catalogue.product()).variant_gid
    body = {"query": CART, "variables": {"input": {"lines": [{"variantId": variant, "quantity": quantity}]}}}
    if quantity == 1e400:
        content = str(body).replace("'", '"').replace("inf", "1e400").replace("\\n", " ")
        answer = await outside.http.post("/graphql", content=content, headers={"Content-Type": "application/json"})
    else:
        answer = await outside.http.post("/graphql", json=body)
    told = answer.json()
    refused = told.get("errors") or told["data"]["cartCreate"]["userErrors"]
    assert refused, told
    assert "INTERNAL_SERVER_ERROR" not in str(refused)
    assert await db.fetchval("SELECT count(*) FROM cart_lines") == 0


async def test_prices_that_a_client_sends(outside: Api) -> None:
    """Price tampering and mass assignment: no input has a price for shoppers, unknown fields are refused, and what was
    expected is compared and never taken."""
    await checkout.shop_that_ships()
    product = await catalogue.product(price_minor=1999)
    line = {"variantId": product.variant_gid, "quantity": 1}
    of_lines: list[dict[str, Any]] = [{"price": "0.01"}, {"unitPrice": 1}, {"cost": {"amount": "0"}}, {"__proto__": {}}]
    for extra in of_lines:
        result = await outside.query(CART, {"input": {"lines": [{**line, **extra}]}})
        assert result.codes == ["BAD_USER_INPUT"], extra
    given = await checkout.ready_input(outside, (product, 1), payment=checkout.CASH)
    of_orders: list[dict[str, Any]] = [
        {"total": "1"}, {"customerId": "x"}, {"paymentStatus": "PAID"}, {"status": "CONFIRMED"}, {"isStaff": True},
    ]  # fmt: skip
    for extra in of_orders:
        assert (await outside.query(INPUT, {"input": {**given, **extra}})).codes == ["BAD_USER_INPUT"], extra
    cheap = {**given, "expectedTotal": {"amount": "0.01", "currencyCode": "USD"}}
    refused = await outside.refused(checkout.COMPLETE, {"input": cheap})
    assert refused[0]["code"] == "TOTAL_CHANGED"
    forged = {**given, "idempotencyKey": "another", "shippingQuoteId": given["shippingQuoteId"][:-4] + "AAAA"}
    assert (await outside.refused(checkout.COMPLETE, {"input": forged}))[0]["code"].startswith(("INVALID", "QUOTE"))
    assert await db.fetchval("SELECT count(*) FROM orders") == 0
    assert await db.fetchval("SELECT count(*) FROM cart_lines") == 1


@pytest.mark.parametrize("input_", [
    {"isActive": True}, {"emailVerifiedAt": "2026-01-01T00:00:00Z"}, {"id": "cus_1"}, {"role": "owner"},
    {"permissions": ["STAFF_WRITE"]}, {"profileId": "prof_1"}, {"constructor": {"prototype": {}}},
])  # fmt: skip
async def test_fields_that_nobody_asked_for(outside: Api, input_: dict[str, Any]) -> None:
    """Mass assignment at sign-up."""
    await shops.shop()
    given = {"email": "ada@example.com", "password": PASSWORD, **input_}
    assert (await outside.query(CREATE, {"input": given})).codes == ["BAD_USER_INPUT"]
    assert await db.fetchval("SELECT count(*) FROM customers") == 0


@pytest.mark.parametrize("price", ["-1", "1e30", "NaN", "Infinity", "0.001", "9" * 40, 1e-9, "1,00", "٣", "0x10"])
async def test_strange_prices_of_products(outside: Api, price: object) -> None:
    """Float, negative and overflowing prices."""
    await shops.shop()
    token = await staff.signed_in(set(Permission))
    given = {"name": "Mug", "variants": [{"price": price}]}
    result = await outside.query(PRODUCT, {"input": given}, token=token)
    refused = result.codes or [error["code"] for error in (result.data or {})["productCreate"]["userErrors"]]
    assert refused, price
    assert "INTERNAL_SERVER_ERROR" not in refused
    assert await db.fetchval("SELECT count(*) FROM products") == 0


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JAVASCRIPT:alert(1)", " javascript:alert(1)", "data:text/html,<script>", "vbscript:x",
     "//evil.example", "file:///etc/passwd", "https:evil", "https://", "\\\\evil.example\\x", "https://a\r\nX: y"],
)  # fmt: skip
async def test_links_that_run(outside: Api, url: str) -> None:
    """`javascript:` and data: links, and open redirects: where to come back to, pictures, webhooks."""
    await checkout.shop_that_ships()
    token = await staff.signed_in(set(Permission))
    given = await checkout.ready_input(outside, (await catalogue.product(), 1))
    paid = {**given, "payment": {**checkout.CARD, "returnUrl": url}}
    hook = """mutation ($input: WebhookEndpointInput!) {
        webhookEndpointCreate(input: $input) { endpoint { id } userErrors { code } }
    }"""
    picture = {"name": "Mug", "variants": [{"price": "5"}], "images": [{"url": url}]}
    for document, variables in (
        (checkout.COMPLETE, {"input": paid}),
        (PRODUCT, {"input": picture}),
        (hook, {"input": {"name": "x", "url": url}}),
    ):
        assert (await outside.refused(document, variables, token=token))[0]["code"], (document, url)
    assert await db.fetchval("SELECT count(*) FROM orders") == 0
    assert await db.fetchval("SELECT count(*) FROM webhook_endpoints") == 0
    assert await db.fetchval("SELECT count(*) FROM products") == 1


@pytest.mark.parametrize(
    "text", ["a\x00b", "\x00", "\ufffe", "\U000e0001", "a\u202eb", "\u0301" * 200, "\U0001f600" * 60]
)
async def test_strange_characters_everywhere(outside: Api, text: str) -> None:
    """NUL and odd Unicode in every text of a cart and a sign-up: kept as it is, or refused; never a fault."""
    await shops.shop()
    variant = (await catalogue.product()).variant_gid
    attribute = [{"key": text, "value": text}]
    lines = [{"variantId": variant, "quantity": 1, "attributes": attribute}]
    for given in ({"note": text}, {"attributes": attribute}, {"lines": lines}, {"discountCodes": [text]},
                  {"buyerIdentity": {"email": f"{text}@example.com"}}, {"buyerIdentity": {"phone": text}}):  # fmt: skip
        result = await outside.query(CART, {"input": given})
        assert "INTERNAL_SERVER_ERROR" not in result.codes, given
        if cart := ((result.data or {}).get("cartCreate") or {}).get("cart"):
            assert cart["note"] in (None, given.get("note"), text.strip())
    for name in ("firstName", "lastName", "email", "password", "phone"):
        result = await outside.query(CREATE, {"input": {"email": "a@example.com", "password": PASSWORD, name: text}})
        assert "INTERNAL_SERVER_ERROR" not in result.codes, name
