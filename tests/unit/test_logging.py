"""What a fault leaves in the log."""

import logging

import pytest
import structlog
from structlog.testing import capture_logs

from app.logging import log_fault
from tests.environment import make_settings
from tests.written_logs import logging_as_served

SECRET = "Key (email)=(ada@example.com) already exists."


class DatabaseError(Exception):
    sqlstate = "23505"
    constraint_name = "customers_email_key"


def fault() -> DatabaseError:
    try:
        raise DatabaseError(SECRET)
    except DatabaseError as raised:
        return raised


def test_in_production_a_fault_is_logged_without_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_settings(
        "postgres://localhost/shop", "redis://localhost", TRADEWIND_ENV="production", smtp_url="smtp://localhost"
    )
    monkeypatch.setattr("app.logging.get_settings", lambda: settings)
    with capture_logs() as logs:
        log_fault(fault(), path=["cart"])
    (entry,) = logs
    assert SECRET not in str(entry)
    assert "ada@example.com" not in str(entry)
    assert entry["fault"] == "DatabaseError"
    assert entry["sqlstate"] == "23505"
    assert entry["constraint"] == "customers_email_key"
    assert entry["path"] == ["cart"]
    assert entry["trace"][-1].endswith(" fault")


def test_in_development_it_is_logged_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_settings("postgres://localhost/shop", "redis://localhost", TRADEWIND_ENV="development")
    monkeypatch.setattr("app.logging.get_settings", lambda: settings)
    with capture_logs() as logs:
        log_fault(raised := fault())
    (entry,) = logs
    assert entry["exc_info"] is raised


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_in_production_nobody_logs_what_an_exception_says(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither we nor the libraries, of which Dramatiq, uvicorn and asyncio log exceptions by themselves."""
    settings = make_settings(
        "postgres://localhost/shop", "redis://localhost", TRADEWIND_ENV="production", smtp_url="smtp://localhost",
        log_format=log_format,
    )  # fmt: skip
    raised = fault()
    with logging_as_served(settings):
        logging.getLogger("dramatiq.worker").error("a library's", exc_info=raised)
        structlog.get_logger("tradewind.test").error("our own", exc_info=raised)
        try:
            raise raised
        except DatabaseError:
            logging.getLogger("uvicorn.error").exception("while handling")
            structlog.get_logger("tradewind.test").exception("while handling it ourselves")
    logged = capsys.readouterr().err
    assert logged.count("DatabaseError") == 4
    assert logged.count("23505") == 4
    assert "ada@example.com" not in logged
