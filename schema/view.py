"""GraphQL over HTTP and WebSocket."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

from app.settings import Settings
from schema import build_schema
from schema.context import Context, build_context


class View(GraphQL[Context, None]):
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__(
            build_schema(development=settings.is_development),
            graphql_ide="graphiql" if settings.graphiql_enabled else None,
        )

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        return await build_context(request, self.settings)
