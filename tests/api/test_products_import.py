"""Imports through the public API: the job, its report, its live progress, what is on sale then, and who may do it."""

import asyncio
import csv as csv_module
import io
import re
from decimal import Decimal
from typing import Any

import orjson
import pytest

from app import db, live
from app.cache import cache, named
from app.jobs.queries import JobView
from app.staff.permissions import Permission
from schema.jobs import Job
from tests.api.import_operations import FIXTURES, IMPORT, JOB, Drain, counts, run_import
from tests.client import Api
from tests.factories import shop as shop_factory
from tests.factories import staff as staff_factory
from tests.patience import patience


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop_factory.shop()


async def test_a_job_is_queued_at_once_and_reports_its_end(api: Api, staff_token: str, drain: Drain) -> None:
    csv = (FIXTURES / "jewelery.csv").read_text()
    queued = (await api.ok(IMPORT, {"input": {"csv": csv}}, token=staff_token))["productsImport"]["job"]
    assert (queued["kind"], queued["status"], queued["done"], queued["total"]) == ("PRODUCTS_IMPORT", "QUEUED", 0, None)
    assert (queued["problems"], queued["result"], queued["finishedAt"]) == ([], None, None)
    await drain()
    job = (await api.ok(JOB, {"id": queued["id"]}, token=staff_token))["job"]
    rows = job["total"]
    assert (job["status"], job["done"], rows) == ("SUCCEEDED", rows, 41)
    assert job["problems"] == []
    assert job["startedAt"] <= job["finishedAt"]
    assert job["result"] == {
        "products": {"created": 20, "updated": 0, "unchanged": 0, "leftOut": 0},
        "variants": {"created": 23, "updated": 0, "unchanged": 0},
        "encoding": "utf-8",
        "columnsKeptAsMetadata": [
            name for name in csv.splitlines()[0].split(",") if name.startswith("Google Shopping /")
        ],
        "columnsIgnored": ["Variant Fulfillment Service", "Variant Weight Unit", "Variant Tax Code"],
    }


async def test_bad_rows_are_reported_exactly_and_the_good_ones_are_there(
    api: Api, staff_token: str, drain: Drain
) -> None:
    csv = (
        "Handle,Title,Option1 Name,Option1 Value,Variant Price,Image Src\n"  # 1
        "mug,Mug,Size,Small,5,\n"  # 2
        "mug,,,Large,five,\n"  # 3: price
        "mug,,,,,cup.jpg\n"  # 4: image
        ",Nameless,,,5,\n"  # 5: handle
        'cup,"Cup\nof two lines",,,6,\n'  # 6, which the next two lines of text are
        "bowl,,,,7,\n"  # 7: title
        "bowl,,,,8,\n"  # 8
        'jug,"Jug" of clay,,,9,\n'  # 9: quotation mark
        "mug,,,Huge,9,\n"  # 10: apart
        "pan,Pan,,,10,\n"  # 11
    )
    job = await run_import(api, drain, staff_token, csv=csv)
    assert job["status"] == "SUCCEEDED"
    assert [(problem["row"], problem["column"]) for problem in job["problems"]] == [
        (3, "Variant Price"),
        (4, "Image Src"),
        (5, "Handle"),
        (7, "Title"),
        (9, None),
        (10, "Handle"),
    ]
    assert job["problems"][0]["message"] == (
        "“five” is not a price; write the number alone, such as 1299.90; the variant of this row is left out."
    )
    assert job["problemCount"] == 6
    assert job["result"]["products"] == {"created": 3, "updated": 0, "unchanged": 0, "leftOut": 1}
    rows = await db.fetch("SELECT name FROM products ORDER BY name")
    assert [row["name"] for row in rows] == ["Cup of two lines", "Mug", "Pan"]


@pytest.mark.parametrize(
    ("csv", "row", "named"),
    [
        ("Handle;Title;Variant Price\nmug;Mug;5\n", 1, "semicolons"),
        ("Handle\tTitle\nmug\tMug\n", 1, "tabs"),
        ("Title,Variant Price\nMug,5\n", 1, "“Handle”"),
        ("Handle,Title\n", None, "no products"),
    ],
)
async def test_a_file_that_cannot_be_read_fails_and_says_why(
    api: Api, staff_token: str, drain: Drain, csv: str, row: int | None, named: str
) -> None:
    job = await run_import(api, drain, staff_token, csv=csv)
    assert job["status"] == "FAILED"
    (problem,) = job["problems"]
    assert problem["row"] == row
    assert named in problem["message"]
    assert job["finishedAt"]
    assert await db.fetchval("SELECT count(*) FROM products") == 0


async def test_only_the_first_thousand_problems_are_kept_and_all_are_counted(
    api: Api, staff_token: str, drain: Drain
) -> None:
    csv = "Handle,Title,Variant Price\n" + "".join(f"p{n},P,free\n" for n in range(1500)) + "mug,Mug,5\n"
    job = await run_import(api, drain, staff_token, csv=csv)
    assert (job["status"], job["problemCount"], len(job["problems"])) == ("SUCCEEDED", 1500, 1000)
    assert job["result"]["products"]["created"] == 1


async def watched(api: Api, job_id: str, token: str) -> list[dict[str, Any]]:
    """Every result of the subscription, over server-sent events; returns when the server ends it."""
    document = "subscription($id: ID!) { job(id: $id) { status done total } }"
    response = await api.http.post(
        "/graphql",
        json={"query": document, "variables": {"id": job_id}},
        headers={"Authorization": f"Bearer {token}", "Accept": "text/event-stream"},
        timeout=patience(30),
    )
    lines = response.text.splitlines()
    return [orjson.loads(line.removeprefix("data:")) for line in lines if line.startswith("data:") and "{" in line]


async def test_watching_a_job_shows_its_progress_and_ends_with_it(
    api: Api, staff_token: str, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    csv = "Handle,Title,Variant Price\n" + "".join(f"p{n},P{n},5\n" for n in range(450))
    created = await api.ok(IMPORT, {"input": {"csv": csv}}, token=staff_token)
    job_id = created["productsImport"]["job"]["id"]
    seen_once, look = asyncio.Event(), Job.of

    def noted(view: JobView) -> Job:
        seen_once.set()
        return look(view)

    monkeypatch.setattr(Job, "of", noted)
    watching = asyncio.create_task(watched(api, job_id, staff_token))
    async with asyncio.timeout(patience(5)):
        await seen_once.wait()
        while (await cache().pubsub_numsub(named(live.CHANNEL)))[0][1] == 0:
            await asyncio.sleep(0.01)
    await drain()
    seen = [result["data"]["job"] for result in await asyncio.wait_for(watching, patience(20))]
    assert (seen[0]["status"], seen[0]["done"]) == ("QUEUED", 0)
    assert (seen[-1]["status"], seen[-1]["done"], seen[-1]["total"]) == ("SUCCEEDED", 450, 450)
    done = [job["done"] for job in seen]
    assert done == sorted(done)
    assert len(set(done)) >= 3, "progress in between is seen too"


async def test_watching_a_job_that_is_not_there_or_not_yours_is_refused(api: Api, staff_token: str) -> None:
    (missing,) = await watched(api, "job_" + "0" * 32, staff_token)
    assert missing["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    created = await api.ok(IMPORT, {"input": {"csv": "Handle,Title\nmug,Mug\n"}}, token=staff_token)
    orders_only = await staff_factory.signed_in({Permission.ORDERS_WRITE})
    (hidden,) = await watched(api, created["productsImport"]["job"]["id"], orders_only)
    assert hidden["errors"] == missing["errors"]


# --- what shoppers see of it -----------------------------------------------------------------------------------------

PRODUCTS = """
    query($after: String) {
        products(first: 50, after: $after, sortKey: NAME) {
            nodes {
                slug name description descriptionHtml vendor productType tags availableForSale
                images { url }
                options { name values }
                variants(first: 50) {
                    nodes {
                        id name price { amount } compareAtPrice { amount } availableForSale
                        selectedOptions { name value } image { url }
                    }
                }
            }
        }
    }
"""


@pytest.mark.parametrize("name", ["apparel", "jewelery"])
async def test_everything_in_shopify_s_samples_is_shown_and_can_be_bought(
    api: Api, staff_token: str, drain: Drain, name: str
) -> None:
    text = (FIXTURES / f"{name}.csv").read_text()
    await run_import(api, drain, staff_token, csv=text)
    shown = {product["slug"]: product for product in (await api.ok(PRODUCTS))["products"]["nodes"]}
    rows = list(csv_module.DictReader(io.StringIO(text)))
    assert shown.keys() == {row["Handle"] for row in rows}
    for handle, product in shown.items():
        of_product = [row for row in rows if row["Handle"] == handle]
        first, of_variants = of_product[0], [row for row in of_product if row["Variant Price"]]
        assert product["name"] == " ".join(first["Title"].split())
        assert product["description"].split()[:3] == re.sub("<[^>]+>", " ", first["Body (HTML)"]).split()[:3]
        assert (product["vendor"], product["productType"]) == (first["Vendor"], first["Type"] or None)
        assert sorted(product["tags"]) == sorted(tag.strip() for tag in first["Tags"].split(",") if tag.strip())
        assert product["availableForSale"] is True
        urls = {row[column] for row in of_product for column in ("Image Src", "Variant Image") if row[column]}
        assert {image["url"] for image in product["images"]} == urls
        prices = [(float(row["Variant Price"]), float(row["Variant Compare At Price"] or 0)) for row in of_variants]
        variants = product["variants"]["nodes"]
        assert [
            (float(v["price"]["amount"]), float((v["compareAtPrice"] or {"amount": 0})["amount"])) for v in variants
        ] == prices
        if first["Option1 Name"] == "Title":
            assert product["options"] == []
            assert variants[0]["name"] == product["name"]
        else:
            values = [row["Option1 Value"] for row in of_variants]
            assert product["options"] == [{"name": first["Option1 Name"], "values": values}]
            assert [v["selectedOptions"][0]["value"] for v in variants] == values
            assert [(v["image"] or {"url": ""})["url"] for v in variants] == [
                row["Variant Image"] or product["images"][0]["url"] for row in of_variants
            ] or not any(row["Variant Image"] for row in of_variants)
    lines = [{"variantId": v["id"], "quantity": 2} for p in shown.values() for v in p["variants"]["nodes"]]
    cart = await api.ok(
        """
        mutation($lines: [CartLineInput!]) {
            cartCreate(input: {lines: $lines}) {
                cart { totalQuantity cost { subtotal { amount } } } warnings { code } userErrors { code message }
            }
        }
        """,
        {"lines": lines},
    )
    bought = cart["cartCreate"]
    assert bought["warnings"] == []
    assert bought["cart"]["totalQuantity"] == 2 * len(lines)
    expected = sum(Decimal(row["Variant Price"]) for row in rows if row["Variant Price"]) * 2
    assert Decimal(bought["cart"]["cost"]["subtotal"]["amount"]) == expected


async def test_drafts_and_stock_from_a_file_decide_what_is_for_sale(api: Api, staff_token: str, drain: Drain) -> None:
    await run_import(
        api,
        drain,
        staff_token,
        csv="Handle,Title,Published,Inventory tracker,Inventory quantity,Continue selling when out of stock,Price\n"
        "counted,Counted,true,shopify,3,deny,5\n"
        "gone,Gone,true,shopify,0,deny,5\n"
        "ordered,To order,true,shopify,0,continue,5\n"
        "hidden,Hidden,false,,0,deny,5\n",
    )
    nodes = (await api.ok(PRODUCTS))["products"]["nodes"]
    assert {node["slug"]: node["availableForSale"] for node in nodes} == {
        "counted": True,
        "gone": False,
        "ordered": True,
    }


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({}, "INVALID", ["input"]),
        ({"csv": "Handle,Title\n", "uploadId": "upload_" + "0" * 32}, "INVALID", ["input"]),
        ({"uploadId": "upload_" + "0" * 32}, "NOT_FOUND", ["uploadId"]),
        ({"uploadId": "nonsense"}, "INVALID_ID", ["input", "uploadId"]),
        ({"csv": ""}, "UPLOAD_EMPTY", None),
    ],
)
async def test_a_request_that_makes_no_sense_starts_nothing(
    api: Api, staff_token: str, fields: dict[str, str], code: str, field: list[str] | None
) -> None:
    before = await counts()
    refused = await api.refused(IMPORT, {"input": fields}, token=staff_token)
    assert (refused[0]["code"], refused[0]["field"]) == (code, field)
    assert await counts() == before


async def test_importing_needs_its_permission_and_jobs_are_seen_by_those_concerned(
    api: Api, staff_token: str, drain: Drain
) -> None:
    orders_only = await staff_factory.signed_in({Permission.ORDERS_WRITE})
    fields = {"input": {"csv": "Handle,Title,Variant Price\nmug,Mug,5\n"}}
    before = await counts()
    for token, code in ((None, "UNAUTHENTICATED"), (orders_only, "FORBIDDEN")):
        assert (await api.refused(IMPORT, fields, token=token))[0]["code"] == code
    assert await counts() == before
    job_id = (await api.ok(IMPORT, fields, token=staff_token))["productsImport"]["job"]["id"]
    assert (await api.query(JOB, {"id": job_id})).codes == ["UNAUTHENTICATED"]
    assert (await api.ok(JOB, {"id": job_id}, token=orders_only))["job"] is None
    node = "query($id: ID!) { node(id: $id) { id } }"
    assert (await api.ok(node, {"id": job_id}, token=orders_only))["node"] is None
    assert (await api.ok(node, {"id": job_id}))["node"] is None
    assert (await api.ok(node, {"id": job_id}, token=staff_token))["node"] == {"id": job_id}
