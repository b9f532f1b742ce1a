"""The settings of a test run, made before anything of the application is imported."""

from app.settings import Settings
from tests.patience import patience

SECRET_KEY = "f7f93f2439faf8feb8b154b1b2fda49951dc6e584933cad9"
TIME_LIMITS: dict[str, object] = {
    "statement_timeout_seconds": patience(10),
    "request_timeout_seconds": patience(30),
    "overloaded_after_seconds": patience(4),
}
"""Of the shop, for what hangs: where everything is slow, who is at work is not taken for that. Tests of the limits set
their own."""
AS_VARIABLES = {name.upper(): str(seconds) for name, seconds in TIME_LIMITS.items()}
"""The same for processes that tests start."""


def make_settings(database_url: str, redis_url: str, **more: object) -> Settings:
    values: dict[str, object] = {
        "TRADEWIND_ENV": "test",
        "database_url": database_url,
        "redis_url": redis_url,
        "secret_keys": SECRET_KEY,
        "public_url": "http://testserver",
        **TIME_LIMITS,
        **more,
    }
    return Settings.model_validate(values)
