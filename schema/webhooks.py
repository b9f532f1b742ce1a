"""Outgoing webhooks: endpoints of other systems, and every delivery to them."""

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import orjson
import strawberry

from app import db
from app.kit import ids
from app.kit.pagination import page_request
from app.staff.permissions import Permission
from app.webhooks import queries, service
from app.webhooks.delivery import DISABLED, FAILING, GONE, REPLACED
from app.webhooks.event_types import PUBLIC_EVENTS
from app.webhooks.models import DeliveryState
from app.webhooks.service import DELIVERY_PREFIX, ENDPOINT_PREFIX, EndpointChange
from schema.access import STAFF, mutation, query
from schema.connections import After, Connection, First
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.inputs import given_fields
from schema.nodes import Node, node_loader
from schema.selection import Selection

_WRITE = STAFF(Permission.INTEGRATIONS_WRITE)

describe_enum(
    DeliveryState,
    "How far a delivery has got.",
    PENDING="Not delivered yet; it is tried eleven times over three days.",
    DELIVERED="Answered with a status from 200 to 299.",
    FAILED="Given up; `webhookReplay` delivers it anew.",
)


class WebhookDisabledReason(StrEnum):
    GONE = GONE
    FAILING = FAILING


describe_enum(
    WebhookDisabledReason,
    "Why the shop itself switched an endpoint off.",
    GONE="It answered 410 Gone.",
    FAILING="It answered nothing right for five days.",
)


@strawberry.type(description="Where another system hears of events.")
class WebhookEndpoint(Node):
    name: str = strawberry.field(description="For staff.")
    url: str = strawberry.field(description="What is called, by POST.")
    event_types: list[str] = strawberry.field(description="What it hears of; empty for all public events.")
    enabled: bool = strawberry.field(description="Whether it is called.")
    failing_since: dt.datetime | None = strawberry.field(description="Since when every answer was wrong; real time.")
    disabled_reason: WebhookDisabledReason | None = strawberry.field(
        description="Why the shop switched it off; null while it is on, or when staff did."
    )
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When staff last changed it.")

    @classmethod
    def of(cls, row: db.Record) -> "WebhookEndpoint":
        reason = row["disabled_reason"]
        return cls(
            id=strawberry.ID(ids.encode(ENDPOINT_PREFIX, row["id"])),
            name=row["name"],
            url=row["url"],
            event_types=orjson.loads(row["event_types"]),
            enabled=row["enabled"],
            failing_since=row["failing_since"],
            disabled_reason=WebhookDisabledReason(reason) if reason else None,
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )


@strawberry.type(description="One event, or one step of a flow, on its way to one endpoint.")
class WebhookDelivery(Node):
    endpoint_id: strawberry.ID = strawberry.field(description="Where it goes.")
    event_type: str = strawberry.field(description="Such as `order.placed`.")
    state: DeliveryState = strawberry.field(description="How far it has got.")
    attempts: int = strawberry.field(description="How often it was tried.")
    status_code: int | None = strawberry.field(description="What the last attempt was answered with, if it was.")
    detail: str | None = strawberry.field(
        description=f"What went wrong where there was no answer; {DISABLED} or {REPLACED} where nobody was asked."
    )
    body: str | None = strawberry.field(description="What is sent; null after 30 days.")
    replay_of: strawberry.ID | None = strawberry.field(description="The delivery that this one repeats.")
    run_id: strawberry.ID | None = strawberry.field(description="The flow's run that asked for it.")
    created_at: dt.datetime = strawberry.field(description="When it was decided on; real time.")
    finished_at: dt.datetime | None = strawberry.field(description="When it was delivered or given up.")

    @classmethod
    def of(cls, row: db.Record) -> "WebhookDelivery":
        return cls(
            id=strawberry.ID(ids.encode(DELIVERY_PREFIX, row["id"])),
            endpoint_id=strawberry.ID(ids.encode(ENDPOINT_PREFIX, row["endpoint_id"])),
            event_type=row["event_type"],
            state=DeliveryState(row["state"]),
            attempts=row["attempts"],
            status_code=row["status_code"],
            detail=row["detail"],
            body=row["body"] or None,
            replay_of=strawberry.ID(ids.encode(DELIVERY_PREFIX, row["replay_of"])) if row["replay_of"] else None,
            run_id=strawberry.ID(ids.encode("frun", row["run_id"])) if row["run_id"] else None,
            created_at=row["created_at"],
            finished_at=row["finished_at"],
        )


@strawberry.type(description="Something in a webhook's `data`.")
class WebhookEventField:
    name: str = strawberry.field(description="Its key.")
    description: str = strawberry.field(description="What it says; ids are those of this API.")


@strawberry.type(description="An event that webhooks can hear of.")
class WebhookEventType:
    name: str = strawberry.field(description="The `type` in the body.")
    description: str = strawberry.field(description="When it happens.")
    data: list[WebhookEventField] = strawberry.field(description="What is in the body's `data`.")


@strawberry.input(description="A new endpoint.")
class WebhookEndpointInput:
    name: str = strawberry.field(description="For staff, up to 120 characters.")
    url: str = strawberry.field(description="https:// or http://, on the public internet.")
    event_types: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="What it hears of (`webhookEventTypes`); left out or empty, everything."
    )
    enabled: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it is called; true if left out."
    )


@strawberry.input(description="What is left out or null stays as it is.")
class WebhookEndpointUpdateInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="For staff, up to 120 characters.")
    url: str | None = strawberry.field(default=strawberry.UNSET, description="https:// or http://.")
    event_types: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="They take the place of all that it has; an empty list means everything."
    )
    enabled: bool | None = strawberry.field(
        default=strawberry.UNSET, description="true also forgets that it has failed."
    )


@strawberry.type(description="Answer to everything that makes or changes an endpoint.")
class WebhookEndpointPayload:
    endpoint: WebhookEndpoint | None = strawberry.field(default=None, description="The endpoint as it is now.")
    secret: str | None = strawberry.field(
        default=None,
        description="What its deliveries are signed with (`whsec_…`, Standard Webhooks). Shown when it is made or "
        "rotated, and never again.",
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `webhookEndpointDelete`.")
class WebhookEndpointDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The endpoint that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `webhookTest` and `webhookReplay`.")
class WebhookDeliveryPayload:
    delivery: WebhookDelivery | None = strawberry.field(default=None, description="The new delivery, on its way.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `webhookReplayFailed`.")
class WebhookReplayPayload:
    replayed: int | None = strawberry.field(default=None, description="How many deliveries are on their way again.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


EndpointId = Annotated[strawberry.ID, strawberry.argument(description="Id of the endpoint.")]


@strawberry.type
class WebhookQueries:
    @query(access=_WRITE, description="Endpoints of other systems, newest first.")
    async def webhook_endpoints(
        self, info: Info, first: First = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> Connection[WebhookEndpoint]:
        size = None if first is strawberry.UNSET else first
        request = page_request(size, after or None, order=queries.CURSOR_ENDPOINTS)
        page = await queries.endpoints_page(request, count="totalCount" in Selection.of(info))
        return Connection[WebhookEndpoint].of(page, [WebhookEndpoint.of(row) for row in page.items])

    @query(access=_WRITE, description="Deliveries to endpoints, newest first.")
    async def webhook_deliveries(
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        endpoint_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only to this endpoint.")
        ] = strawberry.UNSET,
        state: Annotated[
            DeliveryState | None, strawberry.argument(description="Only what has got this far.")
        ] = strawberry.UNSET,
    ) -> Connection[WebhookDelivery]:
        page = await queries.deliveries_page(
            page_request(None if first is strawberry.UNSET else first, after or None, order=queries.CURSOR_DELIVERIES),
            ids.decode(ENDPOINT_PREFIX, endpoint_id, ["endpointId"]) if endpoint_id else None,
            state or None,
            count="totalCount" in Selection.of(info),
        )
        return Connection[WebhookDelivery].of(page, [WebhookDelivery.of(row) for row in page.items])

    @query(
        access=_WRITE,
        description="What webhooks can hear of. A body is `{type, timestamp, data}`; it is signed as Standard Webhooks "
        "says, in the headers webhook-id, webhook-timestamp and webhook-signature.",
    )
    async def webhook_event_types(self, info: Info) -> list[WebhookEventType]:
        return [
            WebhookEventType(
                name=event.name,
                description=event.description,
                data=[WebhookEventField(name=datum.name, description=datum.description) for datum in event.data],
            )
            for event in PUBLIC_EVENTS.values()
        ]


@strawberry.type
class WebhookMutations:
    @mutation(access=_WRITE, description="Let another system hear of events. The answer has the signing secret.")
    async def webhook_endpoint_create(
        self, info: Info, input: Annotated[WebhookEndpointInput, strawberry.argument(description="The endpoint.")]
    ) -> WebhookEndpointPayload:
        endpoint_id, secret = await service.create_endpoint(_change(input))
        return WebhookEndpointPayload(endpoint=await _endpoint(endpoint_id), secret=secret)

    @mutation(access=_WRITE, description="Change an endpoint, or switch it on and off.")
    async def webhook_endpoint_update(
        self,
        info: Info,
        id: EndpointId,
        input: Annotated[WebhookEndpointUpdateInput, strawberry.argument(description="What changes.")],
    ) -> WebhookEndpointPayload:
        endpoint_id = ids.decode(ENDPOINT_PREFIX, id, ["id"])
        await service.update_endpoint(endpoint_id, _change(input))
        return WebhookEndpointPayload(endpoint=await _endpoint(endpoint_id))

    @mutation(access=_WRITE, description="Forget an endpoint and its deliveries.")
    async def webhook_endpoint_delete(self, info: Info, id: EndpointId) -> WebhookEndpointDeletePayload:
        await service.delete_endpoint(ids.decode(ENDPOINT_PREFIX, id, ["id"]))
        return WebhookEndpointDeletePayload(deleted_id=id)

    @mutation(
        access=_WRITE,
        description="Make a new signing secret. For a day, deliveries carry a signature with the old one as well, so "
        "that the receiver can change over.",
    )
    async def webhook_endpoint_secret_rotate(self, info: Info, id: EndpointId) -> WebhookEndpointPayload:
        endpoint_id = ids.decode(ENDPOINT_PREFIX, id, ["id"])
        secret = await service.rotate_secret(endpoint_id)
        return WebhookEndpointPayload(endpoint=await _endpoint(endpoint_id), secret=secret)

    @mutation(access=_WRITE, description="Deliver a `webhook.test` to an endpoint, to see that it arrives.")
    async def webhook_test(self, info: Info, endpoint_id: EndpointId) -> WebhookDeliveryPayload:
        delivery_id = await service.send_test(ids.decode(ENDPOINT_PREFIX, endpoint_id, ["endpointId"]))
        return WebhookDeliveryPayload(delivery=await _delivery(delivery_id))

    @mutation(access=_WRITE, description="Deliver something once more, with an id of its own.")
    async def webhook_replay(
        self,
        info: Info,
        delivery_id: Annotated[strawberry.ID, strawberry.argument(description="Id of the delivery.")],
    ) -> WebhookDeliveryPayload:
        replayed = await service.replay(ids.decode(DELIVERY_PREFIX, delivery_id, ["deliveryId"]))
        return WebhookDeliveryPayload(delivery=await _delivery(replayed))

    @mutation(
        access=_WRITE,
        description="Deliver again what an endpoint missed: its failed deliveries, the oldest first and up to 1,000, "
        "each of them once.",
    )
    async def webhook_replay_failed(
        self,
        info: Info,
        endpoint_id: EndpointId,
        since: Annotated[dt.datetime, strawberry.argument(description="From when on; real time.")],
    ) -> WebhookReplayPayload:
        endpoint = ids.decode(ENDPOINT_PREFIX, endpoint_id, ["endpointId"])
        return WebhookReplayPayload(replayed=await service.replay_failed(endpoint, since))


def _change(input: WebhookEndpointInput | WebhookEndpointUpdateInput) -> EndpointChange:
    change: Any = {name: value for name, value in given_fields(input).items() if value is not None}
    checked: EndpointChange = change
    return checked


async def _endpoint(endpoint_id: Any) -> WebhookEndpoint:
    return WebhookEndpoint.of((await queries.endpoints_by_ids([endpoint_id]))[endpoint_id])


async def _delivery(delivery_id: Any) -> WebhookDelivery:
    return WebhookDelivery.of((await queries.deliveries_by_ids([delivery_id]))[delivery_id])


def _may_see(info: Info) -> bool:
    staff = info.context.staff
    return staff is not None and staff.may(Permission.INTEGRATIONS_WRITE)


@node_loader(ENDPOINT_PREFIX)
async def _endpoints(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    wanted = [ids.decode(ENDPOINT_PREFIX, text, ["id"]) for text in texts]
    found = await queries.endpoints_by_ids(wanted) if _may_see(info) else {}
    return [WebhookEndpoint.of(found[one]) if one in found else None for one in wanted]


@node_loader(DELIVERY_PREFIX)
async def _deliveries(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    wanted = [ids.decode(DELIVERY_PREFIX, text, ["id"]) for text in texts]
    found = await queries.deliveries_by_ids(wanted) if _may_see(info) else {}
    return [WebhookDelivery.of(found[one]) if one in found else None for one in wanted]
