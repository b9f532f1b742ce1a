"""What staff see of flows: figures of each step and of the whole, runs with their timelines, in few statements."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from app import db
from app.kit import ids
from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import flow_rows, shop, staff
from tests.factories.flow_rows import REMINDER
from tests.factories.messages import placed_order

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop.shop()


STEPS = """query ($key: String) { flow(key: $key) {
    id key name status version publishedVersion trigger definition
    steps { key kind text waiting done failed sent delivered clicked unsubscribed orders revenue { amount currencyCode }
            skipped { reason count } }
    stats { pending turnedAway enrolled active completed failed sent clicked orders revenue { amount }
            exited { reason count }
            lift { absolute } }
} }"""


async def flow_of(api: Api, token: str, key: str = "checkout_abandoned") -> dict[str, Any]:
    found = (await api.ok(STEPS, {"key": key}, token=token))["flow"]
    assert found is not None
    return dict(found)


async def credit(message_id: uuid.UUID, step: str, flow_id: uuid.UUID, revenue_minor: int) -> None:
    await db.execute(
        """
        INSERT INTO attributions (order_id, message_id, flow_id, step_key, revenue_minor, attributed_at)
        VALUES (gen_random_uuid(), $1, $2, $3, $4, business_now())
        """,
        message_id,
        flow_id,
        step,
        revenue_minor,
    )


async def test_each_step_says_what_it_came_to(api: Api, staff_token: str) -> None:
    flow = await flow_rows.flow()
    await flow_rows.run(flow, status="PENDING")
    turned_away = await flow_rows.run(flow, status="EXITED", reason="ENTRY_NOT_MET")
    await db.execute("UPDATE flow_runs SET step_key = NULL WHERE id = $1", turned_away)
    for _ in range(3):
        await flow_rows.run(flow, step="wait-4h")
    ordered = await flow_rows.run(flow, status="EXITED", reason="ORDER_PLACED", step="wait-2d")
    through = await flow_rows.run(flow, status="COMPLETED")
    for run in (ordered, through):
        await flow_rows.step(run, "wait-4h", "delay", "WAITING")
        await flow_rows.step(run, "wait-4h", "delay")
    mail = await flow_rows.message(ordered, "remind-1", delivered=True, clicked=True, unsubscribed=True)
    await flow_rows.step(ordered, "remind-1", "send_email", message_id=mail)
    await credit(mail, "remind-1", flow, 4990)
    late = await flow_rows.message(through, "remind-1", state="SKIPPED", reason="NO_CONSENT")
    await flow_rows.step(through, "remind-1", "send_email", "SKIPPED", reason="NO_CONSENT", message_id=late)
    await flow_rows.step(through, "text-1", "send_sms", "SKIPPED", reason="TOO_LATE")
    await flow_rows.step(ordered, "text-1", "send_sms", "SKIPPED", reason="A_REASON_OF_A_LATER_RELEASE")

    shown = await flow_of(api, staff_token)
    steps = {step["key"]: step for step in shown["steps"]}
    assert list(steps) == ["wait-4h", "remind-1", "wait-2d", "text-1"]
    assert (steps["wait-4h"]["waiting"], steps["wait-4h"]["done"], steps["wait-4h"]["text"]) == (3, 2, "Wait 4 h")
    reminder = steps["remind-1"]
    assert (reminder["sent"], reminder["delivered"], reminder["clicked"], reminder["unsubscribed"]) == (1, 1, 1, 1)
    assert (reminder["orders"], reminder["revenue"]) == (1, {"amount": "49.90", "currencyCode": "USD"})
    # Decided in the step and noted in the ledger: one skip, not two.
    assert reminder["skipped"] == [{"reason": "NO_CONSENT", "count": 1}]
    assert reminder["done"] == 1
    assert steps["text-1"]["skipped"] == [{"reason": "OTHER", "count": 1}, {"reason": "TOO_LATE", "count": 1}]
    assert steps["wait-2d"]["waiting"] == 0
    stats = shown["stats"]
    assert (stats["pending"], stats["turnedAway"], stats["enrolled"]) == (1, 1, 5)
    assert (stats["active"], stats["completed"]) == (3, 1)
    assert stats["exited"] == [{"reason": "ORDER_PLACED", "count": 1}]
    assert (stats["sent"], stats["clicked"], stats["orders"], stats["revenue"]) == (1, 1, 1, {"amount": "49.90"})
    assert stats["lift"] is None


async def test_figures_of_another_flow_stay_there(api: Api, staff_token: str) -> None:
    ours, other = await flow_rows.flow(), await flow_rows.flow("cart_abandoned")
    run = await flow_rows.run(other, step="wait-4h")
    await flow_rows.step(run, "remind-1", "send_email", message_id=await flow_rows.message(run, "remind-1"))
    shown = await flow_of(api, staff_token)
    assert {step["waiting"] + step["sent"] + step["done"] for step in shown["steps"]} == {0}
    assert shown["stats"]["enrolled"] == 0
    assert shown["id"] == ids.encode("flow", ours)


async def test_steps_of_older_versions_follow_those_of_the_latest(api: Api, staff_token: str) -> None:
    newer = {**REMINDER, "steps": [*REMINDER["steps"][2:], {"key": "new", "kind": "send_email", "template": "t"}]}
    flow = await flow_rows.flow("checkout_abandoned", REMINDER, newer)
    await flow_rows.run(flow, step="wait-4h", version=1)
    shown = await flow_of(api, staff_token)
    assert [step["key"] for step in shown["steps"]] == ["wait-2d", "text-1", "new", "wait-4h", "remind-1"]
    assert [step["waiting"] for step in shown["steps"]] == [0, 0, 0, 1, 0]
    assert (shown["version"], shown["publishedVersion"], shown["definition"]) == (2, 2, newer)


async def test_the_holdout_gives_the_true_lift(api: Api, staff_token: str) -> None:
    flow = await flow_rows.flow()
    for holdout, converted in ((False, 2), (True, 1)):
        for number in range(4):
            buyer = await flow_rows.profile()
            await flow_rows.run(flow, buyer, status="COMPLETED", holdout=holdout, entered_ago=timedelta(days=40))
            if number < converted:
                await _order(buyer, timedelta(days=39))
                await _order(buyer, timedelta(days=38))
            else:
                # Before entering, after the thirty days, or taken back: these do not count.
                await _order(buyer, timedelta(days=41))
                await _order(buyer, timedelta(days=9))
                await _order(buyer, timedelta(days=39), cancelled=True)
    query = """{ flow(key: "checkout_abandoned") { stats { lift { absolute relative
        treated { runs converted conversion revenue { amount } } holdout { runs converted conversion } } } } }"""
    lift = (await api.ok(query, token=staff_token))["flow"]["stats"]["lift"]
    assert lift["treated"] == {"runs": 4, "converted": 2, "conversion": 0.5, "revenue": {"amount": "579.60"}}
    assert lift["holdout"] == {"runs": 4, "converted": 1, "conversion": 0.25}
    assert (lift["absolute"], lift["relative"]) == (0.25, 1.0)


async def _order(buyer: uuid.UUID, ago: timedelta, *, cancelled: bool = False) -> None:
    await db.execute(
        """
        UPDATE orders SET profile_id = $2, placed_at = business_now() - $3::interval,
               status = CASE WHEN $4 THEN 'CANCELLED' ELSE status END
        WHERE id = $1
        """,
        await placed_order(),
        buyer,
        ago,
        cancelled,
    )


async def test_a_run_tells_what_it_did(api: Api, staff_token: str) -> None:
    definition = {
        **REMINDER,
        "steps": [
            *REMINDER["steps"][:2],
            {"key": "clicked", "kind": "wait_for", "event": "message.clicked", "timeout": "PT6H"},
            {"key": "many", "kind": "condition", "if": "customer.orderCount > 0"},
            *REMINDER["steps"][2:],
        ],
    }
    flow = await flow_rows.flow("checkout_abandoned", definition)
    run = await flow_rows.run(flow, status="EXITED", reason="ORDER_PLACED", entered_ago=20 * HOUR)
    await flow_rows.step(run, "wait-4h", "delay", "WAITING", ago=20 * HOUR)
    await flow_rows.step(run, "wait-4h", "delay", ago=16 * HOUR)
    mail = await flow_rows.message(run, "remind-1")
    await flow_rows.step(run, "remind-1", "send_email", message_id=mail, ago=16 * HOUR)
    await flow_rows.step(run, "clicked", "wait_for", "WAITING", ago=16 * HOUR)
    await flow_rows.step(run, "clicked", "wait_for", reason="TIMEOUT", ago=10 * HOUR)
    await flow_rows.step(run, "many", "condition", reason="ELSE", ago=10 * HOUR)
    await flow_rows.step(run, "text-1", "send_sms", "WAITING", reason="QUIET_HOURS", ago=10 * HOUR)
    await flow_rows.step(run, "text-1", "send_sms", "SKIPPED", reason="CONSENT_REVOKED", ago=HOUR)

    query = """query ($id: ID!) { flowRun(id: $id) { id flowKey version status exitReason triggerType
        timeline { stepKey kind text reason messageId } } }"""
    shown = (await api.ok(query, {"id": ids.encode("frun", run)}, token=staff_token))["flowRun"]
    assert [(entry["stepKey"], entry["text"]) for entry in shown["timeline"]] == [
        (None, "entered: checkout.started"),
        ("wait-4h", "waited 4 h"),
        ("remind-1", "sent email checkout-abandoned-1"),
        ("clicked", "waited 6 h for message.clicked, in vain"),
        ("many", "customer.orderCount > 0: no"),
        ("text-1", "put off SMS checkout-abandoned-text: QUIET_HOURS"),
        ("text-1", "skipped SMS: CONSENT_REVOKED"),
        (None, "left: ORDER_PLACED"),
    ]
    assert shown["timeline"][2]["messageId"] == ids.encode("msg", mail)
    assert (shown["status"], shown["exitReason"], shown["version"]) == ("EXITED", "ORDER_PLACED", 1)


@pytest.mark.parametrize(
    ("state", "reason", "text"),
    [
        ("RESERVED", None, "sending email checkout-abandoned-1"),
        ("SKIPPED", "ORDER_PLACED", "skipped email: ORDER_PLACED"),
        ("FAILED", "REFUSED", "could not send email checkout-abandoned-1: REFUSED"),
        ("UNKNOWN", "NO_ANSWER", "may have sent email checkout-abandoned-1: NO_ANSWER"),
    ],
)
async def test_the_timeline_follows_the_message_to_its_end(
    api: Api, staff_token: str, state: str, reason: str | None, text: str
) -> None:
    run = await flow_rows.run(await flow_rows.flow())
    mail = await flow_rows.message(run, "remind-1", state=state, reason=reason)
    await flow_rows.step(run, "remind-1", "send_email", message_id=mail)
    query = '{ flow(key: "checkout_abandoned") { runs { nodes { timeline { text } } } } }'
    (shown,) = (await api.ok(query, token=staff_token))["flow"]["runs"]["nodes"]
    assert shown["timeline"][-1]["text"] == text


async def test_runs_come_in_pages_by_status_and_by_person(api: Api, staff_token: str) -> None:
    flow, ada = await flow_rows.flow(), await flow_rows.profile("ada@example.com")
    runs = [await flow_rows.run(flow, status=status) for status in ("COMPLETED", "ACTIVE", "ACTIVE")]
    hers = await flow_rows.run(flow, ada)
    document = """query ($after: String) { flow(key: "checkout_abandoned") {
        runs(first: 2, after: $after, status: ACTIVE) { nodes { id } totalCount pageInfo { hasNextPage endCursor } }
        all: runs { nodes { id } }
    } }"""
    page = (await api.ok(document, token=staff_token))["flow"]
    gids = [ids.encode("frun", run) for run in runs]
    assert [node["id"] for node in page["runs"]["nodes"]] == [ids.encode("frun", hers), gids[2]]
    assert page["runs"]["totalCount"] == 3
    assert page["runs"]["pageInfo"]["hasNextPage"] is True
    assert [node["id"] for node in page["all"]["nodes"]] == [ids.encode("frun", hers), *reversed(gids)]
    after = page["runs"]["pageInfo"]["endCursor"]
    rest = (await api.ok(document, {"after": after}, token=staff_token))["flow"]["runs"]
    assert ([node["id"] for node in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == ([gids[1]], False)

    of_ada = "query ($id: ID!) { flowRuns(profileId: $id) { id profileId flowKey } }"
    profile = ids.encode("prof", ada)
    found = (await api.ok(of_ada, {"id": profile}, token=staff_token))["flowRuns"]
    assert found == [{"id": ids.encode("frun", hers), "profileId": profile, "flowKey": "checkout_abandoned"}]

    of_profile = "query ($id: ID!) { profile(id: $id) { flowRuns { id timeline { text } } } }"
    shown = (await api.ok(of_profile, {"id": profile}, token=staff_token))["profile"]["flowRuns"]
    assert shown == [{"id": ids.encode("frun", hers), "timeline": [{"text": "entered: checkout.started"}]}]
    reader = await staff.signed_in({Permission.CUSTOMERS_READ})
    assert (await api.ok(of_profile, {"id": profile}, token=reader))["profile"]["flowRuns"] is None


EVERYTHING = """{ flows { totalCount nodes { key diagram steps { key sent skipped { reason count } revenue { amount } }
    stats { enrolled revenue { amount } lift { absolute } } versions { number livingRuns diagram }
    runs(first: 5) { totalCount nodes { id timeline { text } } } } } }"""


async def test_statements_do_not_grow_with_flows_steps_or_runs(api: Api, staff_token: str) -> None:
    async def statements() -> int:
        with db.counted_statements() as counted:
            await api.ok(EVERYTHING, token=staff_token)
        return len(counted)

    async def one_more(key: str, steps: int) -> None:
        many = [{"key": f"mail-{number}", "kind": "send_email", "template": "t"} for number in range(steps)]
        flow = await flow_rows.flow(key, {**REMINDER, "steps": many})
        for number in range(steps):
            run = await flow_rows.run(flow, step=f"mail-{number}", holdout=number == 0)
            mail = await flow_rows.message(run, f"mail-{number}")
            await flow_rows.step(run, f"mail-{number}", "send_email", message_id=mail)

    await one_more("a", 1)
    few = await statements()
    for key, steps in (("b", 7), ("c", 4)):
        await one_more(key, steps)
    assert await statements() == few <= 18


async def test_flows_are_listed_by_status(api: Api, staff_token: str) -> None:
    for key, status in (("a", "PUBLISHED"), ("b", "DRAFT"), ("c", "PAUSED"), ("d", "PUBLISHED")):
        await flow_rows.flow(key, status=status)
    document = """query ($status: FlowStatus, $first: Int, $after: String) {
        flows(status: $status, first: $first, after: $after) {
            nodes { key status publishedVersion } totalCount pageInfo { endCursor hasNextPage } } }"""
    published = (await api.ok(document, {"status": "PUBLISHED"}, token=staff_token))["flows"]
    assert [flow["key"] for flow in published["nodes"]] == ["a", "d"]
    assert published["totalCount"] == 2
    first = (await api.ok(document, {"first": 3}, token=staff_token))["flows"]
    assert [flow["key"] for flow in first["nodes"]] == ["a", "b", "c"]
    assert [flow["publishedVersion"] for flow in first["nodes"]] == [1, None, 1]
    rest = (await api.ok(document, {"first": 3, "after": first["pageInfo"]["endCursor"]}, token=staff_token))["flows"]
    assert [flow["key"] for flow in rest["nodes"]] == ["d"]


async def test_an_unknown_flow_is_null_and_a_flow_has_one_name(api: Api, staff_token: str) -> None:
    assert (await api.ok('{ flow(key: "no") { id } }', token=staff_token))["flow"] is None
    assert (await api.query("{ flow { id } }", token=staff_token)).codes == ["INVALID"]
    assert (await api.query('{ flow(id: "prod_1") { id } }', token=staff_token)).codes == ["INVALID_ID"]
    await flow_rows.flow()
    bad = '{ flow(key: "checkout_abandoned") { runs(first: 101) { nodes { id } } } }'
    assert (await api.query(bad, token=staff_token)).codes == ["OUT_OF_RANGE"]


async def test_what_flows_can_start_on_is_listed_with_its_facts(api: Api, staff_token: str) -> None:
    listed = await api.ok("{ flowTriggers { name description key data { name type } } }", token=staff_token)
    by_name = {event["name"]: event for event in listed["flowTriggers"]}
    started = by_name["checkout.started"]
    assert started["key"] == "cartId"
    assert {"name": "startedAt", "type": "timestamp"} in started["data"]
    assert all(event["description"] for event in by_name.values())
