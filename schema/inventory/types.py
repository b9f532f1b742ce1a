"""Warehouses, and how much of a variant is in each."""

import datetime as dt

import strawberry

from schema.addresses import Address
from schema.nodes import Node
from schema.scalars import CountryCode
from schema.shipping.pickup import OpeningHours


@strawberry.type(description="Where stock is kept and shipped from. For staff.")
class Warehouse(Node):
    code: str = strawberry.field(description="Its short name, unique, such as `MAIN`.")
    name: str = strawberry.field(description="Its name.")
    is_default: bool = strawberry.field(description="Whether changes of stock are for it when they name no other.")
    priority: int = strawberry.field(description="Orders take stock from the lowest number first.")
    country_code: CountryCode | None = strawberry.field(description="The country that it is in.")
    pickup_enabled: bool = strawberry.field(description="Whether shoppers can fetch orders here.")
    address: Address | None = strawberry.field(description="Where it is.")
    opening_hours: list[OpeningHours] = strawberry.field(description="When shoppers can come, from Monday on.")
    pickup_instructions: str = strawberry.field(description="What shoppers have to know; may be empty.")
    pickup_ready_hours: int = strawberry.field(description="Within how many hours an order is ready.")
    time_zone: str = strawberry.field(description="Its time zone's name in the IANA database; its cut-off goes by it.")


@strawberry.type(description="How much of a variant a warehouse has. For staff.")
class StockLevel:
    warehouse: Warehouse = strawberry.field(description="Where it is.")
    available: int = strawberry.field(
        description="Units on the shelf that are promised to nobody; never below zero. What is back-ordered will be "
        "taken from them, and the rest can be sold."
    )
    reserved: int = strawberry.field(
        description="Units on the shelf that are promised: to checkouts being paid, and to orders until they ship."
    )
    on_hand: int = strawberry.field(description="Units on the shelf: available and reserved together.")
    backordered: int = strawberry.field(
        description="Units sold beyond what was there, where the variant's policy is CONTINUE; still to be stocked."
    )
    updated_at: dt.datetime = strawberry.field(description="When any of it last changed.")
