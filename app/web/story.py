"""The story that GraphiQL's tabs tell: what each step asks, what it needs and what its answer teaches the next one."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from app.web.assets import HERE

_FOLDER = HERE / "graphiql" / "story"


@dataclass(frozen=True, slots=True)
class Step:
    operation: str
    """Name of the operation in the step's document."""
    title: str
    says: str
    document: str
    variables: dict[str, Any]
    """`{{name}}` in a text stands for a value that an earlier step's answer taught."""
    headers: dict[str, str]
    captures: dict[str, str]
    """Name of what the answer teaches -> its path in the answer's data, or `$new` for a random one."""


@cache
def steps() -> list[Step]:
    """In the order in which they work."""
    told: list[dict[str, Any]] = orjson.loads((_FOLDER / "story.json").read_bytes())
    return [
        Step(
            operation=step["operation"],
            title=step["title"],
            says=step["says"],
            document=(_FOLDER / step["file"]).read_text(encoding="utf-8"),
            variables=step.get("variables", {}),
            headers=step.get("headers", {}),
            captures=step.get("captures", {}),
        )
        for step in told
    ]


@cache
def as_json() -> str:
    return orjson.dumps(steps()).decode()
