"""How the shop lets people pay."""

from typing import Annotated, cast

import strawberry

from app.payments import payment_settings
from app.payments.models import CapturePolicy
from app.payments.payment_settings import PaymentSettingsGiven
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.inputs import given_fields

describe_enum(
    CapturePolicy,
    "When the money that is set aside for an order is taken.",
    EACH_SHIPMENT="With each shipment its goods' price, shipping with the first; all with the first shipment where the "
    "gateway takes money only once.",
    FIRST_SHIPMENT="All of it with the first shipment.",
)


@strawberry.type(description="How the shop lets people pay, and when it takes the money.")
class PaymentSettings:
    capture_policy: CapturePolicy = strawberry.field(description="When money that is set aside is taken.")
    cash_on_delivery: bool = strawberry.field(description="Whether orders that ship can be paid at the door.")
    bank_transfer: bool = strawberry.field(description="Whether orders can be paid by transfer before they ship.")
    bank_account_holder: str | None = strawberry.field(description="Whom shoppers transfer to.")
    bank_name: str | None = strawberry.field(description="That one's bank.")
    bank_iban: str | None = strawberry.field(description="The account (ISO 13616), without spaces.")
    bank_bic: str | None = strawberry.field(description="The bank's code (ISO 9362).")
    bank_instructions: str | None = strawberry.field(description="What shoppers read with it.")
    bank_days_to_pay: int = strawberry.field(
        description="An order that is not paid by then is cancelled and its units can be sold again."
    )
    bank_reminder_days: int = strawberry.field(description="So many days before that its buyer is reminded; 0: never.")

    @classmethod
    def of(cls, settings: payment_settings.PaymentSettings) -> "PaymentSettings":
        return cls(
            capture_policy=settings.capture_policy,
            cash_on_delivery=settings.cash_on_delivery,
            bank_transfer=settings.bank_transfer,
            bank_account_holder=settings.bank_account_holder,
            bank_name=settings.bank_name,
            bank_iban=settings.bank_iban,
            bank_bic=settings.bank_bic,
            bank_instructions=settings.bank_instructions,
            bank_days_to_pay=settings.bank_days_to_pay,
            bank_reminder_days=settings.bank_reminder_days,
        )


@strawberry.input(description="What is left out stays as it is; null takes a text away.")
class PaymentSettingsInput:
    capture_policy: CapturePolicy | None = strawberry.field(
        default=strawberry.UNSET, description="When money that is set aside is taken."
    )
    cash_on_delivery: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether orders that ship can be paid at the door."
    )
    bank_transfer: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether orders can be paid by transfer; needs to be said whereto."
    )
    bank_account_holder: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 140 characters.")
    bank_name: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 140 characters.")
    bank_iban: str | None = strawberry.field(
        default=strawberry.UNSET, description="With or without spaces; its check digits are checked."
    )
    bank_bic: str | None = strawberry.field(default=strawberry.UNSET, description="Of 8 or 11 characters.")
    bank_instructions: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 2,000 characters.")
    bank_days_to_pay: int | None = strawberry.field(default=strawberry.UNSET, description="1 to 365.")
    bank_reminder_days: int | None = strawberry.field(
        default=strawberry.UNSET, description="0 to 90, and less than the days to pay."
    )


@strawberry.type(description="Answer to `paymentSettingsUpdate`.")
class PaymentSettingsPayload:
    payment_settings: PaymentSettings | None = strawberry.field(default=None, description="As they are now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class PaymentSettingsQueries:
    @query(access=STAFF(Permission.SETTINGS_WRITE), description="How the shop lets people pay.")
    async def payment_settings(self, info: Info) -> PaymentSettings:
        return PaymentSettings.of(await payment_settings.current())


@strawberry.type
class PaymentSettingsMutations:
    @mutation(access=STAFF(Permission.SETTINGS_WRITE), description="Change how the shop lets people pay.")
    async def payment_settings_update(
        self,
        info: Info,
        input: Annotated[PaymentSettingsInput, strawberry.argument(description="What is to change.")],
    ) -> PaymentSettingsPayload:
        changed = await payment_settings.update(cast(PaymentSettingsGiven, given_fields(input)))
        return PaymentSettingsPayload(payment_settings=PaymentSettings.of(changed))
