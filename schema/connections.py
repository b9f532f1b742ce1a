"""Relay connections: `Connection[Product]` is `ProductConnection` in the schema."""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, Self, TypeVar

import strawberry

from app.kit.pagination import PageResult

N = TypeVar("N")

First = Annotated[int | None, strawberry.argument(description="Page size, up to 100.")]
After = Annotated[str | None, strawberry.argument(description="Cursor to go on from.")]


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more items follow.")
    has_previous_page: bool = strawberry.field(description="Whether items come before.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first item, for `before`.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last item, for `after`.")


@strawberry.type(description="An item and its place in the list.")
class Edge(Generic[N]):
    cursor: str = strawberry.field(description="The item's place, for `after` and `before`.")
    node: N = strawberry.field(description="The item.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[N]):
    edges: list[Edge[N]] = strawberry.field(description="The items with their cursors.")
    nodes: list[N] = strawberry.field(description="The items.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int = strawberry.field(description="Number of items on all pages; counted only when asked for.")

    @classmethod
    def of(cls, page: PageResult[Any], nodes: Sequence[N], **more: Any) -> Self:
        """`nodes` are the page's items as GraphQL types, in the same order."""
        return cls(
            edges=[Edge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)],
            nodes=list(nodes),
            page_info=PageInfo(
                has_next_page=page.has_next_page,
                has_previous_page=page.has_previous_page,
                start_cursor=page.cursors[0] if page.cursors else None,
                end_cursor=page.cursors[-1] if page.cursors else None,
            ),
            total_count=page.total_count or 0,
            **more,
        )
