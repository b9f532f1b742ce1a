"""Printed invoices, behind their signed links."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.invoices import links, queries

HEADERS = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}


def routes() -> list[BaseRoute]:
    """What is added to the API's own routes."""
    return [Route(f"{links.PATH}/{{token}}.pdf", _invoice)]


async def _invoice(request: Request) -> Response:
    invoice_id = links.read_token(request.path_params["token"])
    printed = await queries.print_out(invoice_id) if invoice_id else None
    if printed is None:
        return PlainTextResponse("There is no such invoice.", status_code=404, headers=HEADERS)
    named = f'inline; filename="{printed.number}.pdf"'
    return Response(printed.pdf, media_type="application/pdf", headers={**HEADERS, "Content-Disposition": named})
