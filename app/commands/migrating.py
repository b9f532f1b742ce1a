"""`tradewind migrate`: the tables of this release, and what a shop has from the beginning."""

from app import db
from app.customers import earlier_orders
from app.flows import recipes
from app.settings import Settings


async def migrate_database(settings: Settings) -> None:
    """Needs PostgreSQL alone. What the shop has made its own of a recipe stays as it is."""
    await db.migrate(settings)
    await db.open_pool(settings)
    try:
        await recipes.install(publish=False)
        await earlier_orders.request()
    finally:
        await db.close_pool()
