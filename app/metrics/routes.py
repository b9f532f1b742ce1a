"""`/metrics` of the API. In production it exists only behind METRICS_TOKEN."""

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.metrics import exposing
from app.metrics.guard import may_read
from app.metrics.shop import ShopHealth
from app.settings import Settings

PATH = "/metrics"


def routes(settings: Settings) -> list[BaseRoute]:
    """Nothing in production without a token: the API's port is open to everybody."""
    if settings.is_production and settings.metrics_token is None:
        return []
    shop = ShopHealth(settings)

    async def metrics(request: Request) -> Response:
        if not may_read(settings, request.headers.get("authorization")):
            return PlainTextResponse(
                "Metrics need the bearer token of METRICS_TOKEN.\n", 401, headers={"WWW-Authenticate": "Bearer"}
            )
        known = await shop.metrics()
        # Adding up the files of other processes reads from disk.
        text = await run_in_threadpool(exposing.exposition, known)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})

    return [Route(PATH, metrics)]
