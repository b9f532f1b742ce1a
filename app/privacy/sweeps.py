"""What retention does to which table. Age is business time where the shop's own time decides, else real time.

Nothing goes that the books, a flow under way, a message that is still to be sent or an open order needs.
"""

from dataclasses import dataclass
from typing import Any

from app.accounts import ownership
from app.privacy.retention import RetentionKind as K
from app.privacy.steps import Action, Step

_AGO = "business_now() - :days * interval '1 day'"
_REAL_AGO = "clock_timestamp() - :days * interval '1 day'"


@dataclass(frozen=True, slots=True)
class Sweep:
    """One table's part of a kind: rows that are too old, and what becomes of them."""

    kind: K
    step: Step


def _sweep(kind: K, table: str, action: Action, old: str, **more: Any) -> Sweep:
    return Sweep(kind, Step(table, action, rows=old, **more))


# A cart may be waited for by a run, reminded of by a message, or in the middle of being paid.
_CART_RESTS = f"""
    t.state = 'OPEN' AND t.updated_at < {_AGO}
    AND NOT EXISTS (
        SELECT FROM checkout_attempts a WHERE a.cart_id = t.id AND a.state IN ('PROCESSING', 'REQUIRES_ACTION')
    )
    AND NOT EXISTS (
        SELECT FROM checkout_attempts a JOIN payments p ON p.attempt_id = a.id
        WHERE a.cart_id = t.id AND p.state NOT IN ('FAILED', 'VOIDED')
    )
    AND NOT EXISTS (
        SELECT FROM flow_runs r WHERE r.status IN ('PENDING', 'ACTIVE') AND r.trigger ->> 'cartId' = t.id::text
    )
"""
_ORDERED = f"""t.state = 'COMPLETED' AND EXISTS (
    SELECT FROM orders o WHERE o.cart_id = t.id AND o.status <> 'OPEN' AND o.placed_at < {_AGO}
)"""
_OF_ORDERED = f"""EXISTS (
    SELECT FROM orders o WHERE o.cart_id = t.cart_id AND o.status <> 'OPEN' AND o.placed_at < {_AGO}
)"""
_OLD_ORDER = f"(o.status <> 'OPEN' AND o.placed_at < {_AGO})"
_ANONYMOUS = f"""
    t.email IS NULL AND t.phone IS NULL AND t.merged_into_id IS NULL AND t.erased_at IS NULL
    AND coalesce(t.last_seen_at, t.updated_at) < {_AGO}
    AND NOT EXISTS (SELECT FROM orders o WHERE o.profile_id = t.id)
    AND NOT EXISTS (SELECT FROM carts c WHERE c.profile_id = t.id)
    AND NOT EXISTS (SELECT FROM consents c WHERE c.profile_id = t.id)
    AND NOT EXISTS (SELECT FROM messages m WHERE m.profile_id = t.id)
    AND NOT EXISTS (SELECT FROM flow_runs r WHERE r.profile_id = t.id AND r.status IN ('PENDING', 'ACTIVE'))
    AND NOT EXISTS (SELECT FROM profiles m WHERE m.merged_into_id = t.id AND m.order_count > 0)
"""
# With those who were merged into them, and all that leads to them.
_FORGET_VISITORS = """
    WITH gone AS (
        DELETE FROM profiles WHERE id = ANY($1) OR merged_into_id = ANY($1) RETURNING id
    ), browsers AS (
        DELETE FROM visitors USING gone WHERE visitors.profile_id = gone.id
    ), told AS (
        DELETE FROM profile_events USING gone WHERE profile_events.profile_id = gone.id
    ), dates AS (
        DELETE FROM flow_dates USING gone WHERE flow_dates.profile_id = gone.id
    ), alerts AS (
        DELETE FROM product_alerts USING gone WHERE product_alerts.profile_id = gone.id
    ), waiting AS (
        DELETE FROM timers USING gone WHERE timers.subject_id = gone.id
    ), memberships AS (
        DELETE FROM segment_memberships USING gone WHERE segment_memberships.profile_id = gone.id
        RETURNING segment_id, member
    )
    INSERT INTO segment_counts AS c (segment_id, shard, members)
    SELECT segment_id, 0, -count(*) FROM memberships WHERE member GROUP BY segment_id ORDER BY segment_id
    ON CONFLICT (segment_id, shard) DO UPDATE SET members = c.members + EXCLUDED.members
"""
_AT_REST = "t.state NOT IN ('RESERVED', 'SENDING')"
_NO_OPEN_ORDER = "NOT EXISTS (SELECT FROM orders o WHERE o.id = t.order_id AND o.status = 'OPEN')"
_DELETE_ACCOUNTS = """
    WITH over AS (
        DELETE FROM sessions WHERE subject_kind = 'customer' AND subject_id = ANY($1)
    )
    DELETE FROM customers WHERE id = ANY($1)
"""

SWEEPS: tuple[Sweep, ...] = (
    _sweep(K.ABANDONED_CARTS, "carts", Action.DELETE, _CART_RESTS),
    _sweep(K.COMPLETED_CARTS, "cart_lines", Action.DELETE, _OF_ORDERED),
    _sweep(K.COMPLETED_CARTS, "checkouts", Action.DELETE, _OF_ORDERED),
    _sweep(K.COMPLETED_CARTS, "carts", Action.EMPTY, _ORDERED),
    _sweep(K.ORDERS, "tracking_events", Action.EMPTY, f"""EXISTS (
        SELECT FROM shipments s JOIN fulfillments f ON f.id = s.fulfillment_id JOIN orders o ON o.id = f.order_id
        WHERE s.id = t.shipment_id AND {_OLD_ORDER})"""),
    _sweep(K.ORDERS, "shipments", Action.EMPTY, f"""EXISTS (
        SELECT FROM fulfillments f JOIN orders o ON o.id = f.order_id
        WHERE f.id = t.fulfillment_id AND {_OLD_ORDER})"""),
    _sweep(K.ORDERS, "payments", Action.EMPTY, f"""t.state IN ('CAPTURED', 'VOIDED', 'FAILED')
        AND EXISTS (SELECT FROM orders o WHERE o.id = t.order_id AND {_OLD_ORDER})"""),
    _sweep(K.ORDERS, "refunds", Action.EMPTY,
           f"t.state <> 'PENDING' AND EXISTS (SELECT FROM orders o WHERE o.id = t.order_id AND {_OLD_ORDER})"),
    _sweep(K.ORDERS, "checkout_attempts", Action.EMPTY,
           f"EXISTS (SELECT FROM orders o WHERE o.id = t.order_id AND {_OLD_ORDER})"),
    _sweep(K.ORDERS, "order_events", Action.EMPTY,
           f"EXISTS (SELECT FROM orders o WHERE o.id = t.order_id AND {_OLD_ORDER})"),
    _sweep(K.ORDERS, "order_edits", Action.EMPTY,
           f"EXISTS (SELECT FROM orders o WHERE o.id = t.order_id AND {_OLD_ORDER})"),
    _sweep(K.ORDERS, "invoices", Action.EMPTY,
           f"EXISTS (SELECT FROM orders o WHERE o.id = t.order_id AND {_OLD_ORDER})"),
    _sweep(K.ORDERS, "order_lines", Action.EMPTY,
           f"EXISTS (SELECT FROM orders o WHERE o.id = t.order_id AND {_OLD_ORDER})"),
    _sweep(K.ORDERS, "orders", Action.EMPTY, _OLD_ORDER.replace("o.", "t.")),
    _sweep(K.ANONYMOUS_PROFILES, "profiles", Action.DELETE, _ANONYMOUS, statement=_FORGET_VISITORS),
    _sweep(K.TIMELINE_EVENTS, "profile_events", Action.DELETE, f"t.occurred_at < {_AGO}"),
    _sweep(K.FLOW_RUNS, "flow_run_steps", Action.EMPTY, f"""EXISTS (
        SELECT FROM flow_runs r WHERE r.id = t.run_id AND r.finished_at < {_AGO})"""),
    _sweep(K.FLOW_RUNS, "flow_runs", Action.EMPTY, f"t.finished_at < {_AGO}"),
    _sweep(K.CLICKS, "message_clicks", Action.DELETE, f"t.clicked_at < {_AGO}"),
    _sweep(K.CLICKS, "message_links", Action.DELETE, f"t.created_at < {_AGO}"),
    _sweep(K.MESSAGE_CONTENT, "dev_messages", Action.DELETE, f"t.sent_at < {_AGO}"),
    _sweep(K.MESSAGE_CONTENT, "messages", Action.EMPTY, f"t.created_at < {_AGO} AND {_AT_REST} AND {_NO_OPEN_ORDER}"),
    _sweep(K.MESSAGES, "provider_notices", Action.DELETE, f"t.received_at < {_AGO}"),
    _sweep(K.MESSAGES, "messages", Action.DELETE, f"t.created_at < {_AGO} AND {_AT_REST} AND {_NO_OPEN_ORDER}"),
    _sweep(K.INBOUND_SMS, "inbound_sms", Action.DELETE, f"t.received_at < {_AGO}"),
    _sweep(K.GIFT_CARD_RECIPIENTS, "gift_cards", Action.EMPTY, f"greatest(t.send_at, t.created_at) < {_AGO}"),
    _sweep(K.SURVEY_COMMENTS, "survey_responses", Action.EMPTY, f"t.updated_at < {_AGO}"),
    _sweep(K.UNVERIFIED_ACCOUNTS, "customers", Action.DELETE,
           f"t.email_verified_at IS NULL AND t.created_at < {_REAL_AGO}",
           statement=_DELETE_ACCOUNTS, before=ownership.lapse),
    _sweep(K.ACCOUNT_TOKENS, "account_tokens", Action.DELETE, f"t.expires_at < {_REAL_AGO}"),
    _sweep(K.STAFF_INVITATIONS, "staff_invitations", Action.DELETE, f"t.expires_at < {_REAL_AGO}"),
    # How long a document lasts was written beside it when it was made.
    _sweep(K.PRIVACY_EXPORTS, "privacy_requests", Action.EMPTY,
           "t.kind = 'EXPORT' AND t.expires_at < clock_timestamp()"),
    _sweep(K.PRIVACY_REQUESTS, "privacy_requests", Action.DELETE,
           f"t.status IN ('DONE', 'FAILED') AND t.addresses IS NULL AND t.created_at < {_REAL_AGO}"),
    _sweep(K.AUDIT_LOG, "audit_changes", Action.DELETE,
           f"t.entry_id IN (SELECT id FROM audit_entries WHERE occurred_at < {_REAL_AGO})"),
    _sweep(K.AUDIT_LOG, "audit_entries", Action.DELETE,
           f"t.occurred_at < {_REAL_AGO} AND NOT EXISTS (SELECT FROM audit_changes c WHERE c.entry_id = t.id)"),
    _sweep(K.DEAD_LETTERS, "dead_letters", Action.DELETE, f"t.created_at < {_REAL_AGO}"),
    _sweep(K.JOBS, "jobs", Action.DELETE,
           f"t.status NOT IN ('QUEUED', 'RUNNING') AND t.created_at < {_REAL_AGO}"),
)  # fmt: skip

OWN_SWEEPERS = frozenset({K.ERASED_ORDERS, K.SESSIONS, K.WEBHOOK_BODIES, K.WEBHOOK_DELIVERIES, K.UPLOADS, K.EVENTS})
"""Kinds that their own domains clear away: `erasing`, sessions, webhooks, uploads, and the outbox."""
