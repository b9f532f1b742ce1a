"""Whom a rate limit counts: the client as the trusted proxies saw it, and nothing that it can change by itself."""

import pytest
from starlette.requests import HTTPConnection

from app.rate_limit import client_unit
from app.settings import Settings, get_settings
from schema.context import client_address
from tests.client import Api
from tests.environment import make_settings

LOOK_UP = '{ orderTracking(number: "1001", email: "ada@example.com") { number } }'


def address(peer: str, *forwarded: str, trusted: int, own: str = "") -> str:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    scope = {"type": "http", "headers": headers, "client": (peer, 50_000)}
    settings = make_settings("postgresql://localhost/x", "redis://localhost", rate_limit_exempt=own)
    return client_address(HTTPConnection(scope), settings.model_copy(update={"trusted_proxies": trusted}))


@pytest.mark.parametrize(
    ("forwarded", "trusted", "expected"),
    [
        ([], 0, "10.0.0.1"),
        (["6.6.6.6"], 0, "10.0.0.1"),
        (["203.0.113.7"], 1, "203.0.113.7"),
        (["6.6.6.6, 203.0.113.7"], 1, "203.0.113.7"),
        # HAProxy, for one, adds a line of its own below the client's.
        (["6.6.6.6", "203.0.113.7"], 1, "203.0.113.7"),
        (["6.6.6.6, 203.0.113.7", "10.0.0.2"], 2, "203.0.113.7"),
        ([], 1, "10.0.0.1"),
        ([" , "], 1, "10.0.0.1"),
        (["203.0.113.7"], 2, "10.0.0.1"),
    ],
)
def test_only_what_a_trusted_proxy_added_counts(forwarded: list[str], trusted: int, expected: str) -> None:
    assert address("10.0.0.1", *forwarded, trusted=trusted) == expected


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("10.1.0.5", [], 0, "10.1.0.5"),
        ("10.1.0.5", ["203.0.113.7"], 0, "203.0.113.7"),
        ("10.1.0.5", ["6.6.6.6, 203.0.113.7"], 0, "203.0.113.7"),
        ("10.1.0.5", ["203.0.113.7, 10.1.0.9"], 0, "203.0.113.7"),
        ("198.51.100.1", ["203.0.113.7"], 0, "198.51.100.1"),
        ("10.9.0.1", ["203.0.113.7, 10.1.0.5"], 1, "203.0.113.7"),
        ("10.9.0.1", ["10.1.0.5, 203.0.113.7"], 1, "203.0.113.7"),
        ("10.9.0.1", ["10.1.0.5"], 1, "10.1.0.5"),
        ("2001:db8::5", ["203.0.113.7"], 0, "203.0.113.7"),
    ],
)
def test_whom_the_storefronts_own_servers_ask_for(peer: str, forwarded: list[str], trusted: int, expected: str) -> None:
    """Servers that render for all shoppers are one address; others in front of us cannot pass for them."""
    assert address(peer, *forwarded, trusted=trusted, own="10.1.0.0/16, 2001:db8::5") == expected


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:51234", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("unknown", "unknown"),
        ("", ""),
        ("[", "["),
    ],
)
def test_ports_and_the_addresses_of_one_network_are_one_client(told: str, counted: str) -> None:
    assert client_unit(told) == counted


async def test_a_header_that_nobody_is_trusted_to_send_escapes_no_limit(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schema.fulfillments.tracking.LOOK_UPS_PER_ADDRESS", 2)
    codes = []
    for number in range(4):
        result = await api.query(LOOK_UP, headers={"X-Forwarded-For": f"198.51.100.{number}"})
        codes += result.codes or ["none"]
    assert codes == ["none", "none", "RATE_LIMITED", "RATE_LIMITED"]


@pytest.mark.parametrize(("forwards", "codes"), [(False, []), (True, ["RATE_LIMITED", "RATE_LIMITED"])])
async def test_a_server_that_asks_for_all_shoppers_is_not_one_of_them(
    settings: Settings, api: Api, monkeypatch: pytest.MonkeyPatch, forwards: bool, codes: list[str]
) -> None:
    """It signs up and looks up for everybody; a shopper whom it names is limited as any other."""
    monkeypatch.setattr("schema.fulfillments.tracking.LOOK_UPS_PER_ADDRESS", 2)
    for known in (settings, get_settings()):
        monkeypatch.setattr(known, "rate_limit_exempt", ["127.0.0.0/8"])
    headers = {"X-Forwarded-For": "203.0.113.7"} if forwards else {}
    refused = []
    for _ in range(4):
        refused += (await api.query(LOOK_UP, headers=headers)).codes
    assert refused == codes
    for number in range(3):
        shopper = {"X-Forwarded-For": f"203.0.113.{number + 8}"} if forwards else {}
        assert (await api.query(LOOK_UP, headers=shopper)).codes == []
