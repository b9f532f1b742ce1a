"""What can be wrong about markets, price lists and groups of customers."""

from app.errors import ErrorCode


class MarketErrorCode(ErrorCode):
    CURRENCY_NOT_OFFERED = "No market of the shop sells in this currency."
    COUNTRY_IN_ANOTHER_MARKET = "A country belongs to one market at most."
    PRICE_LIST_REQUIRED = "A market in another currency than the shop's needs a price list in that currency."
    PRICE_LIST_IN_USE = "A market or a group of customers sells by this price list."
    EXCHANGE_RATE_REQUIRED = "A price list in another currency than the shop's needs an exchange rate."
    DEFAULT_MARKET = "The default market stays, and has every country that no other market has."
