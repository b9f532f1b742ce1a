"""What flows came to: per step and as a whole. The number of statements does not grow with flows, steps or runs.

Figures count from a flow's beginning over all its versions: a step is the same in each of them that has its key.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from app import db
from app.orders.shop_currency import sql_of_shop_total

LIFT_WINDOW_DAYS = 30
"""After entering: orders within it count for the comparison with the holdout."""


@dataclass(slots=True)
class StepFigures:
    key: str
    kind: str
    waiting: int = 0
    """Runs that stand at it now."""
    done: int = 0
    """Runs that have it behind them, other than by a skip."""
    failed: int = 0
    sent: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    """By reason."""
    delivered: int = 0
    clicked: int = 0
    """Messages in which a person followed a link."""
    unsubscribed: int = 0
    orders: int = 0
    revenue_minor: int = 0


@dataclass(slots=True)
class FlowFigures:
    steps: list[StepFigures] = field(default_factory=list)
    """In the latest version's order, then what only older versions have."""
    pending: int = 0
    """Whose trigger has to stay quiet for a while, before they count as enrolled."""
    turned_away: int = 0
    """Who did not qualify any more when that while was over, or did what the flow exits on."""
    enrolled: int = 0
    active: int = 0
    completed: int = 0
    failed: int = 0
    exited: dict[str, int] = field(default_factory=dict)
    """By reason."""

    def total(self, name: str) -> int:
        return sum(getattr(step, name) for step in self.steps)


_STEPS = """
    SELECT flow_id, step->>'key' AS key, (array_agg(step->>'kind' ORDER BY number DESC))[1] AS kind
    FROM flow_versions CROSS JOIN jsonb_array_elements(definition->'steps') WITH ORDINALITY AS s (step, place)
    WHERE flow_id = ANY($1)
    GROUP BY flow_id, step->>'key'
    ORDER BY flow_id, max(number) DESC, (array_agg(place ORDER BY number DESC))[1]
"""

_RUNS = """
    SELECT flow_id, status, CASE WHEN status IN ('PENDING', 'ACTIVE') THEN step_key ELSE exit_reason END AS detail,
           step_key IS NOT NULL AS entered, count(*) AS runs
    FROM flow_runs WHERE flow_id = ANY($1) GROUP BY 1, 2, 3, 4
"""

_OUTCOMES = """
    SELECT flow_id, step_key, outcome, count(*) AS times
    FROM flow_run_steps WHERE flow_id = ANY($1) AND outcome IN ('DONE', 'FAILED') GROUP BY 1, 2, 3
"""

# A skip with a row in the ledger is counted there, as it may also come after the step, when sending begins.
_SKIPS = """
    SELECT flow_id, step_key, reason, count(*) AS times
    FROM flow_run_steps WHERE flow_id = ANY($1) AND outcome = 'SKIPPED' AND message_id IS NULL GROUP BY 1, 2, 3
    UNION ALL
    SELECT flow_id, step_key, reason, count(*)
    FROM messages WHERE flow_id = ANY($1) AND state = 'SKIPPED' AND resend_of IS NULL GROUP BY 1, 2, 3
"""

_MESSAGES = """
    SELECT flow_id, step_key, count(*) FILTER (WHERE state = 'SENT') AS sent, count(delivered_at) AS delivered,
           count(clicked_at) AS clicked, count(unsubscribed_at) AS unsubscribed
    FROM messages WHERE flow_id = ANY($1) AND resend_of IS NULL AND state <> 'SKIPPED' GROUP BY 1, 2
"""

_ORDERS = """
    SELECT flow_id, step_key, count(*) AS orders, sum(revenue_minor)::bigint AS revenue_minor
    FROM attributions WHERE flow_id = ANY($1) GROUP BY 1, 2
"""


async def of_flows(flow_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, FlowFigures]:
    """The figures of these flows, in six statements."""
    wanted = list(flow_ids)
    found: dict[uuid.UUID, FlowFigures] = {flow_id: FlowFigures() for flow_id in wanted}
    steps: dict[tuple[uuid.UUID, str], StepFigures] = {}
    for row in await db.fetch(_STEPS, wanted):
        step = steps[row["flow_id"], row["key"]] = StepFigures(row["key"], row["kind"])
        found[row["flow_id"]].steps.append(step)

    for row in await db.fetch(_RUNS, wanted):
        _count_runs(found[row["flow_id"]], row)
        if row["status"] in ("PENDING", "ACTIVE"):
            steps.get((row["flow_id"], row["detail"]), _nowhere()).waiting += row["runs"]
    for row in await db.fetch(_OUTCOMES, wanted):
        step = steps.get((row["flow_id"], row["step_key"]), _nowhere())
        step.done += row["times"] if row["outcome"] == "DONE" else 0
        step.failed += row["times"] if row["outcome"] == "FAILED" else 0
    for row in await db.fetch(_SKIPS, wanted):
        step, reason = steps.get((row["flow_id"], row["step_key"]), _nowhere()), row["reason"] or "OTHER"
        step.skipped[reason] = step.skipped.get(reason, 0) + row["times"]
    for statement, names in (
        (_MESSAGES, ("sent", "delivered", "clicked", "unsubscribed")),
        (_ORDERS, ("orders", "revenue_minor")),
    ):
        for row in await db.fetch(statement, wanted):
            step = steps.get((row["flow_id"], row["step_key"]), _nowhere())
            for name in names:
                setattr(step, name, row[name])
    return found


def _nowhere() -> StepFigures:
    """For a row of a step that no version has, such as that of a run which stands before its first."""
    return StepFigures("", "")


def _count_runs(figures: FlowFigures, row: db.Record) -> None:
    status, runs = row["status"], row["runs"]
    if status == "PENDING":
        figures.pending += runs
        return
    if not row["entered"]:
        figures.turned_away += runs
        return
    figures.enrolled += runs
    if status == "ACTIVE":
        figures.active += runs
    elif status == "COMPLETED":
        figures.completed += runs
    elif status == "FAILED":
        figures.failed += runs
    else:
        reason = row["detail"] or "OTHER"
        figures.exited[reason] = figures.exited.get(reason, 0) + runs


# --- what the flow brings, against those who got nothing --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """Runs of one group, and the orders of their people within `LIFT_WINDOW_DAYS` of entering."""

    runs: int = 0
    converted: int = 0
    revenue_minor: int = 0

    @property
    def conversion(self) -> float:
        """From 0 to 1."""
        return self.converted / self.runs if self.runs else 0.0


@dataclass(frozen=True, slots=True)
class Lift:
    """Those who got the flow's messages beside those who were held out at random: the difference is its true effect,
    as attribution by clicks also counts those who would have ordered anyway."""

    treated: GroupFigures
    holdout: GroupFigures

    @property
    def absolute(self) -> float | None:
        """Difference of the conversions; None while either group is empty."""
        if not (self.treated.runs and self.holdout.runs):
            return None
        return self.treated.conversion - self.holdout.conversion

    @property
    def relative(self) -> float | None:
        """The same as a share of the holdout's conversion; None where that is zero."""
        if self.absolute is None or not self.holdout.converted:
            return None
        return self.absolute / self.holdout.conversion


_LIFT = f"""
    SELECT r.flow_id, r.in_holdout, count(*) AS runs, count(o.first) AS converted,
           coalesce(sum(o.revenue), 0)::bigint AS revenue_minor
    FROM flow_runs r
    CROSS JOIN LATERAL (
        SELECT min(p.placed_at) AS first, sum({sql_of_shop_total("p")}) AS revenue FROM orders p
        WHERE p.profile_id = r.profile_id AND p.status <> 'CANCELLED' AND p.placed_at > r.entered_at
          AND p.placed_at <= r.entered_at + $2 * interval '1 day'
    ) o
    WHERE r.flow_id = ANY($1) AND r.step_key IS NOT NULL
      AND EXISTS (SELECT FROM flow_runs h WHERE h.flow_id = r.flow_id AND h.in_holdout)
    GROUP BY 1, 2
"""


async def lift_of(flow_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Lift | None]:
    """None for a flow that has held out nobody so far."""
    groups: dict[tuple[uuid.UUID, bool], GroupFigures] = {}
    for row in await db.fetch(_LIFT, list(flow_ids), LIFT_WINDOW_DAYS):
        figures = GroupFigures(row["runs"], row["converted"], row["revenue_minor"])
        groups[row["flow_id"], row["in_holdout"]] = figures
    empty = GroupFigures()
    return {
        flow_id: Lift(groups.get((flow_id, False), empty), groups[flow_id, True]) if (flow_id, True) in groups else None
        for flow_id in flow_ids
    }
