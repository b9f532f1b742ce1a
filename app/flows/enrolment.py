"""Taking people into flows: who, how often, and what becomes of a run that is there already.

Everything is decided with the person's profile locked, so two events at once decide one after the other.
"""

import uuid

import structlog

from app import clock, db, events
from app.conditions.checking import Condition
from app.conditions.errors import ConditionFailed
from app.conditions.evaluation import evaluate
from app.flows import asking, catalogue, ending, exits, runs
from app.flows.asking import Happened
from app.flows.catalogue import Catalogue, PublishedFlow
from app.flows.definitions import DATE_REACHED, Definition, Trigger
from app.flows.models import FlowRunStatus, StepOutcome
from app.flows.rules import chance
from app.flows.runs import COLUMNS, Run, StepLine
from app.flows.steps.delay import Delay
from app.kit.ids import new_id

CUSTOMER_KEY = "customer"
MAX_KEY_CHARS = 120
ENTRY_NOT_MET = "ENTRY_NOT_MET"
REENTRY = "REENTRY"

log = structlog.get_logger(__name__)

_LIVING = f"""
    SELECT {COLUMNS} FROM flow_runs r
    WHERE r.flow_id = $1 AND r.profile_id = $2 AND r.key = $3 AND r.status IN ('PENDING', 'ACTIVE') FOR UPDATE
"""
# Runs that never got beyond their trigger's quiet time have no step. What ended before it wrote anything leaves the
# person free to come in again; "once" counts it all the same.
_EARLIER = """
    SELECT max(entered_at) FILTER (
               WHERE status <> 'EXITED' OR coalesce((state->>'messages')::int, 0) > 0
           ) + $4::interval > business_now() AS too_soon,
           count(*) > 0 AS been_in
    FROM flow_runs WHERE flow_id = $1 AND profile_id = $2 AND step_key IS NOT NULL AND id <> $3
"""
_GIVES_WAY = """
    SELECT EXISTS (
        SELECT FROM flow_runs
        WHERE profile_id = $1 AND flow_id = ANY($2) AND status IN ('PENDING', 'ACTIVE')
          AND ($3::text IS NULL OR trigger->>'cartId' IS NULL OR trigger->>'cartId' = $3)
    )
"""


async def by_event(known: Catalogue, profile_id: uuid.UUID, happened: Happened) -> None:
    """Take the person into every published flow that starts on this. The profile is locked in the open unit of work."""
    for flow, trigger in known.triggers.get(happened.type, ()):
        if is_meant(flow, trigger, happened):
            await enrol(known, flow, trigger, profile_id, happened)


def is_meant(flow: PublishedFlow, trigger: Trigger, happened: Happened) -> bool:
    if trigger.segment is not None:
        return bool(happened.data.get("segmentKey") == trigger.segment)
    if trigger.event == DATE_REACHED:
        return (happened.data.get("flowKey"), happened.data.get("triggerIndex")) == (flow.key, trigger.index)
    return True


async def enrol(
    known: Catalogue, flow: PublishedFlow, trigger: Trigger, profile_id: uuid.UUID, happened: Happened
) -> uuid.UUID | None:
    """Take one person into one flow, if everything allows it; the profile is locked in the open unit of work.

    Args:
        happened: what started it; also a backfill is one. The same one never starts two runs.

    Returns:
        The new run's id; None where there is none: the conditions, the re-entry policy or an exit rule said no, or a
        living run took the repetition up.
    """
    event = asking.event_of(happened.type, happened.occurred_at, happened.data)
    if not await _agrees(trigger.condition, profile_id, event):
        return None
    key = key_of(trigger, happened)
    living = await db.fetchrow(_LIVING, flow.id, profile_id, key)
    pending = None
    if living is not None:
        pending = runs.from_row(living)
        if pending.status is FlowRunStatus.ACTIVE or trigger.quiet_for is not None:
            if await _repeat(pending, trigger, happened):
                return None
            pending = None
    run = new_run(flow, trigger, profile_id, happened, key)
    if await _gives_way(known, flow, run) or await asking.exit_by_timeline(flow.definition, run) is not None:
        return None
    if await _reentry_refuses(flow.definition, run):
        return None
    if trigger.quiet_for is None and not await _agrees(flow.definition.entry, profile_id, event):
        return None
    if pending is not None:
        # One trigger has to stay quiet for a while; this one need not.
        await ending.end(pending, FlowRunStatus.EXITED, exits.SUPERSEDED)
    lines = put_at_beginning(run, flow.definition, trigger)
    at_once = run.due_at is not None and run.due_at <= await clock.now()
    if not await runs.begin(run, lines, timer=not at_once):
        return None
    if at_once:
        await events.record(runs.RUN_DUE, subject_id=run.id, payload={"revision": run.revision})
    if superseded := known.superseded.get(flow.id):
        await exits.supersede(profile_id, superseded - {flow.id}, run.trigger.get("cartId"))
    return run.id


async def refusal_at_the_end_of_quiet(run: Run, definition: Definition) -> str | None:
    """Why a run whose trigger has been quiet for long enough must not become active after all."""
    if await _reentry_refuses(definition, run):
        return REENTRY
    if not await _agrees(definition.entry, run.profile_id, asking.trigger_of(run)):
        return ENTRY_NOT_MET
    return None


def key_of(trigger: Trigger, happened: Happened) -> str:
    value = happened.data.get(trigger.key) if trigger.key else None
    return str(value)[:MAX_KEY_CHARS] if value is not None else CUSTOMER_KEY


def new_run(flow: PublishedFlow, trigger: Trigger, profile_id: uuid.UUID, happened: Happened, key: str) -> Run:
    run_id = new_id()
    return Run(
        id=run_id,
        flow_id=flow.id,
        version_id=flow.version_id,
        profile_id=profile_id,
        key=key,
        status=FlowRunStatus.PENDING if trigger.quiet_for else FlowRunStatus.ACTIVE,
        step_key=None,
        revision=0,
        due_at=None,
        waiting_for=None,
        in_holdout=chance(run_id, "flow") < flow.definition.holdout,
        trigger_type=happened.type,
        trigger_event_id=happened.id,
        trigger=dict(happened.data),
        triggered_at=happened.occurred_at,
        state={},
        entered_at=happened.occurred_at,
    )


def put_at_beginning(run: Run, definition: Definition, trigger: Trigger) -> list[StepLine]:
    """Put a run at its beginning. A delay that it begins with is begun here: it needs nothing but the clock."""
    run.state = {}
    run.waiting_for = None
    run.due_at = run.entered_at = run.triggered_at
    if trigger.quiet_for is not None:
        run.due_at = run.triggered_at + trigger.quiet_for
        return []
    first = definition.steps[0]
    run.step_key = first.key
    if not isinstance(first, Delay):
        return []
    run.due_at = run.triggered_at + first.period
    run.state["wait"] = {"step": first.key}
    return [StepLine(first.key, first.kind, StepOutcome.WAITING, detail={"until": run.due_at.isoformat()})]


def begins_anew(run: Run, definition: Definition, trigger: Trigger, happened: Happened) -> bool:
    """Whether a living run, whose trigger happens again, is put at its beginning."""
    if happened.occurred_at <= run.triggered_at:
        return False
    return run.status is FlowRunStatus.PENDING or (
        trigger.quiet_for is None and definition.restarts and not run.state.get("messages")
    )


async def _repeat(run: Run, trigger: Trigger, happened: Happened) -> bool:
    """The trigger of a living run happens again: its quiet time begins anew, or (`onRepeat`) all of its waiting, as
    long as it has written nothing. It stays with its version.

    Returns False when the run is over: something that has not been told yet ended it before this repetition, and would
    be forgotten with the old beginning.
    """
    own = await catalogue.definition_of(run.version_id)
    if not begins_anew(run, own, trigger, happened):
        return True
    if (reason := await asking.exit_by_timeline(own, run)) is not None:
        await ending.end(run, FlowRunStatus.EXITED, reason)
        return False
    stood_at = run.step_key
    run.trigger_type, run.trigger_event_id = happened.type, happened.id
    run.trigger, run.triggered_at = dict(happened.data), happened.occurred_at
    lines = put_at_beginning(run, own, trigger)
    at_once = run.due_at is not None and run.due_at <= await clock.now()
    if stood_at == run.step_key:
        lines = []  # the line that says it waits here is there
    if await runs.move(run, lines, timer=not at_once) and at_once:
        await events.record(runs.RUN_DUE, subject_id=run.id, payload={"revision": run.revision})
    return True


async def _gives_way(known: Catalogue, flow: PublishedFlow, run: Run) -> bool:
    """Whether a flow that supersedes this one has the person (and cart) already: events come in any order."""
    superseding = known.superseding.get(flow.key, frozenset()) - {flow.id}
    if not superseding:
        return False
    gives_way: bool = await db.fetchval(_GIVES_WAY, run.profile_id, list(superseding), run.trigger.get("cartId"))
    return gives_way


async def _reentry_refuses(definition: Definition, run: Run) -> bool:
    reentry = definition.reentry
    if reentry.policy == "always":
        return False
    row = await db.fetchrow(_EARLIER, run.flow_id, run.profile_id, run.id, reentry.period)
    if row is None:
        return False
    return bool(row["been_in"] if reentry.policy == "once" else row["too_soon"])


async def _agrees(condition: Condition | None, profile_id: uuid.UUID, event: dict[str, object]) -> bool:
    """A condition that cannot be answered lets nobody in."""
    if condition is None:
        return True
    try:
        return await evaluate(condition, profile_id=profile_id, event=event)
    except ConditionFailed as failure:
        log.warning("a flow's condition could not be asked", condition=condition.source, cause=failure.cause)
        return False
