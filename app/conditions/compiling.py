"""Checks a condition against its scope, and writes it anew for the CEL library.

What is written differs from what staff wrote in three ways: names become variables that always have a value (null where
it is missing), operators on what may be missing become functions that say so instead of failing, and whole numbers
become doubles where they meet one. So nobody has to know where CEL is strict.
"""

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from app.conditions import operators
from app.conditions.calls import Calls
from app.conditions.context import Scope
from app.conditions.errors import ConditionProblem
from app.conditions.names import PROPERTIES
from app.conditions.syntax import Binary, Call, Conditional, Index, Listing, Literal, Member, Name, Node, Unary
from app.conditions.typed import FactCall, NameUse, Typed, literal, text_code, unknown
from app.conditions.types import ANY, MOMENT, YES_NO, Kind, Type

_NOT_FOR_NOW = (
    "now can be compared with a moment, shifted by a duration, asked for a part such as now.getMonth(), "
    "or given to a function such as customer.orderedSince(…); nothing else."
)


class Refused(Exception):  # noqa: N818 - ends the reading of one part, not of the condition
    """A part of the condition is wrong."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.problem = ConditionProblem(message, position)


def suggestion(wrong: str, known: Iterable[str], show: Callable[[str], str] = str) -> str:
    """` Did you mean …?`, or nothing."""
    by_case = {name.lower(): name for name in known}
    close = difflib.get_close_matches(wrong.lower(), by_case, n=1, cutoff=0.6)
    return f" Did you mean {show(by_case[close[0]])}?" if close else ""


@dataclass
class Compiler:
    """Reads one condition; afterwards the fields tell what it needs."""

    scope: Scope
    problems: list[ConditionProblem] = field(default_factory=list)
    names: dict[NameUse, Type] = field(default_factory=dict)
    needs: set[str] = field(default_factory=set)
    calls: set[FactCall] = field(default_factory=set)
    time_dependent: bool = False
    comprehensions: int = 0
    inside_comprehension: bool = False
    variables: dict[str, Type] = field(default_factory=dict)

    def condition(self, node: Node) -> str:
        """The code of a whole condition, which is true or false."""
        return self.truth(node, "A condition").code

    # --- what the parts come to ---------------------------------------------------------------------------------------

    def compile(self, node: Node) -> Typed:
        return self._noting(node, lambda: self._compile(node))

    def _noting(self, node: Node, compile_: Callable[[], Typed]) -> Typed:
        known = len(self.problems)
        try:
            return compile_()
        except Refused as refused:
            if len(self.problems) == known:  # otherwise what is wrong here follows from what is wrong further inside
                self.problems.append(refused.problem)
            return unknown(node)

    def plain(self, node: Node) -> Typed:
        """A part that does not move with the time by itself."""
        typed = self.compile(node)
        if typed.now:
            raise Refused(_NOT_FOR_NOW, node.position)
        return typed

    def truth(self, node: Node, what: str) -> Typed:
        """A part that has to be true or false; missing counts as false."""
        return self._noting(node, lambda: self._truth(node, what))

    def _truth(self, node: Node, what: str) -> Typed:
        typed = self.plain(node)
        if typed.type.kind not in (Kind.YES_NO, Kind.ANY, Kind.NULL):
            raise Refused(f"{what} has to be true or false; this is {typed.type.named}.", node.position)
        if typed.optional:
            return Typed(YES_NO, f"{typed.bracketed} == true", node, atomic=False)
        return typed

    def _compile(self, node: Node) -> Typed:
        match node:
            case Literal():
                return literal(node, node.value)
            case Name():
                return self._name(node)
            case Member():
                return self._member(node)
            case Index():
                return self._index(node)
            case Call():
                return Calls(self).call(node)
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Conditional():
                return self._conditional(node)
            case Listing():
                return self._listing(node)

    # --- names --------------------------------------------------------------------------------------------------------

    def _name(self, node: Name) -> Typed:
        if node.name in self.variables:
            return Typed(self.variables[node.name], f"v_{node.name}", node)
        if node.name == "now":
            return Typed(MOMENT, "now", node, now=1)
        if node.name in self.scope.roots:
            raise Refused(f"{node.name} has fields: write {node.name}.{next(iter(self.scope.roots[node.name]))}, say.",
                          node.position)  # fmt: skip
        raise Refused(self._no_such_root(node.name), node.position)

    def _no_such_root(self, name: str) -> str:
        known = [*self.scope.roots, *self.variables, "now"]
        if name in ("event", "run", "cart", "checkout", "order", "product"):
            return f"There is no {name} here: the events that this is asked for name none."
        hint = suggestion(name, known)
        if not hint:
            roots = [root for root, fields in self.scope.roots.items() if name in fields]
            hint = f" Did you mean {roots[0]}.{name}?" if roots else f" There are {', '.join(sorted(known))}."
        return f"There is no {name}.{hint}"

    def _member(self, node: Member) -> Typed:
        if isinstance(node.of, Name) and node.of.name not in self.variables:
            root = node.of.name
            if root not in self.scope.roots:
                raise Refused(self._no_such_root(root), node.of.position)
            return self._field(root, node)
        if self._is_properties(node.of):
            return self._property(node, node.name)
        of = self.plain(node.of)
        raise Refused(f"{of.type.named.capitalize()} has no field {node.name}.", node.position)

    def _field(self, root: str, node: Member) -> Typed:
        fields = self.scope.roots[root]
        if node.name not in fields:
            functions = Calls(self).of_root(root)
            if node.name in functions:
                raise Refused(f"{node.name} is a function: write {root}.{functions[node.name].signature}.",
                              node.position)  # fmt: skip
            hint = suggestion(node.name, [*fields, *functions], lambda name: f"{root}.{name}")
            raise Refused(f"There is no {root}.{node.name}.{hint}", node.position)
        found = fields[node.name]
        if found.type.kind is Kind.MAP:
            raise Refused(f"Say which one: {root}.{node.name}.birthday, say.", node.position)
        use = NameUse(root, node.name)
        self.names[use] = found.type
        self.needs.update(found.needs)
        return Typed(found.type, use.variable, node)

    def _is_properties(self, node: Node) -> bool:
        return (
            isinstance(node, Member)
            and node.name == PROPERTIES
            and isinstance(node.of, Name)
            and node.of.name == "customer"
            and "customer" not in self.variables
        )

    def _property(self, node: Node, name: str) -> Typed:
        self.needs.update(self.scope.roots["customer"][PROPERTIES].needs)
        return Typed(ANY, f"property_({text_code(name)})", node)

    def _index(self, node: Index) -> Typed:
        at = self.plain(node.at)
        if self._is_properties(node.of):
            if not isinstance(at.constant, str):
                raise Refused("Write the property's name as text: customer.properties['birthday'].", node.at.position)
            return self._property(node, at.constant)
        of = self.plain(node.of)
        if of.type.kind is Kind.LIST and of.type.item is not None:
            if at.type.kind is not Kind.WHOLE:
                raise Refused("A list is read by a whole number, from 0 on.", node.at.position)
            return Typed(Type(of.type.item, nullable=True), f"at_({of.code}, {at.code})", node)
        raise Refused(f"Only lists and customer.properties have […]; this is {of.type.named}.", node.position)

    # --- operators ----------------------------------------------------------------------------------------------------

    def _unary(self, node: Unary) -> Typed:
        if node.operator == "!":
            operand = self.truth(node.operand, "What follows !")
            return Typed(YES_NO, f"!{operand.bracketed}", node)
        operand = self.plain(node.operand)
        if operand.type.kind is Kind.SPAN or operand.type.numeric or operand.type.kind is Kind.ANY:
            zero = Typed(operand.type, "0", node) if operand.type.kind is Kind.ANY else operators.zero_of(operand)
            return operators.calculated(self, node, "-", zero, operand)
        raise Refused(f"What follows - has to be a number or a duration; this is {operand.type.named}.", node.position)

    def _binary(self, node: Binary) -> Typed:
        if node.operator in ("&&", "||"):
            return self._joined(node)
        left, right = self.compile(node.left), self.compile(node.right)
        if node.operator == "in":
            return operators.contained(self, node, left, right)
        if node.operator in operators.COMPARING:
            return operators.compared(self, node, left, right)
        return operators.calculated(self, node, node.operator, left, right)

    def _joined(self, node: Binary) -> Typed:
        parts: list[Node] = []
        rest: Node = node
        while isinstance(rest, Binary) and rest.operator == node.operator:
            parts.append(rest.right)
            rest = rest.left
        parts.append(rest)
        code = [self.truth(part, f"Each side of {node.operator}").bracketed for part in reversed(parts)]
        return Typed(YES_NO, f" {node.operator} ".join(code), node, atomic=False)

    def _conditional(self, node: Conditional) -> Typed:
        test = self.truth(node.test, "What stands before ?")
        then, otherwise = self.plain(node.then), self.plain(node.otherwise)
        type_, left, right = operators.common(node, then, otherwise)
        return Typed(type_, f"{test.bracketed} ? {left.bracketed} : {right.bracketed}", node, atomic=False)

    def _listing(self, node: Listing) -> Typed:
        items = [self.plain(item) for item in node.items]
        kinds = {item.type.kind for item in items}
        if kinds == {Kind.WHOLE, Kind.NUMBER}:
            items, kinds = [operators.as_double(item) for item in items], {Kind.NUMBER}
        if len(kinds) > 1:
            raise Refused("The items of a list have to be of one type.", node.position)
        kind = kinds.pop() if kinds else Kind.TEXT
        if kind in (Kind.LIST, Kind.MAP):
            raise Refused("Lists within lists are not offered here.", node.position)
        return Typed(Type(Kind.LIST, item=kind), f"[{', '.join(item.code for item in items)}]", node)
