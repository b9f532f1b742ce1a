"""Changing what the shop knows of the person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import orjson

from app import db
from app.customers import timeline
from app.flows.steps.base import Go, Result, Step, step_kind
from app.flows.steps.holdout import HOLDOUT

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given

MAX_PROPERTIES_BYTES = 64 * 1024
PROPERTIES_FULL = "PROPERTIES_FULL"

_UPDATE = """
    UPDATE profiles SET properties = (properties || $2::jsonb) - $3::text[], stage = coalesce($4, stage),
        marketing_held_until = CASE WHEN $5::interval IS NULL THEN marketing_held_until
                                    ELSE greatest(marketing_held_until, business_now() + $5::interval) END,
        updated_at = business_now()
    WHERE id = $1 AND length(((properties || $2::jsonb) - $3::text[])::text) <= $6
"""


@step_kind("update_profile")
@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProfile(Step):
    properties: Mapping[str, Any]
    stage: str | None
    hold_marketing: timedelta | None

    @classmethod
    def parse(cls, given: "Given") -> Self:
        return cls(
            key=given["key"],
            then=given.get("then"),
            properties=dict(given.get("set", {})),
            stage=given.get("stage"),
            hold_marketing=given.optional_period("holdMarketing"),
        )

    async def run(self, execution: "Execution") -> Result:
        run = execution.run
        if run.in_holdout:
            return Go(outcome="SKIPPED", reason=HOLDOUT)
        changed = await db.execute(
            _UPDATE,
            run.profile_id,
            orjson.dumps({name: value for name, value in self.properties.items() if value is not None}).decode(),
            [name for name, value in self.properties.items() if value is None],
            self.stage,
            self.hold_marketing,
            MAX_PROPERTIES_BYTES,
        )
        if not changed:
            return Go(outcome="FAILED", reason=PROPERTIES_FULL)
        names = [f"properties.{name}" for name in self.properties]
        names += ["stage"] if self.stage else []
        names += ["marketingHeldUntil"] if self.hold_marketing else []
        await timeline.record("profile.updated", profile_id=run.profile_id, data={"changed": ",".join(names)})
        execution.forget_facts()
        return Go(detail={"changed": names})
