"""Reading and changing profiles, for staff."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from app.customers import editing, queries
from app.customers.editing import ProfileChange
from app.customers.models import LifecycleStage
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.kit.pagination import page_request
from app.staff.permissions import Permission
from schema.access import STAFF, mutation, query
from schema.connections import After, Connection, First
from schema.context import Info
from schema.customers.showing import PROFILE_PREFIX, ProfileView
from schema.customers.types import Profile, ProfilePayload, ProfileUpdateInput
from schema.nodes import Node, node_loader
from schema.selection import Selection, selection_check

ProfileId = Annotated[strawberry.ID, strawberry.argument(description="Id of the profile.")]


@strawberry.type
class ProfileQueries:
    @query(
        access=STAFF(Permission.CUSTOMERS_READ), description="One person; null when there is no profile with this id."
    )
    async def profile(self, info: Info, id: ProfileId) -> Profile | None:
        profile_id = ids.decode(PROFILE_PREFIX, id, ["id"])
        return (await ProfileView.of(Selection.of(info)).load(info, [profile_id])).get(profile_id)

    @query(
        access=STAFF(Permission.CUSTOMERS_READ),
        description="People, the newest first. Visitors whom nobody knows are left out unless that stage is asked for.",
    )
    async def profiles(
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        query: Annotated[
            str | None,
            strawberry.argument(
                description="What the email address, the phone number (with its country code), the last name, or first "
                "and last name begin with."
            ),
        ] = strawberry.UNSET,
        stage: Annotated[
            LifecycleStage | None, strawberry.argument(description="Only people in this stage.")
        ] = strawberry.UNSET,
    ) -> Connection[Profile]:
        selection = Selection.of(info)
        view = ProfileView.of(selection.nodes())
        page = await queries.search(
            page_request(None if first is strawberry.UNSET else first, after or None, order=queries.CURSOR_PROFILES),
            query=query or None,
            stage=stage or None,
            count="totalCount" in selection,
        )
        return Connection[Profile].of(page, await view.show_all(info, page.items))


@strawberry.type
class ProfileMutations:
    @mutation(
        access=STAFF(Permission.CUSTOMERS_WRITE),
        description="Change what the shop knows of a person. Addresses and consent change elsewhere.",
    )
    async def profile_update(
        self,
        info: Info,
        id: ProfileId,
        input: Annotated[ProfileUpdateInput, strawberry.argument(description="What changes.")],
    ) -> ProfilePayload:
        view = ProfileView.of(Selection.of(info).below("profile"))
        profile_id = ids.decode(PROFILE_PREFIX, id, ["id"])
        await editing.update(profile_id, _change_of(input))
        # To change a person is not to read all that is known of them.
        shown = await view.load(info, [profile_id]) if _may_read(info) else {}
        return ProfilePayload(profile=shown.get(profile_id))


def _change_of(input: ProfileUpdateInput) -> ProfileChange:
    given: Any = {
        name: getattr(input, name)
        for name in ProfileChange.__annotations__
        if getattr(input, name) is not strawberry.UNSET
    }
    if not isinstance(given.get("properties") or {}, dict):
        raise DomainError(CommonErrorCode.INVALID, "Properties are an object.", ["input", "properties"])
    change: ProfileChange = given
    return change


def _may_read(info: Info) -> bool:
    staff = info.context.staff
    return staff is not None and staff.may(Permission.CUSTOMERS_READ)


@node_loader(PROFILE_PREFIX)
async def _load_profiles(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    wanted = [ids.decode(PROFILE_PREFIX, text, ["id"]) for text in texts]
    if not _may_read(info):
        return [None] * len(wanted)
    found = await ProfileView.of(selection).load(info, wanted)
    return [found.get(profile_id) for profile_id in wanted]


@selection_check("Profile")
def _check(selection: Selection) -> None:
    ProfileView.of(selection)
