"""What is selected is worked out once for a document, and still is each request's own where variables decide it."""

import pytest

from tests.client import Api
from tests.factories import catalogue
from tests.factories.shop import shop

SIZES = ["S", "M", "L"]


@pytest.mark.parametrize(
    ("selected", "first", "second"),
    [
        ("variants(first: $first) { nodes { id } }", {"first": 1}, {"first": 3}),
        ("... on Product { variants(first: $first) { nodes { id } } }", {"first": 3}, {"first": 1}),
        ("name variants(first: 1) @include(if: $shown) { nodes { id } }", {"shown": True}, {"shown": False}),
        ("name variants(first: 1) @skip(if: $shown) { nodes { id } }", {"shown": True}, {"shown": False}),
    ],
)
async def test_the_same_document_with_other_variables(
    api: Api, selected: str, first: dict[str, object], second: dict[str, object]
) -> None:
    await shop()
    made = await catalogue.product(options={"Size": SIZES})
    kind = "$first: Int!" if "first" in first else "$shown: Boolean!"
    document = f"query ($slug: String!, {kind}) {{ product(slug: $slug) {{ {selected} }} }}"
    slug = (await api.ok("query ($id: ID!) { product(id: $id) { slug } }", {"id": made.gid}))["product"]["slug"]
    for variables in (first, second, first):
        found = (await api.ok(document, {"slug": slug, **variables}))["product"]
        if "first" in variables:
            assert len(found["variants"]["nodes"]) == variables["first"]
        else:
            assert ("variants" in found) == (variables["shown"] is ("@include" in selected))
