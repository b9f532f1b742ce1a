"""What a step sees of the run that it works for."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from app import db
from app.conditions.checking import Condition
from app.conditions.errors import ConditionFailed
from app.conditions.evaluation import Known, evaluate
from app.flows import asking, catalogue
from app.flows.asking import Happened
from app.flows.calendar import at_local
from app.flows.definitions import Definition
from app.flows.reading import CUSTOMER_MOMENTS, PROPERTIES
from app.flows.runs import Run
from app.flows.steps.base import Result, Step
from app.flows.steps.sending import LOOK_AGAIN_AFTER, LOOK_AGAIN_SOON
from app.messaging import marketing
from app.messaging.marketing import Deferred, MarketingMessage, Reserved, Skipped
from app.promotions import coupons
from app.promotions.coupons import Coupon

_PERSON = """
    SELECT p.time_zone, s.time_zone AS shop_time_zone, p.lapses_at, p.next_order_expected_at, p.last_order_at,
           p.first_order_at, p.properties
    FROM profiles p LEFT JOIN shop s ON s.id = 1 WHERE p.id = $1
"""
_GOING_FIRST = """
    SELECT EXISTS (
        SELECT FROM flow_runs r JOIN flows f ON f.id = r.flow_id
        WHERE r.profile_id = $1 AND r.status IN ('PENDING', 'ACTIVE') AND r.id <> $2 AND f.key = ANY($3)
          AND f.status = 'PUBLISHED'
    )
"""
# Events come in any order: consent that was given with a cart may be told before the cart.
_UNTOLD = """
    SELECT EXISTS (
        SELECT FROM profile_events happened JOIN events e ON e.id = happened.id
        WHERE happened.profile_id = $1 AND happened.type = ANY($2) AND happened.id <> $3
          AND happened.occurred_at > business_now() - interval '1 day' AND e.acknowledged_at IS NULL
    )
"""


class FlowNames:
    """What is shown of a flow."""

    __slots__ = ("key", "name")

    def __init__(self, key: str, name: str) -> None:
        self.key = key
        self.name = name


class Execution:
    """A run in the transaction that moves it; its cart, profile and row are locked.

    Attributes:
        now: business time.
        planned: when the current step was due by the flow's own plan. It is behind `now` when workers were away or the
            flow was paused, and what a step waits counts from it.
        memory: what the current step left when it began to wait; None when the run has just come to it.
        is_due: whether the waiting is over by time, and not by an event.
    """

    def __init__(self, run: Run, definition: Definition, flow: FlowNames, now: datetime) -> None:
        self.run = run
        self.definition = definition
        self.flow = flow
        self.now = now
        self.is_due = run.due_at is not None and run.due_at <= now
        self.planned = run.due_at if self.is_due and run.due_at is not None else now
        self.memory: Mapping[str, Any] | None = None
        self._person: db.Record | None = None

    async def holds(self, condition: Condition | None, known: Known | None = None) -> bool:
        """Raises ConditionFailed. `known` is shared by conditions that are asked at one moment."""
        if condition is None:
            return True
        return await evaluate(
            condition,
            profile_id=self.run.profile_id,
            event=asking.trigger_of(self.run),
            run=asking.run_of(self.run),
            known=known,
        )

    async def exit_condition(self) -> str | None:
        """The reason of the first `exitIf` that holds; one that cannot be answered counts as holding."""
        known = Known()
        for rule in self.definition.exit_if:
            try:
                if await self.holds(rule.condition, known):
                    return rule.reason
            except ConditionFailed:
                return rule.reason
        return None

    async def find_event(self, event_type: str, condition: Condition | None, since: datetime) -> Happened | None:
        """The first event of this type since then that is meant."""
        for happened in await asking.happened_since(self.run, [event_type], since):
            if await asking.fits(condition, happened, self.run):
                return happened
        return None

    async def others_go_first(self) -> timedelta | None:
        """How long to wait before looking again, while the person has a living run in a flow that this one waits for,
        or has just done what may begin one; None when nothing goes first."""
        keys = self.definition.waits_for
        if not keys:
            return None
        if await db.fetchval(_GOING_FIRST, self.run.profile_id, self.run.id, list(keys)):
            return LOOK_AGAIN_AFTER
        triggers = {
            trigger.event
            for flow in (await catalogue.current()).flows
            if flow.key in keys
            for trigger in flow.definition.triggers
        }
        untold = await db.fetchval(_UNTOLD, self.run.profile_id, list(triggers), self.run.trigger_event_id)
        return LOOK_AGAIN_SOON if untold else None

    async def perform(self, step: Step) -> Result:
        """Do what the step is for. A simulation passes over what would reach beyond the run."""
        return await step.run(self)

    async def reserve(self, message: MarketingMessage) -> Reserved | Skipped | Deferred:
        """Decide on a message. A simulation decides without writing it down."""
        return await marketing.reserve(message)

    async def issue_coupon(self, **wanted: Any) -> Coupon:
        """As `coupons.issue_coupon`; a simulation makes none. Raises DomainError."""
        return await coupons.issue_coupon(**wanted)

    def message_context(self) -> dict[str, str]:
        """Ids and facts that a message's merge data is built from."""
        context = {name: str(value) for name, value in self.run.trigger.items() if value is not None}
        coupon = self.run.state.get("coupon")
        return {**context, "couponCode": coupon["code"]} if coupon else context

    async def time_zone(self) -> ZoneInfo:
        """The person's, else the shop's, else UTC."""
        person = await self._facts()
        return zone_of(person["time_zone"], person["shop_time_zone"])

    async def moment(self, name: str) -> datetime | None:
        """A moment that `delay_until` names; None where it is not known. A day begins at midnight in the time zone."""
        if name == "run.enteredAt":
            return self.run.entered_at
        if name == "coupon.endsAt":
            return _moment_in(self.run.state.get("coupon", {}).get("endsAt"), ZoneInfo("UTC"))
        if name.startswith("run."):
            return _moment_in(self.run.trigger.get(name.removeprefix("run.")), ZoneInfo("UTC"))
        person = await self._facts()
        if name in CUSTOMER_MOMENTS:
            moment: datetime | None = person[CUSTOMER_MOMENTS[name]]
            return moment
        value = orjson.loads(person["properties"]).get(name.removeprefix(PROPERTIES))
        return _moment_in(value, await self.time_zone())

    def forget_facts(self) -> None:
        """A step has changed the profile."""
        self._person = None

    async def _facts(self) -> db.Record:
        if self._person is None:
            self._person = await db.fetchrow(_PERSON, self.run.profile_id)
        if self._person is None:
            raise LookupError("the run's profile is gone")
        return self._person


def zone_of(*names: str | None) -> ZoneInfo:
    """The first time zone of these that exists; UTC where none does."""
    for name in names:
        if name:
            try:
                return ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError):
                continue
    return ZoneInfo("UTC")


def _moment_in(value: object, zone: ZoneInfo) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        if len(value) == len("2026-11-22"):
            return at_local(date.fromisoformat(value), time(0), zone)
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
