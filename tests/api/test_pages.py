"""The developer's pages as they come over the wire."""

import re
import uuid

import pytest

from tests.client import Api
from tests.factories import flow_rows, inbox, shop

PAGES = ("/", "/inbox", "/flows", "/flows/checkout_abandoned", "/graphql")


@pytest.mark.parametrize("path", PAGES)
async def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(api: Api, path: str) -> None:
    response = await api.http.get(path, headers={"Accept": "text/html"})
    assert response.status_code == 200
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert re.fullmatch(r"'self' 'nonce-[\w-]{24}'", policy["style-src"])
    assert "unsafe" not in response.headers["content-security-policy"]
    assert "://" not in "".join(re.findall(r'(?:src|href)="([^"]*)"', response.text))
    assert "{{" not in re.sub(r'name="story" content="[^"]*"', "", response.text)


@pytest.mark.parametrize("path", PAGES)
async def test_what_a_page_asks_for_may_be_kept_for_ever(api: Api, path: str) -> None:
    page = (await api.http.get(path, headers={"Accept": "text/html"})).text
    addresses = set(re.findall(r'(?:src|href)="(/static/[^"]*)"', page))
    assert len(addresses) >= 3
    for address in addresses:
        response = await api.http.get(address)
        assert response.status_code == 200, address
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["content-encoding"] == "gzip"
        # The page of the release before asks for another version; what it gets must not stay under that name.
        before = await api.http.get(re.sub(r"/static/\w+/", "/static/before/", address))
        assert before.content == response.content
        assert before.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["graphiql/index.html", "graphiql/NOTICE", "graphiql/../pages.py", "routes.py", "x"])
async def test_nothing_but_assets_is_served_as_one(api: Api, name: str) -> None:
    assert (await api.http.get(f"/static/now/{name}")).status_code == 404


async def test_the_schema_comes_as_a_file(api: Api) -> None:
    response = await api.http.get("/schema.graphql")
    assert response.headers["content-type"].startswith("text/plain")
    assert "type Mutation" in response.text


async def test_the_inbox_answers_again_only_when_something_came(api: Api) -> None:
    await inbox.mail("ada@example.com", "order_confirmation")
    first = await api.http.get("/inbox/messages")
    assert [message["to"] for message in first.json()] == ["ada@example.com"]
    unchanged = await api.http.get("/inbox/messages", headers={"If-None-Match": first.headers["etag"]})
    assert unchanged.status_code == 304
    await inbox.text("+14155550100", "It is on its way.")
    changed = await api.http.get("/inbox/messages", headers={"If-None-Match": first.headers["etag"]})
    assert [message["channel"] for message in changed.json()] == ["SMS", "EMAIL"]


async def test_a_message_comes_with_its_text_and_headers(api: Api) -> None:
    mail = await inbox.mail("ada@example.com", "order_confirmation")
    (summary,) = (await api.http.get("/inbox/messages")).json()
    message = (await api.http.get(f"/inbox/messages/{summary['id']}")).json()
    assert message["subject"] == mail.subject
    assert message["headers"]["To"] == "ada@example.com"
    assert message["text"].strip() == mail.text.strip()

    html = await api.http.get(f"/inbox/messages/{summary['id']}/html")
    policy = html.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'")
    assert "script" not in policy
    assert '<base target="_blank">' in html.text


@pytest.mark.parametrize("path", ["{id}", "{id}/html", "nonsense", "nonsense/html"])
async def test_there_is_no_such_message(api: Api, path: str) -> None:
    assert (await api.http.get("/inbox/messages/" + path.format(id=uuid.uuid4()))).status_code == 404


async def test_a_text_has_no_page(api: Api) -> None:
    await inbox.text("+14155550100", "It is on its way.")
    (summary,) = (await api.http.get("/inbox/messages")).json()
    assert summary["text"] == "It is on its way."
    assert (await api.http.get(f"/inbox/messages/{summary['id']}/html")).status_code == 404


async def test_the_flows_answer_again_only_when_something_happened(api: Api) -> None:
    await shop.shop()
    flow = await flow_rows.flow()
    first = await api.http.get("/flows/-/overview")
    assert [(one["key"], one["living"], one["revenue"]) for one in first.json()] == [("checkout_abandoned", 0, "$0.00")]
    picture = await api.http.get("/flows/checkout_abandoned/picture")
    for path, answer in (("-/overview", first), ("checkout_abandoned/picture", picture)):
        unchanged = await api.http.get(f"/flows/{path}", headers={"If-None-Match": answer.headers["etag"]})
        assert unchanged.status_code == 304
    run = await flow_rows.run(flow, await flow_rows.profile("ada@example.com"), step="wait-4h")
    changed = await api.http.get(
        "/flows/checkout_abandoned/picture", headers={"If-None-Match": picture.headers["etag"]}
    )
    assert changed.status_code == 200
    waiting = {node["key"]: node["waiting"] for node in changed.json()["picture"]["nodes"] if node["key"]}
    assert waiting == {"wait-4h": 1, "remind-1": 0, "wait-2d": 0, "text-1": 0}
    assert [one["who"] for one in changed.json()["runs"]] == ["ada@example.com"]
    timeline = (await api.http.get(f"/flows/-/runs/{run}")).json()
    assert [entry["text"] for entry in timeline] == ["entered: checkout.started"]


@pytest.mark.parametrize("path", ["no_such_flow/picture", "-/runs/nonsense", f"-/runs/{uuid.UUID(int=1)}"])
async def test_there_is_no_such_flow_or_run(api: Api, path: str) -> None:
    await shop.shop()
    assert (await api.http.get(f"/flows/{path}")).status_code == 404
