"""From a template and plain values to a subject, an HTML part, a text part or an SMS.

A template `order_shipped` is up to three files in `templates/`: `order_shipped.mjml` (its `<mj-title>` is the mail's
subject, its `<mj-preview>` the line that a mail program shows beside it), `order_shipped.txt.liquid` and
`order_shipped.sms.liquid`; each is compiled once per process (see `compiling`). Templates of the database are printed
by `composing`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from liquid import BoundTemplate
from liquid.exceptions import UndefinedError

from app.messaging.compiling import TEMPLATES, compile_mjml, html_environment, text_environment

LANGUAGE = "en"
"""The language of the texts; numbers and dates follow the shop's locale."""
MAX_SUBJECT_CHARS = 200

_SPACES = re.compile(r"[\s\x00-\x1f\x7f\u2028\u2029]+")
_BLANK_LINES = re.compile(r"\n{3,}")


class RenderingError(Exception):
    """The template and its values do not fit. The message names template and place, never a value."""


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class _Email:
    subject: BoundTemplate
    html: BoundTemplate
    text: BoundTemplate


def template_names() -> list[str]:
    return sorted(path.stem for path in TEMPLATES.glob("*.mjml"))


@cache
def _email(template: str) -> _Email:
    title, page = compile_mjml((TEMPLATES / f"{template}.mjml").read_text(encoding="utf-8"))
    return _Email(
        subject=text_environment().from_string(title, name=f"{template} subject"),
        html=html_environment().from_string(page, name=f"{template}.mjml"),
        text=_file(f"{template}.txt.liquid"),
    )


@cache
def _file(name: str) -> BoundTemplate:
    return text_environment().from_string((TEMPLATES / name).read_text(encoding="utf-8"), name=name)


def render(template: BoundTemplate, values: Mapping[str, object]) -> str:
    """Raises RenderingError."""
    try:
        return template.render(dict(values))
    except UndefinedError as error:
        raise RenderingError(f"{template.name}: {error.message}") from error
    except Exception as error:
        # Other messages may quote the value that did not fit, and this one ends up in logs.
        raise RenderingError(f"{template.name}: {type(error).__name__}") from error


def one_line(text: str) -> str:
    """Fit for a header or an SMS: line breaks and other control characters become spaces."""
    return _SPACES.sub(" ", text).strip()


def plain_text(text: str) -> str:
    """As it stands in a mail: no gaps where a tag printed nothing."""
    return _BLANK_LINES.sub("\n\n", text).strip() + "\n"


def render_email(template: str, values: Mapping[str, object]) -> RenderedEmail:
    """Raises RenderingError."""
    compiled = _email(template)
    return RenderedEmail(
        subject=one_line(render(compiled.subject, values))[:MAX_SUBJECT_CHARS],
        html=render(compiled.html, values),
        text=plain_text(render(compiled.text, values)),
    )


def has_sms(template: str) -> bool:
    return (TEMPLATES / f"{template}.sms.liquid").exists()


def render_sms(template: str, values: Mapping[str, object]) -> str:
    """Raises RenderingError."""
    return one_line(render(_file(f"{template}.sms.liquid"), values))
