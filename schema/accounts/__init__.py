"""Accounts of customers: signing up and in, one's own data, and what staff see of it."""

import strawberry

from schema.accounts.own import OwnAccountQueries
from schema.accounts.signing_in import SignInMutations


@strawberry.type
class AccountQueries(OwnAccountQueries):
    pass


@strawberry.type
class AccountMutations(SignInMutations):
    pass


__all__ = ["AccountMutations", "AccountQueries"]
