"""Calls of functions: those of CEL that are offered, those of `customer`, and the macros over lists."""

import zoneinfo
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from app.conditions import operators
from app.conditions.moments import parse_moment, parse_span
from app.conditions.names import FUNCTIONS, Function, Parameter
from app.conditions.syntax import Call, Index, Member, Name, Node
from app.conditions.typed import FactCall, NameUse, Typed, span_code, text_code
from app.conditions.types import MOMENT, NUMBER, SPAN, TEXT, WHOLE, YES_NO, Kind, Type

if TYPE_CHECKING:
    from app.conditions.compiling import Compiler

MAX_COMPREHENSIONS = 5
_MACROS = frozenset({"all", "exists", "exists_one", "filter", "map"})
_TEXT_TESTS = {"startsWith": "starts_with_", "endsWith": "ends_with_", "contains": "contains_"}
_PARTS = (
    "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes",
)  # fmt: skip
_SPAN_PARTS = ("getHours", "getMinutes", "getSeconds")
_GLOBAL = ("duration", "timestamp", "size", "int", "double", "string", "has")
_MEMBERS = (*_MACROS, *_TEXT_TESTS, "lower", "upper", "size", *_PARTS, "getSeconds")
_INSTEAD = {
    "matches": "matches is not offered: use startsWith, endsWith, contains, or in with a list.",
    "now": "Write now, without brackets.",
    "lowerAscii": "Write lower().",
    "upperAscii": "Write upper().",
    "uint": "Write int(…).",
    "bytes": "Bytes are not offered here.",
    "dyn": "dyn is not needed: whole numbers and doubles go together here.",
    "type": "type is not offered here.",
}


def _refused(message: str, node: Node) -> Exception:
    from app.conditions.compiling import Refused

    return Refused(message, node.position)


class Calls:
    def __init__(self, compiler: "Compiler") -> None:
        self._compiler = compiler

    def of_root(self, root: str) -> dict[str, Function]:
        return FUNCTIONS if root == "customer" and "customer" in self._compiler.scope.roots else {}

    def call(self, node: Call) -> Typed:
        if node.of is None:
            return self._global(node)
        if isinstance(node.of, Name) and node.of.name not in self._compiler.variables:
            root = node.of.name
            if root in self._compiler.scope.roots:
                return self._of_root(root, node)
        if node.name in _MACROS:
            return self._macro(node, node.of)
        return self._member(node, self._compiler.compile(node.of))

    # --- without anything before the dot ------------------------------------------------------------------------------

    def _global(self, node: Call) -> Typed:
        from app.conditions.compiling import suggestion

        if node.name not in _GLOBAL:
            hint = _INSTEAD.get(node.name)
            if node.name in FUNCTIONS:
                hint = f"Write customer.{FUNCTIONS[node.name].signature}."
            elif node.name in _MEMBERS:
                hint = f"Write it after a value and a dot: value.{node.name}(…)."
            hint = hint or f"There is no function {node.name}.{suggestion(node.name, [*_GLOBAL, *_MEMBERS])}"
            raise _refused(hint, node)
        self._count(node, 1, 1)
        (argument,) = node.arguments
        if node.name == "has":
            return self._has(node, argument)
        if node.name == "size":
            return self._size(node, self._compiler.plain(argument))
        if node.name == "duration":
            return self._duration(node, argument)
        typed = self._compiler.plain(argument)
        if node.name == "timestamp":
            return self._timestamp(node, typed)
        if typed.type.kind not in (Kind.TEXT, Kind.WHOLE, Kind.NUMBER, Kind.YES_NO, Kind.ANY):
            raise _refused(f"{node.name}() takes text or a number; this is {typed.type.named}.", argument)
        returns = {"int": WHOLE, "double": NUMBER, "string": TEXT}[node.name]
        if typed.type.kind is Kind.YES_NO and node.name != "string":
            raise _refused(f"{node.name}() takes text or a number; this is true or false.", argument)
        if typed.type.numeric and returns.numeric and not typed.optional:
            return Typed(returns, f"{node.name}({typed.code})", node)
        return Typed(returns.or_null(), f"to_{node.name}_({typed.code})", node)

    def _has(self, node: Call, argument: Node) -> Typed:
        if not isinstance(argument, (Member, Index)):
            raise _refused("has() asks for a field: has(customer.email).", argument)
        return Typed(YES_NO, f"{self._compiler.plain(argument).bracketed} != null", node, atomic=False)

    def _duration(self, node: Call, argument: Node) -> Typed:
        typed = self._compiler.plain(argument)
        span = parse_span(typed.constant) if isinstance(typed.constant, str) else None
        if span is None:
            raise _refused("duration() takes a text such as 'P7D', 'PT24H', '168h' or '90m'.", argument)
        return Typed(SPAN, span_code(span), node, constant=span, is_constant=True)

    def _timestamp(self, node: Call, typed: Typed) -> Typed:
        if isinstance(typed.constant, str):
            moment = parse_moment(typed.constant)
            if moment is None:
                raise _refused("timestamp() takes a text such as '2026-01-31' or '2026-01-31T12:00:00Z'.", typed.node)
            return Typed(MOMENT, f"timestamp({text_code(moment.isoformat())})", node)
        if typed.type.kind is Kind.MOMENT:
            return replace(typed, node=node)
        if typed.type.kind not in (Kind.TEXT, Kind.ANY):
            raise _refused(f"timestamp() takes text; this is {typed.type.named}.", typed.node)
        return Typed(MOMENT.or_null(), f"as_moment_({typed.code})", node)

    def _size(self, node: Call, typed: Typed) -> Typed:
        if typed.type.kind not in (Kind.TEXT, Kind.LIST, Kind.ANY):
            raise _refused(f"Text and lists have a size; this is {typed.type.named}.", typed.node)
        if typed.type.kind is Kind.LIST:
            return Typed(WHOLE, f"size({typed.code})", node)
        return Typed(WHOLE, f"length_({typed.code})", node)

    def _count(self, node: Call, least: int, most: int) -> None:
        given = len(node.arguments)
        if not least <= given <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            plural = "" if wanted == "1" else "s"
            raise _refused(f"{node.name}() takes {wanted} argument{plural}, not {given}.", node)

    # --- after a value ------------------------------------------------------------------------------------------------

    def _member(self, node: Call, of: Typed) -> Typed:
        from app.conditions.compiling import suggestion

        if node.name in _PARTS or node.name == "getSeconds":
            return self._part(node, of)
        if of.now:
            raise _refused("now has parts, such as now.getMonth(); nothing else.", node)
        if node.name == "size":
            self._count(node, 0, 0)
            return self._size(node, of)
        if node.name in _TEXT_TESTS or node.name in ("lower", "upper"):
            if of.type.kind not in (Kind.TEXT, Kind.ANY):
                raise _refused(f"{node.name}() asks text; this is {of.type.named}.", node)
            if node.name not in _TEXT_TESTS:
                self._count(node, 0, 0)
                return Typed(Type(Kind.TEXT, nullable=of.optional), f"{node.name}_({of.code})", node)
            self._count(node, 1, 1)
            argument = self._compiler.plain(node.arguments[0])
            if argument.type.kind not in (Kind.TEXT, Kind.ANY):
                raise _refused(f"{node.name}() takes text, not {argument.type.named}.", argument.node)
            return Typed(YES_NO, f"{_TEXT_TESTS[node.name]}({of.code}, {argument.code})", node)
        hint = _INSTEAD.get(node.name) or f"There is no function {node.name}.{suggestion(node.name, _MEMBERS)}"
        raise _refused(hint, node)

    def _part(self, node: Call, of: Typed) -> Typed:
        if of.type.kind is Kind.SPAN:
            if node.name not in _SPAN_PARTS or of.now:
                raise _refused("Compare a duration with another: now - customer.createdAt > duration('P7D').", node)
            self._count(node, 0, 0)
            return Typed(Type(Kind.WHOLE, nullable=of.optional), f'span_part_("{node.name}", {of.code})', node)
        if of.type.kind is Kind.ANY:
            of = operators.read_as(of, Kind.MOMENT)
        if of.type.kind is not Kind.MOMENT or node.name == "getSeconds":
            raise _refused(f"{node.name}() asks a moment; this is {of.type.named}.", node)
        self._count(node, 0, 1)
        zone = "UTC"
        if node.arguments:
            given = self._compiler.plain(node.arguments[0])
            if not isinstance(given.constant, str) or given.constant not in zoneinfo.available_timezones():
                raise _refused("The time zone is a text such as 'Europe/Berlin'.", node.arguments[0])
            zone = given.constant
        if of.now not in (0, 1):
            raise _refused("Ask now for its parts, or a moment that does not move.", node)
        if of.now:
            self._compiler.time_dependent = True
        code = f'part_("{node.name}", {of.code}, {text_code(zone)}, {of.now})'
        return Typed(Type(Kind.WHOLE, nullable=of.optional), code, node)

    def _macro(self, node: Call, of: Node) -> Typed:
        compiler = self._compiler
        self._count(node, 2, 2)
        name, body = node.arguments
        if not isinstance(name, Name):
            raise _refused(f"{node.name}() takes a name first: list.{node.name}(x, x == 'a').", name)
        if name.name in compiler.scope.roots or name.name == "now":
            raise _refused(f"{name.name} has a meaning already: choose another name.", name)
        if compiler.inside_comprehension:
            raise _refused(f"{node.name}() within another one would take too long: they are not nested here.", node)
        compiler.comprehensions += 1
        if compiler.comprehensions > MAX_COMPREHENSIONS:
            raise _refused(f"A condition goes over lists at most {MAX_COMPREHENSIONS} times.", node)
        over = compiler.plain(of)
        if over.type.kind is not Kind.LIST or over.type.item is None:
            raise _refused(f"{node.name}() goes over a list; this is {over.type.named}.", node)
        compiler.inside_comprehension = True
        compiler.variables[name.name] = Type(over.type.item, nullable=over.type.item is Kind.ANY)
        try:
            result = compiler.plain(body) if node.name == "map" else compiler.truth(body, f"What {node.name}() asks")
        finally:
            compiler.inside_comprehension = False
            del compiler.variables[name.name]
        code = f"{over.bracketed}.{node.name}(v_{name.name}, {result.code})"
        if node.name == "filter":
            return Typed(over.type, code, node)
        if node.name == "map":
            if result.type.kind in (Kind.LIST, Kind.MAP):
                raise _refused("Lists within lists are not offered here.", body)
            kind = Kind.ANY if result.optional else result.type.kind
            return Typed(Type(Kind.LIST, item=kind), code, node)
        return Typed(YES_NO, code, node)

    # --- of customer --------------------------------------------------------------------------------------------------

    def _of_root(self, root: str, node: Call) -> Typed:
        from app.conditions.compiling import suggestion

        functions = self.of_root(root)
        if node.name not in functions:
            fields = self._compiler.scope.roots[root]
            if node.name in fields:
                raise _refused(f"{root}.{node.name} is a field: write it without brackets.", node)
            hint = suggestion(node.name, [*functions, *fields], lambda name: f"{root}.{name}")
            raise _refused(f"There is no function {root}.{node.name}().{hint}", node)
        function = functions[node.name]
        least = sum(not parameter.optional for parameter in function.parameters)
        if not least <= len(node.arguments) <= len(function.parameters):
            raise _refused(f"It is called so: {root}.{function.signature}.", node)
        given = [self._argument(p, argument) for p, argument in zip(function.parameters, node.arguments, strict=False)]
        return self._facts(function, node, given)

    def _argument(self, parameter: Parameter, node: Node) -> Typed:
        from app.conditions.compiling import suggestion

        typed = self._compiler.compile(node) if parameter.takes_now else self._compiler.plain(node)
        if typed.type.kind is Kind.ANY and parameter.type.kind is Kind.MOMENT:
            typed = operators.read_as(typed, Kind.MOMENT)
        if typed.type.kind not in (parameter.type.kind, Kind.NULL, Kind.ANY):
            hint = " Write now - duration('P7D'), say." if parameter.type.kind is Kind.MOMENT else ""
            raise _refused(f"“{parameter.name}” has to be {parameter.type.named}, not {typed.type.named}.{hint}", node)
        if typed.now not in (0, 1):
            raise _refused(f"“{parameter.name}” has to be a moment such as now - duration('P7D').", node)
        if parameter.constant and not typed.is_constant:
            example = _EXAMPLES[parameter.type.kind]
            raise _refused(f"“{parameter.name}” has to stand here as a literal, such as {example}.", node)
        choices = parameter.type.choices
        if choices and typed.constant not in choices:
            hint = suggestion(str(typed.constant), choices, lambda choice: f"'{choice}'")
            shown = f" It is one of {', '.join(sorted(choices))}." if len(choices) <= 5 else ""
            raise _refused(f"There is no {parameter.name} '{typed.constant}'.{hint or shown}", node)
        return typed

    def _facts(self, function: Function, node: Call, given: Sequence[Typed]) -> Typed:
        compiler = self._compiler
        deciding: list[str | timedelta | NameUse | None] = []
        code: list[str] = []
        for place, parameter in enumerate(function.parameters):
            typed = given[place] if place < len(given) else None
            if parameter.names_product and typed is not None:
                deciding.append(self._product(typed))
            elif parameter.constant:
                constant = typed.constant if typed else None
                deciding.append(constant if isinstance(constant, (str, timedelta)) else None)
            code.append("null" if typed is None else typed.code)
            if parameter.takes_now:
                code.append(str(typed.now if typed else 0))
            if (typed and typed.now) or (parameter.type.kind is Kind.SPAN and typed):
                compiler.time_dependent = True
        first = deciding[0] if deciding and isinstance(deciding[0], str) else ""
        compiler.needs.update(need.replace("{0}", first) for need in function.needs)
        compiler.calls.add(FactCall(function.name, tuple(deciding)))
        return Typed(function.returns, f"{function.name}_({', '.join(code)})", node)

    def _product(self, typed: Typed) -> str | NameUse:
        """A product has to be known before the facts are fetched."""
        if isinstance(typed.constant, str):
            return typed.constant
        node = typed.node
        if isinstance(node, Member) and isinstance(node.of, Name) and node.of.name in ("event", "run", "product"):
            return NameUse(node.of.name, node.name)
        raise _refused("Name the product as text ('tea-pot', its slug or id), or as event.productId.", node)


_EXAMPLES = {Kind.TEXT: "'EMAIL'", Kind.SPAN: "duration('P7D')"}
