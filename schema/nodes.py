"""`Node`, and how `node(id:)` and `nodes(ids:)` find what an id stands for.

A type registers a loader under its ids' prefix. Loaders see the viewer and return None for what is not theirs to see,
just as for what does not exist.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import strawberry

from app.errors import CommonErrorCode, DomainError
from app.kit.ids import prefix_of
from app.kit.pagination import MAX_PAGE
from schema.access import PUBLIC, query
from schema.context import Info
from schema.selection import Selection


@strawberry.interface(description="Anything with an id of its own.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque and stable; the part before `_` tells the type.")


Loader = Callable[[Info, Sequence[str], Selection], Awaitable[Sequence[Node | None]]]
"""Loads many at once: the result has the order of the ids, None where there is nothing to see."""

_loaders: dict[str, Loader] = {}


def node_loader(prefix: str) -> Callable[[Loader], Loader]:
    def register(loader: Loader) -> Loader:
        if prefix in _loaders:
            raise ValueError(f"two loaders for ids that begin with {prefix}_")
        _loaders[prefix] = loader
        return loader

    return register


async def load_nodes(info: Info, ids: Sequence[str], selection: Selection) -> list[Node | None]:
    """Raises DomainError(INVALID_ID) for an id of no known kind."""
    by_prefix: dict[str, list[str]] = {}
    for text in ids:
        prefix = prefix_of(text)
        if prefix not in _loaders:
            raise DomainError(CommonErrorCode.INVALID_ID, "This is not an id of this shop.", ["id"])
        by_prefix.setdefault(prefix, []).append(text)
    found: dict[str, Node | None] = {}
    for prefix, group in by_prefix.items():
        unique = list(dict.fromkeys(group))
        found.update(zip(unique, await _loaders[prefix](info, unique, selection), strict=True))
    return [found[text] for text in ids]


@strawberry.type
class NodeQueries:
    @query(access=PUBLIC, description="Whatever has this id, if you may see it.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Id of any object.")]
    ) -> Node | None:
        return (await load_nodes(info, [id], Selection.of(info)))[0]

    @query(access=PUBLIC, description="Whatever has these ids, in their order; null for each that you may not see.")
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Up to 100 ids of any objects.")],
    ) -> list[Node | None]:
        if len(ids) > MAX_PAGE:
            raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_PAGE} ids.", ["ids"])
        return await load_nodes(info, ids, Selection.of(info))
