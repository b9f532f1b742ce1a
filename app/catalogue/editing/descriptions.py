"""Longer texts have two forms, HTML and plain text; staff give either, and the other is made from it."""

from app.catalogue import html
from app.errors import CommonErrorCode
from app.kit.problems import Problems

MAX_DESCRIPTION_CHARS = 250_000


def both_forms(
    problems: Problems, text: str | None, markup: str | None, *under: str | int, name: str = "description"
) -> tuple[str, str]:
    """Plain text and sanitised HTML. Large HTML takes its time, so not inside a transaction.

    Args:
        under, name: path of the input's field for plain text; the one for HTML has Html behind it.
    """
    if text is not None and markup is not None:
        problems.add(CommonErrorCode.INVALID, "Give either plain text or HTML.", *under, f"{name}Html")
    elif markup is not None:
        safe = html.sanitise(problems.text(markup, MAX_DESCRIPTION_CHARS, *under, f"{name}Html") or "")
        return html.to_plain_text(safe), safe
    elif text is not None:
        plain = problems.text(text, MAX_DESCRIPTION_CHARS, *under, name) or ""
        return plain, html.from_plain_text(plain)
    return "", ""
