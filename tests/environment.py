"""The settings of a test run, made before anything of the application is imported."""

from app.settings import Settings

SECRET_KEY = "a-key-of-the-tests-that-is-long-enough-0123456789"


def make_settings(database_url: str, redis_url: str, **more: object) -> Settings:
    values: dict[str, object] = {
        "TRADEWIND_ENV": "test",
        "database_url": database_url,
        "redis_url": redis_url,
        "secret_keys": SECRET_KEY,
        "public_url": "http://testserver",
        **more,
    }
    return Settings.model_validate(values)
