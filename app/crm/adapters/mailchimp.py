"""Mailchimp, by its Marketing API 3.0.

https://mailchimp.com/developer/marketing/api/list-members/add-or-update-list-member/
https://mailchimp.com/developer/marketing/api/list-members/delete-list-member/
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import quote

from app.crm.adapter import Contact, HttpAdapter, Pushed, at, text_or_none


class Mailchimp(HttpAdapter):
    """Members of one audience are matched by email. The key ends in its data centre: `…-us21`."""

    settings: ClassVar[Mapping[str, str]] = {
        "listId": "The audience's id.",
        "apiUrl": "Another address than that of the key's data centre.",
    }
    required: ClassVar[frozenset[str]] = frozenset({"listId"})
    batch_size: ClassVar[int] = 1

    @property
    def url(self) -> str:
        centre = self.api_key.rpartition("-")[2]
        own = f"https://{centre}.api.mailchimp.com/3.0" if centre.isalnum() else ""
        return self.configuration.get("apiUrl", own).rstrip("/")

    def headers(self) -> Mapping[str, str]:
        login = base64.b64encode(f"tradewind:{self.api_key}".encode()).decode()
        return {"authorization": f"Basic {login}"}

    async def check(self) -> None:
        await self.ask("GET", f"/lists/{self.configuration['listId']}?fields=id")

    async def push(self, contacts: Sequence[Contact]) -> list[Pushed]:
        return [await self._push(contact) for contact in contacts]

    async def forget(self, remote_id: str) -> None:
        member = f"/lists/{self.configuration['listId']}/members/{quote(remote_id, safe='')}"
        await self.delete("POST", f"{member}/actions/delete-permanent")

    async def _push(self, contact: Contact) -> Pushed:
        # The hash is the address in Mailchimp's API, no protection of anything.
        name = hashlib.md5(contact.email.lower().encode(), usedforsecurity=False).hexdigest()
        status, answer = await self.ask(
            "PUT", f"/lists/{self.configuration['listId']}/members/{name}", _member(contact)
        )
        remote_id = text_or_none(at(answer, "id"))
        if status < 400 and remote_id:
            return Pushed(remote_id)
        return Pushed(failure=f"HTTP {status} {text_or_none(at(answer, 'title')) or ''}".strip())


def _member(contact: Contact) -> dict[str, object]:
    """Who never agreed to marketing is a transactional member: known, and in no campaign."""
    states = {True: "subscribed", False: "unsubscribed"}
    wanted = states.get(contact.email_consent) if contact.email_consent is not None else None
    fields = {"FNAME": contact.first_name, "LNAME": contact.last_name, "PHONE": contact.phone}
    member: dict[str, object] = {
        "email_address": contact.email,
        "status_if_new": wanted or "transactional",
        "merge_fields": {field: value for field, value in fields.items() if value},
    }
    if wanted:
        member["status"] = wanted
    if contact.language:
        member["language"] = contact.language.partition("-")[0].lower()
    return member
