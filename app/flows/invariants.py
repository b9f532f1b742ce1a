"""Truths about flows and their runs, in SQL; see `app.invariants`."""

TRUTHS = [
    (
        "run_goes_on",
        "A living run has a timer or a wake-up on its way, unless its flow is paused or has just been resumed.",
        """
        SELECT r.id, r.flow_id, r.status, r.step_key, r.due_at, r.waiting_for
        FROM flow_runs r JOIN flows f ON f.id = r.flow_id
        WHERE r.status IN ('PENDING', 'ACTIVE') AND f.status <> 'PAUSED'
          AND NOT EXISTS (SELECT FROM timers t WHERE t.kind = 'flow.run_due' AND t.subject_id = r.id)
          AND NOT EXISTS (
              SELECT FROM events e
              WHERE e.subject_id = r.id AND e.type = 'flow.run_due' AND e.acknowledged_at IS NULL
          )
          AND NOT EXISTS (
              SELECT FROM events e
              WHERE e.subject_id = f.id AND e.type = 'flow.resumed' AND e.acknowledged_at IS NULL
          )
        """,
    ),
    (
        "finished_run_rests",
        "A run that has come to its end has no timer.",
        """
        SELECT r.id, r.status, t.due_at FROM timers t JOIN flow_runs r ON r.id = t.subject_id
        WHERE t.kind = 'flow.run_due' AND r.status NOT IN ('PENDING', 'ACTIVE')
        """,
    ),
    (
        "run_writes_once_a_step",
        "The ledger has one row for each run, step and channel, but for what staff had sent again.",
        """
        SELECT run_id, step_key, channel, count(*) FROM messages
        WHERE run_id IS NOT NULL AND resend_of IS NULL
        GROUP BY run_id, step_key, channel HAVING count(*) > 1
        """,
    ),
    (
        "run_gives_one_coupon_a_step",
        "A step of a run has given out one coupon, to the run's person.",
        """
        SELECT issued_by, count(*) FROM discount_codes WHERE issued_by LIKE 'run:%'
        GROUP BY issued_by HAVING count(*) > 1 OR count(DISTINCT profile_id) > 1
        """,
    ),
    (
        "flow_has_its_version",
        "A flow that is published, or was, has a version of its own that is.",
        """
        SELECT f.id, f.status, f.published_version_id FROM flows f
        LEFT JOIN flow_versions v ON v.id = f.published_version_id AND v.flow_id = f.id
        WHERE (f.status = 'DRAFT') <> (v.id IS NULL) OR v.id IS NOT NULL AND v.published_at IS NULL
        """,
    ),
]
"""Name, description, statement."""
