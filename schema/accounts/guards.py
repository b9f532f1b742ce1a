"""Who asks: the customer that the guard of a field has made sure of, and the client in front of them."""

from app.accounts.clients import Client
from app.accounts.identity import CustomerIdentity
from schema.context import Info


def signed_in(info: Info) -> CustomerIdentity:
    if info.context.customer is None:
        raise RuntimeError("the guard let nobody in")
    return info.context.customer


def client_of(info: Info) -> Client:
    return Client(info.context.client_address, info.context.user_agent)
