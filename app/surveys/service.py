"""Answers to surveys, and what the shop does about a bad one."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from app import db
from app.customers import identification, timeline
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.kit.ids import new_id
from app.kit.text import check_text
from app.messaging import staff_notices
from app.surveys.links import Asked, read_token

BAD_SCORE = 6
"""And below: a detractor, in the words of the Net Promoter Score."""
GOOD_SCORE = 9
HOLD_DAYS = 30
MAX_COMMENT_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class SurveyAnswer:
    score: int
    comment: str | None


async def answer_of(asked: Asked) -> SurveyAnswer | None:
    """What was answered so far."""
    row = await db.fetchrow("SELECT score, comment FROM survey_responses WHERE dedupe_key = $1", _key(asked))
    return SurveyAnswer(row["score"], row["comment"]) if row else None


async def respond(token: str, score: int, comment: str | None) -> uuid.UUID:
    """Keep an answer; answering again changes it. Returns the answer's id.

    A score of 6 or less, the first time it is given, mails the shop and holds marketing to this person for 30 days.

    Raises:
        DomainErrors: INVALID for a link that is not ours, or that of a preview; OUT_OF_RANGE for the score; TOO_LONG
            and INVALID for the comment. Fields are below `input`.
    """
    asked = read_token(token)
    if asked is None:
        raise DomainError(CommonErrorCode.INVALID, "This is not a link to a survey.", ["input", "token"])
    if asked.message_id is None:
        raise DomainError(CommonErrorCode.INVALID, "This is a preview: it records nothing.", ["input", "token"])
    text = (comment or "").strip() or None
    errors: list[DomainError] = []
    if not 0 <= score <= 10:
        errors.append(DomainError(CommonErrorCode.OUT_OF_RANGE, "A score is from 0 to 10.", ["input", "score"]))
    if text and (wrong := check_text(text, MAX_COMMENT_CHARS, ["input", "comment"])):
        errors.append(wrong)
    if errors:
        raise DomainErrors(errors)
    async with db.unit_of_work():
        return await _keep(asked, SurveyAnswer(score, text))


async def _keep(asked: Asked, answer: SurveyAnswer) -> uuid.UUID:
    try:
        profile_id = await identification.lock(asked.profile_id)
    except LookupError:
        message = "This survey is over."
        raise DomainError(CommonErrorCode.INVALID, message, ["input", "token"]) from None
    before = await answer_of(asked)
    response_id: uuid.UUID = await db.fetchval(
        """
        INSERT INTO survey_responses AS r (id, survey, profile_id, order_id, dedupe_key, score, comment, message_id,
                                           created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, business_now(), business_now())
        ON CONFLICT (dedupe_key) DO UPDATE
        SET score = EXCLUDED.score, comment = coalesce(EXCLUDED.comment, r.comment), updated_at = business_now()
        RETURNING id
        """,
        new_id(),
        asked.survey,
        profile_id,
        asked.order_id,
        _key(asked),
        answer.score,
        answer.comment,
        asked.message_id,
    )
    if before is None or before.score != answer.score:
        await timeline.record(
            "survey.responded",
            profile_id=profile_id,
            subject_id=response_id,
            order_id=asked.order_id,
            data={"survey": asked.survey, "score": answer.score},
        )
    if answer.score <= BAD_SCORE and (before is None or before.score > BAD_SCORE):
        await _make_good(response_id, profile_id, asked.order_id, answer.score)
    return response_id


async def _make_good(response_id: uuid.UUID, profile_id: uuid.UUID, order_id: uuid.UUID, score: int) -> None:
    """Somebody should talk to this person before the next newsletter does."""
    await db.execute(
        """
        UPDATE profiles
        SET marketing_held_until = greatest(marketing_held_until, business_now() + $2 * interval '1 day'),
            updated_at = business_now()
        WHERE id = $1
        """,
        profile_id,
        HOLD_DAYS,
    )
    number = await db.fetchval("SELECT number FROM orders WHERE id = $1", order_id)
    await staff_notices.reserve(
        dedupe_key=f"survey:{response_id}",
        subject=f"Order {number}: {score} of 10 in the delivery survey",
        text=f"The buyer of order {number} gave {score} of 10 points. News and offers to them are held for {HOLD_DAYS} "
        "days, so that somebody can make it good first. What they wrote is in the shop's survey answers.",
        profile_id=profile_id,
    )


def _key(asked: Asked) -> str:
    return f"{asked.survey}:{asked.order_id}"


@dataclass(frozen=True, slots=True)
class Summary:
    responses: int
    promoters: int
    passives: int
    detractors: int
    average: float | None

    @property
    def net_promoter_score(self) -> int | None:
        """From -100 to 100: the share of promoters less that of detractors."""
        return round(100 * (self.promoters - self.detractors) / self.responses) if self.responses else None


async def summary(survey: str, since: datetime | None) -> Summary:
    """Of all answers, or of those that were first given since."""
    row = await db.fetchrow(
        """
        SELECT count(*) AS responses, count(*) FILTER (WHERE score >= $3) AS promoters,
               count(*) FILTER (WHERE score <= $4) AS detractors, avg(score)::float8 AS average
        FROM survey_responses WHERE survey = $1 AND ($2::timestamptz IS NULL OR created_at >= $2)
        """,
        survey,
        since,
        GOOD_SCORE,
        BAD_SCORE,
    )
    if row is None:
        raise RuntimeError("counting gives a row")
    passives = row["responses"] - row["promoters"] - row["detractors"]
    return Summary(row["responses"], row["promoters"], passives, row["detractors"], row["average"])
