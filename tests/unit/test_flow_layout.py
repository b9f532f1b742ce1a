"""Where the boxes of a flow's picture stand: nothing on top of anything, nothing crossed out by a line."""

from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from app.flows.graph import graph_of
from app.flows.layout import LANE_WIDTH, Layout, layout_of


def laid_out(*steps: dict[str, Any]) -> Layout:
    return layout_of(graph_of({"trigger": {"event": "x"}, "steps": list(steps)}))


def mail(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "kind": "send_email", "template": "t", **more}


def test_a_flow_without_branches_is_one_column() -> None:
    layout = laid_out(mail("a"), mail("b"), mail("c"))
    assert {place.x for place in layout.places} == {0.5}
    assert [place.row for place in layout.places] == [0, 1, 2, 3, 4]
    assert layout.width == 1.0
    assert all(not line.lanes for line in layout.lines)


def test_a_step_that_is_skipped_leaves_the_column_straight_and_gives_the_line_a_lane() -> None:
    wait = {"key": "w", "kind": "wait_for", "event": "e", "timeout": "PT1H", "then": "c", "else": "b"}
    layout = laid_out(wait, mail("b"), mail("c"))
    assert {place.x for place in layout.places} == {0.5}
    (passing,) = [line for line in layout.lines if line.lanes]
    assert (passing.source, passing.target, passing.label) == (1, 3, "e")
    ((x, row),) = passing.lanes
    assert row == 2
    assert x - LANE_WIDTH / 2 > 1.0


def test_branches_stand_side_by_side_and_meet_in_the_middle() -> None:
    layout = laid_out(
        {"key": "s", "kind": "condition", "if": "true", "then": "a", "else": "b"},
        mail("a", then="c"),
        mail("b"),
        mail("c"),
    )
    trigger, split, left, right, below, end = layout.places
    assert (left.row, right.row, below.row) == (2, 2, 3)
    assert right.x - left.x >= 1.0
    assert trigger.x == split.x == below.x == end.x == (left.x + right.x) / 2


def test_a_way_out_stands_beside_the_column() -> None:
    layout = laid_out({"key": "s", "kind": "condition", "if": "true", "then": "end"}, mail("a"))
    assert [place.x for place in layout.places[:3]] == [0.5, 0.5, 0.5]
    out, last = layout.places[3], layout.places[4]
    assert (out.row, last.row) == (2, 3)
    assert out.x > 1.0


KINDS = ("send_email", "condition", "wait_for", "split", "end")


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(1, 12))
    steps = []
    for number in range(count):
        ahead = [*(f"k{later}" for later in range(number + 1, count)), "end"]
        target = st.sampled_from(ahead)
        step: dict[str, Any] = {"key": f"k{number}", "kind": draw(st.sampled_from(KINDS)), "event": "e"}
        if step["kind"] == "split":
            step["branches"] = [{"weight": 1, "then": draw(target)} for _ in range(draw(st.integers(1, 4)))]
        elif step["kind"] in ("condition", "wait_for"):
            step |= {"then": draw(target), "else": draw(target)}
        elif draw(st.booleans()):
            step["then"] = draw(target)
        steps.append(step)
    return {"trigger": {"event": "x"}, "steps": steps}


@given(definitions())
def test_nothing_ever_stands_on_top_of_anything(definition: dict[str, Any]) -> None:
    graph = graph_of(definition)
    layout = layout_of(graph)
    spans: dict[int, list[tuple[float, float]]] = {}
    for place in layout.places:
        spans.setdefault(place.row, []).append((place.x - place.width / 2, place.x + place.width / 2))
    for line in layout.lines:
        assert layout.places[line.target].row - layout.places[line.source].row == len(line.lanes) + 1
        for x, row in line.lanes:
            spans.setdefault(row, []).append((x - LANE_WIDTH / 2, x + LANE_WIDTH / 2))
    for side_by_side in spans.values():
        ordered = sorted(side_by_side)
        assert ordered[0][0] >= -0.001
        assert ordered[-1][1] <= layout.width + 0.001
        for (_, right), (left, _) in pairwise(ordered):
            assert left >= right - 0.001
