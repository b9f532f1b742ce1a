"""The engines of this installation: our own, and those that other packages declare."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points

import structlog

from app.tax.engines.engine import TaxEngine
from app.tax.engines.http import HttpEngine

GROUP = "tradewind.tax_engines"
_OWN: Mapping[str, type[TaxEngine]] = {"http": HttpEngine}
"""Also declared as entry points; named here so that they are found in a checkout that is not installed."""

log = structlog.get_logger(__name__)


@lru_cache
def engines() -> Mapping[str, type[TaxEngine]]:
    """By name. A package that cannot be loaded costs its own engine and nothing else."""
    found = dict(_OWN)
    for point in entry_points(group=GROUP):
        if point.name in _OWN:
            continue
        try:
            found[point.name] = point.load()
        except Exception:
            log.exception("a tax engine cannot be loaded", engine=point.name)
    return dict(sorted(found.items()))
