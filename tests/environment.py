"""The settings of a test run, made before anything of the application is imported."""

from app.settings import Settings
from tests.patience import patience

SECRET_KEY = "f7f93f2439faf8feb8b154b1b2fda49951dc6e584933cad9"


def make_settings(database_url: str, redis_url: str, **more: object) -> Settings:
    values: dict[str, object] = {
        "TRADEWIND_ENV": "test",
        "database_url": database_url,
        "redis_url": redis_url,
        "secret_keys": SECRET_KEY,
        "public_url": "http://testserver",
        "statement_timeout_seconds": patience(10),
        "overloaded_after_seconds": patience(4),
        **more,
    }
    return Settings.model_validate(values)
