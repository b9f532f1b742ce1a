"""Where the links lead that are mailed with draft orders and invitations."""

from urllib.parse import quote

from app.assisted.queries import Draft
from app.messaging.formats import web_url
from app.settings import get_settings

PATH = "/offers"


def url_of(draft: Draft) -> str | None:
    """The front end's page (STOREFRONT_ACCOUNT_URL, action `draft-order`), or else a page of this API; None when the
    key that the link was made under has left the ring."""
    token = draft.token
    return (
        None if token is None else storefront_url("draft-order", token) or f"{get_settings().public_url}{PATH}/{token}"
    )


def storefront_url(action: str, token: str) -> str | None:
    """The front end's page for something that was mailed; None where there is none."""
    page = get_settings().storefront_account_url
    if page is None or "{token}" not in page:
        return None
    return web_url(page.replace("{action}", action).replace("{token}", quote(token, safe="")), page)
