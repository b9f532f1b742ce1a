"""Money in the schema."""

from decimal import Decimal

import strawberry

from app.errors import CommonErrorCode, DomainError
from app.kit import money as kit
from schema.scalars import CurrencyCode


@strawberry.type(description="An amount in a currency.")
class Money:
    amount: Decimal = strawberry.field(description="With all digits of the currency: 19.90 USD, 1990 JPY.")
    currency_code: CurrencyCode = strawberry.field(description="Its currency.")

    @classmethod
    def of(cls, amount_minor: int, currency: str) -> "Money":
        return cls(amount=kit.as_decimal(amount_minor, currency), currency_code=CurrencyCode(currency))


@strawberry.type(description="The lowest and the highest of several amounts.")
class MoneyRange:
    min: Money = strawberry.field(description="The lowest.")
    max: Money = strawberry.field(description="The highest.")


@strawberry.input(description="An amount in a currency.")
class MoneyInput:
    amount: Decimal = strawberry.field(
        description='Such as "19.90"; no more digits after the point than the currency has.'
    )
    currency_code: CurrencyCode = strawberry.field(description="Its currency.")

    def parsed(self, field: list[str | int] | None = None) -> kit.Money:
        """Raises DomainError(INVALID | OUT_OF_RANGE). Zeros count as digits: 1.500 USD may be meant as 1500."""
        written, digits = self.amount.as_tuple().exponent, kit.exponent(self.currency_code)
        if isinstance(written, int) and -written > digits:
            raise DomainError(
                CommonErrorCode.INVALID, f"{self.currency_code} has {digits} digits after the point.", field
            )
        return kit.Money.from_decimal(self.amount, self.currency_code, field)
