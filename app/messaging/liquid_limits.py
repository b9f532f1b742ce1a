"""How much a filter of a template may take and make.

Liquid's own limits count loops, output and what is assigned, but not what passes between the filters of one chain:
eight `replace`s make a gigabyte of ten letters.
"""

from collections.abc import Callable, Mapping, Sized
from functools import wraps
from typing import Any

from liquid import Environment
from liquid.exceptions import FilterArgumentError

MAX_CHARS = 1_000_000
MAX_ITEMS = 10_000


def bound_filters(environment: Environment) -> None:
    """Let every filter refuse what is too much, before it is made where it could be made at once."""
    for name, function in environment.filters.items():
        environment.filters[name] = _bounded(function, _AT_ONCE.get(name))


def _bounded(
    function: Callable[..., Any], foretell: Callable[[Any, tuple[Any, ...], Mapping[str, Any]], int] | None
) -> Callable[..., Any]:
    # Liquid asks the function itself whether it wants to be given context or environment; `wraps` copies that.
    @wraps(function)
    def bounded(value: Any, *given: Any, **named: Any) -> Any:
        for one in (value, *given):
            _check(one)
        if foretell is not None and foretell(value, given, named) > MAX_CHARS:
            raise FilterArgumentError(f"it would make more than {MAX_CHARS:,} characters", token=None)
        made = function(value, *given, **named)
        _check(made)
        return made

    return bounded


def _check(value: Any) -> None:
    if isinstance(value, str):
        if len(value) > MAX_CHARS:
            raise FilterArgumentError(f"a text has {MAX_CHARS:,} characters at most", token=None)
    elif isinstance(value, Sized) and len(value) > MAX_ITEMS:
        raise FilterArgumentError(f"a list has {MAX_ITEMS:,} items at most", token=None)


def _replaced(value: Any, given: tuple[Any, ...], named: Mapping[str, Any]) -> int:
    text, sought, put = str(value), str(given[0]) if given else "", str(given[1]) if len(given) > 1 else ""
    return len(text) + text.count(sought) * len(put)


def _joined(value: Any, given: tuple[Any, ...], named: Mapping[str, Any]) -> int:
    items = len(value) if isinstance(value, Sized) else 1
    return items * len(str(given[0])) if given else items


# The others make little more than they are given.
_AT_ONCE: Mapping[str, Callable[[Any, tuple[Any, ...], Mapping[str, Any]], int]] = {
    "replace": _replaced,
    "join": _joined,
}
