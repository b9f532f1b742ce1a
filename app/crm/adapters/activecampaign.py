"""ActiveCampaign, by its API v3.

https://developers.activecampaign.com/reference/sync-a-contacts-data
https://developers.activecampaign.com/reference/update-list-status-for-contact
https://developers.activecampaign.com/reference/delete-contact
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import quote

from app.crm.adapter import Contact, HttpAdapter, Pushed, at, text_or_none

_SUBSCRIBED, _UNSUBSCRIBED = 1, 2


class ActiveCampaign(HttpAdapter):
    """Contacts are matched by email. Address and key are in the account's settings, under Developer."""

    settings: ClassVar[Mapping[str, str]] = {
        "apiUrl": "The account's address, such as https://shop.api-us1.com.",
        "listId": "The list that consent is written to; without it, none is.",
    }
    required: ClassVar[frozenset[str]] = frozenset({"apiUrl"})
    batch_size: ClassVar[int] = 1

    def headers(self) -> Mapping[str, str]:
        return {"api-token": self.api_key}

    async def check(self) -> None:
        await self.ask("GET", "/api/3/users/me")

    async def push(self, contacts: Sequence[Contact]) -> list[Pushed]:
        return [await self._push(contact) for contact in contacts]

    async def forget(self, remote_id: str) -> None:
        await self.delete("DELETE", f"/api/3/contacts/{quote(remote_id, safe='')}")

    async def _push(self, contact: Contact) -> Pushed:
        known = {
            "email": contact.email,
            "firstName": contact.first_name,
            "lastName": contact.last_name,
            "phone": contact.phone,
        }
        given = {"contact": {name: value for name, value in known.items() if value}}
        status, answer = await self.ask("POST", "/api/3/contact/sync", given)
        remote_id = text_or_none(at(answer, "contact", "id"))
        if status >= 400 or remote_id is None:
            return Pushed(failure=f"HTTP {status} {text_or_none(at(answer, 'errors', 0, 'code')) or ''}".strip())
        list_id = self.configuration.get("listId")
        if not list_id or contact.email_consent is None:
            return Pushed(remote_id)
        state = _SUBSCRIBED if contact.email_consent else _UNSUBSCRIBED
        wanted = {"contactList": {"list": list_id, "contact": remote_id, "status": state}}
        status, _ = await self.ask("POST", "/api/3/contactLists", wanted)
        return Pushed(remote_id, None if status < 400 else f"consent: HTTP {status}")
