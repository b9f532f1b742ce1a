"""Flows as pages: what each came to, and its picture with the people in it. For developers, like the inbox."""

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app import clock, db
from app.flows import queries, statistics, timeline_texts, wording
from app.flows.graph import TRIGGER, graph_of
from app.flows.layout import layout_of
from app.flows.queries import FlowRow, RunRow
from app.flows.statistics import FlowFigures, StepFigures
from app.kit.pagination import MAX_PAGE, page_request
from app.messaging import formats
from app.shop import queries as shop_queries
from app.shop.queries import ShopSettings
from app.web.pages import page

RUNS_SHOWN = 30


async def show(request: Request) -> Response:
    return page("flows")


async def overview(request: Request) -> Response:
    """Every flow as a line. Open pages ask every few seconds, mostly for nothing new."""
    rows = await queries.page(page_request(MAX_PAGE), None)
    figures = await statistics.of_flows([row.id for row in rows])
    money = await _Money.of_shop()
    listed = sorted(rows, key=lambda row: (-_importance(row), row.name))
    return _answer(request, [_line(row, figures[row.id], money) for row in listed])


async def picture(request: Request) -> Response:
    """One flow: its boxes and lines, how many stand at each, and its newest runs."""
    row = await queries.by_key(request.path_params["key"])
    if row is None:
        raise HTTPException(404)
    figures = (await statistics.of_flows([row.id]))[row.id]
    money = await _Money.of_shop()
    runs = (await queries.run_pages([row.id], page_request(RUNS_SHOWN), None))[row.id]
    people = await _people(runs)
    body = {
        **_line(row, figures, money),
        "skewSeconds": round((await clock.skew()).total_seconds()),
        "version": row.published_version or row.latest_version,
        "latestVersion": row.latest_version,
        "exits": wording.exits_in_words(row.current_definition),
        "picture": _picture(row, figures, money),
        "elsewhere": _elsewhere(row, figures),
        "exited": _by_count(figures.exited),
        "runs": [_run(run, people) for run in runs],
    }
    return _answer(request, body)


async def run(request: Request) -> Response:
    """A run's timeline."""
    try:
        run_id = uuid.UUID(request.path_params["id"])
    except ValueError:
        raise HTTPException(404) from None
    entries = (await timeline_texts.timelines([run_id])).get(run_id)
    if entries is None:
        raise HTTPException(404)
    shown = [
        {"at": entry.at.isoformat(), "step": entry.step_key, "kind": entry.kind, "text": entry.text}
        for entry in entries
    ]
    return _answer(request, shown)


class _Money:
    """Amounts as the shop writes them."""

    def __init__(self, shop: ShopSettings) -> None:
        self._currency = shop.currency_code
        self._locale = formats.text_locale(shop.locale)

    @classmethod
    async def of_shop(cls) -> "_Money":
        return cls(await shop_queries.current())

    def __call__(self, amount_minor: int) -> str:
        return formats.money_text(amount_minor, self._currency, self._locale)


def _importance(row: FlowRow) -> int:
    return int(row.current_definition.get("priority") or 0)


def _line(row: FlowRow, figures: FlowFigures, money: _Money) -> dict[str, Any]:
    triggers = [wording.trigger_in_words(trigger) for trigger in wording.triggers_of(row.current_definition)]
    return {
        "key": row.key,
        "name": row.name,
        "status": row.status.value,
        "trigger": " or ".join(triggers),
        "living": figures.active + figures.pending,
        "enrolled": figures.enrolled,
        "completed": figures.completed,
        "left": sum(figures.exited.values()),
        "sent": figures.total("sent"),
        "clicked": figures.total("clicked"),
        "orders": figures.total("orders"),
        "revenue": money(figures.total("revenue_minor")),
    }


def _picture(row: FlowRow, figures: FlowFigures, money: _Money) -> dict[str, Any]:
    graph = graph_of(row.current_definition)
    layout = layout_of(graph)
    by_key = {step.key: step for step in figures.steps}
    nodes = []
    for node, place in zip(graph.nodes, layout.places, strict=True):
        shown: dict[str, Any] = {"key": node.key, "kind": node.kind, "text": node.text}
        shown |= {"x": place.x, "row": place.row, "width": place.width}
        if node.kind == TRIGGER:
            shown["waiting"] = figures.pending
        elif (step := by_key.get(node.key)) is not None:
            shown |= _figures(step, money)
        nodes.append(shown)
    lines = [
        {"from": line.source, "to": line.target, "label": line.label, "lanes": line.lanes} for line in layout.lines
    ]
    return {"width": layout.width, "rows": layout.rows, "nodes": nodes, "lines": lines}


def _figures(step: StepFigures, money: _Money) -> dict[str, Any]:
    return {
        "waiting": step.waiting,
        "done": step.done,
        "failed": step.failed,
        "sent": step.sent,
        "skipped": _by_count(step.skipped),
        "delivered": step.delivered,
        "clicked": step.clicked,
        "unsubscribed": step.unsubscribed,
        "orders": step.orders,
        "revenue": money(step.revenue_minor),
    }


def _elsewhere(row: FlowRow, figures: FlowFigures) -> list[dict[str, Any]]:
    """People who stand at steps that the picture does not have: they finish on an older version."""
    known = {step.get("key") for step in row.current_definition.get("steps", ())}
    return [
        {"key": step.key, "waiting": step.waiting} for step in figures.steps if step.key not in known and step.waiting
    ]


def _by_count(counts: Mapping[str, int]) -> list[list[Any]]:
    return [[reason, count] for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def _run(run: RunRow, people: Mapping[uuid.UUID, str]) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "who": people.get(run.profile_id, "Somebody who was removed"),
        "status": run.status.value,
        "step": run.step_key,
        "version": run.version,
        "holdout": run.in_holdout,
        "reason": run.exit_reason,
        "enteredAt": run.entered_at.isoformat(),
        "dueAt": run.due_at and run.due_at.isoformat(),
        "finishedAt": run.finished_at and run.finished_at.isoformat(),
    }


async def _people(runs: list[RunRow]) -> dict[uuid.UUID, str]:
    rows = await db.fetch(
        "SELECT id, coalesce(email, phone, 'Unknown visitor') AS who FROM profiles WHERE id = ANY($1)",
        [run.profile_id for run in runs],
    )
    return {row["id"]: row["who"] for row in rows}


def _answer(request: Request, body: object) -> Response:
    content = orjson.dumps(body)
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)
