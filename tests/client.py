"""A client of the public GraphQL API, in process."""

from dataclasses import dataclass
from typing import Any

import httpx2
from starlette.applications import Starlette


@dataclass(frozen=True, slots=True)
class Result:
    data: dict[str, Any] | None
    errors: list[dict[str, Any]]
    extensions: dict[str, Any]

    @property
    def codes(self) -> list[str]:
        return [error["extensions"].get("code") for error in self.errors]


class Api:
    """Speaks HTTP to the ASGI application; what it gets is what a storefront gets."""

    def __init__(self, app: Starlette) -> None:
        self.app = app
        self._http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://testserver")

    @property
    def http(self) -> httpx2.AsyncClient:
        return self._http

    async def query(
        self,
        document: str,
        variables: dict[str, Any] | None = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Result:
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        response = await self._http.post(
            "/graphql", json={"query": document, "variables": variables or {}}, headers=sent
        )
        body = response.json()
        return Result(body.get("data"), body.get("errors", []), body.get("extensions") or {})

    async def ok(self, document: str, variables: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The data of an operation that has to succeed: no errors, and no userErrors in any root payload."""
        result = await self.query(document, variables, **more)
        assert not result.errors, result.errors
        assert result.data is not None
        for name, payload in result.data.items():
            if isinstance(payload, dict) and payload.get("userErrors"):
                raise AssertionError(f"{name}: {payload['userErrors']}")
        return result.data

    async def refused(
        self, document: str, variables: dict[str, Any] | None = None, **more: Any
    ) -> list[dict[str, Any]]:
        """The userErrors of a mutation that has to be refused; select `userErrors { code field message }`."""
        result = await self.query(document, variables, **more)
        assert not result.errors, result.errors
        assert result.data is not None
        (payload,) = result.data.values()
        assert payload["userErrors"], "nothing was refused"
        refused: list[dict[str, Any]] = payload["userErrors"]
        return refused

    async def close(self) -> None:
        await self._http.aclose()
