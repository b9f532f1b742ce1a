"""Ranges of dates."""

import datetime as dt

import strawberry


@strawberry.type(description="From one day to another, both included.")
class DateRange:
    from_: dt.date = strawberry.field(name="from", description="The first day.")
    to: dt.date = strawberry.field(description="The last day.")

    @classmethod
    def of(cls, first: str | dt.date | None, last: str | dt.date | None) -> "DateRange | None":
        """None where either end is unknown; text is ISO 8601."""
        if first is None or last is None:
            return None
        return cls(
            from_=dt.date.fromisoformat(first) if isinstance(first, str) else first,
            to=dt.date.fromisoformat(last) if isinstance(last, str) else last,
        )
