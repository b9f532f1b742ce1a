"""Configuration from the environment (and `.env`). Production is the default, and it starts only with real secrets."""

import ipaddress
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.kit.postgres_url import connection_arguments

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
MIN_SECRET_KEY_CHARS = 32
MIN_DIFFERENT_CHARS = 10
MIN_WEBHOOK_PASSWORD_CHARS = 16
MIN_METRICS_TOKEN_CHARS = 16
CLIENT_POINTS_A_MINUTE = 1_200_000
"""A sixth of one processor. Shoppers behind one address of a mobile network share it: some ten pages a second."""
ACCOUNT_POINTS_A_MINUTE = 6_000_000
SAMPLE_WORDS = ("change", "example", "sample", "secret", "default", "password", "tests", "development", "tradewind")
"""In keys that somebody typed; of random keys in base64, one in half a million has one of them."""


class Environment(StrEnum):
    PRODUCTION = "production"
    DEVELOPMENT = "development"
    TEST = "test"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True)

    environment: Environment = Field(Environment.PRODUCTION, alias="TRADEWIND_ENV")

    database_url: str = Field(description="postgres://user:password@host:5432/name; PostgreSQL 15 or later")
    database_pool_min: int = Field(1, ge=0)
    database_pool_max: int = Field(10, ge=1, description="Connections of one process")
    statement_timeout_seconds: float = Field(10.0, gt=0)
    redis_url: str = Field(description="redis://…; Redis 7 or Valkey 8 and later")
    broker_url: str | None = Field(None, description="amqp://… for RabbitMQ; without it, REDIS_URL")
    broker_namespace: str = Field("tradewind", description="Prefix of all keys in Redis")

    secret_keys: Annotated[list[str], NoDecode] = Field(
        description="Comma-separated, newest first: the first signs, all verify. 32 characters each at least"
    )
    public_url: str = Field("http://localhost:8000", description="Where shoppers reach this API; no trailing slash")
    storefront_url: str | None = Field(
        None, description="The front end's order page; {token} is replaced by the order token"
    )
    storefront_product_url: str | None = Field(
        None, description="The front end's product page; {slug} is replaced by the product's slug"
    )
    storefront_cart_url: str | None = Field(
        None, description="The front end's cart page; {cartId} is replaced by the id of a restored cart"
    )
    storefront_account_url: str | None = Field(
        None, description="The front end's page for mailed links; {action} and {token} are replaced"
    )
    staff_url: str | None = Field(
        None, description="A dashboard's page for links that are mailed to staff; {action} and {token} are replaced"
    )
    allowed_origins: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="Browser origins that may call the API (CORS and WebSocket)"
    )
    trusted_proxies: int = Field(0, ge=0, description="Reverse proxies in front that append to X-Forwarded-For")
    introspection: bool | None = Field(None, description="Off in production unless set")
    graphiql: bool | None = Field(None, description="Off in production unless set")
    suggestions: bool | None = Field(None, description="'Did you mean …?' in errors; as INTROSPECTION unless set")
    max_body_bytes: int = Field(2_000_000, gt=0)
    max_upload_bytes: int = Field(1_000_000_000, gt=0)
    request_timeout_seconds: float = Field(30.0, gt=0, description="For executing one request, its body being there")
    overloaded_after_seconds: float = Field(
        4.0, gt=0, description="Somebody waits that long for a connection to the database: who comes now is told 503"
    )
    max_connections: int = Field(2_000, gt=0, description="That one API process keeps open; more are answered 503")
    rate_limit_client_points: int | None = Field(
        None, ge=0, description="Cost points a minute for each client address and each customer; 0 for no limit"
    )
    rate_limit_account_points: int | None = Field(
        None, ge=0, description="Cost points a minute for each member of staff and each API key; 0 for no limit"
    )
    rate_limit_exempt: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="The storefront's servers: not counted; a shopper whose address they forward is counted instead",
    )

    shipping_quote_minutes: int = Field(30, gt=0, description="Business time that a shipping quote holds")

    smtp_url: str | None = Field(
        None, description="smtp://user:password@host:587 (STARTTLS; ?starttls=optional or off) or smtps://…:465"
    )
    smtp_fallback_urls: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="More servers, comma-separated, for when the one of SMTP_URL takes no mail"
    )
    email_from: str = Field(
        "shop@localhost.localdomain", description="Sender of the shop's mail; the shop's name where it has none"
    )
    email_reply_to: str | None = None
    send_timeout_seconds: float = Field(30.0, gt=0, description="Total deadline of one send to a provider")
    twilio_account_sid: str | None = None
    twilio_auth_token: str | None = None
    twilio_from: str | None = None
    twilio_voice_from: str | None = Field(None, description="Number that calls come from; else TWILIO_FROM")
    twilio_per_second: float | None = Field(None, gt=0, description="Texts that the sender may send")
    twilio_calls_per_second: float = Field(1.0, gt=0, description="Calls that the account may begin")
    twilio_api_url: str = "https://api.twilio.com"
    ses_topic_arns: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="SNS topics whose notices about mail are believed, comma-separated"
    )
    postmark_webhook_login: str | None = Field(None, description="user:password that Postmark's webhooks sign in with")
    sendgrid_webhook_key: str | None = Field(None, description="Public key of SendGrid's signed event webhook")
    stripe_secret_key: str | None = Field(None, description="sk_… or rk_…; with it, gateway `stripe` exists")
    stripe_publishable_key: str | None = Field(None, description="pk_…, which storefronts are shown")
    stripe_webhook_secrets: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="whsec_…, comma-separated while one is being exchanged"
    )
    stripe_paypal: bool = Field(False, description="PayPal through Stripe, where Stripe has it switched on")
    stripe_api_url: str = "https://api.stripe.com"
    paypal_client_id: str | None = Field(None, description="With its secret, gateway `paypal` exists")
    paypal_secret: str | None = None
    paypal_webhook_id: str | None = Field(None, description="Of the webhook at PayPal's dashboard; what signs for it")
    paypal_api_url: str = "https://api-m.paypal.com"
    vies_url: str = Field(
        "https://ec.europa.eu/taxation_customs/vies/rest-api", description="The Union's register of VAT numbers"
    )
    allow_private_addresses: bool = Field(
        False, description="Development only: outgoing webhooks may reach private addresses and any port"
    )

    drain_seconds: float | None = Field(
        None, ge=0, description="How long the API serves on after SIGTERM, not ready any more; 3 in production, else 0"
    )
    metrics_token: str | None = Field(
        None, description="Bearer token for /metrics; without it, production's API has no /metrics"
    )
    metrics_port: int | None = Field(None, ge=1, le=65535, description="Where a worker or scheduler shows its metrics")
    metrics_host: str = Field("127.0.0.1", description="Address of that port; others than loopback need METRICS_TOKEN")

    otel_exporter_otlp_endpoint: str | None = Field(
        None, description="OpenTelemetry collector that gets traces over HTTP, such as http://localhost:4318"
    )

    log_format: str = Field("json", pattern="^(json|console)$")
    log_level: str = "INFO"

    @field_validator(
        "secret_keys",
        "allowed_origins",
        "smtp_fallback_urls",
        "ses_topic_arns",
        "stripe_webhook_secrets",
        "rate_limit_exempt",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _names_a_database(cls, value: str) -> str:
        connection_arguments(value)
        return value

    @field_validator("redis_url")
    @classmethod
    def _names_a_redis(cls, value: str) -> str:
        if not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must look like redis://:password@host:6379/0")
        return value

    @field_validator("log_level")
    @classmethod
    def _is_a_level(cls, value: str) -> str:
        if value.upper() not in LOG_LEVELS:
            raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}")
        return value.upper()

    @field_validator("public_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        url = urlsplit(value)
        if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
            raise ValueError("must look like https://api.shop.example")
        return value.rstrip("/")

    @field_validator("allowed_origins")
    @classmethod
    def _as_browsers_say_them(cls, origins: list[str]) -> list[str]:
        said = [origin.rstrip("/").lower() for origin in origins]
        for origin in said:
            url = urlsplit(origin)
            # "null" is what every sandboxed page on the internet says that it is.
            if origin != "*" and (url.scheme not in ("http", "https") or not url.hostname or url.path):
                raise ValueError("must look like https://harbour.example")
        return said

    @field_validator("rate_limit_exempt")
    @classmethod
    def _are_networks(cls, networks: list[str]) -> list[str]:
        return [str(ipaddress.ip_network(network)) for network in networks]

    @model_validator(mode="after")
    def _real_secrets(self) -> Self:
        if not self.secret_keys:
            raise ValueError("SECRET_KEYS is empty: set one or more random keys of 32 characters or more")
        for key in self.secret_keys:
            if len(key) < MIN_SECRET_KEY_CHARS:
                raise ValueError(f"SECRET_KEYS: a key has fewer than {MIN_SECRET_KEY_CHARS} characters")
            if self.is_production and _is_typed(key):
                raise ValueError("SECRET_KEYS holds a sample key: make one with `openssl rand -base64 32`")
        if self.is_production and self.smtp_url is None:
            raise ValueError("SMTP_URL is missing: a shop has to send its order confirmations")
        if self.is_production and self.allow_private_addresses:
            raise ValueError("ALLOW_PRIVATE_ADDRESSES is for development: webhooks would reach the shop's own network")
        for name in ("stripe_api_url", "paypal_api_url"):
            if self.is_production and not getattr(self, name).startswith("https://"):
                raise ValueError(f"{name.upper()} must begin with https://: the shop's keys go there")
        if self.metrics_token is not None and len(self.metrics_token) < MIN_METRICS_TOKEN_CHARS:
            raise ValueError(f"METRICS_TOKEN has fewer than {MIN_METRICS_TOKEN_CHARS} characters")
        if self.is_production and self.metrics_token is None and not _is_loopback(self.metrics_host):
            raise ValueError("METRICS_TOKEN is missing: METRICS_HOST lets other machines read the metrics")
        if self.postmark_webhook_login is not None and not _is_login(self.postmark_webhook_login):
            raise ValueError(
                "POSTMARK_WEBHOOK_LOGIN must look like user:password, the password of 16 characters or more"
            )
        return self

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def is_development(self) -> bool:
        """Development and tests: the developer's inbox, clock and pages exist."""
        return not self.is_production

    @property
    def seconds_to_drain(self) -> float:
        return (3.0 if self.is_production else 0.0) if self.drain_seconds is None else self.drain_seconds

    @property
    def introspection_enabled(self) -> bool:
        return self.is_development if self.introspection is None else self.introspection

    @property
    def suggestions_enabled(self) -> bool:
        return self.introspection_enabled if self.suggestions is None else self.suggestions

    @property
    def client_points_per_minute(self) -> int:
        if self.rate_limit_client_points is None:
            return CLIENT_POINTS_A_MINUTE if self.is_production else 0
        return self.rate_limit_client_points

    @property
    def account_points_per_minute(self) -> int:
        if self.rate_limit_account_points is None:
            return ACCOUNT_POINTS_A_MINUTE if self.is_production else 0
        return self.rate_limit_account_points

    @property
    def graphiql_enabled(self) -> bool:
        return self.is_development if self.graphiql is None else self.graphiql


def _is_login(text: str) -> bool:
    name, _, password = text.partition(":")
    return bool(name) and len(password) >= MIN_WEBHOOK_PASSWORD_CHARS


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_typed(key: str) -> bool:
    return len(set(key)) < MIN_DIFFERENT_CHARS or any(word in key.lower() for word in SAMPLE_WORDS)


@lru_cache
def get_settings() -> Settings:
    """The process's settings, read once. Raises ValidationError, which names each wrong variable."""
    return Settings()
