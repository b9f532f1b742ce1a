"""What the processes of `tradewind dev` are told, and what it refuses to touch."""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from dotenv import dotenv_values

from app.dev.errors import DevelopmentError
from app.dev.folder import secret_in

DEVELOPMENT_DATABASE_MARK = "TRADEWIND_DEV_DATABASE"
PATIENT_SECONDS = 300
"""For one request: `clockAdvance` lets weeks pass in it, and tells by itself when it gets no further."""
# Read by the command line's other commands, so that `tradewind import` finds the shop that runs.
ENVIRONMENT_FILE = "environment"


def given() -> dict[str, str]:
    """The developer's own configuration, found as the settings find it: the environment, then `.env`."""
    from_file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return {**from_file, **os.environ}


def refuse_a_real_shop(configuration: Mapping[str, str]) -> None:
    """Development puts sample products and a known password into its shop.

    Raises:
        DevelopmentError: DATABASE_URL is on another machine and not marked as one for development, or this is a
            machine that says of itself that it is in production.
    """
    if configuration.get("TRADEWIND_ENV", "").lower() == "production":
        raise DevelopmentError(
            "TRADEWIND_ENV is production and DATABASE_URL is set: `tradewind dev` would put sample products and a "
            "known password into that shop. Unset one of them."
        )
    marked = configuration.get(DEVELOPMENT_DATABASE_MARK, "").lower() in ("1", "true", "yes")
    if not marked and not is_local(configuration.get("DATABASE_URL", "")):
        raise DevelopmentError(
            "DATABASE_URL names a database on another machine, and `tradewind dev` puts sample products and a known "
            "password into its shop. Unset DATABASE_URL to use a database of its own, or, when that one is for "
            f"development, say so with {DEVELOPMENT_DATABASE_MARK}=1."
        )


def is_local(database_url: str) -> bool:
    """Whether every host that the URL names is this machine, by its address and without asking DNS."""
    url = urlsplit(database_url)
    in_query = [host for hosts in parse_qs(url.query).get("host", []) for host in hosts.split(",")]
    # PostgreSQL's URLs may name several hosts, each with a port: urlsplit knows of one only.
    in_place = [_without_port(host) for host in url.netloc.rpartition("@")[2].split(",")]
    return all(_is_local_host(unquote(host)) for host in [*in_place, *in_query])


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_local_host(host: str) -> bool:
    if host in ("", "localhost") or host.startswith("/"):  # the default, the name, a Unix socket
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def children_environment(
    folder: Path, port: int, database_url: str, redis_url: str, configuration: Mapping[str, str]
) -> dict[str, str]:
    """The settings that development decides; everything else comes from the developer's own `configuration`."""
    return {
        "REQUEST_TIMEOUT_SECONDS": configuration.get("REQUEST_TIMEOUT_SECONDS") or str(PATIENT_SECONDS),
        "TRADEWIND_ENV": "development",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEYS": secret_in(folder / "secret_key"),
        "PUBLIC_URL": f"http://localhost:{port}",
        "LOG_FORMAT": "console",
    }


def write_environment(folder: Path, environment: Mapping[str, str]) -> None:
    """Leaves the settings for the other commands: only the owner may read them."""
    file = folder / ENVIRONMENT_FILE
    temporary = file.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.writelines(f"{name}={value}\n" for name, value in environment.items())
    temporary.rename(file)
