"""Connections to CRM and marketing systems."""

import datetime as dt
from typing import Annotated, Any, cast

import orjson
import strawberry

from app import db
from app.crm import service, syncing
from app.crm.registry import adapters
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.context import Info
from schema.errors import UserError
from schema.jobs import JobPayload, queued
from schema.scalars import JSON

PREFIX = "crm"
_WRITE = STAFF(Permission.INTEGRATIONS_WRITE)
_LIST = """
    SELECT k.*, c.contacts, c.behind, c.failed
    FROM crm_connections k
    CROSS JOIN LATERAL (
        SELECT count(*) AS contacts, count(*) FILTER (WHERE synced_revision < wanted_revision) AS behind,
               count(*) FILTER (WHERE failure IS NOT NULL) AS failed
        FROM crm_contacts WHERE connection_id = k.id
    ) c
    WHERE $1::uuid IS NULL OR k.id = $1 ORDER BY k.id
"""


@strawberry.type(description="A setting of an adapter.")
class CrmSetting:
    name: str = strawberry.field(description="Its key in the configuration.")
    description: str = strawberry.field(description="What it is for.")
    required: bool = strawberry.field(description="Whether a connection needs it.")


@strawberry.type(description="A kind of system that contacts can be kept in step with.")
class CrmAdapterType:
    name: str = strawberry.field(description="Such as `hubspot`.")
    settings: list[CrmSetting] = strawberry.field(description="What its configuration may hold.")


@strawberry.type(description="Why one contact was not taken.")
class CrmFailure:
    profile_id: strawberry.ID = strawberry.field(description="Whose.")
    failure: str = strawberry.field(description="What the other system, or the connection, said.")


@strawberry.type(description="A connection to a CRM or marketing system, which gets contacts and their consent.")
class CrmConnection:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    adapter: str = strawberry.field(description="What kind of system.")
    name: str = strawberry.field(description="For staff.")
    enabled: bool = strawberry.field(description="Whether changes are sent.")
    configuration: JSON = strawberry.field(description="Its settings; the key is never shown.")
    contacts: int = strawberry.field(description="Profiles that it knows of.")
    behind: int = strawberry.field(description="Profiles whose newest state is on its way.")
    failed: int = strawberry.field(description="Profiles whose newest state was not taken.")
    failures: list[CrmFailure] = strawberry.field(description="The first 20 of those.")
    created_at: dt.datetime = strawberry.field(description="When it was made.")


@strawberry.input(description="A new connection.")
class CrmConnectionInput:
    adapter: str = strawberry.field(description="One of `crmAdapters`.")
    name: str = strawberry.field(description="For staff, up to 120 characters.")
    api_key: str = strawberry.field(description="The other system's key; it is kept encrypted and never shown.")
    configuration: JSON | None = strawberry.field(
        default=strawberry.UNSET, description="The adapter's settings: an object of strings."
    )


@strawberry.input(description="What changes of a connection. What is left out stays as it is.")
class CrmConnectionUpdateInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="For staff, up to 120 characters.")
    api_key: str | None = strawberry.field(
        default=strawberry.UNSET, description="A new key; needed again when `apiUrl` changes."
    )
    configuration: JSON | None = strawberry.field(
        default=strawberry.UNSET, description="All of the adapter's settings: an object of strings."
    )


@strawberry.type(description="Answer to what makes or changes a connection.")
class CrmConnectionPayload:
    connection: CrmConnection | None = strawberry.field(default=None, description="The connection as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `crmConnectionDelete`.")
class CrmConnectionDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The connection that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="What the other system answered to a harmless question.")
class CrmCheck:
    ok: bool = strawberry.field(description="Whether address and key are right.")
    detail: str | None = strawberry.field(description="What is wrong.")


async def _shown(row: db.Record) -> CrmConnection:
    failures = await db.fetch(
        "SELECT profile_id, failure FROM crm_contacts WHERE connection_id = $1 AND failure IS NOT NULL LIMIT 20",
        row["id"],
    )
    return CrmConnection(
        id=strawberry.ID(ids.encode(PREFIX, row["id"])),
        adapter=row["adapter"],
        name=row["name"],
        enabled=row["enabled"],
        configuration=cast(JSON, orjson.loads(row["configuration"])),
        contacts=row["contacts"],
        behind=row["behind"],
        failed=row["failed"],
        failures=[
            CrmFailure(profile_id=strawberry.ID(ids.encode("prof", one["profile_id"])), failure=one["failure"])
            for one in failures
        ],
        created_at=row["created_at"],
    )


async def _one(connection_id: Any) -> CrmConnection | None:
    row = await db.fetchrow(_LIST, connection_id)
    return await _shown(row) if row else None


def _configuration(given: Any) -> dict[str, str]:
    """Raises DomainError(INVALID) for anything but an object of strings; nothing is no settings."""
    configuration = {} if given is None or given is strawberry.UNSET else given
    if not isinstance(configuration, dict) or not all(isinstance(value, str) for value in configuration.values()):
        message = "The configuration is an object of strings."
        raise DomainError(CommonErrorCode.INVALID, message, ["input", "configuration"])
    return configuration


ConnectionId = Annotated[strawberry.ID, strawberry.argument(description="Id of the connection.")]


@strawberry.type
class CrmQueries:
    @query(access=_WRITE, description="The kinds of systems that this installation can keep in step.")
    async def crm_adapters(self, info: Info) -> list[CrmAdapterType]:
        return [
            CrmAdapterType(
                name=name,
                settings=[
                    CrmSetting(name=setting, description=text, required=setting in adapter.required)
                    for setting, text in adapter.settings.items()
                ],
            )
            for name, adapter in adapters().items()
        ]

    @query(access=_WRITE, description="All connections.")
    async def crm_connections(self, info: Info) -> list[CrmConnection]:
        return [await _shown(row) for row in await db.fetch(_LIST, None)]

    @query(access=_WRITE, description="Ask the other system whether address and key are right. It changes nothing.")
    async def crm_connection_check(self, info: Info, id: ConnectionId) -> CrmCheck:
        wrong = await service.check_connection(ids.decode(PREFIX, id, ["id"]))
        return CrmCheck(ok=wrong is None, detail=wrong)


@strawberry.type
class CrmMutations:
    @mutation(
        access=_WRITE,
        description="Connect a system. From then on it gets every profile that changes; `crmConnectionSync` sends all.",
    )
    async def crm_connection_create(
        self, info: Info, input: Annotated[CrmConnectionInput, strawberry.argument(description="The connection.")]
    ) -> CrmConnectionPayload:
        configuration = _configuration(input.configuration)
        made = await service.create_connection(input.adapter, input.name, input.api_key, configuration)
        return CrmConnectionPayload(connection=await _one(made))

    @mutation(
        access=_WRITE,
        description="Change a connection's name, settings or key. Nobody is sent by it: `crmConnectionSync` does that.",
    )
    async def crm_connection_update(
        self,
        info: Info,
        id: ConnectionId,
        input: Annotated[CrmConnectionUpdateInput, strawberry.argument(description="What changes.")],
    ) -> CrmConnectionPayload:
        connection_id = ids.decode(PREFIX, id, ["id"])
        await service.update_connection(
            connection_id,
            name=None if input.name is strawberry.UNSET else input.name or "",
            api_key=None if input.api_key is strawberry.UNSET else input.api_key or "",
            configuration=None if input.configuration is strawberry.UNSET else _configuration(input.configuration),
        )
        return CrmConnectionPayload(connection=await _one(connection_id))

    @mutation(access=_WRITE, description="Switch a connection on or off.")
    async def crm_connection_switch(
        self,
        info: Info,
        id: ConnectionId,
        enabled: Annotated[bool, strawberry.argument(description="Whether changes are sent.")],
    ) -> CrmConnectionPayload:
        connection_id = ids.decode(PREFIX, id, ["id"])
        await service.switch_connection(connection_id, on=enabled)
        return CrmConnectionPayload(connection=await _one(connection_id))

    @mutation(access=_WRITE, description="Forget a connection and its key. What the other system has stays there.")
    async def crm_connection_delete(self, info: Info, id: ConnectionId) -> CrmConnectionDeletePayload:
        await service.delete_connection(ids.decode(PREFIX, id, ["id"]))
        return CrmConnectionDeletePayload(deleted_id=id)

    @mutation(
        access=_WRITE,
        description="Send every profile with an email again. The job says how many are on their way; `behind` and "
        "`failed` of the connection say what became of them.",
    )
    async def crm_connection_sync(self, info: Info, id: ConnectionId) -> JobPayload:
        staff = info.context.staff
        connection_id = ids.decode(PREFIX, id, ["id"])
        return await queued(await syncing.request(connection_id, staff_id=staff.id if staff else None))
