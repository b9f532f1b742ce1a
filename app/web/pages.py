"""The pages for people: HTML from the folders beside this file, with a strict policy of what it may load."""

import html
import secrets
from functools import cache

from starlette.responses import HTMLResponse

from app.web.assets import HERE, assets


@cache
def _template(name: str) -> str:
    return (HERE / name / "index.html").read_text(encoding="utf-8")


def page(name: str, **values: str) -> HTMLResponse:
    """The page in folder `name`; `{{word}}` in it becomes the value of that name, escaped.

    Scripts and styles come from this server alone. Inline styles that a script adds need the page's nonce, inline
    scripts are not possible at all.
    """
    nonce = secrets.token_urlsafe(18)
    text = _template(name)
    for word, value in {"assets": assets().prefix, "nonce": nonce, **values}.items():
        text = text.replace(f"{{{{{word}}}}}", html.escape(value))
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' 'nonce-{nonce}'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    headers = {"Content-Security-Policy": "; ".join(policy), "Cache-Control": "no-store"}
    return HTMLResponse(text, headers=headers)
