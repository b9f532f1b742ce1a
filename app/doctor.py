"""What `tradewind doctor` looks at: each part that the shop leans on, and what to do about one that fails.

Nothing here writes, and no finding repeats a password or a key.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg
from pydantic import ValidationError
from redis import RedisError
from redis import asyncio as aioredis

from app import db
from app.kit.postgres_url import connection_arguments
from app.messaging.smtp import check_smtp
from app.settings import Settings, get_settings

MIN_POSTGRES_MAJOR = 15
MIN_REDIS_MAJOR = 7
TIMEOUT_SECONDS = 5.0

_NETWORK_ERRORS = (OSError, TimeoutError)  # ssl's errors and refused connections are OSErrors


@dataclass(frozen=True)
class Finding:
    name: str
    ok: bool
    said: str
    advice: str = ""


def configuration_problems(error: ValidationError) -> list[str]:
    """Each wrong variable by the name it has in the environment, without its value."""
    lines = []
    for problem in error.errors():
        name = str(problem["loc"][0]).upper() if problem["loc"] else ""
        message = "is missing" if problem["type"] == "missing" else problem["msg"].removeprefix("Value error, ")
        lines.append(f"{name} {message}".strip())
    return lines


async def examine() -> list[Finding]:
    """Every check in turn. Where the configuration itself is wrong, that alone."""
    try:
        settings = get_settings()
    except ValidationError as error:
        advice = "Set it in the environment or in .env; .env.example explains every variable."
        return [Finding("configuration", False, line, advice) for line in configuration_problems(error)]
    checks: list[Callable[[Settings], Awaitable[Finding]]] = [_database, _migrations, _redis, _mail]
    if settings.broker_url:
        checks.append(_broker)
    findings = [_secrets(settings), _public_url(settings)]
    for check in checks:
        findings.append(await check(settings))
    if settings.twilio_account_sid or settings.twilio_auth_token or settings.twilio_from:
        findings.append(_text_messages(settings))
    return findings


def _secrets(settings: Settings) -> Finding:
    count = len(settings.secret_keys)
    older = f", {count - 1} older {'one' if count == 2 else 'ones'} still verify" if count > 1 else ""
    return Finding("secrets", True, f"{settings.environment} keys: the first signs{older}")


def _public_url(settings: Settings) -> Finding:
    url = urlsplit(settings.public_url)
    if settings.is_production and (url.hostname in ("localhost", "127.0.0.1") or url.scheme != "https"):
        return Finding(
            "public address",
            False,
            f"links in mails would lead to {settings.public_url}",
            "Set PUBLIC_URL to the https:// address at which shoppers reach this API.",
        )
    return Finding("public address", True, settings.public_url)


async def _database(settings: Settings) -> Finding:
    try:
        connection = await asyncpg.connect(**connection_arguments(settings.database_url), timeout=TIMEOUT_SECONDS)
    except ValueError as error:
        return Finding("database", False, str(error), "Correct DATABASE_URL.")
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        return Finding("database", False, "refuses this user or password", "Correct DATABASE_URL.")
    except asyncpg.InvalidCatalogNameError:
        return Finding("database", False, "the server has no database of this name", "Create it: createdb NAME.")
    except (asyncpg.PostgresError, *_NETWORK_ERRORS) as error:
        return Finding("database", False, _unreachable(error), f"Is PostgreSQL up at {_place(settings.database_url)}?")
    try:
        version: str = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close(timeout=TIMEOUT_SECONDS)
    if int(version.split(".", maxsplit=1)[0]) < MIN_POSTGRES_MAJOR:
        return Finding("database", False, f"PostgreSQL {version}", f"{MIN_POSTGRES_MAJOR} or later is needed.")
    return Finding("database", True, f"PostgreSQL {version}")


async def _migrations(settings: Settings) -> Finding:
    try:
        await db.open_pool(settings)
        try:
            pending = await db.pending_migrations()
        finally:
            await db.close_pool()
    except Exception as error:  # noqa: BLE001 - the check before this one says why
        return Finding("migrations", False, f"cannot be read ({type(error).__name__})", "Get the database going first.")
    if pending:
        return Finding(
            "migrations", False, f"{len(pending)} to apply: {', '.join(pending)}", "Run `tradewind migrate`."
        )
    return Finding("migrations", True, "all applied")


async def _redis(settings: Settings) -> Finding:
    try:
        client = aioredis.Redis.from_url(
            settings.redis_url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
    except ValueError:
        return Finding("redis", False, "REDIS_URL is not a URL", "It must look like redis://:password@host:6379/0.")
    try:
        facts = await client.info()
    except (RedisError, *_NETWORK_ERRORS) as error:
        return Finding("redis", False, _unreachable(error), f"Is it up at {_place(settings.redis_url)}?")
    finally:
        await client.aclose()
    product = "Valkey" if "valkey_version" in facts else "Redis"
    version = str(facts.get("valkey_version") or facts["redis_version"])
    if int(version.split(".", maxsplit=1)[0]) < MIN_REDIS_MAJOR:
        return Finding("redis", False, f"{product} {version}", "Redis 7 or Valkey 8 or later is needed.")
    policy = facts.get("maxmemory_policy", "noeviction")
    if settings.broker_url is None and policy != "noeviction":
        return Finding(
            "redis",
            False,
            f"{product} {version} may throw queued work away (maxmemory-policy {policy})",
            "Set `maxmemory-policy noeviction`, or give the queue a server of its own.",
        )
    return Finding("redis", True, f"{product} {version}")


async def _broker(settings: Settings) -> Finding:
    import pika  # type: ignore[import-untyped]

    def connect() -> None:
        parameters = pika.URLParameters(settings.broker_url)
        parameters.socket_timeout = parameters.blocked_connection_timeout = TIMEOUT_SECONDS
        pika.BlockingConnection(parameters).close()

    try:
        await asyncio.to_thread(connect)
    except (pika.exceptions.AMQPError, *_NETWORK_ERRORS) as error:
        return Finding("broker", False, _unreachable(error), f"Is RabbitMQ up at {_place(settings.broker_url or '')}?")
    return Finding("broker", True, "RabbitMQ answers")


async def _mail(settings: Settings) -> Finding:
    if problem := await check_smtp(settings):
        return Finding("mail", False, problem, "Correct SMTP_URL or the sender; .env.example explains them.")
    if settings.smtp_url is None:
        return Finding("mail", True, f"stays here, in the inbox at {settings.public_url}/inbox")
    places = [_place(url) for url in (settings.smtp_url, *settings.smtp_fallback_urls)]
    return Finding(
        "mail", True, f"{' and '.join(places)} {'take' if len(places) > 1 else 'takes'} mail (none was sent)"
    )


def _text_messages(settings: Settings) -> Finding:
    parts = {
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
        "TWILIO_FROM": settings.twilio_from,
    }
    if missing := [name for name, value in parts.items() if not value]:
        return Finding("text messages", False, "set up by half", f"Set {' and '.join(missing)} too.")
    return Finding("text messages", True, "set up with Twilio (not called: each call costs)")


def _unreachable(error: Exception) -> str:
    return f"cannot be reached ({type(error).__name__})"


def _place(url: str) -> str:
    """Host and port of a URL, without what is secret in it."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}{f':{parts.port}' if parts.port else ''}"
