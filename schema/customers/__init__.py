"""People in the schema: what storefronts tell of visitors, and profiles for staff (shown with `ProfileView`)."""

import strawberry

from schema.customers.profiles import ProfileMutations, ProfileQueries
from schema.customers.showing import PROFILE_PREFIX, ProfileView
from schema.customers.types import Profile
from schema.customers.visitors import VisitorMutations


@strawberry.type
class CustomerQueries(ProfileQueries):
    pass


@strawberry.type
class CustomerMutations(ProfileMutations, VisitorMutations):
    pass


__all__ = ["PROFILE_PREFIX", "CustomerMutations", "CustomerQueries", "Profile", "ProfileView"]
