"""What staff do with flows."""

import uuid
from typing import Annotated

import strawberry

from app.errors import CommonErrorCode, DomainError, not_found
from app.flows import backfill, queries, service, versions
from app.flows.simulation import job as simulation
from app.kit import ids
from app.staff.permissions import Permission
from schema.access import STAFF, mutation
from schema.context import Info
from schema.flows.runs import FLOW_PREFIX, RUN_PREFIX, FlowRunPayload, load_runs
from schema.flows.showing import FlowView
from schema.flows.types import FlowInput, FlowPayload, FlowStepMapping
from schema.jobs import JobPayload, queued
from schema.selection import Selection

FlowId = Annotated[strawberry.ID, strawberry.argument(description="Id of the flow.")]


def _view(info: Info) -> FlowView:
    return FlowView.of(info, Selection.of(info).below("flow"))


@strawberry.type
class FlowMutations:
    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Save a definition: a new flow as a draft, or the next version of the flow with this id or key. "
        "What is published goes on unchanged until the new version is published; the same definition again makes no "
        "new version. Everything that is wrong is answered at once.",
    )
    async def flow_save(
        self,
        info: Info,
        input: Annotated[FlowInput, strawberry.argument(description="The flow, and its definition.")],
    ) -> FlowPayload:
        view, staff = _view(info), info.context.staff
        known = await _meant(input)
        saved = await service.save(
            name=input.name or (known.name if known else ""),
            definition=input.definition,
            key=input.key or None,
            flow_id=known.id if known else None,
            created_by=staff.id if staff else None,
        )
        return FlowPayload(flow=(await view.load([saved.id])).get(saved.id), warnings=saved.warnings)

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Let the latest version take people in. Runs that are under way finish on theirs.",
    )
    async def flow_publish(self, info: Info, id: FlowId) -> FlowPayload:
        view, flow_id = _view(info), ids.decode(FLOW_PREFIX, id, ["id"])
        await service.publish(flow_id)
        return FlowPayload(flow=(await view.load([flow_id])).get(flow_id))

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Stop at once: nobody enters, nothing is sent, and runs stand where they are.",
    )
    async def flow_pause(self, info: Info, id: FlowId) -> FlowPayload:
        view, flow_id = _view(info), ids.decode(FLOW_PREFIX, id, ["id"])
        await service.pause(flow_id)
        return FlowPayload(flow=(await view.load([flow_id])).get(flow_id))

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Go on after a pause. What came due meanwhile and is past its step's `maxLateness` is skipped.",
    )
    async def flow_resume(self, info: Info, id: FlowId) -> FlowPayload:
        view, flow_id = _view(info), ids.decode(FLOW_PREFIX, id, ["id"])
        await service.resume(flow_id)
        return FlowPayload(flow=(await view.load([flow_id])).get(flow_id))

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Move the living runs of a flow to another version, as a job. A run goes on at the step of the "
        "same key, or at the one that `stepMap` gives for it; runs without one stay where they are, and are reported. "
        "Nothing else ever moves a run.",
    )
    async def flow_migrate(
        self,
        info: Info,
        id: FlowId,
        to_version: Annotated[int, strawberry.argument(description="Number of the version to go on with.")],
        from_version: Annotated[
            int | None, strawberry.argument(description="Only runs of this version; all others unless said.")
        ] = strawberry.UNSET,
        step_map: Annotated[
            list[FlowStepMapping] | None, strawberry.argument(description="For steps whose keys have changed.")
        ] = strawberry.UNSET,
    ) -> JobPayload:
        staff = info.context.staff
        job_id = await versions.request_migration(
            ids.decode(FLOW_PREFIX, id, ["id"]),
            to_version=to_version,
            from_version=from_version if isinstance(from_version, int) else None,
            step_map={mapping.from_step: mapping.to_step for mapping in step_map or ()},
            created_by=staff.id if staff else None,
        )
        return await queued(job_id)

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Take in everybody whom the published flow would have taken in before, as a job: people whose date "
        "has passed, members of the segment, or those whose last such event lies within some days. Entry, re-entry and "
        "exit rules decide as for anybody else, when the person's turn comes. Once for each flow and person.",
    )
    async def flow_backfill(
        self,
        info: Info,
        id: FlowId,
        limit: Annotated[
            int | None, strawberry.argument(description="How many are taken in at most; all unless said.")
        ] = strawberry.UNSET,
        per_hour: Annotated[
            int | None, strawberry.argument(description="How many begin within an hour; 1000 unless said.")
        ] = strawberry.UNSET,
        days: Annotated[
            int | None, strawberry.argument(description="How far back an event may lie; 30 days unless said.")
        ] = strawberry.UNSET,
    ) -> JobPayload:
        staff = info.context.staff
        job_id = await backfill.request_backfill(
            ids.decode(FLOW_PREFIX, id, ["id"]),
            limit=_number(limit),
            per_hour=_number(per_hour),
            days=_number(days),
            created_by=staff.id if staff else None,
        )
        return await queued(job_id)

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Replay what really happened in the last days through the latest version of a flow, as a job, with "
        "the engine's own decisions, in a time of its own and without sending or changing anything. The job's result "
        "says who would have come in, what would have been sent or skipped at each step and why, and how runs would "
        "have ended; its notes say what is taken as it is today.",
    )
    async def flow_simulate(
        self,
        info: Info,
        id: FlowId,
        days: Annotated[int, strawberry.argument(description="How many days back, up to now: 1 to 36500.")],
    ) -> JobPayload:
        staff = info.context.staff
        flow_id = ids.decode(FLOW_PREFIX, id, ["id"])
        return await queued(await simulation.request_simulation(flow_id, days, created_by=staff.id if staff else None))

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Take somebody out of a flow; the run leaves on ENDED_BY_STAFF.",
    )
    async def flow_run_end(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Id of the run.")]
    ) -> FlowRunPayload:
        run_id = ids.decode(RUN_PREFIX, id, ["id"])
        await service.end_run(run_id)
        return FlowRunPayload(run=(await load_runs([run_id], Selection.of(info).below("run"))).get(run_id))


def _number(given: int | None) -> int | None:
    return given if isinstance(given, int) else None


async def _meant(given: FlowInput) -> queries.FlowRow | None:
    """The flow that the input names, or None for a new one. Raises DomainError(NOT_FOUND | INVALID_ID | REQUIRED)."""
    flow_id: uuid.UUID | None = ids.decode(FLOW_PREFIX, given.id, ["input", "id"]) if given.id else None
    if flow_id is not None:
        known = (await queries.by_ids([flow_id])).get(flow_id)
        if known is None:
            raise not_found("flow", ["input", "id"])
        return known
    if not given.key and not given.name:
        raise DomainError(CommonErrorCode.REQUIRED, "A new flow needs a name.", ["input", "name"])
    return await queries.by_key(given.key) if given.key else None
