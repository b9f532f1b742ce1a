"""`tradewind retention`."""

from app.privacy import keeping, retention
from app.runtime import running
from app.settings import Settings


async def due(settings: Settings) -> list[str]:
    """A line for each kind of data, with its period and what is over it by now."""
    async with running(settings):
        counted: dict[retention.RetentionKind, dict[str, int]] = {}
        for sweep, rows in await keeping.due():
            tables = counted.setdefault(sweep.kind, {})
            tables[sweep.step.table] = tables.get(sweep.step.table, 0) + rows
        kept = await retention.periods()
    return [_line(period, counted[period.kind]) for period in kept if period.kind in counted]


def _line(kept: retention.Kept, tables: dict[str, int]) -> str:
    rows = ", ".join(f"{table} {count}" for table, count in tables.items())
    return f"{kept.kind.value:<20} {kept.days:>6} days   {rows}"
