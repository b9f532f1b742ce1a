"""What an outside tax engine has to be able to do; its name, settings, question and answer.

Engines are added by packages that declare an entry point in the group `tradewind.tax_engines`: its name is the
engine's, its value a class like `app.tax.engines.http.HttpEngine`, which is the reference; see docs/taxes.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from app.pricing.amounts import TaxRate


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxedItem:
    """Something that may bear tax. `amount_minor` is what is charged for all of it, after discounts, in minor units;
    with the tax in it where `TaxQuestion.prices_include_tax`."""

    id: str
    quantity: int
    amount_minor: int
    tax_class: str | None
    """The class's code; None for the default one where the shop has none."""
    taxable: bool = True
    services: bool = False
    """Not shipped: digital goods and services."""
    sku: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxQuestion:
    """An order whose taxes are asked for. It names nobody: places, amounts, and the buyer's tax number.

    Attributes:
        shipping_minor, gift_wrap_minor: None where there is none.
        exemptions: numbers of the buyer's certificates that hold at the destination.
    """

    currency: str
    prices_include_tax: bool
    seller_country: str | None
    seller_tax_id: str | None
    country_code: str
    province_code: str | None
    postal_code: str | None
    city: str | None
    buyer_tax_id: str | None
    exemptions: tuple[str, ...]
    items: tuple[TaxedItem, ...]
    shipping_minor: int | None
    gift_wrap_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxAnswer:
    """Rates of every item by its id, of shipping and of the order's gift wrap, in the order of being levied.

    An engine decides on rates; the amounts are the pricing function's, so that an order always adds up.
    """

    items: Mapping[str, tuple[TaxRate, ...]]
    shipping: tuple[TaxRate, ...] = ()
    gift_wrap: tuple[TaxRate, ...] = ()


class TaxEngineError(Exception):
    """There is no usable answer. The text is for staff and logs: no address, no number, no secret."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class TaxEngine(Protocol):
    """Made from its configuration and its secret for each question; keeps nothing between two of them."""

    settings: ClassVar[Mapping[str, str]]
    """Names of what the configuration may hold, each with its description."""
    required: ClassVar[frozenset[str]]

    def __init__(self, configuration: Mapping[str, str], secret: str) -> None: ...

    async def rates(self, question: TaxQuestion, timeout_seconds: float) -> TaxAnswer:
        """Ask. Called outside any transaction, and given up after the timeout in any case.

        The same question may come twice, and what comes of an answer is not told: it is no booking.

        Raises:
            TaxEngineError: for no answer, and for one that does not make sense.
        """
        ...
