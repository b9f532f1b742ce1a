"""Accounts of customers: signing up and in, one's own data, and what staff see of it."""

import strawberry

from schema.accounts.addresses import CustomerAddressMutations
from schema.accounts.consent import CustomerConsentMutations
from schema.accounts.links import LinkMutations
from schema.accounts.own import OwnAccountMutations, OwnAccountQueries
from schema.accounts.payment_methods import CustomerPaymentMethodMutations
from schema.accounts.signing_in import SignInMutations
from schema.accounts.staff_view import StaffAccountMutations, StaffAccountQueries


@strawberry.type
class AccountQueries(OwnAccountQueries, StaffAccountQueries):
    pass


@strawberry.type
class AccountMutations(
    SignInMutations,
    LinkMutations,
    OwnAccountMutations,
    StaffAccountMutations,
    CustomerConsentMutations,
    CustomerAddressMutations,
    CustomerPaymentMethodMutations,
):
    pass


__all__ = ["AccountMutations", "AccountQueries"]
