"""Reading products and collections."""

import uuid
from typing import Annotated, Any

import strawberry

from app.catalogue import queries
from app.catalogue.orderings import ProductSortKey
from app.catalogue.queries import PageArguments
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from schema.access import PUBLIC, query
from schema.catalogue import reading
from schema.catalogue.types import After, Before, Collection, First, Last, Product, Reverse, SortKey
from schema.connections import Connection
from schema.context import Info
from schema.selection import Selection

OneId = Annotated[strawberry.ID | None, strawberry.argument(description="Its id; or give the slug.")]
OneSlug = Annotated[str | None, strawberry.argument(description="Its slug; or give the id.")]


def _page(first: Any, after: Any, last: Any, before: Any) -> PageArguments:
    given = {"first": first, "after": after, "last": last, "before": before}
    return PageArguments({name: value for name, value in given.items() if value is not strawberry.UNSET})


def _one(prefix: str, id: str | None, slug: str | None) -> tuple[uuid.UUID | None, str | None]:
    """Raises DomainError(INVALID | INVALID_ID)."""
    if bool(id) == bool(slug):
        raise DomainError(CommonErrorCode.INVALID, "Give either the id or the slug.", ["id"])
    return (ids.decode(prefix, id, ["id"]), None) if id else (None, slug)


@strawberry.type
class CatalogueQueries:
    @query(access=PUBLIC, description="The shop's products. Staff also see drafts and archived ones.")
    async def products(
        self,
        info: Info,
        *,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
        query: Annotated[
            str | None,
            strawberry.argument(description="Words that all have to be in the name, or the SKU of a variant."),
        ] = strawberry.UNSET,
        sort_key: SortKey = strawberry.UNSET,
        reverse: Reverse = strawberry.UNSET,
    ) -> Connection[Product]:
        selection = Selection.of(info)
        found = await queries.product_page(
            selection,
            _page(first, after, last, before),
            **reading.sight(info),
            search=query or None,
            sort_key=sort_key or ProductSortKey.CREATED_AT,
            reverse=bool(reverse),
        )
        return reading.product_connection_of(info, found, selection)

    @query(access=PUBLIC, description="One product; null when there is none that you may see.")
    async def product(
        self, info: Info, id: OneId = strawberry.UNSET, slug: OneSlug = strawberry.UNSET
    ) -> Product | None:
        selection = Selection.of(info)
        product_id, named = _one("prod", id or None, slug or None)
        found = await queries.product(selection, product_id=product_id, slug=named, **reading.sight(info))
        return reading.product_of(info, found, selection)

    @query(access=PUBLIC, description="The shop's collections, in the merchant's order.")
    async def collections(
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
    ) -> Connection[Collection]:
        selection = Selection.of(info)
        found = await queries.collection_page(selection, _page(first, after, last, before), **reading.sight(info))
        return reading.collection_connection_of(info, found, selection)

    @query(access=PUBLIC, description="One collection; null when there is none that you may see.")
    async def collection(
        self, info: Info, id: OneId = strawberry.UNSET, slug: OneSlug = strawberry.UNSET
    ) -> Collection | None:
        selection = Selection.of(info)
        collection_id, named = _one("coll", id or None, slug or None)
        found = await queries.collection(selection, collection_id=collection_id, slug=named, **reading.sight(info))
        return reading.collection_of(info, found, selection)
