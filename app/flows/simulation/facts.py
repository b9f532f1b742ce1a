"""What conditions would have been told at a moment of the past.

docs/decisions/simulation.md says what is taken as it is today.
"""

import statistics
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from app.conditions import facts as condition_facts
from app.conditions import subjects
from app.conditions.asking import Asker
from app.conditions.checking import Condition
from app.conditions.evaluation import wanted_facts
from app.conditions.facts import ProfileFacts, Tally, Wanted
from app.conditions.names import SUBJECTS
from app.customers.lifecycle_rules import SAME_OCCASION, Figures, standing
from app.flows.simulation.history import Past
from app.messaging.models import MessageChannel

CART_EVENT, CHECKOUT_EVENT = "cart.updated", "checkout.started"


def profile_at(past: Past, now: datetime) -> dict[str, Any]:
    """The profile's row with its figures, stage and dates as they were then."""
    orders = past.orders_by(now)
    gaps = [later.placed_at - earlier.placed_at for earlier, later in pairwise(orders)]
    occasions = [gap.total_seconds() for gap in gaps if gap >= SAME_OCCASION]
    median = statistics.median(occasions) if occasions else None
    figures = Figures(
        len(orders),
        sum(order.shop_total_minor for order in orders),
        orders[0].placed_at if orders else None,
        orders[-1].placed_at if orders else None,
        None if median is None else timedelta(seconds=median),
    )
    reachable = bool(past.profile["email"] or past.profile["phone"])
    stands = standing(figures, now, usual=None, reachable=reachable, dormant=False)
    return {
        **past.profile,
        "order_count": figures.order_count,
        "total_spent_minor": figures.total_spent_minor,
        "first_order_at": figures.first_order_at,
        "last_order_at": figures.last_order_at,
        "median_interval_seconds": None if median is None else int(median),
        "next_order_expected_at": stands.next_order_expected_at,
        "lapses_at": stands.lapses_at,
        "stage": stands.stage,
        "recency_score": stands.recency_score,
    }


class Questions:
    """Conditions about one person in the past."""

    def __init__(self, past: Past, currency: str, products: Mapping[str, uuid.UUID]) -> None:
        self._past = past
        self._currency = currency
        self._products = products
        self._subjects: dict[str, dict[str, dict[str, Any]]] = {}

    async def ask(
        self,
        condition: Condition,
        now: datetime,
        *,
        event: Mapping[str, Any] | None = None,
        run: Mapping[str, Any] | None = None,
    ) -> bool:
        """Raises ConditionFailed."""
        found = await self._load_subjects(condition, event, run)
        wanted = wanted_facts([condition], {"event": event or {}, "run": run or {}, **found})
        facts = self._facts(wanted, now)
        asker = Asker(facts, condition.names, event=event, run=run, subjects=found, functions=condition.functions)
        return asker.ask(condition)[0]

    async def _load_subjects(
        self, condition: Condition, *mappings: Mapping[str, Any] | None
    ) -> dict[str, dict[str, Any]]:
        """Carts, orders and products as they are today."""
        names = condition.needs & SUBJECTS.keys()
        if not names:
            return {}
        key = repr([(name, sorted(subjects.named(name, *mappings).items())) for name in sorted(names)])
        if key not in self._subjects:
            self._subjects[key] = await subjects.load(names, *mappings)
        return self._subjects[key]

    def _facts(self, wanted: Wanted, now: datetime) -> ProfileFacts:
        past, orders = self._past, self._past.orders_by(now)
        facts = ProfileFacts(profile_at(past, now), now, self._currency)
        facts.last_placed_at = max((order.placed_at for order in past.orders if order.placed_at <= now), default=None)
        for (span,) in wanted.of("spentIn"):
            within = [order for order in orders if order.placed_at > now - span]
            oldest = within[0].placed_at if within else None
            facts.spent_minor[span] = Tally(sum(order.shop_total_minor for order in within), oldest)
        for order in orders:
            facts.bought |= order.products
            facts.bought_types |= order.product_types
        named = {text for (text, *_) in wanted.of("bought", "viewCount") if isinstance(text, str)}
        facts.products = {text: found for text in named if (found := self._product(text))}
        happened = [one for one in past.events if one.occurred_at <= now]
        for text, span in wanted.of("viewCount"):
            if product := facts.products.get(text):
                views = [
                    one.occurred_at
                    for one in happened
                    if one.type == "product.viewed" and one.data.get("productId") == str(product)
                ]
                facts.views[product, span] = _tally(views, span, now)
        for kind, span in wanted.of("eventCount"):
            facts.tallies[kind, span] = _tally([one.occurred_at for one in happened if one.type == kind], span, now)
        for one in happened:
            facts.last_at[one.type] = one.occurred_at
            if one.type in ("segment.entered", "segment.left"):
                change = facts.segments.add if one.type == "segment.entered" else facts.segments.discard
                change(str(one.data.get("segmentKey")))
        ordered = {str(order.cart_id) for order in past.orders if order.placed_at <= now}
        facts.open_cart = any(one.type == CART_EVENT and one.data.get("cartId") not in ordered for one in happened)
        facts.open_checkout = any(
            one.type == CHECKOUT_EVENT and one.data.get("cartId") not in ordered for one in happened
        )
        facts.consented = {channel.value for channel in MessageChannel if past.consent(channel, now) == "GRANTED"}
        return facts

    def _product(self, text: str) -> uuid.UUID | None:
        return self._products.get(text) or condition_facts.product_id_of(text)


def _tally(moments: list[datetime], span: timedelta | None, now: datetime) -> Tally:
    within = [moment for moment in moments if span is None or moment > now - span]
    return Tally(len(within), within[0] if within else None)
