"""One person's facts, put before any number of conditions."""

import contextlib
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from app.conditions import evaluator
from app.conditions.checking import Condition
from app.conditions.errors import ConditionFailed
from app.conditions.facts import ProfileFacts, Tally, properties_of
from app.conditions.functions import STATELESS, as_moment, compare, next_part, part
from app.conditions.subjects import major
from app.conditions.typed import NameUse
from app.conditions.types import Kind, Type

MOMENTS_LATER = timedelta(milliseconds=1)
"""After the moment at which a comparison turns: whether it is strict or not, it has turned then."""

_CAUSES: list[tuple[type[BaseException], str]] = [
    (ZeroDivisionError, "It divides by zero."),
    (OverflowError, "A number or moment becomes too large."),
    (IndexError, "A list has no such place."),
    (TypeError, "Values do not go together."),
    (ValueError, "A value cannot be read."),
]
_NOTHING: dict[Kind, Any] = {
    Kind.YES_NO: False,
    Kind.WHOLE: 0,
    Kind.NUMBER: 0.0,
    Kind.TEXT: "",
    Kind.LIST: [],
}


class Asker:
    """Answers conditions about one person, at the moment at which the facts were read."""

    def __init__(
        self,
        facts: ProfileFacts,
        uses: Mapping[NameUse, Type],
        *,
        event: Mapping[str, Any] | None = None,
        run: Mapping[str, Any] | None = None,
        subjects: Mapping[str, Mapping[str, Any]] | None = None,
        functions: Collection[str] | None = None,
    ) -> None:
        """`functions` are those that the conditions call: making all of them known costs more than asking does."""
        self._facts = facts
        self._turning: list[datetime] = []
        self._properties: dict[str, Any] | None = None
        roots: dict[str, Mapping[str, Any]] = {
            "event": event or {},
            "run": run or {},
            **(subjects or {}),
        }
        variables: dict[str, Any] = {"now": facts.now}
        for use, type_ in uses.items():
            if use.root == "customer":
                variables[use.variable] = self._of_customer(use.name)
            else:
                variables[use.variable] = _fitting(roots.get(use.root, {}).get(use.name), type_)
        known = {**STATELESS, **self._own_functions()}
        if functions is not None:
            known = {name: known[name] for name in functions if name in known}
        self._context = evaluator.Context(variables, known)

    def ask(self, condition: Condition) -> tuple[bool, datetime | None]:
        """The answer, and the moment at which it can become another one by the passing of time alone.

        Raises:
            ConditionFailed: there is no answer.
        """
        self._turning.clear()
        try:
            answer = condition.program.execute(self._context)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a panic in the library is no Exception
            cause = next((text for kind, text in _CAUSES if isinstance(error, kind)), "It could not be evaluated.")
            raise ConditionFailed(cause) from None
        if not isinstance(answer, bool):
            raise ConditionFailed("It came to something else than true or false.")
        return answer, min(self._turning) + MOMENTS_LATER if self._turning else None

    # --- values -------------------------------------------------------------------------------------------------------

    def _of_customer(self, name: str) -> Any:
        profile = self._facts.profile
        match name:
            case "id":
                return str(profile["id"])
            case "known":
                return bool(profile["email"] or profile["phone"])
            case "email":
                return profile["email"] and profile["email"].lower()
            case "totalSpent":
                return major(profile["total_spent_minor"], self._facts.currency_code)
            case "medianIntervalDays":
                seconds = profile["median_interval_seconds"]
                return None if seconds is None else seconds / 86_400
            case _:
                return profile[_column(name)]

    def _property(self, name: object) -> Any:
        if self._properties is None:
            self._properties = properties_of(self._facts.profile)
        value = self._properties.get(name) if isinstance(name, str) else None
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
            return None
        return value if isinstance(value, (str, bool, int, float)) else None

    # --- functions ----------------------------------------------------------------------------------------------------

    def _turns(self, moment: datetime) -> None:
        """Note a moment at which the answer may change."""
        if moment > self._facts.now:
            self._turning.append(moment)

    def _compare_now(self, symbol: str, left: Any, right: Any, speed: int) -> bool:
        """A comparison in which the left side gains on the right one by `speed` seconds a second."""
        if left is None or right is None:
            return symbol == "!="
        with contextlib.suppress(OverflowError, TypeError):  # beyond what the calendar has, nothing turns
            self._turns(self._facts.now + (right - left) / speed)
        if symbol in ("==", "!="):
            return (left == right) is (symbol == "==")
        return compare(symbol, left, right)

    def _part(self, name: str, value: object, zone: str, speed: int) -> int | None:
        moment = as_moment(value)
        if speed and moment is not None:
            self._turns(self._facts.now + (next_part(name, moment, zone) - moment))
        return part(name, moment, zone)

    def _since(self, last: datetime | None, since: object, speed: int) -> bool:
        start = as_moment(since)
        if last is None or start is None or last <= start:
            return False
        if speed:
            self._turns(self._facts.now + (last - start))
        return True

    def _tally(self, tally: Tally | None, window: timedelta | None) -> int:
        if tally is None:
            return 0
        if window is not None and tally.oldest_at is not None:
            self._turns(tally.oldest_at + window)
        return tally.count

    def _product(self, named: object) -> uuid.UUID | None:
        return self._facts.products.get(named) if isinstance(named, str) else None

    def _views(self, product: object, window: timedelta | None) -> int:
        product_id = self._product(product)
        return 0 if product_id is None else self._tally(self._facts.views.get((product_id, window)), window)

    def _spent(self, window: timedelta) -> float:
        spent = self._tally(self._facts.spent_minor.get(window), window)
        return major(spent, self._facts.currency_code)

    def _own_functions(self) -> dict[str, Any]:
        facts = self._facts
        return {
            "property_": self._property,
            "compare_now_": self._compare_now,
            "part_": self._part,
            "orderedSince_": lambda since, speed: self._since(facts.last_placed_at, since, speed),
            "couponIssuedSince_": lambda since, speed: self._since(facts.last_at.get("coupon.issued"), since, speed),
            "eventSince_": lambda kind, since, speed: self._since(facts.last_at.get(kind), since, speed),
            "lastEventAt_": facts.last_at.get,
            "spentIn_": self._spent,
            "viewCount_": self._views,
            "eventCount_": lambda kind, window: self._tally(facts.tallies.get((kind, window)), window),
            "bought_": lambda product: self._product(product) in facts.bought,
            "boughtType_": lambda product_type: product_type.lower() in facts.bought_types,
            "hasOpenCart_": lambda: facts.open_cart,
            "hasOpenCheckout_": lambda: facts.open_checkout,
            "inSegment_": lambda key: key in facts.segments,
            "consented_": lambda channel: channel in facts.consented,
        }


@lru_cache
def _column(name: str) -> str:
    return "".join("_" + character.lower() if character.isupper() else character for character in name)


def _fitting(value: Any, type_: Type) -> Any:
    """A value of the event's or run's data as its type has it; null, or nothing of its kind, where it is another."""
    kind = type_.kind
    fits: Any = value
    if kind is Kind.MOMENT:
        fits = as_moment(value)
    elif kind is Kind.NUMBER:
        fits = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    elif kind is Kind.WHOLE:
        fits = value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None
    elif kind is Kind.TEXT:
        fits = str(value) if isinstance(value, (str, uuid.UUID)) else None
    elif kind is Kind.YES_NO:
        fits = value if isinstance(value, bool) else None
    elif kind is Kind.ANY:
        fits = value if isinstance(value, (str, bool, int, float)) else None
    if fits is None and not type_.nullable:
        return _NOTHING[kind]
    return fits
