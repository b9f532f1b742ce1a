"""Stock and warehouses, for staff."""

from collections.abc import Sequence
from typing import Annotated, cast

import strawberry

from app.addresses.postal import PostalAddress
from app.inventory import queries, service, warehouses
from app.inventory.queries import StockLevelRow, WarehouseRow
from app.inventory.service import Adjustment
from app.inventory.warehouses import WarehouseGiven
from app.kit import ids
from app.kit.problems import MAX_INT
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.addresses import Address, AddressInput
from schema.catalogue import ProductVariant, load_variants
from schema.context import Info
from schema.errors import UserError
from schema.inputs import given_fields
from schema.inventory.types import StockLevel, Warehouse
from schema.nodes import node_loader
from schema.scalars import CountryCode
from schema.selection import Selection
from schema.shipping.pickup import OpeningHours


@strawberry.input(description="A change of what can be sold of a variant: exactly one of `setTo` and `delta`.")
class InventoryAdjustInput:
    variant_id: strawberry.ID = strawberry.field(description="Which variant.")
    warehouse_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Where; the default warehouse unless said."
    )
    set_to: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Units that are available from now on. Those that are reserved for checkouts and orders are not "
        "among them and stay reserved; those that are back-ordered are, and are not sold again.",
    )
    delta: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Units that came, or below zero: went. Not more can go than is available. Back-ordered units leave "
        "from what came when they ship.",
    )
    reason: str | None = strawberry.field(default=strawberry.UNSET, description="For the record, up to 120 characters.")


@strawberry.input(description="When a store is open on one day of the week.")
class OpeningHoursInput:
    weekday: int = strawberry.field(description="1 for Monday to 7 for Sunday.")
    opens: str = strawberry.field(description="Local time, such as `09:00`.")
    closes: str = strawberry.field(description="Local time, such as `18:30`; later than that.")


@strawberry.input(description="A warehouse. In updates, what is left out stays.")
class WarehouseInput:
    code: str | None = strawberry.field(
        default=strawberry.UNSET, description="Its short name, unique: capitals, digits, - and _. Needed for a new one."
    )
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Its name. Needed for a new one.")
    priority: int | None = strawberry.field(
        default=strawberry.UNSET, description="Orders take stock from the lowest number first; 0 unless said."
    )
    country_code: CountryCode | None = strawberry.field(
        default=strawberry.UNSET, description="The country that it is in."
    )
    time_zone: str | None = strawberry.field(
        default=strawberry.UNSET, description="A name of the IANA database, such as `Europe/Berlin`; UTC unless said."
    )
    pickup_enabled: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether shoppers can fetch orders here; needs its address."
    )
    address: AddressInput | None = strawberry.field(
        default=strawberry.UNSET, description="Where it is; the store's name as the last name."
    )
    opening_hours: list[OpeningHoursInput] | None = strawberry.field(
        default=strawberry.UNSET, description="When shoppers can come, up to 28 entries."
    )
    pickup_instructions: str | None = strawberry.field(
        default=strawberry.UNSET, description="What shoppers have to know, up to 1,000 characters."
    )
    pickup_ready_hours: int | None = strawberry.field(
        default=strawberry.UNSET, description="Within how many hours an order is ready, up to 720; 24 unless said."
    )
    is_default: bool | None = strawberry.field(
        default=strawberry.UNSET, description="true makes it the default, and the one that was so until then is not."
    )

    def given(self) -> WarehouseGiven:
        """Raises DomainErrors for the address."""
        values = given_fields(self)
        if self.address:
            values["address"] = self.address.parsed(["input", "address"])
        if self.opening_hours:
            values["opening_hours"] = [given_fields(one) for one in self.opening_hours]
        return cast(WarehouseGiven, values)


@strawberry.type(description="Answer to `inventoryAdjust`.")
class InventoryPayload:
    stock_level: StockLevel | None = strawberry.field(default=None, description="The level as it is now.")
    variant: ProductVariant | None = strawberry.field(default=None, description="The variant as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to a change of a warehouse.")
class WarehousePayload:
    warehouse: Warehouse | None = strawberry.field(default=None, description="The warehouse as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


def _warehouse(row: WarehouseRow) -> Warehouse:
    return Warehouse(
        id=strawberry.ID(ids.encode("wh", row.id)),
        code=row.code,
        name=row.name,
        is_default=row.is_default,
        priority=row.priority,
        country_code=None if row.country_code is None else CountryCode(row.country_code),
        pickup_enabled=row.pickup_enabled,
        address=Address.of(PostalAddress.from_json(row.address)) if row.address else None,
        opening_hours=OpeningHours.all_of(row.opening_hours),
        pickup_instructions=row.pickup_instructions,
        pickup_ready_hours=row.pickup_ready_hours,
        time_zone=row.time_zone,
    )


def _stock_level(row: StockLevelRow) -> StockLevel:
    return StockLevel(
        warehouse=_warehouse(row.warehouse),
        available=row.available,
        reserved=row.reserved,
        on_hand=min(row.available + row.reserved, MAX_INT),
        backordered=row.backordered,
        updated_at=row.updated_at,
    )


@node_loader("wh")
async def _warehouse_nodes(info: Info, texts: Sequence[str], selection: Selection) -> list[Warehouse | None]:
    wanted = [ids.decode("wh", text, ["id"]) for text in texts]
    staff = info.context.staff
    if staff is None or not staff.may(Permission.PRODUCTS_READ):
        return [None] * len(wanted)
    found = {row.id: _warehouse(row) for row in await queries.warehouses(wanted)}
    return [found.get(warehouse_id) for warehouse_id in wanted]


@strawberry.type
class InventoryQueries:
    @query(access=STAFF(Permission.PRODUCTS_READ), description="All warehouses, in the order orders draw on them.")
    async def warehouses(self, info: Info) -> list[Warehouse]:
        return [_warehouse(row) for row in await queries.warehouses()]


@strawberry.type
class InventoryMutations:
    @mutation(
        access=STAFF(Permission.INVENTORY_WRITE),
        description="Change how much of a variant can be sold. Each change is kept as a movement.",
    )
    async def inventory_adjust(
        self, info: Info, input: Annotated[InventoryAdjustInput, strawberry.argument(description="What is to change.")]
    ) -> InventoryPayload:
        given = given_fields(input)
        variant_id = ids.decode("var", input.variant_id, ["input", "variantId"])
        warehouse = given.get("warehouse_id")
        adjustment = Adjustment(
            variant_id=variant_id,
            warehouse_id=ids.decode("wh", warehouse, ["input", "warehouseId"]) if warehouse else None,
            set_to=given.get("set_to"),
            delta=given.get("delta"),
            reason=given.get("reason"),
        )
        staff = info.context.staff
        warehouse_id = await service.adjust(adjustment, staff_id=staff.id if staff else None)
        payload = InventoryPayload()
        selection = Selection.of(info)
        if "stockLevel" in selection and (level := await queries.stock_level(variant_id, warehouse_id)):
            payload.stock_level = _stock_level(level)
        if "variant" in selection:
            found = await load_variants(info, [variant_id], selection.below("variant"), off_sale_too=True)
            payload.variant = found.get(variant_id)
        return payload

    @mutation(access=STAFF(Permission.SETTINGS_WRITE), description="Add a warehouse.")
    async def warehouse_create(
        self, info: Info, input: Annotated[WarehouseInput, strawberry.argument(description="The warehouse.")]
    ) -> WarehousePayload:
        warehouse_id = await warehouses.create_warehouse(input.given())
        (row,) = await queries.warehouses([warehouse_id])
        return WarehousePayload(warehouse=_warehouse(row))

    @mutation(access=STAFF(Permission.SETTINGS_WRITE), description="Change a warehouse.")
    async def warehouse_update(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Which warehouse.")],
        input: Annotated[WarehouseInput, strawberry.argument(description="What is to change.")],
    ) -> WarehousePayload:
        warehouse_id = ids.decode("wh", id, ["id"])
        await warehouses.update_warehouse(warehouse_id, input.given())
        (row,) = await queries.warehouses([warehouse_id])
        return WarehousePayload(warehouse=_warehouse(row))
