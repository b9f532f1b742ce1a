"""What a shopper wants done with a gift, for a whole cart or one of its lines; stored as small JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import orjson

from app.errors import DomainError
from app.gifting.errors import GiftingErrorCode
from app.kit.text import check_text

MAX_MESSAGE_CHARS = 500
"""As much as fits on a card."""


class GiftChange(TypedDict, total=False):
    """What is given changes; None takes it away."""

    wrap: bool | None
    message: str | None
    hide_prices: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftOptions:
    """Attributes:
    message: the giver's words, for a card in the parcel.
    hide_prices: whether the slip in the parcel leaves prices out.
    """

    wrap: bool = False
    message: str | None = None
    hide_prices: bool = False

    @staticmethod
    def of(stored: dict[str, Any] | None) -> "GiftOptions":
        """Of a cart's, an order's or a line's `gift_options`."""
        return GiftOptions(**stored) if stored else GiftOptions()

    def to_json(self) -> dict[str, Any] | None:
        """None where nothing is wanted."""
        chosen = {"wrap": self.wrap, "message": self.message, "hide_prices": self.hide_prices}
        return chosen if any(chosen.values()) else None

    @property
    def key(self) -> str:
        """The same for the same wishes; empty where nothing is wanted."""
        stored = self.to_json()
        return orjson.dumps(list(stored.values())).decode() if stored else ""

    def changed(self, change: GiftChange) -> "GiftOptions":
        """With what was given. Raises DomainError: TOO_LONG, INVALID for control characters, at `message`."""
        message = change.get("message", self.message)
        trimmed = (message or "").strip()
        if wrong := check_text(trimmed, MAX_MESSAGE_CHARS, ["message"]):
            raise wrong
        return GiftOptions(
            wrap=bool(change.get("wrap", self.wrap)),
            message=trimmed or None,
            hide_prices=bool(change.get("hide_prices", self.hide_prices)),
        )

    def joined(self, other: "GiftOptions") -> "GiftOptions":
        """With what the other ones want beside it; its own words stay."""
        return GiftOptions(
            wrap=self.wrap or other.wrap,
            message=self.message or other.message,
            hide_prices=self.hide_prices or other.hide_prices,
        )


def chosen(
    options: GiftOptions, asked: GiftChange, *, wraps: bool, ships: bool, field: Sequence[str | int]
) -> tuple[GiftOptions, list[DomainError]]:
    """The options with what was asked for; as they were, where anything is wrong with that.

    Args:
        wraps: whether the shop wraps gifts, in the currency that is paid.
        ships: whether there is anything to be wrapped.
        field: path of what was asked for.

    Returns:
        And the errors: TOO_LONG, INVALID, GIFT_WRAP_UNAVAILABLE.
    """
    errors: list[DomainError] = []
    changed = options
    try:
        changed = options.changed(asked)
    except DomainError as wrong:
        errors.append(wrong.under(*field))
    if asked.get("wrap") and not (wraps and ships):
        message = "Nothing of it is shipped, so there is nothing to wrap." if wraps else "The shop does not wrap gifts."
        errors.append(DomainError(GiftingErrorCode.GIFT_WRAP_UNAVAILABLE, message, [*field, "wrap"]))
    return (options, errors) if errors else (changed, [])
