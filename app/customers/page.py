"""Pages of the shop for its shoppers: no framework, no script, nothing loaded from anywhere, light or dark."""

import secrets
from functools import cache
from pathlib import Path
from typing import ClassVar

from liquid import DictLoader, Environment, StrictUndefined
from starlette.responses import HTMLResponse

from app.messaging.shop_values import shop_values
from app.settings import get_settings
from app.shop import queries as shop_queries

_FOLDER = Path(__file__).parent / "pages"


class _Pages(Environment):
    loop_iteration_limit: ClassVar[int | None] = 1_000


@cache
def _environment() -> Environment:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in _FOLDER.glob("*.html")}
    return _Pages(loader=DictLoader(pages), undefined=StrictUndefined, autoescape=True)


@cache
def _style() -> str:
    return (_FOLDER / "style.css").read_text(encoding="utf-8")


async def page(name: str, title: str, *, status: int = 200, images: bool = False, **values: object) -> HTMLResponse:
    """The page in the shop's look; values are escaped where they are printed.

    Args:
        images: whether it shows pictures of products.
    """
    shop = shop_values(await shop_queries.current(), get_settings())
    nonce = secrets.token_urlsafe(18)
    environment = _environment()
    # Finished parts, each rendered and escaped by itself, take the places that the layout keeps for them.
    frame = environment.get_template("layout").render(shop=shop, title=title, nonce=nonce)
    content = environment.get_template(name).render(shop=shop, **values)
    text = frame.replace("/*style*/", _style(), 1).replace("<!--content-->", content, 1)
    policy = (
        "default-src 'none'",
        f"style-src 'nonce-{nonce}'",
        *(("img-src 'self' https:",) if images else ()),
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
    headers = {
        "Content-Security-Policy": "; ".join(policy),
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex, nofollow",
    }
    return HTMLResponse(text, status, headers=headers)
