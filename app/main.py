"""The composition root: settings in, ASGI application out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, WebSocketRoute

from app import events
from app.accounts.pages import routes as account_routes
from app.assisted.routes import routes as assisted_routes
from app.companies.routes import routes as company_routes
from app.customers.routes import routes as customer_routes
from app.flows.routes import routes as flow_routes
from app.gifting.routes import routes as gifting_routes
from app.invoices.routes import routes as invoice_routes
from app.logging import configure_logging
from app.messaging import inbound_twilio
from app.messaging.provider_notices.routes import routes as provider_notice_routes
from app.messaging.routes import routes as messaging_routes
from app.metrics.routes import routes as metrics_routes
from app.payments.routes import routes as payment_routes
from app.runtime import running
from app.sample import media as sample_media
from app.settings import Settings, get_settings
from app.staff.routes import routes as staff_routes
from app.surveys.routes import routes as survey_routes
from app.uploads import links
from app.uploads.downloading import download
from app.uploads.endpoint import Uploads
from app.web import health
from app.web import routes as web
from app.web.deadlines import Deadlines
from app.web.envelope import Envelope
from app.web.hosts import LOCAL_ORIGINS, KnownHosts
from app.web.shutdown import watching_signals
from app.web.webhook_proofs import WebhookProofs
from schema.context import COUNTRY_HEADER, CURRENCY_HEADER
from schema.view import View
from workers.broker import build_broker
from workers.relay import Relay

PREFLIGHT_SECONDS = 7_200
"""The longest that Chromium remembers."""


def create_app(settings: Settings | None = None) -> Starlette:
    """The API. Its lifespan opens the database and Redis; `app.runtime.running` does where no server runs one."""
    settings = settings or get_settings()
    readiness = health.Readiness(settings)
    view = View(settings, page=web.graphiql if settings.graphiql_enabled else None)
    graphql = CORSMiddleware(
        view,
        allow_origins=settings.allowed_origins,
        allow_origin_regex=LOCAL_ORIGINS if settings.is_development else None,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", COUNTRY_HEADER, CURRENCY_HEADER],
        expose_headers=["X-Request-Id", "Retry-After"],
        max_age=PREFLIGHT_SECONDS,
    )
    middleware = [
        Middleware(Envelope, settings),
        Middleware(Deadlines, settings.request_timeout_seconds),
        Middleware(WebhookProofs, settings),
    ]
    if settings.is_development:
        middleware.append(Middleware(KnownHosts, settings.public_url))

    @asynccontextmanager
    async def lifespan(application: Starlette) -> AsyncIterator[None]:
        configure_logging(settings)
        relay = Relay(build_broker(settings))
        relay.start()
        events.set_publisher(relay.publish)
        try:
            async with running(settings):
                with watching_signals(drain_seconds=settings.seconds_to_drain):
                    yield
        finally:
            readiness.close()
            events.set_publisher(None)
            relay.stop()

    application = Starlette(
        routes=[
            Route("/graphql", graphql),
            WebSocketRoute("/graphql", view),
            Route("/uploads", Uploads(settings).receive, methods=["POST"]),
            Route(f"{links.PATH}/{{token}}", download, methods=["GET"]),
            sample_media.mount(),
            *health.routes(readiness),
            *metrics_routes(settings),
            *payment_routes(settings),
            *customer_routes(),
            *account_routes(),
            *staff_routes(),
            *survey_routes(),
            *invoice_routes(),
            *gifting_routes(),
            *assisted_routes(),
            *company_routes(),
            *messaging_routes(),
            *flow_routes(),
            Route(inbound_twilio.PATH, inbound_twilio.receive, methods=["POST"]),
            *provider_notice_routes(),
            *web.routes(settings, view.schema),
        ],
        middleware=middleware,
        lifespan=lifespan,
    )
    # Starlette's redirect to the path without a slash at its end names the host that the client named, and http.
    application.router.redirect_slashes = False
    application.state.settings = settings
    return application
