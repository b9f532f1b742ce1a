"""The models say what the migrations made: nobody finds a column missing in production."""

import pytest
from tortoise import Tortoise

from app import db

pytestmark = pytest.mark.usefixtures("clean_database")

OWN = {"tortoise_migrations"}
"""Of the tool that migrates."""


async def test_every_column_of_the_models_is_in_the_database_and_the_reverse() -> None:
    models = {model._meta.db_table: model for model in Tortoise.apps["tradewind"].values()}
    declared = {
        (table, column, model._meta.fields_map[name].null)
        for table, model in models.items()
        for name, column in model._meta.fields_db_projection.items()
    }
    rows = await db.fetch(
        """
        SELECT table_name, column_name, is_nullable = 'YES' AS nullable FROM information_schema.columns
        WHERE table_schema = 'public' AND is_generated = 'NEVER'
        """
    )
    made = {(row["table_name"], row["column_name"], row["nullable"]) for row in rows if row["table_name"] not in OWN}
    assert sorted(declared - made) == []
    assert sorted(made - declared) == []
