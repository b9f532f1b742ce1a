"""Changing products and collections, for staff."""

import uuid
from typing import Annotated

import strawberry

from app.catalogue import collections, queries, service
from app.kit import ids
from app.staff.permissions import Permission
from schema.access import STAFF, mutation
from schema.catalogue import reading
from schema.catalogue.inputs import CollectionInput, CollectionMoveInput, ProductInput
from schema.catalogue.types import Collection, Product
from schema.context import Info
from schema.errors import UserError
from schema.selection import Selection

CollectionId = Annotated[strawberry.ID, strawberry.argument(description="Which collection.")]
ProductIds = Annotated[list[strawberry.ID], strawberry.argument(description="Which products, up to 250.")]


@strawberry.type(description="Answer to a change of a product.")
class ProductPayload:
    product: Product | None = strawberry.field(default=None, description="The product as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to a change of a collection.")
class CollectionPayload:
    collection: Collection | None = strawberry.field(default=None, description="The collection as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `collectionDelete`.")
class CollectionDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The id that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


async def _product(info: Info, product_id: uuid.UUID) -> ProductPayload:
    # Whoever changed it sees the result, also without the permission to read the others.
    selection = Selection.of(info).below("product")
    found = await queries.product(selection, product_id=product_id, sees_hidden=True)
    return ProductPayload(product=reading.product_of(info, found, selection))


async def _collection(info: Info, collection_id: uuid.UUID) -> CollectionPayload:
    selection = Selection.of(info).below("collection")
    found = await queries.collection(selection, collection_id=collection_id, sees_hidden=True)
    return CollectionPayload(collection=reading.collection_of(info, found, selection))


def _product_ids(texts: list[strawberry.ID], *field: str) -> list[uuid.UUID]:
    return [ids.decode("prod", text, [*field, index]) for index, text in enumerate(texts)]


def _staff_id(info: Info) -> uuid.UUID | None:
    return info.context.staff.id if info.context.staff else None


WRITE = STAFF(Permission.PRODUCTS_WRITE)


@strawberry.type
class CatalogueMutations:
    @mutation(access=WRITE, description="Add a product.")
    async def product_create(
        self,
        info: Info,
        input: Annotated[ProductInput, strawberry.argument(description="The product.")],
    ) -> ProductPayload:
        product_id = await service.create_product(input.given(), staff_id=_staff_id(info))
        return await _product(info, product_id)

    @mutation(access=WRITE, description="Change a product: what is given replaces what it has, the rest stays.")
    async def product_update(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Which product.")],
        input: Annotated[ProductInput, strawberry.argument(description="What is to change.")],
    ) -> ProductPayload:
        product_id = ids.decode("prod", id, ["id"])
        await service.update_product(product_id, input.given(), staff_id=_staff_id(info))
        return await _product(info, product_id)

    @mutation(access=WRITE, description="Add a collection.")
    async def collection_create(
        self,
        info: Info,
        input: Annotated[CollectionInput, strawberry.argument(description="The collection.")],
    ) -> CollectionPayload:
        return await _collection(info, await collections.create_collection(input.given()))

    @mutation(access=WRITE, description="Change a collection: what is given replaces what it has, the rest stays.")
    async def collection_update(
        self,
        info: Info,
        id: CollectionId,
        input: Annotated[CollectionInput, strawberry.argument(description="What is to change.")],
    ) -> CollectionPayload:
        collection_id = ids.decode("coll", id, ["id"])
        await collections.update_collection(collection_id, input.given())
        return await _collection(info, collection_id)

    @mutation(access=WRITE, description="Delete a collection. Its products stay.")
    async def collection_delete(self, info: Info, id: CollectionId) -> CollectionDeletePayload:
        await collections.delete_collection(ids.decode("coll", id, ["id"]))
        return CollectionDeletePayload(deleted_id=id)

    @mutation(
        access=WRITE,
        description="Put products at the end of a collection. Those that stand in it already stay where they are.",
    )
    async def collection_products_add(self, info: Info, id: CollectionId, product_ids: ProductIds) -> CollectionPayload:
        collection_id = ids.decode("coll", id, ["id"])
        await collections.add_products(collection_id, _product_ids(product_ids, "productIds"))
        return await _collection(info, collection_id)

    @mutation(access=WRITE, description="Take products out of a collection. Those that are not in it are left alone.")
    async def collection_products_remove(
        self, info: Info, id: CollectionId, product_ids: ProductIds
    ) -> CollectionPayload:
        collection_id = ids.decode("coll", id, ["id"])
        await collections.remove_products(collection_id, _product_ids(product_ids, "productIds"))
        return await _collection(info, collection_id)

    @mutation(access=WRITE, description="Rearrange a collection's products: each move in turn.")
    async def collection_products_reorder(
        self,
        info: Info,
        id: CollectionId,
        moves: Annotated[
            list[CollectionMoveInput], strawberry.argument(description="Which product goes where, up to 250 moves.")
        ],
    ) -> CollectionPayload:
        collection_id = ids.decode("coll", id, ["id"])
        await collections.reorder_products(
            collection_id,
            [
                (ids.decode("prod", move.product_id, ["moves", index, "productId"]), move.position)
                for index, move in enumerate(moves)
            ],
        )
        return await _collection(info, collection_id)
