from pathlib import Path

import pytest

from app.dev.environment import children_environment, is_local, refuse_a_real_shop
from app.dev.errors import DevelopmentError
from app.events import ticking


@pytest.mark.parametrize(
    "url",
    [
        "postgres://me:secret@localhost:5432/shop",
        "postgresql://127.0.0.1/shop",
        "postgres://me@127.8.9.10/shop",
        "postgres://me@[::1]:5432/shop",
        "postgres:///shop",
        "postgres:///shop?host=/var/run/postgresql",
        "postgres://localhost:5432,127.0.0.1:5433/shop",
    ],
)
def test_this_machine(url: str) -> None:
    assert is_local(url)
    refuse_a_real_shop({"DATABASE_URL": url})


@pytest.mark.parametrize(
    "url",
    [
        "postgres://me:secret@db.example.com/shop",
        "postgres://10.0.0.5:5432/shop",
        "postgres://[2001:db8::1]/shop",
        # What libraries read, and what a glance at the first host would miss.
        "postgres://localhost/shop?host=db.example.com",
        "postgres://localhost:5432,db.example.com:5432/shop",
        "postgres://localhost@db.example.com/shop",
        "postgres://localhost.example.com/shop",
        "postgres://127.0.0.1.example.com/shop",
        "postgres://%64b.example.com/shop",
        # Might be anywhere: the name is not looked up.
        "postgres://my-laptop/shop",
    ],
)
def test_another_machine_is_refused_unless_marked(url: str) -> None:
    assert not is_local(url)
    for mark in ({}, {"TRADEWIND_DEV_DATABASE": "0"}, {"TRADEWIND_DEV_DATABASE": ""}):
        with pytest.raises(DevelopmentError, match="TRADEWIND_DEV_DATABASE=1") as refusal:
            refuse_a_real_shop({"DATABASE_URL": url, **mark})
        assert "secret" not in str(refusal.value)
    refuse_a_real_shop({"DATABASE_URL": url, "TRADEWIND_DEV_DATABASE": "1"})


def test_a_machine_in_production_is_refused_even_with_a_database_beside_it() -> None:
    with pytest.raises(DevelopmentError, match="TRADEWIND_ENV is production"):
        refuse_a_real_shop({"DATABASE_URL": "postgres://localhost/shop", "TRADEWIND_ENV": "production"})


def test_the_clock_may_take_its_time_and_tells_itself_when_it_gets_no_further(tmp_path: Path) -> None:
    def seconds(configuration: dict[str, str]) -> float:
        made = children_environment(tmp_path, 8000, "postgres:///shop", "redis://", configuration)
        return float(made["REQUEST_TIMEOUT_SECONDS"])

    assert seconds({}) > 2 * ticking.REST_TIMEOUT_SECONDS
    assert seconds({"REQUEST_TIMEOUT_SECONDS": "7"}) == 7, "the developer's own"
