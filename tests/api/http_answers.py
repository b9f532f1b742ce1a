"""What answers over HTTP say was wrong."""

from typing import Any

import httpx2


def errors_of(response: httpx2.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = response.json()["errors"]
    return found


def code_of(response: httpx2.Response) -> str:
    (error,) = errors_of(response)
    code: str = error["extensions"]["code"]
    return code
