"""Requests that hypothesis-graphql and schemathesis make out of the schema, and what no answer to one may be.

They know types alone. Here their placeholders become ids that exist, names of arguments become what such an argument
usually holds, and half of the values travel as variables, which other code reads than values in the text.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import schemathesis
from graphql import (
    DirectiveNode,
    DocumentNode,
    GraphQLSyntaxError,
    Node,
    OperationDefinitionNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    build_schema,
    parse,
    print_ast,
    value_from_ast_untyped,
    visit,
)
from graphql.language import NameNode, ObjectFieldNode, ObjectValueNode, parse_type
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.security.requests import KIND_OF_ID, KIND_OF_ROOT, RIGHT_TEXTS, WRONG_TEXTS

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "schema" / "schema.graphql"
LEAKS = (
    "Traceback",
    'File "',
    "site-packages",
    ".py:",
    "asyncpg",
    "tortoise",
    "violates ",
    "relation \\",
    " object at 0x",
)
FAULTS = {"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"}
_PLACE = "\ue000"
"""Begins a placeholder; a digit follows. From the private use area, so that nothing else makes one by chance."""
_places = st.integers(0, 9).map(lambda number: f"{_PLACE}{number}")
_texts = st.one_of(_places, _places, st.sampled_from(WRONG_TEXTS), st.text(st.characters(codec="utf-8"), max_size=40))
_integers = st.one_of(st.sampled_from((1, 2, 0, -1, 100, 2**31 - 1, -(2**31))), st.integers(-(2**31), 2**31 - 1))
_strings = {
    "Decimal": ("19.90", "0", "-1", "1e40", "NaN", "9" * 39, "0.0000001", "5.00"),
    "DateTime": ("2026-11-22T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-22"),
    "Date": ("2026-11-23", "0001-01-01", "9999-12-31", "x"),
    "CountryCode": ("US", "DE", "JP", "AQ", "ZZ", "us"),
    "CurrencyCode": ("USD", "JPY", "XXX"),
}  # fmt: skip


def _object(values: dict[str, Any]) -> ObjectValueNode:
    fields = tuple(ObjectFieldNode(name=NameNode(value=name), value=value) for name, value in values.items())
    return ObjectValueNode(fields=fields)


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    **{name: st.sampled_from(texts).map(nodes.String) for name, texts in _strings.items()},
    "ID": _places.map(nodes.String),
    "String": _texts.map(nodes.String),
    "Int": _integers.map(nodes.Int),
    "JSON": st.recursive(
        st.one_of(_texts.map(nodes.String), st.booleans().map(nodes.Boolean), st.integers(-9, 9).map(nodes.Int)),
        lambda inner: st.one_of(
            st.dictionaries(st.sampled_from(("a", "steps", "id", "trigger", "event")), inner, max_size=3).map(_object),
            st.lists(inner, max_size=3).map(nodes.List),
        ),
        max_leaves=5,
    ),
}


@dataclass
class Fuzzer:
    """Asks one server. `known` are ids by their prefix; `tokens` are those of everybody who asks, None for nobody."""

    url: str
    known: Mapping[str, Sequence[str]]
    tokens: Sequence[str | None]
    deadline_seconds: float
    asked: int = 0
    answered: int = 0
    """Requests with some data in the answer: were there few of them, little would have been tried."""
    findings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.schema = build_schema(SCHEMA_FILE.read_text(encoding="utf-8"))
        self.http = httpx2.Client(timeout=self.deadline_seconds)
        for name, strategy in SCALARS.items():
            schemathesis.graphql.scalar(name, strategy)
        self.tested = schemathesis.graphql.from_path(SCHEMA_FILE)
        self.roots = [
            (kind, name)
            for kind, type_ in (("query", self.schema.query_type), ("mutation", self.schema.mutation_type))
            for name in (type_.fields if type_ else ())
        ]

    def whole_documents(self, number: int, examples: int) -> None:
        """hypothesis-graphql: any root fields together, values as they are or in variables."""
        for strategy in (queries, mutations):
            made = strategy(self.schema, custom_scalars=SCALARS, print_ast=lambda document: document)

            def probe(document: DocumentNode, lift: bool, choice: int) -> None:
                self._ask(*filled_in(self.schema, document, self.known, lift=lift), choice)

            _generate(probe, made, number, examples)

    def each_root_field(self, number: int, examples: int, until: float | None = None) -> None:
        """schemathesis: every root field by itself, once with valid data and once with what breaks the schema.

        Args:
            until: `time.monotonic()`; what is not reached by then is left out.
        """
        for result in self.tested.get_all_operations():
            operation: Any = result.ok()  # type: ignore[union-attr]
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                valid = mode is GenerationMode.POSITIVE
                if until is None or time.monotonic() < until:
                    made = operation.as_strategy(generation_mode=mode)
                    _generate(self._probe(valid), made, number, examples if valid else max(1, examples // 3))

    def _probe(self, valid: bool) -> Callable[[Any, bool, int], None]:
        def probe(case: Any, lift: bool, choice: int) -> None:
            try:
                document = parse(case.body, no_location=True)
            except GraphQLSyntaxError:  # sent as it is
                return self._ask(case.body, {}, choice, case)
            return self._ask(*filled_in(self.schema, document, self.known, lift=lift and valid), choice, case)

        return probe

    def _ask(self, text: str, variables: dict[str, Any], choice: int, case: Any = None) -> None:
        token = self.tokens[choice % len(self.tokens)]
        # One proxy is trusted: each request is somebody else's, so that no limit of attempts answers for the field.
        headers = {"X-Forwarded-For": f"2001:db8:{choice % 65_536:x}:{self.asked % 65_536:x}::1"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self.asked += 1
        try:
            response = self.http.post(
                f"{self.url}/graphql", json={"query": text, "variables": variables}, headers=headers
            )
        except httpx2.TransportError as error:
            return self._found(type(error).__name__, text, variables)
        problem = told(response)
        if problem is None and case is not None:
            try:
                case.validate_response(response, checks=[response_schema_conformance])
            except (Failure, FailureGroup) as failure:
                problem = str(failure)[:400]
        if problem:
            return self._found(problem, text, variables)
        self.answered += bool(response.json().get("data"))
        return None

    def _found(self, problem: str, text: str, variables: dict[str, Any]) -> None:
        self.findings.append(f"{problem}\n{text}\n{variables}")


def told(response: httpx2.Response) -> str | None:
    """What is wrong with an answer, whatever was asked; None when nothing is."""
    if response.status_code >= 500:
        return f"status {response.status_code}: {response.text[:300]}"
    body = response.json()
    codes = [error.get("extensions", {}).get("code") for error in body.get("errors", ())]
    if FAULTS & set(codes) or None in codes:
        return f"codes {codes}: {response.text[:600]}"
    said = str(body.get("errors", ""))
    leaks = [word for word in LEAKS if word in said]
    return f"says {leaks}: {said[:600]}" if leaks else None


def _generate(
    probe: Callable[[Any, bool, int], None], made: st.SearchStrategy[Any], number: int, examples: int
) -> None:
    """Examples are made, not shrunk nor kept: state moves on, so none could be had a second time."""
    bounded: Any = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    asked: Any = given(made, st.booleans(), st.integers(0, 2**20))(probe)
    seed(number)(bounded(asked))()


def filled_in(
    schema: Any, document: DocumentNode, known: Mapping[str, Sequence[str]], *, lift: bool
) -> tuple[str, dict[str, Any]]:
    """The text with values instead of placeholders, and its variables: with `lift`, every other argument is one."""
    types = TypeInfo(schema)
    filling = _Filling(types, known)
    document = visit(document, TypeInfoVisitor(types, filling))
    if not lift:
        return print_ast(document), {}
    lifting = _Lifting(types)
    document = visit(document, TypeInfoVisitor(types, lifting))
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    operation = replace(operation, variable_definitions=tuple(lifting.declared))
    return print_ast(replace(document, definitions=(operation,))), lifting.values


class _Filling(Visitor):
    def __init__(self, types: TypeInfo, known: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.types, self.known = types, known
        self.names: list[str] = []
        self.root = ""
        self.every_id = [one for some in known.values() for one in some]

    def enter_field(self, node: Any, *_: Any) -> None:
        if self.types.get_parent_type() in (self.types._schema.query_type, self.types._schema.mutation_type):
            self.root = node.name.value

    def enter_argument(self, node: Any, *_: Any) -> None:
        self.names.append(node.name.value)

    def leave_argument(self, *_: Any) -> None:
        self.names.pop()

    enter_object_field, leave_object_field = enter_argument, leave_argument

    def enter_string_value(self, node: StringValueNode, *_: Any) -> StringValueNode | None:
        if not node.value.startswith(_PLACE):
            return None
        number, name = int(node.value[1:]), self.names[-1] if self.names else ""
        kind = KIND_OF_ROOT.get(self.root) if name == "id" else KIND_OF_ID.get(name)
        texts = self.known.get(kind or "") if kind or "id" in name.lower() else RIGHT_TEXTS.get(name)
        if number == 9 or (number == 8 and not texts):
            texts = ("x", f"{kind}_{'0' * 32}", f"{kind}_\x00")
        elif not texts:
            texts = self.every_id if "id" in name.lower() else ("Sweater", "a b c", "Ada")
        return StringValueNode(value=texts[number * 7 % len(texts)])


class _Lifting(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.declared: list[VariableDefinitionNode] = []
        self.values: dict[str, Any] = {}
        self.turns: Iterator[bool] = itertools.cycle((True, False, True))

    def enter_argument(self, node: Any, _key: Any, parent: Any, _path: Any, ancestors: list[Node]) -> Any:
        argument = self.types.get_argument()
        if argument is None or any(isinstance(one, DirectiveNode) for one in ancestors) or not next(self.turns):
            return None
        name = f"v{len(self.declared)}"
        variable = VariableNode(name=NameNode(value=name))
        self.declared.append(
            VariableDefinitionNode(variable=variable, type=parse_type(str(argument.type)), directives=())
        )
        self.values[name] = value_from_ast_untyped(node.value)
        return type(node)(name=node.name, value=variable)
