"""`tradewind reconcile`: compare payments with the gateways now, and list what is open."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.payments import discrepancies, reconciling
from app.payments.discrepancies import Discrepancy
from app.payments.reconciling import Reconciled
from app.payments.registry import gateways
from app.runtime import running
from app.settings import Settings

MAX_LISTED = 50


@dataclass(frozen=True, slots=True)
class Compared:
    runs: list[Reconciled]
    open: list[Discrepancy]


async def reconcile(settings: Settings, days: int | None) -> Compared:
    """As the scheduler does; safe beside it.

    Args:
        days: how far to go back, in real time; from where the last run left off unless given.
    """
    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    async with running(settings):
        runs = [await reconciling.reconcile(gateway, since) for gateway in gateways().values()]
        return Compared(runs, await discrepancies.open_ones(MAX_LISTED))
