"""Who gets at what an id names."""

from dataclasses import dataclass

from app.staff.permissions import Permission


@dataclass(frozen=True, slots=True)
class Id:
    kind: str
    """Of `things.py`; its owner is the account or the member of staff whom it was made for."""
    owner: bool = False
    """The account that it belongs to gets at it."""
    staff: frozenset[Permission] | None = None
    """Staff with all of these (and what the guard asks for) get at it; None where staff do not."""
    anybody: bool = False
    """Whoever passes the guard and sends it; of a thing with a secret, the secret included."""
    refusal: str = "NOT_FOUND"
    """What the others hear; of several words, each one of them."""
    instead: Permission | None = None
    """Another permission that does as well."""
    undone: bool = False
    """Also what is refused leaves something (a sign-in without the cart, an attempt under its key): answers are alike,
    and what they leave is no more than that."""


def owned(kind: str, *staff: Permission, refusal: str = "NOT_FOUND", undone: bool = False) -> Id:
    return Id(kind, owner=True, staff=frozenset(staff) if staff else None, refusal=refusal, undone=undone)


def for_staff(kind: str, *staff: Permission, refusal: str = "NOT_FOUND", instead: Permission | None = None) -> Id:
    return Id(kind, staff=frozenset(staff), refusal=refusal, instead=instead)


def secret(kind: str, refusal: str = "NOT_FOUND", *, undone: bool = False) -> Id:
    return Id(kind, anybody=True, refusal=refusal, undone=undone)


def nobodys(kind: str, refusal: str = "NOT_FOUND") -> Id:
    """Hidden from everybody here, such as a draft that somebody puts into a cart."""
    return Id(kind, refusal=refusal)
