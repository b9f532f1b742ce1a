"""Flows and what they came to, as the API shows them."""

import datetime as dt
from typing import Annotated

import strawberry

from schema.connections import Connection
from schema.errors import UserError
from schema.flows.enums import FlowRunStatus, FlowStatus, SkipReason
from schema.flows.runs import FlowRun
from schema.money import Money
from schema.nodes import Node
from schema.scalars import JSON

RunArguments = tuple[int | None, str | None, FlowRunStatus | None]
"""`first`, `after` and `status`."""


@strawberry.type(description="How often a step was skipped for one reason.")
class SkipCount:
    reason: SkipReason = strawberry.field(description="Why.")
    count: int = strawberry.field(description="How often.")


@strawberry.type(description="How many runs left a flow for one reason.")
class ExitCount:
    reason: str = strawberry.field(description="Such as `ORDER_PLACED`: an event in capitals, or a reason of `exitIf`.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(description="What a step came to, over all versions of its flow.")
class FlowStepStats:
    key: str = strawberry.field(description="The step's key in the definition.")
    kind: str = strawberry.field(description="What it does, such as `send_email`.")
    text: str = strawberry.field(description="The same in words, such as `Wait 4 h`.")
    waiting: int = strawberry.field(description="Runs that stand at it now.")
    done: int = strawberry.field(description="How often it was done.")
    failed: int = strawberry.field(description="How often it could not be done.")
    sent: int = strawberry.field(description="Messages that their provider took.")
    skipped: list[SkipCount] = strawberry.field(description="How often it was skipped, by reason, most frequent first.")
    delivered: int = strawberry.field(description="Messages that arrived, as far as the provider tells.")
    clicked: int = strawberry.field(description="Messages in which a person followed a link; scanners do not count.")
    unsubscribed: int = strawberry.field(description="Messages by which consent was withdrawn.")
    orders: int = strawberry.field(description="Orders that followed a click in it; the last click gets the order.")
    revenue: Money = strawberry.field(description="What these orders came to.")


@strawberry.type(description="One of the two groups that a flow's holdout compares.")
class FlowGroupStats:
    runs: int = strawberry.field(description="Runs in this group.")
    converted: int = strawberry.field(description="Runs whose person ordered within 30 days of entering.")
    conversion: float = strawberry.field(description="The share of them, from 0 to 1.")
    revenue: Money = strawberry.field(description="What these orders came to.")


@strawberry.type(
    description="Those who got the flow's messages beside those who were held out at random: the true effect, while "
    "clicks also count whoever would have ordered anyway."
)
class FlowLift:
    treated: FlowGroupStats = strawberry.field(description="Those who went through the flow as it is.")
    holdout: FlowGroupStats = strawberry.field(description="Those who got no messages.")
    absolute: float | None = strawberry.field(
        description="Difference of both conversions, from -1 to 1; null while a group is empty."
    )
    relative: float | None = strawberry.field(
        description="The same as a share of the holdout's conversion; null while that is zero."
    )


@strawberry.type(description="What a flow came to as a whole, over all its versions.")
class FlowStats:
    pending: int = strawberry.field(description="Waiting for their trigger to stay quiet; not enrolled yet.")
    turned_away: int = strawberry.field(
        description="Who did not qualify any more when that quiet time was over, or did what the flow exits on."
    )
    enrolled: int = strawberry.field(description="Runs that entered.")
    active: int = strawberry.field(description="Runs that are under way.")
    completed: int = strawberry.field(description="Runs that went to the end.")
    failed: int = strawberry.field(description="Runs that were given up.")
    exited: list[ExitCount] = strawberry.field(description="Runs that left early, by reason, most frequent first.")
    sent: int = strawberry.field(description="Messages that their provider took.")
    delivered: int = strawberry.field(description="Messages that arrived, as far as the provider tells.")
    clicked: int = strawberry.field(description="Messages in which a person followed a link.")
    unsubscribed: int = strawberry.field(description="Messages by which consent was withdrawn.")
    orders: int = strawberry.field(description="Orders that followed a click.")
    revenue: Money = strawberry.field(description="What these orders came to.")
    lift: FlowLift | None = strawberry.field(description="The holdout's comparison; null where nobody was held out.")


@strawberry.type(description="A definition as it was saved; it never changes.")
class FlowVersion(Node):
    number: int = strawberry.field(description="Counts from 1 within the flow.")
    definition: JSON = strawberry.field(description="What starts the flow, whom it takes in, and its steps.")
    diagram: str = strawberry.field(description="The definition as a Mermaid flowchart.")
    published_at: dt.datetime | None = strawberry.field(description="When it was first published; null for a draft.")
    created_at: dt.datetime = strawberry.field(description="When it was saved.")
    living_runs: int = strawberry.field(description="Runs that are under way on it.")


def _page_of_runs(
    self: "Flow",
    first: Annotated[int | None, strawberry.argument(description="Page size, up to 100; 20 unless said.")] = (
        strawberry.UNSET
    ),
    after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
    status: Annotated[
        FlowRunStatus | None, strawberry.argument(description="Only runs that are here in their life.")
    ] = strawberry.UNSET,
) -> Connection[FlowRun]:
    return self.run_pages[first or None if first != 0 else 0, after or None, status or None]


@strawberry.type(description="Staff: what a flow is, and what it did.")
class Flow(Node):
    key: str = strawberry.field(description="Its name for programs; unique and fixed.")
    name: str = strawberry.field(description="Its name for people.")
    status: FlowStatus = strawberry.field(description="Whether it takes people in.")
    version: int = strawberry.field(description="Number of the latest version, published or not.")
    published_version: int | None = strawberry.field(
        description="Number of the version that new runs enter; null for a draft."
    )
    priority: int = strawberry.field(description="When several flows could write, the highest does.")
    trigger: JSON = strawberry.field(
        description="What starts it, in the latest version; a list where there are several triggers."
    )
    definition: JSON = strawberry.field(description="The latest version's definition.")
    definition_schema_url: str = strawberry.field(description="Where the JSON Schema of definitions is, for editors.")
    diagram: str = strawberry.field(
        description="The latest version as a Mermaid flowchart, with how many wait at each step."
    )
    steps: list[FlowStepStats] = strawberry.field(
        description="What each step came to: those of the latest version in its order, then those of older ones."
    )
    stats: FlowStats = strawberry.field(description="What it came to as a whole.")
    versions: list[FlowVersion] = strawberry.field(description="All its versions, newest first.")
    runs: Connection[FlowRun] = strawberry.field(resolver=_page_of_runs, description="People's ways, newest first.")
    first_published_at: dt.datetime | None = strawberry.field(description="When it first took people in.")
    paused_at: dt.datetime | None = strawberry.field(description="Since when it is paused.")
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When it last changed.")
    run_pages: strawberry.Private[dict[RunArguments, Connection[FlowRun]]]


@strawberry.type(description="Answer to what staff do with a flow.")
class FlowPayload:
    flow: Flow | None = strawberry.field(default=None, description="The flow as it is now; null when refused.")
    warnings: list[str] = strawberry.field(
        default_factory=list, description="What keeps a saved version from being published as it is."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="What was refused, and why; nothing was changed then."
    )


@strawberry.input(description="A flow's definition: of a new flow, or the next version of one.")
class FlowInput:
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Which flow; or give the key. Without either a new one is made."
    )
    key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Name for programs, of small letters, digits, `-` and `_`: of the flow that gets a new version, "
        "or else of a new one. It cannot be changed later.",
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Name for people, up to 120 characters. Needed for a new flow; an existing one keeps its own.",
    )
    definition: JSON = strawberry.field(
        description="JSON that follows the JSON Schema at `/schemas/flow.json` of this server. Errors name the step "
        "and say what to do."
    )


@strawberry.input(description="Where runs that stand at a step go on in another version.")
class FlowStepMapping:
    from_step: str = strawberry.field(description="Key of the step in the version that they are on.")
    to_step: str = strawberry.field(description="Key of the step in the version that they are moved to.")
