"""Structured logs: one JSON object a line, with the request's id and without personal data.

Log ids and facts, never addresses, names, tokens, bodies or queries.
"""

import logging
import sys
import traceback
from pathlib import Path

import structlog

from app.settings import Settings, get_settings

MAX_LOGGED_FRAMES = 12
MAX_CAUSES = 5


def configure_logging(settings: Settings) -> None:
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if settings.is_production:
        shared.append(_without_text)
    renderer: structlog.typing.Processor
    if settings.log_format == "console":
        # No locals in tracebacks: they hold addresses and tokens.
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    else:
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        # What the level keeps out is dropped before anything is done for it.
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # These print statements, parameters or URLs at INFO and DEBUG.
    for name in ("tortoise", "asyncpg", "httpx2", "httpcore2", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_no_traffic)


def _is_no_traffic(record: logging.LogRecord) -> bool:
    """Whether it is about the server itself: its logger also takes addresses, headers and frames of WebSockets."""
    parts = Path(record.pathname).parts
    return record.levelno >= logging.WARNING or ("protocols" not in parts and "websockets" not in parts)


def log_fault(fault: BaseException, **where: object) -> None:
    """Log an exception that nobody expected; in production without its text, which can quote what a shopper sent."""
    log = structlog.get_logger("tradewind")
    if get_settings().is_development:
        log.error("fault", **where, exc_info=fault)
    else:
        log.error("fault", **where, **_described(fault))


def cause_of(fault: BaseException) -> str:
    """What staff read of a failure that is kept, such as a dead letter's; in production without foreign texts.

    Exceptions of our own say codes and names of places; PostgreSQL's and those of libraries quote values.
    """
    if not get_settings().is_production:
        return "".join(traceback.format_exception(fault))
    lines: list[str] = []
    shown: BaseException | None = fault
    while shown is not None and len(lines) < MAX_CAUSES:
        said = f": {shown}" if type(shown).__module__.startswith("app.") else ""
        known = {name: value for name, value in _described(shown).items() if name not in ("fault", "trace") and value}
        frames = "".join(
            f"  {frame.filename}:{frame.lineno} {frame.name}\n"
            for frame in traceback.extract_tb(shown.__traceback__)[-MAX_LOGGED_FRAMES:]
        )
        lines.insert(0, f"{frames}{type(shown).__qualname__}{said} {known or ''}".rstrip())
        shown = shown.__cause__
    return "\n".join(lines)


def _described(fault: BaseException) -> dict[str, object]:
    """What an exception is and where it came from, without what it says."""
    frames = traceback.extract_tb(fault.__traceback__)[-MAX_LOGGED_FRAMES:]
    return {
        "fault": type(fault).__qualname__,
        # Names of what was violated, where PostgreSQL gives them; never its detail, which quotes values.
        "sqlstate": getattr(fault, "sqlstate", None),
        "constraint": getattr(fault, "constraint_name", None),
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _without_text(logger: object, method: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """For every exception that anybody logs: our own `log.exception`, the server's, the broker's."""
    given = entry.pop("exc_info", None)
    fault = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(fault, BaseException):
        entry.update(_described(fault))
    return entry
