"""DATABASE_URL as hosting providers hand it out."""

import pytest

from app.kit.postgres_url import connection_arguments


def test_every_part_is_read() -> None:
    assert connection_arguments("postgres://shop:p%40ss%2Fword@db.example:6432/my%20shop") == {
        "host": "db.example",
        "port": 6432,
        "user": "shop",
        "password": "p@ss/word",
        "database": "my shop",
    }


@pytest.mark.parametrize(
    ("url", "argument", "value"),
    [
        ("postgres://localhost/shop", "port", 5432),
        ("postgresql:///shop", "host", "localhost"),
        ("postgres:///shop?host=/var/run/postgresql", "host", "/var/run/postgresql"),
        ("postgres://[::1]:5433/shop", "host", "::1"),
        ("postgres://h/shop?ssl=require", "ssl", "require"),
        ("postgres://h/shop?sslmode=verify-full", "ssl", "verify-full"),
    ],
)
def test_what_is_left_out_and_what_stands_behind_the_question_mark(url: str, argument: str, value: object) -> None:
    assert connection_arguments(url)[argument] == value


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mysql://h/shop",
        "postgres://h",
        "postgres://h/",
        "postgres://h:port/shop",
        "postgres://h:99999/shop",
        "postgres://[::1/shop",
        "postgres://u:hush-hush@h/shop?channel_binding=require",
        "postgres://u:hush-hush@h/shop?sslmode=require&sslrootcert=/etc/ca.pem",
    ],
)
def test_what_would_be_lost_is_refused_without_showing_the_password(url: str) -> None:
    """An option of TLS that was ignored would be less safe than its URL says."""
    with pytest.raises(ValueError, match=r"must look like|not known here") as refused:
        connection_arguments(url)
    assert "hush" not in str(refused.value)
