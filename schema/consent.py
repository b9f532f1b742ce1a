"""Consent to marketing: signing up, changing one's mind, and the record of it for staff."""

import datetime as dt
from typing import Annotated

import strawberry

from app import db
from app.customers import consent_queries, consent_texts, newsletter, staff_consent, updating, visitors
from app.customers.consent_texts import Wording
from app.customers.models import ConsentAction, ConsentSource
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.pagination import encode_cursor, page_of, page_request
from app.staff.permissions import Permission
from schema.access import PUBLIC, STAFF, mutation, query
from schema.cart.inputs import cart_key
from schema.channels import MessageChannel
from schema.connections import Connection
from schema.consent_inputs import TEXT_PREFIX, ConsentInput, given_consents, proof_of
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.selection import Selection

CONSENT_PREFIX = "cons"
PROFILE_PREFIX = "prof"

describe_enum(
    ConsentAction,
    "What was decided about marketing to an address.",
    REQUESTED="It was asked for, and its receiver has not confirmed it yet: only the confirmation is sent.",
    GRANTED="Marketing may be sent.",
    REVOKED="It was withdrawn.",
)
describe_enum(
    ConsentSource,
    "Where a decision about marketing came from.",
    NEWSLETTER="`newsletterSubscribe`.",
    CART="A cart.",
    CHECKOUT="A checkout.",
    CONFIRMATION="The link in the message that asked for a confirmation.",
    PREFERENCES="The person's preference page.",
    ONE_CLICK="The unsubscribe link of a message, or the mail program's own button.",
    SMS_REPLY="A text message to the shop.",
    PROVIDER="A provider's notice.",
    STAFF="Somebody of the shop.",
    API="`consentUpdate`.",
    ACCOUNT="`customerMarketingConsentUpdate`.",
)


@strawberry.type(description="A wording that consent is given to. It never changes; a new one is a new version.")
class ConsentText:
    id: strawberry.ID = strawberry.field(description="To send along as `textId`.")
    channel: MessageChannel = strawberry.field(description="What it is about.")
    language: str = strawberry.field(description="Its language, such as `en`.")
    version: int = strawberry.field(description="Counts up within channel and language.")
    text: str = strawberry.field(description="Show it word for word beside the box.")

    @classmethod
    def of(cls, wording: Wording) -> "ConsentText":
        return cls(
            id=strawberry.ID(ids.encode(TEXT_PREFIX, wording.id)),
            channel=wording.channel,
            language=wording.language,
            version=wording.version,
            text=wording.text,
        )


@strawberry.type(description="One decision about marketing to an address. Such a row never changes.")
class Consent:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    channel: MessageChannel = strawberry.field(description="How the marketing is sent.")
    address: str | None = strawberry.field(description="Email address or number; null after an erasure.")
    action: ConsentAction = strawberry.field(description="What was decided.")
    purpose: str = strawberry.field(description="What for: `MARKETING`.")
    source: ConsentSource = strawberry.field(description="Where it came from.")
    text: ConsentText | None = strawberry.field(description="The wording that was agreed to.")
    confirms_id: strawberry.ID | None = strawberry.field(description="The request that this decision confirms.")
    confirmed_at: dt.datetime | None = strawberry.field(description="When this request was confirmed.")
    ip: str | None = strawberry.field(description="The address that the request came from.")
    user_agent: str | None = strawberry.field(description="The program that sent the request, as it calls itself.")
    detail: str | None = strawberry.field(description="What it rests on: `cart:…`, `sms:…`, `staff:…`.")
    recorded_at: dt.datetime = strawberry.field(description="When it was decided.")

    @classmethod
    def of(cls, row: db.Record) -> "Consent":
        text = None
        if row["text"] is not None:
            wording = Wording(
                row["text_id"], MessageChannel(row["channel"]), row["language"], row["version"], row["text"]
            )
            text = ConsentText.of(wording)
        confirms = row["confirms_id"]
        return cls(
            id=strawberry.ID(ids.encode(CONSENT_PREFIX, row["id"])),
            channel=MessageChannel(row["channel"]),
            address=row["address"] or None,
            action=ConsentAction(row["action"]),
            purpose=row["purpose"],
            source=ConsentSource(row["source"]),
            text=text,
            confirms_id=strawberry.ID(ids.encode(CONSENT_PREFIX, confirms)) if confirms else None,
            confirmed_at=row["confirmed_at"],
            ip=row["ip"],
            user_agent=row["user_agent"],
            detail=row["detail"],
            recorded_at=row["recorded_at"],
        )


@strawberry.input(description="Who wants to hear from the shop, and how.")
class NewsletterSubscribeInput:
    email: str = strawberry.field(description="Where news go.")
    phone: str | None = strawberry.field(
        default=strawberry.UNSET, description="In international form; needed for consent to SMS."
    )
    first_name: str | None = strawberry.field(default=strawberry.UNSET, description="To greet them by.")
    consent: list[ConsentInput] = strawberry.field(
        description="What is agreed to; one at least. What is not granted is left as it is: an address that anybody "
        "can type withdraws nothing."
    )


@strawberry.type(description="Answer to `newsletterSubscribe`: the same for known and unknown addresses.")
class NewsletterPayload:
    accepted: bool = strawberry.field(
        default=False,
        description="Whether it was taken. Where the shop wants a confirmation, the receiver is asked for it now.",
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.input(description="Whose consent changes: exactly one of the three.")
class ConsentUpdateInput:
    cart_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The person with the email and phone of this cart."
    )
    visitor_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The person that this visitor is known as."
    )
    preference_token: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="From the link to the preferences in a message: what follows `/preferences/`. With it consent for "
        "the address that the message went to holds at once.",
    )
    consent: list[ConsentInput] = strawberry.field(
        description="What changes. Consent that the receiver has withdrawn comes back only when they confirm it."
    )


@strawberry.type(description="How things stand with one channel of whoever has the preference token.")
class ChannelConsent:
    channel: MessageChannel = strawberry.field(description="The channel.")
    address: str = strawberry.field(description="Masked, as links are forwarded.")
    state: ConsentAction | None = strawberry.field(description="Null where nothing was ever decided.")


@strawberry.type(description="Answer to `consentUpdate`.")
class ConsentPayload:
    accepted: bool = strawberry.field(default=False, description="Whether it was taken.")
    channels: list[ChannelConsent] | None = strawberry.field(
        default=None,
        description="How things stand now; null without a preference token, as anybody can type anybody's address.",
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.input(description="A new wording.")
class ConsentTextInput:
    channel: MessageChannel = strawberry.field(description="EMAIL or SMS.")
    language: str = strawberry.field(description="A language tag, such as `en` or `de-AT`.")
    text: str = strawberry.field(
        description="Up to 2,000 characters. For SMS it should name the shop, how often it writes, that rates may "
        "apply, STOP and HELP, and that no purchase depends on it."
    )


@strawberry.input(description="What somebody told the shop about marketing, on the phone or on paper.")
class ConsentRecordInput:
    profile_id: strawberry.ID = strawberry.field(description="Who; it counts for their email address or number.")
    channel: MessageChannel = strawberry.field(description="EMAIL or SMS; calls go with SMS.")
    granted: bool = strawberry.field(description="Whether they agree; false withdraws it.")
    text_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The wording that was read out or signed, from `Shop.consentTexts`; without it, the current one.",
    )
    note: str | None = strawberry.field(
        default=strawberry.UNSET, description="How it was given, such as `form at the counter`: up to 120 characters."
    )


@strawberry.type(description="Answer to `consentRecord`.")
class ConsentRecordPayload:
    recorded: bool = strawberry.field(default=False, description="False where this held already.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `consentTextCreate`.")
class ConsentTextPayload:
    consent_text: ConsentText | None = strawberry.field(default=None, description="The wording, current from now on.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class ConsentQueries:
    @query(
        access=STAFF(Permission.CUSTOMERS_READ),
        description="The record of somebody's consent, newest first. For each channel and address the newest holds.",
    )
    async def consents(
        self,
        info: Info,
        profile_id: Annotated[strawberry.ID, strawberry.argument(description="Whose.")],
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
    ) -> Connection[Consent]:
        request = page_request(
            None if first is strawberry.UNSET else first,
            None if after is strawberry.UNSET else after,
            order="consents",
        )
        profile = ids.decode(PROFILE_PREFIX, profile_id, ["profileId"])
        rows = await consent_queries.consents(profile, request)
        total = await consent_queries.count_consents(profile) if "totalCount" in Selection.of(info) else None
        page = page_of(rows, [encode_cursor([row["id"].hex], "consents") for row in rows], request, total)
        return Connection[Consent].of(page, [Consent.of(row) for row in page.items])


@strawberry.type
class ConsentMutations:
    @mutation(
        access=PUBLIC,
        description="Sign somebody up for the shop's news. Where the shop wants a confirmation, they get one message "
        "with a link, or a text to be answered YES, and nothing else before that.",
    )
    async def newsletter_subscribe(
        self,
        info: Info,
        input: Annotated[NewsletterSubscribeInput, strawberry.argument(description="Who, and what they agree to.")],
    ) -> NewsletterPayload:
        await newsletter.subscribe(
            email=input.email,
            phone=input.phone or None,
            first_name=input.first_name or None,
            consents=given_consents(input.consent, "input", "consent"),
            proof=proof_of(info.context),
            client=info.context.client_address,
        )
        return NewsletterPayload(accepted=True)

    @mutation(
        access=PUBLIC,
        description="Change consent to marketing: of the person of a cart or a visitor, or with the token of a "
        "preference link.",
    )
    async def consent_update(
        self, info: Info, input: Annotated[ConsentUpdateInput, strawberry.argument(description="Whose, and what.")]
    ) -> ConsentPayload:
        given = given_consents(input.consent, "input", "consent")
        proof = proof_of(info.context)
        if [bool(input.cart_id), bool(input.visitor_id), bool(input.preference_token)].count(True) != 1:
            message = "Name a cart, a visitor or a preference token: one of them."
            raise DomainError(CommonErrorCode.INVALID, message, ["input"])
        if input.preference_token:
            standing = await updating.with_token(input.preference_token, given, proof)
            channels = [
                ChannelConsent(channel=one.channel, address=one.masked_address, state=one.state) for one in standing
            ]
            return ConsentPayload(accepted=True, channels=channels)
        client = info.context.client_address
        if input.cart_id:
            key = cart_key(input.cart_id)
            await updating.of_cart(key.id, key.secret, given, proof, client=client)
        else:
            visitor_id = visitors.verified(str(input.visitor_id), ["input", "visitorId"])
            await updating.of_visitor(visitor_id, given, proof, client=client)
        return ConsentPayload(accepted=True)

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Write a new version of the wording that consent is given to. Earlier consent keeps its own.",
    )
    async def consent_text_create(
        self, info: Info, input: Annotated[ConsentTextInput, strawberry.argument(description="The wording.")]
    ) -> ConsentTextPayload:
        wording = await consent_texts.create(input.channel, input.language, input.text)
        return ConsentTextPayload(consent_text=ConsentText.of(wording))

    @mutation(
        access=STAFF(Permission.CUSTOMERS_WRITE),
        description="Write down consent that somebody gave or withdrew on the phone or on paper. It holds at once, "
        "with who wrote it down; a suppressed address stays suppressed.",
    )
    async def consent_record(
        self, info: Info, input: Annotated[ConsentRecordInput, strawberry.argument(description="Who, and what.")]
    ) -> ConsentRecordPayload:
        staff = info.context.staff
        if staff is None:
            raise RuntimeError("the guard let nobody in")
        recorded = await staff_consent.record(
            ids.decode(PROFILE_PREFIX, input.profile_id, ["input", "profileId"]),
            input.channel,
            granted=input.granted,
            text_id=ids.decode(TEXT_PREFIX, input.text_id, ["input", "textId"]) if input.text_id else None,
            note=input.note or None,
            recorded_by=staff.actor,
        )
        return ConsentRecordPayload(recorded=recorded)
