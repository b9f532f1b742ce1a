"""Staff at the public API: what a merchant's own program would do."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2

POLL_SECONDS = 0.2
PIECE_BYTES = 1024 * 1024

_SIGN_IN = """
    mutation($input: LoginInput!) { staffLogin(input: $input) { accessToken userErrors { code message } } }
"""
_IMPORT = """
    mutation($input: ProductsImportInput!) { productsImport(input: $input) { job { id } userErrors { code message } } }
"""
_EXPORT = "mutation { productsExport(input: {}) { job { id } userErrors { code message } } }"
_DOWNLOAD = "mutation($id: ID!) { jobDownloadCreate(jobId: $id) { download { url } userErrors { code message } } }"
_JOB = "query($id: ID!) { job(id: $id) { status problemCount problems { row message } result } }"


class Staff:
    def __init__(self, port: int) -> None:
        self._http = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=600)
        self._headers: dict[str, str] = {}

    async def sign_in(self, email: str, password: str) -> None:
        data = await self.ask(_SIGN_IN, input={"email": email, "password": password})
        self._headers = {"Authorization": f"Bearer {data['staffLogin']['accessToken']}"}

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data. Raises RuntimeError for errors of any kind."""
        body = {"query": document, "variables": variables}
        answer = (await self._http.post("/graphql", json=body, headers=self._headers)).json()
        if answer.get("errors"):
            raise RuntimeError(answer["errors"])
        data: dict[str, Any] = answer["data"]
        for payload in data.values():
            if isinstance(payload, dict) and payload.get("userErrors"):
                raise RuntimeError(payload["userErrors"])
        return data

    async def upload(self, file: Path) -> str:
        async def content() -> AsyncIterator[bytes]:
            with file.open("rb") as source:
                while piece := source.read(PIECE_BYTES):
                    yield piece

        answer = await self._http.post("/uploads", content=content(), headers=self._headers)
        upload_id: str = answer.raise_for_status().json()["uploadId"]
        return upload_id

    async def run_import(self, upload_id: str) -> dict[str, Any]:
        """The finished job's result."""
        data = await self.ask(_IMPORT, input={"uploadId": upload_id})
        return await self._result(data["productsImport"]["job"]["id"])

    async def run_export(self, target: Path) -> dict[str, Any]:
        """The finished job's result, its file fetched."""
        data = await self.ask(_EXPORT)
        job_id = data["productsExport"]["job"]["id"]
        result = await self._result(job_id)
        data = await self.ask(_DOWNLOAD, id=job_id)
        path = "/downloads/" + data["jobDownloadCreate"]["download"]["url"].partition("/downloads/")[2]
        async with self._http.stream("GET", path) as answer:
            answer.raise_for_status()
            with target.open("wb") as file:
                async for piece in answer.aiter_bytes():
                    file.write(piece)
        return result

    async def _result(self, job_id: str) -> dict[str, Any]:
        while True:
            job = (await self.ask(_JOB, id=job_id))["job"]
            if job["status"] == "FAILED":
                raise RuntimeError(job["problems"][-1])
            if job["status"] == "SUCCEEDED":
                result: dict[str, Any] = job["result"]
                return result
            await asyncio.sleep(POLL_SECONDS)
