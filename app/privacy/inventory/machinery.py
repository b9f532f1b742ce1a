"""Events, jobs, webhooks and counters: they name nobody by design, and an erasure looks all the same."""

from app.privacy.tables import Table, Whose, columns

# The outbox event of a line of the timeline has that line's id.
_OF_PERSON = "t.id IN (SELECT id FROM profile_events WHERE profile_id = ANY(:profiles))"

TABLES = (
    Table(
        "events",
        Whose.MACHINERY,
        columns(
            id="id subject_id traceparent",
            text="payload",
            fact="type occurred_at created_at visible_at leased_until attempts publications acknowledged_at",
        ),
        rows=_OF_PERSON,
        # Ids and facts stay: a handler that failed may be let run again.
        emptied={"payload": "t.payload - ARRAY['query', 'url', 'code', 'clientKey', 'visitorId']"},
        kept={"payload": "Ids, which lead to emptied rows, and facts."},
        why="The timeline says the same, and is exported.",
    ),
    Table("event_receipts", Whose.MACHINERY, columns(id="id event_id", fact="handler handled_at")),
    Table(
        "dead_letters",
        Whose.MACHINERY,
        columns(id="id event_id", fact="event_type handler cause attempts created_at replayed_at"),
    ),
    Table("configuration_versions", Whose.MACHINERY, columns(fact="name version"), key="name"),
    Table("timers", Whose.MACHINERY, columns(id="id subject_id", fact="kind payload due_at created_at")),
    Table(
        "jobs",
        Whose.MACHINERY,
        columns(
            id="id created_by",
            fact="kind status done total input checkpoint result problem_count created_at started_at finished_at",
        ),
    ),
    Table(
        "job_problems",
        Whose.MACHINERY,
        columns(id="id job_id", fact="row column message"),
    ),
    Table(
        "webhook_deliveries",
        Whose.MACHINERY,
        columns(
            id="id endpoint_id event_id run_id replay_of dedupe_key",
            fact="event_type state attempts status_code detail created_at finished_at",
            text="body",
        ),
        rows="(t.run_id IN :runs OR t.event_id IN (SELECT id FROM profile_events WHERE profile_id = ANY(:profiles)))",
        emptied={"body": "''", "detail": "NULL"},
        why="Ids and facts that were sent to another system; what they are about is exported.",
    ),
    Table("figure_counts", Whose.MACHINERY, columns(id="id", fact="figure bucket shard profiles")),
    Table("segment_counts", Whose.MACHINERY, columns(id="id segment_id", fact="shard members")),
    Table("upkeep", Whose.MACHINERY, columns(fact="name claimed_until done_at"), key="name"),
    Table("invariant_results", Whose.MACHINERY, columns(fact="name violations checked_at"), key="name"),
    Table("tortoise_migrations", Whose.MACHINERY, columns(id="id", fact="app name applied_at")),
    Table("business_clock", Whose.MACHINERY, columns(id="id", fact="skew_microseconds")),
    Table("flow_catalogue", Whose.MACHINERY, columns(id="id", fact="stamp")),
)
