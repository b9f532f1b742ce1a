"""Runs: one person's way through a flow, with its timeline."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import cast

import strawberry

from app.flows import queries, timeline_texts
from app.flows.queries import RunRow
from app.flows.timeline_texts import TimelineEntry
from app.kit import ids
from app.staff.permissions import Permission
from schema.context import Info
from schema.errors import UserError
from schema.flows.enums import FlowRunStatus
from schema.nodes import Node, node_loader
from schema.scalars import JSON
from schema.selection import Selection

RUN_PREFIX = "frun"
FLOW_PREFIX = "flow"
PROFILE_PREFIX = "prof"
MAX_RUNS_OF_PROFILE = 100


def may_read(info: Info) -> bool:
    staff = info.context.staff
    return staff is not None and staff.may(Permission.MARKETING_READ)


@strawberry.type(description="One thing that a run did, or that ended it.")
class FlowRunEntry:
    at: dt.datetime = strawberry.field(description="When, in business time.")
    step_key: str | None = strawberry.field(description="The step; null for entering and leaving.")
    kind: str = strawberry.field(description="The step's kind, or `entered` and `left`.")
    text: str = strawberry.field(description="What happened, such as `waited 4 h` or `skipped SMS: QUIET_HOURS`.")
    reason: str | None = strawberry.field(description="Why it was skipped, or what ended a waiting or the run.")
    message_id: strawberry.ID | None = strawberry.field(description="The message in the send ledger.")

    @classmethod
    def of(cls, entry: TimelineEntry) -> "FlowRunEntry":
        return cls(
            at=entry.at,
            step_key=entry.step_key,
            kind=entry.kind,
            text=entry.text,
            reason=entry.reason,
            message_id=strawberry.ID(ids.encode("msg", entry.message_id)) if entry.message_id else None,
        )


@strawberry.type(description="One person's way through a flow.")
class FlowRun(Node):
    flow_id: strawberry.ID = strawberry.field(description="The flow.")
    flow_key: str = strawberry.field(description="The flow's name for programs.")
    version: int = strawberry.field(description="Number of the version that it goes by.")
    profile_id: strawberry.ID = strawberry.field(description="Whose it is.")
    key: str = strawberry.field(description="What it is about, such as a cart or an order.")
    status: FlowRunStatus = strawberry.field(description="Where it is in its life.")
    step_key: str | None = strawberry.field(description="The step that it stands at.")
    due_at: dt.datetime | None = strawberry.field(description="When it goes on; null where only an event wakes it.")
    waiting_for: str | None = strawberry.field(description="The event that it waits for.")
    in_holdout: bool = strawberry.field(description="Whether it gets no messages, to measure what the flow brings.")
    trigger_type: str = strawberry.field(description="The event that started it.")
    trigger: JSON = strawberry.field(description="That event's facts: `event` and `run` in conditions.")
    entered_at: dt.datetime = strawberry.field(description="When it began.")
    finished_at: dt.datetime | None = strawberry.field(description="When it ended.")
    exit_reason: str | None = strawberry.field(description="What it left on, such as `ORDER_PLACED`.")
    timeline: list[FlowRunEntry] = strawberry.field(description="What it did, from its beginning.")


async def show_runs(rows: Sequence[RunRow], selection: Selection) -> list[FlowRun]:
    """Two statements more where timelines are asked for, for any number of runs."""
    timelines: dict[uuid.UUID, list[TimelineEntry]] = {}
    if "timeline" in selection and rows:
        timelines = await timeline_texts.timelines([row.id for row in rows])
    return [_run(row, timelines.get(row.id, [])) for row in rows]


def _run(row: RunRow, timeline: Sequence[TimelineEntry]) -> FlowRun:
    return FlowRun(
        id=strawberry.ID(ids.encode(RUN_PREFIX, row.id)),
        flow_id=strawberry.ID(ids.encode(FLOW_PREFIX, row.flow_id)),
        flow_key=row.flow_key,
        version=row.version,
        profile_id=strawberry.ID(ids.encode(PROFILE_PREFIX, row.profile_id)),
        key=row.key,
        status=row.status,
        step_key=row.step_key,
        due_at=row.due_at,
        waiting_for=row.waiting_for,
        in_holdout=row.in_holdout,
        trigger_type=row.trigger_type,
        trigger=cast(JSON, row.trigger),
        entered_at=row.entered_at,
        finished_at=row.finished_at,
        exit_reason=row.exit_reason,
        timeline=[FlowRunEntry.of(entry) for entry in timeline],
    )


async def runs_of_people(
    profile_ids: Sequence[uuid.UUID], selection: Selection, status: FlowRunStatus | None = None
) -> dict[uuid.UUID, list[FlowRun]]:
    """The newest runs of each of these people; the same number of statements for any number of them."""
    found = await queries.runs_of(profile_ids, status, MAX_RUNS_OF_PROFILE)
    shown = iter(await show_runs([row for rows in found.values() for row in rows], selection))
    return {profile_id: [next(shown) for _ in rows] for profile_id, rows in found.items()}


async def load_runs(run_ids: Sequence[uuid.UUID], selection: Selection) -> dict[uuid.UUID, FlowRun]:
    rows = await queries.runs_by_id(run_ids)
    return dict(zip(rows, await show_runs(list(rows.values()), selection), strict=True))


@node_loader(RUN_PREFIX)
async def _run_nodes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[FlowRun | None]:
    wanted = [ids.decode(RUN_PREFIX, text, ["id"]) for text in texts]
    if not may_read(info):
        return [None] * len(wanted)
    found = await load_runs(wanted, selection)
    return [found.get(run_id) for run_id in wanted]


@strawberry.type(description="Answer to `flowRunEnd`.")
class FlowRunPayload:
    run: FlowRun | None = strawberry.field(default=None, description="The run as it is now; null when refused.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="What was refused, and why; nothing was changed then."
    )
