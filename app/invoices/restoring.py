"""Numbers after a restore from a backup: none of them may be one that was given out after the backup.

How many those were, nobody knows. So each series goes on under a prefix of its own, made of the moment of the restore,
and so does every series that begins later: with a market whose first invoice is lost, it would begin at 1 again. The
sequence goes on without a gap; docs/decisions/invoices.md says what books have to say of it.
"""

import re
from datetime import UTC, datetime

from app import db

MARK = "R%y%m%d%H%M-"
"""Of a restore: `R2611221944-`. A second restore from the same backup is of another minute."""
_MARKED = re.compile(r"R\d{10}-$")


async def begin_anew(moment: datetime) -> list[tuple[str, str]]:
    """Give every series its new prefix, in the open unit of work.

    Args:
        moment: real time of the restore.

    Returns:
        The prefix before and after, of each series that there is.
    """
    db.current_unit_of_work()
    mark = moment.astimezone(UTC).strftime(MARK)
    rows = await db.fetch("SELECT id, prefix FROM invoice_series ORDER BY id FOR UPDATE")
    await db.execute(
        """
        INSERT INTO invoice_settings AS s (id, issue, attached, restore_mark, retired_prefixes, updated_at)
        VALUES (1, 'WHEN_PLACED', true, $1, $2, business_now())
        ON CONFLICT (id) DO UPDATE SET restore_mark = EXCLUDED.restore_mark, updated_at = business_now(),
            retired_prefixes = ARRAY(SELECT DISTINCT unnest(s.retired_prefixes || EXCLUDED.retired_prefixes) ORDER BY 1)
        """,
        mark,
        [row["prefix"] for row in rows],
    )
    moved = []
    for row in rows:
        # The first part says which series it is; marks of earlier restores are not piled up.
        after = _MARKED.sub("", row["prefix"]) + mark
        await db.execute("UPDATE invoice_series SET prefix = $2 WHERE id = $1", row["id"], after)
        moved.append((row["prefix"], after))
    return moved
