"""Markets as every process knows them, and which of them somebody is in: decided from what is given."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from app.errors import DomainError
from app.markets.errors import MarketErrorCode
from app.markets.prices import converted, exchanged_back


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketTerms:
    """On which terms a market sells.

    Attributes:
        currency_code: of its price list, or the shop's.
        country_codes: where it sells to; of the default market, what no other one has. Empty for everywhere else.
        languages: tags such as de-CH, the default one first; never empty.
        price_list_id: None for the shop's own prices.
        exchange_rate: units of its currency for one unit of the shop's.
        rounding_minor: totals are a multiple of it.
        hides_products: whether there is any that it does not show.
    """

    id: uuid.UUID
    code: str
    name: str
    currency_code: str
    country_codes: tuple[str, ...]
    languages: tuple[str, ...]
    prices_include_tax: bool = False
    price_list_id: uuid.UUID | None = None
    minimum_order_minor: int | None = None
    rounding_minor: int = 1
    is_default: bool = False
    shop_currency_code: str
    exchange_rate: Decimal = Decimal(1)
    hides_products: bool = False

    def from_shop_currency(self, amount_minor: int) -> int:
        """An amount of the shop's currency in the market's, half up to the minor unit."""
        if self.currency_code == self.shop_currency_code:
            return amount_minor
        return converted(amount_minor, self.exchange_rate, self.shop_currency_code, self.currency_code)

    @property
    def shop_rate(self) -> Decimal | None:
        """Minor units of the shop's currency for one of the market's; None where both are the same."""
        if self.currency_code == self.shop_currency_code:
            return None
        return exchanged_back(self.exchange_rate, self.shop_currency_code, self.currency_code)


@dataclass(frozen=True, slots=True)
class Wish:
    """What one source says of where somebody is: the directive, the headers, the account."""

    country_code: str | None = None
    languages: tuple[str, ...] = ()
    currency_code: str | None = None


@dataclass(frozen=True, slots=True)
class BuyingContext:
    """Where somebody is, and what it was concluded from.

    Attributes:
        country_code: that they said, if the shop sells there.
        language: one of the market's.
        version: of the markets that it was resolved with, so that whoever reads the database can tell whether they are
            still the same.
        customer_id: of who is signed in.
        groups_have_prices: whether any group has price lists of its own.
        own_prices: whether prices have to be looked up; without, they are the shop's.
    """

    market: MarketTerms
    country_code: str | None
    language: str
    version: int | None = None
    wishes: tuple[Wish, ...] = ()
    customer_id: uuid.UUID | None = None
    groups_have_prices: bool = False
    own_prices: bool = False

    @property
    def buyer_id(self) -> uuid.UUID | None:
        """The account whose groups are to be asked for prices; None where the market's list is the only one."""
        return self.customer_id if self.groups_have_prices else None

    @property
    def is_chosen(self) -> bool:
        """Whether anything was said of country or currency."""
        return any(wish.country_code or wish.currency_code for wish in self.wishes)


@dataclass(frozen=True, slots=True)
class Markets:
    """All markets, the default one first."""

    terms: tuple[MarketTerms, ...]
    sold_to: frozenset[str] = frozenset()
    """Where the shop sells to; empty for everywhere."""
    groups_have_prices: bool = False
    by_country: Mapping[str, MarketTerms] = field(default_factory=dict)

    @property
    def default(self) -> MarketTerms:
        return self.terms[0]

    def of_id(self, market_id: uuid.UUID | None) -> MarketTerms:
        """The default market for an id that there is none of."""
        return next((market for market in self.terms if market.id == market_id), self.default)

    def of_country(self, country_code: str | None) -> MarketTerms:
        return self.by_country.get(country_code or "", self.default)

    def resolve(
        self,
        wishes: Sequence[Wish] = (),
        *,
        version: int | None = None,
        customer_id: uuid.UUID | None = None,
    ) -> BuyingContext:
        """Where somebody is; the first wish that says anything of country or currency decides the market.

        A country decides alone: its market has one currency. A currency without a country is looked for in the market
        of the country that the next wish knows, and else in the markets in their order.

        Raises:
            DomainError: CURRENCY_NOT_OFFERED when no market sells in the currency that decides.
        """
        market, country = self._placed(wishes)
        languages = [language for wish in wishes for language in wish.languages]
        return BuyingContext(
            market=market,
            country_code=country,
            language=best_language(languages, market.languages),
            version=version,
            wishes=tuple(wishes),
            customer_id=customer_id,
            groups_have_prices=self.groups_have_prices,
            own_prices=market.price_list_id is not None or (customer_id is not None and self.groups_have_prices),
        )

    def _placed(self, wishes: Sequence[Wish]) -> tuple[MarketTerms, str | None]:
        for place, wish in enumerate(wishes):
            if wish.currency_code:
                self._check_currency(wish.currency_code)
            if wish.country_code:
                known = self.sells_to(wish.country_code)
                return (self.of_country(wish.country_code), wish.country_code) if known else (self.default, None)
            if wish.currency_code:
                return self._of_currency(wish.currency_code, wishes[place + 1 :])
        return self.default, None

    def _of_currency(self, currency_code: str, further: Sequence[Wish]) -> tuple[MarketTerms, str | None]:
        country = next((wish.country_code for wish in further if wish.country_code), None)
        if country and self.sells_to(country) and self.of_country(country).currency_code == currency_code:
            return self.of_country(country), country
        return next(market for market in self.terms if market.currency_code == currency_code), None

    def _check_currency(self, currency_code: str) -> None:
        if not any(market.currency_code == currency_code for market in self.terms):
            message = f"The shop has no prices in {currency_code}."
            raise DomainError(MarketErrorCode.CURRENCY_NOT_OFFERED, message, ["currency"])

    def sells_to(self, country_code: str) -> bool:
        """Whether the shop sells to this country at all."""
        return not self.sold_to or country_code in self.sold_to


def best_language(wanted: Sequence[str], offered: Sequence[str]) -> str:
    """The first wanted one that is offered, exactly or in another form of the same language; else the first offered.

    Tags are compared as RFC 4647 looks them up: ignoring case, from the right shorter and shorter.
    """
    by_tag = {tag.lower(): tag for tag in reversed(offered)}
    for tag in wanted:
        parts = tag.lower().split("-")
        for length in range(len(parts), 0, -1):
            if found := by_tag.get("-".join(parts[:length])):
                return found
        related = next((one for one in offered if one.lower().split("-")[0] == parts[0]), None)
        if related:
            return related
    return offered[0]
