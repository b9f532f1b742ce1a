"""Who buys, as far as taxes care: read within the statements that read carts."""

from datetime import date

import orjson

from app.tax.rules import TaxIdState, tax_id_counts
from app.tax.terms import NOBODY, Exemption, TaxBuyer, TaxSettings


def sql_of_buyer(buyer: str) -> str:
    """SQL of what `read_buyer` reads, for an alias with the columns `tax_id`, `customer_id` and `company_id`; null for
    the many who have none of them.

    Of what registers said, an answer counts more than none, and of answers the latest: a register that is away does not
    take back what it said before.
    """
    return f"""(
        SELECT json_build_object(
            'state', (
                SELECT k.state FROM tax_id_checks k WHERE k.tax_id = {buyer}.tax_id
                ORDER BY k.state NOT IN ('VALID', 'INVALID'), k.requested_at DESC LIMIT 1
            ),
            'exemptions', (
                SELECT json_agg(json_build_array(
                    e.country_code, e.province_code, e.certificate_number, e.valid_until) ORDER BY e.id)
                FROM tax_exemptions e
                WHERE (e.customer_id = {buyer}.customer_id OR e.company_id = {buyer}.company_id)
                  AND (e.valid_until IS NULL OR e.valid_until >= (business_now() AT TIME ZONE coalesce(
                      (SELECT h.time_zone FROM shop h WHERE h.id = 1), 'UTC'))::date)
            )
        ) WHERE num_nonnulls({buyer}.tax_id, {buyer}.customer_id, {buyer}.company_id) > 0
    )"""


def state_of(text: str | None) -> TaxIdState | None:
    """What the register said, out of what `sql_of_buyer` gave; None where nobody asked it."""
    state = orjson.loads(text)["state"] if text else None
    return None if state is None else TaxIdState(state)


def read_buyer(text: str | None, tax_id: str | None, settings: TaxSettings) -> TaxBuyer:
    """What `sql_of_buyer` gave for somebody with this tax number."""
    if text is None:
        return NOBODY
    stored = orjson.loads(text)
    return TaxBuyer(
        tax_id=tax_id,
        tax_id_counts=tax_id_counts(settings, tax_id, state_of(text)),
        exemptions=tuple(
            Exemption(
                country_code=country_code,
                province_code=province_code,
                certificate_number=certificate_number,
                valid_until=None if valid_until is None else date.fromisoformat(valid_until),
            )
            for country_code, province_code, certificate_number, valid_until in stored["exemptions"] or []
        ),
    )
