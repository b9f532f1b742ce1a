"""Comparing and calculating: which types go together, and what the CEL library is given for it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from app.conditions.syntax import Binary, Node
from app.conditions.typed import Typed
from app.conditions.types import NUMBER, SPAN, WHOLE, YES_NO, Kind, Type

if TYPE_CHECKING:
    from app.conditions.compiling import Compiler

COMPARING = frozenset({"==", "!=", "<", "<=", ">", ">="})
_ORDERED = frozenset({Kind.TEXT, Kind.MOMENT, Kind.SPAN})
_READ_AS = {
    Kind.TEXT: "as_text_",
    Kind.WHOLE: "as_number_",
    Kind.NUMBER: "as_number_",
    Kind.YES_NO: "as_truth_",
    Kind.MOMENT: "as_moment_",
}
"""How a value of the merchant's own is read when it meets another type; null where it is something else."""


def _refused(message: str, node: Node) -> Exception:
    from app.conditions.compiling import Refused

    return Refused(message, node.position)


def as_double(typed: Typed) -> Typed:
    if typed.type.kind is not Kind.WHOLE:
        return typed
    if typed.type.nullable:
        return replace(typed, type=NUMBER.or_null(), code=f"as_number_({typed.code})", atomic=True)
    return replace(typed, type=NUMBER, code=f"double({typed.code})", atomic=True)


def read_as(typed: Typed, kind: Kind) -> Typed:
    """A value of unknown type, as one of this kind or null."""
    number = kind in (Kind.WHOLE, Kind.NUMBER)
    wanted = Type(Kind.NUMBER if number else kind, nullable=True)
    return replace(typed, type=wanted, code=f"{_READ_AS[kind]}({typed.code})", atomic=True)


def zero_of(typed: Typed) -> Typed:
    if typed.type.kind is Kind.SPAN:
        return Typed(SPAN, 'duration("0s")', typed.node)
    return Typed(NUMBER, "0.0", typed.node) if typed.type.kind is Kind.NUMBER else Typed(WHOLE, "0", typed.node)


def _aligned(left: Typed, right: Typed) -> tuple[Typed, Typed]:
    """Values of unknown type read as what they meet."""
    if left.type.kind is Kind.ANY and right.type.kind in _READ_AS:
        return read_as(left, right.type.kind), right
    if right.type.kind is Kind.ANY and left.type.kind in _READ_AS:
        return left, read_as(right, left.type.kind)
    return left, right


def compared(compiler: "Compiler", node: Binary, left: Typed, right: Typed) -> Typed:
    left, right = _aligned(left, right)
    a, b = left.type, right.type
    equality = node.operator in ("==", "!=")
    _check_choices(node, left, right)
    if Kind.NULL in (a.kind, b.kind):
        if not equality:
            raise _refused("null can only be compared by == and !=.", node)
        if left.now or right.now:
            raise _refused("now is never null.", node)
        return Typed(YES_NO, f"{left.bracketed} {node.operator} {right.bracketed}", node, atomic=False)
    if Kind.LIST in (a.kind, b.kind) or Kind.MAP in (a.kind, b.kind):
        raise _refused("Lists are not compared: ask size(list), or 'x' in list.", node)
    both_any = a.kind is b.kind is Kind.ANY
    if not (a.kind is b.kind or (a.numeric and b.numeric) or Kind.ANY in (a.kind, b.kind)):
        raise _refused(
            f"{a.named.capitalize()} is compared with {b.named} here: they are never alike.{_how(a, b)}", node
        )
    if not equality and not (a.numeric or a.kind in _ORDERED or both_any or Kind.ANY in (a.kind, b.kind)):
        raise _refused(f"{a.named.capitalize()} has no order: use == or !=.", node)
    if equality and (asked := _asked_for_emptiness(left, right)) is not None:
        return Typed(YES_NO, f"length_({asked.code}) {node.operator} 0", node, atomic=False)
    speed = left.now - right.now
    if speed:
        compiler.time_dependent = True
        return Typed(YES_NO, f'compare_now_("{node.operator}", {left.code}, {right.code}, {speed})', node)
    if not equality and (left.optional or right.optional):
        return Typed(YES_NO, f'compare_("{node.operator}", {left.code}, {right.code})', node)
    return Typed(YES_NO, f"{left.bracketed} {node.operator} {right.bracketed}", node, atomic=False)


def _asked_for_emptiness(left: Typed, right: Typed) -> Typed | None:
    """What is compared with '': who writes customer.email != '' means those who have one, so missing text is empty."""
    for typed, other in ((left, right), (right, left)):
        if typed.optional and typed.type.kind is Kind.TEXT and other.constant == "":
            return typed
    return None


def _how(a: Type, b: Type) -> str:
    kinds = {a.kind, b.kind}
    if kinds == {Kind.MOMENT, Kind.SPAN}:
        return " Write now - duration('P7D'), say, to have a moment."
    if kinds == {Kind.TEXT, Kind.MOMENT}:
        return " Write timestamp('2026-01-31T12:00:00Z') for a moment."
    if Kind.TEXT in kinds and (a.numeric or b.numeric):
        return " A number has no quotation marks."
    if Kind.SPAN in kinds and (a.numeric or b.numeric):
        return " Write duration('PT5H'), or ask .getHours()."
    return ""


def _check_choices(node: Node, left: Typed, right: Typed) -> None:
    from app.conditions.compiling import suggestion

    for typed, other in ((left, right), (right, left)):
        choices = typed.type.choices
        if choices and isinstance(other.constant, str) and other.constant not in choices:
            hint = suggestion(other.constant, choices, lambda choice: f"'{choice}'")
            raise _refused(f"'{other.constant}' is none of {', '.join(sorted(choices))}.{hint}", other.node)


def contained(compiler: "Compiler", node: Binary, left: Typed, right: Typed) -> Typed:
    if left.now or right.now:
        raise _refused("now cannot be looked for in a list.", node)
    if right.type.kind is Kind.TEXT:
        raise _refused("in looks into lists: ask text.contains('…').", node)
    if right.type.item is None:
        raise _refused(f"in needs a list on its right; this is {right.type.named}.", node)
    item = Type(right.type.item)
    kind = left.type.kind
    if kind not in (item.kind, Kind.ANY, Kind.NULL) and not (left.type.numeric and item.numeric):
        raise _refused(f"{left.type.named.capitalize()} is looked for in a list of {item.kind}.", node)
    for element in getattr(right.node, "items", ()):
        _check_choices(node, left, Typed(item, "", element, constant=getattr(element, "value", None)))
    return Typed(YES_NO, f"{left.bracketed} in {right.bracketed}", node, atomic=False)


def common(node: Node, then: Typed, otherwise: Typed) -> tuple[Type, Typed, Typed]:
    """One type for both branches of `? :`."""
    a, b = then.type, otherwise.type
    if a.kind is Kind.NULL or b.kind is Kind.NULL:
        return (b if a.kind is Kind.NULL else a).or_null(), then, otherwise
    if a.numeric and b.numeric and a.kind is not b.kind:
        then, otherwise = as_double(then), as_double(otherwise)
        a, b = then.type, otherwise.type
    if a.kind is not b.kind and Kind.ANY not in (a.kind, b.kind):
        raise _refused(f"Both branches of ? : have to be alike; here are {a.named} and {b.named}.", node)
    if Kind.ANY in (a.kind, b.kind):
        return Type(Kind.ANY, nullable=True), then, otherwise
    return Type(a.kind, nullable=a.nullable or b.nullable, item=a.item), then, otherwise


_RESULTS: dict[tuple[str, Kind, Kind], Kind] = {
    ("+", Kind.TEXT, Kind.TEXT): Kind.TEXT,
    ("+", Kind.MOMENT, Kind.SPAN): Kind.MOMENT,
    ("+", Kind.SPAN, Kind.MOMENT): Kind.MOMENT,
    ("+", Kind.SPAN, Kind.SPAN): Kind.SPAN,
    ("-", Kind.MOMENT, Kind.SPAN): Kind.MOMENT,
    ("-", Kind.MOMENT, Kind.MOMENT): Kind.SPAN,
    ("-", Kind.SPAN, Kind.SPAN): Kind.SPAN,
}


def calculated(compiler: "Compiler", node: Node, operator: str, left: Typed, right: Typed) -> Typed:
    """`+ - * / %`. Whole numbers divide into whole numbers, as CEL has it; where one side is a double, both are."""
    if right.type.kind is Kind.SPAN and left.type.kind is Kind.ANY:
        left = read_as(left, Kind.MOMENT)
    left, right = _aligned(left, right)
    a, b = left.type.kind, right.type.kind
    if a is b is Kind.ANY:
        raise _refused("Say what the values are: double(…), string(…) or timestamp(…).", node)
    if left.type.numeric and right.type.numeric:
        if a is not b:
            left, right = as_double(left), as_double(right)
        result = left.type.kind
        if operator == "%" and result is not Kind.WHOLE:
            raise _refused("% needs whole numbers on both sides.", node)
        if operator in ("/", "%") and right.is_constant and not right.constant:
            raise _refused("This divides by zero.", node)
    else:
        found = _RESULTS.get((operator, a, b))
        if found is None:
            names = f"{left.type.named} and {right.type.named}"
            raise _refused(f"{operator} is not defined for {names}.", node)
        result = found
    now = left.now + right.now if operator == "+" else left.now - right.now
    if left.optional or right.optional:
        code = f'calculate_("{operator}", {left.code}, {right.code})'
        return Typed(Type(result, nullable=True), code, node, now=now)
    return Typed(Type(result), f"{left.bracketed} {operator} {right.bracketed}", node, atomic=False, now=now)
