"""Writing down who of the staff, which key or which operator did what, together with what it changed.

Inside `acting`, every transaction begins by writing the action's entry and by naming it to PostgreSQL: triggers then
write beside it what each row was before and is after (see the migration `audit_changes`). So the entry and its changes
are there exactly when the change is. A refusal rolls its transaction back, and is written down by itself.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson

from app import db
from app.audit.models import ActorKind, AuditOutcome
from app.kit.ids import new_id

MAX_ACTION_CHARS = 80
MAX_NAME_CHARS = 120
MAX_IP_CHARS = 45
MAX_USER_AGENT_CHARS = 300
MAX_REQUEST_ID_CHARS = 64

_ENTRY = """
    INSERT INTO audit_entries (id, occurred_at, actor_kind, actor_id, actor_name, action, outcome, error_codes, ip,
                               user_agent, request_id)
    VALUES ($1, clock_timestamp(), $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING
"""
# The same statement, and the same wait, whether or not somebody has the address: nothing to tell them apart by.
_OF_MEMBER = """
    WITH at_once AS (SELECT set_config('synchronous_commit', 'off', true))
    INSERT INTO audit_entries (id, occurred_at, actor_kind, actor_id, actor_name, action, outcome, error_codes, ip,
                               user_agent, request_id)
    SELECT $1, clock_timestamp(), $2, u.id, u.name, $3, $4, $5, $6, $7, $8
    FROM staff_users u CROSS JOIN at_once WHERE lower(u.email) = $9
"""
_BEGIN = f"WITH entry AS ({_ENTRY}) SELECT set_config('tradewind.audit', $1::uuid::text, true)"


@dataclass(frozen=True, slots=True)
class Actor:
    kind: ActorKind
    id: uuid.UUID | None
    """None for operators, who have an account of the machine alone."""
    name: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from."""

    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


@dataclass(slots=True)
class Action:
    """One thing that an actor does: at most one entry, however many transactions it takes."""

    actor: Actor
    name: str
    """The mutation's name, or the command's."""
    origin: Origin = field(default_factory=Origin)
    id: uuid.UUID = field(default_factory=new_id)
    is_written: bool = False
    """Whether a transaction with the entry was committed."""


@contextmanager
def acting(action: Action) -> Iterator[None]:
    """Whatever this task commits meanwhile was done by the action."""

    async def begin(work: db.UnitOfWork) -> None:
        await db.execute(_BEGIN, *_values(action, AuditOutcome.DONE, ()))
        work.after_commit(written)

    def written() -> None:
        action.is_written = True

    with db.opening(begin):
        yield


@contextmanager
def unrecorded() -> Iterator[None]:
    """What follows is the machine's own doing, although somebody set it off."""
    with db.opening(None):
        yield


async def done(action: Action) -> None:
    """Write down an action that changed no row, and so has no entry yet."""
    if not action.is_written:
        await db.execute(_ENTRY, *_values(action, AuditOutcome.DONE, ()))


async def refused(action: Action, codes: Sequence[str]) -> None:
    """Write down that it was refused. What had been committed before keeps its own entry."""
    if action.is_written:
        action = Action(action.actor, action.name, action.origin)
    await db.execute(_ENTRY, *_values(action, AuditOutcome.REFUSED, codes))


async def refused_member(email: str, name: str, origin: Origin, codes: Sequence[str]) -> None:
    """Write down what was refused to somebody who gave a member's address, and nothing for an unknown one.

    Args:
        email: in lower case.
    """
    await db.execute(
        _OF_MEMBER,
        new_id(),
        ActorKind.STAFF.value,
        name,
        AuditOutcome.REFUSED.value,
        orjson.dumps(list(codes)).decode(),
        *_origin(origin),
        email,
    )


def _values(action: Action, outcome: AuditOutcome, codes: Sequence[str]) -> tuple[object, ...]:
    actor = action.actor
    return (
        action.id,
        actor.kind.value,
        actor.id,
        actor.name[:MAX_NAME_CHARS],
        action.name[:MAX_ACTION_CHARS],
        outcome.value,
        orjson.dumps(list(codes)).decode(),
        *_origin(action.origin),
    )


def _origin(origin: Origin) -> tuple[str | None, ...]:
    return (
        _text(origin.ip, MAX_IP_CHARS),
        _text(origin.user_agent, MAX_USER_AGENT_CHARS),
        _text(origin.request_id, MAX_REQUEST_ID_CHARS),
    )


def _text(value: str | None, max_chars: int) -> str | None:
    """PostgreSQL takes no NUL."""
    return value[:max_chars].replace("\x00", " ") if value else None
