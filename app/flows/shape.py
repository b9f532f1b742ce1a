"""Checks a definition against its published JSON Schema, and says what is wrong in words that help.

The schema decides; the words are ours, as a validator's own speak of the schema and not of the flow.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

SCHEMA_FILE = Path(__file__).with_name("definition.schema.json")
SCHEMA: dict[str, Any] = orjson.loads(SCHEMA_FILE.read_bytes())
_DEFS: dict[str, Any] = SCHEMA["$defs"]

STEP_SHAPES = {
    **{kind: kind for kind in _DEFS["step"]["properties"]["kind"]["enum"]},
    **dict.fromkeys(("send_email", "send_sms", "send_voice"), "send"),
    "condition": "condition_step",
}
"""By kind, the definition below `$defs` that a step of it follows."""

KINDS: list[str] = _DEFS["step"]["properties"]["kind"]["enum"]

Path_ = tuple[str | int, ...]
Report = Callable[[str, Path_], None]


def check_shape(given: Any, report: Report) -> set[int]:
    """Report everything about the form of a definition that is not as the schema says.

    Returns:
        The positions of steps that could not be read.
    """
    if not isinstance(given, Mapping):
        report("A definition is a JSON object with `trigger` and `steps`.", ())
        return set()
    outer = {name: value for name, value in SCHEMA.items() if name not in ("oneOf", "required", "$id")}
    outer["properties"] = {**SCHEMA["properties"], "steps": True, "trigger": True, "triggers": True}
    for message, path in _problems(outer, given):
        report(message, path)
    _check_triggers(given, report)
    return _check_steps(given.get("steps"), report)


def _check_triggers(given: Mapping[str, Any], report: Report) -> None:
    if ("trigger" in given) == ("triggers" in given):
        report("Say what starts the flow: either `trigger`, or `triggers` for several.", ())
        return
    if "trigger" in given:
        _check_trigger(given["trigger"], ("trigger",), report)
        return
    triggers = given["triggers"]
    if not isinstance(triggers, list) or not 1 <= len(triggers) <= SCHEMA["properties"]["triggers"]["maxItems"]:
        report("`triggers` is a list of 1 to 10 triggers.", ("triggers",))
        return
    for position, trigger in enumerate(triggers):
        _check_trigger(trigger, ("triggers", position), report)


def _check_trigger(trigger: Any, path: Path_, report: Report) -> None:
    if isinstance(trigger, Mapping) and sum(name in trigger for name in ("event", "segment", "date")) != 1:
        report("A trigger has exactly one of `event`, `segment` and `date`.", path)
        return
    schema = {name: value for name, value in _DEFS["trigger"].items() if name != "oneOf"}
    for message, below in _problems(schema, trigger):
        report(message, (*path, *below))


def _check_steps(steps: Any, report: Report) -> set[int]:
    most = SCHEMA["properties"]["steps"]["maxItems"]
    if not isinstance(steps, list) or not 1 <= len(steps) <= most:
        report(f"`steps` is a list of 1 to {most} steps.", ("steps",))
        return set()
    unreadable = set()
    for position, step in enumerate(steps):
        found = list(_step_problems(step))
        for message, below in found:
            report(f"{step_name(step, position)}: {message}", ("steps", position, *below))
        if found:
            unreadable.add(position)
    return unreadable


def _step_problems(step: Any) -> Iterator[tuple[str, Path_]]:
    common = {name: value for name, value in _DEFS["step"].items() if name != "allOf"}
    found = list(_problems(common, step))
    yield from found
    if not found:
        yield from _problems(_DEFS[STEP_SHAPES[step["kind"]]], step)


def step_name(step: Any, position: int) -> str:
    """How messages call a step: by its key where it has one."""
    key = step.get("key") if isinstance(step, Mapping) else None
    return f"Step {key}" if isinstance(key, str) and key else f"Step number {position + 1}"


def _problems(schema: Mapping[str, Any], given: Any) -> Iterator[tuple[str, Path_]]:
    validator = Draft202012Validator({**schema, "$defs": _DEFS})
    for error in sorted(validator.iter_errors(given), key=lambda error: [str(part) for part in error.absolute_path]):
        yield _in_words(error), tuple(error.absolute_path)


def _in_words(error: ValidationError) -> str:
    where = f"`{error.absolute_path[-1]}`" if error.absolute_path else "It"
    rule, value = error.validator, error.validator_value
    if rule == "required":
        missing = next(name for name in value if name not in error.instance)
        return f"`{missing}` is missing; add it."
    if rule == "additionalProperties" and value is False:
        return _unknown_fields(error)
    if rule == "not":
        return f"{where} does not belong here; take it out."
    if rule == "enum":
        return f"{where} is one of {', '.join(map(str, value))}.{_suggestion(error.instance, value)}"
    if rule == "type":
        kinds = [value] if isinstance(value, str) else value
        return f"{where} has to be {' or '.join(_TYPES[kind] for kind in kinds)}."
    if rule in ("anyOf", "oneOf"):
        names = [f"`{name}`" for choice in value for name in choice.get("required", ())]
        if names:
            return f"{'One' if rule == 'anyOf' else 'Exactly one'} of {', '.join(names)} is needed."
    if rule == "dependentRequired":
        return (
            "; ".join(f"`{name}` needs {', '.join(f'`{other}`' for other in others)}" for name, others in value.items())
            + "."
        )
    if rule == "uniqueItems":
        return f"{where} names the same thing twice."
    if rule in _LIMITS:
        return f"{where} {_LIMITS[rule].format(value)}"
    hint = error.schema.get("description") if isinstance(error.schema, Mapping) else None
    if hint:
        return f"{where} is not acceptable. It is: {hint[0].lower()}{hint[1:]}"
    return f"{where} is not acceptable: {error.message}."


_LIMITS = {
    "uniqueItems": "names the same thing twice.",
    "minItems": "needs at least {} entries.",
    "maxItems": "can have {} entries at most.",
    "minLength": "cannot be empty.",
    "maxLength": "can have {} characters at most.",
}
_TYPES = {
    "string": "a text",
    "object": "an object",
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "null",
}


def _unknown_fields(error: ValidationError) -> str:
    known = list(error.schema["properties"])
    unknown = [name for name in error.instance if name not in known]
    return " ".join(f"There is no `{name}` here; take it out.{_suggestion(name, known)}" for name in unknown)


def _suggestion(given: object, known: list[str]) -> str:
    close = difflib.get_close_matches(str(given), list(map(str, known)), n=1)
    return f" Did you mean `{close[0]}`?" if close else ""
