"""What staff do with flows: save a draft, publish it, pause, resume, end a run."""

import uuid
from dataclasses import dataclass
from typing import Any

import orjson

from app import db, events
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.flows import catalogue, exits, publishing
from app.flows.definitions import parse
from app.flows.errors import FlowErrorCode
from app.flows.models import FlowStatus
from app.flows.resuming import RESUMED
from app.kit.ids import new_id
from app.kit.problems import Problems

MAX_DEFINITION_BYTES = 128 * 1024
MAX_NAME_CHARS = 120
PUBLISHED = "flow.published"
ENDED_BY_STAFF = "ENDED_BY_STAFF"


@dataclass(frozen=True, slots=True)
class SavedFlow:
    id: uuid.UUID
    version: int
    """The newest; the same as before where the definition is the same as before."""
    warnings: list[str]
    """What keeps it from being published as it is."""


async def save(
    *,
    name: str,
    definition: Any,
    key: str | None = None,
    flow_id: uuid.UUID | None = None,
    created_by: uuid.UUID | None = None,
) -> SavedFlow:
    """Write a new draft version of a flow, or a new flow. What is published stays as it is.

    Args:
        key: of a new flow; made from the name where it is not given. An existing flow keeps its own.

    Raises:
        DomainErrors: FLOW_DEFINITION_INVALID for everything that is wrong with it, and what is wrong with the rest.
        DomainError: NOT_FOUND, FLOW_KEY_TAKEN, FLOW_KEY_FIXED.
    """
    problems = Problems()
    name = problems.required_line(name, "A name", "name", max_chars=MAX_NAME_CHARS)
    key = _checked_key(key if key is not None or flow_id else _key_from(name), problems)
    body = _checked_size(definition, problems)
    try:
        parse(definition)
    except DomainErrors as wrong:
        for error in wrong.errors:
            problems.note(error)
    problems.raise_if_any()
    async with db.unit_of_work():
        if flow_id is None:
            flow_id = await _create(key or "", name)
            latest = 0
        else:
            latest = await _lock_for_saving(flow_id, key)
            await db.execute(
                "UPDATE flows SET name = $2, updated_at = business_now() WHERE id = $1 AND name <> $2", flow_id, name
            )
        number = await _add_version(flow_id, latest, body, created_by)
        if latest:
            await catalogue.changed()  # the name, which coupons and pages show
    return SavedFlow(flow_id, number, await publishing.obstacles(parse(definition)))


async def publish(flow_id: uuid.UUID) -> None:
    """Let the newest version take people in; runs that are under way finish on theirs. A paused flow goes on, too.

    Raises:
        DomainError: NOT_FOUND.
        DomainErrors: FLOW_DEFINITION_INVALID with everything that keeps it from being published.
    """
    async with db.unit_of_work():
        row = await _lock(flow_id)
        version = await db.fetchrow(
            "SELECT id, definition FROM flow_versions WHERE flow_id = $1 ORDER BY number DESC LIMIT 1", flow_id
        )
        if version is None:
            raise RuntimeError("a flow has a version")
        definition = parse(orjson.loads(version["definition"]))
        if obstacles := await publishing.obstacles(definition):
            raise DomainErrors([DomainError(FlowErrorCode.FLOW_DEFINITION_INVALID, text, ["id"]) for text in obstacles])
        await publishing.publish_templates(definition)
        if row["status"] == FlowStatus.PUBLISHED and row["published_version_id"] == version["id"]:
            return
        await db.execute(
            "UPDATE flow_versions SET published_at = coalesce(published_at, business_now()) WHERE id = $1",
            version["id"],
        )
        await db.execute(
            """
            UPDATE flows SET status = 'PUBLISHED', published_version_id = $2, priority = $3, paused_at = NULL,
                first_published_at = coalesce(first_published_at, business_now()), updated_at = business_now()
            WHERE id = $1
            """,
            flow_id,
            version["id"],
            definition.priority,
        )
        await catalogue.changed()
        first = row["first_published_at"] is None
        payload = {"flowId": str(flow_id), "versionId": str(version["id"]), "first": first}
        await events.record(PUBLISHED, subject_id=flow_id, payload=payload)
        if row["status"] == FlowStatus.PAUSED:
            await events.record(RESUMED, subject_id=flow_id)


async def pause(flow_id: uuid.UUID) -> None:
    """Nobody is taken in, and nothing is sent any more, from the moment that this commits. Doing it again changes
    nothing.

    Raises:
        DomainError: NOT_FOUND; FLOW_NOT_PUBLISHED for a draft.
    """
    async with db.unit_of_work():
        row = await _lock(flow_id)
        if row["status"] == FlowStatus.DRAFT:
            raise DomainError(FlowErrorCode.FLOW_NOT_PUBLISHED, "A draft does nothing that could be paused.", ["id"])
        if row["status"] == FlowStatus.PAUSED:
            return
        await db.execute(
            """
            UPDATE flows SET status = 'PAUSED', paused_at = business_now(), updated_at = business_now() WHERE id = $1
            """,
            flow_id,
        )
        await catalogue.changed()


async def resume(flow_id: uuid.UUID) -> None:
    """Go on with the version that was published. What came due meanwhile is looked at now; what is past its step's
    maximum lateness is skipped. Doing it again changes nothing.

    Raises:
        DomainError: NOT_FOUND; FLOW_NOT_PUBLISHED for a draft.
    """
    async with db.unit_of_work():
        row = await _lock(flow_id)
        if row["status"] == FlowStatus.DRAFT:
            raise DomainError(FlowErrorCode.FLOW_NOT_PUBLISHED, "A draft has to be published first.", ["id"])
        if row["status"] == FlowStatus.PUBLISHED:
            return
        await db.execute(
            "UPDATE flows SET status = 'PUBLISHED', paused_at = NULL, updated_at = business_now() WHERE id = $1",
            flow_id,
        )
        await catalogue.changed()
        await events.record(RESUMED, subject_id=flow_id)


async def end_run(run_id: uuid.UUID) -> None:
    """Staff take somebody out of a flow.

    Raises:
        DomainError: NOT_FOUND; FLOW_RUN_FINISHED.
    """
    async with db.unit_of_work():
        row = await db.fetchrow("SELECT profile_id FROM flow_runs WHERE id = $1", run_id)
        if row is None:
            raise not_found("run", ["id"])
        if not await exits.end(run_id, row["profile_id"], ENDED_BY_STAFF):
            raise DomainError(FlowErrorCode.FLOW_RUN_FINISHED, "The run has come to its end already.", ["id"])


async def _lock(flow_id: uuid.UUID) -> db.Record:
    row = await db.fetchrow(
        """
        SELECT key, status, latest_version, published_version_id, first_published_at FROM flows
        WHERE id = $1 FOR UPDATE
        """,
        flow_id,
    )
    if row is None:
        raise not_found("flow", ["id"])
    return row


async def _lock_for_saving(flow_id: uuid.UUID, key: str | None) -> int:
    row = await _lock(flow_id)
    if key is not None and key != row["key"]:
        raise DomainError(
            FlowErrorCode.FLOW_KEY_FIXED, f"The key of this flow is {row['key']} and stays so.", ["input", "key"]
        )
    number: int = row["latest_version"]
    return number


async def _create(key: str, name: str) -> uuid.UUID:
    flow_id = new_id()
    made = await db.execute(
        """
        INSERT INTO flows (id, key, name, status, priority, latest_version, created_at, updated_at)
        VALUES ($1, $2, $3, 'DRAFT', 0, 1, business_now(), business_now()) ON CONFLICT (key) DO NOTHING
        """,
        flow_id,
        key,
        name,
    )
    if not made:
        raise DomainError(FlowErrorCode.FLOW_KEY_TAKEN, f"Another flow has the key {key}.", ["input", "key"])
    return flow_id


async def _add_version(flow_id: uuid.UUID, latest: int, body: str, created_by: uuid.UUID | None) -> int:
    """The flow is locked. A definition that is the newest one already makes no new version."""
    added = await db.execute(
        """
        INSERT INTO flow_versions (id, flow_id, number, definition, created_by, created_at)
        SELECT $1, $2, $3, $4::jsonb, $5, business_now()
        WHERE NOT EXISTS (
            SELECT FROM flow_versions WHERE flow_id = $2 AND number = $3 - 1 AND definition = $4::jsonb
        )
        """,
        new_id(),
        flow_id,
        latest + 1,
        body,
        created_by,
    )
    if not added:
        return latest
    await db.execute(
        "UPDATE flows SET latest_version = $2, updated_at = business_now() WHERE id = $1", flow_id, latest + 1
    )
    return latest + 1


def _checked_key(key: str | None, problems: Problems) -> str | None:
    if key is not None and not publishing.KEY.fullmatch(key):
        message = "A key begins with a small letter or digit and goes on with these, `-` and `_`: 80 at the most."
        problems.add(CommonErrorCode.INVALID, message, "key")
        return None
    return key


def _key_from(name: str) -> str:
    words = "".join(sign if sign.isascii() and sign.isalnum() else " " for sign in name.lower()).split()
    return "_".join(words)[:80] or "flow"


def _checked_size(definition: Any, problems: Problems) -> str:
    try:
        body = orjson.dumps(definition)
    except (TypeError, orjson.JSONEncodeError):
        problems.add(CommonErrorCode.INVALID, "The definition has to be JSON.", "definition")
        return "{}"
    if len(body) > MAX_DEFINITION_BYTES:
        message = f"A definition can have {MAX_DEFINITION_BYTES // 1024} KiB at most."
        problems.add(CommonErrorCode.TOO_LONG, message, "definition")
    text = body.decode()
    if "\\u0000" in text:
        problems.add(CommonErrorCode.INVALID, "The definition has a NUL character in it.", "definition")
    return text
