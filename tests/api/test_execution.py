"""The quick way of completing objects gives, to the byte, what graphql-core gives."""

import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_required_argument,
)
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import ExecutionResult

from app.settings import Settings
from app.staff import queries as staff_queries
from schema import build_schema, executor
from schema.context import Context
from schema.engine import Schema
from tests.client import Api
from tests.factories import catalogue, shipping, shop

pytestmark = pytest.mark.long

DEPTH = 4
DOCUMENTS = 25
SWITCHES = "$yes: Boolean!, $no: Boolean!"


class Shapes:
    """Random selections of whatever there is: aliases, fragments, switches, `__typename`, the same field twice."""

    def __init__(self, schema: GraphQLSchema, seed: int) -> None:
        self.schema = schema
        self.random = random.Random(seed)

    def selection(self, type_: Any, depth: int = DEPTH) -> str:
        parts = list(self._parts(type_, depth))
        self.random.shuffle(parts)
        return "{ " + " ".join(parts or ["__typename"]) + " }"

    def _parts(self, type_: Any, depth: int) -> Iterator[str]:
        if self.random.random() < 0.3:
            yield "__typename"
        if isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType)):
            for possible in self.schema.get_possible_types(type_):
                if self.random.random() < 0.5 and depth > 0:
                    # Aliased by type: two types may have a field of the same name and of different kinds.
                    yield f"... on {possible.name} {{ {self._aliased(possible, depth - 1)} }}"
        if not isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)):
            return
        for name, field in type_.fields.items():
            if any(is_required_argument(argument) for argument in field.args.values()):
                continue
            below = get_named_type(field.type)
            if is_composite_type(below) and depth <= 0:
                continue
            chance = 0.45 if is_composite_type(below) else 0.6
            if self.random.random() > chance:
                continue
            inner = self.selection(below, depth - 1) if is_composite_type(below) else ""
            arguments = self._arguments(field)
            yield self._dressed(name, arguments, inner, type_)

    def _aliased(self, type_: GraphQLObjectType, depth: int) -> str:
        prefix = type_.name.lower()
        names = [name for name, field in type_.fields.items() if not is_composite_type(get_named_type(field.type))]
        chosen = [name for name in names if not type_.fields[name].args and self.random.random() < 0.7]
        return " ".join(f"{prefix}_{name}: {name}" for name in chosen) or "__typename"

    def _arguments(self, field: Any) -> str:
        if "first" not in field.args or self.random.random() < 0.3:
            return ""
        return f"(first: {self.random.randint(0, 4)})"

    def _dressed(self, name: str, arguments: str, inner: str, parent: Any) -> str:
        kind = self.random.random()
        alias = f"a{self.random.randrange(10**9)}: " if kind < 0.5 or arguments else ""
        plain = f"{alias}{name}{arguments} {inner}"
        if kind < 0.1:
            return f"{alias}{name}{arguments} @include(if: $yes) {inner}"
        if kind < 0.2:
            return f"{alias}{name}{arguments} @skip(if: $no) {inner}"
        if kind < 0.25:
            return f"... on {parent.name} @include(if: $yes) {{ {plain} }}"
        if kind < 0.3:
            return f"... {{ {plain} }} ... {{ {plain} }}" if alias else plain
        return plain


ROOTS = """
query Any({switches}, $product: ID!, $cart: ID!, $ids: [ID!]!) {{
  products(first: 3) {products}
  collections(first: 3) {collections}
  product(id: $product) {product}
  missing: product(slug: "no-such-product") {product}
  cart(id: $cart) {cart}
  shop {shop}
  nodes(ids: $ids) {nodes}
}}
"""


@pytest.fixture
async def subjects(api: Api) -> dict[str, Any]:
    """A shop with products of every form, a collection and a cart."""
    await shop.shop()
    await shop.policy("RETURNS", "Returns", "Within 30 days.")
    await shipping.zone("US")
    plain = await catalogue.product(name="Storm lantern", images=["/one.webp", "/two.webp"], tags=["light"])
    shirt = await catalogue.product(name="Shirt", options={"Size": ["S", "M"], "Colour": ["Red", "Blue"]}, stock=None)
    ebook = await catalogue.product(name="Birds", kind="DIGITAL", stock=None)
    await catalogue.collection(name="All", products=[plain, shirt, ebook])
    lines = [{"variantId": gid, "quantity": 1} for gid in (plain.variant_gid, *shirt.variant_gids)]
    created = await api.ok(
        """mutation ($lines: [CartLineInput!]!) {
            cartCreate(input: { lines: $lines }) { cart { id } userErrors { code } }
        }""",
        {"lines": lines},
    )
    cart_id = created["cartCreate"]["cart"]["id"]
    gone = "prod_" + "0" * 32
    return {"product": shirt.gid, "cart": cart_id, "ids": [plain.gid, cart_id, gone, shirt.variant_gid, shirt.gid]}


async def run(schema: Schema, document: str, variables: dict[str, Any], context: Context) -> bytes:
    result = await schema.execute(document, variable_values=variables, context_value=context)
    assert isinstance(result, ExecutionResult)
    return orjson.dumps([result.data, [error.formatted for error in result.errors or ()]])


@pytest.fixture(scope="module")
def both() -> tuple[Schema, Schema]:
    quick, general = build_schema(development=True), build_schema(development=True)
    general.execution_context_class = StrawberryGraphQLCoreExecutionContext
    for schema in (quick, general):
        # Without the limits: the documents here are larger than any that is served. Kept, as those are, so that plans
        # that were made for them are found again.
        schema.extensions = (ParserCache, ValidationCache)
    return quick, general


@pytest.fixture
def quick_failures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Selections that the quick way did not take. A test without it could compare graphql-core with itself."""
    left: list[str] = []
    original = executor.Executor._plan

    def watched(self: executor.Executor, return_type: GraphQLObjectType, fields: Any) -> Any:
        plan = original(self, return_type, fields)
        if plan is None:
            left.append(return_type.name)
        return plan

    monkeypatch.setattr(executor.Executor, "_plan", watched)
    return left


@pytest.mark.parametrize("staff", [False, True], ids=["shopper", "staff"])
async def test_random_selections_of_everything(
    subjects: dict[str, Any],
    both: tuple[Schema, Schema],
    settings: Settings,
    staff_token: str,
    quick_failures: list[str],
    staff: bool,
) -> None:
    quick, general = both
    identity = await staff_queries.identity_of(staff_token) if staff else None
    context = Context(settings=settings, staff=identity)
    core = quick._schema
    compared = 0
    for seed in range(DOCUMENTS):
        shapes = Shapes(core, seed)
        pieces = {
            name: shapes.selection(core.type_map[type_name])
            for name, type_name in {
                "products": "ProductConnection",
                "collections": "CollectionConnection",
                "product": "Product",
                "cart": "Cart",
                "shop": "Shop",
                "nodes": "Node",
            }.items()
        }
        document = ROOTS.format(switches=SWITCHES, **pieces)
        for yes, no in ((True, False), (False, True)):
            variables = {"yes": yes, "no": no, **subjects}
            expected = await run(general, document, variables, context)
            assert await run(quick, document, variables, context) == expected, document
            assert await run(quick, document, variables, context) == expected, "from the kept plan"
            compared += expected.startswith(b"[{")
    assert compared > DOCUMENTS, "most documents were refused before anything was completed"
    assert quick_failures.count("Product") < 5, "the quick way is hardly ever taken"


async def test_mutations_are_never_run_twice(
    api: Api, subjects: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the quick way fails, the value that the mutation returned is completed again, not the mutation."""

    def fail(self: executor.Executor, plan: Any, path: Any) -> Any:
        raise RuntimeError("the quick way is broken")

    monkeypatch.setattr(executor.Executor, "_bound", fail)
    document = """mutation ($id: ID!, $variant: ID!) { cartLinesAdd(cartId: $id, lines: [{ variantId: $variant }]) {
        cart { totalQuantity } userErrors { code }
    } }"""
    variables = {"id": subjects["cart"], "variant": subjects["ids"][3]}
    before = (await api.ok("query ($id: ID!) { cart(id: $id) { totalQuantity } }", {"id": subjects["cart"]}))["cart"]
    after = (await api.ok(document, variables))["cartLinesAdd"]["cart"]
    assert after["totalQuantity"] == before["totalQuantity"] + 1
