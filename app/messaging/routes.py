"""What readers of messages reach over plain HTTP, in every environment: counted links, the message as a page, the cart.

GET and HEAD change nothing but the record of the click: mail scanners open every link.
"""

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from app.cart import restoring
from app.cart.models import CartState
from app.customers.page import page
from app.messaging import clicks, merge_values, showing, tracked_links
from app.settings import Settings

log = structlog.get_logger(__name__)

_PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
_MESSAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)
"""What the merchant wrote may look as it likes, and do nothing."""


def routes() -> list[BaseRoute]:
    """What is added to the API's own routes."""
    return [
        Route(f"{tracked_links.LINK_PATH}/{{code}}", _follow),
        Route(f"{merge_values.VIEW_PATH}/{{token}}", _view),
        Route(f"{restoring.RESTORE_PATH}/{{token}}", _restore),
    ]


async def _follow(request: Request) -> Response:
    """Leads where the link was to lead: only to what was stored with a message, so nobody else's address."""
    found = await clicks.target_of(request.path_params["code"])
    if found is None:
        return await _nothing_here("This link leads nowhere.")
    link_id, message_id, url = found
    try:
        await clicks.record(link_id, message_id, bot=clicks.is_bot(request.method, request.headers))
    except Exception:
        # Whoever follows a link gets where it leads, counted or not.
        log.exception("click not recorded", message=str(message_id))
    return RedirectResponse(url, 302, headers=_PRIVATE)


async def _view(request: Request) -> Response:
    """The mail as a page, written anew."""
    shown = await showing.page_of(request.path_params["token"], request.app.state.settings)
    if shown is None:
        return await _nothing_here("This message can no longer be shown.")
    return HTMLResponse(shown, headers={**_PRIVATE, "Content-Security-Policy": _MESSAGE_POLICY})


async def _restore(request: Request) -> Response:
    """Brings a cart back: to the storefront, or without one to a page that shows it."""
    settings: Settings = request.app.state.settings
    cart_id = restoring.read_token(request.path_params["token"])
    cart = await restoring.open_cart(cart_id) if cart_id is not None else None
    if cart is None:
        return await _nothing_here("This link is no longer good, or was cut off on the way.")
    if cart.state is CartState.COMPLETED:
        return await page(
            "message", "Already ordered", heading="This cart has been ordered", text="There is nothing left to do."
        )
    storefront = restoring.storefront_url(cart, settings)
    if storefront is not None:
        utm = {name: value for name, value in request.query_params.items() if name.startswith("utm_")}
        hosts = tracked_links.own_hosts(settings)
        return RedirectResponse(tracked_links.with_utm(storefront, utm, hosts), 302, headers=_PRIVATE)
    answer = await page(
        "cart",
        "Your cart",
        images=True,
        cart=await merge_values.show_cart(cart, settings),
        cart_id=restoring.public_id(cart),
        graphiql=settings.graphiql_enabled,
    )
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


async def _nothing_here(text: str) -> Response:
    return await page("message", "Not found", status=404, heading="There is nothing here", text=text)
