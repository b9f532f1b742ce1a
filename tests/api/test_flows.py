"""What staff do with flows through the API: save, publish, pause, resume, migrate, backfill, and take somebody out."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app import db
from app.kit import ids
from tests.client import Api
from tests.factories import customers, flows, shop

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]

SAVE = """mutation ($input: FlowInput!) { flowSave(input: $input) {
    flow { id key name status version publishedVersion trigger definition diagram definitionSchemaUrl
           versions { number publishedAt } }
    warnings userErrors { code message field } } }"""
WAIT = {"key": "wait-4h", "kind": "delay", "period": "PT4H"}
MAIL = {"key": "remind-1", "kind": "send_email", "template": "hello"}
DEFINITION: dict[str, Any] = {"trigger": {"event": "checkout.started"}, "steps": [WAIT, MAIL]}


def act(name: str, more: str = "") -> str:
    return f"""mutation ($id: ID!) {{ {name}(id: $id{more}) {{
        flow {{ status version publishedVersion pausedAt }} userErrors {{ code message field }} }} }}"""


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop.shop()
    await flows.template("hello")


async def saved(api: Api, token: str, **given: Any) -> dict[str, Any]:
    answer = await api.ok(SAVE, {"input": {"name": "Reminder", "definition": DEFINITION, **given}}, token=token)
    flow: dict[str, Any] = answer["flowSave"]["flow"]
    return flow


async def test_a_flow_is_saved_published_paused_and_resumed(api: Api, staff_token: str) -> None:
    flow = await saved(api, staff_token, key="reminder")
    assert (flow["key"], flow["status"], flow["version"], flow["publishedVersion"]) == ("reminder", "DRAFT", 1, None)
    assert flow["trigger"] == DEFINITION["trigger"]
    assert flow["definition"] == DEFINITION
    assert flow["diagram"].startswith('flowchart TD\n    n0(["checkout.started"])\n    n1("Wait 4 h")')
    for name, status in (
        ("flowPublish", "PUBLISHED"),
        ("flowPause", "PAUSED"),
        ("flowPause", "PAUSED"),
        ("flowResume", "PUBLISHED"),
        ("flowPublish", "PUBLISHED"),
    ):
        payload = (await api.ok(act(name), {"id": flow["id"]}, token=staff_token))[name]
        assert (payload["flow"]["status"], payload["flow"]["publishedVersion"]) == (status, 1), name
        assert bool(payload["flow"]["pausedAt"]) is (status == "PAUSED")


async def test_the_schema_of_definitions_is_where_the_flow_says(api: Api, staff_token: str) -> None:
    flow = await saved(api, staff_token, key="reminder")
    path = flow["definitionSchemaUrl"].removeprefix("http://testserver")
    answer = await api.http.get(path)
    assert answer.status_code == 200
    assert answer.json()["title"] == "Flow"


async def test_saving_again_makes_a_draft_version_and_leaves_what_is_published(api: Api, staff_token: str) -> None:
    flow = await saved(api, staff_token, key="reminder")
    await api.ok(act("flowPublish"), {"id": flow["id"]}, token=staff_token)
    longer = {**DEFINITION, "steps": [{**WAIT, "period": "PT8H"}, MAIL]}
    by_id = (await api.ok(SAVE, {"input": {"id": flow["id"], "definition": longer}}, token=staff_token))["flowSave"]
    assert (by_id["flow"]["version"], by_id["flow"]["publishedVersion"], by_id["flow"]["name"]) == (2, 1, "Reminder")
    assert by_id["flow"]["status"] == "PUBLISHED"
    assert by_id["flow"]["definition"] == longer
    by_key = (await api.ok(SAVE, {"input": {"key": "reminder", "definition": longer}}, token=staff_token))["flowSave"]
    assert by_key["flow"]["id"] == flow["id"]
    assert by_key["flow"]["version"] == 2, "the same definition is no new version"
    assert [version["number"] for version in by_key["flow"]["versions"]] == [2, 1]
    assert [bool(version["publishedAt"]) for version in by_key["flow"]["versions"]] == [False, True]


async def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_saved(api: Api, staff_token: str) -> None:
    wrong = {
        "trigger": {"event": "checkout.started"},
        "entry": "customer.emial != ''",
        "steps": [{**WAIT, "period": "four hours"}, {**MAIL, "then": "nowhere"}],
    }
    refused = await api.refused(
        SAVE, {"input": {"name": "Wrong", "key": "wrong", "definition": wrong}}, token=staff_token
    )
    assert {error["code"] for error in refused} == {"FLOW_DEFINITION_INVALID"}
    said = " ".join(error["message"] for error in refused)
    for words in ("Step wait-4h", "Step remind-1", "nowhere"):
        assert words in said
    assert ["input", "definition", "steps", "0", "period"] in [error["field"] for error in refused]
    assert await db.fetchval("SELECT count(*) FROM flows") == 0


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"name": None}, "REQUIRED", ["input", "name"]),
        ({"key": "No Key"}, "INVALID", ["input", "key"]),
        ({"id": "flow_" + "0" * 32}, "NOT_FOUND", ["input", "id"]),
        ({"id": "prod_1"}, "INVALID_ID", ["input", "id"]),
    ],
)
async def test_a_flow_that_cannot_be_named_is_refused(
    api: Api, staff_token: str, given: dict[str, Any], code: str, field: list[str]
) -> None:
    sent = {"name": "Reminder", "definition": DEFINITION, **given}
    (error,) = await api.refused(SAVE, {"input": sent}, token=staff_token)
    assert (error["code"], error["field"]) == (code, field)
    assert await db.fetchval("SELECT count(*) FROM flows") == 0


async def test_what_keeps_a_version_from_being_published_is_said_when_it_is_saved(api: Api, staff_token: str) -> None:
    steps = [{"key": "remind-1", "kind": "send_email", "template": "not-there"}]
    sent = {"name": "Reminder", "key": "reminder", "definition": {**DEFINITION, "steps": steps}}
    payload = (await api.ok(SAVE, {"input": sent}, token=staff_token))["flowSave"]
    assert len(payload["warnings"]) == 1
    assert "not-there" in payload["warnings"][0]
    refused = await api.refused(act("flowPublish"), {"id": payload["flow"]["id"]}, token=staff_token)
    assert [error["message"] for error in refused] == payload["warnings"]
    assert await db.fetchval("SELECT status FROM flows") == "DRAFT"


async def test_a_person_is_taken_out_and_the_run_says_so(api: Api, staff_token: str, drain: Drain) -> None:
    await flows.publish("reminder", WAIT, MAIL)
    ada = await flows.person()
    await flows.happens("checkout.started", ada)
    await drain()
    run = ids.encode("frun", (await flows.run())["id"])
    document = """mutation ($id: ID!) { flowRunEnd(id: $id) {
        run { status exitReason timeline { text } } userErrors { code field } } }"""
    ended = (await api.ok(document, {"id": run}, token=staff_token))["flowRunEnd"]["run"]
    assert (ended["status"], ended["exitReason"]) == ("EXITED", "ENDED_BY_STAFF")
    assert ended["timeline"][-1]["text"] == "left: ENDED_BY_STAFF"
    (error,) = await api.refused(document, {"id": run}, token=staff_token)
    assert error["code"] == "FLOW_RUN_FINISHED"
    (error,) = await api.refused(document, {"id": "frun_" + "0" * 32}, token=staff_token)
    assert error["code"] == "NOT_FOUND"


async def test_a_real_run_reads_like_a_story(api: Api, staff_token: str, drain: Drain, advance: Advance) -> None:
    await flows.publish(
        "reminder",
        WAIT,
        MAIL,
        {"key": "clicked", "kind": "wait_for", "event": "message.clicked", "timeout": "PT6H"},
        {"key": "again", "kind": "send_email", "template": "hello"},
        {"key": "wait-1d", "kind": "delay", "period": "P1D"},
        exitOn=[{"event": "order.placed"}],
    )
    ada = await flows.person()
    await flows.happens("checkout.started", ada)
    await drain()
    counted = '{ flow(key: "reminder") { diagram steps { key waiting } } }'
    shown = (await api.ok(counted, token=staff_token))["flow"]
    assert shown["steps"][0] == {"key": "wait-4h", "waiting": 1}
    assert "Wait 4 h<br/>1 waiting" in shown["diagram"]
    await advance("PT11H")
    await flows.happens("order.placed", ada)
    await drain()
    document = '{ flow(key: "reminder") { runs { nodes { status timeline { text } } } } }'
    (run,) = (await api.ok(document, token=staff_token))["flow"]["runs"]["nodes"]
    assert run["status"] == "EXITED"
    assert [entry["text"] for entry in run["timeline"]] == [
        "entered: checkout.started",
        "waited 4 h",
        "sent email hello",
        "waited 6 h for message.clicked, in vain",
        "skipped email: FREQUENCY_CAP",
        "waiting",
        "left: ORDER_PLACED",
    ]


async def test_runs_are_moved_to_another_version_by_a_job(api: Api, staff_token: str, drain: Drain) -> None:
    flow = await flows.publish("reminder", WAIT, MAIL)
    await flows.happens("checkout.started", await flows.person())
    await drain()
    await flows.change(flow, {**WAIT, "key": "wait-8h", "period": "PT8H"}, MAIL)
    gid = ids.encode("flow", flow)
    document = """mutation ($id: ID!, $map: [FlowStepMapping!]) { flowMigrate(id: $id, toVersion: 2, stepMap: $map) {
        job { id kind status } userErrors { code message field } } }"""
    variables = {"id": gid, "map": [{"fromStep": "wait-4h", "toStep": "wait-8h"}]}
    job = (await api.ok(document, variables, token=staff_token))["flowMigrate"]["job"]
    assert (job["kind"], job["status"]) == ("FLOW_MIGRATION", "QUEUED")
    await drain()
    asked = "query ($id: ID!) { job(id: $id) { status result } }"
    done = (await api.ok(asked, {"id": job["id"]}, token=staff_token))["job"]
    assert done == {"status": "SUCCEEDED", "result": {"moved": 1, "stayed": 0}}
    runs = '{ flow(key: "reminder") { runs { nodes { version stepKey timeline { text } } } } }'
    (run,) = (await api.ok(runs, token=staff_token))["flow"]["runs"]["nodes"]
    assert (run["version"], run["stepKey"]) == (2, "wait-8h")
    assert run["timeline"][-1]["text"] == "moved to another version"
    wrong = document.replace("toVersion: 2", "toVersion: 3")
    (error,) = await api.refused(wrong, variables, token=staff_token)
    assert (error["code"], error["field"]) == ("FLOW_VERSION_UNKNOWN", ["toVersion"])


async def test_a_backfill_is_a_job_that_marketing_may_watch(api: Api, staff_token: str, drain: Drain) -> None:
    flow = await flows.publish("hello", MAIL, trigger={"event": "product.viewed"})
    await drain()
    somebody = await customers.profile(announced=False)
    product = ids.new_id()
    await customers.viewed(somebody, product)
    await db.execute("DELETE FROM events")
    document = """mutation ($id: ID!, $limit: Int) { flowBackfill(id: $id, limit: $limit, perHour: 100) {
        job { id kind } userErrors { code field } } }"""
    gid = ids.encode("flow", flow)
    (error,) = await api.refused(document, {"id": gid, "limit": 0}, token=staff_token)
    assert (error["code"], error["field"]) == ("OUT_OF_RANGE", ["limit"])
    job = (await api.ok(document, {"id": gid}, token=staff_token))["flowBackfill"]["job"]
    assert job["kind"] == "FLOW_BACKFILL"
    await drain()
    asked = "query ($id: ID!) { job(id: $id) { status done result } }"
    done = (await api.ok(asked, {"id": job["id"]}, token=staff_token))["job"]
    assert done == {"status": "SUCCEEDED", "done": 1, "result": {"candidates": 1, "enrolled": 1}}


async def test_a_simulation_answers_with_what_would_have_been(api: Api, staff_token: str, drain: Drain) -> None:
    flow = await flows.publish("hello", MAIL, trigger={"event": "product.viewed"})
    await drain()
    await customers.viewed(await flows.person(), ids.new_id())
    await db.execute("DELETE FROM events")
    document = """mutation ($id: ID!, $days: Int!) { flowSimulate(id: $id, days: $days) {
        job { id kind } userErrors { code field } } }"""
    gid = ids.encode("flow", flow)
    (error,) = await api.refused(document, {"id": gid, "days": 0}, token=staff_token)
    assert (error["code"], error["field"]) == ("OUT_OF_RANGE", ["days"])
    (error,) = await api.refused(document, {"id": "flow_" + "0" * 32, "days": 1}, token=staff_token)
    assert error["code"] == "NOT_FOUND"
    assert await db.fetchval("SELECT count(*) FROM jobs") == 0
    job = (await api.ok(document, {"id": gid, "days": 7}, token=staff_token))["flowSimulate"]["job"]
    assert job["kind"] == "FLOW_SIMULATION"
    await drain()
    asked = "query ($id: ID!) { job(id: $id) { status done total result } }"
    done = (await api.ok(asked, {"id": job["id"]}, token=staff_token))["job"]
    assert (done["status"], done["done"], done["total"]) == ("SUCCEEDED", 1, 1)
    assert (done["result"]["enrolled"], done["result"]["sent"]) == (1, 1)
    assert await db.fetchval("SELECT count(*) FROM messages") == 0
