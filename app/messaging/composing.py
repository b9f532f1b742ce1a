"""A template of the database and values, put together: a mail with counted links, a text message, a call."""

import re
from collections.abc import Mapping
from typing import Any

import html2text

from app.messaging import sms_rules
from app.messaging.compiling import compiled_email, compiled_text
from app.messaging.rendering import MAX_SUBJECT_CHARS, RenderedEmail, RenderingError, one_line, plain_text, render
from app.messaging.tracked_links import LinkTracker
from app.messaging.versions import Version

MAX_HTML_CHARS = 500_000
"""Several times what Gmail shows without cutting it off."""
MAX_SMS_CHARS = 1_600
"""Twilio's limit; more than ten segments nobody reads."""
MAX_CALL_CHARS = 2_000
_PREHEADER = re.compile(r'<div style="display:none;.*?</div>', re.DOTALL)


def compose_email(version: Version, values: Mapping[str, Any], links: LinkTracker) -> RenderedEmail:
    """Raises CompilingError, RenderingError."""
    compiled = compiled_email(version.key, version.text)
    page = links.html(render(compiled.html, values))
    if len(page) > MAX_HTML_CHARS:
        raise RenderingError(f"{version.key}: the mail is longer than {MAX_HTML_CHARS:,} characters")
    plain = links.text(render(compiled.text, values), version.text.text) if compiled.text else text_of(page)
    return RenderedEmail(
        subject=one_line(render(compiled.subject, values))[:MAX_SUBJECT_CHARS], html=page, text=plain_text(plain)
    )


def compose_sms(version: Version, values: Mapping[str, Any], links: LinkTracker, *, first_of: str | None = None) -> str:
    """One line, its addresses made short. Raises CompilingError, RenderingError.

    Args:
        first_of: whose first marketing text it is to this number: what the law wants is said at its end (`sms_rules`).
    """
    text = links.text(one_line(render(compiled_text(version.key, version.text).text, values)), version.text.text)
    whole = text if first_of is None else f"{text} {sms_rules.first_message_footer(first_of, text)}"
    if not text or len(whole) > MAX_SMS_CHARS:
        raise RenderingError(f"{version.key}: a text message has 1 to {MAX_SMS_CHARS:,} characters")
    return whole


def compose_call(version: Version, values: Mapping[str, Any]) -> str:
    """What is read aloud. Raises CompilingError, RenderingError."""
    text = one_line(render(compiled_text(version.key, version.text).text, values))
    if not 0 < len(text) <= MAX_CALL_CHARS:
        raise RenderingError(f"{version.key}: a call says 1 to {MAX_CALL_CHARS:,} characters")
    return text


def uses(version: Version) -> frozenset[str]:
    """The names that it prints. Raises CompilingError."""
    if version.text.mjml is not None:
        return compiled_email(version.key, version.text).uses
    return compiled_text(version.key, version.text).uses


def text_of(page: str) -> str:
    """The text part of a mail that was written without one."""
    converter = html2text.HTML2Text(bodywidth=0)
    converter.ignore_images = True
    converter.ignore_emphasis = True
    converter.ignore_tables = True
    converter.inline_links = True
    return converter.handle(_PREHEADER.sub("", page))
