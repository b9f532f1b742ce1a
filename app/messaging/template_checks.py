"""What is wrong with a template as it was written, each with its line: Liquid, names, MJML, links. Pure decisions.

Everything is told at once, and nothing is left to be found when a message is sent: the sources are read, and then the
whole is rendered with an example for every name.
"""

import difflib
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from liquid.exceptions import LiquidError

from app.errors import CommonErrorCode, DomainError
from app.kit.text import check_text
from app.messaging import composing, merge_data
from app.messaging.compiling import INCLUDE, CompilingError, partial_names, text_environment
from app.messaging.errors import MessagingErrorCode
from app.messaging.library import TemplateText
from app.messaging.merge_data import Fields, ListOf, Name, Open, Spec
from app.messaging.models import MessageChannel
from app.messaging.rendering import RenderedEmail, RenderingError
from app.messaging.tracked_links import LinkTracker
from app.messaging.versions import Version
from app.settings import Settings

MAX_SUBJECT_SOURCE_CHARS = 500
MAX_TEXT_SOURCE_CHARS = 50_000
MAX_MJML_CHARS = 200_000

_ELEMENTS = frozenset(
    [
        "mjml",
        "mj-head",
        "mj-body",
        "mj-attributes",
        "mj-all",
        "mj-class",
        "mj-breakpoint",
        "mj-font",
        "mj-preview",
        "mj-style",
        "mj-title",
        "mj-raw",
        "mj-accordion",
        "mj-accordion-element",
        "mj-accordion-text",
        "mj-accordion-title",
        "mj-button",
        "mj-carousel",
        "mj-carousel-image",
        "mj-column",
        "mj-divider",
        "mj-group",
        "mj-hero",
        "mj-image",
        "mj-navbar",
        "mj-navbar-link",
        "mj-section",
        "mj-social",
        "mj-social-element",
        "mj-spacer",
        "mj-table",
        "mj-text",
        "mj-wrapper",
        "mj-include",
        "mj-html-attributes",
        "mj-selector",
        "mj-html-attribute",
    ]
)
_MJ_TAG = re.compile(r"<(/?)(mj[a-z-]*)\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*?)(/?)>")
_INCLUDE = re.compile(r"<mj-include\b[^>]*>")
_LINK = re.compile(r"""\b(?:href|src|action|background)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_SCHEME = re.compile(r"^[\s\x00-\x20]*([a-zA-Z][a-zA-Z0-9+.-]*):")
_SCHEMES = frozenset({"http", "https", "mailto", "tel", "sms"})
_SCRIPT = re.compile(r"<\s*(script|iframe|object|embed|form)\b|<[a-z][^>]*?\son[a-z]+\s*=", re.IGNORECASE)
_LIST_ATTRIBUTES = ("size", "first", "last")


def source_problems(channel: MessageChannel, trigger: str | None, text: TemplateText) -> list[DomainError]:
    """Field paths are within the text: `subject`, `preheader`, `mjml`, `text`."""
    fields = merge_data.fields_of(trigger)
    found = list(_shape_problems(channel, text))
    for part, source in _parts(text):
        found += _liquid_problems(part, source, fields)
    if text.mjml:
        found += _mjml_problems(text.mjml)
    return found


def _parts(text: TemplateText) -> list[tuple[str, str]]:
    sources = {"subject": text.subject, "preheader": text.preheader, "mjml": text.mjml, "text": text.text}
    return [(part, source) for part, source in sources.items() if source]


def _shape_problems(channel: MessageChannel, text: TemplateText) -> Iterator[DomainError]:
    limits = {
        "subject": MAX_SUBJECT_SOURCE_CHARS,
        "preheader": MAX_SUBJECT_SOURCE_CHARS,
        "mjml": MAX_MJML_CHARS,
        "text": MAX_TEXT_SOURCE_CHARS,
    }
    for part, source in _parts(text):
        if error := check_text(source, limits[part], [part]):
            yield error
    if channel is MessageChannel.EMAIL:
        if not (text.mjml or "").strip():
            yield DomainError(CommonErrorCode.REQUIRED, "A template for email needs MJML.", ["mjml"])
        elif not (text.subject or "").strip() and "<mj-title>" not in (text.mjml or ""):
            yield DomainError(CommonErrorCode.REQUIRED, "Give a subject, or an <mj-title>.", ["subject"])
        return
    for part in ("subject", "preheader", "mjml"):
        if getattr(text, part):
            message = "Only a template for email has this."
            yield DomainError(CommonErrorCode.INVALID, message, [part])
    if not text.text.strip():
        yield DomainError(CommonErrorCode.REQUIRED, "What shall it say?", ["text"])


def _invalid(part: str, message: str, line: int | None = None) -> DomainError:
    place = f"Line {line}: " if line else ""
    return DomainError(MessagingErrorCode.TEMPLATE_INVALID, f"{place}{message}", [part])


def _liquid_problems(part: str, source: str, fields: Fields) -> Iterator[DomainError]:
    try:
        template = text_environment().from_string(source)
        analysis = template.analyze()
    except LiquidError as error:
        place = error.context()
        yield _invalid(part, f"{error.message}.", place[0] if place else None)
        return
    for filter_name, spans in analysis.filters.items():
        if filter_name not in text_environment().filters:
            for span in spans:
                yield _invalid(part, f"there is no filter {filter_name}.", _line(source, span.index))
    for variables in analysis.globals.values():
        for variable in variables:
            if variable.span.template_name in ("", template.name):
                wrong = _unknown(variable.segments, fields)
                if wrong is not None:
                    yield _invalid(part, wrong, _line(source, variable.span.index))


def _line(source: str, index: int) -> int:
    return source.count("\n", 0, index) + 1


def _unknown(segments: Sequence[Any], fields: Fields) -> str | None:
    """What is wrong with a name, with a suggestion; None where it is known."""
    spec: Spec = fields
    path = ""
    for segment in segments:
        if isinstance(spec, Open) or not isinstance(segment, (str, int)):
            return None
        if isinstance(spec, Mapping):
            if segment not in spec:
                return _no_such(str(segment), path, list(spec))
            spec = spec[str(segment)]
        elif isinstance(spec, ListOf) and (isinstance(segment, int) or segment in _LIST_ATTRIBUTES):
            if segment == "size":
                return None
            spec = spec.fields
        elif not (isinstance(spec, Name) and segment == "size"):
            hint = "a list: name its items with {% for %}" if isinstance(spec, ListOf) else "a single value"
            return f"{path} is {hint}, and has no {segment}."
        path = f"{path}.{segment}" if path else str(segment)
    return None


def _no_such(name: str, path: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known))}."
    return f"{path + '.' if path else ''}{name} is unknown here; {hint}"


def _mjml_problems(mjml: str) -> Iterator[DomainError]:
    for include in _INCLUDE.finditer(mjml):
        exact = INCLUDE.fullmatch(include[0])
        if exact is None or exact[1] not in partial_names():
            choice = ", ".join(sorted(partial_names()))
            message = f'write <mj-include path="…" /> with one of {choice}.'
            yield _invalid("mjml", message, _line(mjml, include.start()))
    yield from _nesting_problems(mjml)
    if script := _SCRIPT.search(mjml):
        message = "scripts, forms and frames do nothing in a mail; take them out."
        yield _invalid("mjml", message, _line(mjml, script.start()))
    for link in _LINK.finditer(mjml):
        url = html.unescape(next(group for group in link.groups() if group is not None))
        scheme = _SCHEME.match(url)
        if scheme and scheme[1].lower() not in _SCHEMES:
            message = f"a link leads to http, https, mailto, tel or sms, not to {scheme[1].lower()}."
            yield _invalid("mjml", message, _line(mjml, link.start()))


def _nesting_problems(mjml: str) -> Iterator[DomainError]:
    """mrml takes any element for a known one, and says of a missing end only that there is one."""
    open_tags: list[tuple[str, int]] = []
    for tag in _MJ_TAG.finditer(mjml):
        ends, name, _, is_empty = tag.groups()
        line = _line(mjml, tag.start())
        if name not in _ELEMENTS:
            close = difflib.get_close_matches(name, _ELEMENTS, n=1)
            hint = f"; did you mean {close[0]}?" if close else "."
            yield _invalid("mjml", f"there is no element {name}{hint}", line)
            return
        if ends:
            if not open_tags or open_tags[-1][0] != name:
                begun = f"{open_tags[-1][0]} of line {open_tags[-1][1]}" if open_tags else "nothing"
                yield _invalid("mjml", f"</{name}> ends what was not begun; {begun} is open here.", line)
                return
            open_tags.pop()
        elif not is_empty:
            open_tags.append((name, line))
    if open_tags:
        yield _invalid("mjml", f"{open_tags[-1][0]} has no end.", open_tags[-1][1])


def sample_of(
    version: Version, values: Mapping[str, Any], settings: Settings
) -> tuple[RenderedEmail | None, str, list[DomainError]]:
    """The version printed with examples: the mail if it is one, the text, and what kept it from being printed."""
    tracker = LinkTracker(message_id=None, utm={}, kept=(), settings=settings)
    try:
        if version.channel is MessageChannel.EMAIL:
            mail = composing.compose_email(version, values, tracker)
            return mail, mail.text, []
        if version.channel is MessageChannel.SMS:
            return None, composing.compose_sms(version, values, tracker), []
        return None, composing.compose_call(version, values), []
    except (CompilingError, RenderingError) as error:
        part = "mjml" if version.channel is MessageChannel.EMAIL else "text"
        return None, "", [_invalid(part, str(error))]
