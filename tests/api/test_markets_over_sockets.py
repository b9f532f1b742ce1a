"""`@inContext` on what a socket carries: each operation has its own, subscriptions too."""

from typing import Any

from tests.api.test_sockets import Socket, connected
from tests.client import Api
from tests.factories import catalogue, checkout, markets
from tests.live_server import LiveServer

TRACK = """subscription ($token: String, $currency: CurrencyCode) @inContext(currency: $currency, language: "de") {
    orderTracking(token: $token) { status } }"""
PRICES = """query ($id: ID!) %s { product(id: $id) { priceRange { min { amount currencyCode } } } }"""


async def ask(socket: Socket, operation_id: str, query: str, **variables: Any) -> dict[str, Any]:
    """The first answer to this operation; others may be under way on the socket."""
    payload = {"query": query, "variables": variables}
    await socket.send({"id": operation_id, "type": "subscribe", "payload": payload})
    while True:
        answer = await socket.receive()
        if answer.get("id") == operation_id:
            return answer


def codes(answer: dict[str, Any]) -> list[str]:
    assert "data" not in answer["payload"] or answer["payload"]["data"] is None
    return [error["extensions"]["code"] for error in answer["payload"]["errors"]]


async def test_each_operation_of_a_socket_is_where_it_says(live_server: LiveServer, api: Api) -> None:
    await checkout.shop_that_ships()
    await markets.market("eu", ("DE",), await markets.price_list("EUR", rate="0.9"))
    pen = await catalogue.product(price_minor=10_00)
    token = (await checkout.placed(api))["orderToken"]
    async with connected(live_server) as socket:
        await socket.open()
        watched = await ask(socket, "watch", TRACK, token=token, currency="EUR")
        assert watched["payload"]["data"] == {"orderTracking": {"status": "OPEN"}}
        # The subscription goes on, whoever asks from elsewhere meanwhile.
        for number, (place, amount, currency) in enumerate(
            (
                ("@inContext(country: DE)", "9.00", "EUR"),
                ("", "10.00", "USD"),
                ('@inContext(currency: "EUR")', "9.00", "EUR"),
            )
        ):
            shown = await ask(socket, f"prices-{number}", PRICES % place, id=pen.gid)
            least = shown["payload"]["data"]["product"]["priceRange"]["min"]
            assert least == {"amount": amount, "currencyCode": currency}
        refused = await ask(socket, "elsewhere", TRACK, token=token, currency="KRW")
        assert codes(refused) == ["CURRENCY_NOT_OFFERED"]
        malformed = await ask(socket, "nowhere", TRACK.replace('"de"', '"not a tag"'), token=token)
        assert codes(malformed) == ["INVALID"]
        again = await ask(socket, "again", TRACK, token=token)
        assert again["payload"]["data"] == watched["payload"]["data"]
