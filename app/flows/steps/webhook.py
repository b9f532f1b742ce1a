"""Telling another system."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import orjson

from app.flows.steps.base import Go, Result, Step, step_kind
from app.flows.steps.holdout import HOLDOUT
from app.kit.ids import decode, encode
from app.webhooks import service as webhooks

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given

EVENT_TYPE = "flow.step"
"""What the receiver gets as the type."""
PRIVATE = frozenset({"code", "query", "url", "clientKey", "visitorId"})
"""Of a trigger's data, what stays here: a coupon's code can be spent, and what was searched for is private."""
MAX_BODY_BYTES = 32 * 1024
"""Half of what a delivery may have: the rest is for what the run tells."""


def told_of(trigger: Mapping[str, Any]) -> dict[str, Any]:
    """What another system gets of a trigger: ids and facts, as with every webhook."""
    return {name: value for name, value in trigger.items() if name not in PRIVATE}


@step_kind("webhook")
@dataclass(frozen=True, slots=True, kw_only=True)
class CallWebhook(Step):
    endpoint_id: uuid.UUID
    body: Mapping[str, Any]

    @classmethod
    def parse(cls, given: "Given") -> Self:
        body = dict(given.get("data", {}))
        if len(orjson.dumps(body)) > MAX_BODY_BYTES:
            given.problem(f"`data` can have {MAX_BODY_BYTES // 1024} KiB at most.", "data")
        return cls(
            key=given["key"],
            then=given.get("then"),
            endpoint_id=decode("whe", given["endpoint"]),
            body=body,
        )

    async def run(self, execution: "Execution") -> Result:
        run = execution.run
        if run.in_holdout:
            return Go(outcome="SKIPPED", reason=HOLDOUT)
        payload = {
            "flowKey": execution.flow.key,
            "stepKey": self.key,
            "runId": encode("frun", run.id),
            "profileId": encode("prof", run.profile_id),
            "trigger": {"type": run.trigger_type, **told_of(run.trigger)},
            "data": dict(self.body),
        }
        delivery_id = await webhooks.enqueue(
            endpoint_id=self.endpoint_id,
            event_type=EVENT_TYPE,
            payload=payload,
            dedupe_key=f"run:{run.id}:{self.key}",
            run_id=run.id,
        )
        return Go(detail={"deliveryId": str(delivery_id)})
