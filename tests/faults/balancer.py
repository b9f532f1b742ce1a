"""A load balancer as shops have one: it asks each server whether it is ready, and sends requests to those that are."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from tests.patience import patience

ASK_EVERY_SECONDS = 0.2


class Balancer:
    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def ready(self) -> list[str]:
        return [url for url, is_ready in self._known.items() if is_ready]

    def add(self, url: str) -> None:
        self._known[url] = False

    def remove(self, url: str) -> None:
        del self._known[url]

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        async with httpx2.AsyncClient(timeout=patience(5)) as client:
            asking = asyncio.create_task(self._ask(client))
            try:
                yield
            finally:
                asking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await asking

    async def _ask(self, client: httpx2.AsyncClient) -> None:
        while True:
            for url in list(self._known):
                is_ready = False
                with contextlib.suppress(httpx2.TransportError):
                    is_ready = (await client.get(f"{url}/health/ready")).status_code == 200
                if url in self._known:
                    self._known[url] = is_ready
            await asyncio.sleep(ASK_EVERY_SECONDS)
