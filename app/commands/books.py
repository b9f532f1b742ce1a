"""`tradewind invariants`."""

from app import invariants
from app.invariants import Violation
from app.runtime import running
from app.settings import Settings


async def check(settings: Settings) -> list[Violation]:
    async with running(settings):
        return await invariants.check()
