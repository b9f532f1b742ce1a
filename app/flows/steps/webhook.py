"""Telling another system."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from app.errors import DomainError
from app.flows.steps.base import Go, Result, Step, step_kind
from app.flows.steps.holdout import HOLDOUT
from app.kit.ids import decode, encode

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given

EVENT_TYPE = "flow.step"
"""What the receiver gets as the type."""


@step_kind("webhook")
@dataclass(frozen=True, slots=True, kw_only=True)
class CallWebhook(Step):
    endpoint_id: uuid.UUID
    body: Mapping[str, Any]

    @classmethod
    def parse(cls, given: "Given") -> Self:
        return cls(
            key=given["key"],
            then=given.get("then"),
            endpoint_id=decode("whe", given["endpoint"]),
            body=dict(given.get("data", {})),
        )

    async def run(self, execution: "Execution") -> Result:
        from app.webhooks import service as webhooks  # type: ignore[attr-defined]

        run = execution.run
        if run.in_holdout:
            return Go(outcome="SKIPPED", reason=HOLDOUT)
        payload = {
            "flowKey": execution.flow.key,
            "stepKey": self.key,
            "runId": encode("frun", run.id),
            "profileId": encode("prof", run.profile_id),
            "trigger": {"type": run.trigger_type, **run.trigger},
            "data": dict(self.body),
        }
        try:
            delivery_id = await webhooks.enqueue(
                endpoint_id=self.endpoint_id,
                event_type=EVENT_TYPE,
                payload=payload,
                dedupe_key=f"run:{run.id}:{self.key}",
                run_id=run.id,
            )
        except DomainError as error:
            return Go(outcome="FAILED", reason=error.code.name)
        return Go(detail={"deliveryId": str(delivery_id)})
