"""What every route of the production profile answers with, whatever it answers, and to which origins."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from pydantic import ValidationError
from starlette.routing import Mount, Route

from app.main import create_app
from app.settings import Settings
from tests.environment import make_settings
from tests.factories import shop

ORIGIN = "https://harbour.example"
KEPT_BY_BROWSERS = {"/static/{version}/{name:path}", "/media", "/schemas/flow.json"}
"""That say themselves for how long; everything else is nobody's to keep."""


def production(settings: Settings, **more: object) -> Settings:
    values: dict[str, object] = {
        "TRADEWIND_ENV": "production",
        "smtp_url": "smtp://localhost",
        "public_url": "https://api.harbour.example",
        "allowed_origins": ORIGIN,
        "graphiql": True,
        "metrics_token": "a-token-that-only-we-know",
    }
    return make_settings(settings.database_url, settings.redis_url, **{**values, **more})


@pytest.fixture
async def client(settings: Settings, clean_database: None) -> AsyncIterator[httpx2.AsyncClient]:
    await shop.shop()
    transport = httpx2.ASGITransport(create_app(production(settings)))
    async with httpx2.AsyncClient(transport=transport, base_url="https://api.harbour.example") as http:
        yield http


async def test_every_answer_of_every_route_carries_the_security_headers(
    settings: Settings, client: httpx2.AsyncClient
) -> None:
    routes = [route for route in create_app(production(settings)).routes if isinstance(route, (Route, Mount))]
    assert len(routes) > 20
    paths = [(route.path, route.path_format.replace("{", "").replace("}", "")) for route in routes]
    for declared, path in [*paths, ("", "/nowhere"), ("", "/graphql/"), ("", "//evil.example/"), ("", "/%00")]:
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            headers = {"Accept": "text/html"} if method == "GET" else {}
            answer = await client.request(method, path, headers=headers)
            named = (method, path, answer.status_code)
            assert answer.status_code < 500, named
            policy = answer.headers["content-security-policy"]
            directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
            assert directives["default-src"] == "'none'", named
            assert directives["frame-ancestors"] == "'none'", named
            assert "unsafe" not in policy, named
            assert "*" not in policy, named
            assert answer.headers["x-content-type-options"] == "nosniff", named
            assert answer.headers["x-frame-options"] == "DENY", named
            assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin"), named
            assert answer.headers["cross-origin-opener-policy"] == "same-origin", named
            assert answer.headers["strict-transport-security"] == "max-age=31536000", named
            assert answer.headers["x-request-id"], named
            assert "server" not in answer.headers, named
            if declared not in KEPT_BY_BROWSERS:
                assert "no-store" in answer.headers["cache-control"], named
            if answer.is_redirect:
                assert "evil" not in answer.headers["location"], named


async def test_html_has_no_inline_scripts(client: httpx2.AsyncClient) -> None:
    page = await client.get("/graphql", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]
    assert "<script>" not in page.text


async def test_hsts_is_for_https_alone(settings: Settings, clean_database: None) -> None:
    app = create_app(production(settings, public_url="http://api.harbour.example"))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://a") as http:
        assert "strict-transport-security" not in (await http.get("/health/live")).headers


# --- origins ----------------------------------------------------------------------------------------------------------


async def test_an_allowed_origin_may_read_and_nobody_else(client: httpx2.AsyncClient) -> None:
    for origin, allowed in (
        (ORIGIN, True),
        ("https://evil.example", False),
        ("null", False),
        ("http://harbour.example", False),
        ("https://harbour.example.evil.example", False),
        ("https://evil-harbour.example", False),
        ("http://localhost:3000", False),
    ):
        answer = await client.post("/graphql", json={"query": "{ __typename }"}, headers={"Origin": origin})
        assert (answer.headers.get("access-control-allow-origin") == origin) == allowed, origin
        assert "access-control-allow-credentials" not in answer.headers
        preflight = await client.options(
            "/graphql", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        )
        assert ("access-control-allow-origin" in preflight.headers) == allowed, origin
        assert preflight.status_code == (200 if allowed else 400)
        if allowed:
            assert "Origin" in answer.headers["vary"]
            assert "Retry-After" in answer.headers["access-control-expose-headers"]


async def test_every_origin_never_with_credentials(settings: Settings, clean_database: None) -> None:
    app = create_app(production(settings, allowed_origins="*"))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="https://a") as http:
        headers = {"Origin": "https://evil.example", "Cookie": "a=b"}
        answer = await http.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
    assert answer.headers["access-control-allow-origin"] in ("*", "https://evil.example")
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["null", "harbour.example", "https://harbour.example/path", "file://"])
def test_what_is_no_origin_is_refused_at_the_start(settings: Settings, origin: str) -> None:
    with pytest.raises(ValidationError):
        production(settings, allowed_origins=origin)
