"""Exports through the public API: the job, the file, the link that works once, and who may have it."""

import csv
import io
from typing import Any

import pytest

from app import db
from app.catalogue.exporting import service as exporting
from app.catalogue.exporting.selecting import ExportFilters
from app.staff.permissions import Permission
from app.uploads import service as uploads
from tests.api.import_operations import FIXTURES, JOB, Drain, counts, run_import
from tests.client import Api
from tests.factories import catalogue, comparing
from tests.factories import shop as shop_factory
from tests.factories import staff as staff_factory

EXPORT = """
    mutation($input: ProductsExportInput!) {
        productsExport(input: $input) { job { id kind status } userErrors { code field message } }
    }
"""
DOWNLOAD = """
    mutation($job: ID!) {
        jobDownloadCreate(jobId: $job) { download { url filename expiresAt } userErrors { code field } }
    }
"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop_factory.shop()


async def run_export(api: Api, drain: Drain, token: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    """Export and wait for the end: the job's id, and the job as the API shows it."""
    job_id = (await api.ok(EXPORT, {"input": fields}, token=token))["productsExport"]["job"]["id"]
    await drain()
    return job_id, (await api.ok(JOB, {"id": job_id}, token=token))["job"]


async def link(api: Api, job_id: str, token: str) -> str:
    """The path of a new link."""
    data = await api.ok(DOWNLOAD, {"job": job_id}, token=token)
    url: str = data["jobDownloadCreate"]["download"]["url"]
    return "/downloads/" + url.partition("/downloads/")[2]


async def everything_listed(api: Api, token: str) -> list[dict[str, Any]]:
    products, after = [], None
    while True:
        page = (await api.ok(comparing.LISTED, {"after": after}, token=token))["products"]
        products += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return products


async def test_a_catalogue_moves_to_an_empty_shop_and_looks_the_same(api: Api, staff_token: str, drain: Drain) -> None:
    for name in ("apparel", "jewelery"):
        await run_import(api, drain, staff_token, csv=(FIXTURES / f"{name}.csv").read_text())
    before = await everything_listed(api, staff_token)
    job_id, job = await run_export(api, drain, staff_token)
    assert (job["kind"], job["status"], job["done"], job["total"]) == ("PRODUCTS_EXPORT", "SUCCEEDED", 40, 40)
    response = await api.http.get(await link(api, job_id, staff_token))
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-disposition"].startswith("attachment; filename*=UTF-8''products-")
    assert len(response.content) == int(response.headers["content-length"]) == job["result"]["sizeBytes"]
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    variants = sum(len(product["variants"]["nodes"]) for product in before)
    result = job["result"]
    assert (result["products"], result["variants"], result["rows"]) == (len(before), variants, len(rows))

    for table in ("stock_movements", "stock_levels", "products", "collections"):
        await db.execute(f"DELETE FROM {table}")
    assert await everything_listed(api, staff_token) == []
    imported = await run_import(api, drain, staff_token, csv=response.text)
    assert imported["problems"] == []
    assert await everything_listed(api, staff_token) == before


async def test_conditions_choose_what_is_in_the_file(api: Api, staff_token: str, drain: Drain) -> None:
    mug = await catalogue.product(slug="mug", name="Blue mug")
    await catalogue.product(slug="cup", name="Blue cup", status="DRAFT")
    await catalogue.product(slug="pen", name="Pen")
    collection_id = await catalogue.collection(products=[mug])
    for conditions, slugs in (
        ({}, ["mug", "cup", "pen"]),
        ({"query": "blue", "statuses": ["DRAFT"]}, ["cup"]),
        ({"collectionId": f"coll_{collection_id.hex}"}, ["mug"]),
        ({"updatedSince": "2100-01-01T00:00:00Z"}, []),
    ):
        job_id, job = await run_export(api, drain, staff_token, **conditions)
        assert job["status"] == "SUCCEEDED"
        response = await api.http.get(await link(api, job_id, staff_token))
        assert [row["Handle"] for row in csv.DictReader(io.StringIO(response.text, newline=""))] == slugs


# --- the link ---------------------------------------------------------------------------------------------------------


async def test_a_link_works_once_and_only_looking_does_not_use_it_up(api: Api, staff_token: str, drain: Drain) -> None:
    job_id, _ = await run_export(api, drain, staff_token)
    path = await link(api, job_id, staff_token)
    assert (await api.http.head(path)).status_code == 405
    assert (await api.http.get(path)).status_code == 200
    again = await api.http.get(path)
    assert again.status_code == 404
    assert again.headers["cache-control"] == "no-store"
    assert (await api.http.get(await link(api, job_id, staff_token))).status_code == 200


async def test_a_link_ends_with_its_time_its_file_and_its_owner_s_rights(
    api: Api, staff_token: str, drain: Drain
) -> None:
    reader = await staff_factory.signed_in({Permission.PRODUCTS_READ})
    job_id, _ = await run_export(api, drain, reader)

    async def after(sql: str) -> int:
        path = await link(api, job_id, reader)
        await db.execute(sql)
        status: int = (await api.http.get(path)).status_code
        return status

    assert await after("SELECT 1") == 200
    assert await after("UPDATE download_links SET expires_at = clock_timestamp() - interval '1 second'") == 404
    assert await after("UPDATE staff_roles SET permissions = '{ORDERS_READ}' WHERE NOT is_owner") == 404
    await db.execute("UPDATE staff_roles SET permissions = '{PRODUCTS_READ}' WHERE NOT is_owner")
    assert await after("UPDATE staff_users SET is_active = false") == 404
    await db.execute("UPDATE staff_users SET is_active = true")
    assert await after("SELECT 1") == 200
    assert await after("UPDATE uploads SET expires_at = clock_timestamp()") == 404
    refused = await api.refused(DOWNLOAD, {"job": job_id}, token=reader)
    assert refused[0]["code"] == "NO_DOWNLOAD"


@pytest.mark.parametrize("token", ["nonsense", "x" * 500, "ImFiYyI.bm90LXNpZ25lZA"])
async def test_what_was_not_signed_here_opens_nothing(api: Api, token: str) -> None:
    assert (await api.http.get(f"/downloads/{token}")).status_code == 404


async def test_only_those_who_may_read_products_get_a_file(api: Api, staff_token: str, drain: Drain) -> None:
    outsider = await staff_factory.signed_in({Permission.ORDERS_WRITE})
    operator = await staff_factory.signed_in({Permission.OPERATIONS})
    before = await counts()
    for token, code in ((None, "UNAUTHENTICATED"), (outsider, "FORBIDDEN"), (operator, "FORBIDDEN")):
        assert (await api.refused(EXPORT, {"input": {}}, token=token))[0]["code"] == code
    assert await counts() == before
    job_id, _ = await run_export(api, drain, staff_token)
    for token, code in ((None, "UNAUTHENTICATED"), (outsider, "NOT_FOUND"), (operator, "NOT_FOUND")):
        assert (await api.refused(DOWNLOAD, {"job": job_id}, token=token))[0]["code"] == code
    assert await db.fetchval("SELECT count(*) FROM download_links") == 0


# --- refusals and leftovers -------------------------------------------------------------------------------------------


async def test_an_import_or_an_unfinished_export_has_nothing_to_download(
    api: Api, staff_token: str, drain: Drain
) -> None:
    queued = (await api.ok(EXPORT, {"input": {}}, token=staff_token))["productsExport"]["job"]["id"]
    assert (await api.refused(DOWNLOAD, {"job": queued}, token=staff_token))[0]["code"] == "NO_DOWNLOAD"
    await run_import(api, drain, staff_token, csv="Handle,Title,Variant Price\nmug,Mug,5\n")
    imported = await db.fetchval("SELECT id FROM jobs WHERE kind = 'PRODUCTS_IMPORT'")
    refused = await api.refused(DOWNLOAD, {"job": f"job_{imported.hex}"}, token=staff_token)
    assert refused[0]["code"] == "NO_DOWNLOAD"


async def test_three_exports_are_made_at_a_time(api: Api, staff_token: str, drain: Drain) -> None:
    for _ in range(exporting.MAX_UNFINISHED):
        await api.ok(EXPORT, {"input": {}}, token=staff_token)
    before = await counts()
    refused = await api.refused(EXPORT, {"input": {}}, token=staff_token)
    assert refused[0]["code"] == "TOO_MANY_EXPORTS"
    assert await counts() == before
    await drain()
    await api.ok(EXPORT, {"input": {}}, token=staff_token)


async def test_a_collection_that_is_not_there_is_refused(api: Api, staff_token: str) -> None:
    before = await counts()
    refused = await api.refused(EXPORT, {"input": {"collectionId": "coll_" + "0" * 32}}, token=staff_token)
    assert (refused[0]["code"], refused[0]["field"]) == ("NOT_FOUND", ["input", "collectionId"])
    assert await counts() == before


async def test_files_are_forgotten_when_they_expire(api: Api, staff_token: str, drain: Drain) -> None:
    job_id, _ = await run_export(api, drain, staff_token)
    await link(api, job_id, staff_token)
    await uploads.forget_old()
    assert await db.fetchval("SELECT count(*) FROM upload_chunks") == 1
    await db.execute("UPDATE uploads SET expires_at = clock_timestamp()")
    await uploads.forget_old()
    assert [await db.fetchval(f"SELECT count(*) FROM {table}") for table in ("uploads", "download_links")] == [0, 0]


async def test_an_export_that_fails_for_good_says_so_and_leaves_no_file(
    api: Api, staff_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await catalogue.product()
    job_id = await exporting.request_export(ExportFilters(), format=exporting.ExportFormat.SHOPIFY_CSV, created_by=None)

    async def broken(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("app.catalogue.exporting.reading.batch_after", broken)
    with pytest.raises(RuntimeError):
        await exporting.run_export(job_id)
    assert await db.fetchval("SELECT status FROM jobs") == "RUNNING"
    with pytest.raises(RuntimeError):
        await exporting.run_export(job_id, is_last_attempt=True)
    assert await db.fetchval("SELECT status FROM jobs") == "FAILED"
    assert await db.fetchval("SELECT count(*) FROM uploads") == 0
