"""What the shop owes an account: `Customer.storeCredit`."""

import uuid
from collections.abc import Sequence

import strawberry

from app.gift_cards import queries
from app.staff.permissions import Permission
from schema.accounts.parts import Attributes, customer_part
from schema.context import Info
from schema.gift_cards.credit import show_accounts
from schema.gift_cards.types import StoreCreditAccount
from schema.selection import Selection


@strawberry.type
class CustomerStoreCredit:
    """Fields of `Customer`."""

    store_credit: list[StoreCreditAccount] = strawberry.field(
        default_factory=list,
        description="What the shop owes it, by currency. For its owner, and for staff with GIFT_CARDS_READ.",
    )


@customer_part
async def _accounts(info: Info, customer_ids: Sequence[uuid.UUID], selection: Selection) -> Attributes:
    staff = info.context.staff
    if "storeCredit" not in selection or (staff is not None and not staff.may(Permission.GIFT_CARDS_READ)):
        return {}
    accounts = await queries.accounts_of(customer_ids)
    rows = [row for of_one in accounts.values() for row in of_one]
    shown = await show_accounts(rows, selection.below("storeCredit"))
    return {
        customer_id: {"store_credit": [shown[row["id"]] for row in of_one]} for customer_id, of_one in accounts.items()
    }
