"""Which names a condition can use: it depends on where the condition stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.conditions.names import CUSTOMER, FUNCTIONS, SUBJECT_IDS, SUBJECTS, Field
from app.conditions.types import MOMENT, TEXT, Kind, Type
from app.customers.vocabulary import EVENT_TYPES


@dataclass(frozen=True, slots=True)
class Scope:
    """The roots, such as `customer` and `event`, with their fields; `now` stands beside them."""

    roots: dict[str, dict[str, Field]]


def _data_of(event_types: Sequence[str]) -> dict[str, Field]:
    """The fields that one of these events has; null where this one has none."""
    fields: dict[str, Field] = {}
    for name in event_types:
        event_type = EVENT_TYPES.get(name)
        if event_type is None:
            raise ValueError(f"{name} is not in the vocabulary")
        for datum, data_type in event_type.data.items():
            kind = Kind(data_type.value)
            if datum in fields and fields[datum].type.kind is not kind:
                kind = Kind.ANY
            fields[datum] = Field(Type(kind, nullable=True), f"Of {name}.")
    return fields


def scope(
    event_types: Sequence[str] = (), *, in_run: bool = False, trigger_types: Sequence[str] | None = None
) -> Scope:
    """The names that there are.

    Args:
        event_types: types of the event that the condition is asked for; none means there is no `event`.
        in_run: whether there is a `run`.
        trigger_types: types of the events that can start that run, whose data `run` has; by default `event_types`.

    Raises:
        ValueError: for a type that is not in the vocabulary.
    """
    roots: dict[str, dict[str, Field]] = {"customer": CUSTOMER}
    named: set[str] = set()
    if event_types:
        data = _data_of(event_types)
        named.update(data)
        roots["event"] = {
            "type": Field(Type(Kind.TEXT, choices=frozenset(event_types)), "The event's type, such as order.placed."),
            "occurredAt": Field(MOMENT.or_null(), "When it happened."),
            **data,
        }
    if in_run:
        data = _data_of(event_types if trigger_types is None else trigger_types)
        named.update(data)
        roots["run"] = {
            "id": Field(TEXT.or_null(), "The run's UUID, which message.clicked has as runId."),
            "key": Field(TEXT.or_null(), "What the run is about, such as the cart's UUID."),
            "enteredAt": Field(MOMENT.or_null(), "When the run began."),
            **data,
        }
    for subject, fields in SUBJECTS.items():
        if named.intersection(SUBJECT_IDS[subject]):
            roots[subject] = fields
    return Scope(roots)


@dataclass(frozen=True, slots=True)
class Described:
    """A name or function for documentation."""

    name: str
    type: str
    description: str


def describe(event_types: Sequence[str] = (), *, in_run: bool = False) -> list[Described]:
    """All names and functions of a scope, for editors and documentation. Raises ValueError for an unknown event."""
    described = [Described("now", str(MOMENT), "The moment at which the condition is asked.")]
    for root, fields in scope(event_types, in_run=in_run).roots.items():
        described += [Described(f"{root}.{name}", str(field.type), field.description) for name, field in fields.items()]
    described += [
        Described(f"customer.{function.signature}", str(function.returns), function.description)
        for function in FUNCTIONS.values()
    ]
    return described
