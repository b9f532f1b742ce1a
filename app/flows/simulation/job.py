"""The simulation as a job: batch by batch over everybody, its result the only thing that is ever written."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from app import clock, db, events
from app.conditions.checking import Condition
from app.conditions.names import CARTS
from app.errors import CommonErrorCode, DomainError, not_found
from app.flows import catalogue
from app.flows.catalogue import PublishedFlow
from app.flows.definitions import DATE_REACHED, Definition
from app.flows.simulation import history
from app.flows.simulation.facts import CART_EVENT, CHECKOUT_EVENT
from app.flows.simulation.replay import Replay
from app.flows.simulation.tally import Tally
from app.flows.simulation.writing import World
from app.jobs import service as jobs
from app.jobs.models import JobStatus
from app.jobs.service import RunningJob, Superseded

JOB_KIND = "FLOW_SIMULATION"
REQUESTED = "flow.simulation_requested"
MAX_DAYS = 36_500
BATCH = 200
"""People whose history is in memory at once."""
_ORDER_EVENTS = ("order.placed", "order.cancelled")

APPROXIMATIONS = [
    "Carts, checkouts, orders and products are as they are today, also where a condition asks about them as of then.",
    "Names, addresses, properties, time zones and scores of people are as they are today; orders, figures, stages, "
    "consent and suppressions as they were then.",
    "Nobody clicks a simulated message, and nothing follows from a simulated webhook, notice or change of a profile.",
    "Other flows send what they really sent; which of them would have gone first is not asked.",
]


async def request_simulation(flow_id: uuid.UUID, days: int, *, created_by: uuid.UUID | None) -> uuid.UUID:
    """Queue the simulation of a flow's latest version over the last `days`, up to now; the job's id.

    Raises:
        DomainError: NOT_FOUND; OUT_OF_RANGE unless from 1 to 36,500 days.
    """
    if not 1 <= days <= MAX_DAYS:
        raise DomainError(CommonErrorCode.OUT_OF_RANGE, f"days must be from 1 to {MAX_DAYS:,}.", ["days"])
    async with db.unit_of_work():
        version_id = await db.fetchval(
            """
            SELECT v.id FROM flows f JOIN flow_versions v ON v.flow_id = f.id AND v.number = f.latest_version
            WHERE f.id = $1
            """,
            flow_id,
        )
        if version_id is None:
            raise not_found("flow", ["id"])
        until = await clock.now()
        job_input = {
            "flowId": str(flow_id),
            "versionId": str(version_id),
            "from": (until - timedelta(days=days)).isoformat(),
            "until": until.isoformat(),
        }
        job_id = await jobs.create(JOB_KIND, job_input, created_by=created_by)
        await events.record(REQUESTED, subject_id=job_id)
    return job_id


async def run_simulation(job_id: uuid.UUID) -> None:
    """Do the job, or go on with it after an interruption."""
    job = await jobs.start(job_id)
    if job is None:
        return
    flow = await _flow(job)
    tally = Tally.begin(flow.definition, job.checkpoint.get("tally", {}))
    world = await World.today(flow.definition, _named_products(flow.definition))
    if not job.checkpoint:
        total = await db.fetchval(
            "SELECT count(*) FROM profiles WHERE merged_into_id IS NULL AND created_at <= $1", _moment(job, "until")
        )
        await jobs.announce_total(job, total)
    try:
        while await _batch(job, flow, world, tally):
            pass
    except Superseded:
        return
    result = {"from": job.input["from"], "until": job.input["until"], **tally.result(), "notes": APPROXIMATIONS}
    await jobs.finish(job, JobStatus.SUCCEEDED, result=result)


async def _batch(job: RunningJob, flow: PublishedFlow, world: World, tally: Tally) -> bool:
    """False when there is nobody left."""
    start, until = _moment(job, "from"), _moment(job, "until")
    after = job.checkpoint.get("after")
    people = await history.load(
        uuid.UUID(after) if after else None,
        BATCH,
        types=_event_types(flow.definition),
        until=until,
        flow_id=flow.id,
        with_products=_asks_for_products(flow.definition),
    )
    if not people:
        return False
    for past in people:
        await Replay(flow, past, world, tally, start=start, until=until).play()
    tally.people += len(people)
    async with db.unit_of_work():
        checkpoint = {"after": str(people[-1].id), "tally": tally.as_json()}
        await jobs.save_progress(job, done=tally.people, checkpoint=checkpoint)
    return True


async def _flow(job: RunningJob) -> PublishedFlow:
    row = await db.fetchrow("SELECT id, key, name FROM flows WHERE id = $1", uuid.UUID(job.input["flowId"]))
    if row is None:
        raise LookupError("the flow is gone")
    version_id = uuid.UUID(job.input["versionId"])
    return PublishedFlow(row["id"], row["key"], row["name"], version_id, await catalogue.definition_of(version_id))


def _moment(job: RunningJob, name: str) -> datetime:
    return datetime.fromisoformat(job.input[name])


def _conditions(definition: Definition) -> list[Condition]:
    found: list[Condition | None] = [definition.entry]
    found += [trigger.condition for trigger in definition.triggers]
    found += [rule.condition for rule in definition.exit_on] + [rule.condition for rule in definition.exit_if]
    found += [condition for step in definition.steps for condition in step.conditions()]
    return [condition for condition in found if condition is not None]


def _event_types(definition: Definition) -> list[str]:
    """What has to be read of people's timelines."""
    types = {trigger.event for trigger in definition.triggers} | {rule.event for rule in definition.exit_on}
    types |= definition.waited_events() | set(_ORDER_EVENTS)
    for condition in _conditions(definition):
        types |= {need.removeprefix("events:") for need in condition.needs if need.startswith("events:")}
        if CARTS in condition.needs:
            types |= {CART_EVENT, CHECKOUT_EVENT}
        if any(need.startswith("segment:") for need in condition.needs):
            types |= {"segment.entered", "segment.left"}
    return sorted(types - {DATE_REACHED})


def _calls(definition: Definition, *functions: str) -> list[Any]:
    return [
        call.arguments[0]
        for condition in _conditions(definition)
        for call in condition.calls
        if call.function in functions and call.arguments
    ]


def _asks_for_products(definition: Definition) -> bool:
    return bool(_calls(definition, "bought", "boughtType"))


def _named_products(definition: Definition) -> list[str]:
    return [text for text in _calls(definition, "bought", "viewCount") if isinstance(text, str)]
