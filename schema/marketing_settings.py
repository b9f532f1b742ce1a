"""How the shop does marketing."""

from typing import Annotated, cast

import strawberry

from app.customers.models import ConsentSource
from app.messaging import marketing_settings
from app.messaging.marketing_settings import DoubleOptInGiven, MarketingSettingsGiven
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.channels import MessageChannel
from schema.context import Info
from schema.errors import UserError
from schema.inputs import given_fields


@strawberry.type(description="Which consent has to be confirmed by its receiver (double opt-in).")
class DoubleOptIn:
    channel: MessageChannel = strawberry.field(description="EMAIL or SMS.")
    sources: list[ConsentSource] = strawberry.field(description="Consent from these is confirmed before it counts.")


@strawberry.type(description="How the shop does marketing.")
class MarketingSettings:
    email_cap_hours: int = strawberry.field(description="One marketing mail to a person in so many hours; 0: no cap.")
    sms_cap_hours: int = strawberry.field(description="The same for text messages, and for calls.")
    quiet_from: str = strawberry.field(
        description="From this time of day, where the receiver is, no marketing text or call goes out: `21:00`."
    )
    quiet_until: str = strawberry.field(description="Until this one: `08:00`.")
    double_opt_in: list[DoubleOptIn] = strawberry.field(
        description="Whose consent has to be confirmed. Consent after a withdrawal always has to."
    )
    attribution_days: int = strawberry.field(description="An order belongs to the last click of so many days.")
    voice_enabled: bool = strawberry.field(description="Whether flows may call people.")
    utm_source: str = strawberry.field(description="As `utm_source` in links.")
    help_text: str | None = strawberry.field(
        description="What HELP is answered with after the shop's name; null for its contact."
    )

    @classmethod
    def of(cls, settings: marketing_settings.MarketingSettings) -> "MarketingSettings":
        return cls(
            email_cap_hours=settings.email_cap_hours,
            sms_cap_hours=settings.sms_cap_hours,
            quiet_from=settings.quiet_from.isoformat("minutes"),
            quiet_until=settings.quiet_until.isoformat("minutes"),
            double_opt_in=[
                DoubleOptIn(channel=channel, sources=sorted(sources))
                for channel, sources in settings.double_opt_in.items()
            ],
            attribution_days=settings.attribution_days,
            voice_enabled=settings.voice_enabled,
            utm_source=settings.utm_source,
            help_text=settings.help_text,
        )


@strawberry.input(description="Which consent has to be confirmed by its receiver.")
class DoubleOptInInput:
    channel: MessageChannel = strawberry.field(description="EMAIL or SMS.")
    sources: list[ConsentSource] = strawberry.field(description="NEWSLETTER, CART, CHECKOUT, API; none turns it off.")


@strawberry.input(description="What is left out stays as it is.")
class MarketingSettingsInput:
    email_cap_hours: int | None = strawberry.field(default=strawberry.UNSET, description="0 to 744.")
    sms_cap_hours: int | None = strawberry.field(default=strawberry.UNSET, description="0 to 744.")
    quiet_from: str | None = strawberry.field(default=strawberry.UNSET, description="Such as `21:00`.")
    quiet_until: str | None = strawberry.field(default=strawberry.UNSET, description="Such as `08:00`.")
    double_opt_in: list[DoubleOptInInput] | None = strawberry.field(
        default=strawberry.UNSET, description="By channel; channels that are left out stay as they are."
    )
    attribution_days: int | None = strawberry.field(default=strawberry.UNSET, description="1 to 90.")
    voice_enabled: bool | None = strawberry.field(default=strawberry.UNSET, description="Whether flows may call.")
    utm_source: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 80 characters.")
    help_text: str | None = strawberry.field(
        default=strawberry.UNSET, description="Up to 160 characters; null goes back to the shop's contact."
    )

    def given(self) -> MarketingSettingsGiven:
        values = given_fields(self)
        if self.double_opt_in:
            values["double_opt_in"] = [cast(DoubleOptInGiven, given_fields(one)) for one in self.double_opt_in]
        return cast(MarketingSettingsGiven, values)


@strawberry.type(description="Answer to `marketingSettingsUpdate`.")
class MarketingSettingsPayload:
    marketing_settings: MarketingSettings | None = strawberry.field(default=None, description="As they are now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class MarketingSettingsQueries:
    @query(access=STAFF(Permission.MARKETING_READ), description="How the shop does marketing.")
    async def marketing_settings(self, info: Info) -> MarketingSettings:
        return MarketingSettings.of(await marketing_settings.current())


@strawberry.type
class MarketingSettingsMutations:
    @mutation(access=STAFF(Permission.MARKETING_WRITE), description="Change how the shop does marketing.")
    async def marketing_settings_update(
        self,
        info: Info,
        input: Annotated[MarketingSettingsInput, strawberry.argument(description="What is to change.")],
    ) -> MarketingSettingsPayload:
        return MarketingSettingsPayload(
            marketing_settings=MarketingSettings.of(await marketing_settings.update(input.given()))
        )
