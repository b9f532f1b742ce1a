"""From a template and plain values to a subject, an HTML part, a text part or an SMS.

A template `order_shipped` is up to three files in `templates/`: `order_shipped.mjml` (its `<mj-title>` is the mail's
subject, its `<mj-preview>` the line that a mail program shows beside it), `order_shipped.txt.liquid` and
`order_shipped.sms.liquid`. MJML is turned into HTML once per process, with Liquid's tags still in it, so that a value
never meets the MJML parser and is escaped as HTML where it is printed. Liquid is strict: an unknown variable or filter
is an error, values are dictionaries, lists, strings and numbers, and no tag reaches Python.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import mrml
from liquid import BoundTemplate, DictLoader, Environment, StrictUndefined
from liquid.exceptions import UndefinedError

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGE = "en"
"""The language of the texts; numbers and dates follow the shop's locale."""
MAX_SUBJECT_CHARS = 200

_INCLUDE = re.compile(r'<mj-include path="([a-z_]+\.mjml)" */>')
_TAG = re.compile(r"{%.*?%}", re.DOTALL)
_HIDDEN_TAG = re.compile(r"<!--({%.*?%})-->", re.DOTALL)
_LIQUID = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
_SPACES = re.compile(r"[\s\x00-\x1f\x7f\u2028\u2029]+")
_BLANK_LINES = re.compile(r"\n{3,}")


class RenderingError(Exception):
    """The template and its values do not fit. The message names template and place, never a value."""


class _Liquid(Environment):
    loop_iteration_limit: ClassVar[int | None] = 10_000
    output_stream_limit: ClassVar[int | None] = 1_000_000
    local_namespace_limit: ClassVar[int | None] = 100_000


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


def _liquid(*, autoescape: bool) -> Environment:
    partials = {path.name: path.read_text(encoding="utf-8") for path in (TEMPLATES / "partials").glob("*.txt.liquid")}
    environment = _Liquid(loader=DictLoader(partials), undefined=StrictUndefined, autoescape=autoescape)
    # `safe` would let a value through unescaped.
    del environment.filters["safe"]
    return environment


@cache
def _text_environment() -> Environment:
    return _liquid(autoescape=False)


@cache
def _html_environment() -> Environment:
    return _liquid(autoescape=True)


def template_names() -> list[str]:
    return sorted(path.stem for path in TEMPLATES.glob("*.mjml"))


def _mjml(path: str) -> str:
    """The file with its `<mj-include>`s filled in: mrml's own include forgets the width and padding around it."""
    return _INCLUDE.sub(lambda include: _mjml(f"partials/{include[1]}"), (TEMPLATES / path).read_text(encoding="utf-8"))


def _liquid_hidden(mjml: str) -> str:
    """The body's Liquid tags as comments, which survive between table rows while styles are put inline."""
    head, body, rest = mjml.partition("<mj-body")
    return head + body + _TAG.sub(r"<!--\g<0>-->", rest)


def _liquid_shown(page: str) -> str:
    """The tags again, also those in the head and in attributes, where `>` became an entity."""
    return _LIQUID.sub(lambda tag: html.unescape(tag[0]), _HIDDEN_TAG.sub(r"\1", page))


@cache
def _email(template: str) -> _Email:
    compiled = mrml.to_html(_liquid_hidden(_mjml(f"{template}.mjml")), None, mrml.RenderOptions(fonts={}))
    return _Email(
        subject=_text_environment().from_string(html.unescape(compiled.title or ""), name=f"{template} subject"),
        html=_html_environment().from_string(_liquid_shown(compiled.content), name=f"{template}.mjml"),
        text=_file(f"{template}.txt.liquid"),
    )


@cache
def _file(name: str) -> BoundTemplate:
    return _text_environment().from_string((TEMPLATES / name).read_text(encoding="utf-8"), name=name)


def _render(template: BoundTemplate, values: Mapping[str, object]) -> str:
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


def render_email(template: str, values: Mapping[str, object]) -> RenderedEmail:
    """Raises RenderingError."""
    compiled = _email(template)
    return RenderedEmail(
        subject=one_line(_render(compiled.subject, values))[:MAX_SUBJECT_CHARS],
        html=_render(compiled.html, values),
        text=_BLANK_LINES.sub("\n\n", _render(compiled.text, values)).strip() + "\n",
    )


def has_sms(template: str) -> bool:
    return (TEMPLATES / f"{template}.sms.liquid").exists()


def render_sms(template: str, values: Mapping[str, object]) -> str:
    """Raises RenderingError."""
    return one_line(_render(_file(f"{template}.sms.liquid"), values))
