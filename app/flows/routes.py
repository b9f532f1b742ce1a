"""The published form of a definition, for editors and other programs. It is the same in every environment."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.flows.shape import SCHEMA_FILE

PATH = "/schemas/flow.json"
_BODY = SCHEMA_FILE.read_bytes()


async def schema(request: Request) -> Response:
    headers = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}
    return Response(_BODY, media_type="application/schema+json", headers=headers)


def routes() -> list[BaseRoute]:
    return [Route(PATH, schema)]
