"""From flows as they were read to the types that a request selects of them, in a fixed number of statements."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import strawberry

from app.flows import queries, statistics, wording
from app.flows.diagram import mermaid
from app.flows.queries import FlowRow, VersionRow
from app.flows.statistics import FlowFigures, GroupFigures, Lift, StepFigures
from app.kit import ids
from app.kit.pagination import PageRequest, encode_cursor, page_of, page_request
from app.shop import queries as shop_queries
from schema.connections import Connection
from schema.context import Info
from schema.flows.enums import skip_reason
from schema.flows.runs import FLOW_PREFIX, FlowRun, may_read, show_runs
from schema.flows.types import (
    ExitCount,
    Flow,
    FlowGroupStats,
    FlowLift,
    FlowStats,
    FlowStepStats,
    FlowVersion,
    RunArguments,
    SkipCount,
)
from schema.money import Money
from schema.nodes import node_loader
from schema.scalars import JSON
from schema.selection import Selection, selection_check

VERSION_PREFIX = "fver"
SCHEMA_PATH = "/schemas/flow.json"
_RUNS_ORDER = "flow_runs"


@dataclass(frozen=True, slots=True)
class FlowView:
    """What is wanted of flows, checked before anything is read or changed."""

    selection: Selection
    pages: Mapping[RunArguments, PageRequest]
    public_url: str

    @classmethod
    def of(cls, info: Info, selection: Selection) -> "FlowView":
        """`selection` is below a Flow. Raises DomainError(OUT_OF_RANGE | INVALID) for a page that cannot be had."""
        return cls(selection, _pages(selection), info.context.settings.public_url)

    async def load(self, flow_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Flow]:
        rows = await queries.by_ids(flow_ids)
        return dict(zip(rows, await self.show_all(list(rows.values())), strict=True))

    async def show_all(self, rows: Sequence[FlowRow]) -> list[Flow]:
        wanted, flow_ids = self.selection, [row.id for row in rows]
        if not rows:
            return []
        currency = (await shop_queries.current()).currency_code
        figures: Mapping[uuid.UUID, FlowFigures] = {}
        if "steps" in wanted or "stats" in wanted or "diagram" in wanted:
            figures = await statistics.of_flows(flow_ids)
        lifts: Mapping[uuid.UUID, Lift | None] = {}
        if wanted.asks_for("stats", "lift"):
            lifts = await statistics.lift_of(flow_ids)
        versions = await queries.versions(flow_ids) if "versions" in wanted else {}
        pages = await self._run_pages(flow_ids)
        return [
            self._flow(
                row,
                figures.get(row.id, FlowFigures()),
                _stats(figures.get(row.id, FlowFigures()), lifts.get(row.id), currency),
                [show_version(version) for version in versions.get(row.id, ())],
                pages[row.id],
            )
            for row in rows
        ]

    async def _run_pages(
        self, flow_ids: Sequence[uuid.UUID]
    ) -> dict[uuid.UUID, dict[RunArguments, Connection[FlowRun]]]:
        made: dict[uuid.UUID, dict[RunArguments, Connection[FlowRun]]] = {flow_id: {} for flow_id in flow_ids}
        below = self.selection.below("runs")
        for arguments, request in self.pages.items():
            rows = await queries.run_pages(flow_ids, request, arguments[2])
            totals = await queries.run_counts(flow_ids, arguments[2]) if "totalCount" in below else {}
            shown = await show_runs([row for page in rows.values() for row in page], below.nodes())
            run_by_id = {run.id: run for run in shown}
            for flow_id, found in rows.items():
                cursors = [encode_cursor([row.id.hex], _RUNS_ORDER) for row in found]
                page = page_of(found, cursors, request, totals.get(flow_id, 0))
                nodes = [run_by_id[strawberry.ID(ids.encode("frun", row.id))] for row in page.items]
                made[flow_id][arguments] = Connection[FlowRun].of(page, nodes)
        return made

    def _flow(
        self,
        row: FlowRow,
        figures: FlowFigures,
        stats: FlowStats,
        versions: list[FlowVersion],
        run_pages: dict[RunArguments, Connection[FlowRun]],
    ) -> Flow:
        triggers = wording.triggers_of(row.definition)
        waiting = {"": figures.pending} | {step.key: step.waiting for step in figures.steps}
        words = {str(step.get("key")): wording.step_in_words(step) for step in row.definition.get("steps", ())}
        return Flow(
            id=strawberry.ID(ids.encode(FLOW_PREFIX, row.id)),
            key=row.key,
            name=row.name,
            status=row.status,
            version=row.latest_version,
            published_version=row.published_version,
            priority=row.priority,
            trigger=cast(JSON, triggers[0] if "trigger" in row.definition and triggers else triggers),
            definition=cast(JSON, row.definition),
            definition_schema_url=self.public_url.rstrip("/") + SCHEMA_PATH,
            diagram=mermaid(row.definition, waiting),
            steps=[_step(step, words, str(stats.revenue.currency_code)) for step in figures.steps],
            stats=stats,
            versions=versions,
            first_published_at=row.first_published_at,
            paused_at=row.paused_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
            run_pages=run_pages,
        )


def _pages(selection: Selection) -> dict[RunArguments, PageRequest]:
    pages: dict[RunArguments, PageRequest] = {}
    for field in selection.fields("runs"):
        first, after = field.arguments.get("first"), field.arguments.get("after")
        request = page_request(first, after or None, order=_RUNS_ORDER)
        request.cursor_id()
        pages[first, after or None, field.arguments.get("status")] = request
    return pages


@selection_check("Flow")
def _check_flow(selection: Selection) -> None:
    _pages(selection)


def _step(step: StepFigures, words: Mapping[str, str], currency: str) -> FlowStepStats:
    return FlowStepStats(
        key=step.key,
        kind=step.kind,
        text=words.get(step.key) or wording.step_in_words({"kind": step.kind}),
        waiting=step.waiting,
        done=step.done,
        failed=step.failed,
        sent=step.sent,
        skipped=_skips(step.skipped),
        delivered=step.delivered,
        clicked=step.clicked,
        unsubscribed=step.unsubscribed,
        orders=step.orders,
        revenue=Money.of(step.revenue_minor, currency),
    )


def _skips(counts: Mapping[str, int]) -> list[SkipCount]:
    by_reason: dict[str, int] = {}
    for stored, times in counts.items():
        reason = skip_reason(stored)
        by_reason[reason] = by_reason.get(reason, 0) + times
    return [SkipCount(reason=skip_reason(reason), count=count) for reason, count in most_frequent_first(by_reason)]


def most_frequent_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _stats(figures: FlowFigures, lift: Lift | None, currency: str) -> FlowStats:
    return FlowStats(
        pending=figures.pending,
        turned_away=figures.turned_away,
        enrolled=figures.enrolled,
        active=figures.active,
        completed=figures.completed,
        failed=figures.failed,
        exited=[ExitCount(reason=reason, count=count) for reason, count in most_frequent_first(figures.exited)],
        sent=figures.total("sent"),
        delivered=figures.total("delivered"),
        clicked=figures.total("clicked"),
        unsubscribed=figures.total("unsubscribed"),
        orders=figures.total("orders"),
        revenue=Money.of(figures.total("revenue_minor"), currency),
        lift=_lift(lift, currency) if lift else None,
    )


def _lift(lift: Lift, currency: str) -> FlowLift:
    return FlowLift(
        treated=_group(lift.treated, currency),
        holdout=_group(lift.holdout, currency),
        absolute=lift.absolute,
        relative=lift.relative,
    )


def _group(group: GroupFigures, currency: str) -> FlowGroupStats:
    return FlowGroupStats(
        runs=group.runs,
        converted=group.converted,
        conversion=group.conversion,
        revenue=Money.of(group.revenue_minor, currency),
    )


def show_version(row: VersionRow) -> FlowVersion:
    return FlowVersion(
        id=strawberry.ID(ids.encode(VERSION_PREFIX, row.id)),
        number=row.number,
        definition=cast(JSON, row.definition),
        diagram=mermaid(row.definition),
        published_at=row.published_at,
        created_at=row.created_at,
        living_runs=row.living_runs,
    )


@node_loader(FLOW_PREFIX)
async def _flow_nodes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Flow | None]:
    wanted = [ids.decode(FLOW_PREFIX, text, ["id"]) for text in texts]
    if not may_read(info):
        return [None] * len(wanted)
    found = await FlowView.of(info, selection).load(wanted)
    return [found.get(flow_id) for flow_id in wanted]


@node_loader(VERSION_PREFIX)
async def _version_nodes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[FlowVersion | None]:
    wanted = [ids.decode(VERSION_PREFIX, text, ["id"]) for text in texts]
    if not may_read(info):
        return [None] * len(wanted)
    found = await queries.versions_by_id(wanted)
    return [show_version(found[version_id]) if version_id in found else None for version_id in wanted]
