"""Brings the development database up to date: run as `python -m app.dev.prepare` beside the shop's own processes."""

import asyncio
import sys

from app.kit.heap import loading
from app.settings import Environment, get_settings

with loading():
    from app import db
    from app.customers import earlier_orders
    from app.flows import recipes
    from app.runtime import running


async def prepare() -> None:
    """Migrates, and fills a shop that has nothing to sell with the sample shop."""
    settings = get_settings()
    if settings.environment is not Environment.DEVELOPMENT:
        sys.exit("Sample data is for development alone.")
    await db.migrate(settings)
    async with running(settings):
        if await db.fetchval("SELECT EXISTS (SELECT FROM products)"):
            await recipes.install(publish=False)
            await earlier_orders.request()
            return
        with loading():  # not needed, and not imported, from the second start on
            from app.sample.loading import load_sample_shop
        if await load_sample_shop():
            sys.stdout.write("An empty shop: the sample shop is loaded.\n")


if __name__ == "__main__":
    asyncio.run(prepare())
