"""What others have to say before a message leaves: flows whether the run still wants it, campaigns whether they go on.

    @checks.before_sending("flows.exits")
    async def still_wanted(row: LedgerRow) -> MessageReason | datetime | None: ...

Messaging knows neither flows nor campaigns. They register a question that is asked when a sending starts, in the
transaction that starts it, with the cart, the profile and the row locked, in this order: what another transaction has
committed before is seen, and what commits later comes too late to call the message back.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from app.messaging.ledger import LedgerRow
from app.messaging.models import MessageReason

Check = Callable[[LedgerRow], Awaitable[MessageReason | datetime | None]]

_checks: dict[str, Check] = {}


def before_sending(name: str) -> Callable[[Check], Check]:
    """Register a question under a name of its own. It reads and locks nothing."""

    def register(check: Check) -> Check:
        if name in _checks:
            raise ValueError(f"the check {name} is registered already")
        _checks[name] = check
        return check

    return register


async def reason_against(row: LedgerRow) -> MessageReason | datetime | None:
    """The first reason that anybody has against sending the row; or the business time at which to ask again."""
    for check in list(_checks.values()):
        reason = await check(row)
        if reason is not None:
            return reason
    return None
