"""The shop as it runs in production, for tests that attack it."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from tests.client import Api
from tests.live_server import LiveServer
from tests.patience import patience

ORIGIN = "https://harbour.example"


@pytest.fixture(scope="session")
def production(database: str) -> Iterator[LiveServer]:
    """`tradewind api` with the settings of a real shop, as a process of its own."""
    with LiveServer(
        TRADEWIND_ENV="production",
        SMTP_URL="smtp://localhost:9",
        PUBLIC_URL="https://api.harbour.example",
        ALLOWED_ORIGINS=ORIGIN,
        # All tests are one client to it, which asks more in a minute than a shopper; `test_point_budget` has the limit.
        RATE_LIMIT_CLIENT_POINTS="12000000",
    ) as server:
        yield server


@pytest.fixture
def http(production: LiveServer, clean_database: None) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=production.url, timeout=patience(5)) as client:
        yield client


@pytest.fixture
async def outside(production: LiveServer, clean_database: None) -> AsyncIterator[Api]:
    """The running production profile, spoken to as `api` speaks to the one in this process."""
    async with httpx2.AsyncClient(base_url=production.url, timeout=patience(5)) as client:
        yield Outside(client)


class Outside(Api):
    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._http = client
