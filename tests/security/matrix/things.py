"""One shop with something of every kind that has an id: the owner's, the staff's and the shop's."""

import uuid
from dataclasses import dataclass

from app import db
from app.accounts import links
from app.accounts.models import AccountTokenKind
from app.assisted import service as assisted
from app.assisted.content import DraftContent, DraftLine
from app.assisted.models import DraftKind, DraftState
from app.assisted.queries import TOKEN_PURPOSE
from app.cart import merging
from app.cart.service import CartKey
from app.catalogue.exporting import service as exporting
from app.catalogue.importing import service as importing
from app.crm import service as crm
from app.customers import suppressions, visitors
from app.invoices import issuing
from app.invoices.models import IssueInvoices
from app.jobs import service as jobs
from app.keys import keyring
from app.kit import ids
from app.kit.ids import new_id
from app.messaging.models import MessageChannel
from app.privacy import exporting as privacy
from app.promotions import generating
from app.sessions import passwords
from app.uploads import generated
from app.uploads import service as uploads
from app.webhooks import service as webhooks
from tests.client import Api
from tests.factories import (
    accounts,
    campaigns,
    catalogue,
    checkout,
    companies,
    customers,
    discounts,
    flow_rows,
    gift_cards,
    marketing,
    markets,
    refunds,
    taxes,
)
from tests.factories import cart as carts
from tests.factories import staff as staffs
from tests.factories.accounts import Account
from tests.factories.fulfillments import fulfill

CHECKOUT = """mutation ($input: CheckoutCreateInput!) {
    checkoutCreate(input: $input) { checkout { id } userErrors { code } }
}"""
PASSWORD = "correct horse battery"
WRONG_SECRET = "x" * 22
ADDRESS = '{"last_name": "L", "address1": "1 Market Street", "city": "San Francisco", "country_code": "US"}'


@dataclass(frozen=True, slots=True)
class Thing:
    id: str
    """As whoever it belongs to sends it."""
    wrong: str | None = None
    """As somebody sends it who knows everything of it but its secret."""

    @property
    def never(self) -> str:
        """An id of the same kind that never existed."""
        prefix = ids.prefix_of(self.id)
        plain = ids.encode(prefix, new_id())
        return plain if self.wrong is None else f"{plain}_{WRONG_SECRET}"


@dataclass(frozen=True, slots=True)
class Shop:
    owner: Account
    other: Account
    things: dict[str, Thing]
    """By kind: the prefix of the id, or a name where there are several of one prefix."""
    given: dict[str, str]
    """What operations need besides the id that is tried: valid, and nobody's secret."""


def _work() -> DraftLine:
    return DraftLine(id=new_id(), quantity=1, title="Workshop", unit_price_minor=1000)


async def a_shop(api: Api, staff_token: str) -> Shop:
    await checkout.shop_that_ships()
    owner, other = await accounts.signed_in("owner@shopper.example"), await accounts.signed_in("other@shopper.example")
    await db.execute(
        "UPDATE customers SET password_hash = $1 WHERE id = $2", await passwords.hash_password(PASSWORD), owner.id
    )
    things: dict[str, Thing] = {}

    def add(prefix: str, value: uuid.UUID, name: str | None = None) -> str:
        things[name or prefix] = Thing(ids.encode(prefix, value))
        return things[name or prefix].id

    def add_secret(prefix: str, value: uuid.UUID, secret: str) -> str:
        gid = ids.encode_with_secret(prefix, value, secret)
        things[prefix] = Thing(gid, ids.encode_with_secret(prefix, value, WRONG_SECRET))
        return gid

    async def first(prefix: str, table: str) -> None:
        add(prefix, await db.fetchval(f"SELECT id FROM {table} ORDER BY id DESC LIMIT 1"))

    # --- what is sold ---
    sold = await catalogue.product(stock=1000, cost_minor=900)
    draft = await catalogue.product(status="DRAFT", options={"Size": ["S"]})
    sold_out = await catalogue.product(stock=0)
    add("prod", draft.id)
    add("var", draft.variant_id)
    add("prod", sold.id, "prod on sale")
    add("coll", await catalogue.collection(products=[sold], is_published=False))
    shown = await catalogue.collection(products=[sold])
    things["option"] = Thing(
        ids.encode("opt", await db.fetchval("SELECT id FROM product_options WHERE product_id = $1", draft.id))
    )
    await first("mkt", "markets")
    await db.execute(
        "INSERT INTO customer_groups (id, name, created_at, updated_at) VALUES ($1, 'Trade', now(), now())", new_id()
    )
    await first("cgrp", "customer_groups")
    add("plist", await markets.price_list("USD", rate=None))
    add("plist", await markets.price_list("EUR"), "plist unused")
    add("disc", await discounts.discount(code="CLOSED"))
    coupon = await discounts.coupon(owner.profile_id or new_id())
    add("code", await db.fetchval("SELECT id FROM discount_codes WHERE code = $1", coupon.code))
    market = await db.fetchval(
        """
        INSERT INTO markets (id, code, name, languages, created_at, updated_at)
        VALUES (gen_random_uuid(), 'elsewhere', 'Elsewhere', '{}', now(), now()) RETURNING id
        """
    )
    add("mkt", market)
    await first("wh", "warehouses")
    store = """{"last_name": "Store", "address1": "5 Pier Road", "city": "Portland", "country_code": "US"}"""
    await db.execute("UPDATE warehouses SET pickup_enabled = true, address = $1::jsonb", store)
    await first("szone", "shipping_zones")
    add("tclass", await taxes.tax_class())
    add("tclass", await taxes.tax_class("spare"), "tclass unused")
    add("tzone", await taxes.zone("CA", standard="5"))
    await first("smethod", "shipping_methods")

    # --- the owner's: an order on its way, one that is to be paid, a cart at the checkout, and their account ---
    bought = {"token": owner.token, "email": owner.email}
    order = (await checkout.placed(api, (sold, 1), **bought))["order"]["id"]
    fulfillment = await fulfill(api, staff_token, order)
    for prefix, table in (("oline", "order_lines"), ("ful", "fulfillments"), ("shp", "shipments")):
        await first(prefix, table)
    things["ord"] = Thing(order)
    await issuing.issue_when(ids.decode("ord", order), IssueInvoices.WHEN_PLACED)
    await first("invc", "invoices")
    add("staff", await db.fetchval("SELECT actor_id FROM audit_entries"), "actor")
    held = (await checkout.placed(api, (sold, 1), **bought))["order"]["id"]
    await db.execute("UPDATE orders SET holds = '{GUARANTEE}' WHERE id = $1", ids.decode("ord", held))
    things["ord held"] = Thing(held)
    cash = await checkout.placed(api, (sold, 1), payment=checkout.CASH, **bought)
    things["ord unpaid"] = Thing(cash["order"]["id"])
    await first("oline", "order_lines")
    cart = await carts.cart((sold.variant_id, 1), email=owner.email)
    await merging.keep_for_customer(CartKey(cart.id, cart.secret), owner.id)
    add_secret("cart", cart.id, cart.secret)
    add("cart", cart.id, "cart bare")
    add_secret("cline", cart.line_ids[0], cart.secret)
    made = await api.ok(
        CHECKOUT,
        {"input": {"cartId": cart.gid, "shippingAddress": checkout.ADDRESS}},
    )
    _, hexed, _ = made["checkoutCreate"]["checkout"]["id"].split("_", 2)
    add_secret("chk", uuid.UUID(hex=hexed), cart.secret)
    add("cus", owner.id)
    add("texm", await taxes.exemption(owner.id, country_code="JP"))
    add("gc", (await gift_cards.gift_card(recipient_email=owner.email)).id)
    add("pdis", await refunds.discrepancy())
    draft_id = await assisted.create(
        DraftKind.DRAFT, DraftState.OPEN, DraftContent(customer_id=owner.id, lines=(_work(),)), created_by=None
    )
    await assisted.send(draft_id, days_good=None, reply=None)
    add("draft", draft_id)
    add("comp", await companies.company())
    company_id = ids.decode("comp", things["comp"].id)
    add("cmem", await companies.member(company_id, owner.id, role="APPROVER"))
    await taxes.exemption(None, company_id=company_id)
    colleague_of_owner = await accounts.signed_in("colleague@shopper.example")
    await companies.member(company_id, colleague_of_owner.id)
    add("oapr", await companies.approval(company_id, colleague_of_owner.id))
    add("oapr", await companies.approval(company_id, owner.id), "oapr own")
    add("ref", await refunds.row(uuid.UUID(hex=order.removeprefix("ord_"))))
    add("scred", await gift_cards.store_credit(owner.id, 500))
    add("prof", owner.profile_id or new_id())
    await db.execute(
        """
        WITH one AS (
            INSERT INTO customer_addresses (id, customer_id, address, created_at, updated_at)
            VALUES (gen_random_uuid(), $1, $2::jsonb, now(), now())
        )
        INSERT INTO saved_payment_methods (id, customer_id, gateway, method, reference, created_at)
        VALUES (gen_random_uuid(), $1, 'test', 'CARD', 'tok_success', now())
        """,
        owner.id,
        ADDRESS,
    )
    await first("cadd", "customer_addresses")
    await first("pm", "saved_payment_methods")
    await accounts.session(owner.id)
    await first("sess", "sessions")
    add("priv", await privacy.request(profile_id=owner.profile_id, customer_id=owner.id))
    visitor = visitors.issue().gid
    _, hexed, secret = visitor.split("_", 2)
    add_secret("vis", uuid.UUID(hex=hexed), secret)
    await customers.consent(owner.profile_id or new_id(), MessageChannel.EMAIL, owner.email)
    await first("ctext", "consent_texts")

    # --- marketing ---
    add("flow", await flow_rows.flow())
    await first("fver", "flow_versions")
    add("frun", await flow_rows.run(ids.decode("flow", things["flow"].id), owner.profile_id))
    add("seg", await campaigns.segment(owner.profile_id or new_id()))
    add("tmpl", await marketing.template("news"))
    add("camp", await campaigns.campaign("news"))
    await _rows(owner, things)
    for prefix, table in (
        ("survey", "survey_responses"), ("dead", "dead_letters"), ("alert", "product_alerts"),
    ):  # fmt: skip
        await first(prefix, table)
    alert = ids.decode("alert", things["alert"].id)
    add_secret("alert", alert, keyring().derive_token("alert", alert))
    await _sent(owner, things)

    # --- machinery and staff ---
    add("supp", (await suppressions.add_by_staff(MessageChannel.EMAIL, "no@shopper.example", None)).id)
    add("crm", await crm.create_connection("hubspot", "CRM", "key", {}))
    endpoint, _ = await webhooks.create_endpoint({"name": "ERP", "url": "https://erp.example.com/hook"})
    add("whe", endpoint)
    await webhooks.send_test(endpoint)
    await db.execute("UPDATE webhook_deliveries SET state = 'FAILED', finished_at = now()")
    await first("whd", "webhook_deliveries")
    upload = await uploads.receive_text("Handle,Title\nmug,Mug\n", filename="a.csv", created_by=None, max_bytes=999)
    add("upload", upload)
    add("job", await jobs.create(importing.JOB_KIND, {}, created_by=None))
    file = await generated.begin("products.csv", "text/csv", created_by=None)
    await generated.complete(file, size_bytes=0, kept_hours=1)
    exported = await jobs.create(exporting.JOB_KIND, {}, created_by=None)
    await db.execute(
        "UPDATE jobs SET status = 'SUCCEEDED', checkpoint = jsonb_build_object('fileId', $2::text) WHERE id = $1",
        exported,
        str(file),
    )
    add("job", exported, "job export")
    drawing = await jobs.create(generating.JOB_KIND, {}, created_by=None)
    await db.execute("UPDATE discount_codes SET job_id = $1 WHERE code = 'CLOSED'", drawing)
    add("job", drawing, "job drawing")
    colleague = await staffs.staff_user(set())
    add("staff", colleague)
    await staffs.signed_in(set())
    session = await db.fetchval("SELECT id FROM sessions WHERE subject_kind = 'staff' ORDER BY id DESC LIMIT 1")
    add("sess", session, "sess of staff")
    role = await db.fetchval(
        "INSERT INTO staff_roles (id, name, permissions) VALUES (gen_random_uuid(), 'Spare', '{}') RETURNING id"
    )
    add("role", role)
    await db.execute(
        """
        INSERT INTO staff_invitations (id, email, name, role_id, token_hash, created_at, expires_at)
        VALUES (gen_random_uuid(), 'n@shop.example', 'N', $1, '\\x00', now(), now() + interval '1 day')
        """,
        await db.fetchval("SELECT role_id FROM staff_users WHERE id = $1", colleague),
    )
    await first("inv", "staff_invitations")
    await db.execute(
        """
        INSERT INTO api_keys (id, name, key_hash, last_characters, permissions, created_by_id, created_at)
        VALUES (gen_random_uuid(), 'Old', '\\x00', '0000', '{}', $1, clock_timestamp())
        """,
        colleague,
    )
    await first("key", "api_keys")

    open_cart = await carts.cart((sold.variant_id, 1), email="guest@shopper.example", country_code="US")
    empty = await carts.cart()
    standing = await api.ok(
        CHECKOUT,
        {"input": {"cartId": open_cart.gid, "shippingAddress": checkout.ADDRESS}},
    )
    quote = await checkout.quote_for(api, open_cart.gid)
    things["quote"] = Thing(quote, quote[:-8] + "AAAAAAAA")
    async with db.unit_of_work():
        token_id = await links.issue(AccountTokenKind.SIGN_IN, owner.id, owner.email)
    url = await links.url_of(token_id) or ""
    given = {
        "cart": open_cart.gid, "line": open_cart.line_gids[0], "cart of somebody else": empty.gid,
        "chk": standing["checkoutCreate"]["checkout"]["id"], "quote": quote,
        "draft token": keyring().derive_token(TOKEN_PURPOSE, draft_id),
        "sign-in token": url.rpartition("/")[2],
        "prod": sold.gid, "var": sold.variant_gid, "var sold out": sold_out.variant_gid,
        "coll": ids.encode("coll", shown), "visitor": visitors.issue().gid, "ful": fulfillment["id"],
    }  # fmt: skip
    return Shop(owner, other, things, given)


async def _rows(owner: Account, things: dict[str, Thing]) -> None:
    """What only workers and shoppers make."""
    await db.execute(
        """
        WITH survey AS (
            INSERT INTO survey_responses (id, survey, profile_id, dedupe_key, score, created_at, updated_at)
            VALUES (gen_random_uuid(), 'delivery', $1, 'k', 5, now(), now())
        ), alert AS (
            INSERT INTO product_alerts (id, kind, profile_id, variant_id, price_minor, created_at)
            VALUES (gen_random_uuid(), 'PRICE_DROP', $1, $2, 1999, now())
        ), code AS (
            INSERT INTO referral_codes (id, profile_id, discount_code_id, created_at)
            VALUES (gen_random_uuid(), $1, $3, now()) RETURNING id
        ), referral AS (
            INSERT INTO referrals (id, referral_code_id, friend_profile_id, order_id, state, created_at)
            SELECT gen_random_uuid(), id, gen_random_uuid(), $4, 'PENDING', now() FROM code
        )
        INSERT INTO dead_letters (id, event_id, event_type, handler, cause, attempts, created_at)
        VALUES (gen_random_uuid(), gen_random_uuid(), 'order.placed', 'x', '', 1, clock_timestamp())
        """,
        owner.profile_id,
        ids.decode("var", things["var"].id),
        ids.decode("code", things["code"].id),
        ids.decode("ord", things["ord"].id),
    )


async def _sent(owner: Account, things: dict[str, Thing]) -> None:
    """A message that has to do with an order, a flow, a run, a campaign and a person at once."""
    message = new_id()
    await db.execute(
        """
        INSERT INTO messages (id, dedupe_key, channel, purpose, template, recipient, context, state, attempts,
                              created_at, reason, order_id, flow_id, run_id, profile_id, campaign_id)
        VALUES ($1, 'matrix', 'EMAIL', 'TRANSACTIONAL', 'order_confirmation', $2, '{}', 'FAILED', 1,
                clock_timestamp(), 'REFUSED', $3, $4, $5, $6, $7)
        """,
        message,
        owner.email,
        *(ids.decode(prefix, things[prefix].id) for prefix in ("ord", "flow", "frun", "prof", "camp")),
    )
    things["msg"] = Thing(ids.encode("msg", message))
