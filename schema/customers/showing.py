"""From profiles as they were read to the types that a request selects of them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import strawberry

from app.customers import queries
from app.customers.models import LifecycleStage
from app.customers.queries import ProfileRow
from app.customers.vocabulary import EVENT_TYPES
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.pagination import PageRequest, page_request
from app.orders import queries as orders
from schema.connections import Connection
from schema.context import Info
from schema.customers.types import PageArguments, Profile, RfmScores, TimelineEvent
from schema.flows.runs import FlowRun, may_read, runs_of_people
from schema.money import Money
from schema.orders import Order, OrderView
from schema.orders.showing import sees_all
from schema.scalars import JSON, CountryCode
from schema.selection import SelectedField, Selection

PROFILE_PREFIX = "prof"
MAX_TYPES = 20
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class _Page:
    request: PageRequest
    selection: Selection

    @property
    def counted(self) -> bool:
        return "totalCount" in self.selection


@dataclass(frozen=True, slots=True)
class ProfileView:
    """What is wanted of profiles, checked before anything is read or changed."""

    timelines: Mapping[PageArguments, _Page]
    orders: Mapping[PageArguments, _Page]
    flow_runs: Selection | None
    """What is wanted of them; None when they are not asked for."""

    @classmethod
    def of(cls, selection: Selection) -> "ProfileView":
        """`selection` is below a Profile. Raises DomainError(OUT_OF_RANGE | INVALID | TOO_MANY)."""
        return cls(
            _pages(selection.fields("timeline"), queries.CURSOR_TIMELINE),
            _pages(selection.fields("orders"), orders.CURSOR_ORDER),
            selection.below("flowRuns") if "flowRuns" in selection else None,
        )

    async def load(self, info: Info, profile_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Profile]:
        """Those that exist, by the ids that were asked for."""
        rows = await queries.by_ids(profile_ids)
        return dict(zip(rows, await self.show_all(info, list(rows.values())), strict=True))

    async def show_all(self, info: Info, rows: Sequence[ProfileRow]) -> list[Profile]:
        """The same number of statements for any number of profiles."""
        profile_ids = list(dict.fromkeys(row["id"] for row in rows))
        shown_timelines = {
            arguments: await _load_timelines(profile_ids, page, arguments[2])
            for arguments, page in self.timelines.items()
        }
        shown_orders = {
            arguments: await _load_orders(info, profile_ids, page)
            for arguments, page in self.orders.items()
            if sees_all(info)
        }
        runs: Mapping[uuid.UUID, list[FlowRun]] = {}
        if self.flow_runs is not None and may_read(info):
            runs = await runs_of_people(profile_ids, self.flow_runs)
        return [
            _profile(
                row,
                runs.get(row["id"]),
                {arguments: pages[row["id"]] for arguments, pages in shown_timelines.items()},
                {arguments: pages[row["id"]] for arguments, pages in shown_orders.items()},
            )
            for row in rows
        ]


def _pages(fields: Sequence[SelectedField], order: str) -> dict[PageArguments, _Page]:
    pages: dict[PageArguments, _Page] = {}
    for field in fields:
        first, after, types = (field.arguments.get(name) for name in ("first", "after", "types"))
        if types and len(types) > MAX_TYPES:
            raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_TYPES} types.", ["types"])
        for position, name in enumerate(types or ()):
            if name not in EVENT_TYPES:
                raise DomainError(CommonErrorCode.INVALID, f"No event is called {name[:80]}.", ["types", position])
        arguments = (first, after or None, tuple(types) if types else None)
        request = page_request(first, after or None, order=order)
        known = pages.get(arguments)
        selection = field.selection
        if known is not None:
            selection = selection.joined(known.selection)
        pages[arguments] = _Page(request, selection)
    return pages


async def _load_timelines(
    profile_ids: Sequence[uuid.UUID], page: _Page, types: Sequence[str] | None
) -> dict[uuid.UUID, Connection[TimelineEvent]]:
    loaded = await queries.timelines(
        profile_ids, page.request, types=list(types) if types else None, count=page.counted
    )
    return {
        profile_id: Connection[TimelineEvent].of(result, [_event(row) for row in result.items])
        for profile_id, result in loaded.items()
    }


async def _load_orders(info: Info, profile_ids: Sequence[uuid.UUID], page: _Page) -> dict[uuid.UUID, Connection[Order]]:
    view = OrderView.of(info, page.selection.nodes())
    loaded = await orders.of_profiles(
        profile_ids, page.request, lines=bool(view.pages), payments=view.payments, count=page.counted
    )
    rows = [row for result in loaded.values() for row in result.items]
    by_id = {row["id"]: order for row, order in zip(rows, await view.show_all(info, rows), strict=True)}
    return {
        profile_id: Connection[Order].of(result, [by_id[row["id"]] for row in result.items])
        for profile_id, result in loaded.items()
    }


def _profile(
    row: ProfileRow,
    flow_runs: list[FlowRun] | None,
    timelines: dict[PageArguments, Connection[TimelineEvent]],
    order_pages: dict[PageArguments, Connection[Order]],
) -> Profile:
    interval = row["median_interval_seconds"]
    return Profile(
        id=strawberry.ID(ids.encode(PROFILE_PREFIX, row["id"])),
        email=row["email"],
        phone=row["phone"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        language=row["language"],
        country_code=CountryCode(row["country_code"]) if row["country_code"] else None,
        postal_code=row["postal_code"],
        time_zone=row["time_zone"],
        properties=cast(JSON, row["properties"]),
        stage=LifecycleStage(row["stage"]),
        scores=_scores(row),
        order_count=row["order_count"],
        total_spent=Money.of(row["total_spent_minor"], row["currency_code"]),
        first_order_at=row["first_order_at"],
        last_order_at=row["last_order_at"],
        usual_interval_days=None if interval is None else interval / _SECONDS_A_DAY,
        next_order_expected_at=row["next_order_expected_at"],
        lapses_at=row["lapses_at"],
        marketing_held_until=row["marketing_held_until"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        last_seen_at=row["last_seen_at"],
        flow_runs=flow_runs,
        timelines=timelines,
        order_pages=order_pages,
    )


def _scores(row: ProfileRow) -> RfmScores | None:
    if row["recency_score"] is None or row["frequency_score"] is None or row["monetary_score"] is None:
        return None
    return RfmScores(recency=row["recency_score"], frequency=row["frequency_score"], monetary=row["monetary_score"])


def _event(row: Mapping[str, Any]) -> TimelineEvent:
    def shown(prefix: str, value: uuid.UUID | None) -> strawberry.ID | None:
        return strawberry.ID(ids.encode(prefix, value)) if value else None

    known = EVENT_TYPES.get(row["type"])
    return TimelineEvent(
        id=strawberry.ID(ids.encode("evt", row["id"])),
        type=row["type"],
        description=known.description if known else "",
        occurred_at=row["occurred_at"],
        product_id=shown("prod", row["product_id"]),
        collection_id=shown("coll", row["collection_id"]),
        order_id=shown("ord", row["order_id"]),
        data=cast(JSON, row["data"]),
    )
