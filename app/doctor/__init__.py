"""What `tradewind doctor` looks at: each part that the shop leans on, and what to do about one that fails.

Nothing here writes, no finding repeats a password or a key, and nothing waits for ever on a server that hangs.
"""

import asyncpg
from pydantic import ValidationError

from app.doctor import configuration, database, paying, queueing
from app.doctor.finding import NETWORK_ERRORS, Finding, unreachable
from app.settings import Settings, get_settings

__all__ = ["Finding", "configuration_problems", "examine"]


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
    findings = [*configuration.examine(settings), *await _in_the_database(settings), *await queueing.redis(settings)]
    if settings.broker_url:
        findings.append(await queueing.broker(settings))
    findings.append(await configuration.mail(settings))
    findings += await paying.examine(settings)
    return findings


async def _in_the_database(settings: Settings) -> list[Finding]:
    connection = await database.connect(settings)
    unread = Finding("migrations", False, "cannot be read", "Get the database going first.")
    if isinstance(connection, Finding):
        return [connection, unread]
    try:
        findings = await database.examine(connection, settings)
        if any(finding.name == "permissions" for finding in findings):
            return [*findings, unread]
        migrations = await database.migrations(connection)
        findings.append(migrations)
        if migrations.ok:
            findings += await queueing.work(connection, settings)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, *NETWORK_ERRORS) as error:
        return [Finding("database", False, unreachable(error), "It accepts connections and does not answer."), unread]
    finally:
        connection.terminate()
    return findings
