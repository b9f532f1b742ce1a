"""A definition as a graph: what starts it, its steps, and which follows which."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.flows import wording

TRIGGER = "trigger"
"""Kind of the node that a graph begins with."""
END = "end"


@dataclass(frozen=True, slots=True)
class GraphNode:
    key: str
    """The step's key; empty for the trigger and for ends."""
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class GraphEdge:
    source: int
    target: int
    """Places in `Graph.nodes`."""
    label: str = ""
    """Why this way is taken, where there is a choice."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Node 0 is the trigger; the steps follow in the definition's order, then the ends: one for each way that leads
    to one, so that no line runs through the whole picture. Edges lead to later nodes only."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]


def graph_of(definition: Mapping[str, Any]) -> Graph:
    """Made from the stored JSON, so that a definition of any age can be drawn."""
    steps = [step for step in definition.get("steps") or () if isinstance(step, Mapping)]
    triggers = [wording.trigger_in_words(trigger) for trigger in wording.triggers_of(definition)]
    nodes = [GraphNode("", TRIGGER, " or ".join(triggers) or "Nothing starts it")]
    nodes += [
        GraphNode(str(step.get("key", "")), str(step.get("kind", "")), wording.step_in_words(step)) for step in steps
    ]
    # A step of kind `end` is one of the ends itself.
    place_by_key = {node.key: place for place, node in enumerate(nodes) if place}
    edges: list[GraphEdge] = []

    def connect(source: int, target_key: str | None, label: str = "") -> None:
        following = source + 1 if source < len(steps) else None
        target = following if target_key is None else place_by_key.get(target_key)
        if target is None:
            nodes.append(GraphNode("", END, "End"))
            target = len(nodes) - 1
        edges.append(GraphEdge(source, target, label))

    connect(0, None)
    for place, step in enumerate(steps, start=1):
        for target_key, label in _ways(step):
            connect(place, target_key, label)
    return _reachable(nodes, edges)


def _reachable(nodes: list[GraphNode], edges: list[GraphEdge]) -> Graph:
    """Without steps that no way leads to: no such definition can be saved any more."""
    reached = {0}
    for edge in sorted(edges, key=lambda edge: edge.source):
        if edge.source in reached:
            reached.add(edge.target)
    place = {old: new for new, old in enumerate(sorted(reached))}
    kept = [edge for edge in edges if edge.source in reached and edge.source < edge.target]
    return Graph(
        [nodes[old] for old in place], [GraphEdge(place[edge.source], place[edge.target], edge.label) for edge in kept]
    )


def _ways(step: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    """Where a step leads, and why: None is the step after it."""
    kind = step.get("kind")
    if kind == END:
        return []
    if kind == "split":
        branches = [branch for branch in step.get("branches") or () if isinstance(branch, Mapping)]
        total = sum(float(branch.get("weight") or 0) for branch in branches) or 1.0
        return [
            (branch.get("then"), wording.percent(float(branch.get("weight") or 0) / total)) for branch in branches
        ] or [(None, "")]
    if kind in ("condition", "wait_for"):
        if kind == "condition":
            yes, no = "yes", "no"
        else:
            yes = str(step.get("event"))
            no = f"after {wording.period_in_words(str(step['timeout']))}" if step.get("timeout") else "otherwise"
        then, otherwise = step.get("then"), step.get("else")
        return [(None, "")] if then is otherwise is None else [(then, yes), (otherwise, no)]
    return [(step.get("then"), "")]
