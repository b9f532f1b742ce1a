"""A mail to the shop's own contact address."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from app.flows.steps.base import Go, Result, Step, step_kind
from app.flows.steps.holdout import HOLDOUT
from app.messaging import staff_notices

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given


@step_kind("notify_staff")
@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyStaff(Step):
    subject: str
    text: str

    @classmethod
    def parse(cls, given: "Given") -> Self:
        return cls(key=given["key"], then=given.get("then"), subject=given["subject"], text=given["text"])

    async def run(self, execution: "Execution") -> Result:
        if execution.run.in_holdout:
            return Go(outcome="SKIPPED", reason=HOLDOUT)
        message_id = await staff_notices.reserve(
            dedupe_key=f"run:{execution.run.id}:{self.key}:staff",
            subject=self.subject,
            text=self.text,
            profile_id=execution.run.profile_id,
        )
        return Go(message_id=message_id) if message_id else Go(outcome="SKIPPED", reason="NO_ADDRESS")
