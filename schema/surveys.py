"""Surveys: answering one, and what was answered."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from app import db
from app.kit import ids
from app.kit.pagination import encode_cursor, page_of, page_request
from app.staff.permissions import Permission
from app.surveys import service
from app.surveys.links import DELIVERY_SURVEY
from schema.access import PUBLIC, STAFF, mutation, query
from schema.connections import Connection
from schema.context import Info
from schema.errors import UserError
from schema.nodes import Node, node_loader
from schema.selection import Selection

PREFIX = "survey"
_CURSOR_ORDER = "survey_responses"


@strawberry.type(description="What somebody answered to the survey about an order.")
class SurveyResponse(Node):
    survey: str = strawberry.field(description="Which survey: `delivery`.")
    order_id: strawberry.ID | None = strawberry.field(description="The order that it is about.")
    profile_id: strawberry.ID = strawberry.field(description="Who answered.")
    score: int = strawberry.field(description="0 to 10, as in the Net Promoter Score.")
    comment: str | None = strawberry.field(description="In their own words.")
    created_at: dt.datetime = strawberry.field(description="When it was first answered.")
    updated_at: dt.datetime = strawberry.field(description="When the answer was last changed.")

    @classmethod
    def of(cls, row: db.Record) -> "SurveyResponse":
        return cls(
            id=strawberry.ID(ids.encode(PREFIX, row["id"])),
            survey=row["survey"],
            order_id=strawberry.ID(ids.encode("ord", row["order_id"])) if row["order_id"] else None,
            profile_id=strawberry.ID(ids.encode("prof", row["profile_id"])),
            score=row["score"],
            comment=row["comment"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )


@strawberry.type(description="A survey in figures.")
class SurveySummary:
    responses: int = strawberry.field(description="How many answered.")
    promoters: int = strawberry.field(description="Scores of 9 and 10.")
    passives: int = strawberry.field(description="Scores of 7 and 8.")
    detractors: int = strawberry.field(description="Scores of 6 and less.")
    net_promoter_score: int | None = strawberry.field(
        description="The share of promoters less that of detractors, from -100 to 100; null without answers."
    )
    average_score: float | None = strawberry.field(description="Null without answers.")


@strawberry.input(description="An answer to a survey.")
class SurveyRespondInput:
    token: str = strawberry.field(description="The last part of the link's path in the message.")
    score: int = strawberry.field(description="0 to 10.")
    comment: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 2,000 characters.")


@strawberry.type(description="Answer to `surveyRespond`.")
class SurveyRespondPayload:
    score: int | None = strawberry.field(default=None, description="The score as it is kept now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type
class SurveyQueries:
    @query(access=STAFF(Permission.CUSTOMERS_READ), description="Answers to surveys, newest first.")
    async def survey_responses(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="Page size, up to 100.")] = strawberry.UNSET,
        after: Annotated[str | None, strawberry.argument(description="Cursor to go on from.")] = strawberry.UNSET,
        max_score: Annotated[
            int | None, strawberry.argument(description="Only scores up to this one: 6 for the unhappy.")
        ] = strawberry.UNSET,
    ) -> Connection[SurveyResponse]:
        request = page_request(None if first is strawberry.UNSET else first, after or None, order=_CURSOR_ORDER)
        limit = max_score if isinstance(max_score, int) else None
        only = "($1::int IS NULL OR score <= $1)"
        rows = await db.fetch(
            f"SELECT * FROM survey_responses WHERE {only} AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
            limit,
            request.cursor_id(),
            request.fetch_limit,
        )
        total = None
        if "totalCount" in Selection.of(info):
            total = await db.fetchval(f"SELECT count(*) FROM survey_responses WHERE {only}", limit)
        page = page_of(rows, [encode_cursor([row["id"].hex], _CURSOR_ORDER) for row in rows], request, total)
        return Connection[SurveyResponse].of(page, [SurveyResponse.of(row) for row in page.items])

    @query(access=STAFF(Permission.MARKETING_READ), description="The delivery survey in figures.")
    async def survey_summary(
        self,
        info: Info,
        since: Annotated[
            dt.datetime | None, strawberry.argument(description="Only what was first answered since.")
        ] = strawberry.UNSET,
    ) -> SurveySummary:
        found = await service.summary(DELIVERY_SURVEY, since or None)
        return SurveySummary(
            responses=found.responses,
            promoters=found.promoters,
            passives=found.passives,
            detractors=found.detractors,
            net_promoter_score=found.net_promoter_score,
            average_score=found.average,
        )


@strawberry.type
class SurveyMutations:
    @mutation(
        access=PUBLIC,
        description="Answer a survey with the token from its message; answering again changes the answer. A score of 6 "
        "or less tells the shop, and holds news and offers to this person for 30 days.",
    )
    async def survey_respond(
        self, info: Info, input: Annotated[SurveyRespondInput, strawberry.argument(description="The answer.")]
    ) -> SurveyRespondPayload:
        await service.respond(input.token, input.score, input.comment or None)
        return SurveyRespondPayload(score=input.score)


@node_loader(PREFIX)
async def _responses(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    wanted = [ids.decode(PREFIX, text, ["id"]) for text in texts]
    staff = info.context.staff
    if staff is None or not staff.may(Permission.CUSTOMERS_READ):
        return [None] * len(wanted)
    rows = await db.fetch("SELECT * FROM survey_responses WHERE id = ANY($1)", wanted)
    found: dict[Any, SurveyResponse] = {row["id"]: SurveyResponse.of(row) for row in rows}
    return [found.get(one) for one in wanted]
