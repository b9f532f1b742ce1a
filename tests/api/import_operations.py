"""Imports and uploads through the public API, for tests."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from app import db
from tests.client import Api

FIXTURES = Path(__file__).parent.parent / "fixtures" / "shopify"
Drain = Callable[[], Awaitable[None]]

IMPORT = """
    mutation($input: ProductsImportInput!) {
        productsImport(input: $input) {
            job { id kind status done total problems { row } result createdAt finishedAt }
            userErrors { code field message }
        }
    }
"""
JOB = """
    query($id: ID!) {
        job(id: $id) {
            kind status done total problemCount problems { row column message } result startedAt finishedAt
        }
    }
"""


async def run_import(api: Api, drain: Drain, token: str, **fields: Any) -> dict[str, Any]:
    """Import and wait for the end; the job as the API shows it."""
    data = await api.ok(IMPORT, {"input": fields}, token=token)
    await drain()
    job: dict[str, Any] = (await api.ok(JOB, {"id": data["productsImport"]["job"]["id"]}, token=token))["job"]
    return job


async def upload(api: Api, content: bytes, token: str | None, **headers: str) -> Any:
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return await api.http.post("/uploads", content=content, headers=headers)


async def counts() -> dict[str, int]:
    tables = ("products", "product_variants", "jobs", "uploads", "upload_chunks", "events")
    return {table: await db.fetchval(f"SELECT count(*) FROM {table}") for table in tables}
