"""The survey's page, behind the links in mail. GET and HEAD show it; only a POST records an answer."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app import db
from app.customers.page import page
from app.errors import DomainError, DomainErrors
from app.surveys import service
from app.surveys.links import SURVEY_PATH, Asked, read_token
from app.web.body import read_fields

MAX_BODY_BYTES = 20_000
SCORES = range(11)


def routes() -> list[BaseRoute]:
    """What is added to the API's own routes."""
    return [Route(f"{SURVEY_PATH}/{{token}}", _survey, methods=["GET", "POST"])]


async def _survey(request: Request) -> Response:
    token = request.path_params["token"]
    asked = read_token(token)
    if asked is None:
        return await page(
            "message",
            "Survey",
            status=404,
            heading="This link does not work",
            text="It may have been cut off. Please open it from the message again, or write to us.",
        )
    answered = request.method == "POST"
    form = await read_fields(request, MAX_BODY_BYTES) if answered else {}
    score = _score(form.get("score") if answered else request.query_params.get("score"))
    if not answered or score is None:
        problem = "Please choose a number." if answered else None
        return await _show(asked, score, form.get("comment"), problem)
    try:
        await service.respond(token, score, form.get("comment"))
    except (DomainError, DomainErrors) as wrong:
        return await _show(asked, score, form.get("comment"), wrong.errors[0].message)
    return await page("survey", "Thank you", done=True, good=score > service.BAD_SCORE, problem=None)


async def _show(asked: Asked, chosen: int | None, comment: str | None, problem: str | None) -> Response:
    answered = await service.answer_of(asked)
    if chosen is None and answered:
        chosen = answered.score
    return await page(
        "survey",
        "Your delivery",
        done=False,
        problem=problem,
        number=await db.fetchval("SELECT number FROM orders WHERE id = $1", asked.order_id),
        scores=[{"value": score, "chosen": score == chosen} for score in SCORES],
        # What somebody wrote before is not shown again: a forwarded mail would tell it to others.
        comment=comment or "",
        answered=answered is not None,
        max_chars=service.MAX_COMMENT_CHARS,
    )


def _score(text: str | None) -> int | None:
    return int(text) if text in {str(score) for score in SCORES} else None
