"""Where a company's order goes, as its approvers see it: what they approve of goes nowhere else."""

from collections.abc import Mapping
from typing import Any

from app.addresses.lines import address_lines
from app.addresses.postal import PostalAddress
from app.checkout.review import Review

SHIPPING, PICKUP, NONE = "SHIPPING", "PICKUP", "NONE"


def delivery_of(seen: Review) -> dict[str, Any] | None:
    """As an approval keeps it; None where something ships, and nobody has said where to."""
    if not seen.ships:
        return {"kind": NONE}
    if seen.quote is not None and (store := seen.quote.location) is not None:
        return {
            "kind": PICKUP,
            "location_id": str(store.id),
            "name": store.name,
            "address": store.address.to_json(),
        }
    address = seen.details.shipping_address
    return {"kind": SHIPPING, "address": address.to_json()} if address else None


def is_covered(approved: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None) -> bool:
    """Whether what goes there is what was approved of. Where it was not known then, it may go anywhere."""
    return approved is None or (wanted is not None and _place(approved) == _place(wanted))


def _place(delivery: Mapping[str, Any]) -> tuple[object, ...]:
    """A store is one wherever it moves to; whom a courier rings at an address is no other address."""
    if delivery["kind"] == PICKUP:
        return PICKUP, delivery["location_id"]
    return delivery["kind"], {name: value for name, value in delivery.get("address", {}).items() if name != "phone"}


def lines_of(delivery: Mapping[str, Any] | None) -> list[str]:
    """For people to read, the store's name before its address; none where nothing is delivered, or nobody knows."""
    if delivery is None or delivery["kind"] == NONE:
        return []
    written = address_lines(PostalAddress.from_json(delivery["address"]))
    return [delivery["name"], *written] if delivery["kind"] == PICKUP else written
