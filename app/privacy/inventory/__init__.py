"""The map of personal data: every table and column of the database, and what it is to privacy."""

from app.privacy.inventory import (
    assisting,
    buying,
    goods,
    machinery,
    marketing,
    money,
    people,
    staff,
    taxing,
    value,
    writing,
)
from app.privacy.tables import Table

_ALL = (
    *people.TABLES,
    *buying.TABLES,
    *money.TABLES,
    *value.TABLES,
    *assisting.TABLES,
    *writing.TABLES,
    *marketing.TABLES,
    *staff.TABLES,
    *machinery.TABLES,
    *taxing.TABLES,
    *goods.TABLES,
)

TABLES: dict[str, Table] = {table.name: table for table in _ALL}
"""By name."""
