"""From a condition's text to its parts, after the CEL specification's grammar.

The library that evaluates conditions shows nothing of its own parse, and names that do not exist have to be found when
a condition is saved.
"""

from app.conditions.syntax import Binary, Call, Conditional, Index, Listing, Literal, Member, Name, Node, Unary
from app.conditions.tokens import Token, problem, tokens

MAX_CHARACTERS = 2000
MAX_NESTING = 20
"""Brackets within brackets, and unary operators in a row."""
MAX_DEPTH = 40
MAX_LIST_ITEMS = 100
MAX_ARGUMENTS = 4
MAX_CHAIN = 100
"""Of operators of one kind in a row, such as `a && b && c`."""
MAX_MEMBERS = 10
"""`a.b.c`, function after function."""

_LEVELS: list[frozenset[str]] = [
    frozenset({"||"}),
    frozenset({"&&"}),
    frozenset({"<", "<=", ">", ">=", "==", "!=", "in"}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%"}),
]


def parse(source: str) -> Node:
    """Raises ConditionInvalid for text that is too long, too deep, or no expression."""
    if len(source) > MAX_CHARACTERS:
        raise problem(f"A condition has at most {MAX_CHARACTERS} characters; this one has {len(source)}.", 0)
    if not source.strip():
        raise problem("The condition is empty: write true for one that always holds.", 0)
    try:
        node = _Parser(tokens(source)).whole()
    except RecursionError:
        raise problem("The condition is too deep.", 0) from None
    if _depth(node) > MAX_DEPTH:
        raise problem(f"The condition is calculated in more than {MAX_DEPTH} steps upon each other.", 0)
    return node


def _depth(node: Node) -> int:
    """Steps from the whole to its innermost part; a chain of && or || is one step."""
    deepest = 0
    waiting = [(node, 1)]
    while waiting:
        part, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting += [(inner, depth + (not _continues(part, inner))) for inner in _parts(part)]
    return deepest


def _continues(part: Node, inner: Node) -> bool:
    return (
        isinstance(part, Binary)
        and isinstance(inner, Binary)
        and part.operator == inner.operator
        and part.operator in ("&&", "||")
    )


def _parts(node: Node) -> tuple[Node, ...]:
    match node:
        case Literal() | Name():
            return ()
        case Member():
            return (node.of,)
        case Index():
            return (node.of, node.at)
        case Call():
            return node.arguments if node.of is None else (node.of, *node.arguments)
        case Unary():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Conditional():
            return (node.test, node.then, node.otherwise)
        case Listing():
            return node.items


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._expression()
        if self._now.kind != "end":
            raise problem(f"“{self._now.text}” was not expected here.", self._now.position)
        return node

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._now
        if token.kind != "end":
            self._at += 1
        return token

    def _is(self, symbol: str) -> bool:
        return self._now.kind == "symbol" and self._now.text == symbol

    def _take(self, symbol: str) -> bool:
        if self._is(symbol):
            self._next()
            return True
        return False

    def _expect(self, symbol: str) -> None:
        if not self._take(symbol):
            found = f"“{self._now.text}” stands there" if self._now.kind != "end" else "the condition ends there"
            raise problem(f"“{symbol}” is missing: {found}.", self._now.position)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise problem(f"The condition is nested more than {MAX_NESTING} deep.", self._now.position)

    def _expression(self) -> Node:
        self._deeper()
        node = self._level(0)
        if self._is("?"):
            position = self._next().position
            then = self._level(0)
            self._expect(":")
            node = Conditional(position, node, then, self._expression())
        self._depth -= 1
        return node

    def _level(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        node = self._level(level + 1)
        links = 0
        while self._now.kind == "symbol" and self._now.text in _LEVELS[level]:
            token = self._next()
            links += 1
            if links > MAX_CHAIN:
                raise problem(f"More than {MAX_CHAIN} operators stand in a row.", token.position)
            node = Binary(token.position, token.text, node, self._level(level + 1))
        return node

    def _unary(self) -> Node:
        operators: list[Token] = []
        while self._is("!") or self._is("-"):
            operators.append(self._next())
            if len(operators) > MAX_NESTING:
                raise problem(f"More than {MAX_NESTING} operators stand in a row.", self._now.position)
        node = self._member()
        for token in reversed(operators):
            if token.text == "-" and isinstance(node, Literal) and type(node.value) in (int, float):
                node = Literal(token.position, -node.value)  # type: ignore[operator]
            else:
                node = Unary(token.position, token.text, node)
        return node

    def _member(self) -> Node:
        node = self._primary()
        for _ in range(MAX_MEMBERS):
            if self._take("."):
                name = self._next()
                if name.kind != "name":
                    raise problem("A name is missing after the dot.", name.position)
                if self._is("("):
                    node = Call(name.position, node, name.text, self._arguments())
                else:
                    node = Member(name.position, node, name.text)
            elif self._is("["):
                position = self._next().position
                at = self._expression()
                self._expect("]")
                node = Index(position, node, at)
            else:
                return node
        raise problem(f"More than {MAX_MEMBERS} members stand in a row.", self._now.position)

    def _primary(self) -> Node:
        token = self._next()
        if token.kind == "value":
            return Literal(token.position, token.value)
        if token.kind == "name":
            if self._is("("):
                return Call(token.position, None, token.text, self._arguments())
            return Name(token.position, token.text)
        if token.kind == "symbol" and token.text == "(":
            node = self._expression()
            self._expect(")")
            return node
        if token.kind == "symbol" and token.text == "[":
            return Listing(token.position, self._items("]", MAX_LIST_ITEMS, "A list has at most"))
        if token.kind == "end":
            raise problem("The condition ends where a value is expected.", token.position)
        raise problem(f"A value is expected here, not “{token.text}”.", token.position)

    def _arguments(self) -> tuple[Node, ...]:
        self._expect("(")
        return self._items(")", MAX_ARGUMENTS, "A function takes at most")

    def _items(self, closing: str, most: int, sentence: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._take(closing):
            if items:
                self._expect(",")
                if self._take(closing):
                    break
            if len(items) == most:
                raise problem(f"{sentence} {most} items.", self._now.position)
            items.append(self._expression())
        return tuple(items)
