"""Requests of every root field with anything in them: each is answered or refused, and none ends as a fault."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

from app import db, invariants
from app.kit import ids
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, checkout, staff
from tests.factories.fulfillments import fulfill
from tests.security.client_schema import client_schema
from tests.security.fuzzing import FAULTS
from tests.security.requests import RequestMaker

pytestmark = pytest.mark.long

REQUESTS = 130
PROJECT = Path(__file__).resolve().parents[2]
LEFT_OUT = {"clockAdvance"}  # it waits for workers
TABLES = {"oline": "order_lines", "wh": "warehouses", "szone": "shipping_zones", "shp": "shipments"}


def cursor_orders() -> tuple[str, ...]:
    """The names of lists that cursors are made for, as the code has them."""
    sources = [path.read_text() for folder in ("app", "schema") for path in (PROJECT / folder).rglob("*.py")]
    found = {name for text in sources for name in re.findall(r'(?:order=|ORDER = |Ordering\()"(\w+)"', text)}
    return (*sorted(found), "created_at", "name", "price")


async def a_shop_in_use(api: Api, staff_token: str) -> dict[str, list[str]]:
    """Ids of everything there is, by prefix."""
    await checkout.shop_that_ships()
    known: dict[str, list[str]] = defaultdict(list)
    product = await catalogue.product(options={"Size": ["M", "L"]}, images=["/media/a.webp"], stock=1_000)
    draft = await catalogue.product(status="DRAFT", stock=None)
    known["prod"], known["var"] = [product.gid, draft.gid], [*product.variant_gids, draft.variant_gid]
    known["coll"] = [ids.encode("coll", await catalogue.collection(products=[product, draft]))]
    for _ in range(2):
        known["ord"].append((await checkout.placed(api, (product, 2)))["order"]["id"])
        cart = await carts.cart((product.variant_id, 2))
        known["cart"].append(cart.gid)
        made = await api.ok(
            """mutation ($id: ID!) { checkoutCreate(input: { cartId: $id }) {
                checkout { id cart { lines { nodes { id } } } } userErrors { code }
            } }""",
            {"id": cart.gid},
        )
        known["chk"].append(made["checkoutCreate"]["checkout"]["id"])
        known["cline"] += [node["id"] for node in made["checkoutCreate"]["checkout"]["cart"]["lines"]["nodes"]]
        known["quote"].append(await checkout.quote_for(api, cart.gid))
    known["ful"].append((await fulfill(api, staff_token, known["ord"][0]))["id"])
    for prefix, table in TABLES.items():
        known[prefix] = [ids.encode(prefix, row["id"]) for row in await db.fetch(f"SELECT id FROM {table}")]
    return known


@pytest.mark.parametrize(("seed", "wrong"), [(1, 0.02), (2, 0.1), (3, 0.3)])
async def test_no_request_ends_as_a_fault(api: Api, staff_token: str, seed: int, wrong: float) -> None:
    graphql = client_schema()
    assert graphql.query_type is not None
    assert graphql.mutation_type is not None
    roots = [("query", *item) for item in graphql.query_type.fields.items()]
    roots += [("mutation", *item) for item in graphql.mutation_type.fields.items() if item[0] not in LEFT_OUT]
    make = RequestMaker(graphql, seed, await a_shop_in_use(api, staff_token), cursor_orders(), wrong)
    owner = await staff.signed_in(set(Permission))
    for _ in range(REQUESTS):
        root, name, field = make.random.choice(roots)
        document, variables = make.request(root, name, field)
        token = make.random.choice((None, owner, owner))
        result = await api.query(document, variables, token=token)
        assert not FAULTS & set(result.codes), (document, variables)
        assert all(code is not None for code in result.codes), (document, variables)
        if name == "logout" and token:
            owner = await staff.signed_in(set(Permission))
    assert await invariants.check() == []
