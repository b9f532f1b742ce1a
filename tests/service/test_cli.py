"""The commands as an operator runs them, on the test run's servers."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app import db
from app.settings import Settings
from tests.factories import catalogue, comparing
from tests.factories import shop as shop_factory
from tests.patience import patience

pytestmark = pytest.mark.long

HEADER = "Handle,Title,Option1 Name,Option1 Value,Variant Price\n"


ONE_AFTER_THE_OTHER = """
import json, sys
from app.cli import app
for arguments in json.loads(sys.argv[1]):
    try:
        code = app(arguments) or 0
    except SystemExit as end:
        code = end.code
    print("\\nENDED", code, flush=True)
"""


def tradewind(*arguments: str, said: str = "", cwd: Path | None = None, **environment: str) -> tuple[int, str]:
    """Exit code and everything that was printed."""
    return run("-m", "app.cli", *arguments, said=said, cwd=cwd, **environment)


def several(*commands: list[str], cwd: Path, **environment: str) -> list[tuple[int, str]]:
    """The same of commands that one process runs one after the other: starting it is most of what they cost."""
    _, printed = run("-c", ONE_AFTER_THE_OTHER, json.dumps(commands), cwd=cwd, **environment)
    *each, _ = re.split(r"\nENDED (\d+)\n", printed)
    return [(int(code), text) for text, code in zip(each[::2], each[1::2], strict=True)]


def run(*python: str, said: str = "", cwd: Path | None = None, **environment: str) -> tuple[int, str]:
    answer = subprocess.run(
        [sys.executable, "-P", *python],
        env={**os.environ, "COLUMNS": "200", **environment},
        input=said,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=patience(20),
    )
    assert "Traceback" not in answer.stdout
    return answer.returncode, answer.stdout


def test_every_command_says_in_its_list_what_it_is_for(tmp_path: Path) -> None:
    for code, said in several(
        ["--help"], ["taxes", "--help"], ["catalogue", "--help"], ["staff", "--help"], cwd=tmp_path
    ):
        assert code == 0
        listed = said[said.index("─ Commands") :].splitlines()[1:-1]
        assert [line for line in listed if line.startswith("│") and len(line.strip("│ ").split()) < 2] == []


def test_the_doctor_finds_a_healthy_shop(database: str) -> None:
    code, said = tradewind("doctor")
    assert code == 0, said
    assert said.count("✓") >= 6
    assert "✗" not in said


def test_the_doctor_names_each_problem_and_no_secret(settings: Settings) -> None:
    code, said = tradewind(
        "doctor",
        DATABASE_URL="postgres://shop:hush-hush@127.0.0.1:9/shop",
        REDIS_URL="redis://:hush-hush@127.0.0.1:9/0",
        SMTP_URL="smtp://me:hush-hush@127.0.0.1:9?starttls=off",
    )
    assert code == 1
    for problem in ("✗ database", "✗ migrations", "✗ redis", "✗ mail"):
        assert problem in said
    assert "127.0.0.1:9" in said
    assert "hush-hush" not in said


def test_without_a_configuration_each_missing_variable_is_named(tmp_path: Path) -> None:
    nothing = {"TRADEWIND_ENV": "production", "DATABASE_URL": "", "REDIS_URL": "", "SECRET_KEYS": ""}
    commands = [["api"], ["worker"], ["scheduler"], ["migrate"], ["doctor"]]
    for command, (code, said) in zip(commands, several(*commands, cwd=tmp_path, **nothing), strict=True):
        assert code == 1, command
        for name in ("DATABASE_URL is missing", "REDIS_URL is missing", "SECRET_KEYS is missing"):
            assert name in said, command


def test_sample_secrets_are_refused_in_production(tmp_path: Path) -> None:
    sample = {"TRADEWIND_ENV": "production", "SECRET_KEYS": "please-change-me-please-change-me", "SMTP_URL": "smtp://a"}
    code, said = tradewind("api", cwd=tmp_path, DATABASE_URL="postgres://a/b", REDIS_URL="redis://a", **sample)
    assert code == 1
    assert "sample key" in said
    assert "please-change-me" not in said


@pytest.mark.usefixtures("clean_database")
async def test_migrating_again_changes_nothing() -> None:
    await shop_factory.shop()
    for _ in range(2):
        code, said = tradewind("migrate")
        assert (code, said.strip()) == (0, "The database is up to date.")
        versions = await db.fetch(
            "SELECT f.key, f.status, v.number FROM flows f JOIN flow_versions v ON v.flow_id = f.id"
        )
        assert len(versions) == 7, "the recipes, once"
        assert {row["status"] for row in versions} == {"DRAFT"}


@pytest.mark.usefixtures("clean_database")
async def test_a_file_is_imported_and_what_is_wrong_is_named(tmp_path: Path) -> None:
    await shop_factory.shop()
    file = tmp_path / "products.csv"
    file.write_text(f"{HEADER}lamp,Lamp,Title,Default Title,19.90\nchair,Chair,Title,Default Title,free\n")
    code, said = tradewind("import", str(file), "--problems", str(tmp_path / "problems.csv"))
    assert code == 1, said
    assert "row 3: Variant Price:" in said
    assert (tmp_path / "problems.csv").read_text().splitlines()[1].startswith("3,Variant Price,")
    assert [row["name"] for row in await db.fetch("SELECT name FROM products")] == ["Lamp"]
    noted = await db.fetch("SELECT action, actor_kind FROM audit_entries")
    assert [tuple(row.values()) for row in noted] == [("import", "OPERATOR")]
    assert await db.fetchval("SELECT count(*) FROM audit_changes") == 0

    file.write_text(f"{HEADER}lamp,Lamp,Title,Default Title,19.90\n")
    code, said = tradewind("import", str(file))
    assert code == 0, said
    assert await db.fetchval("SELECT count(*) FROM products") == 1


@pytest.mark.usefixtures("clean_database")
async def test_a_file_that_is_none_changes_nothing(tmp_path: Path) -> None:
    await shop_factory.shop()
    file = tmp_path / "recipe.csv"
    file.write_text("Flour,200 g\n")
    code, said = tradewind("import", str(file))
    assert code == 1
    assert "Nothing was imported" in said
    assert "Handle" in said
    assert await db.fetchval("SELECT count(*) FROM products") == 0


@pytest.mark.usefixtures("clean_database")
async def test_what_is_exported_can_be_imported(tmp_path: Path) -> None:
    await shop_factory.shop()
    await catalogue.product(slug="lamp", name="Lamp")
    await catalogue.product(slug="chair", name="Chair", status="DRAFT")
    file = tmp_path / "all.csv"
    code, said = tradewind("catalogue", "export", str(file))
    assert (code, "2 products with 2 variants in 2 rows" in said) == (0, True), said
    before = await comparing.everything()
    code, said = tradewind("catalogue", "import", str(file))
    assert code == 0, said
    assert await comparing.everything() == before

    kept = file.read_bytes()
    (code, said), (other_code, other_said) = several(
        ["catalogue", "export", str(file), "--status", "DRAFT"],
        ["catalogue", "export", str(tmp_path / "none.csv"), "--status", "SOLD"],
        cwd=tmp_path,
    )
    assert (code, "is there already" in said, file.read_bytes()) == (1, True, kept)
    assert (other_code, "no status SOLD" in other_said) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["all.csv"]
    code, said = tradewind("catalogue", "export", str(file), "--status", "draft", "--force")
    assert code == 0, said
    assert [line.split(",")[0] for line in file.read_text().splitlines()] == ["Handle", "chair"]
    assert [path.name for path in tmp_path.iterdir()] == ["all.csv"]


@pytest.mark.usefixtures("clean_database")
async def test_the_books_are_checked(tmp_path: Path) -> None:
    await shop_factory.shop()
    file = tmp_path / "products.csv"
    columns = f"{HEADER.strip()},Variant Inventory Tracker,Variant Inventory Qty\n"
    file.write_text(f"{columns}lamp,Lamp,Title,Default Title,19.90,shopify,5\n")
    tradewind("import", str(file))
    code, said = tradewind("invariants")
    assert (code, said.strip()) == (0, "The books are right.")

    assert await db.execute("UPDATE stock_levels SET available = available + 1") == 1
    code, said = tradewind("invariants")
    assert code == 1
    assert "✗ stock_accounted_for" in said
    assert "'available': 6" in said
    assert await db.fetchval("SELECT available FROM stock_levels") == 6


@pytest.mark.usefixtures("clean_database")
async def test_an_owner_is_made_once() -> None:
    code, said = tradewind("staff", "create", "ada@example.com", "--name", "Ada", said="correct horse battery\n")
    assert code == 0, said
    code, said = tradewind("staff", "create", "ada@example.com", said="correct horse battery\n")
    assert code == 1
    assert "on the staff already" in said
    code, said = tradewind("staff", "create", "bob@example.com", said="short\n")
    assert code == 1
    assert "short" not in said
    assert [row["email"] for row in await db.fetch("SELECT email FROM staff_users")] == ["ada@example.com"]
