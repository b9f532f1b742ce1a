"""Printed packing slips, behind their signed links."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.gifting import printing

HEADERS = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}


def routes() -> list[BaseRoute]:
    """What is added to the API's own routes."""
    return [Route(f"{printing.PATH}/{{token}}.pdf", _slip)]


async def _slip(request: Request) -> Response:
    found = await printing.redeem(request.path_params["token"])
    if found is None:
        message = "This link does not work any more; ask for a new one."
        return PlainTextResponse(message, status_code=404, headers=HEADERS)
    slip, content = found
    named = f'inline; filename="packing-slip-{slip.order_number}.pdf"'
    return Response(content, media_type="application/pdf", headers={**HEADERS, "Content-Disposition": named})
