"""A single-use code for the person."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from app.errors import DomainError
from app.flows.steps.base import Go, Result, Step, Wait, step_kind
from app.flows.steps.holdout import HOLDOUT
from app.flows.steps.sending import RUN_ENDED, WAITS_FOR_OTHERS
from app.kit.money import Money
from app.shop import queries as shop

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given


@step_kind("issue_coupon")
@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCoupon(Step):
    percentage: Decimal | None
    amount: Decimal | None
    """In the shop's currency."""
    valid_for: timedelta
    name: str | None

    @classmethod
    def parse(cls, given: "Given") -> Self:
        percentage, amount = (None if (value := given.get(name)) is None else Decimal(str(value)) for name in _WORTHS)
        if amount is not None and amount <= 0:
            given.problem("`amount` has to be above 0.", "amount")
        return cls(
            key=given["key"],
            then=given.get("then"),
            percentage=percentage,
            amount=amount,
            valid_for=given.period("validFor"),
            name=given.get("name"),
        )

    async def run(self, execution: "Execution") -> Result:
        if execution.run.in_holdout:
            return Go(outcome="SKIPPED", reason=HOLDOUT)
        if (pause := await execution.others_go_first()) is not None:
            # Or its days would pass before the message that tells of it may go.
            return Wait(execution.now + pause, event=RUN_ENDED, reason=WAITS_FOR_OTHERS, memory={"waited": True})
        amount_minor = None
        try:
            if self.amount is not None:
                amount_minor = Money.from_decimal(self.amount, (await shop.current()).currency_code).amount_minor
            coupon = await execution.issue_coupon(
                issued_by=f"run:{execution.run.id}:{self.key}",
                profile_id=execution.run.profile_id,
                name=self.name or execution.flow.name,
                percentage=self.percentage,
                amount_minor=amount_minor,
                valid_for=self.valid_for,
                source_key=f"flow:{execution.flow.key}:{self.key}",
            )
        except DomainError as error:
            return Go(outcome="FAILED", reason=error.code.name)
        execution.run.state["coupon"] = {
            "code": coupon.code,
            "codeId": str(coupon.code_id),
            "endsAt": coupon.ends_at.isoformat() if coupon.ends_at else None,
        }
        return Go(detail={"codeId": str(coupon.code_id)})


_WORTHS = ("percentage", "amount")
