"""Money as integer minor units with its currency; decimals exist only at the edges."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Self

from babel.core import get_global

from app.errors import CommonErrorCode, DomainError

MAX_AMOUNT_MINOR = 10**15
"""Far above any order, far below what 64 bits hold once multiplied by a quantity."""


@cache
def currencies() -> frozenset[str]:
    """The ISO 4217 codes in use or formerly in use, as CLDR lists them."""
    return frozenset(get_global("all_currencies"))


# ISO 4217, list one: every currency whose minor unit is not a hundredth. CLDR's digits would not do: they
# tell how prices are usually written, without the fils of the Iraqi dinar or the para of the Serbian one.
_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENTS = {currency: digits for digits, listed in _DIGITS.items() for currency in listed.split()}


def exponent(currency: str) -> int:
    """Digits after the point: 2 for USD, 0 for JPY, 3 for KWD."""
    return _EXPONENTS.get(currency, 2)


def as_decimal(amount_minor: int, currency: str) -> Decimal:
    return Decimal(amount_minor).scaleb(-_EXPONENTS.get(currency, 2))


@dataclass(frozen=True, slots=True)
class Money:
    amount_minor: int
    currency: str

    @property
    def decimal(self) -> Decimal:
        return as_decimal(self.amount_minor, self.currency)

    @classmethod
    def from_decimal(
        cls, amount: Decimal, currency: str, field: list[str | int] | None = None, *, negative: bool = False
    ) -> Self:
        """Raises DomainError(INVALID) for more digits than the currency has, OUT_OF_RANGE beyond the bounds."""
        if not amount.is_finite():
            raise DomainError(CommonErrorCode.INVALID, "The amount must be a number.", field)
        minor = amount.scaleb(exponent(currency))
        if abs(minor) > MAX_AMOUNT_MINOR or (minor < 0 and not negative):
            raise DomainError(CommonErrorCode.OUT_OF_RANGE, "The amount is out of range.", field)
        if minor != minor.to_integral_value():
            raise DomainError(
                CommonErrorCode.INVALID, f"{currency} has {exponent(currency)} digits after the point.", field
            )
        return cls(int(minor), currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount_minor - other.amount_minor, self.currency)

    def __mul__(self, factor: int) -> "Money":
        return Money(self.amount_minor * factor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.amount_minor < other.amount_minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.amount_minor <= other.amount_minor
