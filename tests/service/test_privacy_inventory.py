"""The map of personal data against the real database: whoever adds a table or a column has to say what it is."""

import pytest

from app import db
from app.kit.ids import new_id
from app.privacy.inventory import TABLES
from app.privacy.steps import STEPS
from app.privacy.tables import IDENTIFYING, Kind, Subject, Whose, bound

ADVICE = "say in app/privacy/inventory what they are to privacy: whose, which kind, exported, erased, how long"
NOBODY = Subject(profiles=(new_id(),), customers=(new_id(),), emails=("a@b.example",), phones=("+14155550188",), days=1)


async def test_every_column_of_the_database_is_described(clean_database: None) -> None:
    rows = await db.fetch(
        """
        SELECT c.table_name, c.column_name FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
        """
    )
    there = {(row["table_name"], row["column_name"]) for row in rows}
    described = {(table.name, column) for table in TABLES.values() for column in table.columns}
    assert there - described == set(), ADVICE
    assert described - there == set(), "described, and not there (any more)"


async def test_what_is_said_of_keys_is_true(clean_database: None) -> None:
    rows = await db.fetch(
        """
        SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
        WHERE i.indisprimary AND c.relnamespace = 'public'::regnamespace
        """
    )
    assert {row["relname"]: row["attname"] for row in rows} == {name: table.key for name, table in TABLES.items()}


def test_a_persons_table_says_whose_its_rows_are_and_is_exported_or_says_why_not() -> None:
    for table in TABLES.values():
        assert (table.rows is not None) or table.whose is not Whose.PERSON, table.name
        if table.whose is Whose.PERSON:
            assert table.section or table.why, table.name
    sections = [table.section for table in TABLES.values() if table.section]
    assert len(sections) == len(set(sections))


def test_what_names_somebody_goes_with_an_erasure() -> None:
    deleted = {step.table for step in STEPS if step.action == "delete"} - {"carts"}
    for table in TABLES.values():
        if table.whose is not Whose.PERSON or table.name in deleted:
            continue
        naming = {name for name, kind in table.columns.items() if kind in IDENTIFYING}
        assert naming <= table.emptied.keys() | table.kept.keys(), f"{table.name}: {naming - table.emptied.keys()}"
        if table.emptied:
            assert any(step.table == table.name for step in STEPS), f"no step empties {table.name}"


def test_hashes_and_tokens_are_in_no_export() -> None:
    for name in ("password_hash", "token_hash", "secret_hash", "totp_secret", "key_hash", "code_hash", "credentials"):
        for table in TABLES.values():
            assert table.section is None or name not in table.exported, (table.name, name)
    assert all(Kind.SECRET is not table.columns[name] for table in TABLES.values() for name in table.exported)


@pytest.mark.parametrize("place", range(len(STEPS)), ids=lambda place: f"{place}-{STEPS[place].table}")
async def test_every_step_is_sql_that_can_be_asked(clean_database: None, place: int) -> None:
    step = STEPS[place]
    condition = f"{step.condition} AND ({step.ready or 'true'})"
    sql, arguments = bound(f'SELECT count(*) FROM "{step.table}" t WHERE {condition}', NOBODY)
    assert await db.fetchval(sql, *arguments) == 0
    async with db.unit_of_work():
        await db.execute(step.change, [])


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.rows])
async def test_whose_rows_can_be_asked(clean_database: None, name: str) -> None:
    sql, arguments = bound(f'SELECT count(*) FROM "{name}" t WHERE {TABLES[name].rows}', NOBODY)
    assert await db.fetchval(sql, *arguments) == 0
