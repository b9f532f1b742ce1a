"""`.env.example` names every setting and no other."""

import re
from pathlib import Path

from app.settings import Settings

ELSEWHERE = {
    "POSTGRES_PASSWORD": "compose.yaml",
    "VALKEY_PASSWORD": "compose.yaml",
    "TRADEWIND_DEV_DATABASE": "app/dev/environment.py",
    "TRADEWIND_DATA": "app/cli.py",
}
PROJECT = Path(__file__).resolve().parents[2]


def test_it_names_every_setting_and_no_other() -> None:
    named = re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", (PROJECT / ".env.example").read_text(), flags=re.MULTILINE)
    settings = {(field.alias or name).upper() for name, field in Settings.model_fields.items()}
    assert len(named) == len(set(named))
    assert set(named) == settings | ELSEWHERE.keys()


def test_what_is_no_setting_is_read_where_it_says() -> None:
    for name, file in ELSEWHERE.items():
        assert name in (PROJECT / file).read_text()


def test_it_holds_no_secret() -> None:
    uncommented = re.findall(r"^[A-Z_]+=(.*)$", (PROJECT / ".env.example").read_text(), flags=re.MULTILINE)
    assert set(uncommented) == {""}


def test_compose_passes_on_nothing_that_is_no_setting() -> None:
    shop = (PROJECT / "compose.yaml").read_text().partition("x-shop:")[2].partition("services:")[0]
    passed = set(re.findall(r"^    ([A-Z][A-Z_]+): ", shop, flags=re.MULTILINE))
    settings = {(field.alias or name).upper() for name, field in Settings.model_fields.items()}
    assert passed >= {"DATABASE_URL", "REDIS_URL", "SECRET_KEYS", "PUBLIC_URL", "SMTP_URL"}
    assert passed <= settings
