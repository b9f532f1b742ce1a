"""Where the links lead that are mailed to staff."""

from typing import Literal
from urllib.parse import quote

from app.messaging.formats import web_url
from app.settings import get_settings

PATH = "/staff"
Purpose = Literal["invitation", "password-reset"]


def url(purpose: Purpose, token: str) -> str:
    """The dashboard's page (STAFF_URL), or else a page of this API. Never what a request names as host."""
    settings = get_settings()
    page = settings.staff_url
    if page is not None and "{token}" in page:
        made = page.replace("{action}", purpose).replace("{token}", quote(token, safe=""))
        if absolute := web_url(made, page):
            return absolute
    return f"{settings.public_url}{PATH}/{purpose}/{token}"
