"""Asking the shop's engine, outside any transaction, within its time; and what holds while it has no answer.

An answer is kept by the digest of its question: what was shown is what is charged, until something in the cart changes
or the answer is half an hour old. An engine that has just failed is left alone for a few seconds, and a question that
the shop's own rates have answered stays answered by them for a minute.
"""

import asyncio
import hashlib
from dataclasses import asdict, dataclass
from decimal import Decimal

import orjson
import structlog
from redis.exceptions import RedisError

from app.cache import cache, named
from app.errors import DomainError
from app.keys import keyring
from app.pricing.amounts import TaxRate
from app.tax.engines.engine import TaxAnswer, TaxEngineError, TaxQuestion
from app.tax.engines.registry import engines
from app.tax.errors import TaxErrorCode
from app.tax.terms import EngineTerms, TaxEngineFallback

ANSWER_SECONDS = 30 * 60
FALLBACK_SECONDS = 60
AWAY_SECONDS = 10
PURPOSE = "tax-engine"
"""Of the engine's secret under the key ring."""

_FELL_BACK = b"-"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`answer` is None where the shop's own rates have to do."""

    answer: TaxAnswer | None


async def ask(terms: EngineTerms, question: TaxQuestion) -> Outcome:
    """Raises DomainError(TAX_UNAVAILABLE) where there is no answer and the shop would rather not sell."""
    key = named(f"tax-answer:{_digest(terms, question)}")
    away = named(f"tax-engine-away:{terms.name}")
    kept, is_away = await _read(key, away)
    if kept is not None and kept != _FELL_BACK:
        return Outcome(_decoded(kept))
    if kept is None and not is_away:
        try:
            answer = await _asked(terms, question)
        except TaxEngineError as error:
            log.warning("the tax engine gave no answer", engine=terms.name, cause=error.detail)
            await _write(away, b"1", AWAY_SECONDS)
        else:
            await _write(key, _encoded(answer), ANSWER_SECONDS)
            return Outcome(answer)
    if terms.fallback is TaxEngineFallback.REFUSE:
        raise DomainError(TaxErrorCode.TAX_UNAVAILABLE, "The tax cannot be computed at this moment; try again.")
    if kept is None:
        await _write(key, _FELL_BACK, FALLBACK_SECONDS)
    return Outcome(None)


async def _asked(terms: EngineTerms, question: TaxQuestion) -> TaxAnswer:
    known = engines().get(terms.name)
    if known is None:
        raise TaxEngineError("the engine is not installed")
    secret = b"" if terms.credentials is None else keyring().decrypt(PURPOSE, terms.credentials)
    if secret is None:
        raise TaxEngineError("the secret was encrypted under a key that is gone; enter it again")
    seconds = terms.timeout_ms / 1000
    try:
        async with asyncio.timeout(seconds):
            return await known(terms.configuration, secret.decode()).rates(question, seconds)
    except TimeoutError:
        raise TaxEngineError("no answer in time") from None
    except TaxEngineError:
        raise
    except Exception as error:  # noqa: BLE001
        # Somebody else's code: whatever it raises costs its answer, and not the checkout. Its text may say anything.
        raise TaxEngineError(f"failed with {type(error).__name__}") from None


def _digest(terms: EngineTerms, question: TaxQuestion) -> str:
    text = orjson.dumps([terms.name, dict(terms.configuration), asdict(question)], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()


async def _read(key: str, away: str) -> tuple[bytes | None, bool]:
    """Without the cache every question is asked anew."""
    try:
        kept, gone = await cache().mget(key, away)
    except RedisError:
        return None, False
    return kept if isinstance(kept, bytes) else None, gone is not None


async def _write(key: str, value: bytes, seconds: int) -> None:
    try:
        await cache().set(key, value, ex=seconds)
    except RedisError as error:
        log.warning("a tax answer was not kept", cause=type(error).__name__)


_Rates = tuple[TaxRate, ...]


def _encoded(answer: TaxAnswer) -> bytes:
    def plain(rates: _Rates) -> list[list[object]]:
        return [[one.name, str(one.rate), one.compound, one.code, one.reverse_charge] for one in rates]

    return orjson.dumps(
        [{key: plain(rates) for key, rates in answer.items.items()}, plain(answer.shipping), plain(answer.gift_wrap)]
    )


def _decoded(text: bytes) -> TaxAnswer:
    def rates(plain: list[list[object]]) -> _Rates:
        return tuple(
            TaxRate(str(name), Decimal(str(rate)), bool(compound), None if code is None else str(code), bool(reverse))
            for name, rate, compound, code, reverse in plain
        )

    items, shipping, gift_wrap = orjson.loads(text)
    return TaxAnswer(
        items={key: rates(one) for key, one in items.items()}, shipping=rates(shipping), gift_wrap=rates(gift_wrap)
    )
