"""Reading flows, their versions and runs, for staff."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app import db
from app.flows.models import FlowRunStatus, FlowStatus
from app.kit.pagination import PageRequest


@dataclass(frozen=True, slots=True)
class FlowRow:
    id: uuid.UUID
    key: str
    name: str
    status: FlowStatus
    priority: int
    latest_version: int
    definition: dict[str, Any]
    """Of the latest version."""
    published_version: int | None
    published_definition: dict[str, Any] | None
    first_published_at: datetime | None
    paused_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def current_definition(self) -> dict[str, Any]:
        """What new runs go by, or would go by."""
        return self.published_definition or self.definition


_FLOWS = """
    SELECT f.id, f.key, f.name, f.status, f.priority, f.latest_version, f.first_published_at, f.paused_at,
           f.created_at, f.updated_at, latest.definition, published.number AS published_version,
           published.definition AS published_definition
    FROM flows f
    JOIN flow_versions latest ON latest.flow_id = f.id AND latest.number = f.latest_version
    LEFT JOIN flow_versions published ON published.id = f.published_version_id
"""


def _flow(row: db.Record) -> FlowRow:
    published = row["published_definition"]
    return FlowRow(
        **{
            **row,
            "status": FlowStatus(row["status"]),
            "definition": orjson.loads(row["definition"]),
            "published_definition": published and orjson.loads(published),
        }
    )


async def page(request: PageRequest, status: FlowStatus | None) -> list[FlowRow]:
    """In the order in which they were made."""
    rows = await db.fetch(
        f"""
        {_FLOWS} WHERE ($1::text IS NULL OR f.status = $1) AND ($2::uuid IS NULL OR f.id > $2) ORDER BY f.id LIMIT $3
        """,
        status,
        request.cursor_id(),
        request.fetch_limit,
    )
    return [_flow(row) for row in rows]


async def count(status: FlowStatus | None) -> int:
    total: int = await db.fetchval("SELECT count(*) FROM flows WHERE $1::text IS NULL OR status = $1", status)
    return total


async def by_ids(flow_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, FlowRow]:
    rows = await db.fetch(f"{_FLOWS} WHERE f.id = ANY($1)", list(flow_ids))
    return {row["id"]: _flow(row) for row in rows}


async def by_key(key: str) -> FlowRow | None:
    row = await db.fetchrow(f"{_FLOWS} WHERE f.key = $1", key)
    return _flow(row) if row else None


# --- versions ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VersionRow:
    id: uuid.UUID
    flow_id: uuid.UUID
    number: int
    definition: dict[str, Any]
    created_at: datetime
    published_at: datetime | None
    living_runs: int


_VERSIONS = """
    SELECT v.id, v.flow_id, v.number, v.definition, v.created_at, v.published_at, coalesce(r.living, 0) AS living_runs
    FROM flow_versions v
    LEFT JOIN (
        SELECT version_id, count(*) AS living FROM flow_runs
        WHERE status IN ('PENDING', 'ACTIVE') AND flow_id IN (SELECT flow_id FROM flow_versions WHERE {chosen})
        GROUP BY version_id
    ) r ON r.version_id = v.id
    WHERE v.{chosen} ORDER BY v.flow_id, v.number DESC
"""


def _version(row: db.Record) -> VersionRow:
    return VersionRow(**{**row, "definition": orjson.loads(row["definition"])})


async def versions(flow_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[VersionRow]]:
    """Of each flow, newest first."""
    found: dict[uuid.UUID, list[VersionRow]] = {flow_id: [] for flow_id in flow_ids}
    for row in await db.fetch(_VERSIONS.format(chosen="flow_id = ANY($1)"), list(flow_ids)):
        found[row["flow_id"]].append(_version(row))
    return found


async def versions_by_id(version_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, VersionRow]:
    rows = await db.fetch(_VERSIONS.format(chosen="id = ANY($1)"), list(version_ids))
    return {row["id"]: _version(row) for row in rows}


# --- runs -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunRow:
    id: uuid.UUID
    flow_id: uuid.UUID
    flow_key: str
    version: int
    profile_id: uuid.UUID
    key: str
    status: FlowRunStatus
    step_key: str | None
    due_at: datetime | None
    waiting_for: str | None
    in_holdout: bool
    trigger_type: str
    trigger: dict[str, Any]
    entered_at: datetime
    finished_at: datetime | None
    exit_reason: str | None


_RUN_COLUMNS = """
    r.id, r.flow_id, f.key AS flow_key, v.number AS version, r.profile_id, r.key, r.status, r.step_key, r.due_at,
    r.waiting_for, r.in_holdout, r.trigger_type, r.trigger, r.entered_at, r.finished_at, r.exit_reason
"""
_RUN_TABLES = "JOIN flows f ON f.id = r.flow_id JOIN flow_versions v ON v.id = r.version_id"


def _run(row: db.Record) -> RunRow:
    return RunRow(**{**row, "status": FlowRunStatus(row["status"]), "trigger": orjson.loads(row["trigger"])})


async def run_pages(
    flow_ids: Sequence[uuid.UUID], request: PageRequest, status: FlowRunStatus | None
) -> dict[uuid.UUID, list[RunRow]]:
    """A page of each flow's runs, newest first; all in one statement."""
    rows = await db.fetch(
        f"""
        SELECT {_RUN_COLUMNS}
        FROM unnest($1::uuid[]) AS wanted (flow_id)
        CROSS JOIN LATERAL (
            SELECT * FROM flow_runs WHERE flow_id = wanted.flow_id AND ($2::text IS NULL OR status = $2)
              AND ($3::uuid IS NULL OR id < $3)
            ORDER BY id DESC LIMIT $4
        ) r
        {_RUN_TABLES}
        ORDER BY r.id DESC
        """,
        list(flow_ids),
        status,
        request.cursor_id(),
        request.fetch_limit,
    )
    pages: dict[uuid.UUID, list[RunRow]] = {flow_id: [] for flow_id in flow_ids}
    for row in rows:
        pages[row["flow_id"]].append(_run(row))
    return pages


async def run_counts(flow_ids: Sequence[uuid.UUID], status: FlowRunStatus | None) -> Mapping[uuid.UUID, int]:
    rows = await db.fetch(
        """
        SELECT flow_id, count(*) AS runs FROM flow_runs
        WHERE flow_id = ANY($1) AND ($2::text IS NULL OR status = $2) GROUP BY flow_id
        """,
        list(flow_ids),
        status,
    )
    return {row["flow_id"]: row["runs"] for row in rows}


async def runs_of(
    profile_ids: Sequence[uuid.UUID], status: FlowRunStatus | None, limit: int
) -> dict[uuid.UUID, list[RunRow]]:
    """The newest runs of each of these people."""
    rows = await db.fetch(
        f"""
        SELECT {_RUN_COLUMNS}
        FROM unnest($1::uuid[]) AS wanted (profile_id)
        CROSS JOIN LATERAL (
            SELECT * FROM flow_runs WHERE profile_id = wanted.profile_id AND ($2::text IS NULL OR status = $2)
            ORDER BY entered_at DESC, id DESC LIMIT $3
        ) r
        {_RUN_TABLES}
        ORDER BY r.entered_at DESC, r.id DESC
        """,
        list(profile_ids),
        status,
        limit,
    )
    found: dict[uuid.UUID, list[RunRow]] = {profile_id: [] for profile_id in profile_ids}
    for row in rows:
        found[row["profile_id"]].append(_run(row))
    return found


async def runs_by_id(run_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, RunRow]:
    rows = await db.fetch(f"SELECT {_RUN_COLUMNS} FROM flow_runs r {_RUN_TABLES} WHERE r.id = ANY($1)", list(run_ids))
    return {row["id"]: _run(row) for row in rows}
