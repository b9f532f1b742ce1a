"""The limit to compare with: the same answers written by hand, on nothing but Starlette, asyncpg and orjson.

Each takes the same request and gives the same answer as the API, and keeps the same rows; it has no schema, no layers
and no choice: every statement says exactly what this one shop asks for.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from starlette.applications import Starlette

from benchmarks.checkout import by_hand as checkout
from benchmarks.reading import by_hand as reading


class _Connection(asyncpg.Connection):
    """Keeps no session state, so that giving it back costs no round trip: the API does the same."""

    def get_reset_query(self) -> str:
        return ""


def create_app() -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        url = os.environ["DATABASE_URL"]
        async with asyncpg.create_pool(url, min_size=1, max_size=10, connection_class=_Connection) as pool:
            app.state.pool = pool
            yield

    return Starlette(routes=[*reading.ROUTES, *checkout.ROUTES], lifespan=lifespan)
