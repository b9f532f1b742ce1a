"""`POST /uploads`: files for imports, who may send them, and what becomes of them."""

from collections.abc import AsyncIterator

import pytest

from app import db
from app.errors import DomainError
from app.staff.permissions import Permission
from app.uploads import service as uploads
from tests.api.import_operations import FIXTURES, IMPORT, Drain, counts, run_import, upload
from tests.client import Api
from tests.factories import shop as shop_factory
from tests.factories import staff as staff_factory


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop_factory.shop()


async def test_a_file_is_uploaded_and_imported(api: Api, staff_token: str, drain: Drain) -> None:
    response = await upload(api, (FIXTURES / "apparel.csv").read_bytes(), staff_token, **{"X-Filename": "apparel.csv"})
    assert response.status_code == 201
    job = await run_import(api, drain, staff_token, uploadId=response.json()["uploadId"])
    assert (job["status"], job["result"]["products"]["created"]) == ("SUCCEEDED", 20)
    assert await db.fetchval("SELECT filename FROM uploads") == "apparel.csv"
    noted = await db.fetch("SELECT action, outcome, actor_kind FROM audit_entries ORDER BY id")
    assert [tuple(row.values()) for row in noted] == [("upload", "DONE", "STAFF"), ("productsImport", "DONE", "STAFF")]
    # The worker's rows are not the log's: one import would fill it.
    assert await db.fetchval("SELECT count(*) FROM audit_changes WHERE table_name = 'products'") == 0


async def test_a_large_file_is_kept_in_pieces(api: Api, staff_token: str, drain: Drain) -> None:
    body = "x" * 50_000
    content = "Handle,Title,Body (HTML),Variant Price\n" + "".join(f"p{n},P{n},{body},5\n" for n in range(40))
    response = await upload(api, content.encode(), staff_token)
    assert await db.fetchval("SELECT count(*) FROM upload_chunks") == 4
    assert await db.fetchval("SELECT max(length(content)) FROM upload_chunks") == uploads.CHUNK_BYTES
    job = await run_import(api, drain, staff_token, uploadId=response.json()["uploadId"])
    assert job["result"]["products"]["created"] == 40


async def test_another_encoding_is_named_and_then_read(api: Api, staff_token: str, drain: Drain) -> None:
    content = "Handle,Title,Variant Price\ncafe,Café,5\n".encode("cp1252")
    upload_id = (await upload(api, content, staff_token)).json()["uploadId"]
    refused = await run_import(api, drain, staff_token, uploadId=upload_id)
    assert (refused["status"], refused["problems"][0]["row"]) == ("FAILED", 2)
    assert "Windows-1252" in refused["problems"][0]["message"]
    read = await run_import(api, drain, staff_token, uploadId=upload_id, encoding="windows-1252")
    assert read["status"] == "SUCCEEDED"
    assert await db.fetchval("SELECT name FROM products") == "Café"


async def test_uploads_need_staff_who_may_write_products(api: Api) -> None:
    reader = await staff_factory.signed_in({Permission.PRODUCTS_READ})
    for token, status, code in (
        (None, 401, "UNAUTHENTICATED"),
        ("wrong", 401, "UNAUTHENTICATED"),
        (reader, 403, "FORBIDDEN"),
    ):
        response = await upload(api, b"Handle,Title\n", token)
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert (await counts())["uploads"] == 0


async def test_an_empty_and_an_oversized_file_leave_nothing_behind(
    api: Api, staff_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = await upload(api, b"", staff_token)
    assert (empty.status_code, empty.json()["error"]["code"]) == (400, "UPLOAD_EMPTY")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * uploads.CHUNK_BYTES

    with pytest.raises(DomainError) as refused:
        await uploads.receive(pieces(), filename="a", created_by=None, max_bytes=3 * uploads.CHUNK_BYTES)
    assert refused.value.code.name == "UPLOAD_TOO_LARGE"
    after = await counts()
    assert (after["uploads"], after["upload_chunks"]) == (0, 0)


async def test_a_name_that_cannot_be_stored_is_refused(api: Api, staff_token: str) -> None:
    response = await upload(api, b"Handle,Title\n", staff_token, **{"X-Filename": "a%00b.csv"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID")
    assert (await counts())["uploads"] == 0
    longest = await upload(api, b"Handle,Title\n", staff_token, **{"X-Filename": "../" + "n" * 300})
    assert longest.status_code == 201


async def test_a_form_is_refused_with_the_way_to_do_it(api: Api, staff_token: str) -> None:
    response = await upload(api, b"--x", staff_token, **{"Content-Type": "multipart/form-data; boundary=x"})
    assert response.status_code == 400
    assert "--data-binary" in response.json()["error"]["message"]


async def test_old_uploads_go_unless_a_job_still_needs_them(api: Api, staff_token: str) -> None:
    used, unused = [(await upload(api, b"Handle,Title\n", staff_token)).json()["uploadId"] for _ in range(2)]
    await api.ok(IMPORT, {"input": {"uploadId": used}}, token=staff_token)
    await db.execute("UPDATE uploads SET created_at = created_at - interval '8 days'")
    await upload(api, b"Handle,Title\n", staff_token)
    assert (await counts())["uploads"] == 2
    refused = await api.refused(IMPORT, {"input": {"uploadId": unused}}, token=staff_token)
    assert refused[0]["code"] == "NOT_FOUND"


async def test_many_old_uploads_go_some_at_a_time(api: Api, staff_token: str) -> None:
    for _ in range(5):
        await upload(api, b"Handle,Title\n", staff_token)
    await db.execute("UPDATE uploads SET created_at = created_at - interval '8 days'")
    left = []
    for _ in range(4):
        await upload(api, b"Handle,Title\n", staff_token)
        left.append((await counts())["uploads"])
    assert left == [4, 3, 3, 4]
