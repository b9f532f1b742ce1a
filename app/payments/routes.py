"""What payment providers and, in development, shoppers reach over plain HTTP."""

from starlette.routing import BaseRoute, Route

from app.payments import dev_page, webhooks
from app.settings import Settings


def routes(settings: Settings) -> list[BaseRoute]:
    """What is added to the API's own routes."""
    added: list[BaseRoute] = [Route("/webhooks/payments/{gateway}", webhooks.receive, methods=["POST"])]
    if settings.is_development:
        added.append(Route("/dev/payments/{id:uuid}", dev_page.page, methods=["GET", "POST"]))
    return added
