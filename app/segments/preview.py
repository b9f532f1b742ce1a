"""Whom a condition would select, before it is saved: counted over the newest profiles, in bounded time."""

import time
import uuid
from dataclasses import dataclass, field

from app import db
from app.conditions.checking import Condition
from app.conditions.evaluation import answer_all

MAX_PROFILES = 10_000
MAX_SECONDS = 3.0
BATCH = 500
MAX_SAMPLE = 10

_NEWEST = """
    SELECT id FROM profiles
    WHERE merged_into_id IS NULL AND erased_at IS NULL AND ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2
"""


@dataclass(slots=True)
class Preview:
    looked_at: int = 0
    """Profiles that were asked about: the newest ones."""
    matching: int = 0
    """Of those."""
    total: int = 0
    """All profiles."""
    sample: list[uuid.UUID] = field(default_factory=list)
    failures: int = 0
    """Profiles that the condition had no answer for."""
    failure: str | None = None

    @property
    def is_complete(self) -> bool:
        return self.looked_at >= self.total

    @property
    def estimated_count(self) -> int:
        """Of all profiles, should the others be like those that were asked about."""
        return round(self.matching / self.looked_at * self.total) if self.looked_at else 0


async def preview(condition: Condition) -> Preview:
    """Ask about the newest profiles, up to 10,000 of them and for 3 seconds at most."""
    found = Preview(
        total=await db.fetchval("SELECT count(*) FROM profiles WHERE merged_into_id IS NULL AND erased_at IS NULL")
    )
    ends_at = time.monotonic() + MAX_SECONDS
    before: uuid.UUID | None = None
    while found.looked_at < MAX_PROFILES and time.monotonic() < ends_at:
        ids = [row["id"] for row in await db.fetch(_NEWEST, before, BATCH)]
        if not ids:
            found.total = found.looked_at  # somebody was merged while we counted
            break
        before = ids[-1]
        found.looked_at += len(ids)
        answers = await answer_all([condition], ids)
        # The newest first, whatever the order in which the facts were found; not who was merged meanwhile.
        for profile_id in (one for one in ids if one in answers):
            (answer,) = answers[profile_id]
            found.matching += answer.holds
            if answer.holds and len(found.sample) < MAX_SAMPLE:
                found.sample.append(profile_id)
            if answer.failure is not None:
                found.failures += 1
                found.failure = answer.failure.cause
    return found
