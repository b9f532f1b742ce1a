"""A migration runs while servers of the release before still serve: it may add, and not take away."""

import re
from pathlib import Path

import pytest

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
FIRST = 20
"""Before it there was no release to live beside."""
NOTE = re.compile(r"(?:#|--) contract: \S.{20,}")
"""Says why what it does harms no server of the release before."""

_TABLE = r'(?:IF (?:NOT )?EXISTS )?(?:ONLY )?"?(\w+)"?'
_MADE = re.compile(rf'CREATE TABLE {_TABLE}|"table": "(\w+)"|options=\{{\'table\': \'(\w+)\'', re.IGNORECASE)
_INDEX = re.compile(
    rf"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)(?:IF NOT EXISTS )?\"?\w+\"?\s+ON {_TABLE}", re.IGNORECASE
)
_TAKES_AWAY = {
    "drops a table": re.compile(r"\bDROP TABLE\b|ops\.DeleteModel", re.IGNORECASE),
    "drops a column": re.compile(r"\bDROP COLUMN\b|ops\.RemoveField", re.IGNORECASE),
    "renames": re.compile(r"\bRENAME\b|ops\.Rename", re.IGNORECASE),
    "changes a type": re.compile(r"ALTER COLUMN \"?\w+\"? (?:SET DATA )?TYPE|ops\.AlterField", re.IGNORECASE),
    "forbids what was allowed": re.compile(r"ALTER COLUMN \"?\w+\"? SET NOT NULL", re.IGNORECASE),
}
_ADDED = re.compile(r"ops\.AddField\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
_ADD_COLUMN = re.compile(r"ADD COLUMN (?:IF NOT EXISTS )?\"?\w+\"? [^,;]*?NOT NULL[^,;]*", re.IGNORECASE)


def complaints(text: str, made_before: set[str]) -> list[str]:
    """What of a migration's text would fail, or hold up, a server of the release before."""
    if NOTE.search(text):
        return []
    found = [what for what, pattern in _TAKES_AWAY.items() if pattern.search(text)]
    for added in _ADDED.findall(text):
        if "null=True" not in added and "db_default" not in added:
            found.append("adds a column that the release before does not fill")
    for added in _ADD_COLUMN.findall(text):
        if "DEFAULT" not in added.upper():
            found.append("adds a column that the release before does not fill")
    new = made_before | tables_of(text)
    found += [
        f"builds an index on {table} while nobody can write to it"
        for table in _INDEX.findall(text)
        if table.lower() not in new
    ]
    return found


def tables_of(text: str) -> set[str]:
    return {name.lower() for groups in _MADE.findall(text) for name in groups if name}


def numbered() -> list[Path]:
    return sorted(path for path in MIGRATIONS.glob("[0-9]*.py") if int(path.name[:4]) >= FIRST)


@pytest.mark.parametrize("path", numbered(), ids=lambda path: path.stem)
def test_a_migration_adds_and_takes_nothing_away(path: Path) -> None:
    """Contract in a later release; where it is harmless all the same, say why in a line `# contract: …`."""
    new: set[str] = set()
    for earlier in numbered():
        if earlier < path:
            new |= tables_of(earlier.read_text())
    assert complaints(path.read_text(), new) == []


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE carts;",
        'ops.RunSQL("ALTER TABLE carts DROP COLUMN note")',
        'ops.RemoveField(model_name="Cart", name="note")',
        "ALTER TABLE carts RENAME COLUMN note TO remark",
        "ALTER TABLE carts ALTER COLUMN note TYPE varchar(10)",
        "ALTER TABLE carts ALTER COLUMN note SET NOT NULL",
        "ALTER TABLE carts ADD COLUMN note text NOT NULL",
        'ops.AddField(model_name="Cart", name="note", field=fields.CharField(max_length=80))',
        "CREATE INDEX carts_note ON carts (note);",
        "CREATE UNIQUE INDEX carts_note\n    ON carts (note);",
    ],
)
def test_what_takes_away_is_found_and_a_reason_lets_it_pass(text: str) -> None:
    assert len(complaints(text, set())) == 1
    assert complaints(f"{text}\n-- contract: no release reads it since 0.1, see the changelog", set()) == []


@pytest.mark.parametrize(
    "text",
    [
        'ops.AddField(model_name="Cart", name="note", field=fields.CharField(null=True, max_length=80))',
        'ops.AddField(model_name="Cart", name="seen", field=fields.BooleanField(default=False, db_default=False))',
        "ALTER TABLE carts ADD COLUMN note text NOT NULL DEFAULT ''",
        "CREATE INDEX CONCURRENTLY carts_note ON carts (note)",
        "CREATE TABLE notes (id int); CREATE INDEX notes_id ON notes (id);",
        "DROP INDEX CONCURRENTLY IF EXISTS carts_note",
    ],
)
def test_what_only_adds_passes(text: str) -> None:
    assert complaints(text, set()) == []
