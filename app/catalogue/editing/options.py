"""The options of a product after a change, and what becomes of the values that its variants have."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.catalogue.editing.given import OptionGiven, VariantGiven
from app.catalogue.editing.problems import CatalogueProblems
from app.catalogue.errors import CatalogueErrorCode
from app.catalogue.rows import OptionRow
from app.catalogue.rules import MAX_OPTIONS, MAX_VARIANTS
from app.errors import CommonErrorCode
from app.kit.ids import new_id


@dataclass(slots=True)
class OptionPlan:
    """The options as they will be, in order.

    Attributes:
        came_from: for each, the place that it had among the stored ones; None for a new one.
        before: the stored ones.
    """

    rows: list[OptionRow]
    came_from: list[int | None]
    before: list[OptionRow]
    _spellings: list[dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self._spellings = [{_folded(value): value for value in row.values} for row in self.rows]

    def carried(self, option_values: Sequence[str]) -> list[str]:
        """What the values of a stored variant become. It gets the first value of an option that is new.

        A value that its option does not have any more stays as it is, for the caller to find.
        """
        return [
            self.spelled(place, option_values[origin]) or option_values[origin] if origin is not None else row.values[0]
            for place, (row, origin) in enumerate(zip(self.rows, self.came_from, strict=True))
        ]

    def spelled(self, place: int, value: str) -> str | None:
        """The option's own spelling of a value; None when it has no such value."""
        return self._spellings[place].get(_folded(value))

    def place(self, name: str) -> int | None:
        wanted = _folded(name)
        return next((place for place, row in enumerate(self.rows) if _folded(row.name) == wanted), None)

    @property
    def changed(self) -> bool:
        return self.rows != self.before


def plan_options(
    problems: CatalogueProblems,
    product_id: uuid.UUID,
    stored: Sequence[OptionRow],
    given: list[OptionGiven] | None,
    variants: list[VariantGiven] | None,
) -> OptionPlan:
    """Without options given, a product that has none takes them from its variants; otherwise they stay."""
    before = sorted(stored, key=lambda row: row.position)
    path = "options"
    if given is None:
        if before or not variants:
            return OptionPlan(list(before), list(range(len(before))), list(before))
        given, path = _named_by(variants), "variants"
    if not problems.not_too_many(given, MAX_OPTIONS, "options", path):
        given = given[:MAX_OPTIONS]
    rows: list[OptionRow] = []
    came_from: list[int | None] = []
    for index, option in enumerate(given):
        origin = _origin(problems, before, option, path, index)
        row = before[origin] if origin is not None else OptionRow(new_id(), product_id, 0, "", [])
        name = row.name
        if "name" in option or origin is None:
            name = problems.required_line(option.get("name"), "A name", path, index, "name")
        if any(name.casefold() == other.name.casefold() for other in rows) or (
            origin is not None and origin in came_from
        ):
            problems.add(CatalogueErrorCode.DUPLICATE_OPTION, f"{name} is given twice.", path, index, "name")
        values = row.values
        if option.get("values") is not None or origin is None:
            values = _values(problems, option.get("values") or [], path, index)
        rows.append(replace(row, position=index + 1, name=name, values=values))
        came_from.append(origin)
    return OptionPlan(rows, came_from, list(before))


def _origin(
    problems: CatalogueProblems, before: Sequence[OptionRow], option: OptionGiven, path: str, index: int
) -> int | None:
    option_id = option.get("id")
    if option_id is not None:
        for place, row in enumerate(before):
            if row.id == option_id:
                return place
        problems.add(CommonErrorCode.NOT_FOUND, "The product has no such option.", path, index, "id")
        return None
    name = _folded(option.get("name") or "")
    return next((place for place, row in enumerate(before) if _folded(row.name) == name), None)


def _values(problems: CatalogueProblems, given: Sequence[str], path: str, index: int) -> list[str]:
    if not given:
        problems.add(CommonErrorCode.REQUIRED, "An option needs its values.", path, index, "values")
        return [""]
    if not problems.not_too_many(given, MAX_VARIANTS, "values of an option", path, index, "values"):
        return list(given[:1])
    values: list[str] = []
    seen: set[str] = set()
    for place, text in enumerate(given):
        value = problems.required_line(text, "A value", path, index, "values", place)
        if value and value.casefold() in seen:
            message = f"{value} is given twice."
            problems.add(CatalogueErrorCode.DUPLICATE_OPTION_VALUE, message, path, index, "values", place)
        seen.add(value.casefold())
        values.append(value)
    return values


def _named_by(variants: Sequence[VariantGiven]) -> list[OptionGiven]:
    """Names and values in the order in which the variants mention them first."""
    names: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    for variant in variants:
        for name, value in variant.get("selected_options") or ():
            key = _folded(name)
            names.setdefault(key, name)
            values.setdefault(key, {}).setdefault(_folded(value), value)
    return [OptionGiven(name=name, values=list(values[key].values())) for key, name in names.items()]


def _folded(text: str) -> str:
    """What two spellings have in common: neither case nor blanks tell options or values apart."""
    return " ".join(text.split()).casefold()
