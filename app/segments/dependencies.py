"""Which events can change a segment's answer about somebody, by what its condition reads."""

from datetime import timedelta

from app.conditions.names import ACTIVITY, CARTS, CONSENT, ORDERS, PROFILE, events_need, segment_need
from app.events import Event

FIRST_MOMENTS = timedelta(minutes=1)
"""An event so soon after its profile was made may be the first that tells of that profile at all."""

_TOUCHED: dict[str, frozenset[str]] = {
    "profile.updated": frozenset({PROFILE}),
    "consent.requested": frozenset({CONSENT}),
    "consent.granted": frozenset({CONSENT}),
    "consent.revoked": frozenset({CONSENT}),
    "cart.updated": frozenset({CARTS}),
    "checkout.started": frozenset({CARTS}),
    "order.placed": frozenset({CARTS, ORDERS}),
    "order.cancelled": frozenset({ORDERS}),
}


def touched(event: Event) -> frozenset[str] | None:
    """The needs (`app.conditions.names`) that an event of a person touches; None for all of them."""
    if event.type == "profile.created":
        return None
    if event.type == "profile.updated" and "history" in str(event.payload.get("changed", "")).split(","):
        return None  # somebody else's past has become theirs
    needs = {events_need(event.type), ACTIVITY, *_TOUCHED.get(event.type, ())}
    if event.type in ("segment.entered", "segment.left"):
        needs.add(segment_need(str(event.payload.get("segmentKey"))))
    return frozenset(needs)
