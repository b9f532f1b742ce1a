"""Who pays for a request, in points of `schema.costs`, and what is said when there are none left."""

from typing import Any

from graphql import GraphQLError

from app.accounts.identity import CustomerIdentity
from app.errors import CommonErrorCode
from app.kit.gcra import whole_seconds
from app.metrics import instruments
from app.point_budget import PointBudget, budget
from app.rate_limit import RateLimitedError, is_within
from app.settings import Settings
from app.staff.permissions import StaffIdentity

MAX_DOCUMENT_POINTS = 60_000


def document_points(text: str | None) -> int:
    """Of a document that is not known yet: parsing and checking it takes about a point for five characters."""
    return min(len(text or "") // 5, MAX_DOCUMENT_POINTS)


OPERATIONS_A_MINUTE = {
    "cartCreate": 120,
    "cartRestore": 60,
    "checkoutCreate": 120,
    "shippingQuotes": 240,
    "surveyRespond": 30,
    "order": 240,
    "tokenRefresh": 120,
}
"""By one client, of those that are open to everybody, write something or answer to a secret, and count nothing by
themselves. Each alias in a request is one."""


class Throttle:
    """The budgets of one request. The first of them is the narrowest."""

    def __init__(self, *payers: tuple[PointBudget, str], client: str | None = None) -> None:
        self._payers = payers
        self.client = client
        """Whose operations are counted; None for staff and keys."""

    def wait_seconds(self) -> int:
        """Until anything may be asked again; 0 when it may."""
        wait = max(each.wait_seconds(subject) for each, subject in self._payers)
        if not wait:
            return 0
        instruments.rate_limited("points")
        return whole_seconds(wait)

    def spend(self, points: int) -> None:
        for each, subject in self._payers:
            each.spend(subject, points)

    def count(self, operation: str) -> None:
        """One more of an operation that a client may do so often.

        Raises:
            RateLimitedError: it is not to be done.
        """
        limit = OPERATIONS_A_MINUTE.get(operation)
        if limit is None or self.client is None:
            return
        counted = budget(operation, limit)
        if wait := counted.wait_seconds(self.client):
            instruments.rate_limited(operation)
            raise RateLimitedError(wait)
        counted.spend(self.client, 1)

    def status(self) -> dict[str, int]:
        """Of the budget of which the least is left."""
        left, each = min(((each.available(subject), each) for each, subject in self._payers), key=lambda pair: pair[0])
        return {
            "maximumAvailable": each.maximum,
            "currentlyAvailable": max(left, 0),
            "restoreRate": round(each.per_second),
        }


def throttle_for(
    settings: Settings, client: str, staff: StaffIdentity | None, customer: CustomerIdentity | None
) -> Throttle | None:
    """None when nothing is to be counted.

    Staff and keys pay from their account alone: one server of an agency asks for many. Customers pay from theirs and
    from their client's, as anybody can open any number of accounts.
    """
    if staff is not None:
        points = settings.account_points_per_minute
        return Throttle((budget("account", points), staff.id.hex)) if points else None
    points = settings.client_points_per_minute
    if not points or is_within(client, tuple(settings.rate_limit_exempt)):
        return None
    payers = [(budget("client", points), client)]
    if customer is not None:
        payers.append((budget("customer", points), customer.id.hex))
    return Throttle(*payers, client=client)


def refusal(wait_seconds: int) -> GraphQLError:
    """What is answered instead of the operation."""
    extensions: dict[str, Any] = {"code": CommonErrorCode.RATE_LIMITED.name, "retryAfterSeconds": wait_seconds}
    return GraphQLError("Too much was asked in a short time; try again later.", extensions=extensions)
