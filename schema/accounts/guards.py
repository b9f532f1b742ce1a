"""Who is signed in, where the guard of a field has made sure that somebody is."""

from app.accounts.identity import CustomerIdentity
from schema.context import Info


def signed_in(info: Info) -> CustomerIdentity:
    if info.context.customer is None:
        raise RuntimeError("the guard let nobody in")
    return info.context.customer
