"""The shop itself, and its policies."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, cast

import strawberry

from app.customers import consent_texts
from app.shop import queries, service
from app.shop.models import ShopPolicyKind
from app.shop.service import PolicyGiven, ShopGiven
from app.staff.permissions import Permission
from app.terms.models import AgeCheck
from schema.access import PUBLIC, STAFF, mutation, query
from schema.consent import ConsentText
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.inputs import given_fields
from schema.money import Money
from schema.scalars import CountryCode, CurrencyCode
from schema.selection import Selection

describe_enum(
    ShopPolicyKind,
    "What a policy is about.",
    DELIVERY="Where the shop ships to, how long it takes and what it costs.",
    RETURNS="How to give goods back, and refunds.",
    PRIVACY="What is done with personal data.",
    TERMS="Terms of service.",
    LEGAL_NOTICE="Who runs the shop; in some countries called imprint.",
)


describe_enum(
    AgeCheck,
    "How a buyer confirms that they are old enough.",
    DECLARATION="They say so: `ageConfirmed`.",
    BIRTH_DATE="They say when they were born: `birthDate`. The date is compared and forgotten.",
)


@strawberry.type(description="A text that shoppers can read before they buy.")
class ShopPolicy:
    kind: ShopPolicyKind = strawberry.field(description="What it is about.")
    title: str = strawberry.field(description="Its heading.")
    body: str = strawberry.field(description="Plain text.")
    body_html: str = strawberry.field(description="Sanitised HTML.")
    updated_at: dt.datetime = strawberry.field(description="When it last changed.")


@strawberry.type(description="The shop.")
class Shop:
    name: str = strawberry.field(description="Its name.")
    currency_code: CurrencyCode = strawberry.field(description="What its prices are in.")
    countries: list[CountryCode] = strawberry.field(description="Where it sells to.")
    time_zone: str = strawberry.field(description="Its time zone's name in the IANA database.")
    locale: str = strawberry.field(description="The language of its texts, such as `en-US`.")
    available_quantity_limit: int = strawberry.field(description="Shoppers see exact stock up to this many units.")
    reservation_minutes: int = strawberry.field(
        description="How long a checkout keeps its items for the shopper, from `checkoutCreate` and each change on; "
        "0 where it keeps none before they are paid for."
    )
    reservation_max_minutes: int = strawberry.field(
        description="How long one checkout can keep them altogether, in 24 hours, whatever the shopper does."
    )
    reservation_unit_limit: int = strawberry.field(
        description="Units of one variant that a checkout keeps at most; it can be completed with more."
    )
    minimum_order: Money | None = strawberry.field(
        description="What the goods of an order have to come to after discounts, where its market says nothing else."
    )
    age_check: AgeCheck = strawberry.field(
        description="How a buyer confirms their age, where something in the cart asks for it."
    )
    legal_name: str | None = strawberry.field(description="Of the company or person that runs it.")
    postal_address: str | None = strawberry.field(description="Of the company or person that runs it, line by line.")
    contact_email: str | None = strawberry.field(description="Where shoppers write to.")
    contact_phone: str | None = strawberry.field(description="Where shoppers call.")
    policies: list[ShopPolicy] = strawberry.field(description="What shoppers can read before they buy.")
    consent_texts: list[ConsentText] = strawberry.field(
        description="The wordings that consent to marketing is given to: the newest of each channel, in the shop's "
        "language. Show it beside the box, and send its id along."
    )


@strawberry.input(description="A policy. It takes the place of the one of its kind; without a text, that is removed.")
class ShopPolicyInput:
    kind: ShopPolicyKind = strawberry.field(description="What it is about.")
    title: str = strawberry.field(description="Its heading.")
    body: str | None = strawberry.field(default=strawberry.UNSET, description="As plain text; or give `bodyHtml`.")
    body_html: str | None = strawberry.field(
        default=strawberry.UNSET, description="As HTML, which is sanitised; or give `body`."
    )


@strawberry.input(description="What is left out stays as it is; null empties what can be empty.")
class ShopInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Its name.")
    currency_code: CurrencyCode | None = strawberry.field(
        default=strawberry.UNSET,
        description="What its prices are in; fixed once there are products, price lists, shipping methods or orders.",
    )
    countries: list[CountryCode] | None = strawberry.field(default=strawberry.UNSET, description="Where it sells to.")
    time_zone: str | None = strawberry.field(
        default=strawberry.UNSET, description="A name of the IANA database, such as `Europe/Berlin`."
    )
    locale: str | None = strawberry.field(
        default=strawberry.UNSET, description="The language of its texts, such as `en-US`."
    )
    available_quantity_limit: int | None = strawberry.field(
        default=strawberry.UNSET, description="Shoppers see exact stock up to this many units; 0 hides it."
    )
    reservation_minutes: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="How long a checkout keeps its items for the shopper, from each thing that they do on: up to 1,440 "
        "minutes, 10 unless said; 0 keeps none before they are paid for.",
    )
    reservation_max_minutes: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="How long one checkout can keep them altogether, in 24 hours: up to 1,440 minutes, 60 unless said.",
    )
    reservation_unit_limit: int | None = strawberry.field(
        default=strawberry.UNSET, description="Units of one variant that a checkout keeps at most; 20 unless said."
    )
    minimum_order: Decimal | None = strawberry.field(
        default=strawberry.UNSET,
        description="What the goods of an order have to come to after discounts, in the shop's currency.",
    )
    age_check: AgeCheck | None = strawberry.field(
        default=strawberry.UNSET, description="How buyers confirm their age; DECLARATION unless said."
    )
    legal_name: str | None = strawberry.field(default=strawberry.UNSET, description="Of who runs it.")
    postal_address: str | None = strawberry.field(default=strawberry.UNSET, description="Of who runs it, line by line.")
    contact_email: str | None = strawberry.field(default=strawberry.UNSET, description="Where shoppers write to.")
    contact_phone: str | None = strawberry.field(default=strawberry.UNSET, description="Where shoppers call.")
    policies: list[ShopPolicyInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Those that change; the others stay."
    )

    def given(self) -> ShopGiven:
        values = given_fields(self)
        if self.policies:
            values["policies"] = [cast(PolicyGiven, given_fields(policy)) for policy in self.policies]
        return cast(ShopGiven, values)


@strawberry.type(description="Answer to `shopUpdate`.")
class ShopPayload:
    shop: Shop | None = strawberry.field(default=None, description="The shop as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


async def _shop(selection: Selection) -> Shop:
    settings = await queries.current()
    policies = await queries.policies() if "policies" in selection else []
    texts = await consent_texts.newest() if "consentTexts" in selection else []
    return Shop(
        name=settings.name,
        currency_code=CurrencyCode(settings.currency_code),
        countries=[CountryCode(code) for code in settings.countries],
        time_zone=settings.time_zone,
        locale=settings.locale,
        available_quantity_limit=settings.available_quantity_limit,
        reservation_minutes=settings.reservation_minutes,
        reservation_max_minutes=settings.reservation_max_minutes,
        reservation_unit_limit=settings.reservation_unit_limit,
        minimum_order=None
        if settings.minimum_order_minor is None
        else Money.of(settings.minimum_order_minor, settings.currency_code),
        age_check=AgeCheck(settings.age_check),
        legal_name=settings.legal_name or None,
        postal_address=settings.postal_address or None,
        contact_email=settings.contact_email or None,
        contact_phone=settings.contact_phone or None,
        policies=[
            ShopPolicy(
                kind=policy.kind,
                title=policy.title,
                body=policy.body,
                body_html=policy.body_html,
                updated_at=policy.updated_at,
            )
            for policy in policies
        ],
        consent_texts=[ConsentText.of(wording) for wording in texts],
    )


@strawberry.type
class ShopQueries:
    @query(access=PUBLIC, description="The shop.")
    async def shop(self, info: Info) -> Shop:
        return await _shop(Selection.of(info))


@strawberry.type
class ShopMutations:
    @mutation(access=STAFF(Permission.SETTINGS_WRITE), description="Change the shop's settings and policies.")
    async def shop_update(
        self, info: Info, input: Annotated[ShopInput, strawberry.argument(description="What is to change.")]
    ) -> ShopPayload:
        await service.update_shop(input.given())
        return ShopPayload(shop=await _shop(Selection.of(info).below("shop")))
