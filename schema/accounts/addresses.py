"""The address book: `Customer.addresses`, and what changes it."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.accounts import address_book
from app.accounts.address_book import Defaults, KeptAddress
from app.kit import ids
from app.staff.permissions import Permission
from schema.access import CUSTOMER, mutation
from schema.accounts.parts import Attributes, customer_part
from schema.addresses import Address, AddressInput
from schema.checkout.inputs import ADDRESS_PREFIX
from schema.context import Info
from schema.errors import UserError
from schema.nodes import Node, node_loader
from schema.selection import Selection

_FIELDS = ("addresses", "defaultShippingAddress", "defaultBillingAddress")

AddressId = Annotated[strawberry.ID, strawberry.argument(description="Id of an address in the address book.")]


@strawberry.type(description="An address that an account keeps.")
class CustomerAddress(Address, Node):
    is_default_shipping: bool = strawberry.field(description="Whether a checkout begins with it as where to ship to.")
    is_default_billing: bool = strawberry.field(description="Whether a checkout begins with it as who pays.")
    created_at: dt.datetime = strawberry.field(description="When it was added.")
    updated_at: dt.datetime = strawberry.field(description="When it last changed.")

    @classmethod
    def kept(cls, kept: KeptAddress) -> "CustomerAddress":
        return cls(
            **vars(Address.of(kept.address)),
            id=strawberry.ID(ids.encode(ADDRESS_PREFIX, kept.id)),
            is_default_shipping=kept.is_default_shipping,
            is_default_billing=kept.is_default_billing,
            created_at=kept.created_at,
            updated_at=kept.updated_at,
        )


@strawberry.type
class CustomerAddresses:
    """Fields of `Customer`."""

    addresses: list[CustomerAddress] = strawberry.field(
        default_factory=list, description=f"The address book, the newest first: up to {address_book.MAX_ADDRESSES}."
    )
    default_shipping_address: CustomerAddress | None = strawberry.field(
        default=None, description="Where a checkout begins with shipping to."
    )
    default_billing_address: CustomerAddress | None = strawberry.field(
        default=None, description="Who pays, where a checkout begins."
    )


@customer_part
async def _load(info: Info, customer_ids: Sequence[uuid.UUID], selection: Selection) -> Attributes:
    if not any(field in selection for field in _FIELDS):
        return {}
    books = await address_book.of_customers(customer_ids)
    shown = {customer_id: [CustomerAddress.kept(one) for one in book] for customer_id, book in books.items()}
    return {
        customer_id: {
            "addresses": addresses,
            "default_shipping_address": next((one for one in addresses if one.is_default_shipping), None),
            "default_billing_address": next((one for one in addresses if one.is_default_billing), None),
        }
        for customer_id, addresses in shown.items()
    }


@node_loader(ADDRESS_PREFIX)
async def _nodes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    wanted = [ids.decode(ADDRESS_PREFIX, text, ["id"]) for text in texts]
    customer, staff = info.context.customer, info.context.staff
    sees_all = staff is not None and staff.may(Permission.CUSTOMERS_READ)
    if customer is None and not sees_all:
        return [None] * len(texts)
    found = {
        kept.id: CustomerAddress.kept(kept)
        for kept in (await address_book.by_ids(wanted)).values()
        if sees_all or (customer and kept.customer_id == customer.id)
    }
    return [found.get(address_id) for address_id in wanted]


@strawberry.type(description="Answer to what changes the address book.")
class CustomerAddressPayload:
    address: CustomerAddress | None = strawberry.field(default=None, description="The address as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `customerAddressDelete`.")
class CustomerAddressDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The address that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `customerAddressDefaultUpdate`.")
class CustomerAddressDefaultPayload:
    default_shipping_address: CustomerAddress | None = strawberry.field(
        default=None, description="Where a checkout begins with shipping to now."
    )
    default_billing_address: CustomerAddress | None = strawberry.field(
        default=None, description="Who pays, where a checkout begins now."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


IsDefaultShipping = Annotated[
    bool | None,
    strawberry.argument(description="true makes it the address that a checkout begins with; false makes it none."),
]
IsDefaultBilling = Annotated[
    bool | None, strawberry.argument(description="The same for who pays. Left out or null, it stays as it is.")
]


@strawberry.type
class CustomerAddressMutations:
    @mutation(
        access=CUSTOMER,
        description="Put an address into the address book, checked as a checkout checks it. A book has "
        f"{address_book.MAX_ADDRESSES} at most.",
    )
    async def customer_address_create(
        self,
        info: Info,
        address: Annotated[AddressInput, strawberry.argument(description="The address.")],
        default_shipping: IsDefaultShipping = strawberry.UNSET,
        default_billing: IsDefaultBilling = strawberry.UNSET,
    ) -> CustomerAddressPayload:
        customer_id, checked = _customer(info), address.parsed(["address"])
        made = await address_book.create(customer_id, checked, _defaults(default_shipping, default_billing))
        return await _payload(made)

    @mutation(
        access=CUSTOMER,
        description="Write another address in the place of one in the address book, or make it a default. Orders and "
        "checkouts that were made with it keep what they have.",
    )
    async def customer_address_update(
        self,
        info: Info,
        id: AddressId,
        address: Annotated[
            AddressInput | None, strawberry.argument(description="The whole address; left out, it stays.")
        ] = strawberry.UNSET,
        default_shipping: IsDefaultShipping = strawberry.UNSET,
        default_billing: IsDefaultBilling = strawberry.UNSET,
    ) -> CustomerAddressPayload:
        customer_id, address_id = _customer(info), ids.decode(ADDRESS_PREFIX, id, ["id"])
        checked = address.parsed(["address"]) if address else None
        await address_book.update(customer_id, address_id, checked, _defaults(default_shipping, default_billing))
        return await _payload(address_id)

    @mutation(
        access=CUSTOMER,
        description="Take an address out of the address book. Where it was a default, there is none afterwards.",
    )
    async def customer_address_delete(self, info: Info, id: AddressId) -> CustomerAddressDeletePayload:
        await address_book.delete(_customer(info), ids.decode(ADDRESS_PREFIX, id, ["id"]))
        return CustomerAddressDeletePayload(deleted_id=id)

    @mutation(
        access=CUSTOMER,
        description="Choose the addresses that a checkout begins with. What is left out stays; null chooses none.",
    )
    async def customer_address_default_update(
        self,
        info: Info,
        shipping_address_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Where to ship to.")
        ] = strawberry.UNSET,
        billing_address_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Who pays.")
        ] = strawberry.UNSET,
    ) -> CustomerAddressDefaultPayload:
        customer_id = _customer(info)
        chosen: dict[str, uuid.UUID | None] = {}
        for kind, text in (("shipping", shipping_address_id), ("billing", billing_address_id)):
            if text is not strawberry.UNSET:
                chosen[kind] = ids.decode(ADDRESS_PREFIX, text, [f"{kind}AddressId"]) if text else None
        await address_book.choose_defaults(customer_id, chosen)
        book = [CustomerAddress.kept(kept) for kept in (await address_book.of_customers([customer_id]))[customer_id]]
        return CustomerAddressDefaultPayload(
            default_shipping_address=next((one for one in book if one.is_default_shipping), None),
            default_billing_address=next((one for one in book if one.is_default_billing), None),
        )


def _customer(info: Info) -> uuid.UUID:
    customer = info.context.customer
    if customer is None:
        raise RuntimeError("the guard lets nobody in who is not signed in")
    return customer.id


def _defaults(shipping: bool | None, billing: bool | None) -> Defaults:
    return Defaults(
        shipping=None if shipping is strawberry.UNSET else shipping,
        billing=None if billing is strawberry.UNSET else billing,
    )


async def _payload(address_id: uuid.UUID) -> CustomerAddressPayload:
    kept = (await address_book.by_ids([address_id])).get(address_id)
    return CustomerAddressPayload(address=CustomerAddress.kept(kept) if kept else None)
