"""Descriptions have two forms, HTML and plain text; staff give either, and the other is made from it."""

from app.catalogue import html
from app.catalogue.editing.problems import CatalogueProblems
from app.errors import CommonErrorCode

MAX_DESCRIPTION_CHARS = 250_000


def both_forms(problems: CatalogueProblems, text: str | None, markup: str | None) -> tuple[str, str]:
    """Plain text and sanitised HTML. Large HTML takes its time, so not inside a transaction."""
    if text is not None and markup is not None:
        problems.add(CommonErrorCode.INVALID, "Give the description either as text or as HTML.", "descriptionHtml")
    elif markup is not None:
        safe = html.sanitise(problems.text(markup, MAX_DESCRIPTION_CHARS, "descriptionHtml") or "")
        return html.to_plain_text(safe), safe
    elif text is not None:
        plain = problems.text(text, MAX_DESCRIPTION_CHARS, "description") or ""
        return plain, html.from_plain_text(plain)
    return "", ""
