"""What this process remembers of the flows: which listen to which event, and the definitions of their versions.

A version never changes, so it is remembered for good. Which versions are published does change: a stamp in the database
says whether what is remembered is old, and is asked each time. A publish is therefore seen at once, everywhere, for the
price of one read of one row.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson
import structlog

from app import db
from app.errors import DomainError, DomainErrors
from app.flows.definitions import Definition, Trigger, parse
from app.kit.ids import new_id

MAX_VERSIONS_REMEMBERED = 2_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PublishedFlow:
    id: uuid.UUID
    key: str
    name: str
    version_id: uuid.UUID
    definition: Definition


@dataclass(frozen=True, slots=True)
class Catalogue:
    stamp: uuid.UUID | None
    flows: Sequence[PublishedFlow] = ()
    """Published and not paused; those that go first when several could write come first."""
    triggers: Mapping[str, Sequence[tuple[PublishedFlow, Trigger]]] = field(default_factory=dict)
    """By event type."""
    ending: frozenset[str] = frozenset()
    """Event types that end runs, or wake them, of any version that was ever published."""
    superseding: Mapping[str, frozenset[uuid.UUID]] = field(default_factory=dict)
    """By the key of a flow: the flows whose runs its own give way to."""
    superseded: Mapping[uuid.UUID, frozenset[uuid.UUID]] = field(default_factory=dict)
    """By flow: those whose runs end when one of its own begins."""
    waited_for: frozenset[uuid.UUID] = frozenset()
    """Flows whose runs others wait for."""
    dated: Sequence[PublishedFlow] = ()
    """Those with a date trigger."""
    date_names: frozenset[str] = frozenset()
    """What `profile.updated` calls the data that date triggers look at."""

    def listens_to(self, event_type: str) -> bool:
        return event_type in self.triggers or event_type in self.ending


_remembered = Catalogue(None)
_versions: dict[uuid.UUID, Definition | None] = {}

_PUBLISHED = """
    SELECT f.id, f.key, f.name, f.status, f.published_version_id, v.id AS version_id,
           (SELECT stamp FROM flow_catalogue) AS stamp
    FROM flows f JOIN flow_versions v ON v.flow_id = f.id
    WHERE v.published_at IS NOT NULL OR v.id = f.published_version_id
    ORDER BY f.priority DESC, f.id
"""


async def current() -> Catalogue:
    """What holds now; what is committed before the call is seen."""
    global _remembered
    stamp = await db.fetchval("SELECT stamp FROM flow_catalogue")
    if stamp is None or stamp != _remembered.stamp:
        _remembered = await _load()
    return _remembered


async def changed() -> None:
    """In the open unit of work: what others remember is old as soon as it commits."""
    db.current_unit_of_work()
    await db.execute(
        "INSERT INTO flow_catalogue (id, stamp) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET stamp = EXCLUDED.stamp",
        new_id(),
    )


async def definition_of(version_id: uuid.UUID) -> Definition:
    """Of any version. Raises LookupError where there is none that can be read."""
    if version_id not in _versions:
        await _remember([version_id])
    definition = _versions.get(version_id)
    if definition is None:
        raise LookupError("there is no such version, or this release cannot read it")
    return definition


async def _load() -> Catalogue:
    rows = await db.fetch(_PUBLISHED)
    await _remember([row["version_id"] for row in rows if row["version_id"] not in _versions])
    flows = []
    ending: set[str] = set()
    for row in rows:
        definition = _versions.get(row["version_id"])
        if definition is None:
            continue
        ending |= {rule.event for rule in definition.exit_on} | definition.waited_events()
        if row["version_id"] == row["published_version_id"] and row["status"] == "PUBLISHED":
            flows.append(PublishedFlow(row["id"], row["key"], row["name"], row["version_id"], definition))
    triggers = defaultdict(list)
    for flow in flows:
        for trigger in flow.definition.triggers:
            triggers[trigger.event].append((flow, trigger))
    ids = {row["key"]: row["id"] for row in rows}
    superseded = {flow.id: frozenset(ids[key] for key in flow.definition.supersedes if key in ids) for flow in flows}
    superseding = defaultdict(set)
    for flow in flows:
        for key in flow.definition.supersedes:
            superseding[key].add(flow.id)
    return Catalogue(
        stamp=rows[0]["stamp"] if rows else None,
        flows=tuple(flows),
        triggers=dict(triggers),
        ending=frozenset(ending),
        superseding={key: frozenset(found) for key, found in superseding.items()},
        superseded=superseded,
        waited_for=frozenset(ids[key] for flow in flows for key in flow.definition.waits_for if key in ids),
        dated=tuple(flow for flow in flows if any(trigger.date for trigger in flow.definition.triggers)),
        date_names=frozenset(
            name for flow in flows for trigger in flow.definition.triggers for name in trigger.date_names()
        ),
    )


async def _remember(version_ids: Sequence[uuid.UUID]) -> None:
    if not version_ids:
        return
    if len(_versions) + len(version_ids) > MAX_VERSIONS_REMEMBERED:
        _versions.clear()
    rows = await db.fetch("SELECT id, definition FROM flow_versions WHERE id = ANY($1)", list(version_ids))
    for row in rows:
        try:
            _versions[row["id"]] = parse(orjson.loads(row["definition"]))
        except (DomainError, DomainErrors) as error:
            # It was right when it was saved: a name that it uses is gone from this release.
            log.error("a flow's version cannot be read", version=str(row["id"]), problem=str(error)[:500])
            _versions[row["id"]] = None
