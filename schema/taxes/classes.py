"""What is taxed alike."""

import uuid
from typing import Annotated

import strawberry

from app.kit import ids
from app.staff.permissions import Permission
from app.tax import classes
from app.tax.settings import settings
from app.tax.terms import TaxClass as Known
from schema.access import STAFF, mutation, query
from schema.context import Info
from schema.errors import UserError
from schema.inputs import given_fields

CLASS_PREFIX = "tclass"
_WRITE = STAFF(Permission.TAXES_WRITE)
ClassId = Annotated[strawberry.ID, strawberry.argument(description="Id of the class.")]


@strawberry.type(description="What is taxed alike, such as standard, reduced or zero. Zones have rates for classes.")
class TaxClass:
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    name: str = strawberry.field(description="For staff.")
    code: str = strawberry.field(description="Short and unique, for imports and tax engines: `reduced`.")
    is_default: bool = strawberry.field(description="Whether products without a class are of this one.")

    @classmethod
    def of(cls, known: Known) -> "TaxClass":
        return cls(
            id=strawberry.ID(ids.encode(CLASS_PREFIX, known.id)),
            name=known.name,
            code=known.code,
            is_default=known.is_default,
        )


@strawberry.input(description="A tax class. In an update, what is left out stays as it is.")
class TaxClassInput:
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="For staff, up to 120 characters; a new class needs one."
    )
    code: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Letters, digits, `-` and `_`, up to 64; no two classes have the same. A new class needs one.",
    )
    is_default: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="True makes it the default one in the place of another. The first class is the default one.",
    )

    def draft(self) -> classes.ClassDraft:
        return classes.ClassDraft(**given_fields(self))


@strawberry.type(description="Answer to `taxClassCreate` and `taxClassUpdate`.")
class TaxClassPayload:
    tax_class: TaxClass | None = strawberry.field(default=None, description="The class as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


@strawberry.type(description="Answer to `taxClassDelete`.")
class TaxClassDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="Id of the class that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


def class_id_of(text: str | None, field: list[str | int]) -> uuid.UUID | None:
    """Raises DomainError(INVALID_ID)."""
    return None if text is None else ids.decode(CLASS_PREFIX, text, field)


def shown_class(class_id: uuid.UUID | None, known: tuple[Known, ...]) -> TaxClass | None:
    return next((TaxClass.of(one) for one in known if one.id == class_id), None)


async def _one(class_id: uuid.UUID) -> TaxClassPayload:
    return TaxClassPayload(tax_class=shown_class(class_id, (await settings.current()).classes))


@strawberry.type
class TaxClassQueries:
    @query(access=_WRITE, description="Staff: every tax class, the default one first.")
    async def tax_classes(self, info: Info) -> list[TaxClass]:
        return [TaxClass.of(one) for one in (await settings.current()).classes]


@strawberry.type
class TaxClassMutations:
    @mutation(access=_WRITE, description="Staff: make a tax class.")
    async def tax_class_create(
        self, info: Info, input: Annotated[TaxClassInput, strawberry.argument(description="The new class.")]
    ) -> TaxClassPayload:
        return await _one(await classes.create_class(input.draft()))

    @mutation(access=_WRITE, description="Staff: change a tax class.")
    async def tax_class_update(
        self,
        info: Info,
        id: ClassId,
        input: Annotated[TaxClassInput, strawberry.argument(description="What changes.")],
    ) -> TaxClassPayload:
        class_id = ids.decode(CLASS_PREFIX, id, ["id"])
        await classes.update_class(class_id, input.draft())
        return await _one(class_id)

    @mutation(
        access=_WRITE,
        description="Staff: delete a tax class that is not the default, and that no product, rate or setting names.",
    )
    async def tax_class_delete(self, info: Info, id: ClassId) -> TaxClassDeletePayload:
        await classes.delete_class(ids.decode(CLASS_PREFIX, id, ["id"]))
        return TaxClassDeletePayload(deleted_id=id)
