"""What taxes need to know of a cart's buyer, read within the statements that read carts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import orjson

from app import db
from app.tax.rules import TaxIdState, TaxIdStatus, tax_id_counts, tax_id_status
from app.tax.settings import PART, settings_at
from app.tax.terms import NOTHING, Exemption, TaxBuyer, TaxSettings

# Of what registers said, an answer counts more than none, and of answers the latest: a register that is away does not
# take back what it said before.
_STATE = """
    SELECT k.state FROM tax_id_checks k WHERE k.tax_id = {tax_id}
    ORDER BY k.state NOT IN ('VALID', 'INVALID'), k.requested_at DESC LIMIT 1
"""


def sql_of_facts(*, tax_id: str, customer_id: str, company_id: str) -> str:
    """SQL of what `read_facts` reads, from SQL of who buys; null for the many who have none of these.

    What is bought for a company is the company's: nobody's own exemption holds for it.
    """
    return f"""(
        SELECT json_build_object(
            'state', ({_STATE.format(tax_id=tax_id)}),
            'exemptions', (
                SELECT json_agg(json_build_array(
                    e.country_code, e.province_code, e.certificate_number, e.valid_until) ORDER BY e.id)
                FROM tax_exemptions e
                WHERE (e.customer_id = {customer_id} AND {company_id} IS NULL OR e.company_id = {company_id})
                  AND (e.valid_until IS NULL OR e.valid_until >= (business_now() AT TIME ZONE coalesce(
                      (SELECT h.time_zone FROM shop h WHERE h.id = 1), 'UTC'))::date)
            )
        )
        WHERE num_nonnulls({tax_id}, {customer_id}, {company_id}) > 0
    )"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxFacts:
    """What holds for one cart at one moment.

    Attributes:
        tax_id_state: what the register said of the buyer's number.
        exemptions: of the buyer, those that hold today.
    """

    settings: TaxSettings = NOTHING
    tax_id_state: TaxIdState | None = None
    exemptions: tuple[Exemption, ...] = ()

    def buyer(self, tax_id: str | None) -> TaxBuyer:
        counts = tax_id_counts(self.settings, tax_id, self.tax_id_state)
        return TaxBuyer(tax_id=tax_id, tax_id_counts=counts, exemptions=self.exemptions)

    def status(self, tax_id: str | None) -> TaxIdStatus | None:
        return None if tax_id is None else tax_id_status(self.settings, tax_id, self.tax_id_state)


NO_FACTS = TaxFacts()


async def read_facts(text: str | None, versions: Mapping[str, int]) -> TaxFacts:
    """What `sql_of_facts` gave, and the settings of the version that the same statement read."""
    settings = await settings_at(versions.get(PART))
    if text is None:
        return TaxFacts(settings=settings)
    stored: Mapping[str, Any] = orjson.loads(text)
    return TaxFacts(
        settings=settings,
        tax_id_state=None if stored["state"] is None else TaxIdState(stored["state"]),
        exemptions=tuple(_exemption(*one) for one in stored["exemptions"] or []),
    )


async def with_state_of(facts: TaxFacts, tax_id: str | None) -> TaxFacts:
    """The facts for another number; one statement where there is one."""
    if tax_id is None:
        return replace(facts, tax_id_state=None)
    state = await db.fetchval(_STATE.format(tax_id="$1"), tax_id)
    return replace(facts, tax_id_state=None if state is None else TaxIdState(state))


def _exemption(
    country_code: str | None, province_code: str | None, certificate_number: str, valid_until: str | None
) -> Exemption:
    return Exemption(
        country_code=country_code,
        province_code=province_code,
        certificate_number=certificate_number,
        valid_until=None if valid_until is None else date.fromisoformat(valid_until),
    )
