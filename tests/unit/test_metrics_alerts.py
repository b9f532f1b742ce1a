"""The suggested alerts speak of metrics that exist, and the runbook of every alert."""

import re
from pathlib import Path

from app.metrics import shop
from app.metrics.instruments import REGISTRY

DOCS = Path(__file__).resolve().parents[2] / "docs"
RULES = (DOCS / "alerts.yml").read_text()
RUNBOOK = (DOCS / "operations.md").read_text()


def known() -> set[str]:
    counted = {
        f"{family.name}{suffix}"
        for family in REGISTRY.collect()
        for suffix in ("", "_total", "_bucket", "_sum", "_count")
    }
    asked = {f"tradewind_{gauge.name}" for gauge in shop._GAUGES} | {f"tradewind_{name}" for name in shop._LABELS}
    return counted | asked | {"tradewind_shop_readable", "tradewind_queue_jobs"}


def test_alerts_and_runbook_name_metrics_that_exist() -> None:
    for text in (RULES, RUNBOOK):
        named = set(re.findall(r"\btradewind_\w+", text))
        assert named - known() == set()
        assert len(named) >= 5


def test_every_alert_is_in_the_runbook_and_the_reverse() -> None:
    alerts = re.findall(r"alert: (\w+)", RULES)
    assert len(alerts) == len(set(alerts)) >= 15
    assert set(alerts) == set(re.findall(r"^\| (Tradewind\w+) \|", RUNBOOK, flags=re.MULTILINE))
