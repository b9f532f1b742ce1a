"""A flow as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html), for whatever draws those."""

from collections.abc import Mapping
from typing import Any

from app.flows import wording
from app.flows.graph import END, TRIGGER, GraphNode, graph_of

MAX_LABEL_CHARS = 120
_PLAIN = frozenset(" .,:%/+-_?!")

_SHAPES = {
    TRIGGER: ('(["', '"])'),
    END: ('(["', '"])'),
    "condition": ('{"', '"}'),
    "split": ('{"', '"}'),
    "wait_for": ('{{"', '"}}'),
    "delay": ('("', '")'),
    "delay_until": ('("', '")'),
}
_BOX = ('["', '"]')


def mermaid(definition: Mapping[str, Any], waiting: Mapping[str, int] | None = None) -> str:
    """The definition as a flowchart from top to bottom.

    Args:
        waiting: how many are at each step, by its key; under an empty key those whose trigger has to stay quiet first.
    """
    graph = graph_of(definition)
    counts = waiting or {}
    lines = ["flowchart TD"]
    for place, node in enumerate(graph.nodes):
        opening, closing = _SHAPES.get(node.kind, _BOX)
        lines.append(f"    n{place}{opening}{_label(node, counts)}{closing}")
    for edge in graph.edges:
        arrow = f'-- "{escaped(edge.label)}" -->' if edge.label else "-->"
        lines.append(f"    n{edge.source} {arrow} n{edge.target}")
    if exits := wording.exits_in_words(definition):
        lines.append(f'    x["Leaves at any step on {escaped(", ".join(exits))}"]')
        lines.append("    x -.- n0")
    return "\n".join(lines) + "\n"


def _label(node: GraphNode, waiting: Mapping[str, int]) -> str:
    text = escaped(node.text)
    here = 0 if node.kind == END and not node.key else waiting.get(node.key, 0)
    return f"{text}<br/>{here} waiting" if here else text


def escaped(text: str) -> str:
    """Text that is nothing but text to Mermaid and to the HTML that it makes: all but letters, digits and harmless
    signs become its entity codes, `#60;` for `<`."""
    shown = wording.shortened(text, MAX_LABEL_CHARS)
    return "".join(sign if sign.isalnum() or sign in _PLAIN else f"#{ord(sign)};" for sign in shown)
