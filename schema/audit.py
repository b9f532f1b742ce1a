"""The audit log, for staff who may read it."""

import datetime as dt
import re
import uuid
from typing import Annotated, Self

import strawberry

from app.audit import queries
from app.audit.models import ActorKind, AuditOperation, AuditOutcome
from app.audit.queries import Wanted
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.pagination import page_request
from app.staff.permissions import Permission
from schema.access import STAFF, query
from schema.connections import Connection
from schema.context import Info
from schema.enums import describe_enum
from schema.scalars import JSON
from schema.selection import Selection
from schema.staff.types import KEY_PREFIX, STAFF_PREFIX

PREFIX = "audit"
_ANY_ID = re.compile(r"[a-z]+_([0-9a-f]{32})(?:_.*)?")

describe_enum(
    ActorKind,
    "What kind of actor did something.",
    STAFF="A member of staff.",
    API_KEY="A machine with an API key.",
    OPERATOR="Somebody at the command line of the server; the name is that of their account there.",
)
describe_enum(
    AuditOutcome,
    "What became of an action.",
    DONE="It was done.",
    REFUSED="It was refused, and changed nothing.",
)


describe_enum(
    AuditOperation,
    "What an action did to a row.",
    INSERT="It made it.",
    UPDATE="It changed it.",
    DELETE="It deleted it.",
)


@strawberry.type(description="One row that an action made, changed or deleted.")
class AuditChange:
    table: str = strawberry.field(description="Of which kind, as in the database, such as `products`.")
    row_id: str = strawberry.field(description="Which one, as in the database.")
    operation: AuditOperation = strawberry.field(description="What became of it.")
    before: JSON | None = strawberry.field(
        description="What changed of it, as it was; all of it when it was deleted; null when it was made. Secrets are "
        "`[redacted]`, what a person has had erased is `[personal]`."
    )
    after: JSON | None = strawberry.field(
        description="What changed of it, as it is since; all of it when it was made; null when it was deleted."
    )

    @classmethod
    def of(cls, change: queries.Change) -> Self:
        return cls(
            table=change.table,
            row_id=change.row_id,
            operation=AuditOperation(change.operation),
            before=None if change.before is None else JSON(change.before),
            after=None if change.after is None else JSON(change.after),
        )


@strawberry.type(description="One action of a member of staff, of an API key or of an operator. It is never changed.")
class AuditEntry:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    occurred_at: dt.datetime = strawberry.field(description="When.")
    actor_kind: ActorKind = strawberry.field(description="What kind of actor.")
    actor_id: strawberry.ID | None = strawberry.field(
        description="Which member of staff or which key; null for an operator."
    )
    actor_name: str = strawberry.field(description="What they were called at the time.")
    action: str = strawberry.field(description="The mutation, such as `productUpdate`, or the command.")
    outcome: AuditOutcome = strawberry.field(description="What became of it.")
    error_codes: list[str] = strawberry.field(description="Why it was refused.")
    ip: str | None = strawberry.field(description="From which address.")
    user_agent: str | None = strawberry.field(description="With which program.")
    request_id: str | None = strawberry.field(description="Under which id it is in the server's log.")
    change_count: int = strawberry.field(description="How many rows it changed.")
    changes: list[AuditChange] = strawberry.field(description="What it changed: the first 100 rows.")

    @classmethod
    def of(cls, entry: queries.Entry) -> Self:
        prefix = KEY_PREFIX if entry.actor_kind is ActorKind.API_KEY else STAFF_PREFIX
        return cls(
            id=strawberry.ID(ids.encode(PREFIX, entry.id)),
            occurred_at=entry.occurred_at,
            actor_kind=entry.actor_kind,
            actor_id=strawberry.ID(ids.encode(prefix, entry.actor_id)) if entry.actor_id else None,
            actor_name=entry.actor_name,
            action=entry.action,
            outcome=entry.outcome,
            error_codes=entry.error_codes,
            ip=entry.ip,
            user_agent=entry.user_agent,
            request_id=entry.request_id,
            change_count=entry.change_count,
            changes=[AuditChange.of(change) for change in entry.changes],
        )


@strawberry.type
class AuditQueries:
    @query(
        access=STAFF(Permission.AUDIT_READ),
        description="Who of the staff, which API key and which operator did what, the newest first: also what was "
        "refused, and sign-ins.",
    )
    async def audit_log(  # noqa: PLR0917 - arguments of a GraphQL field have names
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="How many, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Begin behind this cursor.")] = strawberry.UNSET,
        actor_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only of this member of staff or API key.")
        ] = strawberry.UNSET,
        action: Annotated[
            str | None, strawberry.argument(description="Only this mutation or command, such as `productUpdate`.")
        ] = strawberry.UNSET,
        subject_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what changed the object of this id.")
        ] = strawberry.UNSET,
        since: Annotated[
            dt.datetime | None, strawberry.argument(description="From this moment on.")
        ] = strawberry.UNSET,
        until: Annotated[dt.datetime | None, strawberry.argument(description="Before this moment.")] = strawberry.UNSET,
    ) -> Connection[AuditEntry]:
        wanted = Wanted(
            actor_id=_uuid(actor_id, "actorId"),
            action=action or None,
            subject_id=_uuid(subject_id, "subjectId"),
            since=since or None,
            until=until or None,
        )
        request = page_request(None if first is strawberry.UNSET else first, after or None, order=queries.ORDER)
        selection = Selection.of(info)
        page = await queries.page(wanted, request, changes=_shows_changes(selection), counted="totalCount" in selection)
        return Connection.of(page, [AuditEntry.of(entry) for entry in page.items])


def _shows_changes(selection: Selection) -> bool:
    nodes = (selection.below("nodes"), selection.below("edges").below("node"))
    return any("changes" in one or "changeCount" in one for one in nodes)


def _uuid(text: strawberry.ID | None, argument: str) -> uuid.UUID | None:
    """Of an id of any kind. Raises DomainError(INVALID_ID)."""
    if not text:
        return None
    match = _ANY_ID.fullmatch(text)
    if match is None:
        raise DomainError(CommonErrorCode.INVALID_ID, "This is not an id of this shop.", [argument])
    return uuid.UUID(hex=match[1])
