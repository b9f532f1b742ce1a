"""How the shop computes taxes."""

from typing import Annotated, Any, cast

import strawberry

from app.errors import CommonErrorCode, DomainError
from app.staff.permissions import Permission
from app.tax import settings_editing
from app.tax.engines.registry import engines
from app.tax.settings import settings
from app.tax.terms import EngineTerms
from app.tax.terms import TaxSettings as Known
from schema.access import STAFF, mutation, query
from schema.context import Info
from schema.errors import UserError
from schema.inputs import given_fields
from schema.scalars import JSON, CountryCode
from schema.taxes.classes import TaxClass, class_id_of, shown_class
from schema.taxes.enums import ShippingTax, TaxEngineFallback, TaxIdCheck, TaxIdFallback

_WRITE = STAFF(Permission.TAXES_WRITE)


@strawberry.type(description="A setting of a tax engine.")
class TaxEngineSetting:
    name: str = strawberry.field(description="Its key in the configuration.")
    description: str = strawberry.field(description="What it is for.")
    required: bool = strawberry.field(description="Whether the engine needs it.")


@strawberry.type(description="A kind of outside tax engine that is installed.")
class TaxEngineType:
    name: str = strawberry.field(description="Such as `http`.")
    settings: list[TaxEngineSetting] = strawberry.field(description="What its configuration may hold.")


@strawberry.type(description="The outside tax engine in use.")
class TaxEngine:
    name: str = strawberry.field(description="Which kind; one of `taxEngines`.")
    configuration: JSON = strawberry.field(description="Its settings; the secret is never shown.")
    timeout_ms: int = strawberry.field(description="How long a checkout waits for it.")
    fallback: TaxEngineFallback = strawberry.field(description="What happens then.")

    @classmethod
    def of(cls, terms: EngineTerms) -> "TaxEngine":
        return cls(
            name=terms.name,
            configuration=cast(JSON, dict(terms.configuration)),
            timeout_ms=terms.timeout_ms,
            fallback=terms.fallback,
        )


@strawberry.type(description="How the shop computes taxes.")
class TaxSettings:
    home_country_code: CountryCode | None = strawberry.field(
        description="Where the seller is established and ships from: what is an export, and whom VAT is not charged."
    )
    tax_id: str | None = strawberry.field(description="The seller's own VAT number.")
    gross_price_stays: bool = strawberry.field(
        description="For prices that include tax: true charges the same price at every rate of tax. False takes the "
        "home country's tax out of it and adds the destination's."
    )
    untaxed_price_stays: bool = strawberry.field(
        description="For prices that include tax, where none is due (exports, reverse charge, exemptions): true "
        "charges the full price. False takes the home country's tax out of it."
    )
    shipping: ShippingTax = strawberry.field(description="What decides the tax on shipping, where a zone is silent.")
    shipping_class: TaxClass | None = strawberry.field(description="The class of shipping, for SHIPPING_CLASS.")
    gift_wrap_class: TaxClass | None = strawberry.field(
        description="The class of gift wraps; null taxes them as the goods."
    )
    tax_id_check: TaxIdCheck = strawberry.field(description="When the number of a business counts.")
    tax_id_fallback: TaxIdFallback = strawberry.field(
        description="With ONLINE: what a number is worth until the register has answered."
    )
    engine: TaxEngine | None = strawberry.field(
        description="The outside engine that checkouts ask; null for the shop's own rates. Carts show the shop's own."
    )

    @classmethod
    def of(cls, known: Known) -> "TaxSettings":
        return cls(
            home_country_code=None if known.home_country_code is None else CountryCode(known.home_country_code),
            tax_id=known.tax_id,
            gross_price_stays=known.gross_price_stays,
            untaxed_price_stays=known.untaxed_price_stays,
            shipping=known.shipping,
            shipping_class=shown_class(known.shipping_class_id, known.classes),
            gift_wrap_class=shown_class(known.gift_wrap_class_id, known.classes),
            tax_id_check=known.tax_id_check,
            tax_id_fallback=known.tax_id_fallback,
            engine=None if known.engine is None else TaxEngine.of(known.engine),
        )


@strawberry.input(description="The outside tax engine to use.")
class TaxEngineInput:
    name: str = strawberry.field(description="One of `taxEngines`.")
    configuration: JSON | None = strawberry.field(
        default=strawberry.UNSET, description="The engine's settings: an object of strings."
    )
    secret: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="What questions are signed with, 24 characters or more; kept encrypted and never shown. Needed "
        "again when name or configuration change.",
    )
    timeout_ms: int | None = strawberry.field(default=strawberry.UNSET, description="100 to 10,000; else as it is.")
    fallback: TaxEngineFallback | None = strawberry.field(default=strawberry.UNSET, description="Else as it is.")

    def change(self) -> settings_editing.SettingsChange:
        """Raises DomainError(INVALID)."""
        given: Any = self.configuration or {}
        if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
            message = "The configuration is an object of strings."
            raise DomainError(CommonErrorCode.INVALID, message, ["input", "engine", "configuration"])
        change = settings_editing.SettingsChange(engine=self.name, engine_configuration=given)
        if self.secret:
            change["engine_secret"] = self.secret
        if self.timeout_ms is not None and self.timeout_ms is not strawberry.UNSET:
            change["engine_timeout_ms"] = self.timeout_ms
        if self.fallback is not None and self.fallback is not strawberry.UNSET:
            change["engine_fallback"] = self.fallback
        return change


@strawberry.input(description="What is left out stays as it is.")
class TaxSettingsInput:
    home_country_code: CountryCode | None = strawberry.field(
        default=strawberry.UNSET, description="Where the seller is established and ships from; null for unknown."
    )
    tax_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="The seller's own VAT number; null for none."
    )
    gross_price_stays: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether an inclusive price is the same at every rate of tax."
    )
    untaxed_price_stays: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether an inclusive price is charged in full where no tax is due."
    )
    shipping: ShippingTax | None = strawberry.field(
        default=strawberry.UNSET, description="What decides the tax on shipping."
    )
    shipping_class_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The class of shipping; null for none."
    )
    gift_wrap_class_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The class of gift wraps; null taxes them as the goods."
    )
    tax_id_check: TaxIdCheck | None = strawberry.field(
        default=strawberry.UNSET, description="When the number of a business counts."
    )
    tax_id_fallback: TaxIdFallback | None = strawberry.field(
        default=strawberry.UNSET, description="What a number is worth until the register has answered."
    )
    engine: TaxEngineInput | None = strawberry.field(
        default=strawberry.UNSET, description="The outside engine that checkouts ask; null for none."
    )

    def change(self) -> settings_editing.SettingsChange:
        """Raises DomainError(INVALID_ID | INVALID)."""
        given = given_fields(self)
        engine = given.pop("engine", strawberry.UNSET)
        nullable = {"home_country_code", "tax_id", "shipping_class_id", "gift_wrap_class_id"}
        change = {name: value for name, value in given.items() if value is not None or name in nullable}
        for name, field in (("shipping_class_id", "shippingClassId"), ("gift_wrap_class_id", "giftWrapClassId")):
            if name in change:
                change[name] = class_id_of(change[name], ["input", field])
        if engine is None:
            change["engine"] = None
        elif engine is not strawberry.UNSET:
            change |= engine.change()
        return cast(settings_editing.SettingsChange, change)


@strawberry.type(description="Answer to `taxSettingsUpdate`.")
class TaxSettingsPayload:
    tax_settings: TaxSettings | None = strawberry.field(default=None, description="As they are now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class TaxSettingsQueries:
    @query(access=_WRITE, description="Staff: how the shop computes taxes.")
    async def tax_settings(self, info: Info) -> TaxSettings:
        return TaxSettings.of(await settings.current())

    @query(access=_WRITE, description="Staff: the tax engines that are installed.")
    async def tax_engines(self, info: Info) -> list[TaxEngineType]:
        return [
            TaxEngineType(
                name=name,
                settings=[
                    TaxEngineSetting(name=key, description=description, required=key in engine.required)
                    for key, description in engine.settings.items()
                ],
            )
            for name, engine in engines().items()
        ]


@strawberry.type
class TaxSettingsMutations:
    @mutation(
        access=_WRITE,
        description="Staff: change how the shop computes taxes. Carts are taxed anew at once; orders keep what they "
        "were charged.",
    )
    async def tax_settings_update(
        self, info: Info, input: Annotated[TaxSettingsInput, strawberry.argument(description="What is to change.")]
    ) -> TaxSettingsPayload:
        await settings_editing.update_settings(input.change())
        return TaxSettingsPayload(tax_settings=TaxSettings.of(await settings.current()))
