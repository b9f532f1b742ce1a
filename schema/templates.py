"""Templates of flows and campaigns: their texts, what they can print, and how they look."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, cast

import strawberry

from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.pagination import encode_cursor, page_of, page_request
from app.messaging import merge_data, previewing, publishing, template_queries, template_service
from app.messaging.library import TemplateText
from app.messaging.models import MessageChannel, MessagePurpose
from app.messaging.previewing import About
from app.messaging.sms import SmsEncoding
from app.messaging.template_queries import TemplateRow, VersionRow
from app.messaging.template_service import TemplateGiven
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.connections import Connection
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError, to_user_errors
from schema.messaging import Message
from schema.nodes import Node, node_loader
from schema.scalars import JSON
from schema.selection import Selection

TEMPLATE_PREFIX = "tmpl"
VERSION_PREFIX = "tver"

describe_enum(
    SmsEncoding,
    "How a text message is written, which decides how much fits into a segment.",
    GSM_7="160 characters, or 153 in each part of a longer one.",
    UCS_2="70 or 67: some character is not in the GSM alphabet.",
)


@strawberry.type(description="One text of a template in one language. It never changes.")
class TemplateVersion:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    language: str = strawberry.field(description="A language tag such as `en` or `pt-BR`.")
    number: int = strawberry.field(description="Counts the texts of this language.")
    subject: str | None = strawberry.field(description="Liquid; null for the MJML's `<mj-title>`, and outside of mail.")
    preheader: str | None = strawberry.field(
        description="Liquid: what a mail program shows beside the subject; null for the MJML's `<mj-preview>`."
    )
    mjml: str | None = strawberry.field(description="MJML with Liquid; null outside of mail.")
    text: str = strawberry.field(
        description="Liquid: a mail's text part (empty: made from the HTML), a text message, or what a call says."
    )
    created_at: dt.datetime = strawberry.field(description="When it was written.")
    published_at: dt.datetime | None = strawberry.field(description="When it was published; null for a draft.")
    is_sent: bool = strawberry.field(description="Whether new messages in this language are written from it.")

    @classmethod
    def of(cls, row: VersionRow) -> "TemplateVersion":
        return cls(
            id=strawberry.ID(ids.encode(VERSION_PREFIX, row.id)),
            language=row.language,
            number=row.number,
            subject=row.subject,
            preheader=row.preheader,
            mjml=row.mjml,
            text=row.text,
            created_at=row.created_at,
            published_at=row.published_at,
            is_sent=row.is_sent,
        )


@strawberry.type(description="What flows and campaigns write, in versions and languages.")
class Template(Node):
    key: str = strawberry.field(description="What steps of flows call it.")
    name: str = strawberry.field(description="What staff call it.")
    channel: MessageChannel = strawberry.field(description="How it goes out.")
    purpose: MessagePurpose = strawberry.field(description="Why it is sent. Marketing needs consent.")
    trigger: str | None = strawberry.field(
        description="The event whose data it prints, such as `checkout.started`; null for what every template has."
    )
    created_at: dt.datetime = strawberry.field(description="When it was made.")
    updated_at: dt.datetime = strawberry.field(description="When it was last changed.")
    versions: list[TemplateVersion] = strawberry.field(description="Its texts, the newest first; up to 100.")

    @classmethod
    def of(cls, row: TemplateRow) -> "Template":
        return cls(
            id=strawberry.ID(ids.encode(TEMPLATE_PREFIX, row.id)),
            key=row.key,
            name=row.name,
            channel=row.channel,
            purpose=row.purpose,
            trigger=row.trigger,
            created_at=row.created_at,
            updated_at=row.updated_at,
            versions=[TemplateVersion.of(version) for version in row.versions],
        )


@strawberry.type(description="A name that templates can print.")
class MergeName:
    path: str = strawberry.field(description="`customer.first_name`; of the items of a list `cart.lines[].name`.")
    kind: str = strawberry.field(description="What it is: text, a number, an address, a list; `or nil` where it lacks.")
    description: str = strawberry.field(description="What it says.")
    example: JSON | None = strawberry.field(description="What a preview shows; null for lists and groups.")


@strawberry.type(description="A template as its reader would see it.")
class TemplatePreview:
    language: str = strawberry.field(description="Of the version that is shown.")
    subject: str | None = strawberry.field(description="Null outside of mail.")
    html: str | None = strawberry.field(description="Null outside of mail.")
    text: str = strawberry.field(description="The mail's text part, the text message, or what a call says.")
    sms_segments: int | None = strawberry.field(description="Parts that a carrier bills; null unless a text message.")
    sms_encoding: SmsEncoding | None = strawberry.field(description="Null unless a text message.")
    problems: list[UserError] = strawberry.field(description="What keeps the version from being published.")


@strawberry.input(description="A text of a template. The key's first text makes the template.")
class TemplateInput:
    key: str = strawberry.field(description="Small letters, digits, `-` and `_`; steps of flows name it.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Needed for a new template.")
    channel: MessageChannel | None = strawberry.field(
        default=strawberry.UNSET, description="Needed for a new template, and fixed from then on."
    )
    purpose: MessagePurpose | None = strawberry.field(
        default=strawberry.UNSET, description="Needed for a new template, and fixed from then on."
    )
    trigger: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The event whose data it prints; null for none. Left out, it stays as it is.",
    )
    language: str = strawberry.field(default="en", description="A language tag such as `en` or `pt-BR`.")
    subject: str | None = strawberry.field(
        default=strawberry.UNSET, description="Liquid, email only; without it, `<mj-title>`."
    )
    preheader: str | None = strawberry.field(
        default=strawberry.UNSET, description="Liquid, email only; without it, `<mj-preview>`."
    )
    mjml: str | None = strawberry.field(
        default=strawberry.UNSET,
        description='Email only: MJML with Liquid. `<mj-include path="marketing_footer.mjml" />` and the other '
        "partials (`head`, `header`, `products`, `cart_lines`, `coupon`, `survey`) are filled in.",
    )
    text: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Liquid: a text message, what a call says, or a mail's text part, which is made from the HTML "
        "when it is left out.",
    )


@strawberry.input(description="Whose data a template is shown with; one of them, or none for examples.")
class TemplateAboutInput:
    profile_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Somebody.")
    run_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Somebody's run of a flow, with what started it."
    )
    cart_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="A cart of somebody known; the id without its secret is enough."
    )


@strawberry.type(description="Answer to `templateSave` and `templatePublish`.")
class TemplatePayload:
    template: Template | None = strawberry.field(default=None, description="The template as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `templateTestSend`.")
class TemplateTestPayload:
    message: Message | None = strawberry.field(default=None, description="The message, reserved.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


def _about(info: Info, given: TemplateAboutInput | None) -> About:
    """Raises DomainError: INVALID_ID, FORBIDDEN."""
    if not given:
        return About()
    cart = (given.cart_id or "").split("_")
    about = About(
        profile_id=ids.decode("prof", given.profile_id, ["about", "profileId"]) if given.profile_id else None,
        run_id=ids.decode("frun", given.run_id, ["about", "runId"]) if given.run_id else None,
        cart_id=ids.decode("cart", "_".join(cart[:2]), ["about", "cartId"]) if given.cart_id else None,
    )
    staff = info.context.staff
    if about.is_real and not (staff and staff.may(Permission.CUSTOMERS_READ)):
        message = f"Somebody's data needs the permission {Permission.CUSTOMERS_READ}."
        raise DomainError(CommonErrorCode.FORBIDDEN, message, ["about"])
    return about


async def _template(template_id: uuid.UUID) -> Template | None:
    row = (await template_queries.by_ids([template_id])).get(template_id)
    return Template.of(row) if row else None


@node_loader(TEMPLATE_PREFIX)
async def _template_nodes(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Template | None]:
    staff = info.context.staff
    if staff is None or not staff.may(Permission.MARKETING_READ):
        return [None] * len(texts)
    wanted = [ids.decode(TEMPLATE_PREFIX, text, ["id"]) for text in texts]
    found = await template_queries.by_ids(wanted)
    return [Template.of(row) if (row := found.get(key)) else None for key in wanted]


LanguageArgument = Annotated[
    str | None, strawberry.argument(description="Which language; left out, the first there is, or all.")
]
AboutArgument = Annotated[
    TemplateAboutInput | None, strawberry.argument(description="Whose data it prints; without it, examples.")
]
TemplateId = Annotated[strawberry.ID, strawberry.argument(description="Id of the template.")]


@strawberry.type
class TemplateQueries:
    @query(access=STAFF(Permission.MARKETING_READ), description="Staff: the templates, newest first.")
    async def templates(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
        channel: Annotated[
            MessageChannel | None, strawberry.argument(description="Only those of this channel.")
        ] = strawberry.UNSET,
    ) -> Connection[Template]:
        request = page_request(
            None if first is strawberry.UNSET else first,
            None if after is strawberry.UNSET else after,
            order="templates",
        )
        rows = await template_queries.page(request, channel or None)
        total = await template_queries.count(channel or None) if "totalCount" in Selection.of(info) else None
        page = page_of(rows, [encode_cursor([row.id.hex], "templates") for row in rows], request, total)
        return Connection[Template].of(page, [Template.of(row) for row in page.items])

    @query(access=STAFF(Permission.MARKETING_READ), description="Staff: one template, by id or by key.")
    async def template(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = strawberry.UNSET,
        key: Annotated[str | None, strawberry.argument(description="Its key.")] = strawberry.UNSET,
    ) -> Template | None:
        if bool(id) == bool(key):
            raise DomainError(CommonErrorCode.INVALID, "Give either an id or a key.", ["id"])
        template_id = ids.decode(TEMPLATE_PREFIX, id, ["id"]) if id else await template_queries.id_of(key or "")
        return await _template(template_id) if template_id else None

    @query(
        access=STAFF(Permission.MARKETING_READ),
        description="Staff: everything that a template can print, by name, with types and examples.",
    )
    async def template_merge_data(
        self,
        info: Info,
        trigger: Annotated[
            str | None, strawberry.argument(description="An event such as `order.placed`; without it, what all have.")
        ] = strawberry.UNSET,
    ) -> list[MergeName]:
        try:
            names = merge_data.describe(trigger or None)
        except KeyError:
            raise DomainError(CommonErrorCode.INVALID, f"There is no event {trigger}.", ["trigger"]) from None
        return [
            MergeName(path=n.path, kind=n.kind, description=n.description, example=cast(JSON | None, n.example))
            for n in names
        ]

    @query(
        access=STAFF(Permission.MARKETING_READ),
        description="Staff: the newest version, drafts included, as its reader would see it. Nothing is sent.",
    )
    async def template_preview(
        self,
        info: Info,
        id: TemplateId,
        language: LanguageArgument = strawberry.UNSET,
        about: AboutArgument = strawberry.UNSET,
    ) -> TemplatePreview:
        template_id = ids.decode(TEMPLATE_PREFIX, id, ["id"])
        version = await template_service.version_to_show(template_id, language or None)
        shown = await previewing.preview(version, _about(info, about or None))
        return TemplatePreview(
            language=version.text.language,
            subject=shown.mail.subject if shown.mail else None,
            html=shown.mail.html if shown.mail else None,
            text=shown.text,
            sms_segments=shown.sms.segments if shown.sms else None,
            sms_encoding=shown.sms.encoding if shown.sms else None,
            problems=to_user_errors(await publishing.problems(version)),
        )


@strawberry.type
class TemplateMutations:
    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Write down a new version of a template in one language, as a draft; what is sent stays as it is. "
        "Liquid, names and MJML are checked, and errors name the line. The same text again makes no version.",
    )
    async def template_save(
        self, info: Info, input: Annotated[TemplateInput, strawberry.argument(description="The text.")]
    ) -> TemplatePayload:
        staff = info.context.staff
        given = TemplateGiven(
            key=input.key,
            name=input.name or None,
            channel=input.channel or None,
            purpose=input.purpose or None,
            trigger=input.trigger or None,
            keeps_trigger=input.trigger is strawberry.UNSET,
            text=TemplateText(
                input.language, input.subject or None, input.preheader or None, input.mjml or None, input.text or ""
            ),
        )
        template_id = await template_service.save(given, staff.id if staff else None)
        return TemplatePayload(template=await _template(template_id))

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Send the newest version from now on. A marketing mail needs the shop's postal address and a "
        "visible link to opt out; a marketing text names the shop.",
    )
    async def template_publish(
        self, info: Info, id: TemplateId, language: LanguageArgument = strawberry.UNSET
    ) -> TemplatePayload:
        template_id = ids.decode(TEMPLATE_PREFIX, id, ["id"])
        await template_service.publish(template_id, language or None)
        return TemplatePayload(template=await _template(template_id))

    @mutation(
        access=STAFF(Permission.MARKETING_WRITE),
        description="Send the newest version, drafts included, to an address of your own, marked [Test].",
    )
    async def template_test_send(
        self,
        info: Info,
        id: TemplateId,
        to: Annotated[str, strawberry.argument(description="An email address, or a number in E.164.")],
        language: LanguageArgument = strawberry.UNSET,
        about: AboutArgument = strawberry.UNSET,
    ) -> TemplateTestPayload:
        staff = info.context.staff
        message_id = await template_service.send_test(
            ids.decode(TEMPLATE_PREFIX, id, ["id"]),
            to,
            language=language or None,
            about=_about(info, about or None),
            staff_id=staff.id if staff else None,
        )
        return TemplateTestPayload(message=await Message.load(message_id))
