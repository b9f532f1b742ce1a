"""What an erasure does to which table, in which order: what is found by a row goes before that row.

A step is done in batches, each a transaction that first locks its rows and then looks at them: whoever is at work on
one (a checkout that completes, a message that is being sent) ends first, and then the rows are what they have become.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from app.privacy.inventory import TABLES
from app.privacy.tables import OWNED, Table


class Action(StrEnum):
    EMPTY = "empty"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Step:
    """
    Attributes:
        rows: instead of the table's own condition.
        ready: which of the rows may go now, over `t`. The others wait, and the erasure comes back for them.
        emptied: instead of emptying as the inventory says.
        statement: for the keys of a batch (`$1`), instead of the usual one.
        before: what has to be done about the rows first, in the same transaction.
    """

    table: str
    action: Action
    rows: str | None = None
    ready: str | None = None
    emptied: Mapping[str, str] | None = None
    statement: str | None = None
    before: Callable[[Sequence[uuid.UUID]], Awaitable[None]] | None = None

    @property
    def described(self) -> Table:
        table = TABLES[self.table]
        return table if self.emptied is None else replace(table, emptied=self.emptied)

    @property
    def condition(self) -> str:
        """Whose rows, and what of them is left to do."""
        rows = f"({self.rows or self.described.rows})"
        return rows if self.action is Action.DELETE else f"{rows} AND {self.described.is_full}"

    @property
    def change(self) -> str:
        """For the keys `$1` of rows that are locked."""
        table = self.described
        keys = f't."{table.key}" = ANY($1)'
        if self.statement is not None:
            return self.statement
        if self.action is Action.DELETE:
            return f'DELETE FROM "{table.name}" t WHERE {keys}'
        return f'UPDATE "{table.name}" t SET {table.assignments} WHERE {keys}'


# What fulfilment still needs stays until the order is closed, and a while longer: the right to withdraw (Directive
# 2011/83/EU, Art. 9), a parcel that comes back, the last mail about it.
_CLOSED = "(o.status <> 'OPEN' AND o.updated_at <= business_now() - :days * interval '1 day')"
_ORDER_CLOSED = _CLOSED.replace("o.", "t.")


def _of_closed_order(column: str) -> str:
    return f"EXISTS (SELECT FROM orders o WHERE o.id = {column} AND {_CLOSED})"


def _by_fulfillment(column: str) -> str:
    return f"EXISTS (SELECT FROM fulfillments f JOIN orders o ON o.id = f.order_id WHERE f.id = {column} AND {_CLOSED})"


_UNDER_WAY = "('PROCESSING', 'REQUIRES_ACTION')"
_NOT_UNDER_WAY = """NOT EXISTS (
    SELECT FROM checkout_attempts a WHERE a.cart_id = {cart} AND a.state IN ('PROCESSING', 'REQUIRES_ACTION')
)"""
_NOT_IN_CHECKOUT = _NOT_UNDER_WAY.format(cart="t.cart_id")
_HAS_ATTEMPTS = "EXISTS (SELECT FROM checkout_attempts a WHERE a.cart_id = t.id)"
_MONEY_RESTS = (
    "t.state NOT IN ('PENDING', 'REQUIRES_ACTION', 'AUTHORIZED', 'PARTIALLY_CAPTURED', 'CAPTURING', 'VOIDING')"
)
_AT_REST = "t.state NOT IN ('RESERVED', 'SENDING')"
_SETTLED = f"{_AT_REST} AND (t.order_id IS NULL OR {_of_closed_order('t.order_id')})"
_JOB_OVER = "t.status NOT IN ('QUEUED', 'RUNNING')"
_WITH_EMAIL = "lower(t.email) = ANY(:emails)"
_TO_THEM = "lower(t.recipient) = ANY(:emails)"
_ITS_MESSAGE_SETTLED = (
    f"EXISTS (SELECT FROM messages t2 WHERE t2.id = t.message_id AND {_SETTLED.replace('t.', 't2.')})"
)

_LEAVE_SEGMENTS = """
    WITH gone AS (
        DELETE FROM segment_memberships WHERE id = ANY($1) RETURNING segment_id, member
    )
    INSERT INTO segment_counts AS c (segment_id, shard, members)
    SELECT segment_id, 0, -count(*) FROM gone WHERE member GROUP BY segment_id ORDER BY segment_id
    ON CONFLICT (segment_id, shard) DO UPDATE SET members = c.members + EXCLUDED.members
"""

_MENTIONED = "EXISTS (SELECT FROM unnest(:emails || :phones) v WHERE position(v IN lower(t.{column}::text)) > 0)"


def _stray(table: str, column: str, becomes: str, ready: str | None = None) -> Step:
    """Looks for their addresses in what should hold none."""
    rows = _MENTIONED.format(column=column)
    return Step(table, Action.EMPTY, rows=rows, ready=ready, emptied={column: becomes})


STEPS: tuple[Step, ...] = (
    # What strangers' claims and pending changes say of the address.
    Step("account_tokens", Action.DELETE),
    Step("session_tokens", Action.DELETE),
    Step("sessions", Action.DELETE),
    Step("saved_payment_methods", Action.DELETE, ready="false"),  # gone once their gateway has forgotten them
    Step("customer_addresses", Action.DELETE),
    Step("tax_exemptions", Action.DELETE),
    Step("customers", Action.DELETE),
    Step("visitors", Action.DELETE),
    Step("suppressions", Action.EMPTY),
    Step("consents", Action.EMPTY),
    # What they did and what was made of it.
    Step("flow_run_steps", Action.EMPTY),
    Step("webhook_deliveries", Action.EMPTY, ready="t.state <> 'PENDING'"),
    Step("flow_runs", Action.EMPTY, ready="t.status NOT IN ('PENDING', 'ACTIVE')"),
    Step("flow_dates", Action.DELETE),
    Step("segment_memberships", Action.DELETE, statement=_LEAVE_SEGMENTS),
    Step("product_alerts", Action.DELETE),
    Step("survey_responses", Action.EMPTY),
    Step("events", Action.EMPTY),
    Step("profile_events", Action.DELETE),
    Step("inbound_sms", Action.DELETE),
    # What was written to them.
    Step("dev_messages", Action.DELETE, ready=f"(t.message_id NOT IN :messages OR {_ITS_MESSAGE_SETTLED})"),
    Step("message_clicks", Action.DELETE, ready=_ITS_MESSAGE_SETTLED),
    Step("message_links", Action.DELETE, ready=_ITS_MESSAGE_SETTLED),
    Step("provider_notices", Action.DELETE, ready=_ITS_MESSAGE_SETTLED),
    Step("messages", Action.EMPTY, ready=_SETTLED),
    # What they bought: parcels, payments and lines are found by their order, so it goes last.
    Step(
        "tracking_events",
        Action.EMPTY,
        ready=f"EXISTS (SELECT FROM shipments s JOIN fulfillments f "
        f"ON f.id = s.fulfillment_id JOIN orders o ON o.id = f.order_id WHERE s.id = t.shipment_id AND {_CLOSED})",
    ),
    Step("shipments", Action.EMPTY, ready=_by_fulfillment("t.fulfillment_id")),
    Step("test_gateway_payments", Action.EMPTY, ready=_MONEY_RESTS),
    Step("payments", Action.EMPTY, ready=_MONEY_RESTS),
    Step("refunds", Action.EMPTY, ready=f"t.state <> 'PENDING' AND {_of_closed_order('t.order_id')}"),
    Step("invoices", Action.EMPTY, ready=_of_closed_order("t.order_id")),
    Step("order_events", Action.EMPTY, ready=_of_closed_order("t.order_id")),
    Step("order_edits", Action.EMPTY, ready=_of_closed_order("t.order_id")),
    Step("order_lines", Action.EMPTY, ready=_of_closed_order("t.order_id")),
    Step("orders", Action.EMPTY, ready=_ORDER_CLOSED),
    Step("draft_orders", Action.EMPTY),
    # Who allowed an order is told by its timeline. One that is being paid for waits for its end.
    Step("order_approvals", Action.DELETE, ready=_NOT_IN_CHECKOUT),
    Step("company_members", Action.DELETE),
    # A card that is still to be mailed needs to know whom to.
    Step("gift_cards", Action.EMPTY, ready="(t.send_at IS NULL OR t.send_at <= business_now())"),
    Step("stored_value_entries", Action.EMPTY),
    # Carts: one that nothing was ever tried with goes altogether.
    Step("cart_lines", Action.DELETE, ready=_NOT_IN_CHECKOUT),
    Step("checkouts", Action.DELETE, ready=_NOT_IN_CHECKOUT),
    Step("checkout_attempts", Action.EMPTY, ready=f"t.state NOT IN {_UNDER_WAY}"),
    Step("carts", Action.EMPTY, ready=_NOT_UNDER_WAY.format(cart="t.id")),
    Step(
        "carts",
        Action.DELETE,
        rows=f"({TABLES['carts'].rows}) AND t.state = 'OPEN' AND NOT {_HAS_ATTEMPTS}",
    ),
    # Their address in what is somebody else's: an account's order or cart, with their email typed into it.
    Step("messages", Action.EMPTY, rows=f"t.order_id IN :lent AND {_TO_THEM}", ready=_AT_REST),
    Step("orders", Action.EMPTY, rows=f"t.id IN :lent AND {_WITH_EMAIL}", emptied={"email": "NULL"}),
    Step(
        "carts",
        Action.EMPTY,
        rows=f"t.profile_id = ANY(:profiles) AND NOT {OWNED} AND {_WITH_EMAIL}",
        emptied={"email": "NULL"},
    ),
    # Where they should not be.
    _stray("dead_letters", "cause", "''"),
    _stray("jobs", "input", "'{}'::jsonb", _JOB_OVER),
    _stray("jobs", "result", "NULL", _JOB_OVER),
    _stray("job_problems", "message", "''"),
    _stray("webhook_deliveries", "body", "''", "t.state <> 'PENDING'"),
    _stray("audit_changes", "before", "NULL"),
    _stray("audit_changes", "after", "NULL"),
    Step("audit_changes", Action.EMPTY),
    Step("privacy_requests", Action.EMPTY),
    Step("profiles", Action.EMPTY),
)
