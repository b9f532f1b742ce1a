"""Staff change what is taxed alike."""

import re
import uuid
from dataclasses import dataclass

import asyncpg

from app import clock, db
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.ids import new_id
from app.kit.problems import Problems
from app.tax.errors import TaxErrorCode

MAX_CLASSES = 100
MAX_NAME_CHARS = 120
MAX_CODE_CHARS = 64

_CODE = re.compile(r"[a-z0-9][a-z0-9_-]*")
_LOCK = 0x7461_7863
"""Classes change one after the other: there is one default at every moment, and no more than the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDraft:
    """What is None stays as it is. Only `is_default=True` says something: a default ends when another begins."""

    name: str | None = None
    code: str | None = None
    is_default: bool | None = None


async def create_class(draft: ClassDraft) -> uuid.UUID:
    """The first class is the default one.

    Raises:
        DomainErrors: REQUIRED, TOO_LONG, INVALID.
        DomainError: CONFLICT for a code that another class has, TOO_MANY.
    """
    name, code = _checked(draft, complete=True)
    class_id = new_id()
    async with db.unit_of_work():
        await db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        there = await db.fetchval("SELECT count(*) FROM tax_classes")
        if there >= MAX_CLASSES:
            raise DomainError(CommonErrorCode.TOO_MANY, f"A shop has at most {MAX_CLASSES} tax classes.", ["input"])
        if draft.is_default:
            await db.execute("UPDATE tax_classes SET is_default = false WHERE is_default")
        try:
            await db.execute(
                """
                INSERT INTO tax_classes (id, name, code, is_default, created_at, updated_at)
                VALUES ($1, $2, $3, $4, $5, $5)
                """,
                class_id,
                name,
                code,
                bool(draft.is_default) or there == 0,
                await clock.now(),
            )
        except asyncpg.UniqueViolationError as error:
            raise _taken(code) from error
    return class_id


async def update_class(class_id: uuid.UUID, draft: ClassDraft) -> None:
    """Raises DomainError(NOT_FOUND), else as `create_class`."""
    name, code = _checked(draft, complete=False)
    async with db.unit_of_work():
        await db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if await db.fetchval("SELECT id FROM tax_classes WHERE id = $1", class_id) is None:
            raise not_found("tax class", ["id"])
        if draft.is_default:
            await db.execute("UPDATE tax_classes SET is_default = false WHERE is_default AND id <> $1", class_id)
        try:
            await db.execute(
                """
                UPDATE tax_classes
                SET name = coalesce($2, name), code = coalesce($3, code), is_default = is_default OR $4, updated_at = $5
                WHERE id = $1
                """,
                class_id,
                name,
                code,
                bool(draft.is_default),
                await clock.now(),
            )
        except asyncpg.UniqueViolationError as error:
            raise _taken(code) from error


async def delete_class(class_id: uuid.UUID) -> None:
    """Raises DomainError: NOT_FOUND; TAX_CLASS_IN_USE, also for the default one."""
    async with db.unit_of_work():
        await db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        is_default = await db.fetchval("SELECT is_default FROM tax_classes WHERE id = $1 FOR UPDATE", class_id)
        if is_default is None:
            raise not_found("tax class", ["id"])
        if is_default:
            message = "This is the default class; make another one the default first."
            raise DomainError(TaxErrorCode.TAX_CLASS_IN_USE, message, ["id"])
        try:
            await db.execute("DELETE FROM tax_classes WHERE id = $1", class_id)
        except (asyncpg.ForeignKeyViolationError, asyncpg.RestrictViolationError) as error:
            message = "Products, rates of a zone or the settings name this class; give them another one first."
            raise DomainError(TaxErrorCode.TAX_CLASS_IN_USE, message, ["id"]) from error


def _checked(draft: ClassDraft, *, complete: bool) -> tuple[str | None, str | None]:
    problems = Problems()
    name, code = draft.name, draft.code
    if name is not None or complete:
        name = problems.required_line(name, "A name", "name", max_chars=MAX_NAME_CHARS)
    if code is not None or complete:
        code = problems.required_line(code, "A code", "code", max_chars=MAX_CODE_CHARS).lower()
        if code and not _CODE.fullmatch(code):
            problems.add(CommonErrorCode.INVALID, "A code has letters, digits, - and _, such as reduced.", "code")
    problems.raise_if_any()
    return name, code


def _taken(code: str | None) -> DomainError:
    return DomainError(CommonErrorCode.CONFLICT, f"Another tax class has the code {code}.", ["input", "code"])
