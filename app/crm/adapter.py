"""What an adapter to a CRM or marketing system has to be able to do, and what it can answer.

Others are added by packages that declare an entry point in the group `tradewind.crm`: its name is the adapter's, its
value a class like those in `app.crm.adapters`.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Protocol

import orjson

from app.kit import http
from app.settings import get_settings

TIMEOUT_SECONDS = 20.0
NOT_THERE = "HTTP 404"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A profile as other systems get it: the newest state, whatever changed.

    Attributes:
        email_consent: True while marketing mail is allowed, False after it was withdrawn, None where nobody has ever
            asked; an adapter never subscribes somebody without True.
        total_spent: in the shop's currency.
    """

    profile_id: uuid.UUID
    email: str
    phone: str | None
    first_name: str | None
    last_name: str | None
    language: str | None
    country_code: str | None
    email_consent: bool | None
    order_count: int
    total_spent: Decimal
    last_order_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of one contact: the id that it has there, or why it was refused."""

    remote_id: str | None = None
    failure: str | None = None


class CrmError(Exception):
    """The other system did not take anything. The text is for staff: it names no person and no secret."""

    def __init__(self, detail: str, *, temporary: bool, retry_after_seconds: int = 0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.temporary = temporary
        self.retry_after_seconds = retry_after_seconds


class CrmAdapter(Protocol):
    """Made for one connection from its configuration and its key."""

    settings: ClassVar[Mapping[str, str]]
    """Names of what the configuration may hold, each with its description."""
    required: ClassVar[frozenset[str]]
    batch_size: ClassVar[int]

    def __init__(self, configuration: Mapping[str, str], api_key: str) -> None: ...

    async def check(self) -> None:
        """Ask something harmless. Raises CrmError when the key or the address is wrong."""
        ...

    async def push(self, contacts: Sequence[Contact]) -> list[Pushed]:
        """Create or update up to `batch_size` contacts, consent included; in their order. Repeating it changes nothing.

        Raises:
            CrmError: for all of them.
        """
        ...

    async def forget(self, remote_id: str) -> None:
        """Delete a contact for good, and whatever the system keeps about it. One that is not there is forgotten.

        Raises:
            CrmError
        """
        ...


class HttpAdapter:
    """What the adapters of HTTP APIs with JSON have in common."""

    default_url: ClassVar[str] = ""

    def __init__(self, configuration: Mapping[str, str], api_key: str) -> None:
        self.configuration = configuration
        self.api_key = api_key

    @property
    def url(self) -> str:
        return self.configuration.get("apiUrl", self.default_url).rstrip("/")

    def headers(self) -> Mapping[str, str]:
        raise NotImplementedError

    async def delete(self, method: str, path: str, value: object = None) -> None:
        """Ask for a deletion; what is not there any more is deleted. Raises CrmError."""
        try:
            status, _ = await self.ask(method, path, value)
        except CrmError as error:
            if error.detail == NOT_THERE:
                return
            raise
        if status >= 400:
            raise CrmError(f"HTTP {status}", temporary=False)

    async def ask(self, method: str, path: str, value: object = None) -> tuple[int, object]:
        """The status and the decoded answer; a status from 400 on that concerns everything is raised.

        Raises:
            CrmError: temporary for no answer, 408, 409, 429 (with its Retry-After) and 5xx; else for 401, 403 and 404.
        """
        try:
            answer = await http.request(
                method,
                f"{self.url}{path}",
                headers={"content-type": "application/json", "accept": "application/json", **self.headers()},
                content=b"" if value is None else orjson.dumps(value),
                timeout_seconds=TIMEOUT_SECONDS,
                allow_private=get_settings().allow_private_addresses,
            )
        except http.HttpError as error:
            raise CrmError(error.detail, temporary=not isinstance(error, http.RefusedUrlError)) from None
        status = answer.status
        if status in (408, 409, 429) or status >= 500:
            raise CrmError(f"HTTP {status}", temporary=True, retry_after_seconds=answer.retry_after_seconds)
        if status in (401, 403, 404):
            raise CrmError(f"HTTP {status}", temporary=False)
        try:
            return status, orjson.loads(answer.body) if answer.body else None
        except orjson.JSONDecodeError:
            raise CrmError(f"HTTP {status} without JSON", temporary=True) from None


def at(value: object, *path: str | int) -> object:
    """A part of an answer; None where the answer is not as it should be."""
    for key in path:
        if isinstance(key, int):
            value = value[key] if isinstance(value, list) and -len(value) <= key < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value


def text_or_none(value: object) -> str | None:
    return str(value) if isinstance(value, (str, int)) and value != "" else None
