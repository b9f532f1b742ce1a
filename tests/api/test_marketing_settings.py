"""How the shop does marketing: read, changed and refused through GraphQL."""

from typing import Any

import pytest

from app import db
from app.customers.models import ConsentSource
from app.messaging import marketing_settings
from app.messaging.models import MessageChannel
from tests.client import Api
from tests.factories import shop

READ = """
    { marketingSettings { emailCapHours smsCapHours quietFrom quietUntil doubleOptIn { channel sources }
                          attributionDays voiceEnabled utmSource helpText } }
"""
UPDATE = """
    mutation ($input: MarketingSettingsInput!) {
      marketingSettingsUpdate(input: $input) {
        marketingSettings { emailCapHours quietFrom doubleOptIn { channel sources } helpText }
        userErrors { code field }
      }
    }
"""


async def test_the_defaults_are_those_of_the_law_and_of_good_sense(api: Api, staff_token: str) -> None:
    settings = (await api.ok(READ, token=staff_token))["marketingSettings"]
    assert settings == {
        "emailCapHours": 16,
        "smsCapHours": 24,
        "quietFrom": "21:00",
        "quietUntil": "08:00",
        "doubleOptIn": [
            {"channel": "EMAIL", "sources": ["NEWSLETTER"]},
            {"channel": "SMS", "sources": ["NEWSLETTER"]},
        ],
        "attributionDays": 5,
        "voiceEnabled": False,
        "utmSource": "tradewind",
        "helpText": None,
    }


async def test_what_is_given_changes_and_the_rest_stays(api: Api, staff_token: str) -> None:
    first = {"emailCapHours": 0, "helpText": "Call us.", "doubleOptIn": [{"channel": "EMAIL", "sources": ["CART"]}]}
    await api.ok(UPDATE, {"input": first}, token=staff_token)
    changed = await api.ok(UPDATE, {"input": {"quietFrom": "20:30", "helpText": None}}, token=staff_token)
    assert changed["marketingSettingsUpdate"]["marketingSettings"] == {
        "emailCapHours": 0,
        "quietFrom": "20:30",
        "doubleOptIn": [{"channel": "EMAIL", "sources": ["CART"]}, {"channel": "SMS", "sources": ["NEWSLETTER"]}],
        "helpText": None,
    }
    current = await marketing_settings.current()
    assert current.needs_confirmation(MessageChannel.EMAIL, ConsentSource.CART)
    assert not current.needs_confirmation(MessageChannel.EMAIL, ConsentSource.NEWSLETTER)


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"emailCapHours": -1}, "OUT_OF_RANGE", ["input", "emailCapHours"]),
        ({"attributionDays": 91}, "OUT_OF_RANGE", ["input", "attributionDays"]),
        ({"quietFrom": "25:00"}, "INVALID", ["input", "quietFrom"]),
        ({"quietFrom": "9pm"}, "INVALID", ["input", "quietFrom"]),
        ({"quietFrom": "08:00"}, "INVALID", ["input", "quietUntil"]),
        ({"quietFrom": "21:30"}, "INVALID", ["input", "quietFrom"]),
        ({"quietUntil": "07:30"}, "INVALID", ["input", "quietUntil"]),
        ({"utmSource": " "}, "REQUIRED", ["input", "utmSource"]),
        ({"helpText": "x" * 161}, "TOO_LONG", ["input", "helpText"]),
        (
            {"doubleOptIn": [{"channel": "VOICE", "sources": []}]},
            "INVALID",
            ["input", "doubleOptIn", "0", "channel"],
        ),
        (
            {"doubleOptIn": [{"channel": "SMS", "sources": ["CART", "STAFF"]}]},
            "INVALID",
            ["input", "doubleOptIn", "0", "sources", "1"],
        ),
    ],
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(
    api: Api, staff_token: str, given: dict[str, Any], code: str, field: list[str]
) -> None:
    (error,) = await api.refused(UPDATE, {"input": {"smsCapHours": 48, **given}}, token=staff_token)
    assert (error["code"], error["field"]) == (code, field)
    assert not await db.fetchval("SELECT EXISTS (SELECT FROM marketing_settings)")


async def test_a_setting_decides_at_once_who_has_to_confirm(api: Api, staff_token: str) -> None:
    await shop.shop()
    await api.ok(UPDATE, {"input": {"doubleOptIn": [{"channel": "EMAIL", "sources": []}]}}, token=staff_token)
    await api.ok(
        """
        mutation { newsletterSubscribe(input: {email: "ada@customer.example",
          consent: [{channel: EMAIL, granted: true}]}) { userErrors { code } } }
        """
    )
    assert await db.fetchval("SELECT action FROM consents") == "GRANTED"
