"""Dead letters: what could not be delivered, for staff to see and to replay."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated

import strawberry

from app import db
from app.events import dead_letters
from app.kit import ids
from app.kit.pagination import encode_cursor, page_of, page_request
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.connections import Connection
from schema.context import Info
from schema.errors import UserError
from schema.nodes import Node, node_loader
from schema.selection import Selection


@strawberry.type(description="An event that a handler failed on until its attempts ran out.")
class DeadLetter(Node):
    event_type: str = strawberry.field(description="Such as `order.placed`.")
    handler: str = strawberry.field(description="Which handler failed.")
    cause: str = strawberry.field(description="End of the last failure's trace.")
    attempts: int = strawberry.field(description="How often it was tried.")
    created_at: dt.datetime = strawberry.field(description="When it was given up.")
    replayed_at: dt.datetime | None = strawberry.field(description="When staff let it run again.")


_PREFIX = "dead"
_COLUMNS = "id, event_type, handler, cause, attempts, created_at, replayed_at"


def _shown(row: db.Record) -> DeadLetter:
    return DeadLetter(**{**row, "id": strawberry.ID(ids.encode(_PREFIX, row["id"]))})


@node_loader(_PREFIX)
async def _load_dead_letters(info: Info, texts: Sequence[str], selection: Selection) -> list[DeadLetter | None]:
    wanted = [ids.decode(_PREFIX, text, ["id"]) for text in texts]
    staff = info.context.staff
    if staff is None or not staff.may(Permission.OPERATIONS):
        return [None] * len(wanted)
    rows = await db.fetch(f"SELECT {_COLUMNS} FROM dead_letters WHERE id = ANY($1)", wanted)
    found = {row["id"]: _shown(row) for row in rows}
    return [found.get(dead_letter_id) for dead_letter_id in wanted]


@strawberry.type(description="Answer to `deadLetterReplay`.")
class DeadLetterPayload:
    replayed_at: dt.datetime | None = strawberry.field(default=None, description="When it was handed out again.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class OperationsQueries:
    @query(access=STAFF(Permission.OPERATIONS), description="Events that were given up on, newest first.")
    async def dead_letters(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
    ) -> Connection[DeadLetter]:
        request = page_request(None if first is strawberry.UNSET else first, after or None, order="dead_letters")
        rows = await db.fetch(
            f"""
            SELECT {_COLUMNS} FROM dead_letters WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2
            """,
            request.cursor_id(),
            request.fetch_limit,
        )
        total = None
        if "totalCount" in Selection.of(info):
            total = await db.fetchval("SELECT count(*) FROM dead_letters")
        page = page_of(rows, [encode_cursor([row["id"].hex], "dead_letters") for row in rows], request, total)
        return Connection[DeadLetter].of(page, [_shown(row) for row in page.items])


@strawberry.type
class OperationsMutations:
    @mutation(access=STAFF(Permission.OPERATIONS), description="Let an event run again for the handlers it failed on.")
    async def dead_letter_replay(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Id of the dead letter.")]
    ) -> DeadLetterPayload:
        return DeadLetterPayload(replayed_at=await dead_letters.replay(ids.decode(_PREFIX, id, ["id"])))
