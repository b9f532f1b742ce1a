"""What is selected is worked out once for a document, and still is each request's own where variables decide it."""

import pytest

from app.errors import CommonErrorCode, DomainError
from schema.selection import SelectedField, Selection
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


def _selected(*names: str, below: Selection | None = None) -> Selection:
    selection = Selection()
    for name in names:
        selection.add(SelectedField(name, {}, "Type", below or Selection()))
    return selection


def test_parts_that_are_put_together_leave_the_kept_ones_as_they_are() -> None:
    first, second = _selected("id"), _selected("name")
    kept = _selected("one", below=first)
    kept.add(SelectedField("two", {}, "Type", second))

    for _ in range(2):
        assert [field.name for field in kept.below("one", "two")] == ["id", "name"]
        assert [field.name for field in first.joined(second)] == ["id", "name"]
    assert kept.below("one", "two") is kept.below("one", "two")
    assert [field.name for field in first] == ["id"]


def test_what_is_derived_from_a_selection_is_made_once_and_refused_each_time() -> None:
    selection, made = _selected("id"), list[str]()

    def derive(given: Selection) -> int:
        made.extend(field.name for field in given)
        return len(made)

    def refuse(given: Selection) -> None:
        made.append("refused")
        raise DomainError(CommonErrorCode.INVALID, "No.")

    assert [selection.once(derive), selection.once(derive)] == [1, 1]
    for _ in range(2):
        with pytest.raises(DomainError):
            selection.once(refuse)
    assert made == ["id", "refused", "refused"]
