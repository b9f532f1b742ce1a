"""Campaigns as staff handle them through the API."""

from typing import Any

from app.messaging.dev_inbox import list_messages
from tests.client import Api
from tests.factories import marketing
from tests.factories.shop import shop

FIELDS = """{ id name status channel templateKey segmentId sendAt inLocalTime perMinute startedAt finishedAt
    stats { recipients handled waiting sent failed skipped { reason count } delivered bounced complained clicked
            unsubscribed orders revenue { amount currencyCode } } }"""
ANSWER = f"{{ campaign {FIELDS} userErrors {{ code field message }} }}"
CREATE = f"mutation ($input: CampaignInput!) {{ campaignCreate(input: $input) {ANSWER} }}"
UPDATE = f"mutation ($id: ID!, $input: CampaignUpdateInput!) {{ campaignUpdate(id: $id, input: $input) {ANSWER} }}"
SCHEDULE = (
    f"mutation ($id: ID!, $input: CampaignScheduleInput!) {{ campaignSchedule(id: $id, input: $input) {ANSWER} }}"
)
SHOW = f"query ($id: ID!) {{ campaign(id: $id) {FIELDS} }}"
LIST = f"query ($status: CampaignStatus) {{ campaigns(status: $status) {{ totalCount nodes {FIELDS} }} }}"
DELETE = "mutation ($id: ID!) { campaignDelete(id: $id) { deletedId userErrors { code field message } } }"
TEST = """mutation ($id: ID!, $to: String!) {
    campaignTestSend(id: $id, to: $to) { messageId userErrors { code field message } } }"""


def does(action: str) -> str:
    return f"mutation ($id: ID!) {{ campaign{action}(id: $id) {ANSWER} }}"


class Staff:
    def __init__(self, api: Api, token: str) -> None:
        self.api, self.token = api, token

    async def create(self, **given: Any) -> str:
        made = {"name": "Spring", "templateKey": "news", **given}
        data = await self.api.ok(CREATE, {"input": made}, token=self.token)
        created: str = data["campaignCreate"]["campaign"]["id"]
        return created

    async def do(self, action: str, id: str) -> dict[str, Any]:
        data = await self.api.ok(does(action), {"id": id}, token=self.token)
        campaign: dict[str, Any] = data[f"campaign{action}"]["campaign"]
        return campaign

    async def refused(self, action: str, id: str) -> list[str]:
        return [error["code"] for error in await self.api.refused(does(action), {"id": id}, token=self.token)]

    async def schedule(self, id: str, **given: Any) -> dict[str, Any]:
        data = await self.api.ok(SCHEDULE, {"id": id, "input": given}, token=self.token)
        campaign: dict[str, Any] = data["campaignSchedule"]["campaign"]
        return campaign

    async def show(self, id: str) -> dict[str, Any]:
        campaign: dict[str, Any] = (await self.api.ok(SHOW, {"id": id}, token=self.token))["campaign"]
        return campaign

    async def stats(self, id: str) -> dict[str, Any]:
        stats: dict[str, Any] = (await self.show(id))["stats"]
        return stats


async def at_work(api: Api, token: str) -> Staff:
    """Staff of a shop that has a template to send."""
    await shop()
    await marketing.template("news")
    return Staff(api, token)


async def receivers() -> list[str]:
    return sorted(message.to for message in await list_messages(first=100))


def skips(stats: dict[str, Any]) -> dict[str, int]:
    return {skip["reason"]: skip["count"] for skip in stats["skipped"]}
