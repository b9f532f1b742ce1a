"""Production starts with real secrets, or not at all."""

import secrets
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from app.settings import Settings


def production(**more: object) -> Settings:
    servers = {"database_url": "postgres://shop:x@db.internal/shop", "redis_url": "redis://cache.internal"}
    values = {"TRADEWIND_ENV": "production", "smtp_url": "smtp://mail.internal", **servers, **more}
    return Settings.model_validate(values)


@pytest.mark.parametrize(
    "keys",
    [
        "",
        " , ",
        "too-short",
        "a" * 40,
        "0123456789" * 4 + " , short",
        "please-change-me-please-change-me",
        "super-secret-key-super-secret-key-1234567890",
        "TradewindDevelopmentKeyThatIsLongEnough123",
        f"{secrets.token_hex(32)},super-secret-key-super-secret-key-1234567890",
    ],
)
def test_production_refuses_keys_that_are_no_secret(keys: str) -> None:
    with pytest.raises(ValidationError, match="SECRET_KEYS") as refused:
        production(secret_keys=keys)
    assert not keys.strip(" ,") or keys not in str(refused.value), "the message repeats the key"


@pytest.mark.parametrize("make", [lambda: secrets.token_urlsafe(32), lambda: secrets.token_hex(16)])
def test_production_takes_random_keys(make: Callable[[], str]) -> None:
    keys = [make(), make()]
    assert production(secret_keys=",".join(keys)).secret_keys == keys


def test_production_needs_a_way_to_send_mail() -> None:
    with pytest.raises(ValidationError, match="SMTP_URL"):
        production(smtp_url=None, secret_keys=secrets.token_hex(32))


@pytest.mark.parametrize(
    ("name", "value"),
    [("database_url", "mysql://u:hush-hush@h/shop"), ("redis_url", "http://:hush-hush@h")],
)
def test_addresses_of_another_kind_are_named_without_what_is_in_them(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match="must look like") as refused:
        production(secret_keys=secrets.token_hex(32), **{name: value})
    assert "hush" not in str(refused.value)


def test_log_levels_are_read_in_any_case() -> None:
    assert production(secret_keys=secrets.token_hex(32), log_level="debug").log_level == "DEBUG"
    with pytest.raises(ValidationError, match="must be one of DEBUG"):
        production(secret_keys=secrets.token_hex(32), log_level="loud")


@pytest.mark.parametrize("url", ["", "shop.example", "ftp://shop.example", "https://", "https://shop.example/?a=b"])
def test_an_address_that_no_mail_could_link_to_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="must look like https"):
        production(secret_keys=secrets.token_hex(32), public_url=url)


def test_addresses_are_written_as_browsers_write_them() -> None:
    made = production(
        secret_keys=secrets.token_hex(32),
        public_url="https://api.shop.example/",
        allowed_origins="https://Shop.example/, http://localhost:5173",
    )
    assert made.public_url == "https://api.shop.example"
    assert made.allowed_origins == ["https://shop.example", "http://localhost:5173"]


@pytest.mark.parametrize("name", ["stripe_api_url", "paypal_api_url"])
def test_the_keys_of_payment_providers_travel_encrypted(name: str) -> None:
    with pytest.raises(ValidationError, match=name.upper()):
        production(secret_keys=secrets.token_hex(32), **{name: "http://api.provider.example"})
