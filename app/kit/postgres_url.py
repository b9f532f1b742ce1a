"""PostgreSQL's connection URLs, as hosting providers hand them out."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_OPTIONS = {"ssl": "ssl", "sslmode": "ssl", "host": "host", "target_session_attrs": "target_session_attrs"}
"""What may stand behind the `?`, and what asyncpg calls it."""


def connection_arguments(url: str) -> dict[str, Any]:
    """asyncpg's arguments for `postgres://user:password@host:5432/name?sslmode=require`.

    Raises:
        ValueError: it is no such URL, or has an option that would be lost; says so without the password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError:
        raise ValueError("must look like postgres://user:password@host:5432/name") from None
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise ValueError("must look like postgres://user:password@host:5432/name")
    options = dict(parse_qsl(parts.query))
    if unknown := sorted(set(options) - set(_OPTIONS)):
        raise ValueError(f"has an option that is not known here: {unknown[0]}; known are {', '.join(_OPTIONS)}")
    return {
        "host": parts.hostname or "localhost",
        "port": port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.strip("/")),
        **{_OPTIONS[name]: value for name, value in options.items()},
    }
