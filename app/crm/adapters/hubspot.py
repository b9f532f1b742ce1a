"""HubSpot, by its CRM API v3 and its Subscriptions API v4.

https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/batch/post-crm-v3-objects-contacts-batch-upsert
https://developers.hubspot.com/docs/api-reference/communication-preferences-subscriptions-v4
https://developers.hubspot.com/docs/guides/api/crm/objects/contacts (GDPR delete)
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import quote

from app.crm.adapter import Contact, CrmError, HttpAdapter, Pushed, at, text_or_none


class HubSpot(HttpAdapter):
    """Contacts are matched by email. The key is that of a private app."""

    settings: ClassVar[Mapping[str, str]] = {
        "subscriptionId": "Id of the email subscription type that consent is written to; without it, none is.",
        "apiUrl": "Another address than https://api.hubapi.com.",
    }
    required: ClassVar[frozenset[str]] = frozenset()
    batch_size: ClassVar[int] = 100
    default_url: ClassVar[str] = "https://api.hubapi.com"

    def headers(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.api_key}"}

    async def check(self) -> None:
        await self.ask("GET", "/crm/v3/objects/contacts?limit=1")

    async def push(self, contacts: Sequence[Contact]) -> list[Pushed]:
        inputs = [{"id": one.email, "idProperty": "email", "properties": _properties(one)} for one in contacts]
        status, answer = await self.ask("POST", "/crm/v3/objects/contacts/batch/upsert", {"inputs": inputs})
        results = at(answer, "results")
        if status >= 400 or not isinstance(results, list):
            if len(contacts) > 1:
                # One that is wrong refuses the whole batch: each of them is asked for by itself.
                return [pushed for one in contacts for pushed in await self.push([one])]
            return [Pushed(failure=f"HTTP {status} {text_or_none(at(answer, 'category')) or ''}".strip())]
        by_email = {str(at(result, "properties", "email") or "").lower(): at(result, "id") for result in results}
        if len(contacts) == 1 and len(results) == 1:
            by_email = {contacts[0].email.lower(): at(results, 0, "id")}
        pushed = []
        for one in contacts:
            remote_id = text_or_none(by_email.get(one.email.lower()))
            if remote_id is None:
                pushed.append(Pushed(failure=f"HTTP {status}: not among the results"))
            else:
                pushed.append(await self._consent(one, remote_id))
        return pushed

    async def forget(self, remote_id: str) -> None:
        await self.delete("POST", "/crm/v3/objects/contacts/gdpr-delete", {"objectId": remote_id})

    async def _consent(self, contact: Contact, remote_id: str) -> Pushed:
        subscription = self.configuration.get("subscriptionId")
        if not subscription or contact.email_consent is None:
            return Pushed(remote_id)
        wanted = {
            "channel": "EMAIL",
            "statusState": "SUBSCRIBED" if contact.email_consent else "UNSUBSCRIBED",
            "subscriptionId": int(subscription) if subscription.isdigit() else subscription,
        }
        path = f"/communication-preferences/v4/statuses/{quote(contact.email, safe='')}"
        try:
            status, _ = await self.ask("POST", path, wanted)
        except CrmError as error:
            if error.temporary:
                raise
            return Pushed(remote_id, f"consent: {error.detail}")
        return Pushed(remote_id, None if status < 400 else f"consent: HTTP {status}")


def _properties(contact: Contact) -> dict[str, str]:
    """HubSpot's own properties, so that nothing has to be set up there."""
    known = {
        "email": contact.email,
        "phone": contact.phone,
        "firstname": contact.first_name,
        "lastname": contact.last_name,
        "country": contact.country_code,
        "hs_language": contact.language and contact.language.lower(),
    }
    return {name: value for name, value in known.items() if value}
