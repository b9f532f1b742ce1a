"""Orders that are not as they were sold: what only an edit may do otherwise."""

from app import db


async def rewrite(statement: str, *arguments: object) -> None:
    """Run a statement on orders or their lines past everything that keeps them as they are."""
    async with db.unit_of_work():
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute(statement, *arguments)
