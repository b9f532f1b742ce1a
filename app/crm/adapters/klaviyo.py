"""Klaviyo, by its JSON:API, revision 2024-10-15.

https://developers.klaviyo.com/en/reference/create_or_update_profile
https://developers.klaviyo.com/en/reference/bulk_subscribe_profiles, …/bulk_unsubscribe_profiles
https://developers.klaviyo.com/en/reference/request_profile_deletion
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from app.crm.adapter import Contact, HttpAdapter, Pushed, at, text_or_none

REVISION = "2024-10-15"


class Klaviyo(HttpAdapter):
    """Profiles are matched by external id and email. The key is a private one, `pk_…`."""

    settings: ClassVar[Mapping[str, str]] = {
        "listId": "The list that consent is written to; without it, consent counts for the account.",
        "apiUrl": "Another address than https://a.klaviyo.com.",
    }
    required: ClassVar[frozenset[str]] = frozenset()
    batch_size: ClassVar[int] = 1
    default_url: ClassVar[str] = "https://a.klaviyo.com"

    def headers(self) -> Mapping[str, str]:
        return {"authorization": f"Klaviyo-API-Key {self.api_key}", "revision": REVISION}

    async def check(self) -> None:
        await self.ask("GET", "/api/accounts")

    async def push(self, contacts: Sequence[Contact]) -> list[Pushed]:
        return [await self._push(contact) for contact in contacts]

    async def forget(self, remote_id: str) -> None:
        profile = {"data": {"type": "profile", "id": remote_id}}
        job = {"type": "data-privacy-deletion-job", "attributes": {"profile": profile}}
        await self.delete("POST", "/api/data-privacy-deletion-jobs", {"data": job})

    async def _push(self, contact: Contact) -> Pushed:
        status, answer = await self.ask(
            "POST", "/api/profile-import", {"data": {"type": "profile", "attributes": _attributes(contact)}}
        )
        remote_id = text_or_none(at(answer, "data", "id"))
        if status >= 400 or remote_id is None:
            return Pushed(failure=f"HTTP {status} {text_or_none(at(answer, 'errors', 0, 'code')) or ''}".strip())
        if contact.email_consent is None:
            return Pushed(remote_id)
        status, _ = await self.ask("POST", *self._subscription(contact, subscribe=contact.email_consent))
        return Pushed(remote_id, None if status < 400 else f"consent: HTTP {status}")

    def _subscription(self, contact: Contact, *, subscribe: bool) -> tuple[str, object]:
        kind = f"profile-subscription-bulk-{'create' if subscribe else 'delete'}-job"
        consent = {"email": {"marketing": {"consent": "SUBSCRIBED" if subscribe else "UNSUBSCRIBED"}}}
        profile = {"type": "profile", "attributes": {"email": contact.email, "subscriptions": consent}}
        job: dict[str, object] = {"type": kind, "attributes": {"profiles": {"data": [profile]}}}
        if list_id := self.configuration.get("listId"):
            job["relationships"] = {"list": {"data": {"type": "list", "id": list_id}}}
        return f"/api/{kind}s", {"data": job}


def _attributes(contact: Contact) -> dict[str, object]:
    known: dict[str, object] = {
        "email": contact.email,
        "phone_number": contact.phone,
        "external_id": str(contact.profile_id),
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "locale": contact.language,
        "location": {"country": contact.country_code} if contact.country_code else None,
        "properties": {
            "tradewind_order_count": contact.order_count,
            "tradewind_total_spent": str(contact.total_spent),
            "tradewind_last_order_at": contact.last_order_at.isoformat() if contact.last_order_at else None,
        },
    }
    return {name: value for name, value in known.items() if value is not None}
