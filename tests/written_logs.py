"""Logs as a running shop writes them, in the process of the tests."""

import contextlib
import logging
from collections.abc import Iterator

import structlog

from app.logging import configure_logging
from app.settings import Settings


@contextlib.contextmanager
def logging_as_served(settings: Settings, **changes: object) -> Iterator[None]:
    """At its most talkative unless told; afterwards everything is as before.

    Nothing may keep the logger that it finds here: it would go on writing by this configuration in every later test.
    """
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    configure_logging(settings.model_copy(update={"log_level": "DEBUG", **changes}))
    structlog.configure(cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
        root.handlers[:] = handlers
        root.setLevel(level)
