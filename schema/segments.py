"""Segments: groups of people by a condition, kept by themselves; and what conditions can speak of."""

import asyncio
import datetime as dt
import uuid
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any, TypeVar

import strawberry

from app.conditions import context
from app.conditions.checking import check
from app.conditions.errors import ConditionInvalid
from app.customers.vocabulary import EVENT_TYPES
from app.errors import CommonErrorCode, DomainError, not_found
from app.jobs import queries as jobs
from app.jobs.queries import JobView
from app.kit import ids
from app.kit.pagination import PageRequest, encode_cursor, page_of, page_request
from app.segments import preview, queries, service
from app.segments.models import SegmentStatus
from app.segments.queries import MemberView, SegmentView
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.connections import After, Connection, First
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.jobs import Job
from schema.nodes import Node, node_loader
from schema.selection import Selection

PREFIX, PROFILE_PREFIX = "seg", "prof"
_MEMBERS_ORDER, _SEGMENTS_ORDER = "segment_members", "segments"
MAX_EVENT_TYPES = 20

T = TypeVar("T")

describe_enum(
    SegmentStatus,
    "Whether a segment is up to date.",
    BUILDING="A job goes over everybody for its condition; `memberCount` grows meanwhile.",
    READY="Everybody is in it or not, and it is kept as things happen.",
)

Last = Annotated[int | None, strawberry.argument(description="Page size when walking backward, up to 100.")]
Before = Annotated[str | None, strawberry.argument(description="Cursor to walk back from.")]
Announce = strawberry.field(
    default=strawberry.UNSET,
    description="Whether those whom the building brings in or takes out count as entering and leaving, so that flows "
    "start for them. By default they do not: only those do who come and go later.",
)


def _given(value: Any) -> Any:
    return None if value is strawberry.UNSET else value


class _Together:
    """Reads below segments that were read together: one statement for all of them, whoever asks first."""

    def __init__(self, views: Sequence[SegmentView]) -> None:
        self._views = views
        self._asked: dict[object, asyncio.Task[Any]] = {}

    async def _once(self, key: object, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(read())
        found: T = await self._asked[key]
        return found

    async def jobs(self) -> dict[uuid.UUID, JobView]:
        job_ids = [view.job_id for view in self._views if view.job_id is not None]
        return await self._once("jobs", lambda: jobs.load_many(job_ids))

    async def members(self, request: PageRequest) -> dict[uuid.UUID, list[MemberView]]:
        segment_ids = [view.id for view in self._views]
        after, backward, limit = request.cursor_id(), request.backward, request.fetch_limit
        return await self._once(
            (after, backward, limit),
            lambda: queries.members(segment_ids, after=after, backward=backward, limit=limit),
        )


@strawberry.type(description="A person in a segment.")
class SegmentMember:
    profile_id: strawberry.ID = strawberry.field(description="Id of the profile.")
    entered_at: dt.datetime = strawberry.field(description="When they came in, or were found in it.")


@strawberry.type(description="People for whom a condition holds, kept up to date by what happens to them.")
class Segment(Node):
    key: str = strawberry.field(description="Short and stable, for flows and conditions: `customer.inSegment('vip')`.")
    name: str = strawberry.field(description="What staff call it.")
    condition: str = strawberry.field(description="In CEL; `conditionContext` has the names.")
    status: SegmentStatus = strawberry.field(description="Whether it is up to date.")
    time_dependent: bool = strawberry.field(description="Whether people come and go by the mere passing of time.")
    member_count: int = strawberry.field(description="How many people are in it.")
    failure: str | None = strawberry.field(
        description="Why the condition had no answer for somebody lately, such as a division by zero. Such people are "
        "not in the segment."
    )
    failed_at: dt.datetime | None = strawberry.field(description="When that was.")
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When it was last changed or built.")
    view: strawberry.Private[SegmentView]
    beside: strawberry.Private["_Together"]

    @strawberry.field(description="The job that builds it, or built it last.")  # type: ignore[untyped-decorator]
    async def job(self) -> Job | None:
        found = None if self.view.job_id is None else (await self.beside.jobs()).get(self.view.job_id)
        return Job.of(found) if found else None

    @strawberry.field(  # type: ignore[untyped-decorator]
        description="Who is in it, by the age of their profiles, the oldest first."
    )
    async def members(
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
    ) -> Connection[SegmentMember]:
        request = page_request(_given(first), _given(after), _given(last), _given(before), order=_MEMBERS_ORDER)
        found = (await self.beside.members(request)).get(self.view.id, [])
        cursors = [encode_cursor([member.profile_id.hex], _MEMBERS_ORDER) for member in found]
        page = page_of(found, cursors, request, self.view.member_count)
        shown = [
            SegmentMember(
                profile_id=strawberry.ID(ids.encode(PROFILE_PREFIX, member.profile_id)), entered_at=member.entered_at
            )
            for member in page.items
        ]
        return Connection[SegmentMember].of(page, shown)

    @classmethod
    def of_all(cls, views: Sequence[SegmentView]) -> "list[Segment]":
        """What is selected below them is fetched for all of them together."""
        beside = _Together(views)
        return [cls._of(view, beside) for view in views]

    @classmethod
    def _of(cls, view: SegmentView, beside: "_Together") -> "Segment":
        return cls(
            id=strawberry.ID(ids.encode(PREFIX, view.id)),
            key=view.key,
            name=view.name,
            condition=view.condition,
            status=view.status,
            time_dependent=view.time_dependent,
            member_count=view.member_count,
            failure=view.failure,
            failed_at=view.failed_at,
            created_at=view.created_at,
            updated_at=view.updated_at,
            view=view,
            beside=beside,
        )


@strawberry.type(description="One thing that is wrong with a condition.")
class ConditionProblem:
    message: str = strawberry.field(description="What is wrong, and what to do.")
    position: int = strawberry.field(description="How many characters of the condition come before it.")


@strawberry.type(description="Whom a condition would select. Nothing is saved.")
class SegmentPreview:
    problems: list[ConditionProblem] = strawberry.field(description="What is wrong with the condition; then all is 0.")
    estimated_count: int = strawberry.field(description="People for whom it holds; exact where `isComplete`.")
    is_complete: bool = strawberry.field(
        description="Whether everybody was asked about. Otherwise it was the newest profiles: 10,000 of them, or as "
        "many as 3 seconds allow."
    )
    looked_at: int = strawberry.field(description="Profiles that were asked about.")
    matching: int = strawberry.field(description="Of those, how many it holds for.")
    total: int = strawberry.field(description="All profiles, visitors included.")
    profile_ids: list[strawberry.ID] = strawberry.field(description="The newest ten for whom it holds.")
    failures: int = strawberry.field(description="Profiles for which it had no answer, such as by dividing by zero.")
    failure: str | None = strawberry.field(description="Why it had none.")


@strawberry.type(description="A name or function that conditions can use.")
class ConditionName:
    name: str = strawberry.field(description="As it is written, such as `customer.orderCount`.")
    type: str = strawberry.field(description="Its type in CEL; with `?` where it can be missing, which is null.")
    description: str = strawberry.field(description="What it means.")


@strawberry.input(description="A new segment.")
class SegmentCreateInput:
    key: str = strawberry.field(description="Small letters, digits, _ and -; it never changes.")
    name: str = strawberry.field(description="What staff call it.")
    condition: str = strawberry.field(description="In CEL, such as `customer.totalSpent > 500`.")
    announce: bool | None = Announce


@strawberry.input(description="Changes to a segment; what is left out stays.")
class SegmentUpdateInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="What staff call it.")
    condition: str | None = strawberry.field(
        default=strawberry.UNSET, description="In CEL. Another one is built anew, over everybody."
    )
    announce: bool | None = Announce


@strawberry.type(description="Answer to `segmentCreate` and `segmentUpdate`.")
class SegmentPayload:
    segment: Segment | None = strawberry.field(default=None, description="The segment.")
    job: Job | None = strawberry.field(default=None, description="What builds it; null where nothing has to be built.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `segmentDelete`.")
class SegmentDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="Id of what was deleted.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@node_loader(PREFIX)
async def _load_segments(info: Info, texts: Sequence[str], selection: Selection) -> list[Segment | None]:
    wanted = [ids.decode(PREFIX, text, ["id"]) for text in texts]
    staff = info.context.staff
    if staff is None or not staff.may(Permission.MARKETING_READ):
        return [None] * len(wanted)
    views = await queries.load_many(wanted)
    shown = {segment.view.id: segment for segment in Segment.of_all(list(views.values()))}
    return [shown.get(key) for key in wanted]


@strawberry.type
class SegmentQueries:
    @query(access=STAFF(Permission.MARKETING_READ), description="Segments, newest first.")
    async def segments(
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
    ) -> Connection[Segment]:
        request = page_request(_given(first), _given(after), _given(last), _given(before), order=_SEGMENTS_ORDER)
        views = await queries.page(after=request.cursor_id(), backward=request.backward, limit=request.fetch_limit)
        total = await queries.count() if "totalCount" in Selection.of(info) else None
        page = page_of(views, [encode_cursor([view.id.hex], _SEGMENTS_ORDER) for view in views], request, total)
        return Connection[Segment].of(page, Segment.of_all(page.items))

    @query(access=STAFF(Permission.MARKETING_READ), description="One segment, by its id or its key.")
    async def segment(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = strawberry.UNSET,
        key: Annotated[str | None, strawberry.argument(description="Its key, such as `vip`.")] = strawberry.UNSET,
    ) -> Segment | None:
        if bool(id) == bool(key):
            raise DomainError(CommonErrorCode.INVALID, "Send either id or key.", ["id"])
        if id:
            segment_id = ids.decode(PREFIX, id, ["id"])
            view = (await queries.load_many([segment_id])).get(segment_id)
        else:
            view = await queries.by_key(key or "")
        return Segment.of_all([view])[0] if view else None

    @query(
        access=STAFF(Permission.MARKETING_READ),
        description="Try a condition: whom it would select, and what is wrong with it. Takes 3 seconds at most.",
    )
    async def segment_preview(
        self, info: Info, condition: Annotated[str, strawberry.argument(description="In CEL.")]
    ) -> SegmentPreview:
        try:
            found, problems = await preview.preview(check(condition)), []
        except ConditionInvalid as invalid:
            found = preview.Preview()
            problems = [ConditionProblem(message=p.message, position=p.position) for p in invalid.problems]
        return SegmentPreview(
            problems=problems,
            estimated_count=found.estimated_count,
            is_complete=found.is_complete and not problems,
            looked_at=found.looked_at,
            matching=found.matching,
            total=found.total,
            profile_ids=[strawberry.ID(ids.encode(PROFILE_PREFIX, profile_id)) for profile_id in found.sample],
            failures=found.failures,
            failure=found.failure,
        )

    @query(
        access=STAFF(Permission.MARKETING_READ),
        description="The names and functions of conditions. Without `eventTypes`, those of segments; with them, those "
        "of a flow that these events start.",
    )
    async def condition_context(
        self,
        info: Info,
        event_types: Annotated[
            list[str] | None, strawberry.argument(description="Such as `checkout.started`; up to 20.")
        ] = strawberry.UNSET,
        in_run: Annotated[
            bool | None, strawberry.argument(description="Whether it stands in a flow's step, where there is a `run`.")
        ] = strawberry.UNSET,
    ) -> list[ConditionName]:
        wanted = _event_types(_given(event_types))
        described = context.describe(wanted, in_run=bool(_given(in_run)))
        return [ConditionName(name=d.name, type=d.type, description=d.description) for d in described]


def _event_types(given: Sequence[str] | None) -> list[str]:
    wanted = list(dict.fromkeys(given or ()))
    if len(wanted) > MAX_EVENT_TYPES:
        raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_EVENT_TYPES} event types.", ["eventTypes"])
    for name in wanted:
        if name not in EVENT_TYPES:
            raise not_found("event type", ["eventTypes"])
    return wanted


@strawberry.type
class SegmentMutations:
    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Make a segment. A job goes over everybody once; from then on it is kept as things happen.",
    )
    async def segment_create(
        self,
        info: Info,
        input: Annotated[SegmentCreateInput, strawberry.argument(description="The segment.")],
    ) -> SegmentPayload:
        staff = info.context.staff
        saved = await service.create(
            key=input.key,
            name=input.name,
            condition=input.condition,
            announce=bool(_given(input.announce)),
            staff_id=staff.id if staff else None,
        )
        return await _payload(saved)

    @mutation(access=STAFF(Permission.MARKETING_WRITE), description="Change a segment's name or condition.")
    async def segment_update(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Id of the segment.")],
        input: Annotated[SegmentUpdateInput, strawberry.argument(description="What changes.")],
    ) -> SegmentPayload:
        staff = info.context.staff
        saved = await service.update(
            ids.decode(PREFIX, id, ["id"]),
            name=_given(input.name),
            condition=_given(input.condition),
            announce=bool(_given(input.announce)),
            staff_id=staff.id if staff else None,
        )
        return await _payload(saved)

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Delete a segment. Nobody counts as leaving it; flows, campaigns and conditions that name it find "
        "nobody in it from then on. Refused while another segment's condition asks for it.",
    )
    async def segment_delete(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Id of the segment.")]
    ) -> SegmentDeletePayload:
        await service.delete(ids.decode(PREFIX, id, ["id"]))
        return SegmentDeletePayload(deleted_id=id)


async def _payload(saved: service.Saved) -> SegmentPayload:
    views = await queries.load_many([saved.segment_id])
    job = None if saved.job_id is None else await jobs.load(saved.job_id)
    segments = Segment.of_all(list(views.values()))
    return SegmentPayload(segment=segments[0] if segments else None, job=Job.of(job) if job else None)
