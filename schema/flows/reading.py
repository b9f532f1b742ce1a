"""Queries about flows, their runs and what they can start on."""

from typing import Annotated

import strawberry

from app.customers.vocabulary import EVENT_TYPES, EventType
from app.errors import CommonErrorCode, DomainError
from app.flows import queries
from app.kit import ids
from app.kit.pagination import encode_cursor, page_of, page_request
from app.staff.permissions import Permission
from schema.access import STAFF, query
from schema.connections import Connection
from schema.context import Info
from schema.flows.enums import FlowRunStatus, FlowStatus
from schema.flows.runs import FLOW_PREFIX, PROFILE_PREFIX, RUN_PREFIX, FlowRun, load_runs, runs_of_people
from schema.flows.showing import FlowView
from schema.flows.types import Flow
from schema.selection import Selection

_FLOWS_ORDER = "flows"


@strawberry.type(description="One of an event's facts.")
class FlowEventFact:
    name: str = strawberry.field(description="As conditions name it: `event.` and this.")
    type: str = strawberry.field(description="As CEL sees it: string, int, double, bool or timestamp.")


@strawberry.type(description="Something that happens to people: flows start on it, wait for it and leave on it.")
class FlowEventType:
    name: str = strawberry.field(description="Such as `checkout.started`.")
    description: str = strawberry.field(description="When it happens.")
    data: list[FlowEventFact] = strawberry.field(description="What it says, for conditions and templates.")
    key: str | None = strawberry.field(
        description="The fact that a run is about, so that one person may have several; null for one run a person."
    )

    @classmethod
    def of(cls, event_type: EventType) -> "FlowEventType":
        return cls(
            name=event_type.name,
            description=event_type.description,
            data=[FlowEventFact(name=name, type=kind.value) for name, kind in event_type.data.items()],
            key=event_type.key,
        )


@strawberry.type
class FlowQueries:
    @query(access=STAFF(Permission.MARKETING_READ), description="The shop's flows, in the order they were made in.")
    async def flows(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
        status: Annotated[
            FlowStatus | None, strawberry.argument(description="Only flows with this status.")
        ] = strawberry.UNSET,
    ) -> Connection[Flow]:
        selection = Selection.of(info)
        view = FlowView.of(info, selection.nodes())
        request = page_request(None if first is strawberry.UNSET else first, after or None, order=_FLOWS_ORDER)
        only = status or None
        rows = await queries.page(request, only)
        total = await queries.count(only) if "totalCount" in selection else None
        page = page_of(rows, [encode_cursor([row.id.hex], _FLOWS_ORDER) for row in rows], request, total)
        return Connection[Flow].of(page, await view.show_all(page.items))

    @query(access=STAFF(Permission.MARKETING_READ), description="One flow; null when there is none.")
    async def flow(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id; or give the key.")] = (
            strawberry.UNSET
        ),
        key: Annotated[str | None, strawberry.argument(description="Its key; or give the id.")] = strawberry.UNSET,
    ) -> Flow | None:
        if bool(id) == bool(key):
            raise DomainError(CommonErrorCode.INVALID, "Give either the id or the key.", ["id"])
        view = FlowView.of(info, Selection.of(info))
        if id:
            flow_id = ids.decode(FLOW_PREFIX, id, ["id"])
            return (await view.load([flow_id])).get(flow_id)
        row = await queries.by_key(key or "")
        return (await view.show_all([row]))[0] if row else None

    @query(access=STAFF(Permission.MARKETING_READ), description="One person's way through a flow.")
    async def flow_run(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Id of the run.")]
    ) -> FlowRun | None:
        run_id = ids.decode(RUN_PREFIX, id, ["id"])
        return (await load_runs([run_id], Selection.of(info))).get(run_id)

    @query(
        access=STAFF(Permission.MARKETING_READ),
        description="Somebody's ways through flows, newest first, up to 100.",
    )
    async def flow_runs(
        self,
        info: Info,
        profile_id: Annotated[strawberry.ID, strawberry.argument(description="Id of the profile.")],
        status: Annotated[
            FlowRunStatus | None, strawberry.argument(description="Only runs that are here in their life.")
        ] = strawberry.UNSET,
    ) -> list[FlowRun]:
        profile = ids.decode(PROFILE_PREFIX, profile_id, ["profileId"])
        return (await runs_of_people([profile], Selection.of(info), status or None))[profile]

    @query(
        access=STAFF(Permission.MARKETING_READ),
        description="Everything that flows can start on, wait for and leave on, with the facts it brings.",
    )
    async def flow_triggers(self, info: Info) -> list[FlowEventType]:
        return [FlowEventType.of(event_type) for event_type in EVENT_TYPES.values()]
