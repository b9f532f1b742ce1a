"""From accounts to `Customer`: everything that is selected, in a constant number of statements."""

import uuid
from collections.abc import Mapping, Sequence

import strawberry

from app import db
from app.accounts import queries
from app.kit import ids
from app.staff.permissions import Permission
from schema.accounts.parts import Attributes, customer_part, load_parts
from schema.accounts.types import Customer, CustomerSession
from schema.context import Info
from schema.nodes import Node, node_loader
from schema.selection import Selection

CUSTOMER_PREFIX = "cus"
SESSION_PREFIX = "sess"


async def load_customers(
    info: Info, customer_ids: Sequence[uuid.UUID], selection: Selection
) -> dict[uuid.UUID, Customer]:
    """Accounts that the request may see, by their ids; those that do not exist are left out."""
    return await show_customers(info, await queries.by_ids(customer_ids) if customer_ids else {}, selection)


async def show_customers(
    info: Info, rows: Mapping[uuid.UUID, db.Record], selection: Selection
) -> dict[uuid.UUID, Customer]:
    more = await load_parts(info, list(rows), selection) if rows else {}
    return {customer_id: _shown(row, more[customer_id]) for customer_id, row in rows.items()}


def _shown(row: db.Record, more: Mapping[str, object]) -> Customer:
    values = {
        "id": strawberry.ID(ids.encode(CUSTOMER_PREFIX, row["id"])),
        "email": row["email"],
        "email_verified": row["email_verified_at"] is not None,
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        "phone": row["phone"],
        "language": row["language"],
        "has_password": row["has_password"],
        "active": row["is_active"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "last_login_at": row["last_login_at"],
        **more,
    }
    return Customer(**values)


@node_loader(CUSTOMER_PREFIX)
async def _load(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    """One's own account, and for staff who may see customers, every one."""
    wanted = [ids.decode(CUSTOMER_PREFIX, text, ["id"]) for text in texts]
    own, staff = info.context.customer, info.context.staff
    all_of_them = staff is not None and staff.may(Permission.CUSTOMERS_READ)
    seen = [key for key in wanted if all_of_them or (own is not None and own.id == key)]
    found = await load_customers(info, seen, selection)
    return [found.get(key) for key in wanted]


@customer_part
async def _sessions(info: Info, customer_ids: Sequence[uuid.UUID], selection: Selection) -> Attributes:
    if "sessions" not in selection or info.context.staff is not None:
        return {}
    asking = info.context.customer.session_id if info.context.customer else None
    found = await queries.sessions(customer_ids)
    return {
        customer_id: {
            "sessions": [
                CustomerSession(
                    id=strawberry.ID(ids.encode(SESSION_PREFIX, row["id"])),
                    created_at=row["created_at"],
                    expires_at=row["expires_at"],
                    user_agent=row["user_agent"],
                    current=row["id"] == asking,
                )
                for row in rows
            ]
        }
        for customer_id, rows in found.items()
    }
