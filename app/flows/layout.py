"""Where the boxes of a flow's picture stand, and how the lines between them run.

Rows go down by the longest way from the trigger. Beside each other stand the ways out of one box; where they meet
again, the picture goes on in the middle below. A line that passes rows gets a lane of its own there, so that none runs
through a box. Widths are in boxes, so that the same layout fits any window.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.flows.graph import END, Graph

BOX_WIDTH = 1.0
END_WIDTH = 0.36
LANE_WIDTH = 0.3
GAP = 0.1


@dataclass(frozen=True, slots=True)
class Place:
    x: float
    """Of the box's middle."""
    row: int
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    source: int
    target: int
    label: str
    lanes: tuple[tuple[float, int], ...]
    """Middle and row of each row that it passes between its ends."""


@dataclass(frozen=True, slots=True)
class Layout:
    places: list[Place]
    """As the graph's nodes."""
    lines: list[Line]
    """As the graph's edges."""
    width: float
    rows: int


Lane = tuple[int, int, int]
"""A line that passes rows: its place among the edges, and the first and last row."""


@dataclass(slots=True)
class _Block:
    """A part of the picture, relative to the middle of its topmost box."""

    nodes: dict[int, float] = field(default_factory=dict)
    lanes: dict[int, float] = field(default_factory=dict)
    """Middle of the lane, by the place of its edge."""
    outline: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Leftmost and rightmost point in each row."""

    def take_in(self, other: "_Block", shift: float) -> None:
        self.nodes |= {node: x + shift for node, x in other.nodes.items()}
        self.lanes |= {edge: x + shift for edge, x in other.lanes.items()}
        for row, (left, right) in other.outline.items():
            known = self.outline.get(row, (left + shift, right + shift))
            self.outline[row] = (min(known[0], left + shift), max(known[1], right + shift))

    def shift_beside(self, other: "_Block") -> float | None:
        """How far to the right `other` has to go to stand free; None where no row is shared."""
        shared = self.outline.keys() & other.outline.keys()
        return max((self.outline[row][1] - other.outline[row][0] + GAP for row in shared), default=None)


def layout_of(graph: Graph) -> Layout:
    edges = list(enumerate(graph.edges))
    rows = _rows(len(graph.nodes), ((edge.source, edge.target) for _, edge in edges))
    lanes: dict[int, list[Lane]] = defaultdict(list)
    for place, edge in edges:
        if rows[edge.target] - rows[edge.source] > 1:
            lanes[edge.source].append((place, rows[edge.source] + 1, rows[edge.target] - 1))
    picture = _Picture(graph, rows, lanes, _dominated(len(graph.nodes), [(e.source, e.target) for _, e in edges]))
    block = picture.block(0)
    left = min(outline[0] for outline in block.outline.values())
    right = max(outline[1] for outline in block.outline.values())
    places = [
        Place(round(block.nodes[node] - left, 4), rows[node], picture.width(node)) for node in range(len(graph.nodes))
    ]
    lines = []
    for place, edge in enumerate(graph.edges):
        x = block.lanes.get(place)
        passed = range(rows[edge.source] + 1, rows[edge.target]) if x is not None else ()
        lanes_of_line = tuple((round((x or 0.0) - left, 4), row) for row in passed)
        lines.append(Line(edge.source, edge.target, edge.label, lanes_of_line))
    return Layout(places, lines, round(right - left, 4), max(rows) + 1)


class _Picture:
    def __init__(
        self, graph: Graph, rows: Sequence[int], lanes: dict[int, list[Lane]], dominated: dict[int, list[int]]
    ) -> None:
        self.graph = graph
        self.rows = rows
        self.lanes = lanes
        self.dominated = dominated

    def width(self, node: int) -> float:
        return END_WIDTH if self.graph.nodes[node].kind == END else BOX_WIDTH

    def block(self, node: int) -> _Block:
        """The node with everything that can be reached only through it."""
        row, half = self.rows[node], self.width(node) / 2
        below = self.dominated.get(node, [])
        # Ways out stand right below it; what several of them lead to is where they meet.
        ways = [child for child in below if self.rows[child] == row + 1]
        meetings = [child for child in below if self.rows[child] > row + 1]
        boxes = [child for child in ways if self.graph.nodes[child].kind != END]
        ends = [child for child in ways if self.graph.nodes[child].kind == END]

        beside = _Block()
        middles: list[float] = []
        for child in [*boxes, *ends]:
            middles.append(_put(beside, self.block(child)))
        lane_middles = [_put(beside, _lane(*lane)) for lane in self.lanes.get(node, [])]
        important = middles[: len(boxes)] or middles or lane_middles or [0.0]
        middle = (min(important) + max(important)) / 2

        made = _Block(nodes={node: 0.0}, outline={row: (-half, half)})
        made.take_in(beside, -middle)
        for child in sorted(meetings, key=lambda meeting: self.rows[meeting]):
            inner = self.block(child)
            collides = made.shift_beside(inner)
            made.take_in(inner, max(collides, 0.0) if collides is not None and _overlaps(made, inner) else 0.0)
        return made


def _put(beside: _Block, added: _Block) -> float:
    """Set a block to the right of what is there; where its middle comes to stand."""
    shift = beside.shift_beside(added) or 0.0
    beside.take_in(added, shift)
    return shift


def _lane(edge: int, first: int, last: int) -> _Block:
    half = LANE_WIDTH / 2
    return _Block(lanes={edge: 0.0}, outline=dict.fromkeys(range(first, last + 1), (-half, half)))


def _overlaps(block: _Block, other: _Block) -> bool:
    return any(
        block.outline[row][0] < other.outline[row][1] and other.outline[row][0] < block.outline[row][1]
        for row in block.outline.keys() & other.outline.keys()
    )


def _rows(nodes: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """By the longest way from the first node. Edges lead to later nodes only."""
    rows = [0] * nodes
    for source, target in sorted(edges):
        rows[target] = max(rows[target], rows[source] + 1)
    return rows


def _dominated(nodes: int, edges: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    """By node: those that it is the last to stand on every way to (its children in the dominator tree)."""
    incoming = defaultdict(list)
    for source, target in edges:
        incoming[target].append(source)
    over: dict[int, int] = {}
    depth = [0] * nodes
    children: dict[int, list[int]] = defaultdict(list)
    for node in range(1, nodes):
        common = incoming[node][0]
        for source in incoming[node][1:]:
            other = source
            while common != other:
                if depth[common] >= depth[other]:
                    common = over[common]
                else:
                    other = over[other]
        over[node] = common
        depth[node] = depth[common] + 1
        children[common].append(node)
    return children
