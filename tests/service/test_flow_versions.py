"""Saving, publishing, recipes, and moving runs to another version."""

import asyncio
import contextvars
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from app import db, invariants
from app.errors import DomainError, DomainErrors
from app.flows import recipes, service, versions
from app.jobs import queries as jobs
from app.jobs.models import JobStatus
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import flows, shop

Advance = Callable[[str], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]
WAIT_4H = {"key": "wait", "kind": "delay", "period": "PT4H"}
WAIT_8H = {"key": "wait", "kind": "delay", "period": "PT8H"}
WAIT_1H = {"key": "wait", "kind": "delay", "period": "PT1H"}
REMIND = {"key": "remind", **flows.MAIL}


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop.shop()


def _codes(error: BaseException) -> set[str]:
    assert isinstance(error, (DomainError, DomainErrors))
    return {each.code.name for each in error.errors}


async def _count(table: str) -> int:
    found: int = await db.fetchval(f"SELECT count(*) FROM {table}")
    return found


# --- saving and publishing --------------------------------------------------------------------------------------------


async def test_saving_makes_versions_and_the_same_again_makes_none(api: Api) -> None:
    first = await service.save(name="Reminder", definition=flows.definition(WAIT_4H))
    assert (first.version, first.warnings) == (1, [])
    row = await db.fetchrow("SELECT key, name, status FROM flows WHERE id = $1", first.id)
    assert row is not None
    assert dict(row) == {"key": "reminder", "name": "Reminder", "status": "DRAFT"}
    again = await service.save(flow_id=first.id, name="Reminder 2", definition=flows.definition(WAIT_4H))
    assert again.version == 1
    other = await service.save(flow_id=first.id, name="Reminder 2", definition=flows.definition(WAIT_8H))
    assert other.version == 2
    assert await db.fetchval("SELECT name FROM flows WHERE id = $1", first.id) == "Reminder 2"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"key": "reminder"}, "FLOW_KEY_TAKEN"),
        ({"key": "Re minder"}, "INVALID"),
        ({"name": "  "}, "REQUIRED"),
        ({"name": "x" * 200}, "TOO_LONG"),
        ({"flow_id": uuid.uuid4()}, "NOT_FOUND"),
        ({"definition": {"steps": []}}, "FLOW_DEFINITION_INVALID"),
        ({"definition": flows.definition({**WAIT_4H, "note": "x" * 200_000})}, "TOO_LONG"),
        ({"definition": flows.definition(WAIT_4H, entry="customer.firstName == '\u0000'")}, "INVALID"),
    ],
)  # fmt: skip
async def test_what_cannot_be_saved_changes_nothing(given: dict[str, Any], code: str) -> None:
    await flows.save("reminder", WAIT_4H)
    with pytest.raises((DomainError, DomainErrors)) as raised:
        await service.save(**{"name": "Another", "definition": flows.definition(WAIT_4H), **given})
    assert code in _codes(raised.value)
    assert (await _count("flows"), await _count("flow_versions")) == (1, 1)


async def test_a_flow_keeps_its_key(api: Api) -> None:
    flow_id = await flows.save("reminder", WAIT_4H)
    with pytest.raises(DomainError) as raised:
        await service.save(flow_id=flow_id, key="other", name="Other", definition=flows.definition(WAIT_8H))
    assert raised.value.code.name == "FLOW_KEY_FIXED"
    assert await db.fetchval("SELECT name FROM flows") == "Reminder"


async def test_what_is_missing_is_a_warning_when_saved_and_refused_when_published(api: Api) -> None:
    definition = flows.definition(
        REMIND,
        {"key": "crm", "kind": "webhook", "endpoint": "whe_" + "0" * 32},
        trigger={"segment": "vip"},
        supersedes=["nothing"],
    )
    saved = await service.save(name="Reminder", definition=definition)
    assert saved.warnings[0].startswith("Step remind: the template hello does not exist")
    assert len(saved.warnings) == 4
    with pytest.raises(DomainErrors) as raised:
        await service.publish(saved.id)
    assert [error.message for error in raised.value.errors] == saved.warnings
    row = await db.fetchrow("SELECT status, published_version_id, first_published_at FROM flows")
    assert row is not None
    assert tuple(row.values()) == ("DRAFT", None, None)
    assert await _count("events") == 0


async def test_a_template_has_to_fit_its_step(api: Api) -> None:
    await flows.template("hello", trigger="order.placed")
    await flows.template("hello-text")
    saved = await service.save(name="Reminder", definition=flows.definition(REMIND, {"key": "text", **flows.TEXT}))
    assert len(saved.warnings) == 2
    assert "prints what comes with order.placed" in saved.warnings[0]
    assert "is for EMAIL, and the step sends SMS" in saved.warnings[1]


async def test_publishing_twice_is_once(drain: Drain) -> None:
    flow_id = await flows.publish("reminder", WAIT_4H, priority=7)
    await service.publish(flow_id)
    assert await db.fetchval("SELECT count(*) FROM events WHERE type = 'flow.published'") == 1
    assert await db.fetchval("SELECT priority FROM flows") == 7


async def test_a_draft_can_be_neither_paused_nor_resumed(api: Api) -> None:
    flow_id = await flows.save("reminder", WAIT_4H)
    for change in (service.pause, service.resume):
        with pytest.raises(DomainError) as raised:
            await change(flow_id)
        assert raised.value.code.name == "FLOW_NOT_PUBLISHED"
    assert await db.fetchval("SELECT status FROM flows") == "DRAFT"


async def test_publishing_a_paused_flow_lets_it_go_on(advance: Advance, drain: Drain) -> None:
    flow_id = await flows.publish("reminder", WAIT_4H, REMIND)
    await flows.happens("checkout.started", await flows.person(), cart_id=new_id())
    await drain()
    await service.pause(flow_id)
    await advance("PT5H")
    await service.publish(flow_id)
    await drain()
    assert await flows.sent() == ["remind SENT"]


# --- migrating --------------------------------------------------------------------------------------------------------


async def _people(count: int) -> list[uuid.UUID]:
    people = [await flows.person(f"p{number}@customer.example") for number in range(count)]
    for person in people:
        await flows.happens("checkout.started", person, cart_id=new_id())
    return people


async def _migrate(flow_id: uuid.UUID, drain: Drain, **given: Any) -> dict[str, Any]:
    job_id = await versions.request_migration(flow_id, **given)
    await drain()
    job = await jobs.load(job_id)
    assert job is not None
    assert job.status is JobStatus.SUCCEEDED
    assert job.result is not None
    return {**job.result, "problems": [problem.message for problem in job.problems]}


async def test_runs_move_only_when_they_are_told_to(
    advance: Advance, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "BATCH", 2)
    flow_id = await flows.publish("reminder", WAIT_4H, {**REMIND, "key": "old"})
    await _people(5)
    await drain()
    due = {run["id"]: run["due_at"] for run in await flows.runs()}
    await flows.change(flow_id, WAIT_8H, {**REMIND, "key": "new"})
    await drain()
    assert {run["due_at"] for run in await flows.runs()} == set(due.values())
    assert await _migrate(flow_id, drain, to_version=2) == {"moved": 5, "stayed": 0, "problems": []}
    later = {run["id"]: run["due_at"] for run in await flows.runs()}
    assert all((later[run_id] - due[run_id]).total_seconds() == 4 * 3600 for run_id in due)
    await advance("PT5H")
    assert await flows.sent() == []
    await advance("PT3H")
    assert await flows.sent() == ["new SENT"] * 5
    assert await invariants.check() == []


async def test_a_shorter_wait_wakes_nobody_earlier(drain: Drain) -> None:
    flow_id = await flows.publish("reminder", WAIT_4H, REMIND)
    await _people(1)
    await drain()
    due = (await flows.run())["due_at"]
    await flows.change(flow_id, WAIT_1H, REMIND)
    await _migrate(flow_id, drain, from_version=1, to_version=2)
    assert (await flows.run())["due_at"] == due


async def test_steps_are_mapped_and_what_has_no_counterpart_stays(drain: Drain, advance: Advance) -> None:
    flow_id = await flows.publish("reminder", WAIT_4H, REMIND)
    await _people(1)
    await drain()
    renamed = {**WAIT_4H, "key": "pause"}
    await flows.change(flow_id, renamed, {**REMIND, "key": "new"})
    stayed = await _migrate(flow_id, drain, to_version=2)
    assert (stayed["moved"], stayed["stayed"]) == (0, 1)
    assert "stands at wait, which the new version does not have" in stayed["problems"][0]
    assert (await flows.run())["step_key"] == "wait"
    moved = await _migrate(flow_id, drain, to_version=2, step_map={"wait": "pause"})
    assert (moved["moved"], moved["stayed"]) == (1, 0)
    await advance("PT4H")
    assert await flows.sent() == ["new SENT"]


async def test_a_migration_that_cannot_be_is_refused(api: Api) -> None:
    flow_id = await flows.publish("reminder", WAIT_4H)
    for given, code in (
        ({"to_version": 9}, "FLOW_VERSION_UNKNOWN"),
        ({"to_version": 1, "from_version": 9}, "FLOW_VERSION_UNKNOWN"),
        ({"to_version": 1, "step_map": {"wait": "gone"}}, "FLOW_DEFINITION_INVALID"),
    ):
        with pytest.raises(DomainError) as raised:
            await versions.request_migration(flow_id, **given)  # type: ignore[arg-type]
        assert raised.value.code.name == code
    assert await _count("jobs") == 0


# --- recipes ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two small recipes that name each other."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "little.mjml").write_text(flows.MJML)
    (tmp_path / "templates" / "little.txt.liquid").write_text(flows.PLAIN)
    (tmp_path / "templates" / "little-sms.sms.liquid").write_text(flows.SHORT)
    for key, other, steps in (
        ("alpha", "beta", [{"key": "mail", "kind": "send_email", "template": "little"}]),
        ("beta", "alpha", [{"key": "text", "kind": "send_sms", "template": "little-sms"}]),
    ):
        recipe = {
            "key": key,
            "name": key.capitalize(),
            "templates": ["little" if key == "alpha" else "little-sms"],
            "definition": {"trigger": {"event": "checkout.started"}, "supersedes": [other], "steps": steps},
        }
        (tmp_path / f"{key}.json").write_bytes(orjson.dumps(recipe))
    return tmp_path


async def test_recipes_are_installed_once_and_never_over_the_merchants(folder: Path) -> None:
    assert await recipes.install(publish=False, folder=folder) == ["alpha", "beta"]
    flow_id = await db.fetchval("SELECT id FROM flows WHERE key = 'alpha'")
    mine = flows.definition(WAIT_8H)
    await service.save(flow_id=flow_id, name="Mine", definition=mine, created_by=new_id())
    assert await recipes.install(publish=True, folder=folder) == []
    rows = await db.fetch("SELECT key, name, status, latest_version FROM flows ORDER BY key")
    assert [tuple(row.values()) for row in rows] == [("alpha", "Mine", "DRAFT", 2), ("beta", "Beta", "PUBLISHED", 1)]


async def test_recipes_that_several_install_at_once_are_there_once(folder: Path) -> None:
    installs = [
        asyncio.create_task(recipes.install(publish=True, folder=folder), context=contextvars.Context())
        for _ in range(3)
    ]
    installed = await asyncio.gather(*installs)
    assert sorted(map(len, installed)) == [0, 0, 2]
    assert await db.fetchval("SELECT count(*) FROM flows WHERE status = 'PUBLISHED'") == 2
    assert await invariants.check() == []


async def test_the_shops_own_recipes_can_be_published(api: Api) -> None:
    installed = await recipes.install(publish=True)
    assert await db.fetchval("SELECT count(*) FROM flows WHERE status = 'PUBLISHED'") == len(installed)


async def test_the_definitions_schema_is_published(api: Api) -> None:
    response = await api.http.get("/schemas/flow.json")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/schema+json")
    assert orjson.loads(response.content)["title"] == "Flow"
