"""Routes of the pages. The developer's own exist in development alone."""

from functools import cache

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from strawberry.schema import BaseSchema

from app.sample.loading import OWNER_EMAIL, OWNER_PASSWORD
from app.settings import Settings
from app.web import assets, flows, inbox, story
from app.web.pages import page


async def graphiql(request: Request) -> Response:
    """The story's tabs come with it in development: they are written for the sample shop."""
    development = request.app.state.settings.is_development
    return page("graphiql", story=story.as_json() if development else "null")


async def start(request: Request) -> Response:
    settings: Settings = request.app.state.settings
    return page("start", url=settings.public_url, email=OWNER_EMAIL, password=OWNER_PASSWORD)


def routes(settings: Settings, schema: BaseSchema) -> list[BaseRoute]:
    """What is added to the API's own routes."""
    added: list[BaseRoute] = []
    sdl = cache(schema.as_str)  # once somebody asks: writing it takes a while
    if settings.graphiql_enabled:
        added.append(Route("/static/{version}/{name:path}", assets.serve))
    if settings.is_development:

        async def schema_file(request: Request) -> Response:
            return PlainTextResponse(sdl(), headers={"Content-Disposition": 'inline; filename="schema.graphql"'})

        added += [
            Route("/", start),
            Route("/schema.graphql", schema_file),
            Route("/flows", flows.show),
            Route("/flows/-/overview", flows.overview),  # no flow can have this key
            Route("/flows/-/runs/{id}", flows.run),
            Route("/flows/{key}", flows.show),
            Route("/flows/{key}/picture", flows.picture),
            Route("/inbox", inbox.show),
            Route("/inbox/messages", inbox.messages),
            Route("/inbox/messages/{id}", inbox.message),
            Route("/inbox/messages/{id}/html", inbox.message_html),
        ]
    return added
