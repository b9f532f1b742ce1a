"""Who counts as a friend. Pure: what is known of two people goes in, a reason to refuse comes out."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_DOTLESS = frozenset({"gmail.com", "googlemail.com"})
"""Where dots in the name mean nothing; elsewhere they tell people apart."""
_WORDS = re.compile(r"[^\w]+")


class ReferralRefusal(StrEnum):
    SELF_REFERRAL = "SELF_REFERRAL"
    EXISTING_CUSTOMER = "EXISTING_CUSTOMER"
    ALREADY_REFERRED = "ALREADY_REFERRED"
    ORDER_CANCELLED = "ORDER_CANCELLED"
    PROGRAM_ENDED = "PROGRAM_ENDED"


def same_mailbox(email: str) -> str:
    """What several spellings of one mailbox have in common: no case, no `+tag`, no dots where they mean nothing."""
    name, _, domain = email.strip().lower().rpartition("@")
    name = name.partition("+")[0] or name
    if domain in _DOTLESS:
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


def same_home(address: Mapping[str, object]) -> str | None:
    """What several spellings of one address have in common; None without a street. Keys as `PostalAddress.to_json`."""
    parts = [str(address.get(key) or "") for key in ("address1", "address2", "postal_code", "city", "country_code")]
    if not parts[0].strip():
        return None
    folded = unicodedata.normalize("NFKD", " ".join(parts)).encode("ascii", "ignore").decode().lower()
    return _WORDS.sub("", folded) or None


@dataclass(frozen=True, slots=True)
class Traits:
    """What somebody could be recognised by, over all of their orders."""

    profile_ids: frozenset[str]
    mailboxes: frozenset[str]
    phones: frozenset[str]
    homes: frozenset[str]

    def meets(self, other: "Traits") -> bool:
        """Whether the two may well be one person, or one household."""
        return bool(
            self.profile_ids & other.profile_ids
            or self.mailboxes & other.mailboxes
            or self.phones & other.phones
            or self.homes & other.homes
        )
