"""Makes requests that are valid GraphQL and otherwise anything: right values by their names, wrong ones among them."""

import base64
import random
import uuid
from collections.abc import Mapping
from typing import Any

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

MAX_FIELDS = 120
# Of what is cut off, escaped, normalised, encoded or run somewhere on its way.
WRONG_TEXTS = (
    "", " ", "\x00", "a\x00b", "\x7f", "a" * 300, "a" * 70_000, "%", "_", "\\", "'", '"', "';--", "{{7*7}}",
    "{% raw %}", "<script>alert(1)</script>", "a\r\nBcc: x@y.example", "\u202eevil", "\ufeff", "\U0001f4a5" * 50,
    "\uffff", "\u0130", "\u1e9e", "\u0663", "\u2167", "0", "-1", "1e5", "99999999999999999999", "null", "PT1S",
    "P999999999D", "#1001", "2026-01-01", "xx-YY-zz-aa", "../../etc/passwd", "javascript:alert(1)", "http://[::1",
    "idna", "rot13", "(?<x", "Handle,Title\na,b\x00\n",
)  # fmt: skip
WRONG_DECIMALS = (
    "-1",
    "1e40",
    "1e999999",
    "NaN",
    "Infinity",
    "9" * 39,
    "0.0000001",
    "1_000",
    2**63,
    19.9,
    1e308,
    5e-324,
)
WRONG_TIMES = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-22T00:00:00", "x", 5)
WRONG_INTS = (-1, 0, 101, 10_000, 2**31 - 1, -(2**31))
RIGHT_TEXTS: Mapping[str, tuple[str, ...]] = {
    "email": ("ada@example.com",),
    "phone": ("+14155550123",),
    "contactEmail": ("hello@shop.example",),
    "idempotencyKey": ("one", "two", "three"),
    "firstName": ("Ada",),
    "lastName": ("Lovelace",),
    "address1": ("1 Market Street",),
    "city": ("San Francisco",),
    "provinceCode": ("CA",),
    "postalCode": ("94103",),
    "gateway": ("test",),
    "token": ("tok_success", "tok_declined", "tok_requires_action"),
    "cutoff": ("15:00",),
    "timeZone": ("UTC",),
    "locale": ("en-US",),
    "url": ("https://shop.example/a.webp",),
    "imageUrl": ("https://shop.example/a.webp",),
    "encoding": ("utf-8",),
    "csv": ("Handle,Title,Variant Price\na,B,1.00\n",),
    "query": ("Sweater", "ada", "1001"),
    "number": ("1001",),
}
KIND_OF_ID = {
    "cartId": "cart", "lineIds": "cline", "variantId": "var", "productId": "prod", "productIds": "prod",
    "orderId": "ord", "orderLineId": "oline", "checkoutId": "chk", "warehouseId": "wh", "shippingQuoteId": "quote",
    "fulfillmentId": "ful", "shipmentId": "shp", "uploadId": "upload",
}  # fmt: skip
KIND_OF_ROOT = {
    "cart": "cart", "cartLinesUpdate": "cline", "checkout": "chk", "collection": "coll", "collectionDelete": "coll",
    "collectionProductsAdd": "coll", "collectionProductsRemove": "coll", "collectionProductsReorder": "coll",
    "collectionUpdate": "coll", "order": "ord", "product": "prod", "productUpdate": "prod",
    "shippingZoneDelete": "szone", "shippingZoneUpdate": "szone", "warehouseUpdate": "wh",
}  # fmt: skip
"""Of what a root field's `id` is one."""


def forged_cursor(random_: random.Random, orders: tuple[str, ...]) -> str:
    value = random_.choice(
        [None, True, 0, -1, 2**31, 2**63, "x", "a\x00", "0001-01-01T00:00:00+14:00", uuid.UUID(int=5).hex]
    )
    values = random_.choice([[value], [value, uuid.UUID(int=5).hex], [value, value, value]])
    return base64.urlsafe_b64encode(orjson.dumps([1, random_.choice(orders), *values])).rstrip(b"=").decode()


class RequestMaker:
    """`known` are ids by their prefix; `wrong` is the share of values that are not what they should be."""

    def __init__(
        self, schema: GraphQLSchema, seed: int, known: Mapping[str, list[str]], orders: tuple[str, ...], wrong: float
    ) -> None:
        self.schema = schema
        self.random = random.Random(seed)
        self.known = known
        self.orders = orders
        self.wrong = wrong

    def request(self, root: str, name: str, field: GraphQLField) -> tuple[str, dict[str, Any]]:
        """The document and its variables."""
        self.root_field = name
        self.variables: dict[str, tuple[str, Any]] = {}
        self.fields_left = MAX_FIELDS
        called = f"{name}{self._arguments(field)} {self._selection(field.type, depth=self.random.randint(1, 4))}"
        declared = ", ".join(f"${variable}: {kind}" for variable, (kind, _) in self.variables.items())
        document = f"{root}{f' ({declared})' if declared else ''} {{ {called} }}"
        return document, {variable: value for variable, (_, value) in self.variables.items()}

    def _arguments(self, field: GraphQLField) -> str:
        passed = []
        for name, argument in field.args.items():
            share = 0.1 if name in ("after", "before", "last") else 0.4
            if isinstance(argument.type, GraphQLNonNull) or self.random.random() < share:
                variable = f"v{len(self.variables)}"
                self.variables[variable] = (str(argument.type), self._value(argument.type, name))
                passed.append(f"{name}: ${variable}")
        return f"({', '.join(passed)})" if passed else ""

    def _selection(self, kind: GraphQLOutputType, depth: int) -> str:
        named = get_named_type(kind)
        parts = ["__typename"]
        if isinstance(named, GraphQLInterfaceType):
            possible = self.schema.get_possible_types(named)
            shown = self.random.sample(list(possible), min(len(possible), 3)) if depth else []
            parts += [f"... on {one.name} {self._selection(one, depth - 1)}" for one in shown]
        elif isinstance(named, GraphQLObjectType):
            for name, field in named.fields.items():
                leaf = is_leaf_type(get_named_type(field.type))
                if self.fields_left > 0 and (leaf or depth) and self.random.random() < (0.8 if leaf else 0.5):
                    self.fields_left -= 1
                    parts.append(f"{name}{self._arguments(field)}{self._selection(field.type, depth - 1)}")
        return "" if is_leaf_type(named) else f"{{ {' '.join(parts)} }}"

    def _value(self, kind: GraphQLInputType, name: str) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._given(kind.of_type, name)
        return None if self.random.random() < 0.1 else self._given(kind, name)

    def _given(self, kind: Any, name: str) -> Any:
        choose, is_wrong = self.random.choice, self.random.random() < self.wrong
        if isinstance(kind, GraphQLList):
            return [self._value(kind.of_type, name) for _ in range(choose((0, 260)) if is_wrong else choose((1, 1, 2)))]
        if isinstance(kind, GraphQLEnumType):
            return choose(list(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            return {
                part: self._value(field.type, part)
                for part, field in kind.fields.items()
                if isinstance(field.type, GraphQLNonNull) or self.random.random() < 0.55
            }
        match kind.name:
            case "ID":
                return self._id(name, is_wrong)
            case "String":
                return self._text(name, is_wrong)
            case "Int":
                return choose(WRONG_INTS) if is_wrong else choose((1, 2, 3))
            case "Decimal":
                return choose(WRONG_DECIMALS) if is_wrong else choose(("19.90", "5", 7))
            case "DateTime":
                return choose(WRONG_TIMES) if is_wrong else "2026-11-22T00:00:00Z"
            case "Date":
                return choose(("x", "0001-01-01", "9999-12-31")) if is_wrong else "2026-11-23"
            case "CountryCode":
                return choose(("ZZ", "AQ", "XK", "us")) if is_wrong else "US"
            case "CurrencyCode":
                return choose(("JPY", "KWD", "XXX")) if is_wrong else "USD"
            case "Boolean":
                return choose((True, False))
            case _:
                return choose((None, 1, "x", {"a": [1, {"b": None}]}))

    def _id(self, name: str, is_wrong: bool) -> str:
        if is_wrong:
            prefix = self.random.choice([*self.known, "xx"])
            rest = self.random.choice(("", "_", f"_{'0' * 32}", f"_{'F' * 32}", f"_{'0' * 32}_{'a' * 22}", "_\x00"))
            return prefix + rest
        kind = KIND_OF_ROOT.get(self.root_field) if name == "id" else KIND_OF_ID.get(name)
        ids = self.known.get(kind or "") or [one for some in self.known.values() for one in some]
        return self.random.choice(ids)

    def _text(self, name: str, is_wrong: bool) -> str:
        if name in ("after", "before"):
            return forged_cursor(self.random, self.orders)
        return self.random.choice(WRONG_TEXTS if is_wrong else RIGHT_TEXTS.get(name, ("Sweater", "a b c")))
