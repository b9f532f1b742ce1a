"""Spans of what a request sets off, down to the mail that leaves minutes later; see docs/operations.md.

Off, which is the default, a span is one comparison: nothing of OpenTelemetry is imported. `app.tracing_export` turns it
on where OTEL_EXPORTER_OTLP_ENDPOINT names a collector and the extra `tracing` is installed.

Spans carry names of the code's and ids. An exception is told by its class alone: what it says may be private.
"""

import re
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Tracing(Protocol):
    """What `app.tracing_export` provides."""

    def span(
        self, name: str, traceparent: str | None, attributes: dict[str, str | int]
    ) -> AbstractContextManager[None]: ...

    def traceparent(self) -> str | None: ...

    def describe(self, name: str | None, attributes: dict[str, str | int]) -> None: ...

    def close(self) -> None: ...


class _Nothing:
    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


_NOTHING = _Nothing()
_tracing: Tracing | None = None


def turn_on(tracing: Tracing) -> None:
    global _tracing
    _tracing = tracing


def turn_off() -> Tracing | None:
    """What was on; its `close` sends what it holds."""
    global _tracing
    was, _tracing = _tracing, None
    return was


def is_on() -> bool:
    return _tracing is not None


def span(name: str, *, traceparent: str | None = None, **attributes: str | int) -> AbstractContextManager[None]:
    """A span around the block, below the current one.

    Args:
        traceparent: of the span that it belongs below, where that is not the current one (W3C Trace Context).
        attributes: ids and names; nothing about a person.
    """
    if _tracing is None:
        return _NOTHING
    return _tracing.span(name, traceparent, attributes)


def current_traceparent() -> str | None:
    """Of the current span, for what goes on elsewhere; None while tracing is off."""
    return None if _tracing is None else _tracing.traceparent()


def describe(name: str | None = None, **attributes: str | int) -> None:
    """Say more about the current span than was known when it began."""
    if _tracing is not None:
        _tracing.describe(name, attributes)


def accepted(header: str | None) -> str | None:
    """A caller's `traceparent` header, if it is one (version 00 of W3C Trace Context)."""
    return header if header is not None and _TRACEPARENT.fullmatch(header) else None
