"""`tradewind invariants`."""

from app.invariants import Violation
from app.runtime import running
from app.settings import Settings
from app.upkeep import checking


async def check(settings: Settings) -> list[Violation]:
    """The metrics tell of what it finds."""
    async with running(settings):
        return await checking.check_and_remember(settings)
