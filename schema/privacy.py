"""Exports and erasures of personal data, and how long it is kept."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import orjson
import strawberry

from app import db
from app.accounts import changing
from app.errors import DomainError
from app.kit import ids
from app.kit.pagination import encode_cursor, page_of, page_request
from app.privacy import erasure, exporting, models, queries, retention
from app.privacy.errors import PrivacyErrorCode
from app.privacy.models import PrivacyRequestKind
from app.privacy.retention import Kept, RetentionKind
from app.staff.permissions import Permission
from schema.access import CUSTOMER, PUBLIC, STAFF, mutation, query
from schema.accounts.guards import signed_in
from schema.connections import Connection
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.nodes import Node, node_loader
from schema.scalars import JSON
from schema.selection import Selection

PREFIX, PROFILE_PREFIX = "priv", "prof"
_WRITE = STAFF(Permission.PRIVACY_WRITE)
_CURSOR = "privacy_requests"

describe_enum(
    PrivacyRequestKind,
    "What was asked for.",
    EXPORT="A copy of everything that is kept about a person.",
    ERASURE="That everything about a person goes, but for the shop's books.",
)


class PrivacyRequestStatus(StrEnum):
    """In the words of `JobStatus`, so that clients wait for both alike; the values are the table's."""

    QUEUED = models.PrivacyRequestStatus.PENDING.value
    RUNNING = models.PrivacyRequestStatus.RUNNING.value
    SUCCEEDED = models.PrivacyRequestStatus.DONE.value
    FAILED = models.PrivacyRequestStatus.FAILED.value


describe_enum(
    PrivacyRequestStatus,
    "How far a request is.",
    QUEUED="It waits for a worker.",
    RUNNING="A worker is at it; or some rows wait, as those of an order that is not closed: `waitingFor` names them.",
    SUCCEEDED="It is done.",
    FAILED="It could not be done; there is a dead letter, and replaying that goes on with it.",
)
describe_enum(
    RetentionKind,
    "A kind of data that is kept for a time. Each period's own description says what goes, and when.",
    **{kind.name: period.what for kind, period in retention.PERIODS.items()},
)


@strawberry.type(description="A request about somebody's own data, kept as the proof that it was answered.")
class PrivacyRequest(Node):
    kind: PrivacyRequestKind = strawberry.field(description="What was asked for.")
    status: PrivacyRequestStatus = strawberry.field(description="How far it is.")
    created_at: dt.datetime = strawberry.field(description="When it was asked for.")
    finished_at: dt.datetime | None = strawberry.field(description="When it was done.")
    expires_at: dt.datetime | None = strawberry.field(description="When an export's document is deleted.")
    profile_id: strawberry.ID | None = strawberry.field(
        description="Whose data; after an erasure, of the row that is left of them and names nobody."
    )
    by_staff: bool = strawberry.field(description="Whether staff asked for it, on somebody's behalf.")
    document: JSON | None = strawberry.field(
        description="What an export found: `format`, `madeAt`, `controller`, and `data` with a list of rows for each "
        "section. Null before it is done and after it has expired, and in lists."
    )
    erased_rows: int = strawberry.field(description="Rows that an erasure emptied or deleted so far.")
    waiting_for: list[str] = strawberry.field(
        description="Tables in which rows still wait: of orders that are not closed for long enough, of payments and "
        "checkouts under way, of systems that have not answered yet."
    )

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "PrivacyRequest":
        progress = orjson.loads(row["progress"]) if row["progress"] else {}
        return cls(
            id=strawberry.ID(ids.encode(PREFIX, row["id"])),
            kind=PrivacyRequestKind(row["kind"]),
            status=PrivacyRequestStatus(row["status"]),
            created_at=row["created_at"],
            finished_at=row["finished_at"],
            expires_at=row["expires_at"],
            profile_id=strawberry.ID(ids.encode(PROFILE_PREFIX, row["profile_id"])) if row["profile_id"] else None,
            by_staff=row["requested_by_staff_id"] is not None,
            document=JSON(orjson.loads(row["document"])) if row["document"] else None,
            erased_rows=sum(progress.get("erased", {}).values()),
            waiting_for=sorted(progress.get("waiting", {})),
        )


@strawberry.type(description="How long a kind of data is kept.")
class RetentionPeriod:
    kind: RetentionKind = strawberry.field(description="Which kind.")
    days: int = strawberry.field(description="How long it is kept.")
    default_days: int = strawberry.field(description="How long it is kept where the shop has not said otherwise.")
    least_days: int = strawberry.field(description="Fewer would break something else.")
    description: str = strawberry.field(description="What goes after that.")
    reason: str = strawberry.field(description="Why so long.")
    updated_at: dt.datetime | None = strawberry.field(description="When the shop set it; null where it has not.")

    @classmethod
    def of(cls, kept: Kept) -> "RetentionPeriod":
        return cls(
            kind=kept.kind,
            days=kept.days,
            default_days=kept.period.days,
            least_days=max(kept.period.least, 1),
            description=kept.period.what,
            reason=kept.period.why,
            updated_at=kept.updated_at,
        )


@strawberry.type(description="Answer to what asks for an export or an erasure.")
class PrivacyRequestPayload:
    privacy_request: PrivacyRequest | None = strawberry.field(default=None, description="The request.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `retentionPeriodUpdate`.")
class RetentionPeriodPayload:
    retention_period: RetentionPeriod | None = strawberry.field(default=None, description="The period as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


async def _load(info: Info, texts: Sequence[str], selection: Selection) -> list[PrivacyRequest | None]:
    """Staff with the permission see all; a customer whose address is verified what they asked for themselves."""
    wanted = [ids.decode(PREFIX, text, ["id"]) for text in texts]
    staff, own = info.context.staff, info.context.customer
    sees_all = staff is not None and staff.may(Permission.PRIVACY_WRITE)
    if not sees_all and (own is None or not own.is_verified):
        return [None] * len(wanted)
    found = {
        row["id"]: PrivacyRequest.of(row)
        for row in await queries.by_ids(wanted, documents="document" in selection)
        if sees_all or (own is not None and row["customer_id"] == own.id and row["requested_by_staff_id"] is None)
    }
    return [found.get(request_id) for request_id in wanted]


node_loader(PREFIX)(_load)


async def _shown(request_id: uuid.UUID) -> PrivacyRequestPayload:
    rows = await queries.by_ids([request_id], documents=False)
    return PrivacyRequestPayload(privacy_request=PrivacyRequest.of(rows[0]) if rows else None)


ProfileId = Annotated[strawberry.ID, strawberry.argument(description="Id of the profile.")]


@strawberry.type
class PrivacyQueries:
    @query(
        access=PUBLIC,
        description="A request about personal data: the own one of a signed-in customer, or any for staff with "
        "PRIVACY_WRITE.",
    )
    async def privacy_request(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Id of the request.")]
    ) -> PrivacyRequest | None:
        return (await _load(info, [id], Selection.of(info)))[0]

    @query(access=_WRITE, description="Requests about personal data, newest first.")
    async def privacy_requests(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
        kind: Annotated[
            PrivacyRequestKind | None, strawberry.argument(description="Only exports, or only erasures.")
        ] = strawberry.UNSET,
    ) -> Connection[PrivacyRequest]:
        page = page_request(None if first is strawberry.UNSET else first, after or None, order=_CURSOR)
        wanted = kind or None
        rows = await queries.newest(page, wanted)
        total = await queries.count(wanted) if "totalCount" in Selection.of(info) else None
        result = page_of(rows, [encode_cursor([row["id"].hex], _CURSOR) for row in rows], page, total)
        return Connection[PrivacyRequest].of(result, [PrivacyRequest.of(row) for row in result.items])

    @query(access=_WRITE, description="How long each kind of data is kept.")
    async def retention_periods(self, info: Info) -> list[RetentionPeriod]:
        return [RetentionPeriod.of(kept) for kept in await retention.periods()]


@strawberry.type
class PrivacyMutations:
    @mutation(
        access=CUSTOMER,
        description="Have a copy made of everything that the shop keeps about the own person. It takes a moment: ask "
        "for `privacyRequest` until it is done, and then for its `document`.",
    )
    async def customer_data_export(
        self,
        info: Info,
        password: Annotated[
            str | None,
            strawberry.argument(
                description="The account's password. An account without one has to have signed in within 15 minutes."
            ),
        ] = strawberry.UNSET,
    ) -> PrivacyRequestPayload:
        own = signed_in(info)
        if not own.is_verified:
            raise DomainError(PrivacyErrorCode.ADDRESS_NOT_VERIFIED, "Verify the account's address first.")
        await changing.prove(own, password or None, field="password")
        return await _shown(await exporting.request(profile_id=own.profile_id, customer_id=own.id))

    @mutation(access=_WRITE, description="Have a copy made of everything that the shop keeps about a person.")
    async def privacy_export(self, info: Info, profile_id: ProfileId) -> PrivacyRequestPayload:
        staff = info.context.staff
        wanted = ids.decode(PROFILE_PREFIX, profile_id, ["profileId"])
        return await _shown(await exporting.request(profile_id=wanted, by_staff=staff.id if staff else None))

    @mutation(
        access=_WRITE,
        description="Forget a person: their account, what they did, and what was written to them. Orders keep their "
        "amounts; what fulfilment needs goes when the order is closed. It cannot be undone.",
    )
    async def privacy_erase(self, info: Info, profile_id: ProfileId) -> PrivacyRequestPayload:
        staff = info.context.staff
        wanted = ids.decode(PROFILE_PREFIX, profile_id, ["profileId"])
        async with db.unit_of_work():
            request_id = await erasure.request_erasure(profile_id=wanted, by_staff=staff.id if staff else None)
        return await _shown(request_id)

    @mutation(access=_WRITE, description="Set how long a kind of data is kept.")
    async def retention_period_update(
        self,
        info: Info,
        kind: Annotated[RetentionKind, strawberry.argument(description="Which kind.")],
        days: Annotated[
            int | None, strawberry.argument(description="From `leastDays` on; null for the built-in period.")
        ] = strawberry.UNSET,
    ) -> RetentionPeriodPayload:
        kept = await retention.set_period(kind, None if days is strawberry.UNSET else days)
        return RetentionPeriodPayload(retention_period=RetentionPeriod.of(kept))
