"""What an operation costs: told with every answer, and refused beyond the limit."""

from typing import Any

import pytest
from graphql import parse

from schema.costs import FIELD_POINTS, ITEM_POINTS, MAX_POINTS, MUTATION_POINTS
from schema.limits import measure
from tests.client import Api
from tests.factories import shop


def points(document: str, variables: dict[str, Any] | None = None, name: str | None = None) -> int:
    return measure(parse(document))[name].points(variables)


@pytest.mark.parametrize(
    ("document", "variables", "expected"),
    [
        ("{ shop { name email } }", {}, 3),
        ("{ products(first: 10) { nodes { id title } } }", {}, 1 + 10 * 3),
        ("query ($n: Int) { products(first: $n) { nodes { id title } } }", {"n": 10}, 1 + 10 * 3),
        ("query ($n: Int = 10) { products(first: $n) { nodes { id title } } }", {}, 1 + 10 * 3),
        ("{ products(first: 10) { nodes { ...F } } } fragment F on Product { id title }", {}, 1 + 10 * 3),
        ("{ products(first: 10) { totalCount } }", {}, 1 + 1 + FIELD_POINTS["totalCount"]),
        ("mutation { logout { userErrors { code } } }", {}, MUTATION_POINTS + 3),
        ("mutation { a: logout { userErrors { code } } b: logout { userErrors { code } } }", {}, 2 * (100 + 3)),
        # Items of lists count where they are passed, once for each place, at any depth.
        ("mutation { cartLinesAdd(lines: [{a: 1}, {a: [1, 2]}]) { __typename } }", {}, 100 + 2 + 4 * ITEM_POINTS),
        ("mutation ($l: [L!]!) { cartLinesAdd(lines: $l) { __typename } }", {"l": [{}] * 7}, 100 + 2 + 7 * ITEM_POINTS),
        ("mutation ($i: I!) { eventsTrack(input: $i) { __typename } }", {"i": {"events": [{"a": [1]}] * 7}},
         100 + 2 + 14 * ITEM_POINTS),
        ("mutation ($l: [L!]!) { a: f(lines: $l) { b } c: f(lines: $l) { b } }", {"l": [{}] * 7},
         2 * (100 + 2 + 7 * ITEM_POINTS)),
        ("mutation ($l: [L!] = [1, 2]) { f(lines: $l) { b } }", {}, 100 + 2 + 2 * ITEM_POINTS),
        ("mutation { staffLogin { __typename } }", {}, 100 + 2 + FIELD_POINTS["staffLogin"]),
        ("subscription { job(id: \"x\") { status } }", {}, 2),
    ],
)  # fmt: skip
def test_the_points_of_an_operation(document: str, variables: dict[str, Any], expected: int) -> None:
    assert points(document, variables) == expected


def test_each_operation_of_a_document_has_its_own_cost() -> None:
    document = "query A { shop { name } } query B { shop { name email } }"
    assert (points(document, name="A"), points(document, name="B")) == (2, 3)


async def test_every_answer_tells_its_cost(api: Api) -> None:
    await shop.shop()
    cost = {"requestedValues": 2, "limit": MAX_POINTS}
    assert (await api.query("{ shop { name } }")).extensions == {"cost": cost}
    failed = await api.query('{ node(id: "nonsense") { id } }')
    assert failed.errors
    assert failed.extensions == {"cost": cost}
    refused = await api.query("mutation { logout { userErrors { code } } }")
    assert refused.extensions["cost"]["requestedValues"] == MUTATION_POINTS + 3
    assert (await api.query("{ nothing }")).extensions == {}, "nothing was counted of what is not valid"


async def test_too_much_is_refused_and_its_cost_told(api: Api) -> None:
    dear = " ".join(f'a{n}: segmentPreview(condition: "true") {{ __typename }}' for n in range(20))
    assert (await api.query("{" + dear + "}")).codes, "staff alone may ask"
    many = await api.query(
        "mutation ($lines: [CartLineInput!]!) {"
        + " ".join(f"a{n}: cartCreate(input: {{ lines: $lines }}) {{ cart {{ id }} }}" for n in range(20))
        + "}",
        {"lines": [{"variantId": "x", "quantity": 1}] * 600},
    )
    assert many.codes == ["QUERY_TOO_COMPLEX"]
    assert many.extensions["cost"]["requestedValues"] == 20 * (MUTATION_POINTS + 3 + 600 * ITEM_POINTS)
