"""What storefronts tell of their visitors."""

import datetime as dt
import uuid
from typing import Annotated

import strawberry

from app.customers import activity, visitors
from app.customers.activity import CartHeld, StorefrontEvent, StorefrontEventType
from app.errors import DomainError, DomainErrors
from app.kit import ids
from app.web import robots
from schema.access import PUBLIC, mutation
from schema.cart.inputs import CART_PREFIX
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError

describe_enum(
    StorefrontEventType,
    "What a visitor did.",
    PRODUCT_VIEWED="Looked at a product; with `productId`.",
    COLLECTION_VIEWED="Looked at a collection; with `collectionId`.",
    SEARCHED="Searched the shop; with `searchQuery`.",
)


@strawberry.type(description="Answer to `visitorCreate`.")
class VisitorPayload:
    visitor_id: strawberry.ID = strawberry.field(
        description="Keep it in the browser or app, and send it with `eventsTrack`."
    )
    expires_at: dt.datetime = strawberry.field(description="Until when it is taken; get a new one then.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Always empty: nothing about it can be refused."
    )


@strawberry.input(description="One thing that a visitor did.")
class StorefrontEventInput:
    type: StorefrontEventType = strawberry.field(description="What it was.")
    product_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="For PRODUCT_VIEWED: a product on sale."
    )
    collection_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="For COLLECTION_VIEWED."
    )
    search_query: str | None = strawberry.field(
        default=strawberry.UNSET, description="For SEARCHED: what was typed, up to 200 characters."
    )
    occurred_at: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Up to 24 hours ago; left out, now."
    )
    key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Of your own making, up to 64 characters: an event that is sent again under its key counts once.",
    )

    def event(self, place: int) -> StorefrontEvent:
        """Raises DomainErrors(INVALID_ID)."""
        errors: list[DomainError] = []

        def decoded(prefix: str, text: str | None, field: str) -> uuid.UUID | None:
            try:
                return ids.decode(prefix, text, ["input", "events", place, field]) if text else None
            except DomainError as error:
                errors.append(error)
                return None

        event = StorefrontEvent(
            type=self.type,
            product_id=decoded("prod", self.product_id, "productId"),
            collection_id=decoded("coll", self.collection_id, "collectionId"),
            search_query=None if self.search_query is strawberry.UNSET else self.search_query,
            occurred_at=self.occurred_at or None,
            key=None if self.key is strawberry.UNSET else self.key,
        )
        if errors:
            raise DomainErrors(errors)
        return event


@strawberry.input(description="What a visitor did, in one go.")
class EventsTrackInput:
    visitor_id: strawberry.ID = strawberry.field(description="From `visitorCreate`.")
    cart_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="A cart that this visitor holds, the secret included: the two are one person from then on.",
    )
    events: list[StorefrontEventInput] = strawberry.field(description="Up to 50 of them.")


@strawberry.type(description="Answer to `eventsTrack`.")
class EventsTrackPayload:
    recorded_count: int | None = strawberry.field(
        default=None, description="How many of them were new; one that was sent before under its key is not."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class VisitorMutations:
    @mutation(
        access=PUBLIC,
        description="A signed id for an anonymous visitor. Nothing is kept of them until they do something.",
    )
    async def visitor_create(self) -> VisitorPayload:
        issued = visitors.issue()
        return VisitorPayload(visitor_id=strawberry.ID(issued.gid), expires_at=issued.expires_at)

    @mutation(
        access=PUBLIC,
        description="Tell what a visitor did: products and collections they looked at, and what they searched for. "
        "All of it is noted, or nothing. It joins the history of whoever the visitor turns out to be. Crawlers and "
        "pages that a browser loads ahead are answered, and nothing of theirs is noted.",
    )
    async def events_track(
        self,
        info: Info,
        input: Annotated[EventsTrackInput, strawberry.argument(description="Who, and what.")],
    ) -> EventsTrackPayload:
        visitor_id = visitors.verified(input.visitor_id, ["input", "visitorId"])
        cart = (
            CartHeld(*ids.decode_with_secret(CART_PREFIX, input.cart_id, ["input", "cartId"]))
            if input.cart_id
            else None
        )
        events = [event.event(place) for place, event in enumerate(input.events[: activity.MAX_EVENTS + 1])]
        if info.context.fetched_ahead or robots.crawls(info.context.user_agent or ""):
            return EventsTrackPayload(recorded_count=0)
        recorded = await activity.track(visitor_id, events, cart, client=info.context.client_address)
        return EventsTrackPayload(recorded_count=recorded)
