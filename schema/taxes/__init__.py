"""Taxes: zones, classes, settings and exemptions, for staff."""

import strawberry

from schema.taxes.classes import TaxClassMutations, TaxClassQueries
from schema.taxes.exemptions import TaxExemptionMutations, TaxExemptionQueries
from schema.taxes.settings import TaxSettingsMutations, TaxSettingsQueries
from schema.taxes.zones import TaxZoneMutations, TaxZoneQueries


@strawberry.type
class TaxQueries(TaxClassQueries, TaxExemptionQueries, TaxSettingsQueries, TaxZoneQueries):
    pass


@strawberry.type
class TaxMutations(TaxClassMutations, TaxExemptionMutations, TaxSettingsMutations, TaxZoneMutations):
    pass


__all__ = ["TaxMutations", "TaxQueries"]
