"""Connections to CRM systems as staff keep them, and which profiles have to be sent to them."""

import uuid
from collections.abc import Mapping, Sequence

import orjson

from app import db, events
from app.crm.adapter import CrmAdapter, CrmError
from app.crm.credentials import decrypt, encrypt
from app.crm.errors import CrmErrorCode
from app.crm.registry import adapters
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit import http
from app.kit.ids import new_id
from app.kit.problems import Problems
from app.settings import get_settings
from app.webhooks.errors import WebhookErrorCode

PUSH = "crm.push"
MAX_NAME_CHARS = 120
MAX_VALUE_CHARS = 500

_MARK = """
    INSERT INTO crm_contacts AS c (connection_id, profile_id, wanted_revision, synced_revision)
    SELECT k.id, p.id, 1, 0 FROM crm_connections k JOIN profiles p ON p.id = $1 AND p.email IS NOT NULL WHERE k.enabled
    ON CONFLICT (connection_id, profile_id) DO UPDATE
    SET wanted_revision = c.wanted_revision + 1, failure = NULL
    RETURNING id, wanted_revision - 1 = synced_revision AS was_in_step
"""


async def create_connection(adapter: str, name: str, api_key: str, configuration: Mapping[str, str]) -> uuid.UUID:
    """Returns the connection's id; nothing is asked of the other system yet, and nobody sent to it.

    Raises:
        DomainErrors: CRM_UNKNOWN, REQUIRED, TOO_LONG, INVALID for settings that the adapter does not have, URL_REFUSED.
    """
    checked_name = _checked(adapter, name, api_key, configuration)
    connection_id = new_id()
    await db.execute(
        """
        INSERT INTO crm_connections (id, adapter, name, enabled, configuration, credentials, created_at, updated_at)
        VALUES ($1, $2, $3, true, $4::jsonb, $5, business_now(), business_now())
        """,
        connection_id,
        adapter,
        checked_name,
        orjson.dumps(dict(configuration)).decode(),
        encrypt(api_key.strip()),
    )
    return connection_id


async def update_connection(
    connection_id: uuid.UUID,
    *,
    name: str | None = None,
    api_key: str | None = None,
    configuration: Mapping[str, str] | None = None,
) -> None:
    """Change what is given; None stays as it is. Nobody is sent by it: that is asked for (`syncing`).

    A stored key goes only where it was given for: another `apiUrl` needs the key again.

    Raises:
        DomainError: NOT_FOUND.
        DomainErrors: as for `create_connection`.
    """
    async with db.unit_of_work():
        row = await db.fetchrow("SELECT * FROM crm_connections WHERE id = $1 FOR UPDATE", connection_id)
        if row is None:
            raise not_found("connection", ["id"])
        before = orjson.loads(row["configuration"])
        after = before if configuration is None else dict(configuration)
        if api_key is None and after.get("apiUrl") != before.get("apiUrl"):
            message = "Another address needs the other system's key again."
            raise DomainError(CommonErrorCode.REQUIRED, message, ["input", "apiKey"])
        checked_name = _checked(row["adapter"], row["name"] if name is None else name, api_key, after)
        await db.execute(
            """
            UPDATE crm_connections
            SET name = $2, configuration = $3::jsonb, credentials = coalesce($4, credentials),
                updated_at = business_now()
            WHERE id = $1
            """,
            connection_id,
            checked_name,
            orjson.dumps(after).decode(),
            None if api_key is None else encrypt(api_key.strip()),
        )


def _checked(adapter: str, name: str, api_key: str | None, configuration: Mapping[str, str]) -> str:
    """The name as it is kept; an `api_key` of None is one that is kept already."""
    known = adapters().get(adapter)
    if known is None:
        message = f"No adapter is called {adapter!r:.60}; there are {', '.join(adapters())}."
        raise DomainError(CrmErrorCode.CRM_UNKNOWN, message, ["input", "adapter"])
    problems = Problems()
    checked_name = problems.required_line(name, "A name", "name", max_chars=MAX_NAME_CHARS)
    if api_key is not None:
        problems.required_line(api_key, "The other system's key", "apiKey", max_chars=MAX_VALUE_CHARS)
    for setting, value in configuration.items():
        if setting not in known.settings:
            message = f"This adapter has no such setting; it has {', '.join(known.settings)}."
            problems.add(CommonErrorCode.INVALID, message, "configuration", setting)
        else:
            problems.required_line(value, "A value", "configuration", setting, max_chars=MAX_VALUE_CHARS)
    for setting in known.required - configuration.keys():
        problems.add(CommonErrorCode.REQUIRED, f"The setting {setting} is needed.", "configuration", setting)
    if url := configuration.get("apiUrl"):
        allow_private = get_settings().allow_private_addresses
        try:
            parsed = http.check_url(url, allow_private=allow_private)
            if parsed.scheme != "https" and not allow_private:
                raise http.RefusedUrlError("the key would travel unencrypted; use https")
        except http.RefusedUrlError as refused:
            problems.add(WebhookErrorCode.URL_REFUSED, f"Refused: {refused.detail}.", "configuration", "apiUrl")
    problems.raise_if_any()
    return checked_name


async def switch_connection(connection_id: uuid.UUID, *, on: bool) -> None:
    """What changed while it was off is not sent by itself: `syncing` does that. Raises DomainError(NOT_FOUND)."""
    changed = await db.execute(
        "UPDATE crm_connections SET enabled = $2, updated_at = business_now() WHERE id = $1", connection_id, on
    )
    if not changed:
        raise not_found("connection", ["id"])


async def delete_connection(connection_id: uuid.UUID) -> None:
    """What the other system has stays there. Raises DomainError(NOT_FOUND)."""
    async with db.unit_of_work():
        if not await db.execute("DELETE FROM crm_connections WHERE id = $1", connection_id):
            raise not_found("connection", ["id"])
        await db.execute("DELETE FROM crm_contacts WHERE connection_id = $1", connection_id)


def open_adapter(row: db.Record) -> CrmAdapter:
    """Raises CrmError when it cannot be: the adapter is not installed any more, or the key cannot be read."""
    known = adapters().get(row["adapter"])
    if known is None:
        raise CrmError("the adapter is not installed", temporary=False)
    api_key = decrypt(row["credentials"])
    if api_key is None:
        raise CrmError("the key was encrypted under a secret key that is gone; enter it again", temporary=False)
    return known(orjson.loads(row["configuration"]), api_key)


async def check_connection(connection_id: uuid.UUID) -> str | None:
    """Ask the other system something harmless; what is wrong, or None. Raises DomainError(NOT_FOUND)."""
    row = await db.fetchrow("SELECT * FROM crm_connections WHERE id = $1", connection_id)
    if row is None:
        raise not_found("connection", ["id"])
    try:
        await open_adapter(row).check()
    except CrmError as error:
        return error.detail
    return None


async def mark(profile_id: uuid.UUID) -> None:
    """This profile has changed: every connection gets its newest state. Joins the open unit of work.

    While an earlier change is still on its way, it takes this one along.
    """
    for row in await db.fetch(_MARK, profile_id):
        if row["was_in_step"]:
            await wanted([row["id"]])


async def wanted(contact_ids: Sequence[int], *, attempt: int = 0, delay_seconds: float | None = None) -> None:
    await events.record(
        PUSH, payload={"contactIds": list(contact_ids), "attempt": attempt}, delay_seconds=delay_seconds
    )
