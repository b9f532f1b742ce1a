"""Brings the development database up to date: run as `python -m app.dev.prepare`, before the shop's own processes."""

import asyncio

from app import db


async def prepare() -> None:
    await db.migrate()


if __name__ == "__main__":
    asyncio.run(prepare())
