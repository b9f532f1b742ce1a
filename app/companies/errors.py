"""What buyers for companies can hear."""

from collections.abc import Sequence

from app.errors import DomainError, ErrorCode
from app.kit.money import Money


class CompanyErrorCode(ErrorCode):
    NOT_A_MEMBER = "Sign in as somebody who buys for this company."
    SPENDING_LIMIT_EXCEEDED = (
        "The order comes to more than you may order for your company at once; orderApprovalRequest asks for it."
    )
    APPROVAL_REQUIRED = (
        "Of what comes to so much for the company, an approver has to approve: orderApprovalRequest asks for it. Or "
        "the cart, or where it goes, is not what was approved any more."
    )
    APPROVAL_NOT_REQUIRED = "You may order this by yourself."
    NOT_AN_APPROVER = "Nobody decides on what they ask for themselves: another approver of the company has to."
    APPROVAL_NOT_PENDING = "It was decided on, taken back or used already, or its time is over."


class ApprovalRequired(DomainError):  # noqa: N818 - named after what happened
    """The company wants to be asked."""

    def __init__(self, threshold: Money, field: Sequence[str | int] | None = None) -> None:
        message = (
            f"What comes to more than {threshold.decimal} {threshold.currency} needs an approval; "
            "ask an approver of the company, and ask again when the cart has changed since, or where it goes."
        )
        super().__init__(CompanyErrorCode.APPROVAL_REQUIRED, message, field)
        self.threshold = threshold
