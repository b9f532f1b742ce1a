"""What several files of tests of the API set up alike."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.kit import http
from app.kit.http import Answer
from app.messaging.provider_notices import sns
from app.settings import Settings
from tests.client import Api
from tests.factories import notices
from tests.factories.notices import Providers


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return []


@pytest.fixture
def providers(api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch, fetched: list[str]) -> Iterator[Providers]:
    """All four set up; the certificate of SNS comes from a stand-in for the internet."""
    made = Providers(api.http, settings.public_url)
    state = api.app.state
    state.settings = notices.changed(settings, **made.settings())

    async def request(method: str, url: str, **options: Any) -> Answer:
        assert not options.get("allow_private")
        fetched.append(url)
        return Answer(200, {}, made.certificate() if url.endswith(".pem") else b"<ok/>")

    monkeypatch.setattr(http, "request", request)
    sns._keys.clear()
    yield made
    state.settings = settings
    sns._keys.clear()
