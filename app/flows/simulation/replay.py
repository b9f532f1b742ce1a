"""One person's way through a flow in virtual time. The decisions are the engine's own: definitions, steps and
`running.walk`; only what would be written or sent is left out."""

import heapq
import itertools
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from app.conditions.checking import Condition
from app.conditions.errors import ConditionFailed
from app.conditions.evaluation import Known
from app.flows import asking, dates, enrolment, running
from app.flows.asking import Happened
from app.flows.catalogue import PublishedFlow
from app.flows.definitions import DATE_REACHED, Trigger
from app.flows.execution import Execution, FlowNames
from app.flows.models import FlowRunStatus
from app.flows.rules import chance, exit_reason
from app.flows.runs import Run
from app.flows.simulation.facts import Questions, profile_at
from app.flows.simulation.history import Past
from app.flows.simulation.tally import Tally
from app.flows.simulation.writing import World, decide
from app.flows.steps import Go, Result, Step
from app.flows.steps.notify_staff import NotifyStaff
from app.flows.steps.update_profile import UpdateProfile
from app.flows.steps.webhook import CallWebhook
from app.messaging.marketing import Deferred, MarketingMessage, Reserved, Skipped
from app.promotions.coupons import Coupon

EVENT, DATE, DUE = range(3)
"""What comes first at the same moment: an order wins over the reminder that is due with it."""
_BEYOND_THE_RUN = (UpdateProfile, CallWebhook, NotifyStaff)


class SimulatedExecution(Execution):
    """Sees the past instead of the database, and writes nothing."""

    def __init__(self, run: Run, person: "Replay", now: datetime) -> None:
        super().__init__(run, person.flow.definition, FlowNames(person.flow.key, person.flow.name), now)
        self._replay = person

    async def perform(self, step: Step) -> Result:
        if isinstance(step, _BEYOND_THE_RUN):
            return Go()
        return await step.run(self)

    async def holds(self, condition: Condition | None, known: Known | None = None) -> bool:
        if condition is None:
            return True
        run = self.run
        return await self._replay.ask(condition, self.now, event=asking.trigger_of(run), run=asking.run_of(run))

    async def find_event(self, event_type: str, condition: Condition | None, since: datetime) -> Happened | None:
        for happened in self._replay.past.events:
            if happened.type != event_type or not since <= happened.occurred_at <= self.now:
                continue
            if happened.id != self.run.trigger_event_id and await self._replay.fits(condition, happened, self.run):
                return happened
        return None

    async def others_go_first(self) -> timedelta | None:
        return None

    async def reserve(self, message: MarketingMessage) -> Reserved | Skipped | Deferred:
        return decide(message, self._replay.past, self._replay.world, self.now)

    async def issue_coupon(self, **wanted: Any) -> Coupon:
        valid_for: timedelta = wanted["valid_for"]
        return Coupon("SIMULATED", self.now + valid_for, uuid.uuid5(self.run.id, str(wanted["issued_by"])))

    async def _facts(self) -> Any:
        return self._replay.person_at(self.now)


@dataclass(slots=True)
class _Living:
    run: Run
    wakes: int = 0
    """Counts its timers: an older one wakes nobody."""


class Replay:
    """The simulation of one person."""

    def __init__(
        self, flow: PublishedFlow, past: Past, world: World, tally: Tally, *, start: datetime, until: datetime
    ) -> None:
        self.flow = flow
        self.past = past
        self.world = world
        self._tally = tally
        self._start = start
        self._until = until
        self._questions = Questions(past, world.currency, world.products)
        self._living: dict[str, _Living] = {}
        self._ended: list[Run] = []
        self._queue: list[tuple[datetime, int, int, Any]] = []
        self._order = itertools.count()
        self._planned: dict[int, int] = {}

    async def play(self) -> None:
        for happened in self.past.events:
            if self._start < happened.occurred_at <= self._until:
                self._put(happened.occurred_at, EVENT, happened)
        self._plan(self._start)
        while self._queue:
            moment, kind, _, what = heapq.heappop(self._queue)
            if kind == EVENT:
                await self._happen(what)
            elif kind == DATE:
                await self._reach(moment, *what)
            else:
                await self._wake(moment, *what)
        for living in self._living.values():
            self._tally.still_there(living.run)

    # --- questions ----------------------------------------------------------------------------------------------------

    async def ask(self, condition: Condition, now: datetime, **about: Any) -> bool:
        return await self._questions.ask(condition, now, **about)

    async def fits(self, condition: Condition | None, happened: Happened, run: Run) -> bool:
        if condition is None:
            return True
        event = asking.event_of(happened.type, happened.occurred_at, happened.data)
        return await self.ask(condition, happened.occurred_at, event=event, run=asking.run_of(run))

    async def _agrees(self, condition: Condition | None, now: datetime, event: Mapping[str, Any]) -> bool:
        if condition is None:
            return True
        try:
            return await self.ask(condition, now, event=event)
        except ConditionFailed:
            return False

    def person_at(self, now: datetime) -> dict[str, Any]:
        row = profile_at(self.past, now)
        properties = row["properties"]
        text = properties if isinstance(properties, str) else orjson.dumps(properties or {}).decode()
        return {**row, "properties": text, "now": now, "shop_time_zone": self.world.time_zone}

    # --- what happens -------------------------------------------------------------------------------------------------

    async def _happen(self, happened: Happened) -> None:
        now = happened.occurred_at
        for key, living in list(self._living.items()):
            if (reason := await self._exit_by(happened, living.run)) is not None:
                self._end(key, FlowRunStatus.EXITED, reason, now)
            elif living.run.waiting_for == happened.type:
                await self._go_on(key, now)
        for trigger in self.flow.definition.triggers:
            if trigger.event == happened.type and enrolment.is_meant(self.flow, trigger, happened):
                await self._enrol(trigger, happened)
        if happened.type.startswith("order."):
            self._plan(now)

    async def _exit_by(self, happened: Happened, run: Run) -> str | None:
        if happened.id == run.trigger_event_id:
            return None
        for rule in self.flow.definition.exit_on:
            if rule.event == happened.type:
                try:
                    if await self.fits(rule.condition, happened, run):
                        return exit_reason(happened.type)
                except ConditionFailed:
                    return exit_reason(happened.type)
        return None

    def _plan(self, now: datetime) -> None:
        """The next date of each date trigger, by what is known now; dates that were planned before are forgotten."""
        person = self.person_at(now)
        for trigger in dates.dated(self.flow):
            plan = self._planned[trigger.index] = self._planned.get(trigger.index, 0) + 1
            due = dates.due_at(trigger, person)
            if due is not None and due <= self._until:
                self._put(due, DATE, (trigger, plan))

    async def _reach(self, now: datetime, trigger: Trigger, plan: int) -> None:
        if self._planned[trigger.index] != plan:
            return
        facts = {"property": trigger.date, "flowKey": self.flow.key, "triggerIndex": trigger.index}
        event_id = uuid.uuid5(self.past.id, f"{trigger.index}:{now.isoformat()}")
        await self._enrol(trigger, Happened(event_id, DATE_REACHED, now, facts))
        if trigger.yearly:
            self._plan(now)

    async def _enrol(self, trigger: Trigger, happened: Happened) -> None:
        """As `enrolment.enrol`, step for step."""
        now, definition = happened.occurred_at, self.flow.definition
        event = asking.event_of(happened.type, now, happened.data)
        if not await self._agrees(trigger.condition, now, event):
            return
        key = enrolment.key_of(trigger, happened)
        living = self._living.get(key)
        if living is not None and (living.run.status is FlowRunStatus.ACTIVE or trigger.quiet_for is not None):
            self._repeat(living, trigger, happened)
            return
        run = enrolment.new_run(self.flow, trigger, self.past.id, happened, key)
        run.id = uuid.uuid5(self.flow.id, f"{self.past.id}:{happened.id}")
        run.in_holdout = chance(run.id, "flow") < definition.holdout
        if self._reentry_refuses(now):
            return
        if trigger.quiet_for is None and not await self._agrees(definition.entry, now, event):
            return
        if living is not None:
            self._end(key, FlowRunStatus.EXITED, "SUPERSEDED", now)
        enrolment.put_at_beginning(run, definition, trigger)
        self._living[key] = _Living(run)
        if run.status is FlowRunStatus.ACTIVE:
            self._tally.enrolled += 1
        self._set_timer(key)

    def _repeat(self, living: _Living, trigger: Trigger, happened: Happened) -> None:
        run, definition = living.run, self.flow.definition
        if not enrolment.begins_anew(run, definition, trigger, happened):
            return
        run.trigger_type, run.trigger_event_id = happened.type, happened.id
        run.trigger, run.triggered_at = dict(happened.data), happened.occurred_at
        enrolment.put_at_beginning(run, definition, trigger)
        self._set_timer(run.key)

    def _reentry_refuses(self, now: datetime) -> bool:
        reentry = self.flow.definition.reentry
        known = [run for run in [*self._ended, *(one.run for one in self._living.values())] if run.step_key is not None]
        if reentry.policy == "always":
            return False
        if reentry.policy == "once":
            return bool(known)
        # What ended before it wrote anything leaves the person free to come in again.
        counted = [run for run in known if run.status is not FlowRunStatus.EXITED or run.state.get("messages")]
        return any(run.entered_at + (reentry.period or timedelta()) > now for run in counted)

    # --- runs ---------------------------------------------------------------------------------------------------------

    async def _wake(self, now: datetime, key: str, wakes: int) -> None:
        living = self._living.get(key)
        if living is None or living.wakes != wakes:
            return
        run = living.run
        if run.status is FlowRunStatus.PENDING:
            del self._living[key]  # it does not stand in its own way
            refused = self._reentry_refuses(now) or not await self._agrees(
                self.flow.definition.entry, now, asking.trigger_of(run)
            )
            self._living[key] = living
            if refused:
                self._end(key, FlowRunStatus.EXITED, enrolment.ENTRY_NOT_MET, now)
                return
            run.status = FlowRunStatus.ACTIVE
            run.step_key = self.flow.definition.steps[0].key
            run.entered_at = now
            self._tally.enrolled += 1
        await self._go_on(key, now)

    async def _go_on(self, key: str, now: datetime) -> None:
        run = self._living[key].run
        stop = await running.walk(SimulatedExecution(run, self, now))
        self._tally.count(stop.lines)
        if stop.step is None or stop.wait is None:
            self._end(key, stop.status, stop.reason, now)
            return
        run.state["wait"] = {**stop.wait.memory, "step": stop.step.key}
        run.step_key, run.due_at, run.waiting_for = stop.step.key, stop.wait.until, stop.wait.event
        self._set_timer(key)

    def _end(self, key: str, status: FlowRunStatus, reason: str | None, now: datetime) -> None:
        run = self._living.pop(key).run
        run.status, run.exit_reason = status, reason
        self._ended.append(run)
        self._tally.ended(run)

    def _set_timer(self, key: str) -> None:
        living = self._living[key]
        living.wakes += 1
        if living.run.due_at is not None and living.run.due_at <= self._until:
            self._put(max(living.run.due_at, living.run.triggered_at), DUE, (key, living.wakes))

    def _put(self, moment: datetime, kind: int, what: Any) -> None:
        heapq.heappush(self._queue, (moment, kind, next(self._order), what))
