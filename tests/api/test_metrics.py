"""What Prometheus reads: who may, what it is told, and that it is told nothing else."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app import db, events, rate_limit
from app.kit.ids import new_id
from app.main import create_app
from app.metrics import shop as shop_metrics
from app.settings import Environment, Settings
from tests.client import Api
from tests.environment import SECRET_KEY
from tests.factories import shop
from tests.faults.shopping import Guest, open_shop

TOKEN = "a-token-of-the-monitoring"


@pytest.fixture(autouse=True)
def _not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop_metrics, "KEPT_SECONDS", 0)


async def scraped(api: Api) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    response = await api.http.get("/metrics")
    assert response.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def labelled(name: str, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return name, tuple(sorted(labels.items()))


@asynccontextmanager
async def production(settings: Settings, **more: object) -> AsyncIterator[Api]:
    changed = settings.model_copy(update={"environment": Environment.PRODUCTION, **more})
    api = Api(create_app(changed))
    try:
        yield api
    finally:
        await api.close()


@pytest.mark.usefixtures("clean_database")
async def test_production_shows_metrics_to_nobody_unless_a_token_is_set(settings: Settings) -> None:
    async with production(settings) as api:
        assert (await api.http.get("/metrics")).status_code == 404


@pytest.mark.usefixtures("clean_database")
@pytest.mark.parametrize("sent", [None, "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer ", f"Bearer {TOKEN}x"])
async def test_only_the_bearer_of_the_token_reads_them(settings: Settings, sent: str | None) -> None:
    async with production(settings, metrics_token=TOKEN) as api:
        refused = await api.http.get("/metrics", headers={"Authorization": sent} if sent else {})
        assert refused.status_code == 401
        assert "tradewind_" not in refused.text
        assert (await api.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 200


def test_other_machines_need_a_token(settings: Settings) -> None:
    sent = {
        "TRADEWIND_ENV": "production",
        "database_url": settings.database_url,
        "redis_url": settings.redis_url,
        "secret_keys": SECRET_KEY,
        "smtp_url": "smtp://localhost",
        "metrics_host": "0.0.0.0",
    }
    with pytest.raises(ValueError, match="METRICS_TOKEN is missing"):
        Settings.model_validate(sent)
    with pytest.raises(ValueError, match="METRICS_TOKEN has fewer"):
        Settings.model_validate({**sent, "metrics_token": "short"})
    assert Settings.model_validate({**sent, "metrics_token": TOKEN})


async def test_operations_are_counted_by_the_schemas_names_and_their_outcome(api: Api) -> None:
    await shop.shop()
    before = await scraped(api)
    await api.query("query Canary { innocent: shop { name } }")
    await api.query("query Canary { canaryField }")
    await api.query('mutation { cartLinesAdd(cartId: "x", lines: []) { userErrors { code } } }')
    await api.query("{ shop { name } __typename one: products(first: 1) { nodes { id } } }")
    await api.query("{ __schema { queryType { name } } }")
    after = await scraped(api)
    new = {key: value - before.get(key, 0) for key, value in after.items() if key[0] == "tradewind_requests_total"}
    assert {key: value for key, value in new.items() if value} == {
        labelled("tradewind_requests_total", operation="shop", outcome="ok"): 1,
        labelled("tradewind_requests_total", operation="unknown", outcome="invalid"): 1,
        labelled("tradewind_requests_total", operation="cartLinesAdd", outcome="refused"): 1,
        labelled("tradewind_requests_total", operation="several", outcome="ok"): 1,
        labelled("tradewind_requests_total", operation="introspection", outcome="ok"): 1,
    }
    text = (await api.http.get("/metrics")).text
    assert "anary" not in text
    assert "innocent" not in text


async def test_checkouts_and_the_gateway_are_counted(api: Api, drain: Callable[[], Awaitable[None]]) -> None:
    variant = await open_shop(stock=1)
    before = await scraped(api)

    async def post(document: str, variables: dict[str, object]) -> dict[str, object]:
        result = await api.query(document, variables)
        return {"data": result.data}

    first, second = Guest(variant, post), Guest(variant, post)
    await first.fill_cart()
    await second.fill_cart()
    await first.pay()
    await second.pay()
    assert second.errors == ["INSUFFICIENT_STOCK"]
    await drain()
    after = await scraped(api)

    def more(name: str, **labels: str) -> float:
        key = labelled(name, **labels)
        return after.get(key, 0) - before.get(key, 0)

    assert more("tradewind_checkouts_total", outcome="placed") == 1
    assert more("tradewind_checkouts_total", outcome="INSUFFICIENT_STOCK") == 1
    assert more("tradewind_payment_calls_total", gateway="test", call="authorise", outcome="answered") == 1
    assert more("tradewind_message_sends_total", channel="EMAIL", provider="inbox", outcome="accepted") == 1
    assert more("tradewind_event_handler_seconds_count", handler="messaging.order_confirmation") == 1


async def test_work_that_waits_is_seen_with_its_age(api: Api) -> None:
    async with db.unit_of_work():
        due = await events.record("test.nobody_listens")
        tried = await events.record("test.nobody_listens")
        await events.record("test.nobody_listens", delay_seconds=3600)
    await db.execute("UPDATE events SET created_at = clock_timestamp() - interval '90 s' WHERE id = $1", due)
    await db.execute(
        "UPDATE events SET created_at = clock_timestamp() - interval '9 min', attempts = 3 WHERE id = $1", tried
    )
    await db.execute(
        """
        INSERT INTO dead_letters (id, event_id, event_type, handler, cause, attempts, created_at)
        VALUES ($1, $2, 'test', 'test', '', 12, clock_timestamp())
        """,
        new_id(),
        tried,
    )
    await db.execute(
        """
        INSERT INTO timers (id, kind, subject_id, payload, due_at, created_at)
        VALUES ($1, 'test', $1, '{}', business_now() - interval '5 min', clock_timestamp())
        """,
        new_id(),
    )
    found = await scraped(api)
    assert found[labelled("tradewind_events_undelivered", state="waiting")] == 1
    assert found[labelled("tradewind_events_undelivered", state="trying")] == 1
    assert 90 <= found[labelled("tradewind_oldest_event_age_seconds", state="waiting")] < 150
    assert 540 <= found[labelled("tradewind_oldest_event_age_seconds", state="trying")] < 600
    assert found[labelled("tradewind_dead_letters_open")] == 1
    assert 300 <= found[labelled("tradewind_oldest_due_timer_age_seconds")] < 360
    assert found[labelled("tradewind_shop_readable", source="database")] == 1
    assert found[labelled("tradewind_shop_readable", source="broker")] == 1
    assert found[labelled("tradewind_queue_jobs", state="waiting")] == 0
    await db.execute("DELETE FROM dead_letters")


async def test_what_cannot_be_read_is_said_and_the_rest_is_told(
    api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_: Settings) -> list[object]:
        raise OSError

    monkeypatch.setattr(shop_metrics, "_ask_database", fails)
    found = await scraped(api)
    assert found[labelled("tradewind_shop_readable", source="database")] == 0
    assert found[labelled("tradewind_shop_readable", source="broker")] == 1
    assert labelled("tradewind_dead_letters_open") not in found
    assert any(name == "tradewind_requests_total" for name, _ in found)


async def test_labels_are_few(api: Api) -> None:
    """Their names are the code's; nothing that a person or a request brings can become one."""
    response = await api.http.get("/metrics")
    names = set(re.findall(r'[{,](\w+)="', response.text))
    assert names <= {
        "operation", "outcome", "status", "gateway", "call", "channel", "provider", "limit", "state", "handler", "kind",
        "le", "table", "source", "invariant", "work",
    }  # fmt: skip


async def test_what_rate_limits_turn_away_is_counted_by_the_rule(api: Api) -> None:
    before = await scraped(api)
    await rate_limit.allow("canary_rule", "canary@example.com", limit=1, window_seconds=60)
    with pytest.raises(rate_limit.RateLimitedError):
        await rate_limit.allow("canary_rule", "canary@example.com", limit=1, window_seconds=60)
    key = labelled("tradewind_rate_limited_total", limit="canary_rule")
    assert key not in before
    assert (await scraped(api))[key] == 1
