"""From MJML and Liquid, as somebody wrote them, to templates that values can be printed into.

MJML becomes HTML once, with Liquid's tags still in it, so that a value never meets the MJML parser and is escaped as
HTML where it is printed. Liquid is strict: an unknown variable is an error (but for `default:`), values are
dictionaries, lists, strings and numbers, and no tag reaches Python or another file than the partials.
"""

import html
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import ClassVar

import mrml
from liquid import BoundTemplate, CachingDictLoader, Environment, StrictDefaultUndefined
from liquid.exceptions import LiquidError

from app.messaging.library import TemplateText
from app.messaging.liquid_limits import bound_filters

TEMPLATES = Path(__file__).parent / "templates"
PARTIALS = TEMPLATES / "partials"

INCLUDE = re.compile(r'<mj-include path="([a-z_]+\.mjml)" */>')
LIQUID = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
_TAG = re.compile(r"{%.*?%}", re.DOTALL)
_HIDDEN_TAG = re.compile(r"<!--({%.*?%})-->", re.DOTALL)
_PREVIEW = re.compile(r"<mj-preview>.*?</mj-preview>", re.DOTALL)
_HEAD = re.compile(r"<mj-head\b[^>]*?(/?)>")
_ROOT = re.compile(r"<mjml\b[^>]*>")


class CompilingError(Exception):
    """What was written is no MJML or no Liquid. The message is for whoever wrote it."""


class _Liquid(Environment):
    loop_iteration_limit: ClassVar[int | None] = 10_000
    output_stream_limit: ClassVar[int | None] = 1_000_000
    local_namespace_limit: ClassVar[int | None] = 100_000


@dataclass(frozen=True, slots=True)
class CompiledEmail:
    subject: BoundTemplate
    html: BoundTemplate
    text: BoundTemplate | None
    """None where the text part is made from the HTML."""
    uses: frozenset[str]
    """What it prints: names such as `customer`, and below `blocks` and `links` the names there, `blocks.viewed`."""


@dataclass(frozen=True, slots=True)
class CompiledText:
    """A text message, or what a call says."""

    text: BoundTemplate
    uses: frozenset[str]


def _liquid(*, autoescape: bool) -> Environment:
    partials = {path.name: path.read_text(encoding="utf-8") for path in PARTIALS.glob("*.txt.liquid")}
    environment = _Liquid(loader=CachingDictLoader(partials), undefined=StrictDefaultUndefined, autoescape=autoescape)
    # `safe` would let a value through unescaped, and `include` what a partial assigns.
    del environment.filters["safe"]
    del environment.tags["include"]
    bound_filters(environment)
    return environment


@cache
def text_environment() -> Environment:
    return _liquid(autoescape=False)


@cache
def html_environment() -> Environment:
    return _liquid(autoescape=True)


@cache
def partial_names() -> frozenset[str]:
    return frozenset(path.name for path in PARTIALS.glob("*.mjml"))


def with_includes(mjml: str) -> str:
    """The MJML with its `<mj-include>`s filled in: mrml's own include forgets the width and padding around it.

    Raises CompilingError for a partial that does not exist.
    """
    return INCLUDE.sub(lambda include: with_includes(_partial(include[1])), mjml)


def _partial(name: str) -> str:
    if name not in partial_names():
        raise CompilingError(f"There is no partial {name}; there are {', '.join(sorted(partial_names()))}.")
    return (PARTIALS / name).read_text(encoding="utf-8")


def _liquid_hidden(mjml: str) -> str:
    """The body's Liquid tags as comments, which survive between table rows while styles are put inline."""
    head, body, rest = mjml.partition("<mj-body")
    return head + body + _TAG.sub(r"<!--\g<0>-->", rest)


def _liquid_shown(page: str) -> str:
    """The tags again, also those in the head and in attributes, where `>` became an entity and `"` got a backslash."""
    return LIQUID.sub(lambda tag: html.unescape(tag[0]).replace('\\"', '"'), _HIDDEN_TAG.sub(r"\1", page))


def _with_preheader(mjml: str, preheader: str) -> str:
    """The MJML with this preheader instead of its own. What is not Liquid in it is text, not markup."""
    written = "".join(
        part if LIQUID.fullmatch(part) else html.escape(part, quote=False)
        for part in re.split(f"({LIQUID.pattern})", preheader, flags=re.DOTALL)
    )
    element = f"<mj-preview>{written}</mj-preview>"
    mjml = _PREVIEW.sub("", mjml)
    if head := _HEAD.search(mjml):
        inside = f"<mj-head>{element}</mj-head>" if head[1] else f"{head[0]}{element}"
        return mjml[: head.start()] + inside + mjml[head.end() :]
    return _ROOT.sub(lambda root: f"{root[0]}<mj-head>{element}</mj-head>", mjml, count=1)


def compile_mjml(mjml: str) -> tuple[str, str]:
    """Title and HTML, Liquid's tags in them. Raises CompilingError."""
    try:
        compiled = mrml.to_html(_liquid_hidden(with_includes(mjml)), None, mrml.RenderOptions(fonts={}))
    except OSError as error:
        raise CompilingError(f"This is no MJML: {error}.") from error
    return html.unescape(compiled.title or ""), _liquid_shown(compiled.content)


@lru_cache(maxsize=256)
def compiled_email(name: str, text: TemplateText) -> CompiledEmail:
    """Raises CompilingError. `name` stands in messages of errors."""
    if not text.mjml:
        raise CompilingError("A template for email needs MJML.")
    title, page = compile_mjml(_with_preheader(text.mjml, text.preheader) if text.preheader else text.mjml)
    try:
        subject = text_environment().from_string(text.subject or title, name=f"{name} subject")
        markup = html_environment().from_string(page, name=f"{name}.mjml")
        plain = text_environment().from_string(text.text, name=f"{name} text") if text.text.strip() else None
    except LiquidError as error:
        raise CompilingError(error.message) from error
    return CompiledEmail(subject, markup, plain, _uses(subject, markup, *([plain] if plain else ())))


@lru_cache(maxsize=256)
def compiled_text(name: str, text: TemplateText) -> CompiledText:
    """Raises CompilingError."""
    try:
        template = text_environment().from_string(text.text, name=f"{name} text")
    except LiquidError as error:
        raise CompilingError(error.message) from error
    return CompiledText(template, _uses(template))


def _uses(*templates: BoundTemplate) -> frozenset[str]:
    names: set[str] = set()
    try:
        for template in templates:
            for path in template.global_variable_segments():
                deep = path[0] in ("blocks", "links") and len(path) > 1 and isinstance(path[1], str)
                names.add(f"{path[0]}.{path[1]}" if deep else str(path[0]))
    except LiquidError as error:
        raise CompilingError(error.message) from error
    return frozenset(names)
