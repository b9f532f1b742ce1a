"""People as staff see them."""

import datetime as dt
from typing import Annotated

import strawberry

from app.customers.models import LifecycleStage
from schema.connections import After, Connection, First
from schema.enums import describe_enum
from schema.errors import UserError
from schema.flows.runs import FlowRun
from schema.money import Money
from schema.nodes import Node
from schema.orders import Order
from schema.scalars import JSON, CountryCode

PageArguments = tuple[int | None, str | None, tuple[str, ...] | None]
"""`first`, `after` and, of a timeline, `types`."""

describe_enum(
    LifecycleStage,
    "Where somebody is in their life as a customer. Kept by their orders and by the time.",
    VISITOR="Nobody knows who it is.",
    LEAD="Can be written to, and has not ordered.",
    FIRST_TIME="Has ordered once, and is within the usual time to the next order.",
    ACTIVE="Has ordered more than once, and is within their usual time.",
    AT_RISK="The usual time to the next order is over: their own, or else that of what they bought.",
    LAPSED="60 days have passed since the last order, or one and a half of their own usual time.",
    DORMANT="Lapsed, and winning them back was given up. An order ends it.",
)


@strawberry.type(description="Recency, frequency and monetary value, 1 (lowest) to 5.")
class RfmScores:
    recency: int = strawberry.field(
        description="By how much of the time until this person lapses has passed since the last order."
    )
    frequency: int = strawberry.field(
        description="In which fifth of all customers they are by orders, as of their own last change."
    )
    monetary: int = strawberry.field(
        description="In which fifth of all customers they are by what they spent, as of their own last change."
    )


@strawberry.type(description="Something that a person did, or that happened to them.")
class TimelineEvent:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    type: str = strawberry.field(description="Such as `order.placed`; what flows can start on.")
    description: str = strawberry.field(description="What that means.")
    occurred_at: dt.datetime = strawberry.field(description="When it happened.")
    product_id: strawberry.ID | None = strawberry.field(description="The product that it is about.")
    collection_id: strawberry.ID | None = strawberry.field(description="The collection that it is about.")
    order_id: strawberry.ID | None = strawberry.field(description="The order that it is about.")
    data: JSON = strawberry.field(description="What else is known of it: ids, without their prefixes, and facts.")


def _given(first: int | None) -> int | None:
    return None if first is strawberry.UNSET else first


def _timeline(
    self: "Profile",
    first: First = strawberry.UNSET,
    after: After = strawberry.UNSET,
    types: Annotated[
        list[str] | None, strawberry.argument(description="Only events of these types, such as `order.placed`.")
    ] = strawberry.UNSET,
) -> Connection[TimelineEvent]:
    return self.timelines[_given(first), after or None, tuple(types) if types else None]


def _orders(
    self: "Profile", first: First = strawberry.UNSET, after: After = strawberry.UNSET
) -> Connection[Order] | None:
    return self.order_pages.get((_given(first), after or None, None))


@strawberry.type(
    description="One person, from anonymous visitor to customer. The id of a profile that was found to be somebody "
    "known leads to that one."
)
class Profile(Node):
    email: str | None = strawberry.field(description="Unique over all profiles.")
    phone: str | None = strawberry.field(description="In international form (E.164).")
    first_name: str | None = strawberry.field(description="Given name.")
    last_name: str | None = strawberry.field(description="Family name.")
    language: str | None = strawberry.field(description="Language tag; null for the shop's.")
    country_code: CountryCode | None = strawberry.field(description="Where they are.")
    postal_code: str | None = strawberry.field(description="Where they are, more closely.")
    time_zone: str | None = strawberry.field(description="IANA name, where it is known.")
    properties: JSON = strawberry.field(description="The shop's own facts: text, numbers, booleans; dates are text.")
    stage: LifecycleStage = strawberry.field(description="Where they are in their life as a customer.")
    scores: RfmScores | None = strawberry.field(description="Null before the first order.")
    order_count: int = strawberry.field(description="Orders that were not cancelled.")
    total_spent: Money = strawberry.field(description="Their totals together.")
    first_order_at: dt.datetime | None = strawberry.field(description="When they first ordered.")
    last_order_at: dt.datetime | None = strawberry.field(description="When they last ordered.")
    usual_interval_days: float | None = strawberry.field(
        description="Between their orders (the median; orders within one day count as one); null before the second."
    )
    next_order_expected_at: dt.datetime | None = strawberry.field(
        description="By their own usual interval, or else by how soon others bought the same products again."
    )
    lapses_at: dt.datetime | None = strawberry.field(
        description="60 days after the last order, or one and a half of their usual interval after it."
    )
    marketing_held_until: dt.datetime | None = strawberry.field(
        description="No marketing goes out to them before: after a complaint or a bad score."
    )
    created_at: dt.datetime = strawberry.field(description="When they were first seen.")
    updated_at: dt.datetime = strawberry.field(description="When anything about them last changed.")
    last_seen_at: dt.datetime | None = strawberry.field(description="When they were last seen in the storefront.")
    timeline: Connection[TimelineEvent] = strawberry.field(
        resolver=_timeline, description="What they did and what happened to them, the latest first."
    )
    orders: Connection[Order] | None = strawberry.field(
        resolver=_orders, description="Their orders, the latest first. Null without the permission ORDERS_READ."
    )
    flow_runs: list[FlowRun] | None = strawberry.field(
        description="Their ways through flows, newest first, up to 100. Null without the permission MARKETING_READ."
    )
    timelines: strawberry.Private[dict[PageArguments, Connection[TimelineEvent]]]
    order_pages: strawberry.Private[dict[PageArguments, Connection[Order]]]


@strawberry.input(description="What is left out stays as it is; null takes it away.")
class ProfileUpdateInput:
    first_name: str | None = strawberry.field(default=strawberry.UNSET, description="Given name.")
    last_name: str | None = strawberry.field(default=strawberry.UNSET, description="Family name.")
    language: str | None = strawberry.field(
        default=strawberry.UNSET, description="Language tag such as `en` or `pt-BR`, for what is written to them."
    )
    country_code: CountryCode | None = strawberry.field(default=strawberry.UNSET, description="Where they are.")
    postal_code: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 32 characters.")
    time_zone: str | None = strawberry.field(
        default=strawberry.UNSET, description="IANA name such as `Europe/Berlin`; decides when it is night for them."
    )
    properties: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description="An object: each member replaces the property of that name, null removes it, the others stay. Text "
        "of up to 1,000 characters, numbers, true or false; a date is text such as `1990-05-17`. Up to 100 of them.",
    )


@strawberry.type(description="Answer to what staff change of a profile.")
class ProfilePayload:
    profile: Profile | None = strawberry.field(
        default=None,
        description="The profile as it is now; null when refused, and without the permission CUSTOMERS_READ.",
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="What was refused, and why; nothing was changed then."
    )
