"""The adapters of this installation: our own, and those that other packages declare."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points

import structlog

from app.crm.adapter import CrmAdapter
from app.crm.adapters.activecampaign import ActiveCampaign
from app.crm.adapters.hubspot import HubSpot
from app.crm.adapters.klaviyo import Klaviyo
from app.crm.adapters.mailchimp import Mailchimp

GROUP = "tradewind.crm"
_OWN: Mapping[str, type[CrmAdapter]] = {
    "activecampaign": ActiveCampaign,
    "hubspot": HubSpot,
    "klaviyo": Klaviyo,
    "mailchimp": Mailchimp,
}
"""Also declared as entry points; named here so that they are found in a checkout that is not installed."""

log = structlog.get_logger(__name__)


@lru_cache
def adapters() -> Mapping[str, type[CrmAdapter]]:
    """By name. A package that cannot be loaded costs its own adapter and nothing else."""
    found = dict(_OWN)
    for point in entry_points(group=GROUP):
        if point.name in _OWN:
            continue
        try:
            found[point.name] = point.load()
        except Exception:
            log.exception("a CRM adapter cannot be loaded", adapter=point.name)
    return dict(sorted(found.items()))
